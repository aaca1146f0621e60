"""`lyapunov`: keep a budget of bytes a second by a virtual queue, and move where that lowers drift plus penalty; without any prediction.

T. Ouyang, Z. Zhou, X. Chen, "Follow me at the edge: mobility-aware dynamic service placement for mobile edge computing", IEEE JSAC, 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import request_ms
from msmf_traci.migration.kernel import Now
from msmf_traci.records import Int32, dtype_of
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.mdp import has_ended
from msmf_traci.strategies.strategy import Strategy
from msmf_traci.units import BYTES_PER_GB, BYTES_PER_MB


@dataclass(frozen=True)
class LyapunovOptions:
    """How often is decided, what may be sent in the mean, and what a millisecond of latency weighs.

    Attributes
    ----------
    slot_s
        Time between decisions.
    budget_mb_per_s
        What moves may send, in the mean over a trip.
    delay_per_ms
        Weight of a millisecond of latency beside a GB sent times a GB of the queue.
    """

    slot_s: float = 10.0
    budget_mb_per_s: float = 2.0
    delay_per_ms: float = 0.02


class Queue:
    """The virtual queue in GB, the vehicle's first frame, which slot ends next, and where the container was sent."""

    gb: float
    begin_s: float
    slot: Int32 = 1
    home: int = KEEP


_OPTIONS, _MEMORY = dtype_of(LyapunovOptions), dtype_of(Queue)


class Lyapunov(Strategy):
    """Keep a budget of bytes a second, and move where that lowers drift plus penalty."""

    name = "lyapunov"
    tiers = None
    Options = LyapunovOptions
    Memory = Queue

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: once a slot the host, or a server of the user's cell or of a neighbour that costs less; in between the same."""
        look, c, own, queue = now.look, now.container, now.options.view(_OPTIONS)[0], now.memory.view(_MEMORY)[0]
        if look.first:
            queue.begin_s = look.time_s
            return look.home, NO_SERVER
        if queue.home == c.host:
            queue.home = KEEP
        if not has_ended(queue.begin_s, queue.slot, own.slot_s, look.time_s) or c.target != NO_SERVER:  # or a move is under way
            return queue.home, NO_SERVER
        budget_gb, move_gb = own.budget_mb_per_s * own.slot_s * BYTES_PER_MB / BYTES_PER_GB, (c.image_bytes + c.memory_bytes) / BYTES_PER_GB
        while has_ended(queue.begin_s, queue.slot, own.slot_s, look.time_s):
            queue.slot += 1
            queue.gb = max(0.0, queue.gb - budget_gb)
        best, least = c.host, own.delay_per_ms * latency_ms(now, c.host)
        for k in range(-1, now.server_map.neighbours.shape[1]):
            cell = look.cell if k < 0 else now.server_map.neighbours[look.cell, k]
            if cell < 0:
                continue
            for tier in range(now.policy.tiers):
                server = now.server_map.server_of[tier, cell]
                cost = queue.gb * move_gb + own.delay_per_ms * latency_ms(now, server)
                if server != c.host and cost < least:
                    best, least = server, cost
        queue.home = KEEP
        if best != c.host:
            queue.home, queue.gb = best, queue.gb + move_gb
        return queue.home, NO_SERVER


@compiled
def latency_ms(now: Now, server: int) -> float:
    """Latency of a request that a server answers from the user's cell."""
    return request_ms(server, now.look.cell, now.policy.latency, now.server_map)
