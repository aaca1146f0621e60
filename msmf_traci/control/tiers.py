"""Which tier serves a task: the highest whose latency meets the task's level. Model, section 2."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.deployment.servers import TierLatency


class TierChoice:
    """The tier of a strategy that may use the first `tiers` tiers, counted from the lowest.

    Parameters
    ----------
    latency
        Latencies of the tiers.
    min_speed_mps
        Below this speed the lowest eligible tier is taken.
    tiers
        How many tiers the strategy may use.
    """

    def __init__(self, latency: TierLatency, min_speed_mps: float, tiers: int) -> None:
        self._latency_ms = latency.by_tier_ms[:tiers]
        self._min_speed_mps = min_speed_mps

    def eligible(self, level_ms: FloatArray) -> BoolArray:
        """Whether each tier meets each level, shape (n, tiers)."""
        return np.asarray(self._latency_ms[None, :] <= level_ms[:, None], dtype=bool)

    def choose(self, level_ms: FloatArray, speed_mps: FloatArray | None = None) -> IntArray:
        """Tier for tasks of these levels; with speeds, slow vehicles take the lowest eligible tier; none eligible: the lowest."""
        eligible = self.eligible(level_ms)
        some = eligible.any(axis=1)
        highest = eligible.shape[1] - 1 - np.argmax(eligible[:, ::-1], axis=1)
        tier = np.where(some, highest, 0)
        if speed_mps is not None and self._min_speed_mps > 0:
            lowest = np.where(some, np.argmax(eligible, axis=1), 0)
            tier = np.where(speed_mps < self._min_speed_mps, lowest, tier)
        return tier.astype(np.int64)
