"""Where servers are, as compiled loops read it: their tiers, the cells that they cover, and how far they are. Model, section 2.

Hops are steps on the graph of neighbouring cells. A row of hops, from one server to every cell, is made when a container first runs
there, and kept: a table of all servers and cells would be too large where there are many. With links from a file, a row of paths too.

`request_ms` is the one place that says how long a request takes from a cell to a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.backhaul import MS_PER_NS, Backhaul, Paths, find_paths
from msmf_traci.records import Records

ROUNDING_MS = 1e-9
_FEWEST_ROWS = 64
_ROOM_BYTES = 1 << 28  # for rows at first; what is not written to takes no memory
_PATH_BYTES = 12  # of a row of paths and node


@dataclass(frozen=True)
class RequestLatency:
    """Latencies of a request in milliseconds, one number a tier, the lowest first.

    Attributes
    ----------
    by_tier_ms
        Of one that a server of each tier answers for a user in its area, computing included. With links from a file without the path.
    hop_ms
        Of each hop that a request is relayed; not with links.
    per_container_ms
        What each other container on a server adds to the computing; nothing if empty.
    """

    by_tier_ms: tuple[float, ...]
    hop_ms: float = 0.0
    per_container_ms: tuple[float, ...] = ()


class ServerMap(NamedTuple):
    """The servers of a deployment.

    Attributes
    ----------
    tier
        Tier of each server, counted from the lowest, shape (servers,).
    first
        First server of each tier, and how many servers there are, shape (tiers + 1,).
    server_of
        Server of each tier and cell, shape (tiers, cells).
    name_rank
        Place of each server in the order of names, shape (servers,).
    cell_x_m, cell_y_m
        Centres of the cells.
    neighbours
        Of each cell, -1 where it has fewer, shape (cells, most neighbours).
    area_start, area_cell
        Cells that server s covers are `area_cell[area_start[s]:area_start[s + 1]]`.
    room
        Containers that each server can hold, where that is its own; -1 where it is its tier's.
    store
        Bytes of images that each server can hold, where that is its own; -1 where it is its tier's.
    bandwidth
        Bytes per second of each server, where that is its own; 0 where it is its tier's.
    backhaul
        The links between servers, if there are any.
    row
        Row of each server in `hops` and `paths`; -1 where it has none yet, shape (servers,).
    hops
        Hops from a server to every cell, shape (rows + 1, cells): the last row is scratch.
    paths
        Shortest paths to a server from every node, in the same rows; of no rows without links.
    made
        How many rows are made, and whose the scratch is (-1: nobody's), shape (2,).
    """

    tier: IntArray
    first: IntArray
    server_of: IntArray
    name_rank: IntArray
    cell_x_m: FloatArray
    cell_y_m: FloatArray
    neighbours: IntArray
    area_start: IntArray
    area_cell: IntArray
    room: IntArray
    store: IntArray
    bandwidth: FloatArray
    backhaul: Backhaul
    row: IntArray
    hops: NDArray[np.int16]
    paths: Paths
    made: IntArray


def with_room(server_map: ServerMap) -> ServerMap:
    """The same with room for further rows, if it has none and not every server has a row."""
    rows, servers = len(server_map.hops) - 1, len(server_map.row)
    if server_map.made[0] < rows or rows == servers:
        return server_map
    nodes, cells = len(server_map.backhaul.start) - 1, server_map.hops.shape[1]
    at_first = max(_FEWEST_ROWS, _ROOM_BYTES // (cells * server_map.hops.itemsize + nodes * _PATH_BYTES))
    rows = min(max(2 * rows, at_first), servers)
    made = int(server_map.made[0])
    paths = server_map.paths
    if nodes:
        paths = Paths(_longer(paths.latency_ns, rows, made), _longer(paths.link, rows, made))
    server_map.made[1] = -1
    return server_map._replace(hops=_longer(server_map.hops, rows, made), paths=paths)


def _longer(table: NDArray[Any], rows: int, made: int) -> NDArray[Any]:
    """A table with room for more rows, and one of scratch."""
    found = np.empty((rows + 1, table.shape[1]), dtype=table.dtype)
    found[:made] = table[:made]
    return found


@compiled
def request_ms(server: int, cell: int, latency: RequestLatency, server_map: ServerMap) -> float:
    """Latency of a request from a user attached to a cell that a server answers.

    By hops: the latency of the server's tier, and that of each hop. With links: the access latency and that of the path from the
    cell's server of the lowest tier. Computing stands in the tier's latency.

    Parameters
    ----------
    server, cell
        Their numbers.
    latency
        Its parts, as a record.
    server_map
        Where servers are.
    """
    tier_ms = latency.by_tier_ms[server_map.tier[server]]
    if len(server_map.paths.latency_ns) > 0:
        return float(tier_ms + path_ms(server_map.server_of[0, cell], server, server_map))
    return float(tier_ms + latency.hop_ms * hops_to(server, cell, server_map))


@compiled
def meets(latency_ms: float, level_ms: float) -> bool:
    """Whether a latency meets a level. What adding decimal fractions leaves (0.1 + 0.2 is more than 0.3) does not count."""
    return bool(latency_ms <= level_ms + ROUNDING_MS)


@compiled
def requests_ms(server: IntArray, cell: IntArray, latency: Records, server_map: ServerMap) -> FloatArray:
    """The same elementwise, NaN where there is no server; the latency's record in an array of its own."""
    found = np.full(len(server), np.nan)
    for i in range(len(server)):
        if server[i] >= 0:
            found[i] = request_ms(server[i], cell[i], latency[0], server_map)
    return found


@compiled
def path_ms(node: int, server: int, server_map: ServerMap) -> float:
    """Latency of the shortest path from a node to a server; 0 without links."""
    if len(server_map.paths.latency_ns) == 0:
        return 0.0
    return float(MS_PER_NS * server_map.paths.latency_ns[row_of(server, server_map), node])


@compiled
def hops_to(server: int, cell: int, server_map: ServerMap) -> int:
    """Hops from a cell to the nearest cell of a server's area."""
    return int(server_map.hops[row_of(server, server_map), cell])


@compiled
def row_of(server: int, server_map: ServerMap) -> int:
    """Row of a server; where there is no room to keep one, until `with_room` makes some, the last one until another server needs it."""
    row = server_map.row[server]
    if row < 0:
        row = server_map.made[0]
        if row == len(server_map.hops) - 1:
            if server_map.made[1] == server:
                return int(row)
            server_map.made[1] = server
        _fill(server_map.hops[row], server, server_map)
        if len(server_map.paths.latency_ns) > 0:
            find_paths(server, server_map.backhaul, server_map.paths.latency_ns[row], server_map.paths.link[row])
        if row < len(server_map.hops) - 1:
            server_map.row[server] = row
            server_map.made[0] += 1
    return int(row)


@compiled
def hops_between(server: IntArray, cell: IntArray, server_map: ServerMap) -> IntArray:
    """Hops from cells to the nearest cells of servers' areas, elementwise; -1 where there is no server."""
    found = np.full(len(server), -1, dtype=np.int64)
    for i in range(len(server)):
        if server[i] >= 0:
            found[i] = hops_to(server[i], cell[i], server_map)
    return found


@compiled
def hops_from(cell: int, server_map: ServerMap) -> NDArray[np.int16]:
    """Hops from one cell to every cell."""
    away = np.full(server_map.hops.shape[1], -1, dtype=np.int16)
    queue = np.empty(len(away), dtype=np.int64)
    away[cell], queue[0] = 0, cell
    _spread(away, queue, 1, server_map.neighbours)
    return away


@compiled
def _fill(away: NDArray[np.int16], server: int, server_map: ServerMap) -> None:
    """Hops from a server's area to every cell."""
    away[:] = -1
    queue = np.empty(len(away), dtype=np.int64)
    known = 0
    for k in range(server_map.area_start[server], server_map.area_start[server + 1]):
        queue[known] = server_map.area_cell[k]
        away[queue[known]] = 0
        known += 1
    _spread(away, queue, known, server_map.neighbours)


@compiled
def _spread(away: NDArray[np.int16], queue: IntArray, known: int, neighbours: IntArray) -> None:
    """Breadth first: from the first `known` cells of a queue on to all others."""
    done = 0
    while done < known:
        cell = queue[done]
        done += 1
        for other in neighbours[cell]:
            if other >= 0 and away[other] < 0:
                away[other] = away[cell] + 1
                queue[known] = other
                known += 1
