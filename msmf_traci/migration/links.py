"""Rates of transfers: the narrowest link of a path, or max-min fair shares of every link on it. Model, section 8.

Links are numbered: of s servers, uplink i and downlink s + i are those of server i; behind them come the directed links of the backhaul,
and the link of the cloud's image set.

Progressive filling: all flows rise together; a link that is full freezes the flows on it (Bertsekas and Gallager, Data Networks, 6.5.2).
"""

from __future__ import annotations

import heapq

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled, inlined
from msmf_traci.deployment.server_map import ServerMap, row_of
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.scene import Scene
from msmf_traci.sentinels import CLOUD

TRANSFERS, COPIES = range(2)


@compiled
def bandwidth_of(link: int, policy: Policy, server_map: ServerMap) -> float:
    """Bytes of images and memories per second that a link carries."""
    servers = len(server_map.tier)
    if link == cloud_link(server_map):
        return float(policy.images.cloud_bytes_per_s)
    if link >= 2 * servers:
        return float(server_map.backhaul.bandwidth[link - 2 * servers] * policy.links.efficiency)
    return server_bandwidth(link % servers, policy, server_map)


@compiled
def server_bandwidth(server: int, policy: Policy, server_map: ServerMap) -> float:
    """Bytes of images and memories per second of a server's uplink, and of its downlink."""
    own, of_tier = server_map.bandwidth[server], policy.links.bandwidth_by_tier[server_map.tier[server]]
    if own > 0:
        return float(own * policy.links.efficiency)
    return float(of_tier if of_tier > 0 else policy.links.bandwidth_bytes_per_s)


@inlined
def cloud_link(server_map: ServerMap) -> int:
    """Number of the link of the cloud's image set, the last one."""
    return 2 * len(server_map.tier) + len(server_map.backhaul.to)


@compiled
def links_between(source: int, target: int, server_map: ServerMap, found: IntArray) -> int:
    """Put the links from a server, or from the cloud, to a server into `found`, in their order on the way; returns how many they are."""
    servers = len(server_map.tier)
    if source == CLOUD:
        found[0], found[1] = cloud_link(server_map), servers + target
        return 2
    found[0], n = source, 1
    if len(server_map.paths.link) > 0:
        row, node = row_of(target, server_map), source
        while node != target:
            link = server_map.paths.link[row, node]
            found[n] = 2 * servers + link
            n += 1
            node = server_map.backhaul.to[link]
    found[n] = servers + target
    return n + 1


@compiled
def longest_path(server_map: ServerMap) -> int:
    """No path between servers has more links."""
    return 2 + len(server_map.backhaul.start) - 1


@compiled
def rate_between(source: int, target: int, policy: Policy, server_map: ServerMap) -> float:
    """Bytes per second of a transfer that has all links on its way for itself: those of the narrowest one."""
    links = np.empty(longest_path(server_map), dtype=np.int64)
    rate = np.inf
    for k in range(links_between(source, target, server_map, links)):
        rate = min(rate, bandwidth_of(links[k], policy, server_map))
    return float(rate)


@compiled
def rates_between(source: IntArray, target: IntArray, policy: Policy, server_map: ServerMap) -> FloatArray:
    """The same elementwise; infinite from a server to itself."""
    found = np.full(len(source), np.inf)
    for i in range(len(source)):
        if source[i] != target[i] and target[i] >= 0:
            found[i] = rate_between(source[i], target[i], policy, server_map)
    return found


@compiled
def rate_of_one_more(kind: int, source: int, target: int, scene: Scene) -> float:
    """Bytes per second that one flow more would have got when links were last shared out.

    Parameters
    ----------
    kind
        TRANSFERS or COPIES, which may get only what transfers leave.
    source, target
        A server or the cloud, and a server.
    scene
        What containers stand in.
    """
    policy, server_map, state = scene.policy, scene.server_map, scene.state
    links = np.empty(longest_path(server_map), dtype=np.int64)
    row = kind if policy.images.only_idle else TRANSFERS
    rate = np.inf
    for k in range(links_between(source, target, server_map, links)):
        level = state.level[row, links[k]]
        if level < 0:
            level = bandwidth_of(links[k], policy, server_map) - (state.used[links[k]] if row == COPIES else 0.0)
        rate = min(rate, level)
    return float(rate)


@compiled
def max_min_rates(begin: IntArray, way: IntArray, start: IntArray, flow: IntArray, bandwidth: FloatArray) -> FloatArray:
    """Rate of each flow.

    Parameters
    ----------
    begin, way
        The links of flow i are `way[begin[i]:begin[i + 1]]`.
    start, flow
        Flows on each link, from `flows_by_link`.
    bandwidth
        Bytes per second of each link, shape (links,).

    Returns
    -------
    Bytes per second of each flow, shape (flows,).
    """
    open_flows = start[1:] - start[:-1]
    left = bandwidth.copy()
    rate = np.full(len(begin) - 1, -1.0)
    shares = [(bandwidth[link] / open_flows[link], link) for link in range(len(open_flows)) if open_flows[link] > 0]
    heapq.heapify(shares)
    while len(shares) > 0:
        share, link = heapq.heappop(shares)
        if open_flows[link] == 0:
            continue
        fair = max(left[link], 0.0) / open_flows[link]
        if fair > share:  # flows on it were frozen elsewhere meanwhile
            heapq.heappush(shares, (fair, link))
            continue
        for k in range(start[link], start[link + 1]):
            i = flow[k]
            if rate[i] < 0:
                rate[i] = share
                for other in way[begin[i] : begin[i + 1]]:
                    left[other] -= share
                    open_flows[other] -= 1
    return rate


@compiled
def level_for_one_more(link: int, start: IntArray, flow: IntArray, rate: FloatArray, bandwidth: float) -> float:
    """The rate at which a link would be full if one more flow were on it.

    Until then nothing that the further flow does reaches other links, so the flow's rate is the lowest level of its links.

    Parameters
    ----------
    link
        Number of the link.
    start, flow
        Flows on each link, from `flows_by_link`.
    rate
        Max-min fair rate of each flow without the further one.
    bandwidth
        Bytes per second of the link.
    """
    level = bandwidth / (1 + start[link + 1] - start[link])
    while True:
        slower, n = 0.0, 1
        for k in range(start[link], start[link + 1]):
            if rate[flow[k]] < level:
                slower += rate[flow[k]]
            else:
                n += 1
        higher = (bandwidth - slower) / n
        if higher <= level:
            return float(level)
        level = higher


@compiled
def flows_by_link(begin: IntArray, way: IntArray, links: int) -> tuple[IntArray, IntArray]:
    """Flows on link l are `flow[start[l]:start[l + 1]]`; links are numbered from 0 to `links` - 1, ways as in `max_min_rates`."""
    start = np.zeros(links + 1, dtype=np.int64)
    for link in way:
        start[link + 1] += 1
    start = np.cumsum(start)
    place = start[:-1].copy()
    flow = np.empty(len(way), dtype=np.int64)
    for i in range(len(begin) - 1):
        for link in way[begin[i] : begin[i + 1]]:
            flow[place[link]] = i
            place[link] += 1
    return start, flow
