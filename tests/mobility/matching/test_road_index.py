"""Candidates from the R-tree are those that looking at every road finds."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.mobility.matching.road_index import RoadIndex
from tests.mobility.matching.grids import make_grid
from tests.reference.plain_matching import nearest_places
from tests.road_lines import make_roads


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5), st.integers(0, 10_000), st.sampled_from([0.5, 20.0, 80.0, 300.0]), st.sampled_from([1, 4, 100]))
def test_candidates_are_those_of_every_road(city: int, seed: int, radius_m: float, most: int) -> None:
    roads = make_grid(city)
    x_m, y_m = np.random.default_rng(seed).uniform(-100.0, 350.0, (2, 10))
    found = RoadIndex(roads).candidates(x_m, y_m, radius_m, most)
    for k in range(10):
        places = slice(found.start[k], found.start[k + 1])
        expected = nearest_places(roads, float(x_m[k]), float(y_m[k]), radius_m)[:most]
        np.testing.assert_allclose(found.distance_m[places], [place.distance_m for place in expected], atol=1e-9)
        told = {int(e): float(p) for e, p in zip(found.edge[places], found.position_m[places], strict=True)}
        all_places = {place.edge: place.position_m for place in nearest_places(roads, float(x_m[k]), float(y_m[k]), radius_m)}
        assert len(told) == len(expected)
        # of roads that are equally near any may be left out
        assert all(abs(all_places[edge] - position_m) < 1e-6 for edge, position_m in told.items())


def test_a_place_in_a_junction_lies_beyond_the_end_of_the_edge_before() -> None:
    roads = make_roads([[(0, 0), (100, 0)], [(100, 0), (200, 0)]], lengths=[100.0, 100.0])
    roads.line_x_m[2:] += 10.0  # the junction is 10 m wide
    found = RoadIndex(roads).candidates(np.array([104.0]), np.array([0.0]), 5.0, 9)
    assert found.edge.tolist() == [0] and found.position_m.tolist() == [104.0]


def test_a_driven_length_that_is_not_the_drawn_one_is_the_one_that_counts() -> None:
    roads = make_roads([[(0, 0), (50, 0), (100, 0)]], lengths=[120.0])
    found = RoadIndex(roads).candidates(np.array([75.0]), np.array([3.0]), 5.0, 9)
    np.testing.assert_allclose(found.position_m, [90.0])
