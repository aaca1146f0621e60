"""The MRmap: which servers an edge, and the road straight on from it, passes through, and where.

One flat table of stretches serves the map's look-ahead chains (a row an edge and tier) and known routes (a row an edge of a route
and tier), so that a prediction is a look-up in one short sorted list whose length does not depend on the map. Model, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.world.cells import HexCells
from msmf_traci.world.roads import Roads

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


def cover_edges(roads: Roads, cells: HexCells) -> EdgeCoverage:
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
        Server of each tier and cell, shape (tiers, cells).
    horizon_m
        How far beyond the edge's end whole edges are followed.
    """
    chain, link, offset_m = _follow(roads, horizon_m)
    counts = np.diff(coverage.start)[link]
    pick = _ranges(coverage.start[link], counts)
    row = np.repeat(chain, counts)
    entry_m = coverage.entry_m[pick] + np.repeat(offset_m, counts)
    exit_m = coverage.exit_m[pick] + np.repeat(offset_m, counts)
    rows, servers, entries, exits = [], [], [], []
    for tier in range(len(server_of)):
        merged = _merge(row, server_of[tier][coverage.cell[pick]], entry_m, exit_m)
        rows.append(merged[0] + tier * len(roads))
        servers.append(merged[1])
        entries.append(merged[2])
        exits.append(merged[3])
    n_rows = len(server_of) * len(roads)
    all_rows = np.concatenate(rows)
    start = np.searchsorted(all_rows, np.arange(n_rows + 1))
    return Stretches(start[:-1], np.diff(start), np.concatenate(servers), np.concatenate(entries), np.concatenate(exits))


def route_stretches(route: IntArray, roads: Roads, coverage: EdgeCoverage, server_of: IntArray, horizon_m: float) -> Stretches:
    """Stretches of a known route, for every tier: row `tier * len(route) + i` is what lies ahead of the i-th edge's begin.

    An edge that is no road (-1) ends what is seen; so does the horizon beyond the i-th edge's end.
    """
    breaks = np.flatnonzero(route < 0)
    ends = np.concatenate([breaks, [len(route)]])
    length_m = np.where(route >= 0, roads.length_m[np.maximum(route, 0)], 0.0)
    begin_m = np.concatenate([[0.0], np.cumsum(length_m)])
    starts, counts, servers, entries, exits = [], [], [], [], []
    total = 0
    for tier in range(len(server_of)):
        for i in range(len(route)):
            stop = int(ends[np.searchsorted(ends, i)])
            last = min(stop, int(np.searchsorted(begin_m, begin_m[i + 1] + horizon_m, side="left")))
            links = route[i:last]
            sizes = np.diff(coverage.start)[links] if len(links) else np.zeros(0, dtype=np.int64)
            pick = _ranges(coverage.start[links], sizes)
            offset_m = np.repeat(begin_m[i:last] - begin_m[i], sizes)
            _, server, entry_m, exit_m = _merge(
                np.zeros(len(pick), dtype=np.int64),
                server_of[tier][coverage.cell[pick]],
                coverage.entry_m[pick] + offset_m,
                coverage.exit_m[pick] + offset_m,
            )
            starts.append(total)
            counts.append(len(server))
            total += len(server)
            servers.append(server)
            entries.append(entry_m)
            exits.append(exit_m)
    return Stretches(
        np.array(starts, dtype=np.int64),
        np.array(counts, dtype=np.int64),
        np.concatenate(servers),
        np.concatenate(entries),
        np.concatenate(exits),
    )


def _follow(roads: Roads, horizon_m: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Follow all chains at once: (chain, edge on it, distance of that edge's begin), sorted by chain and distance."""
    chain: IntArray = np.arange(len(roads))
    link = chain.copy()
    offset_m = np.zeros(len(roads))
    seen = link[:, None]
    found = [(chain, link, offset_m)]
    while len(chain):
        following = roads.successor[link]
        end_m = offset_m + roads.length_m[link]
        going: BoolArray = (following >= 0) & (end_m - roads.length_m[chain] < horizon_m) & ~(seen == following[:, None]).any(axis=1)
        chain, link, offset_m = chain[going], following[going], end_m[going]
        seen = np.column_stack([seen[going], link])
        found.append((chain, link, offset_m))
    chains, links, offsets = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(chains, kind="stable")
    return chains[order], links[order], offsets[order]


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
