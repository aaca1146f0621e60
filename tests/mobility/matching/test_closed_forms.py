"""Tiny maps on which it is plain where a vehicle is."""

from collections.abc import Sequence

import numpy as np
import pytest

from msmf_traci.mobility.matching.matcher import Matched, Matcher, MatchingOptions
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.roads.roads import Roads
from tests.road_lines import Point, make_roads

STRAIGHT = make_roads([[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)]], successor=[1, 2, -1])


def match(roads: Roads, points: Sequence[Point], *, lag_s: float = 5.0, interval_s: float = 1.0, sigma_m: float = 5.0) -> Matched:
    """Match points that come in at even times."""
    x_m, y_m = np.array(points, dtype=np.float64).T
    matcher = Matcher(roads, RoadIndex(roads), MatchingOptions(sigma_m, lag_s))
    return matcher.match(interval_s * np.arange(len(points)), x_m, y_m)


@pytest.mark.parametrize("lag_s", [0.0, 5.0, np.inf])
def test_straight_road_at_even_speed_is_matched_exactly(lag_s: float) -> None:
    matched = match(STRAIGHT, [(x, 2.0) for x in range(5, 296, 10)], lag_s=lag_s)
    assert matched.route.tolist() == [0, 1, 2]
    assert matched.decided.edge.tolist() == [0] * 10 + [1] * 10 + [2] * 9 + [2]
    np.testing.assert_allclose(matched.decided.position_m, [x % 100 for x in range(5, 296, 10)], atol=1e-6)
    np.testing.assert_allclose(matched.decided.distance_m, 2.0)
    if lag_s:
        np.testing.assert_allclose(matched.decided.speed_mps, 10.0, atol=1e-6)


def test_place_exactly_on_a_border_is_at_the_end_of_one_edge_or_the_begin_of_the_next() -> None:
    matched = match(STRAIGHT, [(x, 0.0) for x in range(0, 301, 20)])
    for border in (5, 10):
        place = int(matched.decided.edge[border]), round(float(matched.decided.position_m[border]), 6)
        assert place in {(border // 5 - 1, 100.0), (border // 5, 0.0)}
    assert matched.route.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("turns_to", "side"), [(1, 1.0), (2, -1.0)])
def test_at_a_t_junction_the_branch_that_is_driven_is_taken(turns_to: int, side: float) -> None:
    roads = make_roads([[(0, 0), (100, 0)], [(100, 0), (100, 100)], [(100, 0), (100, -100)]], successor=[1, -1, -1])
    matched = match(roads, [(x, 1.0) for x in range(10, 100, 10)] + [(101.0, side * y) for y in range(10, 100, 10)])
    assert matched.route.tolist() == [0, turns_to]
    assert matched.decided.edge.tolist() == [0] * 9 + [turns_to] * 9


@pytest.mark.parametrize("goes_east", [True, False])
def test_direction_is_that_of_driving_and_not_the_nearer_line(goes_east: bool) -> None:
    roads = make_roads([[(0, -3), (400, -3)], [(400, 3), (0, 3)]])
    away_m = 2.0 if goes_east else -2.0  # nearer to the other direction's line
    points = [(x, away_m) for x in range(20, 381, 12)]
    matched = match(roads, points if goes_east else points[::-1])
    expected = 0 if goes_east else 1
    assert matched.route.tolist() == [expected]
    # only from its first position nobody can tell
    assert set(matched.decided.edge.tolist()) == {expected}


def test_of_parallel_roads_the_one_that_most_positions_are_near_is_taken() -> None:
    roads = make_roads([[(0, 0), (400, 0)], [(0, 30), (400, 30)]])
    points = [(x, 24.0 if x == 200 else 4.0) for x in range(20, 381, 12)]
    matched = match(roads, points)
    assert matched.route.tolist() == [0] and set(matched.decided.edge.tolist()) == {0}


def test_dead_end_is_left_by_turning_round() -> None:
    roads = make_roads([[(0, -3), (200, 0)], [(200, 0), (0, -3)], [(0, -3), (-200, 3)]])
    assert roads.turnaround[0]
    out = [(x, -3.0) for x in range(20, 200, 10)]
    matched = match(roads, out + out[::-1], lag_s=20.0)
    assert matched.route.tolist() == [0, 1]
    assert matched.decided.edge.tolist() == [0] * len(out) + [1] * len(out)


def test_stretch_off_the_roads_is_said_to_be_off_the_roads_and_nothing_is_lost() -> None:
    roads = make_roads([[(0, 0), (1000, 0)]])
    away_m = [0.0] * 20 + [200.0] * 30 + [0.0] * 20
    matched = match(roads, [(100 + 10 * k, y) for k, y in enumerate(away_m)])
    is_off = np.array(away_m) > 0
    assert (matched.decided.edge[is_off] == -1).all() and (matched.route_index[is_off] == -1).all()
    assert (matched.decided.edge[~is_off] == 0).all() and (matched.route_index[~is_off] >= 0).all()
    assert len(matched.decided.edge) == len(matched.route_index) == len(matched.route_m) == len(away_m)
    assert matched.route.tolist() == [0, 0]
    np.testing.assert_allclose(matched.decided.position_m[~is_off], (100 + 10 * np.arange(70))[~is_off], atol=1e-6)


def test_one_position_far_away_spoils_no_other_one() -> None:
    points = [(5.0 + 10 * k, 500.0 if k == 14 else 0.0) for k in range(29)]
    matched = match(STRAIGHT, points)
    right = [k // 10 for k in range(29)]
    assert matched.decided.edge.tolist() == [-1 if k == 14 else right[k] for k in range(29)]


def test_standing_vehicle_stays_where_it_is() -> None:
    generator = np.random.default_rng(3)
    points = np.array([150.0, 0.0]) + generator.normal(0.0, 5.0, (200, 2))
    matched = match(STRAIGHT, [(float(x), float(y)) for x, y in points])
    assert matched.route.tolist() == [1] and set(matched.decided.edge.tolist()) == {1}
    # a mean over some seconds before and after
    assert matched.decided.position_m.std() < 0.6 * points[:, 0].std()
    assert abs(matched.decided.position_m.mean() - 50.0) < 1.5


def test_nothing_measured_is_nothing_matched() -> None:
    matcher = Matcher(STRAIGHT, RoadIndex(STRAIGHT), MatchingOptions(5.0, 5.0))
    matched = matcher.match(np.zeros(0), np.zeros(0), np.zeros(0))
    assert len(matched.decided.edge) == len(matched.route) == len(matched.route_index) == 0


def test_one_position_is_matched_to_the_nearest_road() -> None:
    matched = match(STRAIGHT, [(130.0, 3.0)])
    assert matched.decided.edge.tolist() == [1] and matched.decided.position_m.tolist() == [30.0] and matched.route.tolist() == [1]
