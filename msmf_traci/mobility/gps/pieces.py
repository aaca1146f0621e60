"""Cuts clean points into pieces: one trace, one mode of transport, no gap and no jump in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.mobility.gps.great_circle import fill_steps_m
from msmf_traci.mobility.gps.omissions import Omissions
from msmf_traci.mobility.gps.points import Points


@dataclass
class Pieces:
    """Pieces of traces, arrays of shape (p,): from point `first` up to, not including, `end`.

    Attributes
    ----------
    points
        The table that they are pieces of.
    names
        Called by the trace, and by the number of the piece where the trace has several.
    duration_s, length_m
        From the first point to the last.
    """

    points: Points
    first: IntArray
    end: IntArray
    names: list[str]
    duration_s: FloatArray
    length_m: FloatArray

    def __len__(self) -> int:
        return len(self.first)

    @property
    def modes(self) -> list[str]:
        """Mode of transport of each."""
        return [self.points.modes[part] for part in self.points.part[self.first]]

    @property
    def users(self) -> list[str]:
        """User of each."""
        return [self.points.users[trace] for trace in self.points.trace[self.first]]

    def leave_out(self, reason: str, is_out: BoolArray, omissions: Omissions) -> None:
        """Leave pieces out and count them."""
        omissions.leave_out_traces(reason, int(is_out.sum()), int((self.end - self.first)[is_out].sum()))
        for name in ("first", "end", "duration_s", "length_m"):
            setattr(self, name, getattr(self, name)[~is_out])
        self.names = [name for name, is_one in zip(self.names, is_out, strict=True) if not is_one]


def cut(points: Points, max_gap_s: float, max_mps: float, omissions: Omissions) -> Pieces:
    """Cut clean points where the trace, its mode or its label changes, after a gap, and where it jumps.

    Parameters
    ----------
    points
        In the order of trace and time.
    max_gap_s
        The longest time between neighbours in a piece.
    max_mps
        A step faster than this is a jump.
    omissions
        Counts the cuts.
    """
    steps_m = np.zeros(len(points))
    fill_steps_m(points.lon, points.lat, steps_m)
    passed_s = np.diff(points.time_s, prepend=points.time_s[:1])
    is_new = np.diff(points.trace, prepend=-1) != 0
    is_gap = ~is_new & (passed_s > max_gap_s)
    is_jump = ~is_new & ~is_gap & (steps_m > max_mps * passed_s)
    is_change = ~is_new & ~is_gap & ~is_jump & (np.diff(points.part, prepend=-1) != 0)
    for what, is_cut in (("gaps", is_gap), ("jumps", is_jump), ("mode_changes", is_change)):
        omissions.note(what, int(is_cut.sum()))
    is_first = is_new | is_gap | is_jump | is_change
    first = np.flatnonzero(is_first)
    end = np.append(first[1:], len(points))
    omissions.traces_cut += len(first)
    steps_m[is_first] = 0.0
    return Pieces(
        points,
        first,
        end,
        _names(points, first),
        points.time_s[end - 1] - points.time_s[first],
        np.add.reduceat(steps_m, first),
    )


def _names(points: Points, first: IntArray) -> list[str]:
    """Name of each piece: the trace's, with the number of the piece where there are several."""
    trace = points.trace[first]
    pieces = np.bincount(trace, minlength=len(points.names))
    number = np.arange(len(first)) - np.searchsorted(trace, trace, side="left") + 1
    return [
        points.names[which] if pieces[which] == 1 else f"{points.names[which]}-{nth}"
        for which, nth in zip(trace.tolist(), number.tolist(), strict=True)
    ]
