"""Costs and bounds on real traffic: no strategy is below the bound, weights make no run again, and the benchmark as a user runs it."""

import itertools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pytest import approx

import msmf_traci as msmf
from msmf_traci.config.strategy_schema import BUILT_IN
from msmf_traci.results.cost import BOUND_COLUMNS
from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

FEW = ("mobility.vehicles=25", "mobility.speed_kmh=40", "output.dir=out")
ALL = f"strategies=[{','.join(BUILT_IN)}]"
WEIGHTS = {"unsatisfied_per_s": 1.0, "traffic_per_gb": 10.0, "relayed_per_gb_hop": 1.0}
# rules of every kind that a bound depends on
SETTINGS = {
    "default": (),
    "relayed": ("handoff.unsynced=relay", "workload.request_mbps=10", "tiers=three"),
    "meeting": ("links.mode=shared", "tiers.local.capacity=4", "workload.request_mbps=1", "attachment.hysteresis_m=30"),
    "kept": ("images.retain_s=null", "images.source=nearest", "strategy.pm.prefetch=3", "handoff.user_left=finish"),
    "plans": ("variants.handoff.plan=[cold,postcopy,hybrid,replay]", "migration=runc_rsync", "links.round_trip_ms=10"),
    "layers": ("workload.application={game: 1, face: 1, ram: 2}", "images.shared=true", "tiers.local.store_gb=4"),
}


def costs(run: Path) -> pd.DataFrame:
    """What every strategy's trips cost, beside the bound, at each of its weights."""
    vehicles, bounds = pd.read_csv(run / "vehicles.csv"), pd.read_csv(run / "bounds.csv")
    both = vehicles.merge(bounds, on=list(bounds.columns[: list(bounds.columns).index("traffic_per_gb") - 1]), suffixes=("", "_of_bound"))
    sent, relayed = both["traffic_bytes"] / 1e9, both["relayed_byte_hops"] / 1e9
    seconds = (both["road_s"] - both["satisfied_s"]) * both["unsatisfied_per_s"]
    return both.assign(cost=seconds + sent * both["traffic_per_gb"] + relayed * both["relayed_per_gb_hop"])


@pytest.mark.parametrize("words", SETTINGS.values(), ids=list(SETTINGS))
def test_no_trip_costs_less_than_its_bound(called: Command, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = called(tmp_path, *FEW, ALL, *words)
    assert done.returncode == 0, done.stderr
    both = costs(only_run(tmp_path / "out"))
    assert len(both) >= 3 * 25 * len(BUILT_IN)
    assert (both["cost"] >= both["bound"] - 1e-6).all()
    assert (both.groupby("strategy")["cost"].mean() > 0).all()


def test_offline_comes_near_the_bound_and_traced_or_driven_anew_it_is_the_same(called: Command, tmp_path: Path) -> None:
    """The first run drives SUMO twice, once to know the trips; the others replay its recording."""
    words = (*FEW[:2], "strategies=[offline,lead,never]", "handoff.unsynced=relay", "workload.request_mbps=1")
    cache = str(tmp_path / "cache")
    for name, more in (("driven", ()), ("replayed", ()), ("traced", ("output.trace=true",))):
        done = called(tmp_path, *words, *more, f"output.dir={name}", MSMF_CACHE_DIR=cache)
        assert done.returncode == 0, done.stderr
    runs = [only_run(tmp_path / name) for name in ("driven", "replayed", "traced")]
    for table in ("summary", "vehicles", "migrations", "copies", "bounds"):
        assert len({(run / f"{table}.csv").read_bytes() for run in runs}) == 1
    summary = pd.read_csv(runs[0] / "summary.csv").set_index("strategy")
    assert summary.cost_per_trip["offline"] < 2 * summary.bound_per_trip["offline"] < summary.cost_per_trip["lead"]
    assert json.loads((runs[0] / "run.json").read_text())["predictors"]["offline"] == "trip"


def test_tables_have_costs_at_three_weights_of_traffic(called: Command, tmp_path: Path) -> None:
    assert called(tmp_path, *FEW, "strategies=[pm,never]", "workload.request_mbps=1", "cost.traffic_per_gb=20").returncode == 0
    run = only_run(tmp_path / "out")
    summary, both = pd.read_csv(run / "summary.csv").set_index("strategy"), costs(run)
    for end, weight in (("", 20.0), ("_cheap_traffic", 4.0), ("_dear_traffic", 100.0)):
        means = both[both["traffic_per_gb"] == weight].groupby("strategy")[["cost", "bound"]].mean()
        assert summary[f"cost{end}_per_trip"].to_dict() == approx(means["cost"].to_dict())
        assert summary[f"bound{end}_per_trip"].to_dict() == approx(means["bound"].to_dict())


def test_other_weights_make_no_run_again_and_bounds_are_added(called: Command, tmp_path: Path) -> None:
    sweep = ("-m", *FEW, "strategies=[pm,never]", "seed=0,1")
    first = called(tmp_path, *sweep)
    assert first.returncode == 0 and "never costs least" in first.stdout
    runs = {path.parent: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*/run.json")}
    again = called(tmp_path, *sweep, "cost.traffic_per_gb=0.5", "cost.unsatisfied_per_s=3")
    assert again.returncode == 0 and "2 of 2 runs are done already" in again.stderr
    assert "has no bounds at these weights" in again.stderr
    assert runs == {path.parent: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*/run.json")}
    stacked = pd.read_csv(tmp_path / "out" / "summary.csv")
    cost = 3 * stacked["unsatisfied_per_trip_s"] + 0.5e-9 * stacked["traffic_per_trip_bytes"]
    assert stacked["cost_per_trip"].tolist() == approx(cost.tolist())
    assert stacked[list(BOUND_COLUMNS)].isna().all(axis=None)
    added = called(tmp_path, "bound", "out", "cost.traffic_per_gb=0.5", "cost.unsatisfied_per_s=3")
    assert added.returncode == 0 and added.stdout.count("never") == 2
    assert called(tmp_path, *sweep, "cost.traffic_per_gb=0.5", "cost.unsatisfied_per_s=3").returncode == 0
    assert pd.read_csv(tmp_path / "out" / "summary.csv")[list(BOUND_COLUMNS)].notna().all(axis=None)
    afresh = called(tmp_path, *FEW[:2], "strategies=[pm]", "cost.traffic_per_gb=0.5", "cost.unsatisfied_per_s=3", "output.dir=afresh")
    assert afresh.returncode == 0
    (zero,) = (path for path in runs if path.name.startswith("seed=0"))
    ours, theirs = pd.read_csv(zero / "bounds.csv"), pd.read_csv(only_run(tmp_path / "afresh") / "bounds.csv")
    assert ours[ours["unsatisfied_per_s"] == 3].reset_index(drop=True).equals(theirs)


def test_bounds_can_be_left_out_and_added(called: Command, tmp_path: Path) -> None:
    words = (*FEW[:2], "strategies=[never]", "variants.workload.image_mb=[100,500]")
    assert called(tmp_path, *words, "output.dir=without", "output.bounds=false").returncode == 0
    assert called(tmp_path, *words, "output.dir=with").returncode == 0
    without, whole = only_run(tmp_path / "without"), only_run(tmp_path / "with")
    assert not (without / "bounds.csv").exists()
    assert pd.read_csv(without / "summary.csv")["bound_per_trip"].isna().all()
    with pytest.raises(msmf.InputError, match="msmf-traci bound"):
        _ = msmf.load(without).bounds
    assert called(tmp_path, "bound", str(without)).returncode == 0
    assert len(msmf.load(without).bounds) == 3 * 25 * 2
    assert (without / "bounds.csv").read_bytes() == (whole / "bounds.csv").read_bytes()


def test_where_no_server_meets_a_level_all_time_costs_and_offline_stays(called: Command, tmp_path: Path) -> None:
    assert called(tmp_path, *FEW, "strategies=[offline,never]", "workload.latency_levels_ms=[1,2,3]").returncode == 0
    run = only_run(tmp_path / "out")
    vehicles, bounds = pd.read_csv(run / "vehicles.csv"), pd.read_csv(run / "bounds.csv")
    assert (vehicles["traffic_bytes"] == 0).all() and (bounds["moves"] == 0).all()
    assert bounds["bound"].sum() == approx(3 * vehicles.query("strategy == 'never'")["road_s"].sum())


TEN_LINES = """
import msmf_traci as msmf
import numpy as np
from dataclasses import dataclass

@dataclass(frozen=True)
class Options:
    hops: int = 2

class Lazy(msmf.Strategy):
    name = "lazy"
    Options = Options

    def decide(self, now):
        return msmf.Decision(np.where(now.hops < self.options.hops, msmf.KEEP, now.home), now.next_home())
"""


def test_benchmark_with_a_strategy_of_ones_own_is_one_page_and_goes_on_where_it_ended(called: Command, tmp_path: Path) -> None:
    (tmp_path / "lazy.py").write_text(TEN_LINES)
    words = ("benchmark", "--quick", "--strategy", "lazy:Lazy", "--out", "bench", "mobility.vehicles=10", "deployment.rings=8")
    words = (*words, "strategy.lazy.hops=3")
    first = called(tmp_path, *words)
    assert first.returncode == 0, first.stderr
    page = tmp_path / "bench" / "page"
    assert "Benchmark: bench/page/index.html" in first.stdout
    means, paired = pd.read_csv(page / "means.csv"), pd.read_csv(page / "paired.csv")
    own = means[means["strategy"] == "lazy"]
    assert len(own) == 4 and (own["regret"] >= 0).all() and own["place"].notna().all()
    assert (paired["reference"] == "lazy").all()
    rows = pd.read_csv(page / "runs.csv").set_index(["unsynced", "links", "strategy"])
    for unsynced, links in itertools.product(("relay", "stop"), ("dedicated", "shared")):
        difference = rows.loc[unsynced, links, "never"]["cost"] - rows.loc[unsynced, links, "lazy"]["cost"]
        said = paired.query("unsynced == @unsynced and links == @links and strategy == 'never'")["difference"]
        assert said.tolist() == approx([difference])
    assert "more than lazy" in (page / "index.html").read_text()
    dearer = called(tmp_path, *words, "cost.traffic_per_gb=50")
    assert dearer.returncode == 0 and "1 of 1 run is done already" in dearer.stderr
    valued = pd.read_csv(page / "runs.csv").set_index(["unsynced", "links", "strategy"])
    assert (valued["cost"] - rows["cost_dear_traffic"]).abs().max() < 1e-9 and (
        valued["bound"] - rows["bound_dear_traffic"]
    ).abs().max() < 1e-9
    assert "times 1, 50 and 1" in (page / "index.html").read_text()
    run = only_run(tmp_path / "bench" / "runs" / "synthetic")
    made = (run / "run.json").stat().st_mtime_ns
    again = called(tmp_path, *words)
    assert again.returncode == 0 and "1 of 1 run is done already" in again.stderr
    assert (run / "run.json").stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bound", "out", "cost.trafic_per_gb=5"), "there is no such weight"),
        (("bound", "cost.traffic_per_gb=5"), "name the folder of a run"),
        (("bound", "nowhere"), "nowhere"),
        (("-m", "cost.traffic_per_gb=1,2"), "costs value tables and make no other runs"),
        (("cost.traffic_per_gb=-1",), "cost.traffic_per_gb=-1"),
        (("variants.cost.traffic_per_gb=[1,2]",), "variants.cost"),
        (("strategy.threshold.hops=0",), "strategy.threshold.hops=0"),
        (("strategy.mdp.discount=1",), "strategy.mdp.discount=1"),
        (("benchmark", "--city", "bologna"), "--city bologna needs its scenario"),
        (("benchmark", "--city", "atlantis"), "atlantis"),
        (("benchmark", "--quick", "strategies=[never]"), "the benchmark says this itself"),
        (("benchmark", "--quick", "--strategy", "nobody:Nobody"), "there is no module nobody"),
    ],
)
def test_what_is_wrong_is_one_sentence(called: Command, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = called(tmp_path, *words)
    assert done.returncode == 2
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("**/*.csv"))
