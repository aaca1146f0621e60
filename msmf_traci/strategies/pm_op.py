"""`pm_op` and `pm_op_tier`: as PM, passing over short cells (the paper's PM-OP and PM-OP-Tier)."""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.compiled import compiled
from msmf_traci.control.look import Look, coverage_m
from msmf_traci.migration.kernel import Now
from msmf_traci.records import dtype_of
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.copying_ahead import AT_ONCE, CopyingAhead, is_near, with_server
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
        look, road, short, verdict = now.look, now.road, now.options.view(_OPTIONS)[0], now.memory.view(_MEMORY)[0]
        # given on entering an area and, while it is short, again whenever the edge changes
        if verdict.home != look.home or (verdict.is_short and verdict.edge != look.edge):
            verdict.is_short = _is_short(coverage_m(look, road), look, short)
        verdict.home, verdict.edge = look.home, look.edge
        home = KEEP if verdict.is_short and not look.first else look.home
        target, n = NO_SERVER, 0
        for k in range(look.ahead, look.end):
            server = road.server[k]
            is_last = k == look.end - 1  # it may go on beyond the horizon
            if server == look.home or server == now.container.host:
                continue
            if not is_last and _is_short(road.exit_m[k] - road.entry_m[k], look, short):
                continue
            if n == 0 and (short.memory == AT_ONCE or is_near(now, server, road.entry_m[k], short.margin)):
                target = server
            if short.prefetch == 1 and short.memory == AT_ONCE:
                break
            n = with_server(now.prefetch, n, server)
            if n == short.prefetch:
                break
        return home, target


class PmOpTier(PmOp):
    """As PM-OP, on the highest tier that meets the task's latency level (the paper's PM-OP-Tier)."""

    name = "pm_op_tier"
    tiers = None


@compiled
def _is_short(length_m: float, look: Look, short: ShortCells) -> bool:
    """Whether a crossing of this length at the vehicle's speed is short."""
    return bool(length_m < short.min_m or length_m < short.min_dwell_s * look.speed_mps)
