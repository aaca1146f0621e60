"""Containers that do not meet: every transfer has its own bandwidth, every server has room. Model, sections 7 and 8.

Each container goes through a batch alone, from one change of its decisions to the next, and nothing is done for it between.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.container import Records
from msmf_traci.migration.course import Course, Seen
from msmf_traci.migration.machine import arrive, complete, obey, score
from msmf_traci.migration.service import deploy, see
from msmf_traci.migration.transfer import finish_stage
from msmf_traci.sentinels import NO_SERVER


@compiled
def run_dedicated(
    course: Course, containers: Records, variants: IntArray, policies: Records, server_map: ServerMap, books: Any, seen: Seen
) -> None:
    """Take the containers of a batch's vehicles under some variants through the batch.

    Parameters
    ----------
    course
        The batch, with the decisions that hold for all these variants.
    containers
        All records, shape (vehicles, variants).
    variants
        Which variants.
    policies
        One a variant.
    server_map
        Where servers are.
    books
        The ledger's.
    seen
        What a trace shows; of no rows where nothing is traced.
    """
    for i in range(len(course.vehicle)):
        for v in variants:
            _run_one(course, i, containers[course.vehicle[i], v], policies[v], server_map, (course.vehicle[i], v), books, seen)


@compiled
def hosts_by(t_s: float, containers: Records, vehicle: IntArray, v: int, p: Any, server_map: ServerMap, books: Any) -> IntArray:
    """Hosts of containers at an instant, found out on copies; `books` are thrown away."""
    host = np.empty(len(vehicle), dtype=np.int64)
    for i in range(len(vehicle)):
        copy = containers[vehicle[i], v : v + 1].copy()
        while copy[0].next <= t_s:
            at_s = copy[0].next
            if finish_stage(copy[0], p, (0, 0), books):
                complete(copy[0], p, server_map, at_s, 0.0, 0.0, (0, 0), books)
        host[i] = copy[0].host
    return host


@compiled
def _run_one(course: Course, i: int, c: Any, p: Any, server_map: ServerMap, key: tuple[int, int], books: Any, seen: Seen) -> None:
    begin, stop = course.start[i], course.start[i + 1]
    change, changes = course.change_start[i], course.change_start[i + 1]
    sample = begin - 1  # the last one seen to
    while True:
        changed = course.change[change] if change < changes else stop
        # a container that has changed by itself is decided for anew at its vehicle's next frame
        due = sample + 1 if c.anew else changed
        until_s = course.time_s[min(due, stop - 1)]
        while c.next <= until_s:
            at_s = c.next
            if finish_stage(c, p, key, books):
                at = sample + np.searchsorted(course.time_s[sample + 1 : stop], at_s, side="right")
                x_m = course.x_m[at] if at >= begin else course.before_x_m[i]
                y_m = course.y_m[at] if at >= begin else course.before_y_m[i]
                complete(c, p, server_map, at_s, x_m, y_m, key, books)
                due = min(due, sample + 1 + np.searchsorted(course.time_s[sample + 1 : stop], at_s, side="left"))
                until_s = course.time_s[min(due, stop - 1)]
        if due >= stop:
            return
        _meet(course, due, c, p, server_map, key, books, seen)
        sample = due
        if due == changed:
            change += 1


@compiled
def _meet(course: Course, sample: int, c: Any, p: Any, server_map: ServerMap, key: tuple[int, int], books: Any, seen: Seen) -> None:
    """One frame of one container, to which its transfer has been brought."""
    t_s, x_m, y_m = course.time_s[sample], course.x_m[sample], course.y_m[sample]
    home = course.home[sample]
    if course.first[sample]:
        deploy(c, t_s, home)
    if course.cell[sample] != c.cell:
        see(c, p, server_map, t_s, course.cell[sample])
    target = course.target[sample] if course.target[sample] != c.host else course.alternative[sample]
    if target == c.host:
        target = NO_SERVER
    c.anew = False
    if not course.last[sample]:
        score(c, home, target)
        obey(c, p, server_map, t_s, home, target, x_m, y_m, key, books)
    if len(seen.host):
        seen.target[sample, key[1]] = target
        seen.host[sample, key[1]] = c.host
        seen.running[sample, key[1]] = c.running
    if course.last[sample]:
        arrive(c, t_s, x_m, y_m, key, books)
