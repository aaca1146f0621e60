"""GeoJSON of cells, hosts, transfers and copies, in longitude and latitude by the network's own projection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray
from msmf_traci.errors import InputError
from msmf_traci.reporting.cell_map import CellMap, polygon_geometry
from msmf_traci.roads.projection import Projection

Features = dict[str, Any]

# some centimetres
DECIMALS = 7


def read_projection(map_folder: Path) -> Projection | None:
    """Read the network's projection; None where it has none, or one that PROJ does not know.

    Raises
    ------
    InputError
        If projection.json is missing or damaged.
    """
    from pyproj.exceptions import ProjError

    path = map_folder / "projection.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        text, offset_m = content["proj"], (float(content["net_offset_m"][0]), float(content["net_offset_m"][1]))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise InputError(f"{path} is missing or damaged; copy the map folder again") from None
    try:
        return None if text is None else Projection(str(text), offset_m)
    except ProjError:
        return None


def cells_geojson(cells: CellMap, projection: Projection) -> Features:
    """Cells as polygons, each with its servers."""
    rings = [[_lon_lat(ring, projection) for ring in parts] for parts in cells.rings_m]
    return _collection(
        [
            {
                "type": "Feature",
                "geometry": polygon_geometry(parts),
                "properties": {"cell": name, **{tier: names[cell] for tier, names in cells.servers.items()}},
            }
            for cell, (name, parts) in enumerate(zip(cells.cells, rings, strict=True))
        ]
    )


def hosts_geojson(hosts: pd.DataFrame, projection: Projection) -> Features:
    """Servers as points, with the transfers that left and came to them."""
    return _points(hosts, ["place_x_m", "place_y_m"], projection)


def transfers_geojson(transfers: pd.DataFrame, source_m: FloatArray, target_m: FloatArray, projection: Projection) -> Features:
    """Transfers as straight lines from source to target, with all that the table says of them."""
    lines = _lon_lat(np.stack([source_m, target_m], axis=1), projection)
    return _collection([_feature("LineString", line.tolist(), row) for line, row in zip(lines, _records(transfers), strict=True)])


def copies_geojson(copies: pd.DataFrame, projection: Projection) -> Features:
    """Copies of images as points where their vehicles were at the end, with all that the table says of them."""
    return _points(copies, ["x_m", "y_m"], projection)


def write_geojson(path: Path, content: Features) -> None:
    """Write a collection of features."""
    path.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n", encoding="utf-8")


def _lon_lat(places_m: FloatArray, projection: Projection) -> FloatArray:
    lon, lat = projection.to_lon_lat(places_m[..., 0], places_m[..., 1])
    return np.asarray(np.round(np.stack([lon, lat], axis=-1), DECIMALS), dtype=np.float64)


def _points(table: pd.DataFrame, place: list[str], projection: Projection) -> Features:
    """Rows as points, with their other columns."""
    places = _lon_lat(table[place].to_numpy(dtype=np.float64), projection)
    rows = _records(table.drop(columns=place))
    return _collection([_feature("Point", at.tolist(), row) for at, row in zip(places, rows, strict=True)])


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with values that JSON knows; what is not applicable is null."""
    values = {str(name): column.astype(object).where(column.notna(), None).tolist() for name, column in table.items()}
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> Features:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def _collection(features: list[Features]) -> Features:
    return {"type": "FeatureCollection", "features": features}
