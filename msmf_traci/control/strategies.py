"""The strategies: for each vehicle, where its container must be now and where to copy it ahead of time. Model, section 6.

A strategy of your own is a class with `decide`; see docs/strategies.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from msmf_traci.control.short_cells import CoverageLimits, ShortCells
from msmf_traci.control.situation import Decision, Situation
from msmf_traci.sentinels import KEEP, NO_SERVER

__all__ = ["KEEP", "NO_SERVER", "Decision", "Situation", "Strategy", "StrategyOptions"]


@dataclass(frozen=True)
class StrategyOptions:
    """Options of the strategies: the trigger of `nearest`, and what OP takes for a short cell."""

    nearest_trigger_m: float
    coverage: CoverageLimits


class Strategy:
    """A way to place containers.

    Attributes
    ----------
    name
        Its name in tables.
    tiers
        How many tiers it uses, counted from the lowest; None: all, as far up as the latency level of the task allows.
    predictor
        `map`: predict from the road map; `route`: know the route (perfect prediction).
    """

    name: ClassVar[str]
    tiers: ClassVar[int | None] = 1
    predictor: ClassVar[str] = "map"

    def __init__(self, options: StrategyOptions) -> None:
        self.options = options

    def decide(self, now: Situation) -> Decision:
        """Answer for every vehicle of a frame."""
        raise NotImplementedError


class Never(Strategy):
    """The container stays where it was first deployed."""

    name = "never"

    def decide(self, now: Situation) -> Decision:
        """Keep, copy nothing."""
        return Decision(now.everywhere(KEEP), now.everywhere(NO_SERVER))


class Nearest(Strategy):
    """Follow the user; copy to the neighbour whose border is near and towards which the user moves."""

    name = "nearest"

    def decide(self, now: Situation) -> Decision:
        """Home: the attached cell's server; target: that of the neighbour with the nearest border within the trigger."""
        cells = now.cells
        other = cells.neighbours[now.cell]
        own = now.cell[:, None]
        server_of = now.servers.server_of[0]
        exists = (other >= 0) & (server_of[other] != server_of[own])
        other = np.where(exists, other, np.where(own > 0, 0, 1))  # any other cell, so that a missing neighbour has a border too
        distance_m = cells.border_distance_m(now.x_m[:, None], now.y_m[:, None], own, other)
        towards = now.dx_m[:, None] * (cells.x_m[other] - cells.x_m[own]) + now.dy_m[:, None] * (cells.y_m[other] - cells.y_m[own])
        near = exists & (towards > 0) & (distance_m < self.options.nearest_trigger_m)
        which = np.argmin(np.where(near, distance_m, np.inf), axis=1)
        rows = np.arange(len(now))
        return Decision(now.home, np.where(near.any(axis=1), server_of[other[rows, which]], NO_SERVER))


class Pm(Strategy):
    """Follow the user; copy to the next home on the road (the paper's PM)."""

    name = "pm"

    def decide(self, now: Situation) -> Decision:
        """Home: the attached home; target: the next home."""
        return Decision(now.home, now.next_home())


class PmOp(Strategy):
    """As PM, passing over short crossings (the paper's PM-OP)."""

    name = "pm_op"

    def __init__(self, options: StrategyOptions) -> None:
        super().__init__(options)
        self._short_cells = ShortCells(options.coverage)

    def decide(self, now: Situation) -> Decision:
        """Home: the attached home, or KEEP while it is short; target: the next home that is not short."""
        short = self._short_cells.judge(now.vehicle, now.edge, now.speed_mps, now.ahead)
        passed_over = self._short_cells.passed_over(now.ahead, now.speed_mps)
        return Decision(np.where(short, KEEP, now.home), now.next_home(passed_over))


class PmTier(Pm):
    """As PM, on the highest tier that meets the task's latency level (the paper's PM-Tier)."""

    name = "pm_tier"
    tiers = None


class PmOpTier(PmOp):
    """As PM-OP, on the highest tier that meets the task's latency level (the paper's PM-OP-Tier)."""

    name = "pm_op_tier"
    tiers = None


class Oracle(Pm):
    """As PM with perfect prediction: on the road that the vehicle will really drive."""

    name = "oracle"
    predictor = "route"


class OracleTier(Oracle):
    """As PM-Tier with perfect prediction."""

    name = "oracle_tier"
    tiers = None
