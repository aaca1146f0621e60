"""Cells of base stations at any places: their Voronoi regions, within the outline of the deployment. Model, section 1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree, Voronoi

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.deployment.cells import Cells, StationData

_LEAST_BORDER_M = 1e-6  # what is shorter is one point, where more than three cells meet
_FAR = 10.0  # how far away, in sizes of the neighbourhood, help points bound the outer cells


@dataclass(frozen=True)
class Outline:
    """Where a deployment ends: at a polygon, or where no station is nearer than a radius.

    Attributes
    ----------
    polygon
        In metres; None: there is none.
    max_radius_m
        Distance from its station at which a cell ends; infinite: there is no such limit.
    """

    polygon: shapely.Polygon | shapely.MultiPolygon | None = None
    max_radius_m: float = np.inf


class SiteCells(Cells):
    """Cells of base stations at given places.

    Two cells are neighbours if they share a border in the neighbourhood of the sites and of the box `around_m`, whether that is inside
    the outline or not: from every cell a chain of neighbours leads to every other one.

    Parameters
    ----------
    x_m, y_m
        The sites, no two at one place, shape (cells,).
    names
        What they are called.
    outline
        Where the deployment ends.
    around_m
        Least and greatest x and y of what lines will be cut: left, bottom, right, top.
    stations
        What their file says of them.

    Attributes
    ----------
    counts
        What was read, left out and merged, by whoever knows.
    """

    def __init__(
        self,
        x_m: FloatArray,
        y_m: FloatArray,
        names: Sequence[str],
        outline: Outline,
        around_m: tuple[float, float, float, float],
        stations: StationData | None = None,
    ) -> None:
        self.stations = stations
        self.counts: dict[str, int] = {}
        self.x_m, self.y_m = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
        self.names = np.array(list(names), dtype=object)
        self.outline = outline
        self._tree = KDTree(np.column_stack([self.x_m, self.y_m]))
        left, bottom = min(around_m[0], self.x_m.min()), min(around_m[1], self.y_m.min())
        right, top = max(around_m[2], self.x_m.max()), max(around_m[3], self.y_m.max())
        box = shapely.box(left, bottom, right, top).buffer(1.0 + max(right - left, top - bottom), join_style="mitre")
        voronoi = _bounded_voronoi(self.x_m, self.y_m, box)
        self.neighbours = _neighbours(voronoi, len(self.x_m), box)
        self.polygons = self._polygons(voronoi, box)

    @property
    def facts(self) -> dict[str, Any]:
        """What was read, and where the deployment ends."""
        radius_m = self.outline.max_radius_m
        return {"sites": self.counts, "max_radius_m": radius_m if np.isfinite(radius_m) else None}

    @property
    def identity(self) -> str:
        """A hash of the sites and of the outline."""
        digest = hashlib.sha256(self.x_m.tobytes() + self.y_m.tobytes() + repr(list(self.names)).encode())
        digest.update(repr((shapely.to_wkb(self.outline.polygon), self.outline.max_radius_m)).encode())
        return digest.hexdigest()[:16]

    @property
    def area_m2(self) -> float:
        """Area of all cells."""
        return float(shapely.area(self.polygons).sum())

    @property
    def extent_m(self) -> tuple[float, float]:
        """Width (x) and height (y) of all cells."""
        left, bottom, right, top = shapely.total_bounds(self.polygons)
        return float(right - left), float(top - bottom)

    def cell_of(self, x_m: FloatArray, y_m: FloatArray) -> tuple[IntArray, BoolArray]:
        """Cell of each point: that of the nearest station, outside the outline too."""
        x_m, y_m = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
        away_m, cell = self._tree.query(np.column_stack([x_m, y_m]))
        outside = away_m > self.outline.max_radius_m
        if self.outline.polygon is not None:
            shapely.prepare(self.outline.polygon)
            outside = outside | ~shapely.intersects_xy(self.outline.polygon, x_m, y_m)
        return np.asarray(cell, dtype=np.int64), np.asarray(outside, dtype=bool)

    def _polygons(self, voronoi: Voronoi, box: shapely.Polygon) -> NDArray[np.object_]:
        """Voronoi regions within the neighbourhood, cut at the outline."""
        corners = [voronoi.regions[region] for region in voronoi.point_region[: len(self)]]
        found = _within(_convex(voronoi.vertices, corners), box)
        if np.isfinite(self.outline.max_radius_m):
            found = shapely.intersection(found, shapely.buffer(shapely.points(self.x_m, self.y_m), self.outline.max_radius_m, quad_segs=16))
        return found if self.outline.polygon is None else _within(found, self.outline.polygon)


def _convex(vertices: FloatArray, corners: Sequence[Sequence[int]]) -> NDArray[np.object_]:
    """Convex regions by the numbers of their corners, whatever their order."""
    region = np.repeat(np.arange(len(corners)), [len(each) for each in corners])
    places = vertices[np.concatenate(corners)]
    middle = np.column_stack([np.bincount(region, weights=each) for each in places.T]) / np.bincount(region)[:, None]
    towards = places - middle[region]
    order = np.lexsort((np.arctan2(towards[:, 1], towards[:, 0]), region))
    return np.asarray(shapely.polygons(shapely.linearrings(places[order], indices=region[order])), dtype=object)


def _within(shapes: NDArray[np.object_], area: shapely.Polygon | shapely.MultiPolygon) -> NDArray[np.object_]:
    """Shapes cut at an area; most lie wholly inside it, and are as they were."""
    shapely.prepare(area)
    cut = shapes.copy()
    crosses = ~shapely.contains(area, shapes)
    cut[crosses] = shapely.intersection(shapes[crosses], area)
    return cut


def _bounded_voronoi(x_m: FloatArray, y_m: FloatArray, box: shapely.Polygon) -> Voronoi:
    """The Voronoi diagram of the sites and of four help points, so far away that they change nothing in the box.

    With them the diagram exists for one site, for two, and for sites on one line, and every region has an end.
    """
    left, bottom, right, top = box.bounds
    x, y, far = (left + right) / 2, (bottom + top) / 2, _FAR * max(right - left, top - bottom)
    helps = np.array([[x - far, y], [x + far, y], [x, y - far], [x, y + far]])
    return Voronoi(np.concatenate([np.column_stack([x_m, y_m]), helps]))


def _neighbours(voronoi: Voronoi, cells: int, box: shapely.Polygon) -> IntArray:
    """Cells that share a border with each cell in the box, ascending, shape (cells, most neighbours); -1 where there are fewer."""
    pairs = voronoi.ridge_points
    ends = np.array([each if -1 not in each else (0, 0) for each in voronoi.ridge_vertices], dtype=np.int64)
    of_sites = (pairs < cells).all(axis=1)
    pairs, lines = pairs[of_sites], shapely.linestrings(voronoi.vertices[ends[of_sites]])
    shared = shapely.length(_within(lines, box)) > _LEAST_BORDER_M
    pairs = np.concatenate([pairs[shared], pairs[shared][:, ::-1]])
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    count = np.bincount(pairs[:, 0], minlength=cells)
    first = np.cumsum(count) - count
    found: IntArray = np.full((cells, max(1, int(count.max(initial=0)))), -1, dtype=np.int64)
    found[pairs[:, 0], np.arange(len(pairs)) - first[pairs[:, 0]]] = pairs[:, 1]
    return found
