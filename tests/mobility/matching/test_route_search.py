"""Ways are the cheapest ones, by SciPy's Dijkstra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from msmf_traci.arrays import FloatArray
from msmf_traci.mobility.matching.route_search import (
    CLASS_SHARE,
    NO_WAY,
    TURN,
    TURNAROUND,
    RoadGraph,
    graph_of,
    is_reached,
    new_search,
    search_ways,
)
from tests.mobility.matching.grids import make_grid
from tests.road_lines import make_roads


def random_graph(generator: np.random.Generator, edges: int) -> RoadGraph:
    """Edges that follow one another at random."""
    counts = generator.integers(0, 4, edges)
    follower = np.concatenate([np.zeros(0, np.int64), *(np.sort(generator.choice(edges, count, replace=False)) for count in counts)])
    n = len(follower)
    start = np.concatenate([[0], np.cumsum(counts)])
    return RoadGraph(generator.uniform(1, 100, edges), start, follower, generator.uniform(0.1, 10, n), generator.uniform(0, 30, n))


def costs_to_begins(graph: RoadGraph, edge: int) -> FloatArray:
    """What the cheapest ways count from the end of an edge to the begin of every edge: nodes are begins, and one is the end of the edge."""
    n = len(graph.length_m)
    source = np.repeat(np.arange(n), np.diff(graph.start))
    step = graph.across_m + graph.extra_m
    leaves = source == edge
    rows, columns = np.concatenate([source, np.full(int(leaves.sum()), n)]), np.concatenate([graph.follower, graph.follower[leaves]])
    places = (rows.astype(np.int32), columns.astype(np.int32))  # all that earlier releases of scipy take
    matrix = coo_array((np.concatenate([graph.length_m[source] + step, step[leaves]]), places), shape=(n + 1, n + 1))
    return np.asarray(dijkstra(matrix.tocsr(), indices=n))[:n]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 25), st.sampled_from([20.0, 150.0, np.inf]))
def test_ways_are_the_cheapest_within_the_bound(seed: int, edges: int, bound_m: float) -> None:
    generator = np.random.default_rng(seed)
    graph = random_graph(generator, edges)
    search = new_search(graph)
    for edge in generator.integers(0, edges, 3):
        expected = costs_to_begins(graph, int(edge))
        search_ways(graph, search, int(edge), bound_m, np.arange(edges))
        for to in range(edges):
            assert is_reached(search, to) == (np.isfinite(expected[to]) and expected[to] <= bound_m)
            if is_reached(search, to):
                assert search.cost_m[to] == pytest.approx(expected[to])
                assert search.way_m[to] == pytest.approx(length_of_way(graph, search.before, int(edge), to))


def length_of_way(graph: RoadGraph, before: np.ndarray, edge: int, to: int) -> float:
    """Length of the way that leads back from an edge's begin to the end of the first edge."""
    way_m, at = 0.0, to
    while True:
        source = int(before[at]) if before[at] != NO_WAY else edge
        (place,) = np.flatnonzero(graph.follower[graph.start[source] : graph.start[source + 1]] == at)
        way_m += graph.across_m[graph.start[source] + place]
        if before[at] == NO_WAY:
            return float(way_m)
        way_m += graph.length_m[source]
        at = source


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 5), st.integers(0, 1000))
def test_wanted_ways_are_found_whatever_else_is_wanted(city: int, seed: int) -> None:
    roads = make_grid(city)
    graph = graph_of(roads, 10.0, prefers_main_roads=False)
    search = new_search(graph)
    edge, one, other = np.random.default_rng(seed).integers(0, len(roads), 3)
    expected = costs_to_begins(graph, int(edge))
    search_ways(graph, search, int(edge), np.inf, np.array([one, other]))
    for to in (one, other):
        assert is_reached(search, int(to)) == np.isfinite(expected[to])
        if np.isfinite(expected[to]):
            assert search.cost_m[to] == pytest.approx(expected[to])


def test_turns_cost_and_lower_classes_count_longer() -> None:
    roads = make_roads([[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(100, 0), (100, 50)], [(100, 0), (0, 0)]], successor=[1, -1, -1, -1])
    roads.classes[:] = ["highway.motorway", "highway.secondary", "highway.residential", "highway.motorway_link"]
    graph = graph_of(roads, 10.0, prefers_main_roads=True)
    assert graph.follower.tolist()[:3] == [1, 2, 3]
    expected = [CLASS_SHARE * 3 * 100, 10 * TURN + CLASS_SHARE * 6 * 50, 10 * TURNAROUND]
    np.testing.assert_allclose(graph.extra_m[:3], expected)
