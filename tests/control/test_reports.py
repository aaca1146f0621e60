"""Status reports (MSMF, section 3.3.1; model, section 8): when one is sent, and what is known between two of them."""

from typing import Any

import numpy as np
import pytest

from msmf_traci.control.reports import ReportOptions, Reports
from msmf_traci.mobility.tracks import Follower


class Ear:
    """What is known of one vehicle, told its frames (x_m, y_m, speed_mps); its position on edge 0 is x."""

    def __init__(self, bench: Any, *, distance_m: float = 0.0, heading_deg: float = 0.0, speed_mps: float = 0.0) -> None:
        self._bench = bench
        self._reports, self._follower = Reports(ReportOptions(distance_m, heading_deg, speed_mps)), Follower()
        for part in (self._reports, self._follower):
            part.admit(1)

    def hear(self, *frames: tuple[float, float, float]) -> list[float]:
        """The x known after each frame."""
        known = []
        for x_m, y_m, speed_mps in frames:
            frame = self._bench.frame(x_m=x_m, y_m=y_m, speed_mps=speed_mps, position_m=x_m)
            self.last = self._reports.read(self._bench.tracks(self._follower, frame))
            assert self.last.position_m[0] == self.last.x_m[0]
            known.append(float(self.last.x_m[0]))
        return known

    @property
    def sent(self) -> int:
        """Reports so far."""
        return int(self._reports.sent[0])


def test_without_thresholds_there_is_a_report_in_every_frame(bench: Any) -> None:
    ear = Ear(bench)
    assert ear.hear((0, 0, 5), (5, 0, 5), (5, 0, 0), (5, 0, 0)) == [0, 5, 5, 5]
    assert ear.sent == 4
    assert (ear.last.dx_m[0], ear.last.dy_m[0]) == (0, 0)


def test_a_report_follows_when_the_vehicle_has_moved_by_more_than_the_threshold(bench: Any) -> None:
    ear = Ear(bench, distance_m=10)
    assert ear.hear((0, 0, 5), (5, 0, 5), (10, 0, 5), (15, 0, 5), (20, 0, 5), (26, 0, 5)) == [0, 0, 0, 15, 15, 26]
    assert ear.sent == 3
    assert ear.last.dx_m[0] == 11  # from the report before to this one


def test_moved_is_the_straight_distance_and_not_the_way(bench: Any) -> None:
    assert Ear(bench, distance_m=10).hear((0, 0, 5), (8, 0, 5), (8, 5, 5), (4, 5, 5), (0, 0, 5)) == [0, 0, 0, 0, 0]
    assert Ear(bench, distance_m=10).hear((0, 0, 5), (8, 0, 5), (8, 6.1, 5)) == [0, 0, 8]


def test_a_report_follows_when_the_speed_has_changed_by_more_than_the_threshold(bench: Any) -> None:
    ear = Ear(bench, speed_mps=2)
    assert ear.hear((0, 0, 5), (1, 0, 7), (2, 0, 7.1), (3, 0, 5.1), (4, 0, 5.0)) == [0, 0, 2, 2, 4]
    assert ear.sent == 3


def test_a_report_follows_when_the_vehicle_has_turned_by_more_than_the_threshold(bench: Any) -> None:
    """East from the second frame on; 26.6 degrees to the left of it at the third, 45 at the fourth."""
    ear = Ear(bench, heading_deg=30)
    assert ear.hear((0, 0, 5), (2, 0, 5), (4, 1, 5), (5, 2, 5), (6, 3, 5)) == [0, 2, 2, 5, 5]
    assert ear.sent == 3


def test_a_turn_is_the_smaller_of_the_two_angles(bench: Any) -> None:
    """From 170 to -170 degrees is a turn of 20."""
    way = [(0.0, 0.0), (-10, 1.763), (-20, 0)]
    assert Ear(bench, heading_deg=25).hear(*((x, y, 5) for x, y in way)) == [0, -10, -10]
    assert Ear(bench, heading_deg=15).hear(*((x, y, 5) for x, y in way)) == [0, -10, -20]


def test_a_vehicle_that_stands_keeps_its_heading(bench: Any) -> None:
    ear = Ear(bench, heading_deg=30)
    ear.hear((0, 0, 5), (5, 0, 5), (5, 0, 0), (5, 0, 0), (9, 0, 5))
    assert ear.sent == 2


def test_any_criterion_is_enough_and_one_of_zero_is_not_looked_at(bench: Any) -> None:
    ear = Ear(bench, distance_m=10, speed_mps=2)
    assert ear.hear((0, 0, 5), (5, 5, 5), (5, 5, 1), (5, 17, 1)) == [0, 0, 5, 5]
    assert ear.sent == 3


def test_batches_know_what_single_frames_know(bench: Any) -> None:
    """Three vehicles wander; told frame by frame or at once, the same is known and the same is sent."""
    rng = np.random.default_rng(1)
    way = np.cumsum(rng.normal(0, 6, (40, 3, 2)), axis=0)
    options = ReportOptions(9.0, 40.0, 3.0)
    speed = rng.uniform(0, 9, (40, 3))
    known = []
    for at_once in (1, 7, 40):
        reports, follower, seen = Reports(options), Follower(), np.full((40, 3), np.nan)
        for part in (reports, follower):
            part.admit(3)
        for begin in range(0, 40, at_once):
            some = range(begin, min(begin + at_once, 40))
            frames = bench.frames([bench.frame([0, 1, 2], float(k), x_m=way[k, :, 0], y_m=way[k, :, 1], speed_mps=speed[k]) for k in some])
            tracks = follower.follow(frames)
            seen[begin + tracks.frame, tracks.vehicle[tracks.track]] = reports.read(tracks).x_m
        known.append((seen, reports.sent))
    for other in known[1:]:
        assert (other[0] == known[0][0]).all()
        assert (other[1] == known[0][1]).all()
    assert 3 < known[0][1].sum() < 120


@pytest.mark.parametrize(("options", "each_frame"), [((0, 0, 0), True), ((0, 1, 0), False), ((1, 0, 0), False), ((0, 0, 1), False)])
def test_each_frame_is_when_all_thresholds_are_zero(options: tuple, each_frame: bool) -> None:
    assert ReportOptions(*options).each_frame == each_frame
