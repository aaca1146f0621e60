"""The picture of a deployment: the polygons of its cells, the borders of areas, and where servers are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.lattice import cluster_centers, hexagons
from msmf_traci.errors import InputError
from msmf_traci.reporting.run_tables import NUMBER, TEXT, header, read_whole

# a server of a higher tier stands above the middle of its area, so that it does not cover those of lower tiers there
RAISED_BY_SIZES = 0.25
_CORNER_M = 1e-3  # corners that lie nearer are one: cells.csv has no finer ones


@dataclass(frozen=True)
class CellMap:
    """Cells and servers of a deployment.

    Attributes
    ----------
    cells
        Their names, shape (cells,).
    x_m, y_m
        Their base stations.
    servers
        Name of the server of each cell: a column for each tier, from the lowest, and further ones for areas that only variants have.
    polygons
        Their ground, shapely polygons; corners that cells share have the same coordinates.
    """

    cells: NDArray[np.object_]
    x_m: FloatArray
    y_m: FloatArray
    servers: Mapping[str, NDArray[np.object_]]
    polygons: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def size_m(self) -> float:
        """Distance of neighbouring stations, were all cells hexagons of the median area."""
        return float(np.sqrt(np.median(shapely.area(self.polygons)) * 2 / np.sqrt(3.0)))

    @cached_property
    def reach_m(self) -> FloatArray:
        """How far the farthest corner of each cell is from its station, shape (cells,)."""
        corners, cell = shapely.get_coordinates(self.polygons, return_index=True)
        farthest = np.zeros(len(self))
        np.maximum.at(farthest, cell, np.hypot(corners[:, 0] - self.x_m[cell], corners[:, 1] - self.y_m[cell]))
        return farthest

    @cached_property
    def rings_m(self) -> list[list[FloatArray]]:
        """Outlines of each cell, counter-clockwise and not closed, shape (corners, 2); a cell in parts has several."""
        parts, cell = shapely.get_parts(self.polygons, return_index=True)
        found: list[list[FloatArray]] = [[] for _ in range(len(self))]
        for part, number in zip(parts, cell.tolist(), strict=True):
            ring = shapely.get_coordinates(part.exterior)[:-1]
            found[number].append(ring if part.exterior.is_ccw else ring[::-1])
        return found

    @property
    def region(self) -> NDArray[np.object_]:
        """Server of each cell whose areas are drawn: of the second tier, or of the only one."""
        columns = list(self.servers.values())
        return columns[1] if len(columns) > 1 else columns[0]

    @cached_property
    def tier_of(self) -> dict[str, str]:
        """Tier of each server by its name."""
        return {str(name): column.partition(":")[0] for column, names in self.servers.items() for name in names}

    def borders_m(self, region: NDArray[np.object_] | None = None) -> FloatArray:
        """Sides of cells, each once: all of them, or only those at which a region ends, shape (sides, 2, 2)."""
        begin, end, cell, sides = self._sides
        _, first, where = np.unique(np.sort(np.column_stack([begin, end]), axis=1), axis=0, return_index=True, return_inverse=True)
        if region is None:
            return np.asarray(sides[first], dtype=np.float64)
        number = np.unique(region.astype(str), return_inverse=True)[1][cell]
        where = where.reshape(-1)
        lowest, highest = np.full(len(first), np.iinfo(np.int64).max), np.full(len(first), -1)
        np.minimum.at(lowest, where, number)
        np.maximum.at(highest, where, number)
        is_outer = np.bincount(where) == 1
        return np.asarray(sides[first][is_outer | (lowest != highest)], dtype=np.float64)

    def outlines_m(self) -> Iterator[tuple[str, FloatArray]]:
        """Outlines of the regions, counter-clockwise and not closed, shape (corners, 2); a region in parts has several."""
        begin, end, cell, sides = self._sides
        corner_of = dict(zip(begin.tolist(), sides[:, 0], strict=True))
        for name in sorted(set(self.region)):
            inside = (self.region == name)[cell]
            twice = set(zip(end[inside].tolist(), begin[inside].tolist(), strict=True))
            following = {a: b for a, b in zip(begin[inside].tolist(), end[inside].tolist(), strict=True) if (a, b) not in twice}
            while following:
                at = next(iter(following))
                loop = []
                while at in following:
                    loop.append(corner_of[at])
                    at = following.pop(at)
                yield name, np.array(loop)

    def server_places_m(self, names: NDArray[np.object_]) -> FloatArray:
        """Where servers are drawn, shape (servers, 2): at the mean place of the base stations of their area, higher tiers above it."""
        heights = {tier: height for height, tier in enumerate(dict.fromkeys(self.tier_of.values()))}
        place: dict[str, FloatArray] = {}
        for column, servers in self.servers.items():
            raised_m = RAISED_BY_SIZES * self.size_m * heights[column.partition(":")[0]]
            found, number = np.unique(servers.astype(str), return_inverse=True)
            number = number.reshape(-1)
            middle = np.column_stack([np.bincount(number, weights=each) for each in (self.x_m, self.y_m)]) / np.bincount(number)[:, None]
            place |= dict(zip(found.tolist(), middle + np.array([0.0, raised_m]), strict=True))
        unknown = next((name for name in names if name not in place), None)
        if unknown is not None:
            raise InputError(f"the map has no server {unknown}; copy the run and its map folder again")
        return np.array([place[name] for name in names], dtype=np.float64).reshape(-1, 2)

    @cached_property
    def _sides(self) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
        """First and last corner of every side of every cell, as numbers that cells share; its cell; its place, shape (sides, 2, 2)."""
        sides = np.concatenate([np.stack([ring, np.roll(ring, -1, axis=0)], axis=1) for rings in self.rings_m for ring in rings])
        cell = np.repeat(np.arange(len(self)), [sum(map(len, rings)) for rings in self.rings_m])
        corner = np.unique(np.rint(sides.reshape(-1, 2) / _CORNER_M), axis=0, return_inverse=True)[1].reshape(-1, 2)
        return corner[:, 0].astype(np.int64), corner[:, 1].astype(np.int64), cell, sides


def read_cell_map(folder: Path, facts: Mapping[str, Any]) -> CellMap:
    """Read the cells of a run.

    Parameters
    ----------
    folder
        `map-<hash>`.
    facts
        What run.json says.

    Raises
    ------
    InputError
        If the table or the lattice is missing or damaged.
    """
    columns = header(folder, "cells")
    is_of_first_edition = "region" in columns
    texts = ["region"] if is_of_first_edition else _columns_of_servers(columns, facts["config"]["tiers"]["order"])
    has_polygons = "polygon" in columns
    wanted = {"cell": TEXT, "x_m": NUMBER, "y_m": NUMBER, **dict.fromkeys(texts, TEXT), **({"polygon": TEXT} if has_polygons else {})}
    table = read_whole(folder, "cells", wanted)
    if not len(table) or not texts:
        raise InputError(f"{folder / 'cells.csv'} has no cells or no servers; copy the map folder again")
    cells = table["cell"].to_numpy(dtype=object)
    x_m, y_m = (table[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
    polygons = _polygons(folder, table["polygon"]) if has_polygons else _hexagons(cells, x_m, y_m, facts)
    servers = {name: table[name].to_numpy(dtype=object) for name in texts}
    if is_of_first_edition:
        servers = _of_first_edition(cells, servers["region"], facts)
    return CellMap(cells, x_m, y_m, servers, polygons)


def _columns_of_servers(columns: Sequence[str], tiers: Sequence[str]) -> list[str]:
    """Columns with servers: those of the tiers, from the lowest, then those of areas that only variants have."""
    return [*(tier for tier in tiers if tier in columns), *(each for each in columns if ":" in each and each.partition(":")[0] in tiers)]


def _of_first_edition(cells: NDArray[np.object_], region: NDArray[np.object_], facts: Mapping[str, Any]) -> dict[str, NDArray[np.object_]]:
    """Servers of a map of the first edition, which says the regions alone; those of variants follow from the lattice."""
    found = {"local": np.array([f"L:{name}" for name in cells], dtype=object), "regional": region}
    axial = np.array([lattice_point(name) for name in cells], dtype=np.int64).reshape(-1, 2)
    for rings in (facts["config"].get("variants", {}).get("tiers") or {}).get("regional", {}).get("rings") or ():
        found[f"regional:rings={rings}"] = np.array([f"R:{q},{r}" for q, r in cluster_centers(axial, rings)], dtype=object)
    return found


def _polygons(folder: Path, text: pd.Series) -> NDArray[np.object_]:
    polygons = shapely.from_wkt(text.to_numpy(dtype=object), on_invalid="ignore")
    if not np.isin(shapely.get_type_id(polygons), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)).all():
        raise InputError(f"{folder / 'cells.csv'} is damaged: its column polygon holds what is no polygon; copy the map folder again")
    return np.asarray(polygons, dtype=object)


def _hexagons(cells: NDArray[np.object_], x_m: FloatArray, y_m: FloatArray, facts: Mapping[str, Any]) -> NDArray[np.object_]:
    """The cells of a run of an earlier version, which does not say their polygons."""
    try:
        spacing_m, orientation = float(facts["deployment"]["spacing_m"]), str(facts["deployment"]["orientation"])
    except (KeyError, TypeError, ValueError):
        raise InputError("run.json does not say how the cells lie (deployment); copy the run again, or run it again") from None
    axial = np.array([lattice_point(name) for name in cells], dtype=np.int64).reshape(-1, 2)
    # a lattice around the first cell, so that it lies where the table says
    corners = hexagons(axial - axial[0], spacing_m, orientation, (float(x_m[0]), float(y_m[0])))
    return np.asarray(shapely.polygons(corners), dtype=object)


def polygon_geometry(rings: Sequence[NDArray[Any]]) -> dict[str, Any]:
    """GeoJSON's geometry of a cell, from its outlines."""
    closed = [[[*ring.tolist(), ring[0].tolist()]] for ring in rings]
    return {"type": "Polygon", "coordinates": closed[0]} if len(closed) == 1 else {"type": "MultiPolygon", "coordinates": closed}


def lattice_point(name: str) -> tuple[int, int]:
    """Lattice coordinates that a name `q,r` says.

    Raises
    ------
    InputError
        If it says none.
    """
    try:
        q, r = (int(part) for part in name.split(","))
    except ValueError:
        raise InputError(f"{name} is not the name of a cell or region; copy the run and its map folder again") from None
    return q, r
