"""What `pm` and its kin copy ahead: the images of the next homes, and the memory to the first of them. Model, section 6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.control.look import Look
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
def copy_ahead(now: Now, prefetch: int, memory: int, margin: float, min_m: float, min_dwell_s: float) -> int:
    """The target, with the servers on which the image is wanted in `now.prefetch`: the next homes, but for those of short stretches.

    The options are numbers: numba would take a record with more fields for one with fewer, and warn that this is experimental.
    """
    look, road, target, n = now.look, now.road, NO_SERVER, 0
    for k in range(look.ahead, look.end):
        server = road.server[k]
        is_last = k == look.end - 1  # it may go on beyond the horizon
        if server == look.home or server == now.container.host:
            continue
        if not is_last and is_short(road.exit_m[k] - road.entry_m[k], look, min_m, min_dwell_s):
            continue
        if n == 0 and (memory == AT_ONCE or _is_near(now, server, road.entry_m[k], margin)):
            target = server
        if prefetch == 1 and memory == AT_ONCE:
            break
        n = _with_server(now.prefetch, n, server)
        if n == prefetch:
            break
    return target


@compiled
def is_short(length_m: float, look: Look, min_m: float, min_dwell_s: float) -> bool:
    """Whether a crossing of this length at the vehicle's speed is short; with both 0, none is."""
    return bool(length_m < min_m or length_m < min_dwell_s * look.speed_mps)


@compiled
def memory_takes_s(now: Now, memory_bytes: float, rate: float) -> float:
    """Seconds that memory and two rounds of changes take at a rate, the start, and two frames."""
    return (memory_bytes + 2 * now.policy.links.dirty_threshold_bytes) / rate + now.container.start_s + _SPARE_S


@compiled
def _with_server(prefetch: IntArray, n: int, server: int) -> int:
    """Put a server behind the n servers of a list, unless it is among them; how many they are then."""
    for k in range(n):
        if prefetch[k] == server:
            return n
    prefetch[n], prefetch[n + 1] = server, NO_SERVER
    return n + 1


@compiled
def _is_near(now: Now, server: int, entry_m: float, margin: float) -> bool:
    """Whether a server is so near on the road that its memory must be sent now: two rounds of changes, the start, and a margin."""
    c, policy = now.container, now.policy
    distance_m = max(0.0, entry_m - now.look.position_m)
    rate = min(server_bandwidth(c.host, policy, now.server_map), server_bandwidth(server, policy, now.server_map))
    return bool(distance_m / max(1.0, now.look.mean_speed_mps) < margin * memory_takes_s(now, c.memory_bytes, rate))
