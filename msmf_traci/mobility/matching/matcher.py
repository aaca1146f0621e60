"""The matcher: positions in, roads out, while they come in or for a whole trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.mobility.matching.decoding import Columns, Noise, best_state, common_state, extend_ways
from msmf_traci.mobility.matching.following import Places, decide, lay_route, place_between, places_on_route, room_for_places, trace_back
from msmf_traci.mobility.matching.placing import MEMORY_S
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.mobility.matching.route_search import graph_of, new_search
from msmf_traci.roads.roads import Roads

BETA_IN_SIGMA = 2.0
BACK_IN_SIGMA = 6.0
OFF_ROAD_IN_SIGMA = 4.0
LEAST_OFF_ROAD_M = 50.0
MOST_CANDIDATES = 16
AT_ONCE = 4_096  # positions that are taken in together
MOST_OPEN = 512  # columns that may be kept before the ways are asked what they have in common
NEAR_ON_ROUTE = 8  # edges by which smoothing moves a place at most


@dataclass(frozen=True)
class MatchingOptions:
    """How positions are matched.

    Attributes
    ----------
    sigma_m
        Standard deviation of positions, across the road.
    lag_s
        A position is decided this long after it was measured; infinite: when the whole trace is known.
    beta_m
        Mean difference between way and beeline; None: twice sigma.
    off_road_m
        Who is farther from the roads than this for some time is off them; None: four times sigma, at least 50 m.
    drives
        Whether main roads are preferred, as who drives does.
    """

    sigma_m: float
    lag_s: float
    beta_m: float | None = None
    off_road_m: float | None = None
    drives: bool = True


@dataclass(frozen=True)
class Matched:
    """A trace on the map; arrays over its positions, shape (n,), and over the edges of its way.

    Attributes
    ----------
    decided
        Each place as it was decided when the lag was over; with an infinite lag as in the end.
    route
        Edges of the whole way as it is known in the end, one after another; where the trace leaves the roads the next may be elsewhere.
    route_index, route_m
        Index on this way of each position (-1 off the roads), and how far along that edge; neither goes back.
    """

    decided: Places
    route: IntArray
    route_index: IntArray
    route_m: FloatArray


class Matcher:
    """Matches traces to a map.

    Parameters
    ----------
    roads
        The map.
    index
        Its roads in an R-tree.
    options
        How.
    """

    def __init__(self, roads: Roads, index: RoadIndex, options: MatchingOptions) -> None:
        sigma_m = options.sigma_m
        beta_m = BETA_IN_SIGMA * sigma_m if options.beta_m is None else options.beta_m
        least_m = max(OFF_ROAD_IN_SIGMA * sigma_m, LEAST_OFF_ROAD_M)
        self.off_road_m = least_m if options.off_road_m is None else options.off_road_m
        self.index = index
        self.options = options
        self.noise = Noise(sigma_m, beta_m, 0.5 * (self.off_road_m / sigma_m) ** 2, BACK_IN_SIGMA * sigma_m)
        self.graph = graph_of(roads, beta_m, prefers_main_roads=options.drives)
        self.search = new_search(self.graph)

    def match(self, time_s: FloatArray, x_m: FloatArray, y_m: FloatArray) -> Matched:
        """A whole trace; what is decided with a lag does not know more than the lag allows.

        Parameters
        ----------
        time_s
            Strictly rising, shape (n,).
        x_m, y_m
            Positions on the map, shape (n,).
        """
        tracker = Tracker(self)
        for begin in range(0, len(time_s), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            tracker.feed(time_s[part], x_m[part], y_m[part])
        return tracker.finish()


class Tracker:
    """Matches one trace while its positions come in.

    Parameters
    ----------
    matcher
        The map and how to match.
    """

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._columns: Columns | None = None
        self._newest = 0  # the first column by which nothing has been decided
        self._done = 0  # columns decided with the lag
        self._final = 0  # columns whose way is final
        self._decided = room_for_places(0)
        self._whole = room_for_places(0)
        self._decided_parts: list[Places] = []
        self._whole_parts: list[Places] = []
        self._route: list[IntArray] = []
        self._laid = 0
        self._index: list[IntArray] = []

    def feed(self, time_s: FloatArray, x_m: FloatArray, y_m: FloatArray) -> Places:
        """Take in positions, later than those before; returns the places that are decided by them.

        Parameters
        ----------
        time_s, x_m, y_m
            Shape (n,); n may be 1, or 0.
        """
        if not len(time_s):
            return room_for_places(0)
        self._take_in(time_s, x_m, y_m)
        decided = self._decide(is_end=False)
        if self._columns is not None and len(self._columns.time_s) > MOST_OPEN:
            self._settle(is_end=False)
        self._forget()
        return decided

    def finish(self) -> Matched:
        """No more positions come: decide the rest."""
        self._decide(is_end=True)
        self._settle(is_end=True)
        whole, route = _joined(self._whole_parts), np.concatenate([*self._route, np.zeros(0, dtype=np.int64)])
        index = np.concatenate([*self._index, np.zeros(0, dtype=np.int64)])
        at, along_m = places_on_route(route, index, whole, self._matcher.graph.length_m, NEAR_ON_ROUTE)
        decided = whole if np.isinf(self._matcher.options.lag_s) else _joined(self._decided_parts)
        return Matched(decided, route, at, along_m)

    def _take_in(self, time_s: FloatArray, x_m: FloatArray, y_m: FloatArray) -> None:
        matcher, n = self._matcher, len(time_s)
        found = matcher.index.candidates(x_m, y_m, matcher.off_road_m, MOST_CANDIDATES)
        places = len(found.edge)
        new = Columns(
            time_s=np.asarray(time_s, dtype=np.float64),
            x_m=np.asarray(x_m, dtype=np.float64),
            y_m=np.asarray(y_m, dtype=np.float64),
            start=found.start,
            edge=found.edge,
            position_m=found.position_m,
            distance_m=found.distance_m,
            cost=np.zeros(places),
            back=np.zeros(places, dtype=np.int64),
            way_m=np.zeros(places),
            off_cost=np.zeros(n),
            off_back=np.zeros(n, dtype=np.int64),
        )
        before = 0 if self._columns is None else len(self._columns.time_s)
        self._columns = new if self._columns is None else self._columns.followed_by(new)
        extend_ways(self._columns, before, matcher.noise, matcher.graph, matcher.search)
        self._decided, self._whole = (_joined([places, room_for_places(n)]) for places in (self._decided, self._whole))

    def _decide(self, *, is_end: bool) -> Places:
        lag_s, m, before = self._matcher.options.lag_s, self._matcher, self._done
        if self._columns is None or np.isinf(lag_s):
            return room_for_places(0)
        last = len(self._columns.time_s)
        self._done = decide(self._columns, self._newest, before, is_end, lag_s, m.noise.sigma_m, m.graph, m.search, self._decided)
        self._newest = last if is_end else last - 1
        new = _part(self._decided, before, self._done)
        self._decided_parts.append(new)
        return new

    def _settle(self, *, is_end: bool) -> None:
        """Lay the way as far as it is final."""
        columns, m = self._columns, self._matcher
        if columns is None:
            return
        last = len(columns.time_s) - 1
        last, state = (last, best_state(columns, last)) if is_end else common_state(columns)
        # smoothing looks ahead
        end = last + 1 if is_end else int(np.searchsorted(columns.time_s[: last + 1], columns.time_s[last] - MEMORY_S))
        if last < 0 or end <= self._final:
            return
        states, chain = trace_back(columns, last, state, 0)
        place_between(chain, states, columns, 0, self._final, end, m.noise.sigma_m, m.graph, m.search, self._whole)
        edges, index = lay_route(chain, states, self._final, end, m.graph, m.search, self._laid)
        self._whole_parts.append(_part(self._whole, self._final, end))
        self._route.append(edges)
        self._index.append(index)
        self._laid += len(edges)
        self._final = end

    def _forget(self) -> None:
        """Drop the columns that nothing more is asked of."""
        columns = self._columns
        if columns is None:
            return
        needed = self._final if np.isinf(self._matcher.options.lag_s) else min(self._final, self._done)
        keep = int(np.searchsorted(columns.time_s, columns.time_s[min(needed, len(columns.time_s) - 1)] - MEMORY_S))
        keep = min(keep, max(needed - 1, 0))
        if keep > 0:
            self._columns = columns.since(keep)
            self._newest, self._final = self._newest - keep, self._final - keep
            self._done = max(self._done - keep, 0)
            self._decided, self._whole = (_part(places, keep, len(places.edge)) for places in (self._decided, self._whole))


def _joined(parts: list[Places]) -> Places:
    """Places, one part after another."""
    return Places(**{name: np.concatenate([getattr(part, name) for part in [room_for_places(0), *parts]]) for name in Places._fields})


def _part(places: Places, begin: int, end: int) -> Places:
    return Places(**{name: getattr(places, name)[begin:end] for name in Places._fields})
