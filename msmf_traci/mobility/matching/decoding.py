"""A hidden Markov model of the road that each position was measured on, decoded while positions come in.

P. Newson, J. Krumm: Hidden Markov map matching through noise and sparseness, ACM GIS 2009: a place on a road is as likely as its distance
is under Gaussian noise, and the way between two places as it is close to the beeline between the positions. C. Goh et al.: Online
map-matching based on hidden Markov model for real-time traffic sensing applications, IEEE ITSC 2012: what all likely ways have in common
is final, and a position is decided with a lag. One state more stands for no road at all; turns cost something (`route_search`).
docs/map-matching.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.mobility.matching.route_search import RoadGraph, Search, is_reached, search_ways

OFF_ROAD = -1
BEGIN = -2  # the state before the first one
SWITCH_COST = 10.0  # of leaving the roads, and of coming back to them
LIKELY_COST = 60.0  # a place that costs so much more than the best one is not gone on from
WAY_COST = 30.0  # no way is looked for that costs more


class Noise(NamedTuple):
    """What positions and ways look like: costs are minus the logarithms of likelihoods.

    Attributes
    ----------
    sigma_m
        Standard deviation of a position, across the road.
    beta_m
        Mean difference between way and beeline.
    off_road_cost
        Of a position off the roads.
    back_m
        Noise may put a vehicle so far back on its road.
    """

    sigma_m: float
    beta_m: float
    off_road_cost: float
    back_m: float


class Columns(NamedTuple):
    """Positions with their candidate places: a column each; places of column k are `start[k]` to `start[k + 1]`.

    Attributes
    ----------
    time_s, x_m, y_m
        Positions, shape (columns,).
    start
        Shape (columns + 1,).
    edge, position_m, distance_m
        Candidate places, shape (places,).
    cost
        Of the best way to each place.
    back, way_m
        Which place of the column before the best way comes from (OFF_ROAD, BEGIN), and how long it is from there.
    off_cost, off_back
        The same of being off the roads, shape (columns,).
    """

    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    start: IntArray
    edge: IntArray
    position_m: FloatArray
    distance_m: FloatArray
    cost: FloatArray
    back: IntArray
    way_m: FloatArray
    off_cost: FloatArray
    off_back: IntArray

    def since(self, first: int) -> Columns:
        """The columns from `first` on."""
        places = int(self.start[first])
        by_column = {name: getattr(self, name)[first:] for name in ("time_s", "x_m", "y_m", "off_cost", "off_back")}
        by_place = {name: getattr(self, name)[places:] for name in ("edge", "position_m", "distance_m", "cost", "back", "way_m")}
        return Columns(start=self.start[first:] - places, **by_column, **by_place)

    def followed_by(self, other: Columns) -> Columns:
        """These columns, and others after them."""
        start = np.concatenate([self.start, other.start[1:] + self.start[-1]])
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in self._fields if name != "start"}
        return Columns(start=start, **both)


@compiled
def extend_ways(columns: Columns, first: int, noise: Noise, graph: RoadGraph, search: Search) -> None:
    """Find the best way to every place of the columns from `first` on: the algorithm of Viterbi."""
    for k in range(first, len(columns.time_s)):
        begin, end = columns.start[k], columns.start[k + 1]
        if k == 0:
            columns.back[begin:end], columns.way_m[begin:end], columns.cost[begin:end] = BEGIN, 0.0, 0.0
            columns.off_back[k], columns.off_cost[k] = BEGIN, 0.0
        else:
            _from_off_road(columns, k)
            _from_roads(columns, k, noise, graph, search)
        for j in range(begin, end):
            columns.cost[j] += 0.5 * (columns.distance_m[j] / noise.sigma_m) ** 2
        columns.off_cost[k] += noise.off_road_cost


@compiled
def _from_off_road(columns: Columns, k: int) -> None:
    """What leaving the roads and coming back to them costs in column k."""
    before = columns.start[k - 1]
    columns.off_cost[k], columns.off_back[k] = columns.off_cost[k - 1], OFF_ROAD
    for i in range(before, columns.start[k]):
        if columns.cost[i] + SWITCH_COST < columns.off_cost[k]:
            columns.off_cost[k], columns.off_back[k] = columns.cost[i] + SWITCH_COST, i - before
    for j in range(columns.start[k], columns.start[k + 1]):
        columns.cost[j], columns.back[j], columns.way_m[j] = columns.off_cost[k - 1] + SWITCH_COST, OFF_ROAD, 0.0


@compiled
def _from_roads(columns: Columns, k: int, noise: Noise, graph: RoadGraph, search: Search) -> None:
    """What the ways along roads cost to the places of column k."""
    before, begin, end = columns.start[k - 1], columns.start[k], columns.start[k + 1]
    beeline_m = np.hypot(columns.x_m[k] - columns.x_m[k - 1], columns.y_m[k] - columns.y_m[k - 1])
    least = columns.off_cost[k - 1]
    for i in range(before, begin):
        least = min(least, columns.cost[i])
    for i in range(before, begin):
        if columns.cost[i] > least + LIKELY_COST:
            continue
        at = columns.edge[i]
        rest_m = graph.length_m[at] - columns.position_m[i]
        has_searched = False
        for j in range(begin, end):
            to, extra_m = columns.edge[j], 0.0
            if to == at and columns.position_m[j] > columns.position_m[i] - noise.back_m:
                way_m = columns.position_m[j] - columns.position_m[i]
            else:
                if not has_searched:
                    bound_m = beeline_m + WAY_COST * noise.beta_m - rest_m
                    search_ways(graph, search, at, bound_m, columns.edge[begin:end])
                    has_searched = True
                if not is_reached(search, to):
                    continue
                way_m = rest_m + search.way_m[to] + columns.position_m[j]
                extra_m = search.cost_m[to] - search.way_m[to]
            cost = columns.cost[i] + (abs(way_m - beeline_m) + extra_m) / noise.beta_m
            if cost < columns.cost[j]:
                columns.cost[j], columns.back[j], columns.way_m[j] = cost, i - before, way_m


@compiled
def best_state(columns: Columns, k: int) -> int:
    """The likeliest state of column k, as it looks from there."""
    best, state = columns.off_cost[k], OFF_ROAD
    for i in range(columns.start[k], columns.start[k + 1]):
        if columns.cost[i] < best:
            best, state = columns.cost[i], i - columns.start[k]
    return state


@compiled
def state_before(columns: Columns, k: int, state: int) -> int:
    """The state of the column before on the best way to a state of column k."""
    if state == OFF_ROAD:
        return int(columns.off_back[k])
    return int(columns.back[columns.start[k] + state])


@compiled
def common_state(columns: Columns) -> tuple[int, int]:
    """The last column in which the best ways to all states of the last one agree, and the state; -1, -1 where there is none."""
    last = len(columns.time_s) - 1
    widest = 1
    for k in range(last + 1):
        widest = max(widest, columns.start[k + 1] - columns.start[k] + 1)
    alive: BoolArray = np.ones(widest, dtype=np.bool_)  # the last place stands for no road
    for k in range(last, 0, -1):
        earlier: BoolArray = np.zeros(widest, dtype=np.bool_)
        for state in range(columns.start[k + 1] - columns.start[k]):
            if alive[state]:
                earlier[state_before(columns, k, state)] = True
        if alive[OFF_ROAD]:
            earlier[columns.off_back[k]] = True
        alive = earlier
        if alive.sum() == 1:
            state = int(np.argmax(alive))
            return k - 1, OFF_ROAD if state == widest - 1 else state
    return -1, -1
