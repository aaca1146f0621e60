"""The filter for short crossings (OP): which attached homes are too short to move to. Model, section 6."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended
from msmf_traci.control.prediction import Ahead


@dataclass(frozen=True)
class CoverageLimits:
    """What counts as short: covered for less than `min_m`, or crossed in less than `min_dwell_s`."""

    min_m: float
    min_dwell_s: float

    def is_short(self, length_m: FloatArray, speed_mps: FloatArray) -> BoolArray:
        """Whether crossings of this length at this speed are short."""
        return np.asarray((length_m < self.min_m) | (length_m < self.min_dwell_s * speed_mps), dtype=bool)


class ShortCells:
    """One strategy's verdicts, remembered for every vehicle.

    A verdict is given on entering an area; while it is short, it is given again whenever the edge changes.
    """

    def __init__(self, limits: CoverageLimits) -> None:
        self.limits = limits
        self._area: IntArray = np.zeros(0, dtype=np.int64)
        self._edge: IntArray = np.zeros(0, dtype=np.int64)
        self._short: BoolArray = np.zeros(0, dtype=bool)

    def judge(self, vehicle: IntArray, edge: IntArray, speed_mps: FloatArray, ahead: Ahead) -> BoolArray:
        """Whether the attached home of each vehicle is short, by the verdict in force."""
        self._make_room(vehicle)
        entered = self._area[vehicle] != ahead.home
        again = ~entered & self._short[vehicle] & (self._edge[vehicle] != edge)
        anew = entered | again
        verdict = np.where(anew, self.limits.is_short(ahead.coverage_m(), speed_mps), self._short[vehicle])
        self._area[vehicle] = ahead.home
        self._edge[vehicle] = edge
        self._short[vehicle] = verdict
        return verdict

    def passed_over(self, ahead: Ahead, speed_mps: FloatArray) -> BoolArray:
        """Stretches too short to be targets; never the last one seen."""
        short = self.limits.is_short(ahead.length_m, np.broadcast_to(speed_mps[:, None], ahead.length_m.shape))
        is_last = np.arange(short.shape[1]) == ahead.last[:, None]
        return np.asarray(short & ~is_last, dtype=bool)

    def _make_room(self, vehicle: IntArray) -> None:
        more = (int(vehicle.max()) + 1 if len(vehicle) else 0) - len(self._area)
        if more > 0:
            self._area = extended(self._area, more, -1)
            self._edge = extended(self._edge, more, -2)
            self._short = extended(self._short, more, False)
