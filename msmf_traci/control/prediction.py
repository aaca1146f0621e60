"""What lies ahead of each vehicle: the next home on a road, and how far the attached home is still covered.

The road is the map's look-ahead chain (`MapPredictor`) or the route that the vehicle will really drive (`RoutePredictor`, the oracle:
the only place where the route is used). Model, sections 3 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, read_only
from msmf_traci.control.reports import Knowledge
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.roads.coverage import EdgeCoverage, Stretches, joined, look_ahead_chains, route_stretches
from msmf_traci.roads.roads import Roads
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
    slack_m
        How far ahead the vehicle's own stretch may begin.
    """

    server: IntArray
    entry_m: FloatArray
    exit_m: FloatArray
    exists: BoolArray
    position_m: FloatArray
    home: IntArray
    slack_m: float

    def __post_init__(self) -> None:
        # strategies share it
        read_only(self.server, self.entry_m, self.exit_m, self.exists)

    @cached_property
    def own(self) -> IntArray:
        """Index of the stretch where the vehicle is: the first of the attached home that qualifies, or -1."""
        at = self.position_m[:, None]
        qualifies = self.exists & (self.exit_m > at) & (self.entry_m <= at + self.slack_m) & (self.server == self.home[:, None])
        return _first(qualifies)

    @cached_property
    def last(self) -> IntArray:
        """Index of the last stretch seen, or -1."""
        return np.asarray(self.exists.sum(axis=1) - 1, dtype=np.int64)

    @property
    def length_m(self) -> FloatArray:
        """Length of each stretch."""
        return self.exit_m - self.entry_m

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
        at = self.position_m[:, None]
        here = _first(self.exists & (self.entry_m <= at) & (at < self.exit_m))
        begin = np.where(self.own >= 0, self.own + 1, np.where(here >= 0, here, self.server.shape[1]))
        candidate = self.exists & (np.arange(self.server.shape[1]) >= begin[:, None])
        candidate &= (self.server != self.home[:, None]) & (self.server != host[:, None])
        if skipped is not None:
            candidate &= ~skipped
        found = _first(candidate)
        return np.where(found >= 0, self.server[np.arange(len(found)), np.maximum(found, 0)], NO_SERVER).astype(np.int64)


class Predictor:
    """Knows which row of a table of stretches belongs to a vehicle; its two kinds differ in what the rows are.

    Attributes
    ----------
    table
        The rows.
    """

    table: Stretches

    def row(self, known: Knowledge) -> tuple[IntArray, IntArray]:
        """Row of each vehicle in the lowest tier (-1: off the road), and how many rows on that of the next tier is."""
        raise NotImplementedError

    def position_m(self, known: Knowledge) -> FloatArray:
        """Where each vehicle is on the road that begins with its edge: since it was last seen there it has gone on straight."""
        return known.position_m + known.since_m

    def ahead(self, known: Knowledge, home: IntArray, tier: IntArray, horizon_m: float, slack_m: float) -> Ahead:
        """What lies ahead of each vehicle of a frame, merged by the homes of its tier.

        Parameters
        ----------
        known
            The vehicles.
        home, tier
            Attached home of each, and its tier.
        horizon_m
            What begins this far ahead or farther is not seen.
        slack_m
            How far ahead the vehicle's own stretch may begin.
        """
        lowest, rows_a_tier = self.row(known)
        table, on_road = self.table, lowest >= 0
        row = np.where(on_road, lowest + tier * rows_a_tier, 0)
        start = table.start[row] if len(table.start) else row
        count = np.where(on_road, table.count[row], 0) if len(table.start) else row
        column = np.arange(int(count.max()) if len(count) else 0)
        exists = column < count[:, None]
        pick = np.where(exists, start[:, None] + column, 0)
        position_m = self.position_m(known)
        end_m = position_m + horizon_m
        entry_m = table.entry_m[pick]
        exists &= entry_m < end_m[:, None]
        exit_m = np.minimum(table.exit_m[pick], end_m[:, None])
        return Ahead(table.server[pick], entry_m, exit_m, exists, position_m, home, slack_m)


class MapPredictor(Predictor):
    """Predicts from the road map alone: the straight-on chain of the edge that the vehicle is on."""

    def __init__(self, roads: Roads, coverage: EdgeCoverage, layers: IntArray, horizon_m: float) -> None:
        self._edges = len(roads)
        self.table = look_ahead_chains(roads, coverage, layers, horizon_m)

    def row(self, known: Knowledge) -> tuple[IntArray, IntArray]:
        """The chain of each vehicle's edge."""
        return np.where(known.edge == NO_EDGE, -1, known.edge), np.full(len(known.edge), self._edges)


class RoutePredictor(Predictor):
    """Knows the rest of each vehicle's route: perfect prediction.

    Parameters
    ----------
    routes
        Routes by number; the list may grow.
    """

    def __init__(self, routes: Sequence[IntArray], roads: Roads, coverage: EdgeCoverage, layers: IntArray, horizon_m: float) -> None:
        self._routes = routes
        self._map = (roads, coverage, layers, horizon_m)
        self._first_row: IntArray = np.zeros(0, dtype=np.int64)
        self._length: IntArray = np.zeros(0, dtype=np.int64)
        empty: IntArray = np.zeros(0, dtype=np.int64)
        self.table = Stretches(empty, empty, empty, np.zeros(0), np.zeros(0))

    def row(self, known: Knowledge) -> tuple[IntArray, IntArray]:
        """The rest of each vehicle's route."""
        self._learn_routes()
        return np.where(known.route_index < 0, -1, self._first_row[known.route] + known.route_index), self._length[known.route]

    def position_m(self, known: Knowledge) -> FloatArray:
        """Where each vehicle really is on its route's edge, however late the map learns of it."""
        return known.route_m

    def _learn_routes(self) -> None:
        new = self._routes[len(self._first_row) :]
        if not new:
            return
        stretches, first_row = route_stretches(new, *self._map)
        self._first_row = np.concatenate([self._first_row, len(self.table.start) + first_row])
        self._length = np.concatenate([self._length, np.array([len(route) for route in new], dtype=np.int64)])
        self.table = joined(self.table, stretches)


def _first(mask: BoolArray) -> IntArray:
    """Index of the first true column of each row, or -1."""
    if not mask.shape[1]:
        return np.full(len(mask), -1, dtype=np.int64)
    return np.where(mask.any(axis=1), np.argmax(mask, axis=1), -1).astype(np.int64)
