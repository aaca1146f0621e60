"""Our matcher as it is compared: with all positions known, or while they come in."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.mobility.matching.matcher import Matched, Matcher, MatchingOptions, Tracker
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.mobility.matching.route_search import NO_WAY, is_reached, search_ways
from msmf_traci.roads.roads import Roads

from .measuring import Measured
from .scores import Answer, Pieces, joined, pieces_of_route

LANES_M = 2.0  # vehicles drive so far beside the centre line of their road, root mean square
MOST_MPS = 40.0  # who seems to have driven faster has not: the road that was decided before was another one


def sigma_across(sigma_m: float) -> float:
    """Standard deviation of positions around the centre line: noise, and lanes."""
    return float(np.hypot(sigma_m, LANES_M))


class Compared(Protocol):
    """A matcher that can be scored."""

    name: str

    def match(self, measured: Measured) -> object:
        """Match one journey: this is timed."""
        ...

    def answer(self, measured: Measured, found: object) -> Answer:
        """What it found, as it is scored: this is not timed."""
        ...


class Ours:
    """Our matcher.

    Parameters
    ----------
    roads, index
        The map.
    sigma_m
        Standard deviation of the noise.
    lag_s
        Positions are decided so late; infinite: when all are known.
    """

    def __init__(self, roads: Roads, index: RoadIndex, sigma_m: float, lag_s: float) -> None:
        self.name = "ours, whole trace" if np.isinf(lag_s) else f"ours, lag {lag_s:g} s"
        self.lag_s = lag_s
        self.matcher = Matcher(roads, index, MatchingOptions(sigma_across(sigma_m), lag_s))

    def match(self, measured: Measured) -> Matched:
        """Match one journey."""
        return self.matcher.match(measured.truth.time_s, measured.x_m, measured.y_m)

    def answer(self, measured: Measured, found: object) -> Answer:
        """The places as they were decided; the way through them, or with all positions known the whole way."""
        assert isinstance(found, Matched) and len(found.decided.edge) == len(measured.x_m)
        edge, position_m = found.decided.edge, found.decided.position_m
        if np.isinf(self.lag_s):
            way = self.whole_way(found)
            return Answer(edge, position_m, way, way)
        return Answer(edge, position_m, *self.ways_through(measured.truth.time_s, edge, position_m))

    def whole_way(self, found: Matched) -> Pieces:
        """The way as it is known in the end, stretch by stretch where it is on roads."""
        is_on = np.concatenate([[False], found.route_index >= 0, [False]])
        begins, ends = np.flatnonzero(np.diff(is_on.astype(np.int64)) > 0), np.flatnonzero(np.diff(is_on.astype(np.int64)) < 0) - 1
        places = [(int(index), float(along_m)) for index, along_m in zip(found.route_index, found.route_m, strict=True)]
        length_m = self.matcher.graph.length_m
        return joined(*(pieces_of_route(found.route, length_m, places[b], places[e]) for b, e in zip(begins, ends, strict=True)))

    def ways_through(self, time_s: FloatArray, edge: IntArray, position_m: FloatArray) -> tuple[Pieces, Pieces]:
        """Decided places, each joined to the next by the cheapest way where it can have been driven; and the same at any length.

        A place that is behind the one before it, by no more than noise explains, is no reason to drive around the block.
        """
        steps = [self._step(int(edge[k - 1]), float(position_m[k - 1]), int(edge[k]), float(position_m[k])) for k in range(1, len(edge))]
        slack_m = self.matcher.noise.back_m
        most_m = MOST_MPS * np.diff(time_s) + slack_m
        driven = [step for step, bound_m in zip(steps, most_m, strict=True) if (step.to_m - step.from_m).sum() <= bound_m]
        return joined(*driven), joined(*steps)

    def _step(self, at: int, at_m: float, to: int, to_m: float) -> Pieces:
        """The cheapest way from one place to another; none where one of the two is on no road."""
        graph, search, back_m = self.matcher.graph, self.matcher.search, self.matcher.noise.back_m
        if at < 0 or to < 0:
            return _pieces([])
        if at == to and to_m > at_m - back_m:
            return _pieces([(at, min(at_m, to_m), max(at_m, to_m))])
        if at != to:
            search_ways(graph, search, to, back_m, np.array([at]))
            if is_reached(search, at) and graph.length_m[to] - to_m + search.way_m[at] + at_m < back_m:
                return _pieces([])
        search_ways(graph, search, at, np.inf, np.array([to]))
        if not is_reached(search, to):
            return _pieces([])
        pieces = [(at, at_m, float(graph.length_m[at])), (to, 0.0, to_m)]
        between = int(search.before[to])
        while between not in (NO_WAY, to):
            pieces.append((between, 0.0, float(graph.length_m[between])))
            between = int(search.before[between])
        return _pieces(pieces)

    def delays_s(self, measured: Measured) -> FloatArray:
        """From measurement to decision of each position, while positions come in one by one; the last come as the trace ends."""
        time_s = measured.truth.time_s
        tracker = Tracker(self.matcher)
        decided_s = np.full(len(time_s), time_s[-1])
        done = 0
        for k in range(len(time_s)):
            new = len(tracker.feed(*(column[k : k + 1] for column in (time_s, measured.x_m, measured.y_m))).edge)
            decided_s[done : done + new] = time_s[k]
            done += new
        return np.asarray(decided_s - time_s)


def _pieces(pieces: list[tuple[int, float, float]]) -> Pieces:
    columns = np.array(pieces, dtype=np.float64).reshape(-1, 3)
    return Pieces(columns[:, 0].astype(np.int64), columns[:, 1], columns[:, 2])
