"""`mdp`: a Markov decision process on the distance between user and container.

S. Wang, R. Urgaonkar, M. Zafer, T. He, K. Chan, K. K. Leung, "Dynamic service migration in mobile edge computing based on Markov decision
process", IEEE/ACM Transactions on Networking, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap, hops_to
from msmf_traci.migration.kernel import Now
from msmf_traci.records import Int32, dtype_of
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.strategy import Strategy

_MOST_ROUNDS = 1000  # of policy iteration, which takes a few
_ROUNDING_S = 1e-9


@dataclass(frozen=True)
class MdpOptions:
    """The process.

    Attributes
    ----------
    slot_s
        Time between decisions.
    farthest
        Hops that the farthest state stands for, in which the container must move.
    discount
        What a cost one slot later counts.
    base
        Of both powers of distance.
    migration_constant, migration_factor
        Moving by x hops costs constant + factor base^x, and by 0 nothing.
    transmission_constant, transmission_factor
        Being y hops apart for a slot costs constant + factor base^y, and 0 hops nothing.
    leaving
        Slots in which a vehicle is taken to have left its cell, of two, before anything is known of it.
    """

    slot_s: float = 60.0
    farthest: int = 20
    discount: float = 0.9
    base: float = 0.8
    migration_constant: float = 2.0
    migration_factor: float = -1.0
    transmission_constant: float = 1.0
    transmission_factor: float = -1.0
    leaving: float = 1.0


class Watch:
    """What was seen of a vehicle: its first frame, which slot ends next, the cell at its begin, slots so far, those in which it left."""

    begin_s: float
    slot: Int32 = 1
    cell: int = -1
    slots: Int32
    left: Int32
    home: int = KEEP


_OPTIONS, _MEMORY = dtype_of(MdpOptions), dtype_of(Watch)


class Mdp(Strategy):
    """Move the container to the distance that a Markov decision process on hops says, once a slot."""

    name = "mdp"
    Options = MdpOptions
    Memory = Watch

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: at the end of each slot the server on the way to the user at the distance of the best action; in between the same."""
        look, c, own, watch = now.look, now.container, now.options.view(_OPTIONS)[0], now.memory.view(_MEMORY)[0]
        if look.first:
            watch.begin_s, watch.cell = look.time_s, look.cell
            return look.home, NO_SERVER
        if watch.home == c.host:
            watch.home = KEEP
        if has_ended(watch.begin_s, watch.slot, own.slot_s, look.time_s):
            watch.slots += 1
            watch.left += int(look.cell != watch.cell)
            watch.cell = look.cell
            while has_ended(watch.begin_s, watch.slot, own.slot_s, look.time_s):
                watch.slot += 1
            if c.target != NO_SERVER:  # a move is under way
                return watch.home, NO_SERVER
            hops = hops_to(c.host, look.cell, now.server_map)
            stay = 1 - (watch.left + own.leaving) / (watch.slots + 2)
            n = own.farthest
            migration = cost_of_hops(n, own.migration_constant, own.migration_factor, own.base)
            transmission = cost_of_hops(n, own.transmission_constant, own.transmission_factor, own.base)
            best, _ = solve(migration, transmission, walk_on_hexagons(n, stay), own.discount)
            apart = best[min(hops, n)]
            watch.home = KEEP if apart >= hops else server_between(c.host, look.cell, apart, now.server_map)
        return watch.home, NO_SERVER


@compiled
def has_ended(begin_s: float, slot: int, slot_s: float, time_s: float) -> bool:
    """Whether a slot, counted from 1, has ended; what multiplying decimal fractions leaves does not count."""
    return bool(begin_s + slot * slot_s <= time_s + _ROUNDING_S)


@compiled
def cost_of_hops(farthest: int, constant: float, factor: float, base: float) -> FloatArray:
    """What each number of hops costs, shape (farthest + 1,): nothing for none."""
    cost = np.zeros(farthest + 1)
    for hops in range(1, farthest + 1):
        cost[hops] = constant + factor * base**hops
    return cost


@compiled
def walk_on_hexagons(farthest: int, stay: float) -> FloatArray:
    """How probable each distance is a slot later, from each distance now, shape (farthest + 1, farthest + 1).

    A walk over hexagons that stays with some probability, and goes to each neighbour equally often; beyond the farthest nothing leads.
    """
    q, n = (1 - stay) / 6, farthest
    found = np.zeros((n + 1, n + 1))
    found[0, 0], found[0, 1] = 1 - 6 * q, 6 * q
    for d in range(1, n):
        found[d, d - 1], found[d, d], found[d, d + 1] = 1.5 * q, 1 - 4 * q, 2.5 * q
    found[n, n - 1], found[n, n] = q, 1 - q
    return found


@compiled
def solve(migration: FloatArray, transmission: FloatArray, transition: FloatArray, discount: float) -> tuple[IntArray, FloatArray]:
    """The best distance to move to from each distance, and its cost from then on, by policy iteration.

    Parameters
    ----------
    migration, transmission
        What moving by so many hops costs, and being so many hops apart for a slot, shape (n + 1,).
    transition
        How probable each distance is a slot later, from each distance after the move, shape (n + 1, n + 1).
    discount
        What a cost one slot later counts.

    Returns
    -------
    Distance after the move from each distance before it, at most that; at the farthest one less at least. And the costs, shape (n + 1,).
    """
    n = len(migration) - 1
    action, value = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1)
    for _ in range(_MOST_ROUNDS):
        left, right = np.eye(n + 1), np.empty(n + 1)
        for d in range(n + 1):
            left[d] -= discount * transition[action[d]]
            right[d] = migration[d - action[d]] + transmission[action[d]]
        value = np.asarray(np.linalg.solve(left, right))
        later, has_changed = discount * (transition @ value), False
        for d in range(n + 1):
            best = action[d]
            for a in range(min(d, n - 1) + 1):
                if _cost(d, a, migration, transmission, later) < _cost(d, best, migration, transmission, later) - 1e-12:
                    best = a
            has_changed |= best != action[d]
            action[d] = best
        if not has_changed:
            break
    return action, value


@compiled
def _cost(d: int, a: int, migration: FloatArray, transmission: FloatArray, later: FloatArray) -> float:
    return float(migration[d - a] + transmission[a] + later[a])


@compiled
def server_between(host: int, cell: int, apart: int, server_map: ServerMap) -> int:
    """The lowest tier's server so many hops from a cell, on a shortest way from there to a host's area; of several ways the first."""
    left = hops_to(host, cell, server_map)
    for _ in range(apart):
        for other in server_map.neighbours[cell]:
            if other >= 0 and hops_to(host, other, server_map) == left - 1:
                cell = other
                break
        left -= 1
    return int(server_map.server_of[0, cell])
