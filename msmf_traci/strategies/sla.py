"""`sla`: move a container only once its latency level is broken, to the attached home."""

from __future__ import annotations

from msmf_traci.deployment.server_map import meets, request_ms
from msmf_traci.migration.kernel import Now
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.strategy import Strategy


class Sla(Strategy):
    """Move a container only once its latency level is broken, to the attached home."""

    name = "sla"
    tiers = None

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: KEEP while the host meets the level at the user's cell."""
        look, c = now.look, now.container
        if look.first:
            return look.home, NO_SERVER
        latency_ms = request_ms(c.host, look.cell, now.policy.latency, now.server_map) + c.crowd_ms
        return KEEP if meets(latency_ms, c.latency_level_ms) else look.home, NO_SERVER
