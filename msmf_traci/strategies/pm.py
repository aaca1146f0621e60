"""`pm` and its kin: follow the user; copy to the next home on the road (the paper's PM and PM-Tier; the oracles)."""

from __future__ import annotations

from msmf_traci.migration.kernel import Now
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.strategy import Strategy


class Pm(Strategy):
    """Follow the user; copy to the next home on the road (the paper's PM)."""

    name = "pm"
    each_frame = False

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the attached home; target: the next home that is not the host."""
        look = now.look
        for k in range(look.ahead, look.end):
            server = now.road.server[k]
            if server != look.home and server != now.container.host:
                return look.home, server
        return look.home, NO_SERVER


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
