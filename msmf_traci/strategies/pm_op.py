"""`pm_op` and `pm_op_tier`: as PM, passing over short cells (the paper's PM-OP and PM-OP-Tier)."""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.control.look import coverage_m
from msmf_traci.migration.kernel import Now
from msmf_traci.records import dtype_of
from msmf_traci.sentinels import KEEP
from msmf_traci.strategies.copying_ahead import CopyingAhead, copy_ahead, is_short
from msmf_traci.strategies.pm import Pm


@dataclass(frozen=True)
class ShortCells(CopyingAhead):
    """What counts as a short cell: covered for less than `min_m`, or crossed in less than `min_dwell_s`; the rest as `pm`."""

    min_m: float = 150.0
    min_dwell_s: float = 0.0

    @property
    def depends_on_time(self) -> bool:
        """Whether what is short, or near, depends on the speed."""
        return self.min_dwell_s > 0 or self.memory == "just_in_time"


class Verdict:
    """The verdict in force: for which home and on which edge it was given, and whether that home is short."""

    home: int = -1
    edge: int = -2
    is_short: bool


_OPTIONS, _MEMORY = dtype_of(ShortCells), dtype_of(Verdict)


class PmOp(Pm):
    """As PM, passing over short cells (the paper's PM-OP)."""

    name = "pm_op"
    Options = ShortCells
    Memory = Verdict

    @property
    def each_frame(self) -> bool:
        """Whether what is short, or near, depends on the speed."""
        return bool(self.options.depends_on_time)

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the attached home, or KEEP while it is short; target, and the image: the next homes that are not short."""
        look, own, verdict = now.look, now.options.view(_OPTIONS)[0], now.memory.view(_MEMORY)[0]
        # given on entering an area and, while it is short, again whenever the edge changes
        if verdict.home != look.home or (verdict.is_short and verdict.edge != look.edge):
            verdict.is_short = is_short(coverage_m(look, now.road), look, own.min_m, own.min_dwell_s)
        verdict.home, verdict.edge = look.home, look.edge
        home = KEEP if verdict.is_short and not look.first else look.home
        return home, copy_ahead(now, own.prefetch, own.memory, own.margin, own.min_m, own.min_dwell_s)


class PmOpTier(PmOp):
    """As PM-OP, on the highest tier that meets the task's latency level (the paper's PM-OP-Tier)."""

    name = "pm_op_tier"
    tiers = None
