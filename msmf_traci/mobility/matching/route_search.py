"""The way along the roads from the end of one edge to the begin of others, as far as a bound: Dijkstra on arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.roads.roads import Roads

NO_WAY = -1
TURN = 1.5  # cost of leaving the straight-on road: one in four or five does
TURNAROUND = 4.0
CLASS_SHARE = 0.01  # who drives prefers main roads: so much longer counts a way on the next lower class
_CLASSES = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential")


class RoadGraph(NamedTuple):
    """How roads are joined: edges that follow edge e are `start[e]` to `start[e + 1]` in `follower`.

    Attributes
    ----------
    length_m
        Length of each edge.
    start, follower
        The followers of each edge.
    across_m
        Way across the junction to each follower.
    extra_m
        How much longer the way onto each follower and along it counts than it is.
    """

    length_m: FloatArray
    start: IntArray
    follower: IntArray
    across_m: FloatArray
    extra_m: FloatArray


class Search(NamedTuple):
    """What a search writes down; an entry of `way_m` and `before` is of the search whose number is in `seen`.

    Attributes
    ----------
    number
        Of the latest search, shape (1,).
    seen, done
        In which search each edge was reached, and in which its way was known to be the shortest.
    way_m, cost_m
        Way from the end of the first edge to the begin of each, and what it counts: the least of all ways.
    before
        The edge before it on this way; NO_WAY where it follows the first edge.
    heap_m, heap_edge
        What the way to edges to go on from counts, least first: a heap.
    """

    number: IntArray
    seen: IntArray
    done: IntArray
    way_m: FloatArray
    cost_m: FloatArray
    before: IntArray
    heap_m: FloatArray
    heap_edge: IntArray


def graph_of(roads: Roads, beta_m: float, *, prefers_main_roads: bool) -> RoadGraph:
    """The graph of a map.

    Parameters
    ----------
    roads
        The map.
    beta_m
        What an extra cost of 1 is worth, as in the decoding.
    prefers_main_roads
        Whether ways along lower classes of roads count longer.
    """
    source = np.repeat(np.arange(len(roads)), np.diff(roads.follower_start))
    last, first = roads.line_start[source + 1] - 1, roads.line_start[roads.follower]
    across_m = np.hypot(roads.line_x_m[first] - roads.line_x_m[last], roads.line_y_m[first] - roads.line_y_m[last])
    is_turn = roads.follower != roads.successor[source]
    extra_m = beta_m * np.where(roads.turnaround, TURNAROUND, np.where(is_turn, TURN, 0.0))
    if prefers_main_roads:
        rank = np.array([_rank(each) for each in roads.classes], dtype=np.float64)
        extra_m += CLASS_SHARE * (rank * roads.length_m)[roads.follower]
    return RoadGraph(roads.length_m, roads.follower_start, roads.follower, across_m, extra_m)


def _rank(road_class: str) -> int:
    """How many classes lower than a motorway a road is, by OpenStreetMap's names; a link is as its road."""
    name = road_class.rpartition(".")[2].removesuffix("_link")
    return _CLASSES.index(name) if name in _CLASSES else len(_CLASSES) - 1


def new_search(graph: RoadGraph) -> Search:
    """Room for searches in a graph, one after another."""
    n, entries = len(graph.length_m), len(graph.follower) + 1
    return Search(
        number=np.zeros(1, dtype=np.int64),
        seen=np.zeros(n, dtype=np.int64),
        done=np.zeros(n, dtype=np.int64),
        way_m=np.zeros(n),
        cost_m=np.zeros(n),
        before=np.full(n, NO_WAY, dtype=np.int64),
        heap_m=np.zeros(entries),
        heap_edge=np.zeros(entries, dtype=np.int64),
    )


@compiled
def search_ways(graph: RoadGraph, search: Search, edge: int, bound_m: float, wanted: IntArray) -> None:
    """Find the cheapest ways from the end of an edge to the begins of the wanted ones, that count no more than the bound."""
    search.number[0] += 1
    number = search.number[0]
    missing = len(wanted)
    size = _reach(graph, search, edge, NO_WAY, 0.0, 0.0, bound_m, 0)
    while size > 0 and missing > 0:
        cost_m, at = search.heap_m[0], search.heap_edge[0]
        size = _pop(search, size)
        if search.done[at] == number:
            continue
        search.done[at] = number
        for each in wanted:
            if each == at:
                missing -= 1
        size = _reach(graph, search, at, at, search.way_m[at] + graph.length_m[at], cost_m + graph.length_m[at], bound_m, size)


@compiled
def is_reached(search: Search, edge: int) -> bool:
    """Whether the latest search found a way to an edge."""
    return bool(search.done[edge] == search.number[0])


@compiled
def _reach(graph: RoadGraph, search: Search, edge: int, before: int, end_m: float, end_cost_m: float, bound_m: float, size: int) -> int:
    """Go on from an edge's end to its followers; returns the size of the heap."""
    number = search.number[0]
    for i in range(graph.start[edge], graph.start[edge + 1]):
        to = graph.follower[i]
        way_m = end_m + graph.across_m[i]
        cost_m = end_cost_m + graph.across_m[i] + graph.extra_m[i]
        if cost_m > bound_m or search.done[to] == number or (search.seen[to] == number and search.cost_m[to] <= cost_m):
            continue
        search.seen[to], search.way_m[to], search.cost_m[to], search.before[to] = number, way_m, cost_m, before
        at = size
        size += 1
        while at > 0 and search.heap_m[(at - 1) // 2] > cost_m:
            up = (at - 1) // 2
            search.heap_m[at], search.heap_edge[at] = search.heap_m[up], search.heap_edge[up]
            at = up
        search.heap_m[at], search.heap_edge[at] = cost_m, to
    return size


@compiled
def _pop(search: Search, size: int) -> int:
    """Take the nearest entry off the heap; returns its new size."""
    size -= 1
    moved_m, moved = search.heap_m[size], search.heap_edge[size]
    at = 0
    while 2 * at + 1 < size:
        down = 2 * at + 1
        if down + 1 < size and search.heap_m[down + 1] < search.heap_m[down]:
            down += 1
        if search.heap_m[down] >= moved_m:
            break
        search.heap_m[at], search.heap_edge[at] = search.heap_m[down], search.heap_edge[down]
        at = down
    search.heap_m[at], search.heap_edge[at] = moved_m, moved
    return size
