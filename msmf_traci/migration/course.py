"""What a batch of frames says to containers: where each vehicle was and what was decided for it, as the compiled loops take it."""

from __future__ import annotations

from typing import NamedTuple

from msmf_traci.arrays import BoolArray, FloatArray, IntArray


class Course(NamedTuple):
    """Samples of a batch by vehicle and, within a vehicle, by time; decisions are those of one strategy and its options.

    Attributes
    ----------
    start
        Samples of the i-th vehicle are `start[i]` to `start[i + 1]`, shape (vehicles + 1,).
    vehicle
        Numbers of the vehicles, ascending, shape (vehicles,).
    before_x_m, before_y_m
        Where each was at its last frame before the batch, shape (vehicles,).
    time_s, x_m, y_m, first, last
        Of each sample, shape (samples,).
    track
        Which of the vehicles each sample belongs to, shape (samples,).
    frame
        Which frame of the batch each sample is in, shape (samples,).
    cell
        Attached cell of each sample.
    home, target, alternative
        Decided home or KEEP; the target or NO_SERVER, and what is the target where that is the host.
    entry, alternative_entry
        Cell in which the road enters the area of the target, and of the alternative; NO_CELL where it is not known.
    change_start, change
        Samples at which something of this is new for the i-th vehicle are `change[change_start[i]:change_start[i + 1]]`; a
        vehicle's first and last frame are always among them.
    """

    start: IntArray
    vehicle: IntArray
    before_x_m: FloatArray
    before_y_m: FloatArray
    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    first: BoolArray
    last: BoolArray
    track: IntArray
    frame: IntArray
    cell: IntArray
    home: IntArray
    target: IntArray
    alternative: IntArray
    entry: IntArray
    alternative_entry: IntArray
    change_start: IntArray
    change: IntArray


class Seen(NamedTuple):
    """What a trace shows after each sample, shape (samples, variants); of no rows where nothing is traced."""

    target: IntArray
    host: IntArray
    running: BoolArray
