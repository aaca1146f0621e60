"""Roads as thin lines for a picture: parsed from their table, both directions drawn once, needless points left out."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.reporting.run_tables import TEXT, read_whole

# ends of the two directions of a street lie this near to each other, their lengths differ by no more than this share
SAME_PLACE_M = 15.0
SAME_LENGTH = 0.2
# a point nearer than this to the line without it is left out
TOLERANCE_M = 1.5
_RANKS = (("motorway", 0), ("trunk", 0), ("primary", 1), ("secondary", 1), ("tertiary", 2))
OTHER_RANK = 3


@dataclass(frozen=True)
class RoadLines:
    """Lines of roads.

    Attributes
    ----------
    first
        Points of line k are `first[k]` to `first[k + 1]`, shape (lines + 1,).
    xy_m
        Points, shape (points, 2).
    rank
        How important each road is, from 0 (motorways) to 3, shape (lines,).
    """

    first: IntArray
    xy_m: FloatArray
    rank: IntArray

    def chosen(self, keep: BoolArray) -> RoadLines:
        """Some of the lines."""
        counts = np.diff(self.first)
        points = np.repeat(keep, counts)
        return RoadLines(_starts(counts[keep]), self.xy_m[points], self.rank[keep])


@dataclass(frozen=True)
class Roads:
    """The table of roads.

    Attributes
    ----------
    edges, names
        Id and street's name of each edge.
    lines
        One line an edge.
    """

    edges: NDArray[np.object_]
    names: NDArray[np.object_]
    lines: RoadLines


def read_roads(folder: Path) -> Roads:
    """Read the roads of a map folder.

    Raises
    ------
    InputError
        If the table is missing or damaged.
    """
    table = read_whole(folder, "roads", {"edge": TEXT, "class": TEXT, "name": TEXT, "line": TEXT})
    if not len(table):
        raise InputError(f"{folder}: table roads has no rows; copy the map folder again")
    ranks = {name: _rank(name) for name in table["class"].unique()}
    first, xy_m = _parse(table["line"].to_list(), folder)
    lines = RoadLines(first, xy_m, table["class"].map(ranks).to_numpy(dtype=np.int64))
    return Roads(table["edge"].to_numpy(dtype=object), table["name"].to_numpy(dtype=object), lines)


def thinned(lines: RoadLines, tolerance_m: float = TOLERANCE_M) -> RoadLines:
    """What of the lines is worth drawing: one direction of each street, without needless points."""
    return _simplified(lines.chosen(~_is_way_back(lines)), tolerance_m)


def _rank(road_class: str) -> int:
    return next((rank for word, rank in _RANKS if word in road_class), OTHER_RANK)


def _parse(lines: list[str], folder: Path) -> tuple[IntArray, FloatArray]:
    """Points of lines of well-known text."""
    bodies = [line[len("LINESTRING (") : -1] for line in lines]
    counts = np.array([body.count(",") + 1 for body in bodies], dtype=np.int64)
    words = " ".join(bodies).replace(",", " ").split()
    try:
        numbers = np.array(words, dtype=np.float64)
    except ValueError:
        numbers = np.zeros(0)
    is_sound = len(numbers) == 2 * counts.sum() and np.isfinite(numbers).all() and (counts > 0).all()
    if not is_sound or not all(line.startswith("LINESTRING (") and line.endswith(")") for line in lines):
        raise InputError(f"{folder / 'roads.csv'} is damaged: a line is no LINESTRING of points; copy the map folder again")
    return _starts(counts), numbers.reshape(-1, 2)


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


def _is_way_back(lines: RoadLines) -> BoolArray:
    """Which lines run back along an earlier one: their ends lie near that line's ends, the other way round, and they are about as long.

    Points less than SAME_PLACE_M apart in both coordinates share a square of twice that size, on the plain grid of squares or on the one
    shifted by half a square in x, in y or in both; so grids of all shifts are looked at, for both ends.
    """
    begin, end = lines.xy_m[lines.first[:-1]], lines.xy_m[lines.first[1:] - 1]
    length_m = _lengths_m(lines)
    drop = np.zeros(len(length_m), dtype=np.bool_)
    for shift in itertools.product((0.0, 0.5), repeat=4):
        there = np.floor(np.column_stack([begin, end]) / (2 * SAME_PLACE_M) + np.array(shift)).astype(np.int64)
        back = np.floor(np.column_stack([end, begin]) / (2 * SAME_PLACE_M) + np.array(shift)).astype(np.int64)
        square = np.unique(np.concatenate([there, back]), axis=0, return_inverse=True)[1].reshape(-1)
        key_there, key_back = square[: len(there)], square[len(there) :]
        # of lines with the same squares, the earliest stands for all
        keys, first = np.unique(key_there, return_index=True)
        at = np.minimum(np.searchsorted(keys, key_back), len(keys) - 1)
        other = first[at]
        alike = np.abs(length_m[other] - length_m) <= SAME_LENGTH * np.maximum(length_m, SAME_PLACE_M)
        drop |= (keys[at] == key_back) & (other < np.arange(len(drop))) & alike
    return drop


def _lengths_m(lines: RoadLines) -> FloatArray:
    steps = np.append(np.hypot(*np.diff(lines.xy_m, axis=0).T), 0.0)
    steps[lines.first[1:] - 1] = 0.0  # from one line to the next
    return np.asarray(np.add.reduceat(steps, lines.first[:-1]), dtype=np.float64)


def _simplified(lines: RoadLines, tolerance_m: float) -> RoadLines:
    """Douglas and Peucker's lines, all at once: every span is split at its farthest point until none is farther than the tolerance."""
    keep = np.zeros(len(lines.xy_m), dtype=np.bool_)
    keep[lines.first[:-1]] = keep[lines.first[1:] - 1] = True
    begin, end = lines.first[:-1], lines.first[1:] - 1
    while len(begin):
        begin, end = begin[end - begin > 1], end[end - begin > 1]
        if not len(begin):
            break
        farthest, distance_m = _farthest(lines.xy_m, begin, end)
        split = distance_m > tolerance_m
        begin, end, middle = begin[split], end[split], farthest[split]
        keep[middle] = True
        begin, end = np.concatenate([begin, middle]), np.concatenate([middle, end])
    line_of = np.repeat(np.arange(len(lines.rank)), np.diff(lines.first))
    counts = np.bincount(line_of[keep], minlength=len(lines.rank))
    return RoadLines(_starts(counts.astype(np.int64)), lines.xy_m[keep], lines.rank)


def _farthest(xy_m: FloatArray, begin: IntArray, end: IntArray) -> tuple[IntArray, FloatArray]:
    """The inner point of each span farthest from the straight line between its ends, and its distance."""
    counts = end - begin - 1
    starts = _starts(counts)[:-1]
    span = np.repeat(np.arange(len(begin)), counts)
    point = np.arange(counts.sum()) - starts[span] + begin[span] + 1
    along = xy_m[end] - xy_m[begin]
    length_m = np.hypot(along[:, 0], along[:, 1])
    to_point = xy_m[point] - xy_m[begin[span]]
    share = np.clip((to_point * along[span]).sum(axis=1) / np.maximum(length_m[span] ** 2, 1e-12), 0.0, 1.0)
    distance_m = np.hypot(*(to_point - share[:, None] * along[span]).T)
    farthest_m = np.maximum.reduceat(distance_m, starts)
    # the first of the points as far as that
    is_farthest = np.flatnonzero(distance_m == farthest_m[span])
    _, first = np.unique(span[is_farthest], return_index=True)
    return point[is_farthest[first]], farthest_m
