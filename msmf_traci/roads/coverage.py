"""The MRmap: which servers an edge, and the road straight on from it, passes through, and where.

One flat table of stretches serves the map's look-ahead chains (a row an edge and tier) and known routes (a row an edge of a route
and tier), so that a prediction is a look-up in one short sorted list whose length does not depend on the map. Model, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.deployment.cells import Cells
from msmf_traci.roads.roads import Roads

SLIVER_M = 1e-9  # a shorter piece of a line is an artefact of rounding at a border


@dataclass(frozen=True)
class Stretches:
    """Rows of (server, distance to entry, distance to exit), sorted along the road; row i is `start[i]` to `start[i] + count[i]`.

    Distances are measured from the point that belongs to the row: the begin of its edge.
    """

    start: IntArray
    count: IntArray
    server: IntArray
    entry_m: FloatArray
    exit_m: FloatArray


@dataclass(frozen=True)
class EdgeCoverage:
    """Cells along each single edge: stretches of edge e are `start[e]` to `start[e + 1]`, covering [0, length]."""

    start: IntArray
    cell: IntArray
    entry_m: FloatArray
    exit_m: FloatArray


def cover_edges(roads: Roads, cells: Cells) -> EdgeCoverage:
    """Cut every edge's centre line, scaled to the edge's length, at the cell borders."""
    n_points = np.diff(roads.line_start)
    is_last = np.zeros(len(roads.line_x_m), dtype=bool)
    is_last[roads.line_start[1:] - 1] = True
    first = np.flatnonzero(~is_last)
    edge = np.repeat(np.arange(len(roads)), n_points)[first]
    x, y = roads.line_x_m, roads.line_y_m
    piece_m = np.hypot(x[first + 1] - x[first], y[first + 1] - y[first])
    total_m = np.bincount(edge, weights=piece_m, minlength=len(roads))
    scale = np.divide(roads.length_m, total_m, out=np.zeros(len(roads)), where=total_m > 0)
    before_m = np.concatenate([[0.0], np.cumsum(piece_m)])
    edge_begin_m = before_m[np.searchsorted(edge, np.arange(len(roads)))]
    cuts = cells.cut(x[first], y[first], x[first + 1], y[first + 1])
    of_edge = edge[cuts.line]
    along_m = before_m[cuts.line] - edge_begin_m[of_edge]
    entry_m = (along_m + cuts.begin * piece_m[cuts.line]) * scale[of_edge]
    exit_m = (along_m + cuts.end * piece_m[cuts.line]) * scale[of_edge]
    real = (exit_m - entry_m > SLIVER_M) | (total_m[of_edge] == 0)  # a line that is a point lies in one cell
    return _join_ends(*_merge(of_edge[real], cuts.cell[real], entry_m[real], exit_m[real]), roads)


def look_ahead_chains(roads: Roads, coverage: EdgeCoverage, server_of: IntArray, horizon_m: float) -> Stretches:
    """Stretches of every edge's look-ahead chain, for every tier: row `tier * edges + edge`.

    Parameters
    ----------
    roads, coverage
        The map and the cells along its edges.
    server_of
        Server of each tier and cell, or of any other layer, shape (layers, cells).
    horizon_m
        How far beyond the edge's end whole edges are followed.
    """
    every: IntArray = np.arange(len(roads))
    walk = _follow(every, roads.successor, roads.length_m, horizon_m, loops=False)
    return _stretches_along(walk, every, coverage, server_of)


def route_stretches(
    routes: Sequence[IntArray], roads: Roads, coverage: EdgeCoverage, server_of: IntArray, horizon_m: float
) -> tuple[Stretches, IntArray]:
    """Stretches of known routes, for every tier: what lies ahead of the begin of each edge of each route.

    An edge that is no road (-1) ends what is seen; so does the horizon beyond the first edge's end.

    Returns
    -------
    stretches
        Row `first_row[k] + tier * len(route) + i` belongs to the i-th edge of route k.
    first_row
        As above, shape (routes,).
    """
    edges = np.concatenate([*routes, np.zeros(0, dtype=np.int64)])
    sizes = np.array([len(route) for route in routes], dtype=np.int64)
    length_m = np.where(edges >= 0, roads.length_m[np.maximum(edges, 0)], 0.0)
    following = np.arange(1, len(edges) + 1)
    following[np.cumsum(sizes)[sizes > 0] - 1] = -1
    following[following >= 0] = np.where(edges[following[following >= 0]] >= 0, following[following >= 0], -1)
    walk = _follow(np.flatnonzero(edges >= 0), following, length_m, horizon_m, loops=True)
    by_tier = _stretches_along(walk, edges, coverage, server_of)
    # from one block of rows a tier to one block of rows a route, with its tiers in it
    tiers, n = len(server_of), len(edges)
    before = np.cumsum(sizes) - sizes
    first_row = tiers * before
    within = np.arange(n) - np.repeat(before, sizes)
    order = np.empty(tiers * n, dtype=np.int64)
    for tier in range(tiers):
        order[np.repeat(first_row + tier * sizes, sizes) + within] = tier * n + np.arange(n)
    stretches = Stretches(by_tier.start[order], by_tier.count[order], by_tier.server, by_tier.entry_m, by_tier.exit_m)
    return stretches, first_row


def joined(one: Stretches, other: Stretches) -> Stretches:
    """The rows of one table, followed by those of another."""
    return Stretches(
        np.concatenate([one.start, other.start + len(one.server)]),
        np.concatenate([one.count, other.count]),
        np.concatenate([one.server, other.server]),
        np.concatenate([one.entry_m, other.entry_m]),
        np.concatenate([one.exit_m, other.exit_m]),
    )


def _stretches_along(walk: tuple[IntArray, IntArray, FloatArray], edge: IntArray, coverage: EdgeCoverage, server_of: IntArray) -> Stretches:
    """Stretches along walks, for every tier: row `tier * nodes + n` belongs to the walk from node n, which is on `edge[n]`."""
    begin, node, offset_m = walk
    link = edge[node]
    counts = np.diff(coverage.start)[link]
    pick = _ranges(coverage.start[link], counts)
    row = np.repeat(begin, counts)
    entry_m = coverage.entry_m[pick] + np.repeat(offset_m, counts)
    exit_m = coverage.exit_m[pick] + np.repeat(offset_m, counts)
    rows, servers, entries, exits = [], [], [], []
    for tier in range(len(server_of)):
        merged = _merge(row, server_of[tier][coverage.cell[pick]], entry_m, exit_m)
        rows.append(merged[0] + tier * len(edge))
        servers.append(merged[1])
        entries.append(merged[2])
        exits.append(merged[3])
    start = np.searchsorted(np.concatenate(rows), np.arange(len(server_of) * len(edge) + 1))
    return Stretches(start[:-1], np.diff(start), np.concatenate(servers), np.concatenate(entries), np.concatenate(exits))


def _follow(
    begin: IntArray, following: IntArray, length_m: FloatArray, horizon_m: float, *, loops: bool
) -> tuple[IntArray, IntArray, FloatArray]:
    """Follow all walks at once, whole nodes, until the horizon beyond the first one's end is covered.

    Parameters
    ----------
    begin
        Nodes where walks begin.
    following, length_m
        The next node (-1: none) and the length of every node.
    horizon_m
        How far beyond the end of the first node a walk goes.
    loops
        Whether a walk may come back to a node that is on it.

    Returns
    -------
    First node, node and distance of that node's begin, sorted by first node and distance.
    """
    walk, node = begin, begin
    offset_m = np.zeros(len(begin))
    seen = node[:, None]
    found = [(walk, node, offset_m)]
    while len(walk):
        after = following[node]
        end_m = offset_m + length_m[node]
        going: BoolArray = (after >= 0) & (end_m - length_m[walk] < horizon_m)
        if not loops:
            going &= ~(seen == after[:, None]).any(axis=1)
        walk, node, offset_m = walk[going], after[going], end_m[going]
        if not loops:
            seen = np.column_stack([seen[going], node])
        found.append((walk, node, offset_m))
    walks, nodes, offsets = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(walks, kind="stable")
    return walks[order], nodes[order], offsets[order]


def _merge(row: IntArray, key: IntArray, entry_m: FloatArray, exit_m: FloatArray) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Merge adjacent stretches of one key within a row."""
    if not len(row):
        return row, key, entry_m, exit_m
    begins = np.concatenate([[True], (row[1:] != row[:-1]) | (key[1:] != key[:-1])])
    first = np.flatnonzero(begins)
    last = np.concatenate([first[1:], [len(row)]]) - 1
    return row[first], key[first], entry_m[first], exit_m[last]


def _join_ends(row: IntArray, cell: IntArray, entry_m: FloatArray, exit_m: FloatArray, roads: Roads) -> EdgeCoverage:
    """Close the gaps of rounding: each stretch begins where the one before ends, the last one ends at the edge's length."""
    start = np.searchsorted(row, np.arange(len(roads) + 1))
    is_last = np.append(row[1:] != row[:-1], True) if len(row) else np.zeros(0, dtype=bool)
    exit_m = np.where(is_last, roads.length_m[row], exit_m)
    follows = np.concatenate([[False], ~is_last[:-1]]) if len(row) else is_last
    entry_m = np.where(follows, np.concatenate([[0.0], exit_m[:-1]]) if len(row) else entry_m, 0.0)
    return EdgeCoverage(start, cell, entry_m, exit_m)


def _ranges(start: IntArray, count: IntArray) -> IntArray:
    """Concatenate the ranges start[i] .. start[i] + count[i]."""
    total = int(count.sum())
    ends = np.cumsum(count)
    return np.arange(total) - np.repeat(ends - count, count) + np.repeat(start, count)
