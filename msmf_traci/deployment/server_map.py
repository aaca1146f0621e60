"""Where servers are, as compiled loops read it: their tiers, the cells that they cover, and hops to them. Model, section 2.

Hops are steps on the graph of neighbouring cells. A row of hops, from one server to every cell, is made when a container first runs
there, and kept: a table of all servers and cells would be too large where there are many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled

_FEWEST_ROWS = 64


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
    neighbours
        Of each cell, -1 where it has fewer, shape (cells, most neighbours).
    area_start, area_cell
        Cells that server s covers are `area_cell[area_start[s]:area_start[s + 1]]`.
    row
        Row of each server in `hops`; -1 where it has none yet, shape (servers,).
    hops
        Hops from a server to every cell, shape (rows, cells).
    made
        How many rows are made, shape (1,).
    """

    tier: IntArray
    first: IntArray
    server_of: IntArray
    name_rank: IntArray
    neighbours: IntArray
    area_start: IntArray
    area_cell: IntArray
    row: IntArray
    hops: NDArray[np.int16]
    made: IntArray


def with_room(server_map: ServerMap) -> ServerMap:
    """The same with room for further rows, if it has none and not every server has a row."""
    rows, servers = len(server_map.hops), len(server_map.row)
    if server_map.made[0] < rows or rows == servers:
        return server_map
    hops = np.empty((min(max(2 * rows, _FEWEST_ROWS), servers), server_map.hops.shape[1]), dtype=np.int16)
    hops[:rows] = server_map.hops
    return server_map._replace(hops=hops)


@compiled
def hops_to(server: int, cell: int, server_map: ServerMap) -> int:
    """Hops from a cell to the nearest cell of a server's area."""
    row = server_map.row[server]
    if row < 0:
        row = server_map.made[0]
        if row == len(server_map.hops):  # no room for one more, until `with_room` makes some
            aside = np.empty(server_map.hops.shape[1], dtype=np.int16)
            _fill(aside, server, server_map)
            return int(aside[cell])
        _fill(server_map.hops[row], server, server_map)
        server_map.row[server] = row
        server_map.made[0] += 1
    return int(server_map.hops[row, cell])


@compiled
def hops_between(server: IntArray, cell: IntArray, server_map: ServerMap) -> IntArray:
    """Hops from cells to the nearest cells of servers' areas, elementwise."""
    found = np.empty(len(server), dtype=np.int64)
    for i in range(len(server)):
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
