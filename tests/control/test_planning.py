"""Every strategy of ours is written twice: readably, for one frame, and compiled, for batches. Both decide the same, whatever happens."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.control.asking import ask
from msmf_traci.control.options import ControlOptions
from msmf_traci.control.planning import PLANS, Planner
from msmf_traci.control.reports import ReportOptions, Reports
from msmf_traci.control.situation import Scene
from msmf_traci.control.strategies import Strategy
from msmf_traci.control.tiers import TierChoice
from msmf_traci.mobility.tracks import Follower
from msmf_traci.sentinels import NO_SERVER

EACH_FRAME = ReportOptions(0.0, 0.0, 0.0)
# a ring of four roads and a spur, some 5 km, that cut the corners of many cells
LINES = [
    [(-600, -600), (600, -580)],
    [(600, -580), (620, 700)],
    [(620, 700), (-580, 640)],
    [(-580, 640), (-600, -600)],
    [(620, 700), (900, 1900)],
]
SUCCESSOR = [1, 2, 3, 0, -1]
ROUTES = [[0, 1, 2, 3, 0], [0, 1, 4]]


@pytest.mark.parametrize("kind", list(PLANS), ids=lambda kind: kind.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_planned_and_asked_decide_the_same(bench: Any, kind: type[Strategy], data: st.DataObject) -> None:
    roads = bench.roads(LINES, successor=SUCCESSOR)
    predictors = {"map": bench.map_predictor(roads), "route": bench.route_predictor(roads, [np.array(route) for route in ROUTES])}
    strategy_options = bench.options(
        trigger_m=data.draw(st.sampled_from([50.0, 300.0])),
        min_m=data.draw(st.sampled_from([0.0, 150.0, 400.0])),
        min_dwell_s=data.draw(st.sampled_from([0.0, 30.0])),
    )
    least_mps = data.draw(st.sampled_from([0.0, 8.0]))
    options = ControlOptions(0.0, EACH_FRAME, bench.latency, least_mps, 700.0, 30.0, strategy_options)
    planner, strategy = Planner(PLANS[kind], options), kind(strategy_options)
    follower, reports = Follower(), Reports(EACH_FRAME)
    for part in (planner, follower, reports):
        part.admit(2)
    level_ms = np.array([data.draw(st.sampled_from([30.0, 150.0])) for _ in range(2)])
    routes = [data.draw(st.integers(0, 1)) for _ in range(2)]
    frames = []
    for t in range(data.draw(st.integers(1, 12))):
        places = [data.draw(st.tuples(st.integers(0, len(route) - 1), st.floats(0, 1))) for route in (ROUTES[r] for r in routes)]
        edge = [ROUTES[routes[v]][index] for v, (index, _) in enumerate(places)]
        share = np.array([share for _, share in places])
        a, b = np.array([LINES[e][0] for e in edge]), np.array([LINES[e][1] for e in edge])
        x, y = (a + (b - a) * share[:, None]).T + data.draw(st.floats(-5, 5))
        columns = {"edge": edge, "position_m": roads.length_m[edge] * share, "route": routes, "route_index": [i for i, _ in places]}
        speed = [data.draw(st.sampled_from([0.0, 5.0, 15.0])) for _ in range(2)]
        frames.append(bench.frame([0, 1], float(t), x_m=x, y_m=y, speed_mps=speed, first=t == 0, **columns))
    tracks = follower.follow(bench.frames(frames))
    known = reports.read(tracks)
    cell = bench.cells.cell_of(tracks.x_m, tracks.y_m)[0]
    tiers = TierChoice(bench.latency, least_mps, kind.tiers)
    levels = level_ms[tracks.vehicle[tracks.track]]
    tier = tiers.choose(levels, known.speed_mps)
    planned = planner.decide(tracks, known, cell, tier, bench.servers, predictors[kind.predictor])
    for k in range(len(frames)):
        samples = np.flatnonzero(tracks.frame == k)
        scene = Scene(
            time_s=float(k),
            vehicle=tracks.vehicle[tracks.track[samples]],
            first=tracks.first[samples],
            known=known.of(samples),
            cell=cell[samples],
            level_ms=levels[samples],
            servers=bench.servers,
            tier_choice=tiers,
            predictor=predictors[kind.predictor],
            horizon_m=700.0,
            slack_m=30.0,
        )
        # where a container is is anybody's guess: any server, or just the one that would be copied to
        target = planned.target[samples]
        host = np.where(data.draw(st.booleans()) & (target != NO_SERVER), target, data.draw(st.integers(0, len(bench.servers) - 1)))
        home, asked = ask(strategy, scene, host)
        at = np.where(scene.first, home, host)
        assert planned.home[samples].tolist() == home.tolist()
        assert np.where(target == at, planned.alternative[samples], target).tolist() == asked.tolist()
