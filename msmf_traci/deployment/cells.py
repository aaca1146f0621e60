"""Cells of base stations: a point belongs to the cell whose station is nearest, so that borders are bisectors. Model, section 1.

Nothing here knows of roads or servers. `lattice.py` has the cells of the paper.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Cuts:
    """Straight lines cut at the cell borders, in the order of the lines and along each line.

    Attributes
    ----------
    line
        Index of the line each piece belongs to, shape (pieces,).
    cell
        Cell of each piece.
    begin, end
        Where on its line a piece begins and ends, 0..1.
    """

    line: IntArray
    cell: IntArray
    begin: FloatArray
    end: FloatArray


@dataclass(frozen=True)
class StationData:
    """What a file says of base stations beside their places.

    Attributes
    ----------
    station
        Which station each entry is of, shape (entries,): one for each row that says something of a server.
    tier
        Tier of that server; empty: the lowest.
    own
        What the server has of its own, by the names of `OF_SERVERS`: containers and GB of images that it can hold, and its Mb/s; NaN: as
        its tier says.
    columns
        Other columns that were asked for, by their names, as text of each station.
    """

    station: IntArray
    tier: NDArray[np.object_]
    own: Mapping[str, FloatArray]
    columns: Mapping[str, NDArray[np.object_]]

    def of(self, which: BoolArray) -> StationData:
        """That of some stations."""
        return self.grouped(np.where(which, np.cumsum(which) - 1, -1), np.flatnonzero(which))

    def grouped(self, number: IntArray, first: IntArray) -> StationData:
        """That of groups of stations: the group of each (-1: none), and the station of each group whose columns it has."""
        group = number[self.station]
        kept = group >= 0
        columns = {name: values[first] for name, values in self.columns.items()}
        return StationData(group[kept], self.tier[kept], {name: values[kept] for name, values in self.own.items()}, columns)


class Cells(ABC):
    """Where base stations are, and the cell of each.

    Attributes
    ----------
    x_m, y_m
        Position of each station, shape (cells,).
    neighbours
        Cells that share a border with each cell, -1 where it has fewer, shape (cells, most neighbours).
    names
        Name of each cell in tables.
    polygons
        Ground of each cell, shapely polygons; corners that cells share have the same coordinates.
    stations
        What their file says of them; None where there is none.
    """

    x_m: FloatArray
    y_m: FloatArray
    neighbours: IntArray
    names: NDArray[np.object_]
    polygons: NDArray[np.object_]
    stations: StationData | None = None

    def __len__(self) -> int:
        return len(self.x_m)

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What run.json says of them."""

    def regions(self, rings: int) -> tuple[IntArray, list[str]]:
        """The region of k rings that each cell lies in, and what regions are called; only a lattice has rings."""
        raise NotImplementedError(f"these cells have no rings, of which {rings} are asked for")

    @property
    @abstractmethod
    def identity(self) -> str:
        """What tells these cells from those of other deployments."""

    @property
    @abstractmethod
    def area_m2(self) -> float:
        """Area of the whole deployment."""

    @property
    @abstractmethod
    def extent_m(self) -> tuple[float, float]:
        """Width (x) and height (y) of the deployment, its cells included."""

    @abstractmethod
    def cell_of(self, x_m: FloatArray, y_m: FloatArray) -> tuple[IntArray, BoolArray]:
        """Cell of each point; a point outside the deployment belongs to the cell whose station is nearest.

        Returns
        -------
        cell
            Index of the cell of each point.
        outside
            Whether the point lies outside the deployment.
        """

    def name(self, cell: int) -> str:
        """Name of a cell in tables."""
        return str(self.names[cell])

    def border_distance_m(self, x_m: FloatArray, y_m: FloatArray, cell: IntArray, other: IntArray) -> FloatArray:
        """Distance from points in `cell` to its border with `other` (model, section 6); negative beyond it."""
        to_other = (x_m - self.x_m[other]) ** 2 + (y_m - self.y_m[other]) ** 2
        to_own = (x_m - self.x_m[cell]) ** 2 + (y_m - self.y_m[cell]) ** 2
        apart = np.hypot(self.x_m[other] - self.x_m[cell], self.y_m[other] - self.y_m[cell])
        return np.asarray((to_other - to_own) / (2 * apart), dtype=np.float64)

    def cut(self, x0_m: FloatArray, y0_m: FloatArray, x1_m: FloatArray, y1_m: FloatArray) -> Cuts:
        """Cut straight lines at the cell borders.

        All lines walk from cell to cell at the same time: the next border is the nearest bisector with a neighbour that a line
        crosses outwards. Pieces of one line touch, the first begins at 0 and the last ends at 1.
        """
        dx, dy = x1_m - x0_m, y1_m - y0_m
        line: IntArray = np.arange(len(x0_m))
        cell, _ = self.cell_of(x0_m, y0_m)
        begin = np.zeros(len(line))
        parts: list[tuple[IntArray, IntArray, FloatArray, FloatArray]] = []
        while len(line):
            end, next_cell = self._next_border(x0_m[line], y0_m[line], dx[line], dy[line], cell, begin)
            keep = end > begin
            parts.append((line[keep], cell[keep], begin[keep], end[keep]))
            going = end < 1.0
            line, cell, begin = line[going], next_cell[going], end[going]
        if not parts:
            empty: IntArray = np.zeros(0, dtype=np.int64)
            return Cuts(empty, empty, np.zeros(0), np.zeros(0))
        lines, cells, begins, ends = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((ends, begins, lines))
        return Cuts(lines[order], cells[order], begins[order], ends[order])

    def _next_border(
        self, x: FloatArray, y: FloatArray, dx: FloatArray, dy: FloatArray, cell: IntArray, begin: FloatArray
    ) -> tuple[FloatArray, IntArray]:
        """Where each line leaves its cell (1 if it ends inside) and the cell it enters there."""
        other = self.neighbours[cell]
        towards_x = self.x_m[other] - self.x_m[cell][:, None]
        towards_y = self.y_m[other] - self.y_m[cell][:, None]
        outward = dx[:, None] * towards_x + dy[:, None] * towards_y
        middle_x = (self.x_m[other] + self.x_m[cell][:, None]) / 2 - x[:, None]
        middle_y = (self.y_m[other] + self.y_m[cell][:, None]) / 2 - y[:, None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            at = (middle_x * towards_x + middle_y * towards_y) / outward
        at = np.where((other >= 0) & (outward > 0), at, np.inf)
        which = np.argmin(at, axis=1)
        rows = np.arange(len(cell))
        end: FloatArray = np.clip(at[rows, which], begin, 1.0)
        return end, other[rows, which]
