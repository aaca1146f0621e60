"""Which cells each vehicle was attached to, and when: all that a bound on the cost of a trip depends on. Model, section 14."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray, extended
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.sentinels import NO_CELL


@dataclass(frozen=True)
class Stays:
    """Stays in cells by vehicle and, within a vehicle, by time: from the frame of an attachment to that of the next one.

    Attributes
    ----------
    start
        Stays of vehicle v are `start[v]` to `start[v + 1]`, shape (vehicles + 1,).
    cell, begin_s, end_s
        Of each stay, shape (stays,).
    """

    start: IntArray
    cell: IntArray
    begin_s: FloatArray
    end_s: FloatArray

    @property
    def lasted_s(self) -> FloatArray:
        """How long each lasted."""
        return self.end_s - self.begin_s


class StayLog:
    """Notes changes of attachment."""

    def __init__(self) -> None:
        self._cell: IntArray = np.zeros(0, dtype=np.int64)
        self._last_s = np.zeros(0)
        self._noted: list[tuple[IntArray, IntArray, FloatArray]] = []  # vehicle, cell, begin

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self._cell = extended(self._cell, n, NO_CELL)
        self._last_s = extended(self._last_s, n, np.nan)

    def observe(self, tracks: Tracks, cell: IntArray) -> None:
        """Take in a batch, given the attached cell of each sample."""
        vehicle, begins, ends = tracks.vehicle[tracks.track], tracks.start[:-1], tracks.start[1:] - 1
        before = np.concatenate([[NO_CELL], cell[:-1]])
        before[begins] = self._cell[tracks.vehicle]
        is_new = before != cell
        self._noted.append((vehicle[is_new], cell[is_new], tracks.time_s[is_new]))
        self._cell[tracks.vehicle], self._last_s[tracks.vehicle] = cell[ends], tracks.time_s[ends]

    def stays(self) -> Stays:
        """The stays so far; the last one of each vehicle ends at its last frame."""
        vehicle, cell, begin_s = (np.concatenate(each) for each in zip(*self._noted, strict=True)) if self._noted else _NOTHING
        order = np.lexsort((begin_s, vehicle))
        vehicle, cell, begin_s = vehicle[order], cell[order], begin_s[order]
        start = np.searchsorted(vehicle, np.arange(len(self._cell) + 1))
        end_s = np.append(begin_s[1:], 0.0)[: len(begin_s)]
        is_last = start[1:] > start[:-1]
        end_s[start[1:][is_last] - 1] = self._last_s[is_last]
        return Stays(start, cell, begin_s, end_s)


_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
