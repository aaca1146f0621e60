"""`pm` and its kin: follow the user; copy to the next homes on the road (the paper's PM and PM-Tier; the oracles)."""

from __future__ import annotations

from msmf_traci.migration.kernel import Now
from msmf_traci.records import dtype_of
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.copying_ahead import AT_ONCE, CopyingAhead, is_near, with_server
from msmf_traci.strategies.strategy import Strategy

_OPTIONS = dtype_of(CopyingAhead)


class Pm(Strategy):
    """Follow the user; copy to the next homes on the road (the paper's PM)."""

    name = "pm"
    Options = CopyingAhead

    @property
    def each_frame(self) -> bool:
        """Whether what is near depends on the speed."""
        return bool(self.options.depends_on_time)

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the attached home; target: the next home that is not the host; wanted there and further ahead: the image."""
        look, road, own = now.look, now.road, now.options.view(_OPTIONS)[0]
        target, n = NO_SERVER, 0
        for k in range(look.ahead, look.end):
            server = road.server[k]
            if server == look.home or server == now.container.host:
                continue
            if n == 0 and (own.memory == AT_ONCE or is_near(now, server, road.entry_m[k], own.margin)):
                target = server
            if own.prefetch == 1 and own.memory == AT_ONCE:
                break
            n = with_server(now.prefetch, n, server)
            if n == own.prefetch:
                break
        return look.home, target


class PmTier(Pm):
    """As PM, on the highest tier that meets the task's latency level (the paper's PM-Tier)."""

    name = "pm_tier"
    tiers = None


class Oracle(Pm):
    """As PM with perfect prediction: on the road that the vehicle will really drive."""

    name = "oracle"
    predictor = "route"


class OracleTier(Oracle):
    """As PM-Tier with perfect prediction."""

    name = "oracle_tier"
    tiers = None
