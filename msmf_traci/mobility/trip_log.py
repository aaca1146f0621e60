"""What each vehicle's trip was, whatever the strategy: time on the road, distance, seconds outside the deployment or off the map."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended
from msmf_traci.compiled import compiled
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.mobility.tracks import Tracks


class TripLog:
    """Running totals, arrays by vehicle number."""

    def __init__(self) -> None:
        self.first_s = np.zeros(0)
        self.last_s = np.zeros(0)
        self.distance_m = np.zeros(0)
        self.outside_s = np.zeros(0)
        self.unmatched_s = np.zeros(0)
        self._outside: BoolArray = np.zeros(0, dtype=bool)
        self._unmatched: BoolArray = np.zeros(0, dtype=bool)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        for name in ("first_s", "last_s", "distance_m", "outside_s", "unmatched_s"):
            setattr(self, name, extended(getattr(self, name), n, 0.0))
        for name in ("_outside", "_unmatched"):
            setattr(self, name, extended(getattr(self, name), n, False))

    def observe(self, tracks: Tracks, outside: BoolArray) -> None:
        """Take in a batch; what was true at a vehicle's last frame holds until the next one."""
        _observe(
            *(tracks.start, tracks.vehicle, tracks.time_s, tracks.speed_mps, tracks.first, outside, tracks.edge == NO_EDGE),
            *(self.first_s, self.last_s, self.distance_m, self.outside_s, self.unmatched_s, self._outside, self._unmatched),
        )

    @property
    def road_s(self) -> FloatArray:
        """Seconds on the road: last frame minus first."""
        return self.last_s - self.first_s

    @property
    def span_s(self) -> tuple[float, float]:
        """First frame and last frame of all."""
        return float(self.first_s.min()), float(self.last_s.max())


@compiled
def _observe(
    start: IntArray,
    vehicle: IntArray,
    time_s: FloatArray,
    speed_mps: FloatArray,
    first: BoolArray,
    outside: BoolArray,
    unmatched: BoolArray,
    first_s: FloatArray,
    last_s: FloatArray,
    distance_m: FloatArray,
    outside_s: FloatArray,
    unmatched_s: FloatArray,
    was_outside: BoolArray,
    was_unmatched: BoolArray,
) -> None:
    for i in range(len(vehicle)):
        v = vehicle[i]
        for s in range(start[i], start[i + 1]):
            if first[s]:
                first_s[v] = time_s[s]
            else:
                passed_s = time_s[s] - last_s[v]
                distance_m[v] += speed_mps[s] * passed_s
                if was_outside[v]:
                    outside_s[v] += passed_s
                if was_unmatched[v]:
                    unmatched_s[v] += passed_s
            last_s[v] = time_s[s]
            was_outside[v], was_unmatched[v] = outside[s], unmatched[s]
