"""The paper's strategies once more, in Python: arrays over the vehicles of a frame, as a user would write them. Model, section 6."""

import numpy as np

from msmf_traci.arrays import extended
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.nearest import NearestOptions
from msmf_traci.strategies.pm_op import ShortCells
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Strategy


class Never(Strategy):
    name = "never_readable"

    def decide(self, now: Situation) -> Decision:
        return Decision(now.everywhere(KEEP), now.everywhere(NO_SERVER))


class Nearest(Strategy):
    name = "nearest_readable"
    Options = NearestOptions

    def decide(self, now: Situation) -> Decision:
        cells = now.cells
        other = cells.neighbours[now.cell]
        own = now.cell[:, None]
        server_of = now.servers.server_of[0]
        exists = (other >= 0) & (server_of[other] != server_of[own])
        other = np.where(exists, other, np.where(own > 0, 0, 1))  # any other cell, so that a missing neighbour has a border too
        distance_m = cells.border_distance_m(now.x_m[:, None], now.y_m[:, None], own, other)
        towards = now.dx_m[:, None] * (cells.x_m[other] - cells.x_m[own]) + now.dy_m[:, None] * (cells.y_m[other] - cells.y_m[own])
        near = exists & (towards > 0) & (distance_m < self.options.trigger_m)
        which = np.argmin(np.where(near, distance_m, np.inf), axis=1)
        rows = np.arange(len(now))
        return Decision(now.home, np.where(near.any(axis=1), server_of[other[rows, which]], NO_SERVER))


class Pm(Strategy):
    name = "pm_readable"

    def decide(self, now: Situation) -> Decision:
        return Decision(now.home, now.next_home())


class PmOp(Strategy):
    name = "pm_op_readable"
    Options = ShortCells

    def __init__(self, options: ShortCells) -> None:
        super().__init__(options)
        self._home = np.zeros(0, dtype=np.int64)
        self._edge = np.zeros(0, dtype=np.int64)
        self._short = np.zeros(0, dtype=bool)

    def decide(self, now: Situation) -> Decision:
        ahead = now.ahead
        length_m, speed_mps = ahead.length_m, np.broadcast_to(now.speed_mps[:, None], ahead.length_m.shape)
        is_last = np.arange(length_m.shape[1]) == ahead.last[:, None]
        passed_over = self._is_short(length_m, speed_mps) & ~is_last
        return Decision(np.where(self._judge(now), KEEP, now.home), now.next_home(passed_over))

    def _is_short(self, length_m: np.ndarray, speed_mps: np.ndarray) -> np.ndarray:
        return (length_m < self.options.min_m) | (length_m < self.options.min_dwell_s * speed_mps)

    def _judge(self, now: Situation) -> np.ndarray:
        """Given on entering an area and, while it is short, again whenever the edge changes."""
        more = int(now.vehicle.max()) + 1 - len(self._home)
        if more > 0:
            self._home, self._edge = extended(self._home, more, -1), extended(self._edge, more, -2)
            self._short = extended(self._short, more, False)
        v = now.vehicle
        entered = self._home[v] != now.home
        again = ~entered & self._short[v] & (self._edge[v] != now.edge)
        self._short[v] = np.where(entered | again, self._is_short(now.ahead.coverage_m(), now.speed_mps), self._short[v])
        self._home[v], self._edge[v] = now.home, now.edge
        return self._short[v]


class PmTier(Pm):
    name = "pm_tier_readable"
    tiers = None


class PmOpTier(PmOp):
    name = "pm_op_tier_readable"
    tiers = None


class Oracle(Pm):
    name = "oracle_readable"
    predictor = "route"


class OracleTier(Oracle):
    name = "oracle_tier_readable"
    tiers = None
