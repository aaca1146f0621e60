"""A small world for the tests of the control plane: flat cells in five rings, regions of seven cells, roads given by their lines.

Due north along x = 0, cell (0, r) is y = 500 r +- 250; the regions there are R:0,0 to y = 750, R:1,2 to y = 1750, then R:-1,5.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from msmf_traci.compiled import compiled
from msmf_traci.control.look import Look, Road, Rows, look_ahead
from msmf_traci.control.prediction import MapPredictor, RoutePredictor
from msmf_traci.control.reports import Knowledge, ReportOptions, Reports
from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.server_map import RequestLatency
from msmf_traci.migration.catalogue import catalogue_of
from msmf_traci.migration.container import Container
from msmf_traci.migration.engine import new_state, no_decisions
from msmf_traci.migration.kernel import Now, pointer_to
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.plan import PRECOPY
from msmf_traci.migration.policy import HandoffPolicy, LinkOptions, Policy
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.step import Mind, decided
from msmf_traci.mobility.frame import SAMPLE_COLUMNS, Frame, Frames
from msmf_traci.mobility.tracks import Follower, Tracks
from msmf_traci.records import new_records, record_of
from msmf_traci.references import by_reference
from msmf_traci.roads.coverage import cover_edges
from msmf_traci.roads.roads import Roads
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.ahead import Ahead, ahead_of
from msmf_traci.strategies.asking import ask
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Strategy
from tests.control import readable
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
POLICY = Policy(LinkOptions(1e7, 5e6, 0.0), HandoffPolicy(False, False), RequestLatency((15.0, 55.0), 5.0), 2)


class Panel:
    """Strategies of ours or in Python, asked frame by frame. Ours are asked in their readable form too, and both must decide the same.

    Remembers what a control plane remembers of 16 vehicles.
    """

    def __init__(self, bench: "Bench", strategies: Sequence[Strategy], predictors: dict[str, Any], min_speed_mps: float) -> None:
        self.strategies = strategies
        self._bench = bench
        self._predictors = predictors
        self._tiers = {n: TierChoice(bench.latency, min_speed_mps, n) for n in (1, 2, None)}
        self._follower, self._reports = Follower(), Reports(EACH_FRAME)
        for part in (self._follower, self._reports):
            part.admit(VEHICLES)
        self._memories = [new_records(each.Memory, VEHICLES) for each in strategies]
        self._readable = [_readable_form(each) for each in strategies]

    def decide(self, frame: Frame, cell: np.ndarray, level_ms: np.ndarray, host: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Homes and targets, shape (vehicles, strategies); host of the same shape."""
        tracks = self._follower.follow(self._bench.frames([frame]))
        known = self._reports.read(tracks)
        order = tracks.order
        home, target = np.empty_like(host), np.empty_like(host)
        for i, strategy in enumerate(self.strategies):
            predictor = self._predictors[strategy.predictor]
            tier = self._tiers[strategy.tiers].choose(level_ms[order], known.speed_mps, cell[order])
            looks = self._bench.looks(predictor, known, tracks.first, cell[order], tier)
            containers = new_records(Container, len(tracks))
            containers["vehicle"], containers["host"] = tracks.vehicle, host[order, i]
            now = Situation(frame.time_s, looks, predictor.road, containers, POLICY, self._bench.servers, self._bench.scene, HORIZON_M)
            if strategy.is_compiled():
                answers = self._bench.decide_compiled(strategy, looks, predictor.road, self._memories[i], containers)
                assert [each.tolist() for each in answers] == [each.tolist() for each in _asked(self._readable[i], now)]
            else:
                answers = _asked(strategy, now)
            home[order, i], target[order, i] = answers
        return home, target


@compiled
def _decide(looks: Any, road: Any, containers: Any, mind: Any, scene: Any, answers: Any) -> None:
    for i in range(len(looks)):
        c = containers[i]
        if looks[i].first:
            c.host = looks[i].home
        answers[0, i], answers[1, i] = decided(c, looks[i], i, road, mind, scene)
        if looks[i].first and answers[0, i] == KEEP:
            answers[0, i] = looks[i].home
        if answers[1, i] == c.host or (looks[i].first and answers[1, i] == answers[0, i]):
            answers[1, i] = NO_SERVER


def _bytes_of(records: np.ndarray) -> np.ndarray:
    shape = len(records), records.dtype.itemsize
    return records.view(np.uint8).reshape(shape) if records.dtype.itemsize else np.zeros(shape, dtype=np.uint8)


def _asked(strategy: Strategy, now: Situation) -> tuple[np.ndarray, np.ndarray]:
    """What a strategy in Python answers, and what the engine makes of it: at the first frame, and where the target is the host."""
    answer = ask(strategy, now)
    home = np.where(now.first & (answer.home == KEEP), now.home, answer.home)
    deployed_on = np.where(now.first, home, now.host)
    return home, np.where(answer.target == deployed_on, NO_SERVER, answer.target)


def _readable_form(strategy: Strategy) -> Strategy | None:
    kind = getattr(readable, type(strategy).__name__, None)
    return kind(strategy.options) if strategy.is_compiled() else None


class Bench:
    """The world, and short ways to make what the control plane takes."""

    def __init__(self) -> None:
        self.cells = HexCells(5, 500.0, "flat")
        self.servers = two_tiers(self.cells, 1)
        self.latency = RequestLatency((15.0, 55.0), 5.0)
        server_map, state = self.servers.server_map(), new_state(self.servers, catalogue_of([]))
        self.scene = by_reference(Scene(record_of(POLICY)[()], PRECOPY, server_map, state, Ledger().books))

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
        looks, road = self.written_looks(rows, position_m, home, slack_m)
        return ahead_of(looks, road, 1e9)

    def written_looks(self, rows: Sequence[Sequence[tuple[int, float, float]]], position_m: Any, home: Any, slack_m: float = 30.0) -> Any:
        """The same as looks, and the road that they speak of."""
        sizes = np.array([len(row) for row in rows])
        flat = [stretch for row in rows for stretch in row] or [(-9, 7.0, 7.0)]
        road = Road(*(np.array([stretch[k] for stretch in flat], dtype=kind) for k, kind in enumerate((np.int64, float, float))))
        n = len(rows)
        looks = new_records(Look, n)
        looks["position_m"], looks["home"] = position_m, home
        table = Rows(np.cumsum([0, *sizes[:-1]]), sizes, np.arange(n), np.zeros(n, dtype=np.int64), 0)
        look_ahead(np.arange(n + 1), np.arange(n), table, road, 1e9, slack_m, np.full((n, 7), -1), looks)
        return looks, road

    def looks(
        self, predictor: Any, known: Knowledge, first: Any, cell: Any, tier: Any, *, home: Any = None, horizon_m: float = HORIZON_M
    ) -> np.ndarray:
        """Looks of the vehicles of a frame; their homes follow from their cells, unless told otherwise."""
        n, (of_sample, per_layer), table = len(known.x_m), predictor.row(known), predictor.table
        looks = new_records(Look, n)
        for name in ("x_m", "y_m", "dx_m", "dy_m", "speed_mps", "edge"):
            looks[name] = getattr(known, name)
        looks["position_m"], looks["cell"], looks["tier"], looks["first"] = predictor.position_m(known), cell, tier, first
        looks["home"] = self.servers.server_of[tier, cell] if home is None else home
        rows = Rows(table.start, table.count, of_sample, per_layer, self.servers.cell_layer)
        look_ahead(np.arange(n + 1), np.arange(n), rows, predictor.road, horizon_m, SLACK_M, np.full((n, 7), -1), looks)
        return looks

    def map_predictor(self, roads: Roads, horizon_m: float = HORIZON_M) -> MapPredictor:
        """The map's predictor."""
        return MapPredictor(roads, cover_edges(roads, self.cells), self.servers.layers, horizon_m)

    def route_predictor(self, roads: Roads, routes: list, horizon_m: float = HORIZON_M) -> RoutePredictor:
        """The oracle's predictor."""
        return RoutePredictor(routes, roads, cover_edges(roads, self.cells), self.servers.layers, horizon_m)

    def look(self, predictor: Any, frame: Frame, home: Any, tier: Any, horizon_m: float = HORIZON_M) -> Ahead:
        """What lies ahead of the vehicles of a frame."""
        known, first = self.known(frame), np.zeros(len(frame), dtype=bool)
        looks = self.looks(predictor, known, first, 0, np.asarray(tier), home=np.asarray(home), horizon_m=horizon_m)
        return ahead_of(looks, predictor.road, horizon_m)

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

    def decide_compiled(self, strategy: Strategy, looks: np.ndarray, road: Road, memory: np.ndarray, containers: Any = None) -> np.ndarray:
        """Home and target of each vehicle by a strategy's kernel; containers run nowhere unless told otherwise."""
        containers = new_records(Container, len(looks)) if containers is None else containers
        options, memory, prefetch = _bytes_of(record_of(strategy.options)[None])[0], _bytes_of(memory), np.zeros(9, dtype=np.int64)
        road, server_map, policy = by_reference(road), self.scene.server_map, self.scene.policy
        example = Now(looks[0], road, server_map, self.scene.state.free, containers[0], policy, options, memory[0], prefetch, np.zeros(8))
        kernel = pointer_to(type(strategy).kernel, example, "")
        answers = np.empty((2, len(looks)), dtype=np.int64)
        mind = Mind(kernel, options, memory, True, np.zeros(4, dtype=np.int64), prefetch, np.zeros(8), no_decisions(0))
        _decide(looks, road, containers, by_reference(mind), self.scene, answers)
        return answers

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
