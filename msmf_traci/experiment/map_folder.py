"""The map beside the runs that use it: cells, roads and projection, all that a picture of the city needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.config.schema import Config
from msmf_traci.deployment.cells import Cells
from msmf_traci.experiment.laying import Layout
from msmf_traci.experiment.options import tier_plans
from msmf_traci.results.store import folder_in_one_piece, share_taken, write_json, write_table
from msmf_traci.roads.projection import Projection
from msmf_traci.roads.roads import Roads


def write_map_once(
    parent: Path, roads: Roads, cells: Cells, servers: Mapping[str, NDArray[np.object_]], projection: Projection | None
) -> Path:
    """Write the map of a network and deployment into `parent`, unless it is there.

    Parameters
    ----------
    parent
        Where runs lie.
    roads, cells, projection
        The city.
    servers
        Names of the server of each cell, by the columns of cells.csv.

    Returns
    -------
    The folder `map-<hash>` with cells.csv, roads.csv and projection.json.
    """
    deployment = cells.identity + repr([(column, list(names)) for column, names in servers.items()])
    folder = parent / f"map-{hashlib.sha256((roads.digest() + deployment).encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    with folder_in_one_piece(folder, share_taken) as piece:
        write_table(piece.scratch, "cells", cells_table(cells, servers, projection), "csv")
        write_table(piece.scratch, "roads", roads_table(roads), "csv")
        write_json(
            piece.scratch / "projection.json",
            {"proj": roads.projection, "net_offset_m": list(roads.net_offset_m), "boundary_m": list(roads.boundary_m)},
        )
    return folder


def servers_by_column(config: Config, variants: Sequence[Config], layout: Layout) -> dict[str, NDArray[np.object_]]:
    """Names of the server of each cell: a column for each tier, and further ones for areas that only variants have."""
    found: dict[str, NDArray[np.object_]] = {}
    for each in (config, *variants):
        servers = layout.servers(each)
        for tier, (plan, base) in enumerate(zip(tier_plans(each), tier_plans(config), strict=True)):
            found.setdefault(plan.column_of_map(base), servers.names[servers.server_of[tier]])
    return found


def cells_table(cells: Cells, servers: Mapping[str, NDArray[np.object_]], projection: Projection | None) -> pd.DataFrame:
    """One row a cell: name, servers, base station, polygon as WKT in metres; lon and lat are empty without a projection."""
    import shapely

    unknown = np.full(len(cells), np.nan)
    lon, lat = (unknown, unknown) if projection is None else projection.to_lon_lat(cells.x_m, cells.y_m)
    return pd.DataFrame(
        {
            "cell": list(cells.names),
            **{column: list(names) for column, names in servers.items()},
            "x_m": cells.x_m,
            "y_m": cells.y_m,
            "lon": lon,
            "lat": lat,
            "polygon": shapely.to_wkt(cells.polygons, rounding_precision=3),
        }
    )


def roads_table(roads: Roads) -> pd.DataFrame:
    """One row an edge: its class, name and centre line as WKT in metres."""
    lines = []
    for edge in range(len(roads)):
        points = ", ".join(f"{x:.2f} {y:.2f}" for x, y in zip(*roads.line(edge), strict=True))
        lines.append(f"LINESTRING ({points})")
    return pd.DataFrame({"edge": roads.ids, "class": roads.classes, "name": roads.names, "line": lines})
