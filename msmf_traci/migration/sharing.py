"""What containers that meet share out at a frame: the bandwidth of links, and the computing of servers. Model, sections 2 and 8."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import PLACES, is_coming
from msmf_traci.migration.images import is_copy_sending, set_copy_rate
from msmf_traci.migration.links import (
    COPIES,
    TRANSFERS,
    bandwidth_of,
    flows_by_link,
    level_for_one_more,
    links_between,
    longest_path,
    max_min_rates,
    rate_of_one_more,
)
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.service import see
from msmf_traci.migration.step import look_forward
from msmf_traci.migration.transfer import RESTORE, is_degraded, is_sending, is_waiting, set_rate
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER

_TRANSFER = -1  # in the place of the number of a copy


class _Flows(NamedTuple):
    """Flows: vehicle, copy (or the transfer), source and receiver of each; columns of shape (4, n)."""

    vehicle: IntArray
    copy: IntArray
    source: IntArray
    target: IntArray


@compiled
def has_begun_to_send(c: Container, since_s: float, t_s: float, scene: Scene) -> bool:
    """Whether a transfer or a copy of a container sends at an instant that did not at an earlier one."""
    has_begun = c.since_s > since_s and is_sending(c, t_s)
    if c.copies >= 0:
        for copy in scene.state.images.copies[c.copies]:
            has_begun = has_begun or (copy.since_s > since_s and is_copy_sending(copy, t_s))
    return bool(has_begun)


@compiled
def share_links(t_s: float, containers: Records, scene: Scene) -> None:
    """Give every transfer and copy its max-min fair rate; one that waits to send what it would get as one flow more."""
    state, images = scene.state, scene.state.images
    state.shared_s[0] = t_s
    state.level[:] = -1.0
    state.used[:] = 0.0
    if scene.policy.images.only_idle:
        _share_among(t_s, containers, TRANSFERS, True, False, scene)
        _share_among(t_s, containers, COPIES, False, True, scene)
    else:
        _share_among(t_s, containers, TRANSFERS, True, True, scene)
    for vehicle in state.open[: state.n[0]]:
        c = containers[vehicle]
        if is_waiting(c, t_s) or (c.stage == RESTORE and is_degraded(c, scene)):
            set_rate(c, t_s, rate_of_one_more(TRANSFERS, c.source, c.target, scene))
        if c.copies >= 0:
            for copy in images.copies[c.copies]:
                if is_coming(copy) and copy.layer >= 0 and not is_copy_sending(copy, t_s):
                    set_copy_rate(copy, t_s, rate_of_one_more(COPIES, copy.source, copy.server, scene))
        look_forward(c, t_s, scene)


@compiled
def _share_among(t_s: float, containers: Records, kind: int, transfers: bool, copies: bool, scene: Scene) -> None:
    """Share what is left of links among transfers, among copies, or among both."""
    policy, server_map, state = scene.policy, scene.server_map, scene.state
    sender = _flows(t_s, containers, transfers, copies, scene)
    begin, way, in_use = _ways(sender, scene)
    bandwidth = np.empty(len(in_use))
    for link in range(len(in_use)):
        bandwidth[link] = bandwidth_of(in_use[link], policy, server_map) - state.used[in_use[link]]
    start, flow = flows_by_link(begin, way, len(in_use))
    rate = max_min_rates(begin, way, start, flow, bandwidth)
    for k in range(len(rate)):
        c = containers[sender.vehicle[k]]
        if sender.copy[k] == _TRANSFER:
            set_rate(c, t_s, rate[k])
        else:
            set_copy_rate(state.images.copies[c.copies][sender.copy[k]], t_s, rate[k])
    for link in range(len(in_use)):
        state.level[kind, in_use[link]] = level_for_one_more(link, start, flow, rate, bandwidth[link])
        state.link[in_use[link]] = -1
    if not copies:
        for k in range(len(rate)):
            for i in range(begin[k], begin[k + 1]):
                state.used[in_use[way[i]]] += rate[k]


@compiled
def _flows(t_s: float, containers: Records, transfers: bool, copies: bool, scene: Scene) -> _Flows:
    """What sends at an instant: transfers, copies, or both."""
    state, n, sender = scene.state, 0, np.empty((4, scene.state.n[0] * (1 + PLACES)), dtype=np.int64)
    for vehicle in state.open[: state.n[0]]:
        c = containers[vehicle]
        if transfers and is_sending(c, t_s):
            n = _put(sender, n, vehicle, _TRANSFER, c.source, c.target)
        if copies and c.copies >= 0:
            places = state.images.copies[c.copies]
            for k in range(PLACES):
                if is_copy_sending(places[k], t_s):
                    n = _put(sender, n, vehicle, k, places[k].source, places[k].server)
    return _Flows(sender[0, :n], sender[1, :n], sender[2, :n], sender[3, :n])


@compiled
def _put(flows: IntArray, n: int, vehicle: int, copy: int, source: int, target: int) -> int:
    """Put a flow behind n others; how many they are then."""
    flows[0, n], flows[1, n], flows[2, n], flows[3, n] = vehicle, copy, source, target
    return n + 1


@compiled
def _ways(flows: _Flows, scene: Scene) -> tuple[IntArray, IntArray, IntArray]:
    """The links that flows take, which get numbers in the order in which they are met (`state.link`).

    Returns
    -------
    begin, way
        The links of flow k, by their numbers, are `way[begin[k]:begin[k + 1]]`.
    in_use
        Which link has each number.
    """
    state, server_map = scene.state, scene.server_map
    one = np.empty(longest_path(server_map), dtype=np.int64)
    n = len(flows.vehicle)
    begin = np.zeros(n + 1, dtype=np.int64)
    for k in range(n):
        begin[k + 1] = begin[k] + links_between(flows.source[k], flows.target[k], server_map, one)
    way, in_use, links = np.empty(begin[-1], dtype=np.int64), np.empty(begin[-1], dtype=np.int64), 0
    for k in range(n):
        for i in range(links_between(flows.source[k], flows.target[k], server_map, one)):
            if state.link[one[i]] < 0:
                state.link[one[i]], in_use[links] = links, one[i]
                links += 1
            way[begin[k] + i] = state.link[one[i]]
    return begin, way, in_use[:links]


@compiled
def compute_together(t_s: float, containers: Records, scene: Scene) -> None:
    """What the containers that run on a server add to each other's computing, as of a frame."""
    state = scene.state
    state.running[:] = 0
    for k in range(len(containers)):
        c = containers[k]
        if c.host != NO_SERVER and c.running:
            state.running[c.host] += 1
    for k in range(len(containers)):
        c = containers[k]
        if c.host != NO_SERVER:
            others = max(state.running[c.host] - int(c.running), 0)
            crowd_ms = scene.policy.latency.per_container_ms[scene.server_map.tier[c.host]] * others
            if crowd_ms != c.crowd_ms:
                c.crowd_ms = crowd_ms
                see(c, t_s, c.cell, scene)
