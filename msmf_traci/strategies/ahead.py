"""The stretches of road ahead of each vehicle of a frame, as a strategy in Python sees them. Model, section 6."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, read_only
from msmf_traci.control.look import Road
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER


@dataclass(frozen=True)
class Ahead:
    """The stretches ahead of each vehicle, merged by home: arrays of shape (n, most stretches), with `exists` where there is one.

    Distances are measured from the begin of the vehicle's edge, where its position is measured from.

    Attributes
    ----------
    server, entry_m, exit_m, exists
        Home of each stretch, where it begins and ends; cut at the horizon.
    position_m
        Position of each vehicle, shape (n,).
    home
        The attached home of each vehicle, shape (n,).
    own
        Index of the stretch where the vehicle is: the first of the attached home that qualifies, or -1; shape (n,).
    beyond
        Index of the first stretch beyond it; of the one at the position where there is no own one; shape (n,).
    """

    server: IntArray
    entry_m: FloatArray
    exit_m: FloatArray
    exists: BoolArray
    position_m: FloatArray
    home: IntArray
    own: IntArray
    beyond: IntArray

    def __post_init__(self) -> None:
        read_only(self.server, self.entry_m, self.exit_m, self.exists)

    @cached_property
    def last(self) -> IntArray:
        """Index of the last stretch seen, or -1."""
        return np.asarray(self.exists.sum(axis=1) - 1, dtype=np.int64)

    @property
    def length_m(self) -> FloatArray:
        """Length of each stretch."""
        return self.exit_m - self.entry_m

    @property
    def distance_m(self) -> FloatArray:
        """How far it is to each stretch; 0 where it has begun."""
        return np.maximum(self.entry_m - self.position_m[:, None], 0.0)

    def time_s(self, speed_mps: FloatArray) -> FloatArray:
        """How long it takes to each stretch at these speeds, shape (n,), of which none counts as less than 1 m/s."""
        return self.distance_m / np.maximum(speed_mps, 1.0)[:, None]

    def coverage_m(self) -> FloatArray:
        """How far the attached home still covers the road; infinite where it is not found or the road ends inside it."""
        rows = np.arange(len(self.own))
        known = (self.own >= 0) & (self.own != self.last)
        ahead_m = self.exit_m[rows, np.maximum(self.own, 0)] - self.position_m if self.exit_m.shape[1] else np.zeros(len(rows))
        return np.where(known, ahead_m, np.inf)

    def next_home(self, host: IntArray, skipped: BoolArray | None = None) -> IntArray:
        """The next home on the road that is neither the attached home nor the host, or NO_SERVER.

        Parameters
        ----------
        host
            Server that each container runs on, shape (n,).
        skipped
            Stretches that are no targets, shape (n, most stretches).
        """
        if not self.server.shape[1]:
            return np.full(len(host), NO_SERVER, dtype=np.int64)
        candidate = self.exists & (np.arange(self.server.shape[1]) >= self.beyond[:, None])
        candidate &= (self.server != self.home[:, None]) & (self.server != host[:, None])
        if skipped is not None:
            candidate &= ~skipped
        found = np.argmax(candidate, axis=1)
        return np.where(candidate.any(axis=1), self.server[np.arange(len(found)), found], NO_SERVER).astype(np.int64)


def ahead_of(looks: Records, road: Road, horizon_m: float) -> Ahead:
    """What lies ahead of the vehicles of a frame.

    Parameters
    ----------
    looks, road
        What is known of them, shape (n,), and the stretches that it speaks of.
    horizon_m
        Where stretches are cut, counted from the vehicle.
    """
    begin, count = looks["begin"], looks["end"] - looks["begin"]
    column = np.arange(int(count.max(initial=0)))
    exists = column < count[:, None]
    pick = np.where(exists, begin[:, None] + column, 0)
    end_m = looks["position_m"] + horizon_m
    return Ahead(
        server=road.server[pick],
        entry_m=road.entry_m[pick],
        exit_m=np.minimum(road.exit_m[pick], end_m[:, None]),
        exists=exists,
        position_m=looks["position_m"],
        home=looks["home"],
        own=np.where(looks["own"] >= 0, looks["own"] - begin, -1),
        beyond=looks["ahead"] - begin,
    )
