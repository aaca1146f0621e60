"""Servers that can hold a limited number of containers: what a full one refuses, and what is taken instead. Model, section 8.

`c` is a container's record, `p` its variant's policy, `held` counts the containers on each server, running or being received.
"""

from __future__ import annotations

from typing import Any

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Areas
from msmf_traci.migration.service import hops
from msmf_traci.migration.transfer import refuse
from msmf_traci.sentinels import KEEP, NO_SERVER


@compiled
def has_room(held: IntArray, server: int, p: Any, areas: Areas) -> bool:
    """Whether a server can hold one container more."""
    room = p.local_room if server < len(areas.q) else p.regional_room
    return bool(held[server] < room)


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
def server_with_room(held: IntArray, home: int, cell: int, v: int, p: Any, areas: Areas) -> int:
    """Where a container is first deployed: its home, or the nearest server (in hops, then by name) of the strategy's tiers with room.

    NO_SERVER where all are full.
    """
    if has_room(held, home, p, areas):
        return home
    best, nearest = NO_SERVER, 1 << 30
    for server in range(len(areas.q) if p.tiers == 1 else p.servers):
        if has_room(held, server, p, areas):
            away = hops(server, cell, p, areas)
            if away < nearest or (away == nearest and areas.name_rank[v, server] < areas.name_rank[v, best]):
                best, nearest = server, away
    return best


@compiled
def grant_home(
    c: Any,
    p: Any,
    areas: Areas,
    held: IntArray,
    t_s: float,
    home: int,
    cell: int,
    x_m: float,
    y_m: float,
    key: tuple[int, int],
    books: Any,
) -> int:
    """The home, or what takes its place where it is full: the attached cell's local server if it has room and meets the level, else KEEP.

    What was granted once holds until another home is asked for; a refusal is booked once, and asked again at each frame.
    """
    if home == KEEP or home == c.host or home == c.target:
        c.asked_home, c.given_home = home, home
        return home
    if c.asked_home == home and c.given_home != NO_SERVER and c.given_home != home:
        given = c.given_home
        if given == c.host or given == c.target or has_room(held, given, p, areas):
            return int(given)
    if has_room(held, home, p, areas):
        c.asked_home, c.given_home = home, home
        return home
    if c.asked_home != home or c.given_home == home:
        refuse(c, t_s, home, x_m, y_m, key, books)
    c.asked_home = home
    is_lower_known = home >= len(areas.q) and p.local_ms <= c.level_ms
    if is_lower_known and (cell == c.host or cell == c.target or has_room(held, cell, p, areas)):
        c.given_home = cell
        return cell
    c.given_home = NO_SERVER
    return KEEP


@compiled
def grant_target(
    c: Any,
    p: Any,
    areas: Areas,
    held: IntArray,
    t_s: float,
    target: int,
    lower: int,
    x_m: float,
    y_m: float,
    key: tuple[int, int],
    books: Any,
) -> int:
    """The target, or what takes its place where it is full: the next tier's server there if it has room and meets the level, else none."""
    if target == NO_SERVER or target == c.target:
        c.asked_target, c.given_target = target, target
        return target
    if c.asked_target == target and c.given_target != NO_SERVER and c.given_target != target:
        given = c.given_target
        if given != c.host and (given == c.target or has_room(held, given, p, areas)):
            return int(given)
    if has_room(held, target, p, areas):
        c.asked_target, c.given_target = target, target
        return target
    if c.asked_target != target or c.given_target == target:
        refuse(c, t_s, target, x_m, y_m, key, books)
    c.asked_target = target
    if lower != NO_SERVER and lower != c.host and p.local_ms <= c.level_ms and (lower == c.target or has_room(held, lower, p, areas)):
        c.given_target = lower
        return lower
    c.given_target = NO_SERVER
    return NO_SERVER


@compiled
def lacks_what_it_asked_for(c: Any) -> bool:
    """Whether something was refused, so that the next frame may bring it though nothing else is new: room, or a copy under way there."""
    return bool(c.given_home != c.asked_home or c.given_target != c.asked_target)
