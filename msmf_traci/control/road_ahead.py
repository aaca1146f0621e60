"""The strategies of the paper and the oracles, compiled: every sample of a batch in one loop. Model, section 6.

`strategies.py` has the same strategies in readable form, one frame at a time; tests hold the two against each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.sentinels import KEEP, NO_CELL, NO_SERVER


class RoadTable(NamedTuple):
    """Rows of stretches (`roads.coverage.Stretches`) and which row belongs to a sample.

    Attributes
    ----------
    start, sizes, server, entry_m, exit_m
        The rows.
    row, rows_a_tier
        Row of each sample in the lowest tier (-1: off the road), and how many rows on that of the next tier is; shape (n,).
    cell_layer
        Which tier's rows, or those behind the last tier's, have cells for servers.
    """

    start: IntArray
    sizes: IntArray
    server: IntArray
    entry_m: FloatArray
    exit_m: FloatArray
    row: IntArray
    rows_a_tier: IntArray
    cell_layer: int


class Sight(NamedTuple):
    """How far along the road is seen, and what a short cell is."""

    horizon_m: float
    slack_m: float
    passes_over: bool
    min_m: float
    min_dwell_s: float


class Verdicts(NamedTuple):
    """The verdicts of OP in force, by vehicle: in which area, on which edge it was given, and whether the area is short."""

    area: IntArray
    edge: IntArray
    short: BoolArray


@compiled
def follow_road(
    start: IntArray,
    vehicle: IntArray,
    first: BoolArray,
    edge: IntArray,
    position_m: FloatArray,
    speed_mps: FloatArray,
    cell: IntArray,
    tier: IntArray,
    server_of: IntArray,
    table: RoadTable,
    sight: Sight,
    verdicts: Verdicts,
    answers: IntArray,
) -> None:
    """PM, PM-OP and the oracles: `answers[0..4]` become home, target, alternative and their entries of each sample.

    Parameters
    ----------
    start, vehicle
        The tracks.
    first, edge, position_m, speed_mps, cell, tier
        Of each sample, shape (n,).
    server_of
        Server of each tier and cell.
    table, sight, verdicts
        The road ahead, how it is seen, and what OP remembers.
    answers
        Shape (5, n).
    """
    # what was decided holds on while the vehicle is in the same stretch of the same row and nothing new comes into sight
    may_hold = not (sight.passes_over and sight.min_dwell_s > 0)
    for i in range(len(vehicle)):
        v = vehicle[i]
        held_row, held_home, since_m, until_m, unseen_m = -1, NO_SERVER, 0.0, 0.0, 0.0
        for s in range(start[i], start[i + 1]):
            home = server_of[tier[s], cell[s]]
            row = table.row[s] + tier[s] * table.rows_a_tier[s] if table.row[s] >= 0 else -1
            is_same = row >= 0 and row == held_row and home == held_home
            if is_same and since_m <= position_m[s] < until_m and not unseen_m < position_m[s] + sight.horizon_m:
                for k in range(5):
                    answers[k, s] = answers[k, s - 1]
                continue
            held_row = -1
            answers[0, s] = home
            answers[1:, s] = NO_SERVER
            begin, count = 0, 0
            if row >= 0:
                begin = table.start[row]
                count = _seen(table, begin, table.sizes[row], position_m[s] + sight.horizon_m)
            own = _own(table, begin, count, position_m[s], sight.slack_m, home)
            if may_hold and own >= 0 and not first[s] and table.entry_m[begin + own] <= position_m[s]:
                held_row, held_home, since_m, until_m = row, home, position_m[s], table.exit_m[begin + own]
                unseen_m = table.entry_m[begin + count] if count < table.sizes[row] else np.inf
            if sight.passes_over and _is_short(table, begin, count, own, position_m[s], speed_mps[s], edge[s], home, v, sight, verdicts):
                answers[0, s] = home if first[s] else KEEP
            k = own + 1 if own >= 0 else _here(table, begin, count, position_m[s])
            found = 0
            while k < count and found < 2:
                server = table.server[begin + k]
                is_new = server != home and (found == 0 or server != answers[1, s])
                if is_new and not (sight.passes_over and k < count - 1 and _is_crossed(table, begin + k, speed_mps[s], sight)):
                    answers[1 + found, s] = server
                    if tier[s] > 0:
                        answers[3 + found, s] = _entered_at(table, s, position_m[s], server, server_of[tier[s]])
                    found += 1
                k += 1


@compiled
def _seen(table: RoadTable, begin: int, count: int, end_m: float) -> int:
    """How many stretches of a row begin before the horizon."""
    n = 0
    while n < count and table.entry_m[begin + n] < end_m:
        n += 1
    return n


@compiled
def _own(table: RoadTable, begin: int, count: int, position_m: float, slack_m: float, home: int) -> int:
    """Index of the stretch where the vehicle is: the first of the attached home that ends beyond it and begins within the slack."""
    for k in range(count):
        if table.entry_m[begin + k] > position_m + slack_m:
            return -1
        if table.server[begin + k] == home and table.exit_m[begin + k] > position_m:
            return k
    return -1


@compiled
def _here(table: RoadTable, begin: int, count: int, position_m: float) -> int:
    """Index of the stretch at the position; `count` where there is none."""
    for k in range(count):
        if table.entry_m[begin + k] <= position_m < table.exit_m[begin + k]:
            return k
    return count


@compiled
def _is_short(
    table: RoadTable,
    begin: int,
    count: int,
    own: int,
    position_m: float,
    speed_mps: float,
    edge: int,
    home: int,
    v: int,
    sight: Sight,
    verdicts: Verdicts,
) -> bool:
    """OP's verdict in force: given on entering an area and, while it is short, again whenever the edge changes."""
    if verdicts.area[v] != home or (verdicts.short[v] and verdicts.edge[v] != edge):
        covered_m = table.exit_m[begin + own] - position_m if 0 <= own < count - 1 else np.inf
        verdicts.short[v] = covered_m < sight.min_m or covered_m < sight.min_dwell_s * speed_mps
    verdicts.area[v] = home
    verdicts.edge[v] = edge
    return bool(verdicts.short[v])


@compiled
def _is_crossed(table: RoadTable, k: int, speed_mps: float, sight: Sight) -> bool:
    """Whether a stretch is too short to be a target."""
    length_m = table.exit_m[k] - table.entry_m[k]
    return bool(length_m < sight.min_m or length_m < sight.min_dwell_s * speed_mps)


@compiled
def _entered_at(table: RoadTable, s: int, position_m: float, server: int, server_of: IntArray) -> int:
    """The first cell ahead that a server covers, given the server of each cell."""
    row = table.row[s] + table.cell_layer * table.rows_a_tier[s]
    for k in range(table.start[row], table.start[row] + table.sizes[row]):
        if table.exit_m[k] > position_m and server_of[table.server[k]] == server:
            return int(table.server[k])
    return NO_CELL


@compiled
def follow_border(
    x_m: FloatArray,
    y_m: FloatArray,
    dx_m: FloatArray,
    dy_m: FloatArray,
    cell: IntArray,
    cell_x_m: FloatArray,
    cell_y_m: FloatArray,
    neighbours: IntArray,
    server_of: IntArray,
    trigger_m: float,
    answers: IntArray,
) -> None:
    """Nearest: `answers[0..1]` become home and target of each sample, the others NO_SERVER; arrays as in `follow_road`."""
    for s in range(len(cell)):
        own = cell[s]
        answers[0, s] = server_of[own]
        answers[1:, s] = NO_SERVER
        nearest_m = trigger_m
        for other in neighbours[own]:
            if other < 0 or server_of[other] == server_of[own]:
                continue
            to_x, to_y = cell_x_m[other] - cell_x_m[own], cell_y_m[other] - cell_y_m[own]
            if not dx_m[s] * to_x + dy_m[s] * to_y > 0:
                continue
            to_other = (x_m[s] - cell_x_m[other]) ** 2 + (y_m[s] - cell_y_m[other]) ** 2
            to_own = (x_m[s] - cell_x_m[own]) ** 2 + (y_m[s] - cell_y_m[own]) ** 2
            border_m = (to_other - to_own) / (2 * np.hypot(to_x, to_y))
            if border_m < nearest_m:
                nearest_m = border_m
                answers[1, s] = server_of[other]
