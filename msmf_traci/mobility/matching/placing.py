"""Where on its way a matched vehicle was: positions along the way, smoothed by how vehicles move.

A place that is nearest to a measured position is as noisy as this. Along the way that has been decoded the noise is smoothed by a Kalman
filter of constant velocity and the smoother of Rauch, Tung and Striebel (AIAA Journal 3(8), 1965), as far as the lag lets it see ahead.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.mobility.matching.route_search import NO_WAY, RoadGraph, Search, is_reached, search_ways

ACCELERATION_MPS2 = 1.5  # how much the speed of a vehicle changes from second to second
MEMORY_S = 12.0  # what is longer ago says nothing more about the place
STANDING_MPS = 2.0
STOP_M = 6.0  # who stands so near behind a junction or in it has stopped before it


class Chain(NamedTuple):
    """Consecutive decoded places of one vehicle on roads, shape (m,), oldest first.

    Attributes
    ----------
    time_s, edge, position_m
        When and where.
    step_m
        Way from the place before; 0 where the way before it was off the roads.
    """

    time_s: FloatArray
    edge: IntArray
    position_m: FloatArray
    step_m: FloatArray


class Place(NamedTuple):
    """A place on a road."""

    edge: int
    position_m: float
    speed_mps: float


@compiled
def place_on_way(chain: Chain, begin: int, at: int, end: int, sigma_m: float, graph: RoadGraph, search: Search, room: FloatArray) -> Place:
    """The smoothed place of the vehicle at `at`, seen from places `begin` to `end`; inside a junction it is at the begin of the next edge.

    `room` has shape (11, m): what the filter writes down.
    """
    ahead_m, speed_mps = _smooth(chain, begin, at, end, sigma_m, room)
    edge, position_m = chain.edge[at], chain.position_m[at] + ahead_m
    first, last = at, at
    if position_m > graph.length_m[edge]:
        while last + 1 < end and chain.edge[last] == edge:
            last += 1
    else:
        while first > begin and chain.edge[first] == edge:
            first -= 1
        last = at if chain.edge[first] != edge else first
    length_m = graph.length_m[chain.edge[first]]
    if chain.edge[first] == chain.edge[last]:
        return Place(edge, min(max(position_m, 0.0), length_m), speed_mps)
    search_ways(graph, search, chain.edge[first], np.inf, chain.edge[last : last + 1])
    if not is_reached(search, chain.edge[last]):
        return Place(edge, min(max(position_m, 0.0), graph.length_m[edge]), speed_mps)
    # distance from the end of the first edge of the two
    beyond_m = position_m - length_m if first == at else search.way_m[edge] + position_m
    if beyond_m <= 0:
        return Place(chain.edge[first], max(length_m + beyond_m, 0.0), speed_mps)
    slack_m = STOP_M if speed_mps < STANDING_MPS else 0.0
    ahead, here = NO_WAY, chain.edge[last]
    while here != NO_WAY and search.way_m[here] + slack_m > beyond_m:
        ahead, here = here, search.before[here]
    if here == NO_WAY:
        here, since_m, length_m = chain.edge[first], length_m + beyond_m, length_m
    else:
        since_m, length_m = beyond_m - search.way_m[here], graph.length_m[here]
    if since_m <= length_m or speed_mps < STANDING_MPS or ahead == NO_WAY:
        return Place(here, min(since_m, length_m), speed_mps)
    return Place(ahead, 0.0, speed_mps)


@compiled
def _smooth(chain: Chain, begin: int, at: int, end: int, sigma_m: float, room: FloatArray) -> tuple[float, float]:
    """How far ahead of the place `at` the vehicle is, and its speed there, from the places `begin` to `end`."""
    # ways are counted from `begin`, wherever the chain begins: so they are the same to the last bit
    room[10, 0] = 0.0
    for i in range(1, end - begin):
        room[10, i] = room[10, i - 1] + chain.step_m[begin + i]
    x, v = 0.0, 0.0
    if end - begin > 1:
        v = room[10, end - begin - 1] / (chain.time_s[end - 1] - chain.time_s[begin])
    noise = sigma_m * sigma_m
    p, c, w = noise, 0.0, 100.0
    for k in range(begin, end):
        i = k - begin
        dt = chain.time_s[k] - chain.time_s[k - 1] if k > begin else 0.0
        if k > begin:
            drive = (ACCELERATION_MPS2 * dt) ** 2
            x += v * dt
            p, c, w = p + 2 * dt * c + dt * dt * w + drive * dt * dt / 4, c + dt * w + drive * dt / 2, w + drive
        room[0, i], room[1, i], room[2, i], room[3, i], room[4, i] = x, v, p, c, w
        gain_x, gain_v = p / (p + noise), c / (p + noise)
        error = room[10, i] - x
        x, v = x + gain_x * error, v + gain_v * error
        p, c, w = (1 - gain_x) * p, (1 - gain_x) * c, w - gain_v * c
        room[5, i], room[6, i], room[7, i], room[8, i], room[9, i] = x, v, p, c, w
    for k in range(end - 2, at - 1, -1):
        i = k - begin
        dt = chain.time_s[k + 1] - chain.time_s[k]
        p, c, w = room[7, i], room[8, i], room[9, i]
        pp, pc, pw = room[2, i + 1], room[3, i + 1], room[4, i + 1]
        det = pp * pw - pc * pc
        a, b = p + dt * c, c  # filtered covariance times the transposed motion
        d, e = c + dt * w, w
        g00, g01 = (a * pw - b * pc) / det, (b * pp - a * pc) / det
        g10, g11 = (d * pw - e * pc) / det, (e * pp - d * pc) / det
        dx, dv = x - room[0, i + 1], v - room[1, i + 1]
        x, v = room[5, i] + g00 * dx + g01 * dv, room[6, i] + g10 * dx + g11 * dv
    return x - room[10, at - begin], v
