"""A small world for the tests of the control plane: flat cells in five rings, regions of seven cells, roads given by their lines.

Due north along x = 0, cell (0, r) is y = 500 r +- 250; the regions there are R:0,0 to y = 750, R:1,2 to y = 1750, then R:-1,5.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from msmf_traci.control.asking import ask
from msmf_traci.control.options import ControlOptions
from msmf_traci.control.planning import PLANS, Planner
from msmf_traci.control.prediction import Ahead, MapPredictor, RoutePredictor
from msmf_traci.control.reports import Knowledge, ReportOptions, Reports
from msmf_traci.control.short_cells import CoverageLimits
from msmf_traci.control.situation import Scene
from msmf_traci.control.strategies import Strategy, StrategyOptions
from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.servers import RequestLatency
from msmf_traci.mobility.frame import SAMPLE_COLUMNS, Frame, Frames
from msmf_traci.mobility.tracks import Follower, Tracks
from msmf_traci.roads.coverage import cover_edges
from msmf_traci.roads.roads import Roads
from tests.deployments import LOCAL, REGIONAL, two_tiers
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


EACH_FRAME = ReportOptions(0.0, 0.0, 0.0)
HORIZON_M, SLACK_M = 1500.0, 30.0
VEHICLES = 16


class Panel:
    """Strategies that are asked frame by frame; those that have a plan are planned too, and both ways must decide the same.

    Remembers what a control plane remembers of 16 vehicles.
    """

    def __init__(self, bench: "Bench", strategies: Sequence[Strategy], predictors: dict[str, Any], min_speed_mps: float) -> None:
        self.strategies = strategies
        self._bench = bench
        self._predictors = predictors
        self._tiers = {n: TierChoice(bench.latency, min_speed_mps, n) for n in (1, 2, None)}
        self._follower, self._reports = Follower(), Reports(EACH_FRAME)
        self._planners = [self._planner(strategy, min_speed_mps) for strategy in strategies]
        for part in (self._follower, self._reports, *(planner for planner in self._planners if planner is not None)):
            part.admit(VEHICLES)

    def _planner(self, strategy: Strategy, min_speed_mps: float) -> Planner | None:
        if type(strategy) not in PLANS:
            return None
        options = ControlOptions(0.0, EACH_FRAME, self._bench.latency, min_speed_mps, HORIZON_M, SLACK_M, strategy.options)
        return Planner(PLANS[type(strategy)], options)

    def decide(self, frame: Frame, cell: np.ndarray, level_ms: np.ndarray, host: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Homes and targets, shape (vehicles, strategies); host of the same shape."""
        tracks = self._follower.follow(self._bench.frames([frame]))
        known = self._reports.read(tracks)
        order = tracks.order
        home, target = np.empty_like(host), np.empty_like(host)
        for i, (strategy, planner) in enumerate(zip(self.strategies, self._planners, strict=True)):
            scene = Scene(
                time_s=frame.time_s,
                vehicle=tracks.vehicle,
                first=tracks.first,
                known=known,
                cell=cell[order],
                level_ms=level_ms[order],
                servers=self._bench.servers,
                tier_choice=self._tiers[strategy.tiers],
                predictor=self._predictors[strategy.predictor],
                horizon_m=HORIZON_M,
                slack_m=SLACK_M,
            )
            answers = ask(strategy, scene, host[order, i])
            if planner is not None:
                self._compare(planner, tracks, scene, host[order, i], answers)
            home[order, i], target[order, i] = answers
        return home, target

    @staticmethod
    def _compare(planner: Planner, tracks: Tracks, scene: Scene, host: np.ndarray, answers: tuple[np.ndarray, np.ndarray]) -> None:
        planned = planner.decide(tracks, scene.known, scene.cell, scene.tier, scene.servers, scene.predictor)
        at = np.where(scene.first, planned.home, host)
        target = np.where(planned.target == at, planned.alternative, planned.target)
        assert planned.home.tolist() == answers[0].tolist()
        assert target.tolist() == answers[1].tolist()


class Bench:
    """The world, and short ways to make what the control plane takes."""

    def __init__(self) -> None:
        self.cells = HexCells(5, 500.0, "flat")
        self.servers = two_tiers(self.cells, 1)
        self.latency = RequestLatency((15.0, 55.0), 5.0)

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

    def map_predictor(self, roads: Roads, horizon_m: float = HORIZON_M) -> MapPredictor:
        """The map's predictor."""
        return MapPredictor(roads, cover_edges(roads, self.cells), self.servers.layers, horizon_m)

    def route_predictor(self, roads: Roads, routes: list, horizon_m: float = HORIZON_M) -> RoutePredictor:
        """The oracle's predictor."""
        return RoutePredictor(routes, roads, cover_edges(roads, self.cells), self.servers.layers, horizon_m)

    def look(self, predictor: Any, frame: Frame, home: Any, tier: Any, horizon_m: float = HORIZON_M) -> Ahead:
        """What lies ahead of the vehicles of a frame."""
        return predictor.ahead(self.known(frame), np.asarray(home), np.asarray(tier), horizon_m, SLACK_M)

    def known(self, frame: Frame) -> Knowledge:
        """The frame as reports tell it, nobody having moved."""
        zeros = np.zeros(len(frame))
        place = (frame.x_m, frame.y_m, frame.speed_mps, frame.edge, frame.position_m, frame.route, frame.route_index)
        return Knowledge(*place, zeros, zeros, zeros, frame.position_m)

    def frames(self, frames: Sequence[Frame]) -> Frames:
        """A batch of frames."""
        columns = {name: np.concatenate([getattr(frame, name) for frame in frames]) for name in SAMPLE_COLUMNS}
        return Frames(np.array([frame.time_s for frame in frames]), np.cumsum([0, *(len(frame) for frame in frames)]), **columns)

    def tracks(self, follower: Follower, frame: Frame) -> Tracks:
        """The tracks of a batch of one frame."""
        return follower.follow(self.frames([frame]))

    def options(self, trigger_m: float = 50.0, min_m: float = 150.0, min_dwell_s: float = 0.0) -> StrategyOptions:
        """Options of strategies."""
        return StrategyOptions(trigger_m, CoverageLimits(min_m, min_dwell_s))

    def plane(self, roads: Roads, *strategies: Strategy, routes: Sequence[Sequence[int]] = (), min_speed_mps: float = 0.0) -> Panel:
        """These strategies, to be asked about 16 vehicles."""
        predictors = {
            "map": self.map_predictor(roads),
            "route": self.route_predictor(roads, [np.array(route, dtype=np.int64) for route in routes]),
        }
        return Panel(self, strategies, predictors, min_speed_mps)

    def decide(self, plane: Panel, frame: Frame, host: Any = LOCAL, level_ms: float = 30.0, cell: Any = None) -> list[tuple[str, str]]:
        """(home, target) by name, vehicle by vehicle and strategy by strategy; attached where they are unless told otherwise."""
        attached = self.cells.cell_of(frame.x_m, frame.y_m)[0] if cell is None else np.full(len(frame), cell)
        hosts = np.broadcast_to(host, (len(frame), len(plane.strategies)))
        home, target = plane.decide(frame, attached, np.full(len(frame), level_ms), np.array(hosts))
        return list(zip(self.names(home), self.names(target), strict=True))


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench()
