"""The scores of the matching benchmark, by hand on small ways."""

import numpy as np
import pytest

from msmf_traci.mobility.matching.road_index import RoadIndex
from scripts.matching_benchmark.matchers import Ours
from scripts.matching_benchmark.measuring import Measured, Receiver, drifting, is_every
from scripts.matching_benchmark.scores import Answer, Pieces, Score, difference_m, errors_along_way, pieces_of_route, true_way, union_m
from scripts.matching_benchmark.truth import Journey
from tests.road_lines import make_roads

LENGTH_M = np.array([100.0, 50.0, 200.0, 80.0])


def pieces(*each: tuple[int, float, float]) -> Pieces:
    columns = np.array(each, dtype=np.float64).reshape(-1, 3)
    return Pieces(columns[:, 0].astype(np.int64), columns[:, 1], columns[:, 2])


def journey() -> Journey:
    """From 20 m on edge 0 over edge 1 to 30 m on edge 2; the third sample is inside a junction."""
    place = np.array([20.0, 90.0, 0.0, 30.0])
    n = len(place)
    return Journey(np.arange(n) * 5.0, place, np.zeros(n), np.array([0, 0, 1, 2]), place, np.array([0, 0, 1, 2]), np.array([0, 1, 2]))


def test_what_is_covered_twice_counts_once() -> None:
    assert union_m(pieces()) == 0.0
    assert union_m(pieces((0, 10, 30), (0, 20, 50), (0, 45, 46), (1, 0, 5), (0, 60, 61))) == 40 + 5 + 1


def test_difference_is_what_is_wrongly_added_and_what_is_missed() -> None:
    true = pieces((0, 20, 100), (1, 0, 50))
    assert difference_m(true, true) == 0.0
    assert difference_m(true, pieces((0, 20, 100))) == 50.0
    assert difference_m(true, pieces((0, 20, 100), (1, 0, 50), (3, 10, 30))) == 20.0
    assert difference_m(true, pieces()) == 130.0


def test_true_way_begins_and_ends_at_the_first_and_last_sample() -> None:
    way = true_way(journey(), LENGTH_M)
    assert (way.edge.tolist(), way.from_m.tolist(), way.to_m.tolist()) == ([0, 1, 2], [20.0, 0.0, 0.0], [100.0, 50.0, 30.0])
    within = pieces_of_route(np.array([0, 1, 2]), LENGTH_M, (1, 5.0), (1, 25.0))
    assert (within.edge.tolist(), within.from_m.tolist(), within.to_m.tolist()) == ([1], [5.0], [25.0])


def test_scores_add_up() -> None:
    true = true_way(journey(), LENGTH_M)
    edge, position_m = np.array([0, 0, 0, -1]), np.array([24.0, 90.0, 100.0, 0.0])
    score = Score(took_s=2.0)
    score.add(journey(), Answer(edge, position_m, pieces((0, 24, 100)), true), LENGTH_M)
    score.add(journey(), Answer(journey().edge, journey().position_m, true, true), LENGTH_M)
    shares = score.shares()
    assert shares["mismatch"] == pytest.approx((4 + 50 + 30) / (2 * 160)) and shares["unbroken_mismatch"] == 0.0
    assert (shares["right"], shares["right_on_road"], shares["unmatched"]) == (6 / 8, 5 / 6, 1 / 8)
    # the end of one edge is the begin of the next
    assert sorted(np.concatenate(score.errors_m).tolist()) == [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0]
    assert shares["points_per_s"] == 4.0


def test_errors_are_counted_along_the_route_and_only_on_it() -> None:
    edge, position_m = np.array([1, 3, 1, 2]), np.array([10.0, 90.0, 2.0, 33.0])
    answer = Answer(edge, position_m, pieces(), pieces())
    assert errors_along_way(journey(), answer, LENGTH_M).tolist() == [90.0, 2.0, 3.0]


def test_way_through_decided_places_is_not_joined_where_nobody_can_have_driven() -> None:
    """Two lanes of opposite directions, joined at their ends: a wrong direction for a moment leads around."""
    roads = make_roads([[(0, 0), (500, 0)], [(500, 0), (500, 10)], [(500, 10), (0, 10)], [(0, 10), (0, 0)]], successor=[1, 2, 3, 0])
    ours = Ours(roads, RoadIndex(roads), 5.0, 5.0)
    time_s, edge, position_m = np.arange(4.0), np.array([0, 0, 2, 0]), np.array([100.0, 110.0, 380.0, 130.0])
    way, unbroken = ours.ways_through(time_s, edge, position_m)
    assert union_m(way) == 10.0
    assert union_m(unbroken) == 500 + 10 + 500 + 10
    behind, _ = ours.ways_through(time_s, np.array([0, 1, 0, 1]), np.array([490.0, 5.0, 495.0, 8.0]))
    assert union_m(behind) == 10 + 8


def test_receiver_measures_at_even_times_and_the_first_and_last_sample() -> None:
    times_s = np.arange(0.0, 26.0)
    track = Journey(times_s, times_s, times_s, *(np.zeros(26, dtype=np.int64) for _ in range(3)), np.array([0]))
    measured: Measured = Receiver(0.0, 10.0).measure(track, np.random.default_rng(0))
    assert measured.truth.time_s.tolist() == [0.0, 10.0, 20.0, 25.0] == measured.x_m.tolist()
    out = Receiver(0.0, 1.0, outage_share=0.5, outage_s=5.0).measure(track, np.random.default_rng(1))
    assert 2 < len(out.x_m) < 26 and out.truth.time_s[[0, -1]].tolist() == [0.0, 25.0]
    assert is_every(np.array([3.0, 4.0, 5.5, 6.0]), 2.0).tolist() == [True, False, True, False]


def test_drifting_noise_has_the_same_variance_and_forgets_itself() -> None:
    times_s = np.arange(20_000.0)
    white = np.random.default_rng(0).normal(0.0, 3.0, len(times_s))
    noise = drifting(white, times_s, 10.0)
    assert noise.std() == pytest.approx(3.0, rel=0.1)
    assert np.corrcoef(noise[:-10], noise[10:])[0, 1] == pytest.approx(np.exp(-1), abs=0.08)
    uneven = drifting(white[:50], np.concatenate([times_s[:49], [1000.0]]), 10.0)
    np.testing.assert_allclose(uneven[:49], noise[:49])
    assert uneven[49] == pytest.approx(white[49])
