"""The picture of a deployment: hexagons around the cells' centres, the borders of regions, and where servers are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.lattice import cluster_centers
from msmf_traci.errors import InputError
from msmf_traci.reporting.run_tables import NUMBER, TEXT, read_whole

LOCAL_PREFIX, REGIONAL_PREFIX = "L:", "R:"
# a region's server stands above the middle of its region, so that it does not cover the local server there
RAISED_BY_SPACINGS = 0.25


@dataclass(frozen=True)
class CellMap:
    """Cells and regions of a deployment.

    Attributes
    ----------
    cells
        Names (`q,r`), shape (cells,).
    x_m, y_m
        Their centres.
    region
        Name of each cell's region, as its server is called (`R:q,r`).
    spacing_m, orientation
        Of the lattice: `flat` or `pointy` cells.
    """

    cells: NDArray[np.object_]
    x_m: FloatArray
    y_m: FloatArray
    region: NDArray[np.object_]
    spacing_m: float
    orientation: str

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def corners_m(self) -> FloatArray:
        """Corners of every cell, counter-clockwise, shape (cells, 6, 2)."""
        around = np.radians((0.0 if self.orientation == "flat" else 30.0) + 60.0 * np.arange(6))
        offsets = self.spacing_m / np.sqrt(3.0) * np.column_stack([np.cos(around), np.sin(around)])
        return np.asarray(np.column_stack([self.x_m, self.y_m])[:, None, :] + offsets[None, :, :], dtype=np.float64)

    @cached_property
    def axial(self) -> IntArray:
        """Lattice coordinates of the cells, from their names, shape (cells, 2)."""
        return np.array([lattice_point(name) for name in self.cells], dtype=np.int64).reshape(-1, 2)

    def regions_of(self, rings: int) -> NDArray[np.object_]:
        """Name of the region of each cell where regions have `rings` rings, which a variant may choose for itself."""
        return np.array([f"{REGIONAL_PREFIX}{q},{r}" for q, r in cluster_centers(self.axial, rings)], dtype=object)

    def borders_m(self, region: NDArray[np.object_] | None = None) -> FloatArray:
        """Sides of cells, each once: all of them, or only those at which a region ends, shape (sides, 2, 2)."""
        begin, end = self._sides
        _, first, where = np.unique(np.sort(np.column_stack([begin, end]), axis=1), axis=0, return_index=True, return_inverse=True)
        sides = np.stack([self.corners_m, np.roll(self.corners_m, -1, axis=1)], axis=2).reshape(-1, 2, 2)
        if region is None:
            return np.asarray(sides[first], dtype=np.float64)
        number = np.repeat(np.unique(region.astype(str), return_inverse=True)[1], 6)
        where = where.reshape(-1)
        lowest, highest = np.full(len(first), np.iinfo(np.int64).max), np.full(len(first), -1)
        np.minimum.at(lowest, where, number)
        np.maximum.at(highest, where, number)
        is_outer = np.bincount(where) == 1
        return np.asarray(sides[first][is_outer | (lowest != highest)], dtype=np.float64)

    def outlines_m(self) -> Iterator[tuple[str, FloatArray]]:
        """Outlines of the regions, counter-clockwise and not closed, shape (corners, 2); a region in parts has several."""
        begin, end = self._sides
        corner_of = dict(zip(begin.tolist(), self.corners_m.reshape(-1, 2), strict=True))
        for name in sorted(set(self.region)):
            inside = np.repeat(self.region == name, 6)
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
                places[server, 1] += RAISED_BY_SPACINGS * self.spacing_m
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
    def _sides(self) -> tuple[IntArray, IntArray]:
        """First and last corner of every side of every cell, as numbers that cells share, shape (6 cells,)."""
        # on this grid all corners are whole numbers, so that rounding cannot part a shared corner
        along, across = self.spacing_m / (2 * np.sqrt(3.0)), self.spacing_m / 2
        grid = (along, across) if self.orientation == "flat" else (across, along)
        steps = np.rint((self.corners_m - self.corners_m[0, 0]) / grid).astype(np.int64)
        corner = np.unique(steps.reshape(-1, 2), axis=0, return_inverse=True)[1].reshape(len(self), 6)
        return corner.ravel().astype(np.int64), np.roll(corner, -1, axis=1).ravel().astype(np.int64)


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
    table = read_whole(folder, "cells", {"cell": TEXT, "region": TEXT, "x_m": NUMBER, "y_m": NUMBER})
    if not len(table):
        raise InputError(f"{folder / 'cells.csv'} has no cells; copy the map folder again")
    try:
        spacing_m, orientation = float(facts["deployment"]["spacing_m"]), str(facts["deployment"]["orientation"])
    except (KeyError, TypeError, ValueError):
        raise InputError("run.json does not say how the cells lie (deployment); copy the run again, or run it again") from None
    return CellMap(
        cells=table["cell"].to_numpy(dtype=object),
        x_m=table["x_m"].to_numpy(dtype=np.float64),
        y_m=table["y_m"].to_numpy(dtype=np.float64),
        region=table["region"].to_numpy(dtype=object),
        spacing_m=spacing_m,
        orientation=orientation,
    )


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
