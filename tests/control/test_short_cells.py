"""Section 6 of the model, "short cell": when OP judges, by what length, and when it judges again."""

from typing import Any

import pytest

from msmf_traci.records import new_records
from msmf_traci.sentinels import KEEP
from msmf_traci.strategies.pm_op import PmOp, ShortCells, Verdict

A, B, C, E = 1, 2, 3, 4
FIRST_EDGE, SECOND_EDGE = 10, 11
SHORT_B = [(A, 0.0, 100.0), (B, 100.0, 240.0), (C, 240.0, 900.0)]  # 140 m of B
LONG_B = [(A, 0.0, 100.0), (B, 100.0, 260.0), (C, 260.0, 900.0)]  # 160 m of B


class Vehicle:
    """One vehicle under one OP strategy; each call is a frame, not its first one."""

    def __init__(self, bench: Any, min_m: float = 150.0, min_dwell_s: float = 0.0) -> None:
        self.bench = bench
        self.op = PmOp(ShortCells(min_m=min_m, min_dwell_s=min_dwell_s))
        self.memory = new_records(Verdict, 1)

    def decide(self, road: list, position_m: float, home: int, edge: int = FIRST_EDGE, speed_mps: float = 10.0) -> tuple[int, int]:
        """Home and target of a container that runs on no server of this road."""
        looks, stretches = self.bench.written_looks([road], position_m, home)
        looks["edge"], looks["speed_mps"] = edge, speed_mps
        home_, target = self.bench.decide_compiled(self.op, looks, stretches, self.memory)
        return int(home_[0]), int(target[0])

    def short(self, *words: Any, **more: Any) -> bool:
        """Whether the attached home is short."""
        return self.decide(*words, **more)[0] == KEEP


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


def test_short_stretches_further_on_are_passed_over_by_their_whole_length_but_never_the_last_one_seen(bench: Any) -> None:
    # 100, 149, 150, 51 and 10 m: B is short, C is not; without C the next one is the last one seen, which may go on
    road = [(A, 0.0, 100.0), (B, 100.0, 249.0), (C, 249.0, 399.0), (A, 399.0, 450.0), (B, 450.0, 460.0)]
    assert Vehicle(bench).decide(road, 50.0, A)[1] == C
    assert Vehicle(bench).decide([*road[:2], *road[3:]], 50.0, A)[1] == B
    assert Vehicle(bench).decide(road[:2], 50.0, A)[1] == B
    assert Vehicle(bench).decide([*road[:2], (E, 249.0, 300.0), (C, 300.0, 310.0)], 50.0, A)[1] == C


def test_stretches_crossed_too_fast_are_passed_over(bench: Any) -> None:
    # 160 m of B: 20 s at 8 m/s
    assert Vehicle(bench, 0.0, 20.0).decide(LONG_B, 50.0, A, speed_mps=8.0)[1] == B
    assert Vehicle(bench, 0.0, 20.0).decide(LONG_B, 50.0, A, speed_mps=8.1)[1] == C
