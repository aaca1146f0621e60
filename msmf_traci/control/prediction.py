"""Which road lies ahead of each vehicle, as a row of stretches.

The road is the map's look-ahead chain (`MapPredictor`) or the route that the vehicle will really drive (`RoutePredictor`, the oracle:
the only place where the route is used). Model, sections 3 and 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.control.look import Road
from msmf_traci.control.reports import Knowledge
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.roads.coverage import EdgeCoverage, Stretches, joined, look_ahead_chains, route_stretches
from msmf_traci.roads.roads import Roads


class Predictor:
    """Knows which row of a table of stretches belongs to a vehicle; its two kinds differ in what the rows are.

    Attributes
    ----------
    table
        The rows.
    """

    table: Stretches

    @property
    def road(self) -> Road:
        """The stretches of all rows."""
        return Road(self.table.server, self.table.entry_m, self.table.exit_m)

    def row(self, known: Knowledge) -> tuple[IntArray, IntArray]:
        """Row of each vehicle in the lowest tier (-1: off the road), and how many rows on that of the next tier is."""
        raise NotImplementedError

    def position_m(self, known: Knowledge) -> FloatArray:
        """Where each vehicle is on the road that begins with its edge: since it was last seen there it has gone on straight."""
        return known.position_m + known.since_m


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
