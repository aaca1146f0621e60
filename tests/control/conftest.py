"""A small world for the tests of the control plane: flat cells in five rings, regions of seven cells, roads given by their lines.

Due north along x = 0, cell (0, r) is y = 500 r +- 250; the regions there are R:0,0 to y = 750, R:1,2 to y = 1750, then R:-1,5.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from msmf_traci.control.plane import ControlPlane
from msmf_traci.control.prediction import Ahead, MapPredictor, RoutePredictor
from msmf_traci.control.short_cells import CoverageLimits
from msmf_traci.control.strategies import Strategy, StrategyOptions
from msmf_traci.control.tiers import TierChoice
from msmf_traci.mobility.frame import Frame
from msmf_traci.world.cells import HexCells
from msmf_traci.world.coverage import cover_edges
from msmf_traci.world.roads import Roads
from msmf_traci.world.servers import LOCAL, REGIONAL, Servers, TierLatency
from tests.road_lines import make_roads

COLUMNS = {
    "x_m": 0.0,
    "y_m": 0.0,
    "speed_mps": 10.0,
    "edge": 0,
    "position_m": 0.0,
    "route": 0,
    "route_index": 0,
    "first": False,
    "last": False,
}


class Bench:
    """The world, and short ways to make what the control plane takes."""

    def __init__(self) -> None:
        self.cells = HexCells(5, 500.0, "flat")
        self.servers = Servers(self.cells, 1)
        self.latency = TierLatency(10.0, 50.0, 5.0, 5.0)

    def cell(self, q: int, r: int) -> int:
        """Number of a cell, and of its local server."""
        return int(np.flatnonzero((self.cells.axial == [q, r]).all(axis=1))[0])

    def region(self, q: int, r: int) -> int:
        """Number of the regional server that covers a cell."""
        return int(self.servers.server_of[REGIONAL, self.cell(q, r)])

    def names(self, servers: Any) -> list[str]:
        """Names of servers, `NONE` and `KEEP`."""
        return [{-1: "NONE", -2: "KEEP"}.get(int(s)) or self.servers.name(int(s)) for s in np.ravel(servers)]

    def frame(self, vehicle: Sequence[int] = (0,), time_s: float = 0.0, **columns: Any) -> Frame:
        """A frame of these vehicles; columns are numbers or lists."""
        filled = {name: np.array(np.broadcast_to(columns.get(name, default), len(vehicle))) for name, default in COLUMNS.items()}
        filled = {name: column.astype(type(COLUMNS[name])) for name, column in filled.items()}
        return Frame(time_s=time_s, vehicle=np.array(vehicle, dtype=np.int64), **filled)

    def roads(self, lines: Sequence[Sequence[tuple[float, float]]], successor: Sequence[int] | None = None) -> Roads:
        """Roads by their centre lines; dead ends unless told otherwise."""
        return make_roads(lines, successor=successor)

    def ahead(self, rows: Sequence[Sequence[tuple[int, float, float]]], position_m: Any, home: Any, slack_m: float = 30.0) -> Ahead:
        """Stretches ahead (server, entry, exit) of each vehicle, written down."""
        shape = len(rows), max(len(row) for row in rows)
        server, exists = np.full(shape, -9), np.zeros(shape, dtype=bool)
        entry, exit_ = np.full(shape, 7.0), np.full(shape, 7.0)
        for i, row in enumerate(rows):
            for j, stretch in enumerate(row):
                server[i, j], entry[i, j], exit_[i, j] = stretch
                exists[i, j] = True
        position = np.array(np.broadcast_to(position_m, len(rows)), dtype=np.float64)
        return Ahead(server, entry, exit_, exists, position, np.array(np.broadcast_to(home, len(rows))), slack_m)

    def map_predictor(self, roads: Roads, horizon_m: float = 1500.0, slack_m: float = 30.0) -> MapPredictor:
        """The map's predictor."""
        return MapPredictor(roads, cover_edges(roads, self.cells), self.servers.server_of, horizon_m, slack_m)

    def route_predictor(self, roads: Roads, routes: list, horizon_m: float = 1500.0, slack_m: float = 30.0) -> RoutePredictor:
        """The oracle's predictor."""
        return RoutePredictor(routes, roads, cover_edges(roads, self.cells), self.servers.server_of, horizon_m, slack_m)

    def options(self, trigger_m: float = 50.0, min_m: float = 150.0, min_dwell_s: float = 0.0) -> StrategyOptions:
        """Options of strategies."""
        return StrategyOptions(trigger_m, CoverageLimits(min_m, min_dwell_s))

    def plane(self, roads: Roads, *strategies: Strategy, routes: Sequence[Sequence[int]] = (), min_speed_mps: float = 0.0) -> ControlPlane:
        """A control plane of these strategies that knows 16 vehicles."""
        predictors = {
            "map": self.map_predictor(roads),
            "route": self.route_predictor(roads, [np.array(route, dtype=np.int64) for route in routes]),
        }
        plane = ControlPlane(strategies, self.servers, predictors, {n: TierChoice(self.latency, min_speed_mps, n) for n in (1, 2)})
        plane.admit(16)
        return plane

    def decide(
        self, plane: ControlPlane, frame: Frame, host: Any = LOCAL, level_ms: float = 30.0, cell: Any = None
    ) -> list[tuple[str, str]]:
        """(home, target) by name, vehicle by vehicle and strategy by strategy; attached where they are unless told otherwise."""
        attached = self.cells.cell_of(frame.x_m, frame.y_m)[0] if cell is None else np.full(len(frame), cell)
        hosts = np.broadcast_to(host, (len(frame), len(plane.strategies)))
        home, target = plane.decide(frame, attached, np.full(len(frame), level_ms), np.array(hosts))
        return list(zip(self.names(home), self.names(target), strict=True))


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
