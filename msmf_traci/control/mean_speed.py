"""The mean of the speeds that were known of a vehicle during the last minute."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended
from msmf_traci.compiled import compiled
from msmf_traci.mobility.tracks import Tracks

WINDOW_S = 60.0


class MeanSpeeds:
    """Remembers sums of speeds from each vehicle's first frame on, so that batches may be cut anywhere."""

    def __init__(self) -> None:
        self._sum = np.zeros(0)
        # frames that are still in the window, a vehicle after the other: their times, and the sums before them
        self._start: IntArray = np.zeros(1, dtype=np.int64)
        self._time_s = np.zeros(0)
        self._sum_before = np.zeros(0)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self._sum = extended(self._sum, n, 0.0)
        self._start = extended(self._start, n, int(self._start[-1]))

    def mean(self, tracks: Tracks, speed_mps: FloatArray) -> FloatArray:
        """Mean of the known speeds, at each sample, over its vehicle's frames later than a minute before."""
        found = np.empty(len(tracks))
        self._start, self._time_s, self._sum_before = _mean(
            *(tracks.start, tracks.vehicle, tracks.time_s, tracks.last, speed_mps),
            *(self._sum, self._start, self._time_s, self._sum_before, found),
        )
        return found


@compiled
def _mean(
    start: IntArray,
    vehicle: IntArray,
    time_s: FloatArray,
    last: BoolArray,
    speed_mps: FloatArray,
    sums: FloatArray,
    old_start: IntArray,
    old_time_s: FloatArray,
    old_sum_before: FloatArray,
    found: FloatArray,
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Fill in the means; returns the frames that are still in the window at the end."""
    most = len(old_time_s) + len(time_s)
    new_start, new_time_s, new_sum_before = np.zeros(len(old_start), dtype=np.int64), np.empty(most), np.empty(most)
    n, i = 0, 0
    for v in range(len(old_start) - 1):
        begin = head = n
        for k in range(old_start[v], old_start[v + 1]):
            new_time_s[n], new_sum_before[n] = old_time_s[k], old_sum_before[k]
            n += 1
        if i < len(vehicle) and vehicle[i] == v:
            for s in range(start[i], start[i + 1]):
                new_time_s[n], new_sum_before[n] = time_s[s], sums[v]
                sums[v] += speed_mps[s]
                n += 1
                while new_time_s[head] <= time_s[s] - WINDOW_S:
                    head += 1
                found[s] = (sums[v] - new_sum_before[head]) / (n - head)
            if last[start[i + 1] - 1]:
                head = n
            for k in range(head, n):
                new_time_s[begin + k - head], new_sum_before[begin + k - head] = new_time_s[k], new_sum_before[k]
            n = begin + n - head
            i += 1
        new_start[v + 1] = n
    return new_start, new_time_s[:n].copy(), new_sum_before[:n].copy()
