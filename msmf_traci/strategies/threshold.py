"""`threshold`: keep the container until the user is so many hops away, then bring it to the user."""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.deployment.server_map import hops_to
from msmf_traci.migration.kernel import Now
from msmf_traci.records import dtype_of
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.copying_ahead import AT_ONCE, copy_ahead
from msmf_traci.strategies.strategy import Strategy


@dataclass(frozen=True)
class ThresholdOptions:
    """How many hops are too many."""

    hops: int = 3


_OPTIONS = dtype_of(ThresholdOptions)


class Threshold(Strategy):
    """Keep the container until the user is so many hops away, then bring it to the user; copy ahead one hop before."""

    name = "threshold"
    each_frame = False
    Options = ThresholdOptions

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the attached home, once it is so far to the host; target: the next home on the road, from one hop before on."""
        look, c, most = now.look, now.container, now.options.view(_OPTIONS)[0].hops
        if look.first:
            return look.home, NO_SERVER
        hops = hops_to(c.host, look.cell, now.server_map)
        home = KEEP if hops < most else look.home
        target = NO_SERVER if hops < most - 1 else copy_ahead(now, 1, AT_ONCE, 1.0, 0.0, 0.0)
        return home, target
