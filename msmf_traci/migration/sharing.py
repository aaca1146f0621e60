"""What containers that meet share out at a frame: the bandwidth of links, and the computing of servers. Model, sections 2 and 8."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import is_coming
from msmf_traci.migration.images import is_copy_sending, set_copy_rate
from msmf_traci.migration.links import bandwidth_of, flows_by_link, level_for_one_more, links_between, longest_path, max_min_rates
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.service import see
from msmf_traci.migration.step import look_forward
from msmf_traci.migration.transfer import is_sending, is_waiting, sends_image_from_elsewhere, set_rate
from msmf_traci.records import Records
from msmf_traci.sentinels import CLOUD, NO_SERVER

_TRANSFER = -1  # in the place of the number of a copy


class _Flows(NamedTuple):
    """Flows, or what may become one: vehicle, copy (or the transfer), source and receiver of each; columns of shape (4, n)."""

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
    state = scene.state
    state.shared_s[0] = t_s
    if scene.policy.images.only_idle:
        first = _share_among(t_s, containers, scene, True, False)
        second = _share_among(t_s, containers, scene, False, True)
        for in_use in (first, second):
            state.used[in_use] = 0.0
    else:
        state.used[_share_among(t_s, containers, scene, True, True)] = 0.0
    for vehicle in state.open[: state.n[0]]:
        look_forward(containers[vehicle], t_s, scene)


@compiled
def _share_among(t_s: float, containers: Records, scene: Scene, transfers: bool, copies: bool) -> IntArray:
    """Share what is left of links among transfers, among copies, or among both; which links are in use."""
    policy, server_map, state = scene.policy, scene.server_map, scene.state
    sender, waiter = _flows(t_s, containers, scene, transfers, copies)
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
    one = np.empty(longest_path(server_map), dtype=np.int64)
    level = np.full(len(in_use), -1.0)  # of a link in use for one flow more, found out once
    for k in range(len(waiter.vehicle)):
        c = containers[waiter.vehicle[k]]
        lowest = np.inf
        for i in range(links_between(waiter.source[k], waiter.target[k], server_map, one)):
            link = state.link[one[i]]
            if link < 0:
                lowest = min(lowest, bandwidth_of(one[i], policy, server_map) - state.used[one[i]])
                continue
            if level[link] < 0:
                level[link] = level_for_one_more(link, start, flow, rate, bandwidth[link])
            lowest = min(lowest, level[link])
        if waiter.copy[k] == _TRANSFER:
            if waiter.source[k] == c.host:
                c.rate_after_bytes_per_s = lowest
            if waiter.source[k] == _source(c, scene.policy):
                set_rate(c, t_s, lowest)
        elif waiter.source[k] == c.target:
            state.images.copies[c.copies][waiter.copy[k]].rate_after_bytes_per_s = lowest
        else:
            set_copy_rate(state.images.copies[c.copies][waiter.copy[k]], t_s, lowest)
    for k in range(len(rate)):
        for i in range(begin[k], begin[k + 1]):
            state.used[in_use[way[i]]] += rate[k]
    for link in in_use:
        state.link[link] = -1
    return in_use


@compiled
def _flows(t_s: float, containers: Records, scene: Scene, transfers: bool, copies: bool) -> tuple[_Flows, _Flows]:
    """What sends at an instant; and what may begin to, or go on from another server, before the next frame."""
    state, policy = scene.state, scene.policy
    n = 0
    for vehicle in state.open[: state.n[0]]:
        n += 1 + (len(state.images.copies[containers[vehicle].copies]) if containers[vehicle].copies >= 0 else 0)
    sender, waiter = np.empty((4, n), dtype=np.int64), np.empty((4, 2 * n), dtype=np.int64)
    senders, waiters = 0, 0
    for vehicle in state.open[: state.n[0]]:
        c = containers[vehicle]
        source = _source(c, policy)
        is_one, is_next = transfers and is_sending(c, t_s), transfers and is_waiting(c, t_s)
        if is_one:
            senders = _put(sender, senders, vehicle, _TRANSFER, source, c.target)
        elif is_next:
            waiters = _put(waiter, waiters, vehicle, _TRANSFER, source, c.target)
        if (is_one or is_next) and source == CLOUD:  # what follows comes from the host
            waiters = _put(waiter, waiters, vehicle, _TRANSFER, c.host, c.target)
        if not copies or c.copies < 0:
            continue
        places = state.images.copies[c.copies]
        source = CLOUD if policy.images.is_from_cloud else c.host
        for k in range(len(places)):
            if not is_coming(places[k]):
                continue
            if is_copy_sending(places[k], t_s):
                senders = _put(sender, senders, vehicle, k, source, places[k].server)
            else:
                waiters = _put(waiter, waiters, vehicle, k, source, places[k].server)
            if source != CLOUD and c.target != NO_SERVER and c.target != places[k].server:  # it goes on from where the container moves to
                waiters = _put(waiter, waiters, vehicle, k, c.target, places[k].server)
    sent, kept = sender[:, :senders], waiter[:, :waiters]
    return _Flows(sent[0], sent[1], sent[2], sent[3]), _Flows(kept[0], kept[1], kept[2], kept[3])


@compiled
def _source(c: Container, policy: Policy) -> int:
    """Where what the transfer sends comes from."""
    return CLOUD if sends_image_from_elsewhere(c, policy) else int(c.host)


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
