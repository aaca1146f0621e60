"""Max-min fair rates on shared links: every server has an uplink and a downlink of the same bandwidth. Model, section 8.

Progressive filling: all flows rise together; a link that is full freezes the flows on it (Bertsekas and Gallager, Data Networks, 6.5.2).
"""

from __future__ import annotations

import heapq

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled


@compiled
def max_min_rates(up: IntArray, down: IntArray, start: IntArray, flow: IntArray, bandwidth: float) -> FloatArray:
    """Rate of each flow.

    Parameters
    ----------
    up, down
        The two links of each flow, shape (flows,).
    start, flow
        Flows on each link, from `flows_by_link`.
    bandwidth
        Bytes per second of every link.

    Returns
    -------
    Bytes per second of each flow, shape (flows,).
    """
    open_flows = start[1:] - start[:-1]
    left = np.full(len(open_flows), bandwidth)
    rate = np.full(len(up), -1.0)
    shares = [(bandwidth / open_flows[link], link) for link in range(len(open_flows)) if open_flows[link] > 0]
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
                for other in (up[i], down[i]):
                    left[other] -= share
                    open_flows[other] -= 1
    return rate


@compiled
def level_for_one_more(link: int, start: IntArray, flow: IntArray, rate: FloatArray, bandwidth: float) -> float:
    """The rate at which a link would be full if one more flow were on it.

    Until then nothing that the further flow does reaches other links, so the flow's rate is the lower level of its two links.

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
def flows_by_link(up: IntArray, down: IntArray, links: int) -> tuple[IntArray, IntArray]:
    """Flows on link l are `flow[start[l]:start[l + 1]]`; links are numbered from 0 to `links` - 1."""
    start = np.zeros(links + 1, dtype=np.int64)
    for i in range(len(up)):
        start[up[i] + 1] += 1
        start[down[i] + 1] += 1
    start = np.cumsum(start)
    place = start[:-1].copy()
    flow = np.empty(2 * len(up), dtype=np.int64)
    for i in range(len(up)):
        for link in (up[i], down[i]):
            flow[place[link]] = i
            place[link] += 1
    return start, flow
