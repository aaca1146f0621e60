"""Every strategy of ours is written once more in Python, for arrays of vehicles (`readable.py`): both decide the same, whatever happens."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.strategies.nearest import Nearest, NearestOptions
from msmf_traci.strategies.never import Never
from msmf_traci.strategies.pm import Oracle, OracleTier, Pm, PmTier
from msmf_traci.strategies.pm_op import PmOp, PmOpTier, ShortCells
from msmf_traci.strategies.strategy import Strategy

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
OURS = (Nearest, Pm, PmOp, PmTier, PmOpTier, Never, Oracle, OracleTier)


def options(kind: type[Strategy]) -> st.SearchStrategy[Any]:
    """Options of a strategy, such that they matter on these roads."""
    if kind is Nearest:
        return st.sampled_from([50.0, 300.0]).map(NearestOptions)
    if issubclass(kind, PmOp):
        return st.builds(ShortCells, min_m=st.sampled_from([0.0, 150.0, 400.0]), min_dwell_s=st.sampled_from([0.0, 30.0]))
    return st.just(kind.Options())


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_compiled_and_readable_decide_the_same(bench: Any, kind: type[Strategy], data: st.DataObject) -> None:
    """The panel compares them at each frame; where a container is is anybody's guess."""
    roads = bench.roads(LINES, successor=SUCCESSOR)
    panel = bench.plane(roads, kind(data.draw(options(kind))), routes=ROUTES, min_speed_mps=data.draw(st.sampled_from([0.0, 8.0])))
    level_ms = np.array([data.draw(st.sampled_from([30.0, 150.0])) for _ in range(2)])
    routes = [data.draw(st.integers(0, 1)) for _ in range(2)]
    target = np.full((2, 1), -1)
    for t in range(data.draw(st.integers(1, 12))):
        places = [data.draw(st.tuples(st.integers(0, len(route) - 1), st.floats(0, 1))) for route in (ROUTES[r] for r in routes)]
        edge = [ROUTES[routes[v]][index] for v, (index, _) in enumerate(places)]
        share = np.array([share for _, share in places])
        a, b = np.array([LINES[e][0] for e in edge]), np.array([LINES[e][1] for e in edge])
        x, y = (a + (b - a) * share[:, None]).T + data.draw(st.floats(-5, 5))
        columns = {"edge": edge, "position_m": roads.length_m[edge] * share, "route": routes, "route_index": [i for i, _ in places]}
        speed = [data.draw(st.sampled_from([0.0, 5.0, 15.0])) for _ in range(2)]
        frame = bench.frame([0, 1], float(t), x_m=x, y_m=y, speed_mps=speed, first=t == 0, **columns)
        # any server, or just the one that was copied to before
        host = np.where(data.draw(st.booleans()) & (target >= 0), target, data.draw(st.integers(0, len(bench.servers) - 1)))
        target = panel.decide(frame, bench.cells.cell_of(x, y)[0], level_ms, host)[1]
