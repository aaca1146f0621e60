"""The picture of a deployment: the polygons of its cells, the borders of regions, and where servers are drawn."""

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

LOCAL_PREFIX, REGIONAL_PREFIX = "L:", "R:"
# a region's server stands above the middle of its region, so that it does not cover the local server there
RAISED_BY_SIZES = 0.25
_CORNER_M = 1e-3  # corners that lie nearer are one: cells.csv has no finer ones


@dataclass(frozen=True)
class CellMap:
    """Cells and regions of a deployment.

    Attributes
    ----------
    cells
        Their names, shape (cells,).
    x_m, y_m
        Their base stations.
    region
        Name of each cell's region, as its server is called (`R:q,r`).
    polygons
        Their ground, shapely polygons; corners that cells share have the same coordinates.
    """

    cells: NDArray[np.object_]
    x_m: FloatArray
    y_m: FloatArray
    region: NDArray[np.object_]
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

    @cached_property
    def axial(self) -> IntArray:
        """Lattice coordinates of the cells, from their names, shape (cells, 2)."""
        return np.array([lattice_point(name) for name in self.cells], dtype=np.int64).reshape(-1, 2)

    def regions_of(self, rings: int) -> NDArray[np.object_]:
        """Name of the region of each cell where regions have `rings` rings, which a variant may choose for itself."""
        return np.array([f"{REGIONAL_PREFIX}{q},{r}" for q, r in cluster_centers(self.axial, rings)], dtype=object)

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
        """Where servers are drawn, shape (servers, 2)."""
        cell_of = {name: cell for cell, name in enumerate(self.cells)}
        centers = np.column_stack([self.x_m, self.y_m])
        places = np.zeros((len(names), 2))
        for server, name in enumerate(names):
            cell = cell_of.get(name.removeprefix(LOCAL_PREFIX)) if name.startswith(LOCAL_PREFIX) else None
            if cell is not None:
                places[server] = centers[cell]
            else:
                places[server] = self._middle_of_region(name)
                places[server, 1] += RAISED_BY_SIZES * self.size_m
        return places

    def _middle_of_region(self, name: str) -> FloatArray:
        """Middle of the cells of a region; of one that only a variant has, its lattice point."""
        inside = self.region == name
        if inside.any():
            return np.array([self.x_m[inside].mean(), self.y_m[inside].mean()])
        basis = np.column_stack([self.axial, np.ones(len(self))])
        to_m = np.linalg.lstsq(basis, np.column_stack([self.x_m, self.y_m]), rcond=None)[0]
        return np.asarray(np.array([*lattice_point(name[len(REGIONAL_PREFIX) :]), 1]) @ to_m, dtype=np.float64)

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
    columns = {"cell": TEXT, "region": TEXT, "x_m": NUMBER, "y_m": NUMBER}
    has_polygons = "polygon" in header(folder, "cells")
    table = read_whole(folder, "cells", columns | ({"polygon": TEXT} if has_polygons else {}))
    if not len(table):
        raise InputError(f"{folder / 'cells.csv'} has no cells; copy the map folder again")
    cells = table["cell"].to_numpy(dtype=object)
    x_m, y_m = (table[name].to_numpy(dtype=np.float64) for name in ("x_m", "y_m"))
    polygons = _polygons(folder, table["polygon"]) if has_polygons else _hexagons(cells, x_m, y_m, facts)
    return CellMap(cells, x_m, y_m, table["region"].to_numpy(dtype=object), polygons)


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
