"""Runs with little or nothing in them: a page all the same, which says what it leaves out."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.commands.entry import report
from msmf_traci.errors import ToolError
from msmf_traci.reporting.measures import DOWNTIME, MEASURES, TRAFFIC
from msmf_traci.reporting.page_tables import runs_table
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.stills import write_drawing
from tests.reporting.made_results import write_run, write_sweep
from tests.reporting.made_trajectories import write_trajectories

ODD = ("nearest", "\"'&<b>\\`${x}", "naïve 策略 🚗", "x" * 300, "datum.strategy' == \"")
HANDOFFS = (
    "mean_lead_s",
    "mean_migration_time_s",
    "entry_hit_rate",
    "handoff_hit_rate",
    "traffic_per_transfer_bytes",
    "downtime_per_handoff_s",
    "mean_outage_s",
)


def page_of(place: Path) -> str:
    assert report([str(place), "--out", str(place.parent / "out")]) == 0
    return (place.parent / "out" / "index.html").read_text(encoding="utf-8")


def change_tables(place: Path, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    for path in place.rglob(f"{table}.csv"):
        change(pd.read_csv(path)).to_csv(path, index=False)
    return place


def without_transfers(place: Path) -> Path:
    """Nobody's container moved: what is divided by transfers or handoffs is empty, the rest is 0."""
    change_tables(place, "migrations", lambda table: table.iloc[:0])
    change_tables(
        place,
        "vehicles",
        lambda table: table.assign(**dict.fromkeys(("handoffs", "completed", "mispredicted", "user_left", "unfinished"), 0)),
    )
    zero = {name: 0.0 for name in MEASURES if name not in ("realised_kmh", "satisfied_share")}
    return change_tables(place, "summary", lambda table: table.assign(**zero | dict.fromkeys(HANDOFFS, np.nan)))


def one_run(place: Path) -> Path:
    return without_transfers(write_run(place / "runs" / "a", strategies=("never",))).parent


def a_sweep(place: Path) -> Path:
    return without_transfers(write_sweep(place / "sweep", seeds=[0, 1]))


def trajectories(place: Path) -> Path:
    made = write_trajectories(place / "traces", per_mode=2)
    change_tables(made, "vehicles", lambda table: table.assign(outages=0, outage_s=0.0, traffic_bytes=0.0))
    return without_transfers(made)


@pytest.mark.parametrize("make", [one_run, a_sweep, trajectories])
def test_runs_without_handoffs(make: Callable[[Path], Path], tmp_path: Path) -> None:
    text = page_of(make(tmp_path))
    assert "No figures of transfers: no strategy made one" in text
    assert "The runs have no values for: " in text
    assert "Where the bytes go; Distribution of downtime and lead time." in text
    assert not (tmp_path / "out" / "figures" / "bytes.svg").exists()


def test_no_value_at_all(tmp_path: Path) -> None:
    sweep = without_transfers(write_sweep(tmp_path / "sweep", seeds=[0, 1]))
    text = page_of(change_tables(sweep, "summary", lambda table: table.assign(**dict.fromkeys(MEASURES, np.nan))))
    assert "Traffic by commanded speed (km/h); Downtime by commanded speed (km/h)" in text
    assert not list((tmp_path / "out" / "figures").iterdir())


def test_a_definition_without_values_is_no_choice(tmp_path: Path) -> None:
    page_of(a_sweep(tmp_path))
    points = pd.read_csv(tmp_path / "out" / "figures" / "downtime_by_speed.csv")
    assert set(points["measure"]) == {DOWNTIME[-1].title}
    still = (tmp_path / "out" / "figures" / "traffic_by_speed.svg").read_text(encoding="utf-8")
    assert TRAFFIC[0].title in still and TRAFFIC[1].title not in still


def test_a_setting_of_a_sweep_in_which_nobody_arrived(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", seeds=[0, 1])
    without_transfers(sweep / "speed=10,seed=0")
    facts = json.loads((sweep / "speed=10,seed=0" / "run.json").read_text(encoding="utf-8"))
    facts |= {"vehicles": {"inserted": 20, "arrived": 0}, "mean_trip_m": None, "simulated_s": 36000.0}
    (sweep / "speed=10,seed=0" / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    assert "Figures without data" not in page_of(sweep)
    rows = {row[0].text: [field.text for field in row] for row in runs_table(read_results([sweep])).rows}
    # seed, inserted, arrived, mean trip of those that arrived, duration
    assert rows["speed=10,seed=0"][2:7] == ["0", "20", "0", "", "36,000"]


def test_a_setting_of_a_sweep_that_is_missing(tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", seeds=[0, 1])
    for path in (sweep / "speed=50,seed=1").iterdir():
        path.unlink()
    assert "Figures without data" not in page_of(sweep)
    points = pd.read_csv(tmp_path / "out" / "figures" / "traffic_by_speed.csv")
    assert points.groupby("value")["seeds"].max().to_dict() == {10: 2, 50: 1}
    assert points[points["value"] == 50][["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "make",
    [
        lambda place: write_run(place / "runs" / "a", strategies=ODD).parent,
        lambda place: write_sweep(place / "sweep", seeds=[0, 1], strategies=ODD),
    ],
)
def test_names_that_are_no_code(make: Callable[[Path], Path], tmp_path: Path) -> None:
    text = page_of(make(tmp_path))
    assert "<b>" not in text.partition('<script type="application/json"')[0].replace("&lt;b&gt;", "")
    assert "naïve 策略 🚗" in text


def test_a_single_vehicle_and_strategy(tmp_path: Path) -> None:
    run = write_run(tmp_path / "runs" / "a", strategies=("pm",), transfers=1)
    change_tables(run, "vehicles", lambda table: table.iloc[:1])
    change_tables(run, "summary", lambda table: table.assign(vehicles=1))
    assert ", pm serves within the task" in page_of(run.parent)


def test_a_drawing_library_that_fails_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="figure a cannot be drawn: vl-convert says") as caught:
        write_drawing({"mark": "bar", "width": 0, "height": 0, "padding": 0, "data": {"values": []}, "encoding": {}}, tmp_path / "a")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
