"""What containers that meet share out at a frame: the bandwidth of links, and the computing of servers. Model, sections 2 and 8."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.migration.links import bandwidth_of, flows_by_link, level_for_one_more, links_between, longest_path, max_min_rates
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.service import see
from msmf_traci.migration.step import State
from msmf_traci.migration.transfer import is_sending, is_waiting, set_rate
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER


@compiled
def share_links(t_s: float, containers: Records, policy: Policy, server_map: ServerMap, state: State) -> None:
    """Give every open transfer its max-min fair rate; one that waits to send what it would get as one flow more."""
    state.shared_s[0] = t_s
    n = state.n[0]
    sender, waiter = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    senders, waiters = 0, 0
    for vehicle in state.open[:n]:
        c = containers[vehicle]
        if is_sending(c, t_s):
            sender[senders] = vehicle
            senders += 1
        elif is_waiting(c, t_s):
            waiter[waiters] = vehicle
            waiters += 1
    begin, way, in_use = _ways(sender[:senders], containers, server_map, state)
    bandwidth = np.empty(len(in_use))
    for link in range(len(in_use)):
        bandwidth[link] = bandwidth_of(in_use[link], policy, server_map)
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
            link = state.link[one[i]]
            if link < 0:
                lowest = min(lowest, bandwidth_of(one[i], policy, server_map))
                continue
            if level[link] < 0:
                level[link] = level_for_one_more(link, start, flow, rate, bandwidth[link])
            lowest = min(lowest, level[link])
        set_rate(c, t_s, lowest)
    for link in in_use:
        state.link[link] = -1


@compiled
def _ways(vehicles: IntArray, containers: Records, server_map: ServerMap, state: State) -> tuple[IntArray, IntArray, IntArray]:
    """The links that some transfers take, which get numbers in the order in which they are met (`state.link`).

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
            if state.link[one[i]] < 0:
                state.link[one[i]], in_use[links] = links, one[i]
                links += 1
            way[begin[k] + i] = state.link[one[i]]
    return begin, way, in_use[:links]


@compiled
def compute_together(t_s: float, containers: Records, policy: Policy, server_map: ServerMap, state: State) -> None:
    """What the containers that run on a server add to each other's computing, as of a frame."""
    state.running[:] = 0
    for k in range(len(containers)):
        c = containers[k]
        if c.host != NO_SERVER and c.running:
            state.running[c.host] += 1
    for k in range(len(containers)):
        c = containers[k]
        if c.host != NO_SERVER:
            others = max(state.running[c.host] - int(c.running), 0)
            crowd_ms = policy.latency.per_container_ms[server_map.tier[c.host]] * others
            if crowd_ms != c.crowd_ms:
                c.crowd_ms = crowd_ms
                see(c, policy, server_map, t_s, c.cell)
