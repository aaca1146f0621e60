"""The mean speed of the last minute: at a frame at t it is that of the vehicle's frames in (t - 60 s, t], however batches are cut."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.control.mean_speed import MeanSpeeds
from msmf_traci.mobility.frame import SAMPLE_COLUMNS, Frames
from msmf_traci.mobility.tracks import Follower

VEHICLES = 3
Speeds = dict[int, float]  # of each vehicle on the road


@dataclass(frozen=True)
class Drive:
    """Times of frames, the speeds of the vehicles in each, and the last frame of each vehicle that arrives."""

    times_s: Sequence[float]
    speeds: Sequence[Speeds]
    last: dict[int, int]

    def batch(self, begin: int, end: int) -> Frames:
        """Some of the frames."""
        samples = [(f, v, mps) for f in range(begin, end) for v, mps in sorted(self.speeds[f].items())]
        columns = {name: np.zeros(len(samples)) for name in SAMPLE_COLUMNS}
        for name in ("vehicle", "edge", "route", "route_index"):
            columns[name] = np.zeros(len(samples), dtype=np.int64)
        columns["vehicle"][:] = [v for _, v, _ in samples]
        columns["speed_mps"][:] = [mps for _, _, mps in samples]
        columns["first"] = np.zeros(len(samples), dtype=bool)
        columns["last"] = np.array([self.last.get(v) == f for f, v, _ in samples], dtype=bool)
        start = np.cumsum([0, *(len(self.speeds[f]) for f in range(begin, end))])
        return Frames(np.array(self.times_s[begin:end], dtype=float), start, **columns)

    def means(self, cuts: Sequence[int] = ()) -> dict[tuple[int, int], float]:
        """What is found at each frame of each vehicle, the frames being cut into batches before some of them."""
        follower, mean_speeds = Follower(), MeanSpeeds()
        follower.admit(VEHICLES)
        mean_speeds.admit(VEHICLES)
        ends, found = [0, *cuts, len(self.times_s)], {}
        for begin, end in pairwise(ends):
            tracks = follower.follow(self.batch(begin, end))
            means = mean_speeds.mean(tracks, tracks.speed_mps)
            of_vehicle = tracks.vehicle[tracks.track]
            found |= {(begin + f, v): mean for f, v, mean in zip(tracks.frame.tolist(), of_vehicle.tolist(), means.tolist(), strict=True)}
        return found

    def plainly(self) -> dict[tuple[int, int], float]:
        """The same as it is defined."""
        means = {}
        for f, of_vehicle in enumerate(self.speeds):
            for v in of_vehicle:
                frames = [g for g in range(f + 1) if v in self.speeds[g] and self.times_s[g] > self.times_s[f] - 60.0]
                means[f, v] = math.fsum(self.speeds[g][v] for g in frames) / len(frames)
        return means


def alone(times_s: Sequence[float], speeds_mps: Sequence[float]) -> list[float]:
    """The means of one vehicle that is in every frame."""
    return list(Drive(times_s, [{0: mps} for mps in speeds_mps], {}).means().values())


def test_a_speed_that_rises_steadily_has_the_mean_of_the_middle_of_its_last_minute() -> None:
    """Frames at 0, 1, ..., 99 s, t m/s at t: up to 59 s all frames count, with the mean t / 2; then those at t - 59, ..., t: t - 29.5."""
    found = alone(range(100), range(100))
    assert found == [t / 2 if t < 60 else t - 29.5 for t in range(100)]


def test_what_was_known_just_a_minute_before_counts_no_longer() -> None:
    """At 60 s the frame at 0 s is out; at 60 s the one at 0.5 s is in: (1 + 5) / 2."""
    assert alone([0, 60], [1, 5]) == [1, 5]
    assert alone([0, 0.5, 60], [9, 1, 5]) == [9, 5, 3]


def test_after_a_pause_of_more_than_a_minute_the_new_frame_counts_alone() -> None:
    speeds: list[Speeds] = [{0: 4.0, 1: 1.0}, {0: 8.0}, {1: 3.0}, {0: 20.0, 1: 5.0}, {0: 10.0}]
    found = Drive([0, 1, 30, 62, 63], speeds, {}).means(cuts=[2])
    assert [found[f, 0] for f in (0, 1, 3, 4)] == [4, 6, 20, 15]
    assert [found[f, 1] for f in (0, 2, 3)] == [1, 2, 4]


def test_vehicles_that_are_admitted_later_begin_with_nothing() -> None:
    early, both = Drive([0], [{0: 6.0}], {}), Drive([1], [{0: 2.0, 1: 8.0}], {})
    follower, mean_speeds = Follower(), MeanSpeeds()
    found = []
    for drive in (early, both):
        follower.admit(1)
        mean_speeds.admit(1)
        tracks = follower.follow(drive.batch(0, 1))
        found += mean_speeds.mean(tracks, tracks.speed_mps).tolist()
    assert found == [6, 4, 8]


# steps that end on the border of the window, just inside and just outside, or jump over it
STEPS_S = st.sampled_from([0.1, 0.5, 1.0, 15.0, 20.0, 29.5, 30.0, 59.9, 60.0, 60.1, 200.0])
SPEEDS_MPS = st.one_of(st.sampled_from([0.0, 0.1, 13.9, 1e-9]), st.floats(0, 70))


@st.composite
def drives(draw: st.DrawFn) -> Drive:
    """Some frames of three vehicles that come, pause and arrive."""
    steps_s = draw(st.lists(STEPS_S, min_size=1, max_size=25))
    speeds = [draw(st.dictionaries(st.integers(0, VEHICLES - 1), SPEEDS_MPS, max_size=VEHICLES)) for _ in steps_s]
    seen = {v: [f for f, frame in enumerate(speeds) if v in frame] for v in range(VEHICLES)}
    arriving = draw(st.sets(st.integers(0, VEHICLES - 1)))
    return Drive(np.cumsum(steps_s).tolist(), speeds, {v: seen[v][-1] for v in arriving if seen[v]})


@settings(max_examples=150, deadline=None)
@given(drives(), st.data())
def test_the_mean_is_as_defined_and_the_same_for_any_batches(drive: Drive, data: st.DataObject) -> None:
    frames = st.integers(1, len(drive.times_s) - 1) if len(drive.times_s) > 1 else st.nothing()
    one, other = (sorted(data.draw(st.sets(frames))) for _ in range(2))
    found = drive.means(one)
    assert found == pytest.approx(drive.plainly(), rel=1e-9, abs=1e-9)
    assert found == drive.means(other)
