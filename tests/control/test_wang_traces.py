"""The Markov decision process of Wang et al. on the authors' own traces gives what their model gives (scripts/wang_traces.py)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from pytest import approx

SCRIPT = Path(__file__).parents[2] / "scripts" / "wang_traces.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wang_traces", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("clouds", "costs"),
    [
        (209, {"never": 0.6232, "always": 0.3860, "decision_process": 0.3860}),
        (50, {"never": 0.8822, "always": 0.8979, "myopic": 0.8823, "decision_process": 0.8045}),
    ],
)
def test_policies_cost_what_they_cost_there(script: ModuleType, data_dir: Path, clouds: int, costs: dict[str, float]) -> None:
    traces = script.read_traces(data_dir / "wang" / "traceRealCellLocations.mat")
    among = script.clouds_among(len(traces.hops), clouds)
    for name, cost in costs.items():
        assert script.mean_cost(traces, among, getattr(script, name)(traces, among)) == approx(cost, abs=1e-4), name


def test_looking_ahead_pays(script: ModuleType, data_dir: Path) -> None:
    """On the first two hours: the farther one looks, the less it costs."""
    whole = script.read_traces(data_dir / "wang" / "traceRealCellLocations.mat")
    traces = script.Traces(whole.cell[:120], whole.away, whole.hops, whole.factor[:120], whole.stay[:120])
    among = script.clouds_among(len(traces.hops), 50)
    costs = [script.mean_cost(traces, among, script.looking_ahead(traces, among, window)) for window in (1, 2, 3, 5)]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] == approx(script.mean_cost(traces, among, script.myopic(traces, among)))
