"""What each vehicle's trip was, whatever the strategy: time on the road, distance, seconds outside the deployment or off the map."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, IntArray, extended
from msmf_traci.mobility.frame import NO_EDGE, Frame


class TripLog:
    """Running totals, arrays by vehicle number."""

    def __init__(self) -> None:
        self.first_s = np.zeros(0)
        self.last_s = np.zeros(0)
        self.distance_m = np.zeros(0)
        self.outside_s = np.zeros(0)
        self.unmatched_s = np.zeros(0)
        self.frames: IntArray = np.zeros(0, dtype=np.int64)
        self._outside: BoolArray = np.zeros(0, dtype=bool)
        self._unmatched: BoolArray = np.zeros(0, dtype=bool)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        for name in ("first_s", "last_s", "distance_m", "outside_s", "unmatched_s"):
            setattr(self, name, extended(getattr(self, name), n, 0.0))
        self.frames = extended(self.frames, n, 0)
        for name in ("_outside", "_unmatched"):
            setattr(self, name, extended(getattr(self, name), n, False))

    def observe(self, frame: Frame, outside: BoolArray) -> None:
        """Take in one frame; what was true at a vehicle's last frame holds until this one."""
        v = frame.vehicle
        self.first_s[v[frame.first]] = frame.time_s
        passed_s = np.where(frame.first, 0.0, frame.time_s - self.last_s[v])
        self.distance_m[v] += frame.speed_mps * passed_s
        self.outside_s[v] += np.where(self._outside[v], passed_s, 0.0)
        self.unmatched_s[v] += np.where(self._unmatched[v], passed_s, 0.0)
        self.last_s[v] = frame.time_s
        self.frames[v] += 1
        self._outside[v] = outside
        self._unmatched[v] = frame.edge == NO_EDGE

    @property
    def road_s(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Seconds on the road: last frame minus first."""
        return self.last_s - self.first_s
