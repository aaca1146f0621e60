"""Containers that meet: transfers share links, servers have limited room or slow down. Model, sections 2 and 8.

A variant goes through a batch frame by frame: bring the open transfers up to the frame, obey what was decided in the order of departure,
share the links out anew. Only transfers and vehicles for which something is new are looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.container import Records
from msmf_traci.migration.course import Course, Seen
from msmf_traci.migration.links import (
    bandwidth_of,
    flows_by_link,
    level_for_one_more,
    links_between,
    longest_path,
    max_min_rates,
)
from msmf_traci.migration.machine import arrive, complete, obey, score
from msmf_traci.migration.rooms import grant_home, grant_target, hold, lacks_what_it_asked_for, server_with_room
from msmf_traci.migration.service import deploy, see
from msmf_traci.migration.transfer import RESTORE, finish_stage, is_sending, is_waiting, set_rate
from msmf_traci.sentinels import KEEP, NO_SERVER


class Floor(NamedTuple):
    """One variant's open transfers and rooms, kept from batch to batch.

    Attributes
    ----------
    open
        Vehicles with an open transfer, the first `n[0]`.
    again
        Vehicles to be decided for anew at their next frame, the first `n[1]`.
    n
        How many of each, and how many containers found no room at their first deployment.
    held
        Containers that each server holds, running or being received.
    running
        Containers that run on each server, counted where they add to each other's computing.
    link
        Number of each link (`links.py`) among those in use while rates are computed; -1 where it has none.
    shared_s
        When links were last shared out, shape (1,).
    """

    open: IntArray
    again: IntArray
    n: IntArray
    held: IntArray
    running: IntArray
    link: IntArray
    shared_s: FloatArray


class Batch(NamedTuple):
    """The course by frames: changes of frame f are `change[start[f]:start[f + 1]]`, ascending in vehicle number.

    Attributes
    ----------
    times_s
        Time of each frame.
    start, change
        As above; samples of the course.
    all_start, all_sample
        The same for all samples of a frame.
    """

    times_s: FloatArray
    start: IntArray
    change: IntArray
    all_start: IntArray
    all_sample: IntArray


@compiled
def run_shared(
    course: Course, batch: Batch, containers: Records, v: int, p: Any, server_map: ServerMap, floor: Floor, books: Any, seen: Seen
) -> None:
    """Take one variant through a batch.

    Parameters
    ----------
    course, batch
        The batch, with the decisions that hold for the variant.
    containers
        The variant's records, shape (vehicles,).
    v, p
        The variant's number and policy.
    server_map
        Where servers are.
    floor
        Open transfers and rooms.
    books
        The ledger's.
    seen
        What a trace shows; of no rows where nothing is traced.
    """
    here = np.full(len(containers), -1, dtype=np.int64)
    before_x_m, before_y_m = np.empty(len(containers)), np.empty(len(containers))
    for i in range(len(course.vehicle)):
        before_x_m[course.vehicle[i]], before_y_m[course.vehicle[i]] = course.before_x_m[i], course.before_y_m[i]
    due = np.empty(len(containers), dtype=np.int64)
    is_due = np.zeros(len(containers), dtype=np.bool_)
    grows = p.per_container_ms.max() > 0
    for f in range(len(batch.times_s)):
        t_s = batch.times_s[f]
        samples = batch.all_sample[batch.all_start[f] : batch.all_start[f + 1]]
        for sample in samples:
            here[_vehicle_of(course, sample)] = sample
        moved = _advance(t_s, course, here, before_x_m, before_y_m, containers, v, p, server_map, floor, books)
        n_due = _who_is_due(course, batch, f, floor, due, is_due)
        for k in range(n_due):
            vehicle = due[k]
            is_due[vehicle] = False
            _meet(course, here[vehicle], containers, v, vehicle, p, server_map, floor, books, seen)
        if p.shared and (moved or n_due > 0):
            _share_links(t_s, containers, p, server_map, floor)
        if grows:
            _compute_together(t_s, containers, p, server_map, floor)
        for sample in samples:
            vehicle = _vehicle_of(course, sample)
            before_x_m[vehicle], before_y_m[vehicle] = course.x_m[sample], course.y_m[sample]


@compiled
def _vehicle_of(course: Course, sample: int) -> int:
    return int(course.vehicle[course.track[sample]])


@compiled
def _advance(
    t_s: float,
    course: Course,
    here: IntArray,
    before_x_m: FloatArray,
    before_y_m: FloatArray,
    containers: Records,
    v: int,
    p: Any,
    server_map: ServerMap,
    floor: Floor,
    books: Any,
) -> bool:
    """Bring every open transfer to a frame; whether any of them has changed its stage, or has begun to send since links were shared out."""
    moved = False
    k = 0
    while k < floor.n[0]:
        vehicle = floor.open[k]
        c = containers[vehicle]
        is_listed = c.anew
        while c.next <= t_s:
            moved = True
            at_s = c.next
            if finish_stage(c, p, (vehicle, v), books):
                host, target = c.host, c.target
                x_m = course.x_m[here[vehicle]] if at_s == t_s else before_x_m[vehicle]
                y_m = course.y_m[here[vehicle]] if at_s == t_s else before_y_m[vehicle]
                complete(c, p, server_map, at_s, x_m, y_m, (vehicle, v), books)
                hold(floor.held, host, target, c)
        moved |= c.since > floor.shared_s[0] and is_sending(c, t_s)
        if c.anew and not is_listed:
            floor.again[floor.n[1]] = vehicle
            floor.n[1] += 1
        if c.target == NO_SERVER:
            _close_place(containers, c, floor)  # another one takes its place: look there again
        else:
            k += 1
    return moved


@compiled
def _who_is_due(course: Course, batch: Batch, f: int, floor: Floor, due: IntArray, is_due: BoolArray) -> int:
    """Vehicles to be decided for at a frame, in the order of departure; returns how many."""
    n = 0
    for k in range(batch.start[f], batch.start[f + 1]):
        due[n] = _vehicle_of(course, batch.change[k])
        is_due[due[n]] = True
        n += 1
    changed = n
    for k in range(floor.n[1]):
        if not is_due[floor.again[k]]:
            due[n] = floor.again[k]
            is_due[due[n]] = True
            n += 1
    floor.n[1] = 0
    if n > changed:
        due[:n].sort()
    return n


@compiled
def _meet(
    course: Course,
    sample: int,
    containers: Records,
    v: int,
    vehicle: int,
    p: Any,
    server_map: ServerMap,
    floor: Floor,
    books: Any,
    seen: Seen,
) -> None:
    """One frame of one container."""
    c = containers[vehicle]
    t_s, x_m, y_m = course.time_s[sample], course.x_m[sample], course.y_m[sample]
    home, cell, key = course.home[sample], course.cell[sample], (vehicle, v)
    host_before, target_before = c.host, c.target
    if course.first[sample]:
        deploy(c, t_s, server_with_room(floor.held, home, cell, p, server_map))
        if c.host == NO_SERVER:
            floor.n[2] += 1
    if cell != c.cell:
        see(c, p, server_map, t_s, cell)
    is_other = course.target[sample] == c.host
    target = course.alternative[sample] if is_other else course.target[sample]
    entry = course.alternative_entry[sample] if is_other else course.entry[sample]
    if target == c.host:
        target = NO_SERVER
    c.anew = False
    if not course.last[sample]:
        score(c, home, target)
        granted, wanted = home, target
        if course.first[sample]:
            granted = KEEP  # it is deployed where there is room, and asks for its home from the next frame on
        elif c.running or (c.stage != RESTORE and not p.finish):  # else it cannot be sent elsewhere, and does not ask
            granted = grant_home(c, p, server_map, floor.held, t_s, home, cell, x_m, y_m, key, books)
        if c.running and (granted == KEEP or granted == c.host):
            wanted = grant_target(c, p, server_map, floor.held, t_s, target, entry, x_m, y_m, key, books)
        obey(c, p, server_map, t_s, granted, wanted, x_m, y_m, key, books)
        c.anew = c.anew or lacks_what_it_asked_for(c) or (course.first[sample] and c.host != home)
    if len(seen.host):
        seen.target[sample, v] = target
        seen.host[sample, v] = c.host
        seen.running[sample, v] = c.running
    if course.last[sample]:
        arrive(c, t_s, x_m, y_m, key, books)
        c.host = NO_SERVER
        c.anew = False
    hold(floor.held, host_before, target_before, c)
    if c.anew:
        floor.again[floor.n[1]] = vehicle
        floor.n[1] += 1
    if c.target != NO_SERVER and c.place < 0:
        c.place = floor.n[0]
        floor.open[c.place] = vehicle
        floor.n[0] += 1
    elif c.target == NO_SERVER and c.place >= 0:
        _close_place(containers, c, floor)


@compiled
def _close_place(containers: Records, c: Any, floor: Floor) -> None:
    """Take a container off the list of open transfers; the last one moves to its place."""
    floor.n[0] -= 1
    mover = floor.open[floor.n[0]]
    floor.open[c.place] = mover
    containers[mover].place = c.place
    c.place = -1


@compiled
def _share_links(t_s: float, containers: Records, p: Any, server_map: ServerMap, floor: Floor) -> None:
    """Give every open transfer its max-min fair rate; one that waits to send what it would get as one flow more."""
    floor.shared_s[0] = t_s
    n = floor.n[0]
    sender, waiter = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    senders, waiters = 0, 0
    for k in range(n):
        vehicle = floor.open[k]
        c = containers[vehicle]
        if is_sending(c, t_s):
            sender[senders] = vehicle
            senders += 1
        elif is_waiting(c, t_s):
            waiter[waiters] = vehicle
            waiters += 1
    begin, way, in_use = _ways(sender[:senders], containers, server_map, floor)
    bandwidth = np.empty(len(in_use))
    for link in range(len(in_use)):
        bandwidth[link] = bandwidth_of(in_use[link], p, server_map)
    start, flow = flows_by_link(begin, way, len(in_use))
    rate = max_min_rates(begin, way, start, flow, bandwidth)
    for k in range(senders):
        set_rate(containers[sender[k]], t_s, rate[k])
    one = np.empty(longest_path(server_map), dtype=np.int64)
    level = np.full(len(in_use), -1.0)  # of a link in use for one flow more, found out once
    for k in range(waiters):
        c = containers[waiter[k]]
        lowest = np.inf
        for i in range(links_between(c.host, c.target, server_map, one)):
            link = floor.link[one[i]]
            if link < 0:
                lowest = min(lowest, bandwidth_of(one[i], p, server_map))
                continue
            if level[link] < 0:
                level[link] = level_for_one_more(link, start, flow, rate, bandwidth[link])
            lowest = min(lowest, level[link])
        set_rate(c, t_s, lowest)
    for link in in_use:
        floor.link[link] = -1


@compiled
def _ways(vehicles: IntArray, containers: Records, server_map: ServerMap, floor: Floor) -> tuple[IntArray, IntArray, IntArray]:
    """The links that some transfers take, which get numbers in the order in which they are met (`floor.link`).

    Returns
    -------
    begin, way
        The links of transfer k, by their numbers, are `way[begin[k]:begin[k + 1]]`.
    in_use
        Which link has each number.
    """
    one = np.empty(longest_path(server_map), dtype=np.int64)
    begin = np.zeros(len(vehicles) + 1, dtype=np.int64)
    for k in range(len(vehicles)):
        c = containers[vehicles[k]]
        begin[k + 1] = begin[k] + links_between(c.host, c.target, server_map, one)
    way, in_use, links = np.empty(begin[-1], dtype=np.int64), np.empty(begin[-1], dtype=np.int64), 0
    for k in range(len(vehicles)):
        c = containers[vehicles[k]]
        for i in range(links_between(c.host, c.target, server_map, one)):
            if floor.link[one[i]] < 0:
                floor.link[one[i]], in_use[links] = links, one[i]
                links += 1
            way[begin[k] + i] = floor.link[one[i]]
    return begin, way, in_use[:links]


@compiled
def _compute_together(t_s: float, containers: Records, p: Any, server_map: ServerMap, floor: Floor) -> None:
    """What the containers that run on a server add to each other's computing, as of a frame."""
    floor.running[:] = 0
    for k in range(len(containers)):
        c = containers[k]
        if c.host != NO_SERVER and c.running:
            floor.running[c.host] += 1
    for k in range(len(containers)):
        c = containers[k]
        if c.host != NO_SERVER:
            others = max(floor.running[c.host] - int(c.running), 0)
            crowd_ms = p.per_container_ms[server_map.tier[c.host]] * others
            if crowd_ms != c.crowd_ms:
                c.crowd_ms = crowd_ms
                see(c, p, server_map, t_s, c.cell)
