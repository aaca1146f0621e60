"""Frames from GPS traces that have been matched to roads: where people are, and what the control plane knows of it by then.

A person's position is the measured one, between measurements on the straight line. Edge, position on it and speed are those of the newest
measurement that has been decided; the rest of the way is known to the oracles only. docs/gps.md.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.mobility.frame import NO_EDGE, AsMatched, Frames, Roster, rounded
from msmf_traci.mobility.matching.matcher import Matched

SAMPLES_AT_ONCE = 250_000
MOST_OF_MEASURED = 1.5  # nobody is known to be faster than so many times the greatest speed measured so far
TIE_STEPS = 1e-6  # what is less than this before a frame, or after it, is at it: sums of tenths of a second are not exact


@dataclass(frozen=True)
class MatchedTrace:
    """A trace on the map; arrays of shape (n,).

    Attributes
    ----------
    name, mode
        Id in tables, and means of transport ("" where unknown).
    begin_s
        When it begins in the run.
    time_s
        Of each position, since the first one.
    x_m, y_m
        Positions on the map.
    matched
        On which roads.
    lag_s
        How long after it was measured a position is decided; infinite: the whole way is known beforehand.
    """

    name: str
    mode: str
    begin_s: float
    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    matched: Matched
    lag_s: float


class GpsSource:
    """Frames of matched traces.

    Parameters
    ----------
    traces
        The traces.
    length_m
        Length of each road edge.
    step_s
        Time from frame to frame.
    max_duration_s
        What comes later is left out.
    """

    def __init__(self, traces: Sequence[MatchedTrace], length_m: FloatArray, step_s: float, max_duration_s: float) -> None:
        self._step_s = step_s
        last_frame = int(np.floor(max_duration_s / step_s + TIE_STEPS))
        courses = [_Course(trace, length_m, step_s) for trace in traces]
        shown = [course for course in courses if course.first_frame <= min(last_frame, course.last_frame)]
        shown.sort(key=lambda course: (course.first_frame, course.trace.name))
        self.cut = sum(course.last_frame > last_frame for course in shown)
        """Traces that go on after the last frame."""
        self.too_late = sum(course.first_frame > last_frame for course in courses)
        """Traces that begin after it."""
        self.between_frames = len(traces) - len(shown) - self.too_late
        """Traces that begin and end between two frames."""
        self._courses = shown
        self._first: IntArray = np.array([course.first_frame for course in shown], dtype=np.int64)
        self._last: IntArray = np.array([min(course.last_frame, last_frame) for course in shown], dtype=np.int64)
        routes = [course.trace.matched.route for course in shown]
        self.roster = Roster(vehicles=[course.trace.name for course in shown], routes=routes, modes=[course.trace.mode for course in shown])
        counts = self.roster.counts
        counts.inserted, counts.left_out = len(shown), len(traces) - len(shown)
        counts.arrived = len(shown) - self.cut
        counts.end_s = float(self._last.max() * step_s) if len(shown) else 0.0

    def frames(self) -> Generator[Frames, None, None]:
        """Frames in the order of time; there is none where nobody is on the road."""
        at_once = max(1, SAMPLES_AT_ONCE // max(1, len(self._courses)))
        for begin, end in self._spans():
            for first in range(begin, end, at_once):
                yield self._batch(first, min(first + at_once, end))

    def _spans(self) -> list[tuple[int, int]]:
        """First frame, and the one after the last, of the times when somebody is on the road."""
        spans: list[tuple[int, int]] = []
        for first, last in zip(self._first.tolist(), self._last.tolist(), strict=True):
            if spans and first <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(spans[-1][1], last + 1)
            else:
                spans.append((first, last + 1))
        return spans

    def _batch(self, begin: int, end: int) -> Frames:
        """The frames `begin` to `end`."""
        on_road = np.flatnonzero((self._first < end) & (self._last >= begin))
        parts = [
            self._courses[vehicle].samples(max(begin, int(self._first[vehicle])), min(end, int(self._last[vehicle]) + 1))
            for vehicle in on_road.tolist()
        ]
        frame = np.concatenate([part.frame for part in parts])
        vehicle = np.repeat(on_road, [len(part.frame) for part in parts])
        order = np.lexsort((vehicle, frame))
        frame, vehicle = frame[order], vehicle[order]
        columns = {
            name: np.concatenate([getattr(part, name) for part in parts])[order]
            for name in ("x_m", "y_m", "speed_mps", "edge", "position_m", "route_index", "known_mps", "since_m", "route_m")
        }
        return Frames(
            times_s=np.round(np.arange(begin, end) * self._step_s, 6),
            start=np.searchsorted(frame, np.arange(begin, end + 1)),
            vehicle=vehicle,
            x_m=rounded(columns["x_m"]),
            y_m=rounded(columns["y_m"]),
            speed_mps=rounded(columns["speed_mps"]),
            edge=columns["edge"],
            position_m=rounded(columns["position_m"]),
            route=vehicle,
            route_index=columns["route_index"],
            first=frame == self._first[vehicle],
            last=frame == self._last[vehicle],
            as_matched=AsMatched(*(rounded(columns[name]) for name in ("known_mps", "since_m", "route_m"))),
        )


@dataclass(frozen=True)
class _Samples:
    """Frames of one trace, shape (n,)."""

    frame: IntArray
    x_m: FloatArray
    y_m: FloatArray
    speed_mps: FloatArray
    edge: IntArray
    position_m: FloatArray
    known_mps: FloatArray
    since_m: FloatArray
    route_index: IntArray
    route_m: FloatArray


class _Course:
    """One trace from frame to frame."""

    def __init__(self, trace: MatchedTrace, length_m: FloatArray, step_s: float) -> None:
        self.trace = trace
        self._length_m = length_m
        self._step_s = step_s
        self.first_frame = int(np.ceil(trace.begin_s / step_s - TIE_STEPS))
        self.last_frame = int(np.floor((trace.begin_s + trace.time_s[-1]) / step_s + TIE_STEPS))
        matched = trace.matched
        self._way_m = np.concatenate([[0.0], np.cumsum(length_m[matched.route])])
        on_road = matched.route_index >= 0
        self._along_m = np.where(on_road, self._way_m[np.maximum(matched.route_index, 0)] + matched.route_m, 0.0)
        moved_m = np.hypot(np.diff(trace.x_m), np.diff(trace.y_m))
        measured_mps = np.concatenate([[moved_m[0] / trace.time_s[1]], moved_m / np.diff(trace.time_s)])
        # along a way that turns out wrong anything can come out
        decided_mps = np.clip(matched.decided.speed_mps, 0.0, MOST_OF_MEASURED * np.maximum.accumulate(measured_mps))
        self._known_mps = np.where(np.isnan(decided_mps), measured_mps, decided_mps)

    def samples(self, begin: int, end: int) -> _Samples:
        """The frames `begin` to `end` of it."""
        trace = self.trace
        frame = np.arange(begin, end)
        time_s = self._since_begin(frame)
        x_m, y_m = np.interp(time_s, trace.time_s, trace.x_m), np.interp(time_s, trace.time_s, trace.y_m)
        # at its first frame, what comes next
        before_s = self._since_begin(np.maximum(frame - 1, self.first_frame))
        after_s = np.where(frame == self.first_frame, self._since_begin(np.minimum(frame + 1, self.last_frame)), time_s)
        moved_x_m = np.interp(after_s, trace.time_s, trace.x_m) - np.interp(before_s, trace.time_s, trace.x_m)
        moved_y_m = np.interp(after_s, trace.time_s, trace.y_m) - np.interp(before_s, trace.time_s, trace.y_m)
        speed_mps = np.hypot(moved_x_m, moved_y_m) / self._step_s
        route_index, route_m = self._on_way(time_s)
        if np.isinf(trace.lag_s):
            edge = np.where(route_index >= 0, np.append(trace.matched.route, NO_EDGE)[route_index], NO_EDGE)
            newest = np.searchsorted(trace.time_s, time_s + TIE_STEPS * self._step_s, side="right") - 1
            known_mps, since_m = self._known_mps[newest], np.zeros(len(frame))
            return _Samples(frame, x_m, y_m, speed_mps, edge, route_m, known_mps, since_m, route_index, route_m)
        decided = trace.matched.decided
        newest = np.searchsorted(trace.time_s + trace.lag_s, time_s + TIE_STEPS * self._step_s, side="right") - 1
        is_known = newest >= 0
        edge = np.where(is_known, decided.edge[newest], NO_EDGE)
        position_m = np.where(is_known, decided.position_m[newest], 0.0)
        known_mps = np.where(is_known, self._known_mps[newest], speed_mps)
        since_m = np.where(is_known, known_mps * (time_s - trace.time_s[newest]), 0.0)
        return _Samples(frame, x_m, y_m, speed_mps, edge, position_m, known_mps, since_m, route_index, route_m)

    def _since_begin(self, frame: IntArray) -> FloatArray:
        """Time of a frame since the first position; rounding puts none before it."""
        return np.asarray(np.maximum(frame * self._step_s - self.trace.begin_s, 0.0), dtype=np.float64)

    def _on_way(self, time_s: FloatArray) -> tuple[IntArray, FloatArray]:
        """Index on the way and position on its edge at these times: between two positions on roads the way is gone evenly."""
        matched = self.trace.matched
        after = np.minimum(np.searchsorted(self.trace.time_s, time_s, side="left"), len(self.trace.time_s) - 1)
        before = np.where(self.trace.time_s[after] <= time_s, after, np.maximum(after - 1, 0))
        on_road: BoolArray = (matched.route_index[before] >= 0) & (matched.route_index[after] >= 0)
        along_m = np.interp(time_s, self.trace.time_s, self._along_m)
        low, high = matched.route_index[before], matched.route_index[after]
        index = np.clip(np.searchsorted(self._way_m, along_m, side="right") - 1, low, high)
        index = np.where(on_road, index, -1)
        position_m = np.where(on_road, along_m - self._way_m[np.maximum(index, 0)], 0.0)
        longest_m = np.append(self._length_m[matched.route], 0.0)[index]
        return index, np.clip(position_m, 0.0, longest_m)
