"""The least that a trip can cost, for someone who knows the whole trip: a bound that no strategy gets below. Model, section 14.

It is dynamic programming over the stays in cells and the servers. Whatever is simpler than the engine is cheaper than it, too: transfers
take no time, links and servers have room for all, the first deployment is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.control.stays import Stays
from msmf_traci.deployment.server_map import RequestLatency, ServerMap, hops_to, meets, request_ms
from msmf_traci.deployment.servers import Servers
from msmf_traci.migration.catalogue import PRIVATE
from msmf_traci.migration.ledger import Stage
from msmf_traci.migration.plan import Plan, Sends
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.workload import Containers
from msmf_traci.records import Records, record_of
from msmf_traci.references import by_reference
from msmf_traci.units import BYTES_PER_GB
from msmf_traci.weights import Weights

AWAY = -1  # no server that the plan names


class Move(NamedTuple):
    """The least that moving one container takes.

    Attributes
    ----------
    bytes
        Sent before it runs on the target, beside the image.
    image_bytes
        Of an image that the target cannot have yet; 0 where it may have come there otherwise.
    downtime_s
        How long the container stands still.
    """

    bytes: FloatArray
    image_bytes: FloatArray
    downtime_s: FloatArray


@dataclass(frozen=True)
class Bounds:
    """The bound of each trip, arrays of shape (vehicles,), and the plans that reach it.

    Attributes
    ----------
    cost
        The bound.
    moves, traffic_bytes
        Of the plan that reaches it.
    server
        Where the container is at each stay in that plan, shape (stays,); AWAY in an excursion, or where no server is worth it.
    """

    cost: FloatArray
    moves: IntArray
    traffic_bytes: FloatArray
    server: IntArray


def least_move(containers: Containers, policy: Policy, plan: Plan) -> Move:
    """The least that moves of containers take, arrays of shape (vehicles,).

    A plan that pulls memory sends only the state before the container runs; what it pulls afterwards is left out, since an arrival cuts it
    off. An image that others may have, too, is left out.
    """
    pulls = bool(np.isin(plan.steps["stage"], (Stage.PULL,)).any())
    catches_up = bool((plan.steps["sends"] == Sends.LOG).any())
    memory, costs = containers.memory_bytes, policy.processing
    restored_bytes = np.zeros(len(memory)) if pulls else memory
    return Move(
        bytes=np.full(len(memory), policy.postcopy.state_bytes) if pulls else memory,
        image_bytes=np.where(containers.image == PRIVATE, containers.image_bytes, 0.0),
        downtime_s=containers.start_s
        + policy.links.switch_s
        + (costs.restore_s + costs.restore_s_per_byte * restored_bytes)
        + (policy.replay.base_s if catches_up else 0.0),
    )


def bound(
    stays: Stays,
    levels_ms: FloatArray,
    move: Move,
    servers: Servers,
    latency: RequestLatency,
    request_bytes_per_s: float,
    weights: Weights,
    *,
    with_excursions: bool = True,
) -> Bounds:
    """Bounds on the cost of trips.

    Parameters
    ----------
    stays
        The trips.
    levels_ms
        Latency level of each vehicle's task.
    move
        The least that a move takes.
    servers, latency
        Where containers can be, and what a request takes to them; what other containers add to it is left out.
    request_bytes_per_s
        The user's data.
    weights
        What costs how much.
    with_excursions
        Whether a server that is left may keep the image. Without it, costs are no bounds, but plans can be carried out.
    """
    per_byte = weights.traffic_per_gb / BYTES_PER_GB
    per_hop_s = weights.relayed_per_gb_hop / BYTES_PER_GB * request_bytes_per_s
    n = len(levels_ms)
    cost, moves, traffic_bytes = np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n)
    server: IntArray = np.full(len(stays.cell), AWAY)
    lasted_s = stays.lasted_s
    servers.server_map()  # makes room for rows of hops
    prices = record_of(latency)[None]
    for v in range(n):
        of = slice(stays.start[v], stays.start[v + 1])
        if of.start == of.stop:
            continue
        price, useful = _prices(
            stays.cell[of], levels_ms[v], per_hop_s, weights.unsatisfied_per_s, prices, by_reference(servers.server_map())
        )
        bytes_cost, image_cost = per_byte * move.bytes[v], per_byte * move.image_bytes[v]
        cost[v], path, images = programme(
            price, lasted_s[of], bytes_cost, image_cost, move.downtime_s[v], weights.unsatisfied_per_s, with_excursions
        )
        server[of] = np.where(path >= 0, useful[path], AWAY) if len(useful) else AWAY
        moves[v] = int((path[1:] != path[:-1]).sum())  # away and back are two
        traffic_bytes[v] = moves[v] * move.bytes[v] + images * move.image_bytes[v]
    return Bounds(cost, moves, traffic_bytes, server)


@compiled
def _prices(
    cells: IntArray, level_ms: float, per_hop_s: float, unsatisfied_per_s: float, latency: Records, server_map: ServerMap
) -> tuple[FloatArray, IntArray]:
    """What a second on each server costs at each stay, shape (stays, servers), of servers that are worth it at some stay; which they are.

    No second costs more than an unsatisfied one: a container that is stopped relays nothing.
    """
    n, one = len(server_map.tier), np.empty(len(cells))
    price, useful, found = np.empty((n, len(cells))), np.empty(n, dtype=np.int64), 0
    for server in range(n):
        is_useful = False
        for j in range(len(cells)):
            one[j] = per_hop_s * hops_to(server, cells[j], server_map)
            if not meets(request_ms(server, cells[j], latency[0], server_map), level_ms):
                one[j] = unsatisfied_per_s
            one[j] = min(one[j], unsatisfied_per_s)
            is_useful |= one[j] < unsatisfied_per_s
        if is_useful:
            price[found], useful[found] = one, server
            found += 1
    return price[:found].T.copy(), useful[:found].copy()


@compiled
def programme(
    price: FloatArray,
    lasted_s: FloatArray,
    bytes_cost: float,
    image_cost: float,
    downtime_s: float,
    unsatisfied_per_s: float,
    with_excursions: bool,
) -> tuple[float, IntArray, int]:
    """The least cost of a trip, the server at each stay, or AWAY, and how many images are sent.

    A move leads to a server that is worth it at the stay, from one that has been worth it at some stay by then. An excursion leaves a
    server and comes back to it. It costs two moves, and its seconds what they cost on the best server of each stay. It sends an image of
    its own, unless the container moves once more after it: then it may have been on the server of that move, whose image is paid there.

    Parameters
    ----------
    price
        What a second on each server costs at each stay, shape (stays, servers).
    lasted_s
        How long stays last.
    bytes_cost, image_cost
        What a move costs, and the image that it sends.
    downtime_s
        The least that a container stands still in a move.
    unsatisfied_per_s
        What such a second costs.
    with_excursions
        Whether there may be any; without them, the plan is one that can be carried out.
    """
    stays, n = price.shape
    path = np.full(stays, AWAY)
    if n == 0:
        return unsatisfied_per_s * lasted_s.sum(), path, 0
    away = np.zeros(stays + 1)  # what the stays before cost on the best server of each
    for j in range(stays):
        away[j + 1] = away[j] + min(price[j].min(), unsatisfied_per_s) * lasted_s[j]
    # by debt: whether an excursion has sent no image, and a move has still to come
    value, after = np.full((2, n), np.inf), np.empty((2, n))
    value[0] = price[0] * lasted_s[0]
    best_left, left_at = np.full((2, n), np.inf), np.full((2, n), -1)
    has_served = price[0] < unsatisfied_per_s  # whether a server has been worth it by now: no other one is left
    came_from = np.full((stays, 2, n), -1, dtype=np.int32)
    owed, left = came_from.copy(), came_from.copy()
    for j in range(1, stays):
        still_s = min(downtime_s, lasted_s[j - 1], lasted_s[j])
        both = np.where(has_served, np.minimum(value[0], value[1]), np.inf)
        serving = np.where(price[j - 1] < unsatisfied_per_s, both - still_s * price[j - 1], np.inf)
        best_serving, best_other = _two_best(serving), _two_best(np.where(price[j - 1] < unsatisfied_per_s, np.inf, both))
        for s in range(n):
            for debt in range(2):
                after[debt, s], came_from[j, debt, s], owed[j, debt, s] = value[debt, s], s, debt
            if price[j, s] == unsatisfied_per_s:
                continue
            k = best_serving[0] if best_serving[0] != s else best_serving[1]
            moved = serving[k] + still_s * (unsatisfied_per_s - price[j, s]) if k >= 0 else np.inf
            q = best_other[0] if best_other[0] != s else best_other[1]
            if q >= 0 and both[q] < moved:
                k, moved = q, both[q]
            if moved + bytes_cost + image_cost < after[0, s]:
                after[0, s], came_from[j, 0, s], owed[j, 0, s] = moved + bytes_cost + image_cost, k, int(value[1, k] < value[0, k])
            for debt in range(2 if with_excursions else 0):
                for before in range(debt + 1):
                    back = best_left[before, s] + away[j] + 2 * bytes_cost + (image_cost if before == debt else 0.0)
                    if back < after[debt, s]:
                        after[debt, s], came_from[j, debt, s], owed[j, debt, s] = back, s, before
                        left[j, debt, s] = left_at[before, s]
        for s in range(n):
            for debt in range(2):
                if has_served[s] and value[debt, s] - away[j] < best_left[debt, s]:
                    best_left[debt, s], left_at[debt, s] = value[debt, s] - away[j], j - 1
                value[debt, s] = after[debt, s] + price[j, s] * lasted_s[j]
            has_served[s] |= price[j, s] < unsatisfied_per_s
    s, debt, j, images = value[0].argmin(), 0, stays - 1, 0
    cost = value[0, s]
    while j >= 0:
        path[j] = s
        if j > 0:
            before, was_away = owed[j, debt, s], left[j, debt, s] >= 0
            images += int(came_from[j, debt, s] != s or (was_away and before == debt))
            j, s, debt = left[j, debt, s] if was_away else j - 1, came_from[j, debt, s], before
        else:
            j = -1
    return cost, path, images


@compiled
def _two_best(values: FloatArray) -> tuple[int, int]:
    """The places of the two least finite values; -1 where there is none."""
    first, second = -1, -1
    for k in range(len(values)):
        if values[k] == np.inf:
            continue
        if first < 0 or values[k] < values[first]:
            first, second = k, first
        elif second < 0 or values[k] < values[second]:
            second = k
    return first, second
