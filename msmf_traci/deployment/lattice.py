"""The hexagonal lattice of the paper: base stations in rings, and regions of cells in rings. Model, sections 1 and 2."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.deployment.cells import Cells

SQRT3 = float(np.sqrt(3.0))
OUTSIDE_AT_ONCE = 10_000
NEIGHBOUR_STEPS = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))


class HexCells(Cells):
    """A hexagonal deployment of base stations: `rings` rings of cells around a centre.

    Parameters
    ----------
    rings
        R; the deployment has 3 R (R + 1) + 1 cells.
    spacing_m
        D, the distance between neighbouring base stations.
    orientation
        `flat` or `pointy` cells.
    center_m
        x and y of the central base station.
    """

    def __init__(self, rings: int, spacing_m: float, orientation: str = "flat", center_m: tuple[float, float] = (0.0, 0.0)) -> None:
        self.rings = rings
        self.spacing_m = spacing_m
        self.orientation = orientation
        self.center_m = center_m
        side = 2 * rings + 1
        q, r = (grid.ravel() - rings for grid in np.divmod(np.arange(side * side), side))
        inside = np.abs(q + r) <= rings
        self.axial: IntArray = np.column_stack([q[inside], r[inside]]).astype(np.int64)
        self._index: IntArray = np.full((side, side), -1, dtype=np.int64)
        self._index[self.axial[:, 0] + rings, self.axial[:, 1] + rings] = np.arange(len(self.axial))
        self.x_m, self.y_m = self._position(self.axial[:, 0].astype(np.float64), self.axial[:, 1].astype(np.float64))
        self.neighbours: IntArray = np.column_stack(
            [self._lookup(self.axial[:, 0] + step_q, self.axial[:, 1] + step_r) for step_q, step_r in NEIGHBOUR_STEPS]
        )
        self.names = np.array([f"{q},{r}" for q, r in self.axial.tolist()], dtype=object)
        self._border: IntArray = np.flatnonzero((self.neighbours < 0).any(axis=1))

    @cached_property
    def polygons(self) -> NDArray[np.object_]:  # type: ignore[override]
        """Ground of each cell."""
        import shapely

        return np.asarray(shapely.polygons(hexagons(self.axial, self.spacing_m, self.orientation, self.center_m)), dtype=object)

    @property
    def facts(self) -> dict[str, Any]:
        """Rings, spacing, orientation and centre."""
        return {"rings": self.rings, "spacing_m": self.spacing_m, "orientation": self.orientation, "center_xy_m": list(self.center_m)}

    def regions(self, rings: int) -> tuple[IntArray, list[str]]:
        """Clusters of k = `rings` rings, 3 k^2 + 3 k + 1 cells, called by the lattice coordinates of their centres."""
        centers, region = np.unique(cluster_centers(self.axial, rings), axis=0, return_inverse=True)
        return region.reshape(-1).astype(np.int64), [f"{q},{r}" for q, r in centers.tolist()]

    @property
    def identity(self) -> str:
        """Rings, spacing, orientation and centre."""
        return f"{self.rings} {self.spacing_m!r} {self.orientation} {self.center_m!r}"

    @property
    def area_m2(self) -> float:
        """Area of the whole deployment: cells x sqrt(3)/2 D^2."""
        return len(self) * SQRT3 / 2 * self.spacing_m**2

    @property
    def extent_m(self) -> tuple[float, float]:
        """Width (x) and height (y) of the deployment, its cells included."""
        along = (2 * self.rings + 1) * self.spacing_m
        across = SQRT3 * self.spacing_m * self.rings + 2 / SQRT3 * self.spacing_m
        return (across, along) if self.orientation == "flat" else (along, across)

    def cell_of(self, x_m: FloatArray, y_m: FloatArray) -> tuple[IntArray, BoolArray]:
        """Cell of each point, by cube rounding; a point outside belongs to its nearest deployed cell."""
        u = (np.asarray(x_m, dtype=np.float64) - self.center_m[0]) / self.spacing_m
        v = (np.asarray(y_m, dtype=np.float64) - self.center_m[1]) / self.spacing_m
        cell = self._lookup(*_round_axial(*_fractional(u, v, self.orientation)))
        outside = cell < 0
        which = np.flatnonzero(outside)
        for some in np.array_split(which, len(which) // OUTSIDE_AT_ONCE + 1):  # in pieces, for the sake of memory
            dx = self.x_m[self._border] - np.asarray(x_m)[some, None]
            dy = self.y_m[self._border] - np.asarray(y_m)[some, None]
            cell[some] = self._border[np.argmin(dx**2 + dy**2, axis=1)]
        return cell, outside

    def _position(self, q: FloatArray, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        d = self.spacing_m
        if self.orientation == "flat":
            return self.center_m[0] + SQRT3 / 2 * d * q, self.center_m[1] + d * (r + q / 2)
        return self.center_m[0] + d * (q + r / 2), self.center_m[1] + SQRT3 / 2 * d * r

    def _lookup(self, q: IntArray, r: IntArray) -> IntArray:
        inside = (np.abs(q) <= self.rings) & (np.abs(r) <= self.rings)
        found: IntArray = np.full(q.shape, -1, dtype=np.int64)
        found[inside] = self._index[q[inside] + self.rings, r[inside] + self.rings]
        return found


def hex_distance(q: IntArray, r: IntArray) -> IntArray:
    """Hexagonal distance of axial coordinates from the origin."""
    return np.asarray((np.abs(q) + np.abs(r) + np.abs(q + r)) // 2, dtype=np.int64)


def hexagons(axial: IntArray, spacing_m: float, orientation: str, center_m: tuple[float, float]) -> FloatArray:
    """Corners of cells, counter-clockwise, shape (cells, 6, 2).

    Corners lie on a grid, and are made from their places on it: those that cells share have the same coordinates to the last bit.
    """
    along_m, across_m = spacing_m / (2 * SQRT3), spacing_m / 2
    q, r = axial[:, 0], axial[:, 1]
    middle = np.column_stack([3 * q, q + 2 * r] if orientation == "flat" else [2 * q + r, 3 * r])
    around = np.array([(2, 0), (1, 1), (-1, 1), (-2, 0), (-1, -1), (1, -1)])
    if orientation == "pointy":
        around = np.array([(1, 1), (0, 2), (-1, 1), (-1, -1), (0, -2), (1, -1)])
    grid_m = np.array([along_m, across_m] if orientation == "flat" else [across_m, along_m])
    return np.asarray(np.array(center_m) + (middle[:, None] + around) * grid_m, dtype=np.float64)


def rings_to_cover(width_m: float, height_m: float, spacing_m: float, orientation: str) -> int:
    """Fewest rings, at least one, whose deployment surely contains a rectangle around its centre.

    The border of R rings is a zigzag around a hexagon; its inner points lie sqrt(3)/2 R D + D / (2 sqrt(3)) from the centre, measured
    along the normals of the hexagon's sides.
    """
    first_deg = 0.0 if orientation == "flat" else 30.0
    farthest_m = 0.0
    for normal in np.radians(first_deg + np.array([0.0, 60.0, 120.0])):
        farthest_m = max(farthest_m, abs(np.cos(normal)) * width_m / 2 + abs(np.sin(normal)) * height_m / 2)
    return max(1, int(np.ceil((farthest_m - spacing_m / (2 * SQRT3)) / (SQRT3 / 2 * spacing_m))))


def cluster_centers(axial: IntArray, k: int) -> IntArray:
    """Centre of the k-ring cluster that holds each cell, shape (cells, 2).

    The clusters tile the lattice: their centres are the sublattice with basis (2k+1, -k), (k, k+1) (model, section 2). Each cell lies
    within k steps of exactly one centre, which is near its rounded-down coordinates in that basis.
    """
    basis = np.array([[2 * k + 1, -k], [k, k + 1]])
    size = 3 * k * k + 3 * k + 1
    q, r = axial[:, 0], axial[:, 1]
    along_1 = (q * (k + 1) - r * k) // size
    along_2 = (q * k + r * (2 * k + 1)) // size
    centers: IntArray = np.zeros_like(axial)
    for step_1 in (-1, 0, 1, 2):
        for step_2 in (-1, 0, 1, 2):
            candidate = (along_1 + step_1)[:, None] * basis[0] + (along_2 + step_2)[:, None] * basis[1]
            difference = axial - candidate
            near = hex_distance(difference[:, 0], difference[:, 1]) <= k
            centers[near] = candidate[near]
    return centers


def _fractional(u: FloatArray, v: FloatArray, orientation: str) -> tuple[FloatArray, FloatArray]:
    """Axial coordinates of points given in units of the spacing."""
    if orientation == "flat":
        q = u * 2 / SQRT3
        return q, v - q / 2
    r = v * 2 / SQRT3
    return u - r / 2, r


def _round_axial(q: FloatArray, r: FloatArray) -> tuple[IntArray, IntArray]:
    """Cube rounding: round q, r and s = -q - r, then mend the one that was rounded most."""
    s = -q - r
    rq, rr, rs = np.round(q), np.round(r), np.round(s)
    eq, er, es = np.abs(rq - q), np.abs(rr - r), np.abs(rs - s)
    mend_q = (eq > er) & (eq > es)
    mend_r = ~mend_q & (er > es)
    rq = np.where(mend_q, -rr - rs, rq)
    rr = np.where(mend_r, -rq - rs, rr)
    return rq.astype(np.int64), rr.astype(np.int64)
