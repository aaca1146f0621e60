"""Section 6 of the model, "short cell": when OP judges, by what length, and when it judges again."""

from typing import Any

import numpy as np
import pytest

from msmf_traci.control.short_cells import CoverageLimits, ShortCells

A, B, C = 1, 2, 3
FIRST_EDGE, SECOND_EDGE = 10, 11
SHORT_B = [(A, 0.0, 100.0), (B, 100.0, 240.0), (C, 240.0, 900.0)]  # 140 m of B
LONG_B = [(A, 0.0, 100.0), (B, 100.0, 260.0), (C, 260.0, 900.0)]  # 160 m of B


class Vehicle:
    """One vehicle under one OP strategy; each call is a frame."""

    def __init__(self, bench: Any, min_m: float = 150.0, min_dwell_s: float = 0.0) -> None:
        self.bench = bench
        self.cells = ShortCells(CoverageLimits(min_m, min_dwell_s))

    def short(self, road: list, position_m: float, home: int, edge: int = FIRST_EDGE, speed_mps: float = 10.0) -> bool:
        ahead = self.bench.ahead([road], position_m, home)
        return bool(self.cells.judge(np.array([0]), np.array([edge]), np.array([speed_mps]), ahead)[0])


def test_short_is_covered_for_less_than_150_m_from_the_vehicles_position(bench: Any) -> None:
    assert Vehicle(bench).short(SHORT_B, 100.0, B)
    assert not Vehicle(bench).short(LONG_B, 100.0, B)
    assert not Vehicle(bench).short(LONG_B, 110.0, B)  # 150 m to the exit: not less
    assert Vehicle(bench).short(LONG_B, 110.1, B)
    # attached to B while its stretch begins 20 m ahead: measured from the vehicle, 240 - 80 = 160 m
    assert not Vehicle(bench).short(SHORT_B, 80.0, B)


def test_the_least_length_is_an_option(bench: Any) -> None:
    assert not Vehicle(bench, min_m=140.0).short(SHORT_B, 100.0, B)
    assert Vehicle(bench, min_m=140.1).short(SHORT_B, 100.0, B)
    assert not Vehicle(bench, min_m=0.0).short(SHORT_B, 239.9, B)


def test_a_road_that_ends_inside_or_does_not_show_the_home_is_never_short(bench: Any) -> None:
    assert not Vehicle(bench).short([(A, 0.0, 100.0), (B, 100.0, 120.0)], 100.0, B)
    assert not Vehicle(bench).short(SHORT_B, 150.0, A)  # A lies behind
    assert not Vehicle(bench).short([], 0.0, A)


def test_judged_on_entering_and_not_again_while_the_verdict_is_not_short(bench: Any) -> None:
    vehicle = Vehicle(bench)
    assert not vehicle.short(LONG_B, 100.0, B)
    assert not vehicle.short(LONG_B, 255.0, B)  # 5 m are left
    assert not vehicle.short(SHORT_B, 200.0, B, edge=SECOND_EDGE)  # nor when the edge changes


def test_a_short_verdict_stands_until_the_edge_changes(bench: Any) -> None:
    vehicle = Vehicle(bench)
    assert vehicle.short(SHORT_B, 100.0, B)
    assert vehicle.short(LONG_B, 100.0, B)  # the same edge: not judged again
    assert not vehicle.short(LONG_B, 100.0, B, edge=SECOND_EDGE)
    assert not vehicle.short(SHORT_B, 200.0, B, edge=FIRST_EDGE)  # it has turned: not judged again


def test_a_short_verdict_is_given_again_at_each_change_of_edge(bench: Any) -> None:
    vehicle = Vehicle(bench)
    assert vehicle.short(SHORT_B, 100.0, B)
    assert vehicle.short(SHORT_B, 120.0, B, edge=SECOND_EDGE)
    assert vehicle.short(LONG_B, 100.0, B, edge=SECOND_EDGE)  # no change since
    assert not vehicle.short(LONG_B, 100.0, B, edge=FIRST_EDGE)


def test_another_area_and_a_return_are_judged_anew(bench: Any) -> None:
    vehicle = Vehicle(bench)
    assert not vehicle.short(LONG_B, 100.0, B)
    assert not vehicle.short(LONG_B, 260.0, C)
    assert vehicle.short(SHORT_B, 120.0, B)
    assert not vehicle.short(SHORT_B, 250.0, C)
    assert not vehicle.short(LONG_B, 100.0, B)


@pytest.mark.parametrize(
    ("speed_mps", "short"),
    [(0.0, False), (8.0, False), (8.1, True), (30.0, True)],  # 160 m in 20 s: 8 m/s
)
def test_crossed_in_less_than_the_least_dwell_time_is_short_too(bench: Any, speed_mps: float, short: bool) -> None:
    assert Vehicle(bench, min_dwell_s=20.0).short(LONG_B, 100.0, B, speed_mps=speed_mps) is short
    assert not Vehicle(bench).short(LONG_B, 100.0, B, speed_mps=speed_mps)


def test_verdicts_are_each_vehicles_own(bench: Any) -> None:
    cells = ShortCells(CoverageLimits(150.0, 0.0))
    edge, speed = np.array([FIRST_EDGE, FIRST_EDGE]), np.array([10.0, 10.0])
    assert cells.judge(np.array([3, 0]), edge, speed, bench.ahead([SHORT_B, LONG_B], 100.0, B)).tolist() == [True, False]
    # in another order, with a newcomer, both others keep their verdicts though their roads are swapped
    later = bench.ahead([LONG_B, SHORT_B, SHORT_B], 100.0, B)
    assert cells.judge(np.array([3, 7, 0]), np.repeat(edge[:1], 3), np.repeat(speed[:1], 3), later).tolist() == [True, True, False]


def test_short_stretches_further_on_are_passed_over_by_their_whole_length_but_never_the_last_one_seen(bench: Any) -> None:
    cells = ShortCells(CoverageLimits(150.0, 0.0))
    road = [(A, 0.0, 100.0), (B, 100.0, 249.0), (C, 249.0, 399.0), (A, 399.0, 450.0), (B, 450.0, 460.0)]
    ahead = bench.ahead([road, road[:2]], 50.0, A)
    passed_over = cells.passed_over(ahead, np.array([10.0, 10.0]))
    # 100, 149, 150, 51 and 10 m; the last one seen is never passed over, here that of 10 and there that of 149 m
    assert passed_over[0].tolist() == [True, True, False, True, False]
    assert passed_over[1, :2].tolist() == [True, False]


def test_stretches_crossed_too_fast_are_passed_over(bench: Any) -> None:
    cells = ShortCells(CoverageLimits(0.0, 20.0))
    ahead = bench.ahead([LONG_B, LONG_B], 50.0, A)  # 160 m of B: 20 s at 8 m/s
    assert cells.passed_over(ahead, np.array([8.0, 8.1]))[:, 1].tolist() == [False, True]
