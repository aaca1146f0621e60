"""Servers that can hold a limited number of containers, or bytes of images: what a full one refuses, and what comes instead.

Model, sections 7 and 8.

`held` counts the containers on each server, running or being received.
"""

from __future__ import annotations

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled, inlined
from msmf_traci.control.look import Look, Road, entered_at
from msmf_traci.deployment.server_map import hops_from, meets, request_ms
from msmf_traci.migration.container import Container
from msmf_traci.migration.fetching import has_room_for_image
from msmf_traci.migration.scene import Scene, most_containers
from msmf_traci.migration.transfer import refuse
from msmf_traci.sentinels import KEEP, NO_CELL, NO_SERVER


@compiled
def has_room(c: Container, server: int, t_s: float, scene: Scene) -> bool:
    """Whether a server can hold one container more, and what is missing of this one's image."""
    return bool(scene.state.held[server] < most_containers(server, scene)) and has_room_for_image(c, server, t_s, scene)


@inlined
def other_place(c: Container) -> int:
    """Where the container has a place beside its host: where it is received, or from where it pulls its memory."""
    return c.target if c.pulls_from == NO_SERVER else c.pulls_from


@compiled
def hold(held: IntArray, host_before: int, other_before: int, c: Container) -> None:
    """Count the container on its host and on the other server, where it may have been counted elsewhere before."""
    for server in (host_before, other_before):
        if server != NO_SERVER:
            held[server] -= 1
    for server in (c.host, other_place(c)):
        if server != NO_SERVER:
            held[server] += 1


@compiled
def server_with_room(c: Container, home: int, cell: int, t_s: float, scene: Scene) -> int:
    """Where a container is first deployed: its home, or the nearest server (in hops, then by name) of the strategy's tiers with room.

    NO_SERVER where all are full.
    """
    if has_room(c, home, t_s, scene):
        return home
    hops = hops_from(cell, scene.server_map)
    server_map, best, nearest = scene.server_map, NO_SERVER, 1 << 30
    for server in range(server_map.first[scene.policy.tiers]):
        if has_room(c, server, t_s, scene):
            away = hops[server_map.area_cell[server_map.area_start[server] : server_map.area_start[server + 1]]].min()
            if away < nearest or (away == nearest and server_map.name_rank[server] < server_map.name_rank[best]):
                best, nearest = server, away
    return best


@inlined
def is_granted(c: Container, home: int) -> bool:
    """Whether a home needs no room: none, or one where the container is or is being received."""
    return home == KEEP or home == c.host or home == c.target


@compiled
def grant_home(c: Container, t_s: float, home: int, cell: int, scene: Scene) -> int:
    """The home, or what takes its place where it is full: the attached cell's server of a lower tier, else KEEP.

    Tiers are tried downwards; the lower server has room, and its tier meets the level.

    What was granted once holds until another home is asked for; a refusal is booked once, and asked again at each frame.
    """
    if c.asked_home == home and c.given_home != NO_SERVER and c.given_home != home:
        given = c.given_home
        if given == c.host or given == c.target or has_room(c, given, t_s, scene):
            return int(given)
    if has_room(c, home, t_s, scene):
        c.asked_home, c.given_home = home, home
        return home
    if c.asked_home != home or c.given_home == home:
        refuse(c, t_s, home, scene)
    c.asked_home = home
    server_map = scene.server_map
    for tier in range(server_map.tier[home] - 1, -1, -1):
        lower = server_map.server_of[tier, cell]
        if meets(request_ms(lower, cell, scene.policy.latency, server_map), c.latency_level_ms) and (
            lower == c.host or lower == c.target or has_room(c, lower, t_s, scene)
        ):
            c.given_home = lower
            return int(lower)
    c.given_home = NO_SERVER
    return KEEP


@compiled
def grant_target(c: Container, t_s: float, target: int, look: Look, road: Road, scene: Scene) -> int:
    """The target, or what takes its place where it is full: a lower server where the road enters its area, else none."""
    if c.asked_target == target and c.given_target != NO_SERVER and c.given_target != target:
        given = c.given_target
        if given != c.host and (given == c.target or has_room(c, given, t_s, scene)):
            return int(given)
    if has_room(c, target, t_s, scene):
        c.asked_target, c.given_target = target, target
        return target
    if c.asked_target != target or c.given_target == target:
        refuse(c, t_s, target, scene)
    c.asked_target = target
    server_map = scene.server_map
    entry = entered_at(look, road, target, server_map.server_of[server_map.tier[target]])
    for tier in range(server_map.tier[target] - 1 if entry != NO_CELL else -1, -1, -1):
        lower = server_map.server_of[tier, entry]
        if (
            lower != c.host
            and meets(request_ms(lower, entry, scene.policy.latency, server_map), c.latency_level_ms)
            and (lower == c.target or has_room(c, lower, t_s, scene))
        ):
            c.given_target = lower
            return int(lower)
    c.given_target = NO_SERVER
    return NO_SERVER


@compiled
def lacks_what_it_asked_for(c: Container) -> bool:
    """Whether something was refused, so that the next frame may bring it though nothing else is new: room, or a copy under way there."""
    return bool(c.given_home != c.asked_home or c.given_target != c.asked_target)
