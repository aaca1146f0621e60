"""Which tier serves a task: the highest whose latency meets the task's level. Model, section 2."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.deployment.server_map import ROUNDING_MS, RequestLatency


class TierChoice:
    """The tier of a strategy that may use the first `tiers` tiers, counted from the lowest.

    Parameters
    ----------
    latency
        Latencies of the tiers.
    min_speed_mps
        Below this speed the lowest eligible tier is taken.
    tiers
        How many tiers the strategy may use; None: all.
    up_ms
        Latency of the path from each cell to its server of each tier, shape (tiers, cells); None without links.
    """

    def __init__(self, latency: RequestLatency, min_speed_mps: float, tiers: int | None, up_ms: FloatArray | None = None) -> None:
        self.latency = latency
        self._latency_ms = np.array(latency.by_tier_ms)[:tiers]
        self._min_speed_mps = min_speed_mps
        self._up_ms = up_ms

    @property
    def depends_on_place(self) -> bool:
        """Whether the tier may change on the way: with the cell, or with the speed."""
        return self._up_ms is not None or self._min_speed_mps > 0

    def eligible(self, level_ms: FloatArray, cell: IntArray | None = None) -> BoolArray:
        """Whether each tier meets each level, shape (n, tiers)."""
        latency_ms: FloatArray = np.broadcast_to(self._latency_ms, (len(level_ms), len(self._latency_ms)))
        if self._up_ms is not None and cell is not None:
            latency_ms = latency_ms + self._up_ms[: len(self._latency_ms), cell].T
        return np.asarray(latency_ms <= level_ms[:, None] + ROUNDING_MS, dtype=bool)

    def choose(self, level_ms: FloatArray, speed_mps: FloatArray | None = None, cell: IntArray | None = None) -> IntArray:
        """Tier for tasks of these levels; with speeds, slow vehicles take the lowest eligible tier; none eligible: the lowest.

        Parameters
        ----------
        level_ms, speed_mps, cell
            Level, speed and attached cell of each task's vehicle, shape (n,); cells are needed with links.
        """
        eligible = self.eligible(level_ms, cell)
        some = eligible.any(axis=1)
        highest = eligible.shape[1] - 1 - np.argmax(eligible[:, ::-1], axis=1)
        tier = np.where(some, highest, 0)
        if speed_mps is not None and self._min_speed_mps > 0:
            lowest = np.where(some, np.argmax(eligible, axis=1), 0)
            tier = np.where(speed_mps < self._min_speed_mps, lowest, tier)
        return tier.astype(np.int64)
