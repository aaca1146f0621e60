"""`offline`: carry out the plan of the bound, which knows the whole trip (model, section 14).

No strategy costs less than the bound, and this one shows how near to it one can come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from msmf_traci.arrays import ByteArray, FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.bound import AWAY, Bounds, bound, least_move
from msmf_traci.migration.kernel import Now
from msmf_traci.migration.links import rates_between
from msmf_traci.migration.policy import Policy, Source
from msmf_traci.migration.transfer import IDLE, ROUND
from msmf_traci.records import record_of
from msmf_traci.references import by_reference
from msmf_traci.sentinels import CLOUD, KEEP, MOST_PREFETCHED, NO_SERVER
from msmf_traci.strategies.strategy import Foreknowledge, Strategy
from msmf_traci.weights import Weights

_SPARE_S = 2.0  # a frame until it is decided, and one until the decision is seen
_HEAD, _OF_MOVE = 2, 4  # numbers of a schedule: the first server and how many moves there are; and of each move
_TIME, _SERVER, _IMAGE, _MEMORY = range(_OF_MOVE)


@dataclass(frozen=True)
class OfflineOptions:
    """What the plan weighs, as `cost.*` does, and by what margin images and memories are early."""

    unsatisfied_per_s: float = 1.0
    traffic_per_gb: float = 10.0
    relayed_per_gb_hop: float = 1.0
    margin: float = 1.3


class Offline(Strategy):
    """Carry out the plan of the bound, which knows the whole trip."""

    name = "offline"
    tiers = None
    predictor = "trip"
    Options = OfflineOptions

    def foresee(self, known: Foreknowledge) -> ByteArray:
        """The schedule of each vehicle: its first server, and for each move its time, its server, and when image and memory set out."""
        own = self.options
        weights = Weights(own.unsatisfied_per_s, own.traffic_per_gb, own.relayed_per_gb_hop)
        move = least_move(known.containers, known.policy, known.plan)
        levels_ms, latency = known.containers.latency_level_ms, known.policy.latency
        best = bound(known.stays, levels_ms, move, known.servers, latency, known.request_bytes_per_s, weights, with_excursions=False)
        schedules = np.zeros((len(levels_ms), _HEAD + _OF_MOVE * int(best.moves.max(initial=0))))
        for v in range(len(levels_ms)):
            of = slice(known.stays.start[v], known.stays.start[v + 1])
            if of.start < of.stop:
                moves = self._moves(known, best, v)
                schedules[v, :_HEAD] = best.server[of.start], len(moves)
                schedules[v, _HEAD : _HEAD + moves.size] = moves.ravel()
        return schedules.view(np.uint8)

    def _moves(self, known: Foreknowledge, best: Bounds, v: int) -> FloatArray:
        """The moves of a vehicle, shape (moves, 4); images go one after another on the link that brings them."""
        of = slice(known.stays.start[v], known.stays.start[v + 1])
        server, begin_s = best.server[of], known.stays.begin_s[of]
        at = np.flatnonzero(server[1:] != server[:-1]) + 1
        left_at = [_left_at(server[: k + 1]) for k in at]
        policy, containers, server_map = known.policy, known.containers, by_reference(known.servers.server_map())
        rules = cast(Policy, record_of(policy)[()])  # compiled code reads a record
        rate = rates_between(server[at - 1], server[at], rules, server_map)
        source = np.full(len(at), CLOUD) if policy.images.source == Source.CLOUD else server[at - 1]
        image_rate = rates_between(source, server[at], rules, server_map)
        memory_s = (containers.memory_bytes[v] + 2 * policy.links.dirty_threshold_bytes) / rate + containers.start_s[v] + _SPARE_S
        image_s = np.where([left is None for left in left_at], containers.image_bytes[v], 0.0) / image_rate
        moves = np.zeros((len(at), _OF_MOVE))
        moves[:, _TIME], moves[:, _SERVER] = begin_s[at], server[at]
        moves[:, _MEMORY] = begin_s[at] - self.options.margin * memory_s
        free_s = np.inf
        for k in range(len(at) - 1, -1, -1):
            free_s = min(free_s, moves[k, _MEMORY]) - self.options.margin * image_s[k]
            left = left_at[k]
            moves[k, _IMAGE] = free_s if left is None else begin_s[left]  # where the container has been, the image is kept
        return moves

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the server that is due, once the memory is in step; target: that, or the next one; image: on those whose time has come."""
        look, c, schedule = now.look, now.container, now.memory.view(np.float64)
        if look.first:
            return KEEP if schedule[0] == AWAY else int(schedule[0]), NO_SERVER
        n, listed, home, target = int(schedule[1]), 0, KEEP, NO_SERVER
        due = c.host if schedule[0] == AWAY else int(schedule[0])  # where no server is worth it, there are no moves
        for k in range(n):
            move = schedule[_HEAD + _OF_MOVE * k : _HEAD + _OF_MOVE * (k + 1)]
            server = int(move[_SERVER])
            if move[_TIME] <= look.time_s:
                due = server
                continue
            if move[_IMAGE] > look.time_s:
                continue
            if listed < MOST_PREFETCHED - 1:
                listed = _with(now.prefetch, listed, server)
            if move[_MEMORY] <= look.time_s and target == NO_SERVER:
                target = server
        if due != c.host and (target == NO_SERVER or c.target == due):
            target = due
        if due != c.host and listed < MOST_PREFETCHED:
            listed = _with(now.prefetch, listed, due)
        if target == due and due != c.host and c.target == due and (c.stage == IDLE or c.stage == ROUND):
            home = due
        return home, target


def _left_at(server: IntArray) -> int | None:
    """Since which stay the container has not been on the server of the last one; None if it has never been there before."""
    before = np.flatnonzero(server[:-1] == server[-1])
    return int(before[-1]) + 1 if len(before) else None


@compiled
def _with(prefetch: IntArray, n: int, server: int) -> int:
    """Put a server behind the n servers of a list; how many they are then."""
    prefetch[n] = server
    if n + 1 < len(prefetch):
        prefetch[n + 1] = NO_SERVER
    return n + 1
