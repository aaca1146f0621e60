"""What each trip was: seconds, metres, seconds outside the deployment and off the map (model, sections 1, 4 and 9)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msmf_traci.mobility.frame import NO_EDGE, Frames
from msmf_traci.mobility.tracks import Follower
from msmf_traci.mobility.trip_log import TripLog

ROAD = 4


def frame(time_s, vehicle, *, speed_mps=0.0, edge=ROAD, first=False):
    n = len(vehicle)
    zeros, numbers = np.zeros(n), np.zeros(n, dtype=np.int64)
    return Frames(
        times_s=np.array([time_s], dtype=np.float64),
        start=np.array([0, n]),
        vehicle=np.array(vehicle, dtype=np.int64),
        x_m=zeros,
        y_m=zeros,
        speed_mps=np.broadcast_to(np.asarray(speed_mps, dtype=np.float64), n),
        edge=np.broadcast_to(np.asarray(edge, dtype=np.int64), n),
        position_m=zeros,
        route=numbers,
        route_index=numbers,
        first=np.broadcast_to(np.asarray(first), n),
        last=np.zeros(n, dtype=bool),
    )


def outside(*flags):
    return np.array(flags, dtype=bool)


class Log(TripLog):
    """A log that is told frames."""

    def __init__(self):
        super().__init__()
        self._follower = Follower()

    def admit(self, n):
        super().admit(n)
        self._follower.admit(n)

    def see(self, frames, outside):
        tracks = self._follower.follow(frames)
        self.observe(tracks, outside[tracks.order])


def test_time_on_the_road_is_last_frame_minus_first():
    log = Log()
    log.admit(2)
    log.see(frame(100, [0], first=True), outside(False))
    log.see(frame(101, [1, 0], first=[True, False]), outside(False, False))
    log.see(frame(104, [1]), outside(False))
    assert list(log.road_s) == [1, 3]


def test_distance_is_speed_times_the_step_that_led_to_it():
    """10 m/s over 1 s and 20 m/s over 2 s: 50 m; the speed at the first frame leads to nothing."""
    log = Log()
    log.admit(1)
    for time_s, speed_mps, first in ((5, 99.0, True), (6, 10.0, False), (8, 20.0, False)):
        log.see(frame(time_s, [0], speed_mps=speed_mps, first=first), outside(False))
    assert log.distance_m[0] == 50


def test_outside_holds_from_the_frame_that_shows_it_until_the_next():
    """Outside at 0 s and 1 s, inside at 3 s and 4 s: 1 + 2 s; outside at the last frame counts nothing."""
    log = Log()
    log.admit(1)
    for time_s, is_outside in ((0, True), (1, True), (3, False), (4, False), (9, True)):
        log.see(frame(time_s, [0], first=time_s == 0), outside(is_outside))
    assert log.outside_s[0] == 3
    assert log.unmatched_s[0] == 0


def test_off_the_map_holds_until_the_next_frame():
    """No edge at 2 s, on a road again at 5 s."""
    log = Log()
    log.admit(1)
    for time_s, edge in ((0, ROAD), (2, NO_EDGE), (5, ROAD), (7, ROAD)):
        log.see(frame(time_s, [0], edge=edge, first=time_s == 0), outside(False))
    assert log.unmatched_s[0] == 3
    assert log.outside_s[0] == 0


def test_one_frame_is_no_time_and_no_way():
    log = Log()
    log.admit(1)
    log.see(frame(42, [0], speed_mps=30.0, edge=NO_EDGE, first=True), outside(True))
    assert (log.road_s[0], log.distance_m[0], log.outside_s[0], log.unmatched_s[0]) == (0, 0, 0, 0)


def test_admitting_more_vehicles_keeps_what_is_known():
    log = Log()
    log.admit(1)
    log.see(frame(0, [0], first=True), outside(True))
    log.admit(2)
    log.see(frame(3, [2, 0], speed_mps=[5.0, 2.0], first=[True, False]), outside(False, False))
    assert list(log.outside_s) == [3, 0, 0]
    assert list(log.distance_m) == [6, 0, 0]


@given(
    steps=st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 50), st.booleans(), st.booleans()), min_size=1, max_size=20),
    start_s=st.floats(0, 1e4),
)
def test_shares_of_a_trip_never_exceed_it(steps, start_s):
    log = Log()
    log.admit(1)
    time_s, fastest = start_s, 0.0
    log.see(frame(time_s, [0], first=True), outside(False))
    for step_s, speed_mps, is_outside, is_off in steps:
        time_s, fastest = time_s + step_s, max(fastest, speed_mps)
        log.see(frame(time_s, [0], speed_mps=speed_mps, edge=NO_EDGE if is_off else ROAD), outside(is_outside))
    assert log.road_s[0] == pytest.approx(time_s - start_s)
    for part_s in (log.outside_s[0], log.unmatched_s[0]):
        assert 0 <= part_s <= log.road_s[0] + 1e-6
    assert 0 <= log.distance_m[0] <= fastest * log.road_s[0] + 1e-6
