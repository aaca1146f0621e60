"""What one strategy decides for a batch of frames, and at which samples something of it is new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, IntArray, extended
from msmf_traci.compiled import compiled
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.sentinels import NO_SERVER


@dataclass(frozen=True)
class Decisions:
    """Answers for every sample of some tracks, arrays of shape (n,).

    What is decided does not depend on where containers are, but for one thing: a target is never the host. So two targets are given.

    Attributes
    ----------
    cell
        Attached cell.
    home
        Server that must host the container, or KEEP; at a vehicle's first frame always a server.
    target
        Server to pre-copy to, or NO_SERVER.
    alternative
        The target where `target` is the host, or NO_SERVER.
    entry, alternative_entry
        Cell in which the road enters the area of the target, and of the alternative; NO_CELL where it is not known, or the tier is
        the lowest.
    """

    cell: IntArray
    home: IntArray
    target: IntArray
    alternative: IntArray
    entry: IntArray
    alternative_entry: IntArray


class Changes:
    """Finds the samples at which a decision, or the attached cell, is another than at the vehicle's frame before."""

    def __init__(self) -> None:
        self._before: IntArray = np.zeros((0, 4), dtype=np.int64)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self._before = np.concatenate([self._before, np.full((n, 4), NO_SERVER, dtype=np.int64)])

    def find(self, tracks: Tracks, decisions: Decisions, *, every: bool = False) -> tuple[IntArray, IntArray]:
        """Changes of the i-th track are `change[start[i]:start[i + 1]]`; returns (start, change).

        A vehicle's first and last frame are always among them; with `every`, all frames are.
        """
        is_change = tracks.first | tracks.last
        if every:
            is_change = np.ones(len(tracks), dtype=bool)
        d = decisions
        _mark(tracks.start, tracks.vehicle, d.cell, d.home, d.target, d.alternative, self._before, is_change)
        change = np.flatnonzero(is_change)
        return np.searchsorted(change, tracks.start), change


@compiled
def _mark(
    start: IntArray,
    vehicle: IntArray,
    cell: IntArray,
    home: IntArray,
    target: IntArray,
    alternative: IntArray,
    before: IntArray,
    is_change: BoolArray,
) -> None:
    for i in range(len(vehicle)):
        row = before[vehicle[i]]
        for s in range(start[i], start[i + 1]):
            if cell[s] != row[0] or home[s] != row[1] or target[s] != row[2] or alternative[s] != row[3]:
                is_change[s] = True
                row[0], row[1], row[2], row[3] = cell[s], home[s], target[s], alternative[s]


def none_of(n: int) -> IntArray:
    """NO_SERVER for each of n samples."""
    return extended(np.zeros(0, dtype=np.int64), n, NO_SERVER)
