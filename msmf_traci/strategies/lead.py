"""`lead`: keep the container where it serves its task, and move it ahead of the place where it no longer will.

It needs the map, the position and its own container only. Most of what it sends is what has to move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import meets, request_ms
from msmf_traci.migration.copies import is_listed
from msmf_traci.migration.flow import sent_bytes
from msmf_traci.migration.kernel import Now
from msmf_traci.migration.links import rate_between
from msmf_traci.migration.policy import CLOUD_IS_SOURCE
from msmf_traci.migration.transfer import IDLE, MEMORY, ROUND
from msmf_traci.records import Int32, ListOfNumbers, ListOfServers, dtype_of
from msmf_traci.sentinels import CLOUD, KEEP, MOST_PREFETCHED, NO_SERVER
from msmf_traci.strategies.copying_ahead import memory_takes_s
from msmf_traci.strategies.strategy import Strategy

_MOST_STOPS = 4  # servers on the way that are planned
_LATE = 5.0  # a metre on which the level is broken weighs as much as so many that are served
_UNDER_WAY = 2.0  # a metre that is served by a server to which the image is on its way, likewise


@dataclass(frozen=True)
class LeadOptions:
    """How far ahead the road is seen, and by what margin images and memory are early."""

    horizon_m: float = 6000.0
    margin: float = 1.3


class Plan:
    """The servers that will serve the way, and where each has to; planned for one host, edge and cell."""

    host: int = -2
    edge: int = -2
    cell: int = -2
    n: Int32
    server: ListOfServers = NO_SERVER  # type: ignore[assignment]  # each of them
    begin_m: ListOfNumbers  # measured as the vehicle's position is


_OPTIONS, _MEMORY = dtype_of(LeadOptions), dtype_of(Plan)


class Lead(Strategy):
    """Keep the container while the level is met; move it ahead of the place where it no longer will be."""

    name = "lead"
    tiers = None
    Options = LeadOptions
    Memory = Plan

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Image ahead of the time that image and memory take, memory ahead of its own; home: once it is in step, and serves the user."""
        look, c, own, plan = now.look, now.container, now.options.view(_OPTIONS)[0], now.memory.view(_MEMORY)[0]
        if look.first:
            return look.home, NO_SERVER
        if plan.host != c.host or plan.edge != look.edge or plan.cell != look.cell:
            make_plan(now, plan)
        home, target, listed = KEEP, NO_SERVER, 0
        for k in range(plan.n):
            server = plan.server[k]
            left_s = max(0.0, plan.begin_m[k] - look.position_m) / max(1.0, look.mean_speed_mps)
            memory_s = memory_left_s(now, server)
            if is_listed(c, server) or left_s < own.margin * (memory_s + image_left_s(now, server)):
                now.prefetch[listed], now.prefetch[listed + 1] = server, NO_SERVER
                listed += 1
            if k == 0 and left_s < own.margin * memory_s:
                target = server
                is_in_step = c.target == server and (c.stage == IDLE or c.stage == ROUND)
                if is_in_step and (left_s <= c.start_s or serves(now, server, look.cell) or not serves(now, c.host, look.cell)):
                    home = server
        return home, target


@compiled
def make_plan(now: Now, plan: Plan) -> None:
    """Where on the way the level breaks, which server follows there; and so on from where that one breaks."""
    look, road, c = now.look, now.road, now.container
    plan.host, plan.edge, plan.cell, plan.n = c.host, look.edge, look.cell, 0
    server, k = c.host, look.cells_begin
    while k < look.cells_end and road.exit_m[k] <= look.position_m:
        k += 1
    if k == look.cells_end and not serves(now, server, look.cell):  # the road is not known
        plan.n, plan.server[0], plan.begin_m[0] = 1, look.home, look.position_m
    while k < look.cells_end and plan.n < _MOST_STOPS:
        k = end_of_service(now, server, k)
        if k == look.cells_end:
            return
        server, begin = following(now, k)
        if server == NO_SERVER:
            return
        plan.server[plan.n], plan.begin_m[plan.n] = server, road.entry_m[k]
        plan.n += 1
        k = begin


@compiled
def following(now: Now, broken: int) -> tuple[int, int]:
    """The server that follows where the level breaks, and the stretch from which it serves.

    Servers on the way are considered, and those to which an image is on its way: each from where the vehicle will be once it can be ready.
    That one is taken which then serves the most road; less of it is enough where the image is on its way, or the level is broken for less
    long. Of equal ones that is taken which is the farthest.
    """
    look, road, c = now.look, now.road, now.container
    best, best_begin, best_score = NO_SERVER, broken, -np.inf
    if c.target != NO_SERVER and c.target != c.host:
        best_begin, best_score = worth(now, c.target, broken, True)
        best = c.target if best_begin < look.cells_end else NO_SERVER
    for listed in c.prefetch:
        if listed == NO_SERVER:
            break
        begin, score = worth(now, listed, broken, True)
        if score >= best_score and listed != c.host:
            best, best_begin, best_score = listed, begin, score
    for k in range(broken, look.cells_end):
        for tier in range(now.policy.tiers):
            server = now.server_map.server_of[tier, road.server[k]]
            begin, score = worth(now, server, broken, False)
            if score >= best_score:
                best, best_begin, best_score = server, begin, score
    return best, best_begin


@compiled
def worth(now: Now, server: int, broken: int, is_under_way: bool) -> tuple[int, float]:
    """The stretch from which a server serves, once it can be ready, and how well it would follow; minus infinity if it serves none."""
    look, road = now.look, now.road
    ready_m = look.position_m + max(1.0, look.mean_speed_mps) * (memory_left_s(now, server) + image_left_s(now, server))
    begin = broken
    while begin < look.cells_end and (road.exit_m[begin] <= ready_m or not serves(now, server, road.server[begin])):
        begin += 1
    if begin == look.cells_end:
        return begin, -np.inf
    begin_m = max(road.entry_m[begin], ready_m)
    served_m = road.exit_m[end_of_service(now, server, begin) - 1] - begin_m
    late_m = max(0.0, begin_m - road.entry_m[broken])
    return begin, served_m * (_UNDER_WAY if is_under_way else 1.0) - _LATE * late_m


@compiled
def end_of_service(now: Now, server: int, begin: int) -> int:
    """The first stretch from one on in which a server does not meet the level."""
    k = begin
    while k < now.look.cells_end and serves(now, server, now.road.server[k]):
        k += 1
    return k


@compiled
def serves(now: Now, server: int, cell: int) -> bool:
    """Whether a server meets the task's level for a user who is attached to a cell."""
    return meets(request_ms(server, cell, now.policy.latency, now.server_map), now.container.latency_level_ms)


@compiled
def image_left_s(now: Now, server: int) -> float:
    """Seconds that what is missing of the image takes to a server from where images come from."""
    c = now.container
    missing = c.image_bytes if c.target != server else now.missing_bytes[MOST_PREFETCHED]
    for k in range(MOST_PREFETCHED):
        if c.prefetch[k] == NO_SERVER:
            break
        if c.prefetch[k] == server:
            missing = now.missing_bytes[k]
    source = CLOUD if now.policy.images.source == CLOUD_IS_SOURCE else c.host
    return missing / rate_between(source, server, now.policy, now.server_map)


@compiled
def memory_left_s(now: Now, server: int) -> float:
    """Seconds that what is missing of the memory, two rounds of changes and the start take to a server, and a little."""
    c = now.container
    missing = c.memory_bytes
    if c.target == server and c.stage == MEMORY:
        missing = c.to_send_bytes - sent_bytes(c, now.look.time_s)
    elif c.target == server and (c.stage == IDLE or c.stage == ROUND):
        missing = 0.0
    return memory_takes_s(now, missing, rate_between(c.host, server, now.policy, now.server_map))
