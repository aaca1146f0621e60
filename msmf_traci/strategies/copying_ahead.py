"""What `pm` and its kin copy ahead: the images of the next homes, and the memory to the first of them. Model, section 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.kernel import Now
from msmf_traci.migration.links import server_bandwidth
from msmf_traci.sentinels import NO_SERVER

AT_ONCE, JUST_IN_TIME = range(2)
_SPARE_S = 2.0  # a frame until it is decided, and one until the decision is seen


@dataclass(frozen=True)
class CopyingAhead:
    """How many next homes get the image, when the first of them gets the memory, and by what margin it is near."""

    prefetch: int = 1
    memory: Literal["at_once", "just_in_time"] = "at_once"
    margin: float = 1.3

    @property
    def depends_on_time(self) -> bool:
        """Whether what is copied may change while nothing new is known of the road."""
        return self.memory == "just_in_time"


@compiled
def with_server(prefetch: IntArray, n: int, server: int) -> int:
    """Put a server behind the n servers of a list, unless it is among them; how many they are then."""
    for k in range(n):
        if prefetch[k] == server:
            return n
    prefetch[n], prefetch[n + 1] = server, NO_SERVER
    return n + 1


@compiled
def is_near(now: Now, server: int, entry_m: float, margin: float) -> bool:
    """Whether a server is so near on the road that its memory must be sent now: two rounds of changes, the start, and a margin."""
    c, policy = now.container, now.policy
    distance_m = max(0.0, entry_m - now.look.position_m)
    rate = min(server_bandwidth(c.host, policy, now.server_map), server_bandwidth(server, policy, now.server_map))
    takes_s = (c.memory_bytes + 2 * policy.links.dirty_threshold_bytes) / rate + c.start_s + _SPARE_S
    return bool(distance_m / max(1.0, now.look.mean_speed_mps) < margin * takes_s)
