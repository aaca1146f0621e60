"""`sla`: move a container only once its latency level is broken, to the attached home, as EdgeSimPy's example of service levels does."""

from __future__ import annotations

from msmf_traci.compiled import compiled
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
        """Home: KEEP while the host meets the level at the user's cell; else where a transfer goes to already that will."""
        look, c = now.look, now.container
        if look.first:
            return look.home, NO_SERVER
        if serves(now, c.host, c.crowd_ms):
            return KEEP, NO_SERVER
        return c.target if c.target != NO_SERVER and serves(now, c.target, 0.0) else look.home, NO_SERVER


@compiled
def serves(now: Now, server: int, crowd_ms: float) -> bool:
    """Whether a server on which others add so much to the computing meets the task's level at the user's cell."""
    latency_ms = request_ms(server, now.look.cell, now.policy.latency, now.server_map) + crowd_ms
    return meets(latency_ms, now.container.latency_level_ms)
