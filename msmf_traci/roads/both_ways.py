"""The roads as people on foot use them: one-way streets lead both ways, and at a junction every road can be taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.roads.roads import Roads, straight_on

AGAINST = " (against)"
SAME_SHARE = 0.2  # lengths of the two directions of one street differ by less, and their middles are not farther apart
BESIDE_M = 50.0  # however short a street is, its directions may be so far apart


def open_both_ways(roads: Roads) -> Roads:
    """The same roads, followed by the other direction of each that leads one way only.

    The first edges, with their lengths, lines and straight-on successors, are those of `roads`: what is known of them stays true.
    """
    alone = np.flatnonzero(_opposite(roads) < 0)
    lines = [np.column_stack(roads.line(edge)) for edge in range(len(roads))]
    lines += [lines[edge][::-1] for edge in alone]
    from_node = np.concatenate([roads.from_node, roads.to_node[alone]])
    to_node = np.concatenate([roads.to_node, roads.from_node[alone]])
    line_start = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    points = np.concatenate(lines)
    wider = replace(
        roads,
        ids=[*roads.ids, *(roads.ids[edge] + AGAINST for edge in alone)],
        names=[*roads.names, *(roads.names[edge] for edge in alone)],
        classes=[*roads.classes, *(roads.classes[edge] for edge in alone)],
        length_m=np.concatenate([roads.length_m, roads.length_m[alone]]),
        line_start=line_start,
        line_x_m=points[:, 0].copy(),
        line_y_m=points[:, 1].copy(),
        from_node=from_node,
        to_node=to_node,
    )
    return _joined_at_junctions(wider, len(roads), lines)


def _opposite(roads: Roads) -> IntArray:
    """The edge that is the other direction of each, or -1: between the same junctions, about as long, and beside it all along.

    Of several streets between two junctions those that lie nearest each other are one; each edge is the other direction of one at most.
    """
    by_ends: dict[tuple[int, int], list[int]] = {}
    for edge, ends in enumerate(zip(roads.from_node.tolist(), roads.to_node.tolist(), strict=True)):
        by_ends.setdefault(ends, []).append(edge)
    x_m, y_m = roads.middles
    pairs = []
    for (begin, end), edges in by_ends.items():
        for edge in edges:
            for other in by_ends.get((end, begin), ()):
                alike_m = SAME_SHARE * min(roads.length_m[edge], roads.length_m[other])
                apart_m = float(np.hypot(x_m[edge] - x_m[other], y_m[edge] - y_m[other]))
                if edge < other and abs(roads.length_m[other] - roads.length_m[edge]) < alike_m and apart_m < max(alike_m, BESIDE_M):
                    pairs.append((apart_m, edge, other))
    opposite = np.full(len(roads), -1, dtype=np.int64)
    for _, edge, other in sorted(pairs):
        if opposite[edge] < 0 and opposite[other] < 0:
            opposite[edge], opposite[other] = other, edge
    return opposite


def _joined_at_junctions(roads: Roads, known: int, lines: list[FloatArray]) -> Roads:
    """Every edge leads to all that begin where it ends; the first `known` keep their straight-on successors."""
    opposite = _opposite(roads)
    by_begin = np.argsort(roads.from_node, kind="stable")
    begins = np.searchsorted(roads.from_node[by_begin], roads.to_node)
    ends = np.searchsorted(roads.from_node[by_begin], roads.to_node, side="right")
    reached = [
        {follower: follower == opposite[edge] for follower in np.sort(by_begin[begin:end]).tolist()}
        for edge, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True))
    ]
    successor = straight_on(roads.ids, reached, lines, roads.names, roads.classes)
    successor[:known] = roads.successor
    return replace(
        roads,
        successor=successor,
        follower_start=np.concatenate([[0], np.cumsum([len(each) for each in reached])]).astype(np.int64),
        follower=np.array([follower for each in reached for follower in each], dtype=np.int64),
        turnaround=np.array([turns for each in reached for turns in each.values()], dtype=np.bool_),
    )
