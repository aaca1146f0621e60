"""The main job as a user runs it: tables, facts, the same bytes again, the sweep, the trace."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
STRATEGIES = {"nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "oracle", "oracle_tier"}


def only_run(folder: Path) -> Path:
    """The one run in a folder of runs."""
    (run,) = (path.parent for path in folder.glob("*/run.json"))
    return run


@pytest.fixture(scope="module")
def default_run(msmf: Command, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("default")
    result = msmf(folder)
    assert result.returncode == 0, result.stderr
    return only_run(folder / "results" / "synthetic"), result.stdout


def test_default_run_has_eight_strategies_and_a_hundred_vehicles(default_run: tuple[Path, str]) -> None:
    run, _ = default_run
    facts = json.loads((run / "run.json").read_text())
    summary = pd.read_csv(run / "summary.csv")
    assert set(summary["strategy"]) == STRATEGIES
    assert (summary["vehicles"] == 100).all()
    assert facts["vehicles"] == {"inserted": 100, "arrived": 100, "not_inserted": 0, "left_out": 0}
    assert facts["teleports"] == 0
    assert facts["cells"] == 331
    assert facts["cells_with_roads"] >= 0.95 * 331
    assert facts["mean_trip_m"] >= 4000


def test_default_run_prints_a_row_for_each_strategy_and_where_the_tables_are(default_run: tuple[Path, str]) -> None:
    run, printed = default_run
    assert {line.split()[0] for line in printed.splitlines() if line.split()} >= STRATEGIES
    assert "km/h commanded" in printed and "km/h realised" in printed
    assert printed.rstrip().endswith(run.name)


def test_documentation_shows_what_the_default_run_prints(default_run: tuple[Path, str]) -> None:
    """The block of docs/index.md line by line, and the table of the README number by number."""
    _, printed = default_run
    (block,) = re.findall(r"^```\n(synthetic, seed 0.*?)^```", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE | re.DOTALL)
    assert [line for line in block.splitlines() if line not in printed] == []
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {strategy for strategy, _ in rows} == STRATEGIES
    made = {strategy: numbers.split() for strategy, numbers in re.findall(r"^(\w+) +(\d.*)$", printed, re.MULTILINE)}
    for strategy, cells in rows:
        traffic, _, handoffs, _, _, unavailable, satisfied, cost, *_ = made[strategy]
        assert cells.replace(" ", "").split("|") == [traffic, handoffs, unavailable, satisfied, cost]
    (bound,) = re.findall(r"^\| \*bound: .*\* \|.* ([\d.]+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert f"no strategy can cost less than {bound}." in printed


def test_documentation_says_what_lead_costs(called: Command, tmp_path: Path) -> None:
    printed = called(tmp_path, "strategies=[lead]").stdout
    (cost,) = re.findall(r"no\s+longer be served, costs ([\d.]+)\.$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert f"lead costs least: {cost} a trip" in printed


def test_documentation_shows_what_relaying_changes(default_run: tuple[Path, str], called: Command, tmp_path: Path) -> None:
    result = called(tmp_path, "handoff.unsynced=relay")
    assert result.returncode == 0, result.stderr
    satisfied = []
    for run in (default_run[0], only_run(tmp_path / "results" / "synthetic")):
        share = pd.read_csv(run / "summary.csv").set_index("strategy")["satisfied_share"]
        satisfied.append((100 * share).map("{:.1f}".format))
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \|$", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE)
    assert len(rows) == 5
    assert rows == [(name, satisfied[0][name], satisfied[1][name]) for name, _, _ in rows]
    text = (ROOT / "README.md").read_text().replace("\n", " ")
    sentence = text.partition("until its copy is ready. With this option,")[2].partition(" %. ")[0] + " %"
    said = re.findall(r"`(\w+)`[^`]*? ([\d.]+) %", sentence)
    assert len(said) == 3
    assert said == [(name, satisfied[1][name]) for name, _ in said]


def test_bytes_add_up_from_transfers_to_vehicles_to_the_summary(default_run: tuple[Path, str]) -> None:
    run, _ = default_run
    migrations, vehicles = pd.read_csv(run / "migrations.csv"), pd.read_csv(run / "vehicles.csv")
    summary = pd.read_csv(run / "summary.csv").set_index("strategy")
    sent = migrations[["image_bytes", "memory_bytes", "dirty_bytes", "final_bytes"]].sum(axis=1)
    by_vehicle = sent.groupby([migrations["strategy"], migrations["vehicle"]]).sum()
    booked = vehicles.set_index(["strategy", "vehicle"])["traffic_bytes"]
    pd.testing.assert_series_equal(by_vehicle, booked[by_vehicle.index], check_names=False)
    mean = booked.groupby("strategy").mean()
    pd.testing.assert_series_equal(mean, summary["traffic_per_trip_bytes"], check_names=False)


def test_seconds_add_up_to_the_time_on_the_road(default_run: tuple[Path, str]) -> None:
    run, _ = default_run
    vehicles = pd.read_csv(run / "vehicles.csv")
    added = vehicles["outage_s"] + vehicles["late_s"] + vehicles["satisfied_s"]
    pd.testing.assert_series_equal(added, vehicles["road_s"], check_names=False)


def test_map_beside_the_runs_holds_all_cells_and_edges(default_run: tuple[Path, str]) -> None:
    run, _ = default_run
    facts = json.loads((run / "run.json").read_text())
    folder = run.parent / facts["map_folder"]
    cells, roads = pd.read_csv(folder / "cells.csv"), pd.read_csv(folder / "roads.csv")
    assert (len(cells), len(roads)) == (facts["cells"], facts["edges"])
    assert roads["line"].str.startswith("LINESTRING (").all()
    assert {"Ring 2", "East-West Avenue"} <= set(roads["name"])
    assert json.loads((folder / "projection.json").read_text())["proj"] is None


def test_second_run_in_another_folder_gives_the_same_bytes(default_run: tuple[Path, str], msmf: Command, tmp_path: Path) -> None:
    run, _ = default_run
    assert msmf(tmp_path, "output.dir=elsewhere").returncode == 0
    again = only_run(tmp_path / "elsewhere")
    for name in ("migrations.csv", "vehicles.csv", "summary.csv"):
        assert (again / name).read_bytes() == (run / name).read_bytes()


def test_another_seed_drives_other_trips(default_run: tuple[Path, str], called: Command, tmp_path: Path) -> None:
    run, _ = default_run
    assert called(tmp_path, "seed=1", "strategies=[never]").returncode == 0
    other = pd.read_csv(only_run(tmp_path / "results" / "synthetic") / "vehicles.csv")
    first = pd.read_csv(run / "vehicles.csv").query("strategy == 'never'")
    assert not set(other["road_s"]) <= set(first["road_s"])


def test_sweep_stacks_its_runs_and_a_second_time_does_nothing(called: Command, tmp_path: Path) -> None:
    words = ["-m", "mobility.vehicles=5", "mobility.speed_kmh=20,50", "workload.image_mb=100,1000", "tiers.regional.rings=1,2", "seed=3"]
    first = called(tmp_path, *words)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "results" / "synthetic"
    assert len(list(folder.glob("*/run.json"))) == 8
    stacked = pd.read_csv(folder / "summary.csv")
    assert len(stacked) == 8 * 8
    keys = stacked[["commanded_kmh", "image_mb", "rings", "seed"]].drop_duplicates()
    assert len(keys) == 8
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*.csv")}
    again = called(tmp_path, *words)
    assert again.returncode == 0
    assert "8 of 8 runs are done already, 0 to do" in again.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/*.csv")} == before
    assert {path.name for path in tmp_path.iterdir()} == {"results"}


def test_dry_run_says_what_would_be_done_and_does_nothing(default_run: tuple[Path, str], called: Command, tmp_path: Path) -> None:
    result = called(tmp_path, "dry_run=true", "output.trace=true")
    assert result.returncode == 0
    for words in ("331", "edges", "in the cache", "one run, one mobility pass", "MB"):
        assert words in result.stdout
    assert not list(tmp_path.iterdir())


def test_parquet_tables_hold_what_the_csv_tables_hold(default_run: tuple[Path, str], called: Command, tmp_path: Path) -> None:
    run, _ = default_run
    assert called(tmp_path, "output.format=parquet").returncode == 0
    parquet = only_run(tmp_path / "results" / "synthetic")
    for name in ("migrations", "vehicles", "summary"):
        as_csv = pd.read_csv(run / f"{name}.csv", dtype={"image": "string"})  # empty without applications
        pd.testing.assert_frame_equal(pd.read_parquet(parquet / f"{name}.parquet"), as_csv, check_dtype=False)


def test_help_names_groups_strategies_and_options(called: Command, tmp_path: Path) -> None:
    result = called(tmp_path, "--help", "all")
    assert result.returncode == 0
    for words in ("beijing, osm, sumo, synthetic", "paper_table2", *STRATEGIES, "mobility.speed_kmh=50", "output.trace=false"):
        assert words in result.stdout
