"""`pm` and its kin: follow the user; copy to the next homes on the road (the paper's PM and PM-Tier; the oracles)."""

from __future__ import annotations

from msmf_traci.migration.kernel import Now
from msmf_traci.records import dtype_of
from msmf_traci.strategies.copying_ahead import CopyingAhead, copy_ahead
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
        own = now.options.view(_OPTIONS)[0]
        return now.look.home, copy_ahead(now, own.prefetch, own.memory, own.margin, 0.0, 0.0)


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
