"""What is known of a vehicle at a frame: where it is, which home it has, and which stretches of road lie ahead. Model, sections 3 and 6.

It is looked up once for all variants that know the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.compiled import compiled
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_CELL


class Look:
    """What is known of one vehicle at one frame: a record, one a sample.

    Speed, edge and places are those of the last status update. Stretches of road are numbered as in `Road`; distances along it are
    measured from the begin of the vehicle's edge, where `position_m` is measured from.
    """

    time_s: float
    x_m: float
    y_m: float
    dx_m: float  # displacement since the status update before; NaN at the first
    dy_m: float
    speed_mps: float
    mean_speed_mps: float  # of the speeds known at the vehicle's frames of the last 60 s
    position_m: float
    edge: int
    cell: int  # attached cell
    tier: int  # of the task
    home: int  # attached home: the server of that tier that covers the cell
    begin: int  # the vehicle's row of stretches as far as the horizon: begin to end - 1
    end: int
    own: int  # the stretch where the vehicle is: the first of the attached home that qualifies, or -1
    ahead: int  # the first stretch beyond it; the one at the position where there is no own one
    cells_begin: int  # the same row by cells instead of servers, as far as it is known
    cells_end: int
    first: bool  # the vehicle's first frame, its last one
    last: bool


class Road(NamedTuple):
    """Stretches of road: the home that covers each, and where it begins and ends."""

    server: IntArray
    entry_m: FloatArray
    exit_m: FloatArray


class Outlook(NamedTuple):
    """A batch from one viewpoint: what is known at each sample (`Look`), whether anything is new there, and the stretches of road."""

    looks: Records
    is_new: BoolArray
    road: Road


class Rows(NamedTuple):
    """Which stretches make a row, and which row belongs to a sample.

    Attributes
    ----------
    start, size
        Stretches of row r are `start[r]` to `start[r] + size[r]`.
    of_sample, per_layer
        Row of each sample in the lowest tier (-1: off the road), and how many rows on that of the next tier is; shape (n,).
    cell_layer
        Which layer has cells for servers.
    """

    start: IntArray
    size: IntArray
    of_sample: IntArray
    per_layer: IntArray
    cell_layer: int


@compiled
def look_ahead(
    start: IntArray,
    vehicle: IntArray,
    rows: Rows,
    road: Road,
    horizon_m: float,
    slack_m: float,
    before: IntArray,
    looks: Records,
) -> BoolArray:
    """Fill in what lies ahead of vehicles whose other fields are known.

    Parameters
    ----------
    start, vehicle
        The tracks: samples of the i-th vehicle are `start[i]` to `start[i + 1]`.
    rows, road
        The stretches.
    horizon_m
        What begins this far ahead or farther is not seen.
    slack_m
        How far ahead the vehicle's own stretch may begin.
    before
        What each vehicle's look before was, shape (vehicles so far, 7); brought up to date.
    looks
        Shape (n,).

    Returns
    -------
    Whether anything is new at each sample, shape (n,): its cell, home, edge or stretches are others than at the vehicle's frame before, or
    one of the two is its first one.
    """
    is_new = np.zeros(len(looks), dtype=np.bool_)
    for i in range(len(vehicle)):
        was = before[vehicle[i]]
        for s in range(start[i], start[i + 1]):
            look = looks[s]
            look.begin = look.end = look.cells_begin = look.cells_end = 0
            if rows.of_sample[s] >= 0:
                row = rows.of_sample[s] + look.tier * rows.per_layer[s]
                look.begin = rows.start[row]
                look.end = look.begin + _in_sight(road, look.begin, rows.size[row], look.position_m + horizon_m)
                row = rows.of_sample[s] + rows.cell_layer * rows.per_layer[s]
                look.cells_begin = rows.start[row]
                look.cells_end = look.cells_begin + rows.size[row]
            look.own = _own(road, look.begin, look.end, look.position_m, slack_m, look.home)
            look.ahead = look.own + 1 if look.own >= 0 else _here(road, look.begin, look.end, look.position_m)
            now = (int(look.first), look.cell, look.home, look.edge, look.own, look.ahead, look.end)
            for k in range(7):
                if now[k] != was[k]:
                    is_new[s] = True
                    was[k] = now[k]
    return is_new


@compiled
def entered_at(look: Look, road: Road, server: int, server_of: IntArray) -> int:
    """The first cell ahead that a server covers, given the server of each cell in the server's tier; NO_CELL where none is known."""
    for k in range(look.cells_begin, look.cells_end):
        if road.exit_m[k] > look.position_m and server_of[road.server[k]] == server:
            return int(road.server[k])
    return NO_CELL


@compiled
def coverage_m(look: Look, road: Road) -> float:
    """How far the attached home still covers the road; infinite where it is not found or the road ends inside it."""
    return float(road.exit_m[look.own] - look.position_m) if 0 <= look.own < look.end - 1 else np.inf


@compiled
def _in_sight(road: Road, begin: int, count: int, end_m: float) -> int:
    """How many stretches of a row begin before the horizon."""
    n = 0
    while n < count and road.entry_m[begin + n] < end_m:
        n += 1
    return n


@compiled
def _own(road: Road, begin: int, end: int, position_m: float, slack_m: float, home: int) -> int:
    """The stretch where the vehicle is: the first of the attached home that ends beyond it and begins within the slack; or -1."""
    for k in range(begin, end):
        if road.entry_m[k] > position_m + slack_m:
            return -1
        if road.server[k] == home and road.exit_m[k] > position_m:
            return k
    return -1


@compiled
def _here(road: Road, begin: int, end: int, position_m: float) -> int:
    """The stretch at the position; `end` where there is none."""
    for k in range(begin, end):
        if road.entry_m[k] <= position_m < road.exit_m[k]:
            return k
    return end
