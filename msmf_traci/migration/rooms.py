"""Servers that can hold a limited number of containers: what a full one refuses, and what is taken instead. Model, section 8.

`c` is a container's record, `p` its variant's policy, `held` counts the containers on each server, running or being received.
"""

from __future__ import annotations

from typing import Any

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap, hops_from, meets, request_ms
from msmf_traci.migration.transfer import refuse
from msmf_traci.sentinels import KEEP, NO_CELL, NO_SERVER


@compiled
def has_room(held: IntArray, server: int, p: Any, server_map: ServerMap) -> bool:
    """Whether a server can hold one container more."""
    own = server_map.room[server]
    return bool(held[server] < (own if own >= 0 else p.room[server_map.tier[server]]))


@compiled
def hold(held: IntArray, host_before: int, target_before: int, c: Any) -> None:
    """Count the container on its host and on its target, where it may have been counted elsewhere before."""
    for server in (host_before, target_before):
        if server != NO_SERVER:
            held[server] -= 1
    for server in (c.host, c.target):
        if server != NO_SERVER:
            held[server] += 1


@compiled
def server_with_room(held: IntArray, home: int, cell: int, p: Any, server_map: ServerMap) -> int:
    """Where a container is first deployed: its home, or the nearest server (in hops, then by name) of the strategy's tiers with room.

    NO_SERVER where all are full.
    """
    if has_room(held, home, p, server_map):
        return home
    hops = hops_from(cell, server_map)
    best, nearest = NO_SERVER, 1 << 30
    for server in range(server_map.first[p.tiers]):
        if has_room(held, server, p, server_map):
            away = hops[server_map.area_cell[server_map.area_start[server] : server_map.area_start[server + 1]]].min()
            if away < nearest or (away == nearest and server_map.name_rank[server] < server_map.name_rank[best]):
                best, nearest = server, away
    return best


@compiled
def grant_home(
    c: Any,
    p: Any,
    server_map: ServerMap,
    held: IntArray,
    t_s: float,
    home: int,
    cell: int,
    x_m: float,
    y_m: float,
    key: tuple[int, int],
    books: Any,
) -> int:
    """The home, or what takes its place where it is full: the attached cell's server of a lower tier, else KEEP.

    Tiers are tried downwards; the lower server has room, and its tier meets the level.

    What was granted once holds until another home is asked for; a refusal is booked once, and asked again at each frame.
    """
    if home == KEEP or home == c.host or home == c.target:
        c.asked_home, c.given_home = home, home
        return home
    if c.asked_home == home and c.given_home != NO_SERVER and c.given_home != home:
        given = c.given_home
        if given == c.host or given == c.target or has_room(held, given, p, server_map):
            return int(given)
    if has_room(held, home, p, server_map):
        c.asked_home, c.given_home = home, home
        return home
    if c.asked_home != home or c.given_home == home:
        refuse(c, t_s, home, x_m, y_m, key, books)
    c.asked_home = home
    for tier in range(server_map.tier[home] - 1, -1, -1):
        lower = server_map.server_of[tier, cell]
        if meets(request_ms(lower, cell, p.tier_ms, p.hop_ms, server_map), c.level_ms) and (
            lower == c.host or lower == c.target or has_room(held, lower, p, server_map)
        ):
            c.given_home = lower
            return int(lower)
    c.given_home = NO_SERVER
    return KEEP


@compiled
def grant_target(
    c: Any,
    p: Any,
    server_map: ServerMap,
    held: IntArray,
    t_s: float,
    target: int,
    entry: int,
    x_m: float,
    y_m: float,
    key: tuple[int, int],
    books: Any,
) -> int:
    """The target, or what takes its place where it is full: a lower server where the road enters its area (`entry`), else none."""
    if target == NO_SERVER or target == c.target:
        c.asked_target, c.given_target = target, target
        return target
    if c.asked_target == target and c.given_target != NO_SERVER and c.given_target != target:
        given = c.given_target
        if given != c.host and (given == c.target or has_room(held, given, p, server_map)):
            return int(given)
    if has_room(held, target, p, server_map):
        c.asked_target, c.given_target = target, target
        return target
    if c.asked_target != target or c.given_target == target:
        refuse(c, t_s, target, x_m, y_m, key, books)
    c.asked_target = target
    for tier in range(server_map.tier[target] - 1 if entry != NO_CELL else -1, -1, -1):
        lower = server_map.server_of[tier, entry]
        if (
            lower != c.host
            and meets(request_ms(lower, entry, p.tier_ms, p.hop_ms, server_map), c.level_ms)
            and (lower == c.target or has_room(held, lower, p, server_map))
        ):
            c.given_target = lower
            return int(lower)
    c.given_target = NO_SERVER
    return NO_SERVER


@compiled
def lacks_what_it_asked_for(c: Any) -> bool:
    """Whether something was refused, so that the next frame may bring it though nothing else is new: room, or a copy under way there."""
    return bool(c.given_home != c.asked_home or c.given_target != c.asked_target)
