"""The roads as a matcher takes them: their pieces in an R-tree, what lies within reach of a point, and how roads are joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.roads.roads import Roads


@dataclass(frozen=True)
class Candidates:
    """Places on roads near each of some points, nearest first; places of point k are `start[k]` to `start[k + 1]`.

    Attributes
    ----------
    start
        Shape (points + 1,).
    edge
        Road edge of each place, shape (places,).
    position_m
        Driven distance from the begin of the edge.
    distance_m
        From the point to the place.
    """

    start: IntArray
    edge: IntArray
    position_m: FloatArray
    distance_m: FloatArray


class RoadIndex:
    """Centre lines in an R-tree of their straight pieces.

    Parameters
    ----------
    roads
        The map.
    """

    def __init__(self, roads: Roads) -> None:
        x_m, y_m = roads.line_x_m, roads.line_y_m
        is_inner = np.ones(max(len(x_m) - 1, 0), dtype=np.bool_)
        is_inner[roads.line_start[1:-1] - 1] = False
        begin = np.flatnonzero(is_inner)
        self._ends = np.column_stack([x_m[begin], y_m[begin], x_m[begin + 1], y_m[begin + 1]])
        self._edge = np.searchsorted(roads.line_start, begin, side="right") - 1
        along_m = np.concatenate([[0.0], np.cumsum(np.where(is_inner, np.hypot(np.diff(x_m), np.diff(y_m)), 0.0))])
        drawn_m = along_m[roads.line_start[1:] - 1] - along_m[roads.line_start[:-1]]
        scale = np.divide(roads.length_m, drawn_m, out=np.ones(len(roads)), where=drawn_m > 0)
        self._before_m = (along_m[begin] - along_m[roads.line_start[self._edge]]) * scale[self._edge]
        self._scale = scale[self._edge]
        source = np.repeat(np.arange(len(roads)), np.diff(roads.follower_start))
        last, head = roads.line_start[source + 1] - 1, roads.line_start[roads.follower]
        across = np.column_stack([x_m[last], y_m[last], x_m[head], y_m[head]])[~roads.turnaround]
        self._ends = np.concatenate([self._ends, across])
        self._edge = np.concatenate([self._edge, source[~roads.turnaround]])
        self._before_m = np.concatenate([self._before_m, roads.length_m[source[~roads.turnaround]]])
        self._scale = np.concatenate([self._scale, np.ones(len(across))])
        self._tree = shapely.STRtree(shapely.linestrings(self._ends.reshape(-1, 2, 2)))

    def candidates(self, x_m: FloatArray, y_m: FloatArray, radius_m: float, most: int) -> Candidates:
        """The nearest place on every road within reach of each point.

        Parameters
        ----------
        x_m, y_m
            Points, shape (n,).
        radius_m
            How far away a road may be.
        most
            So many roads at most, the nearest ones.
        """
        boxes = shapely.box(x_m - radius_m, y_m - radius_m, x_m + radius_m, y_m + radius_m)
        point, piece = self._tree.query(boxes)
        first = np.searchsorted(point, np.arange(len(x_m) + 1))
        start, edge = np.zeros(len(x_m) + 1, dtype=np.int64), np.empty(len(piece), dtype=np.int64)
        position_m, distance_m = np.empty(len(piece)), np.empty(len(piece))
        found = _nearest(
            *(x_m, y_m, first, piece, self._ends, self._edge, self._before_m, self._scale, radius_m, most),
            *(start, edge, position_m, distance_m),
        )
        return Candidates(start, edge[:found].copy(), position_m[:found].copy(), distance_m[:found].copy())


@compiled
def _nearest(
    x_m: FloatArray,
    y_m: FloatArray,
    first: IntArray,
    piece: IntArray,
    ends: FloatArray,
    edge_of: IntArray,
    before_m: FloatArray,
    scale: FloatArray,
    radius_m: float,
    most: int,
    start: IntArray,
    edge: IntArray,
    position_m: FloatArray,
    distance_m: FloatArray,
) -> int:
    """Fill in the nearest place on each road, nearest road first; returns how many there are."""
    n = 0
    for k in range(len(x_m)):
        begin = n
        for i in range(first[k], first[k + 1]):
            p = piece[i]
            ax, ay = ends[p, 0], ends[p, 1]
            dx, dy = ends[p, 2] - ax, ends[p, 3] - ay
            length2 = dx * dx + dy * dy
            along = 0.0 if length2 == 0 else min(max(((x_m[k] - ax) * dx + (y_m[k] - ay) * dy) / length2, 0.0), 1.0)
            away_m = np.hypot(x_m[k] - ax - along * dx, y_m[k] - ay - along * dy)
            if away_m > radius_m:
                continue
            at = begin
            while at < n and edge[at] != edge_of[p]:
                at += 1
            if at < n and distance_m[at] <= away_m:
                continue
            if at == n:
                n += 1
            # nearer places stand before it
            while at > begin and distance_m[at - 1] > away_m:
                edge[at], position_m[at], distance_m[at] = edge[at - 1], position_m[at - 1], distance_m[at - 1]
                at -= 1
            edge[at], distance_m[at] = edge_of[p], away_m
            position_m[at] = before_m[p] + along * np.sqrt(length2) * scale[p]
        n = min(n, begin + most)
        start[k + 1] = n
    return n
