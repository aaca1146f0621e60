"""Links between servers as a graph, as compiled loops read it: the shortest path from any node to a server. Model, section 2.

Nodes are the servers, and behind them switches, which are no servers. Latencies are whole nanoseconds, so that sums of them are exact and
paths that are equally short are found to be so.
"""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled

MS_PER_NS = 1e-6
UNREACHED_NS = 2**62


class Backhaul(NamedTuple):
    """A graph of links; each of them carries its bandwidth in both directions at once. Without links it has no nodes.

    Attributes
    ----------
    start, to
        From node n, the directed links `start[n]` to `start[n + 1]` lead to nodes `to`, in the order of their names; of several to one
        node the shorter is before the longer, then the wider before the narrower.
    latency_ns, bandwidth
        Latency and bytes per second of each directed link.
    """

    start: IntArray
    to: IntArray
    latency_ns: IntArray
    bandwidth: FloatArray


class Paths(NamedTuple):
    """Shortest paths to some servers, a row each.

    Attributes
    ----------
    latency_ns
        Latency from every node, shape (rows, nodes).
    link
        The directed link by which the path from every node begins; -1 at the server itself, shape (rows, nodes).
    """

    latency_ns: IntArray
    link: NDArray[np.int32]


NO_BACKHAUL = Backhaul(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))


@compiled
def find_paths(server: int, backhaul: Backhaul, latency_ns: IntArray, link: NDArray[np.int32]) -> None:
    """Fill a row of `Paths`: least latency; of those equally short the fewest links, of those the first by the names on the way.

    Dijkstra's algorithm from the server outwards; links are the same in both directions.
    """
    links = np.full(len(latency_ns), 1 << 30)
    latency_ns[:] = UNREACHED_NS
    link[:] = -1
    latency_ns[server], links[server] = 0, 0
    nearest: list[Any] = [(np.int64(0), np.int64(0), np.int64(server))]
    while len(nearest) > 0:
        away_ns, hops, node = heapq.heappop(nearest)
        if away_ns > latency_ns[node] or (away_ns == latency_ns[node] and hops > links[node]):
            continue
        for k in range(backhaul.start[node], backhaul.start[node + 1]):
            other, further_ns = backhaul.to[k], away_ns + backhaul.latency_ns[k]
            if further_ns < latency_ns[other] or (further_ns == latency_ns[other] and hops + 1 < links[other]):
                latency_ns[other], links[other] = further_ns, hops + 1
                heapq.heappush(nearest, (further_ns, hops + 1, other))
    for node in range(len(latency_ns)):
        for k in range(backhaul.start[node], backhaul.start[node + 1]):
            other = backhaul.to[k]
            is_shortest = latency_ns[other] + backhaul.latency_ns[k] == latency_ns[node] and links[other] + 1 == links[node]
            if link[node] < 0 and node != server and is_shortest:
                link[node] = k
