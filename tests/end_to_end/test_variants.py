"""One pass serves every variant (model, section 11): the rows that separate runs give, whatever is varied."""

import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.control import readable

Command = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ("mobility.vehicles=12", "mobility.max_duration_s=400", "deployment.rings=6", "mobility.depart_window_s=20")
TABLES = ("migrations", "vehicles", "summary")


def run(called: Command, folder: Path, *words: str) -> Path:
    result = called(folder, *SMALL, *words)
    assert result.returncode == 0, result.stderr
    (done,) = (path.parent for path in folder.glob("results/synthetic/*/run.json"))
    return done


def text(run: Path, table: str) -> pd.DataFrame:
    """A table as it is written, digit by digit."""
    return pd.read_csv(run / f"{table}.csv", dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    "varied",
    [
        {
            "workload.image_mb": {"100": "100.0", "1500": "1500.0", "[100,2000]": ""},
            "handoff.user_left": {"abandon": "abandon", "finish": "finish"},
        },
        {"links.mode": {"dedicated": "dedicated", "shared": "shared"}, "tiers.regional.rings": {"1": "1.0", "3": "3.0"}},
        {"attachment.hysteresis_m": {"0": "0.0", "40": "40.0"}, "reports.distance_m": {"0": "0.0", "80": "80.0"}},
        {
            "tiers.local.capacity": {"2": "2.0", "null": ""},
            "workload.latency_weights": {"[0,0,1]": "[0.0, 0.0, 1.0]", "[1,0,0]": "[1.0, 0.0, 0.0]"},
        },
    ],
    ids=lambda varied: " and ".join(varied),
)
def test_one_pass_gives_the_rows_of_separate_runs(varied: dict[str, dict[str, str]], called: Command, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    together = run(called, tmp_path / "all", *(f"variants.{option}=[{','.join(values)}]" for option, values in varied.items()))
    keys = json.loads((together / "run.json").read_text())["key_columns"]
    columns = {option: next(name for name in keys if name in (option, option.rsplit(".", 1)[1])) for option in varied}
    seen = 0
    for values in itertools.product(*(each.items() for each in varied.values())):
        words = [f"{option}={value}" for option, (value, _) in zip(varied, values, strict=True)]
        folder = tmp_path / "-".join(value for value, _ in values)
        folder.mkdir()
        alone = run(called, folder, *words)
        for table in TABLES:
            rows = text(together, table)
            for option, (_, written) in zip(varied, values, strict=True):
                rows = rows[rows[columns[option]] == written]
            rows = rows.drop(columns=[name for name in columns.values() if name != "image_mb"]).reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, text(alone, table))
            seen += len(rows)
    assert seen == sum(len(text(together, table)) for table in TABLES)


def test_strategies_that_are_asked_fare_like_those_that_are_compiled(called: Command, tmp_path: Path) -> None:
    """Ours again, in Python, as anybody would write them (`tests/control/readable.py`): asked frame by frame."""
    shutil.copy(readable.__file__, tmp_path / "asked.py")
    ours = ("nearest", "pm", "pm_op_tier", "oracle_tier")
    done = run(
        called,
        tmp_path,
        f"strategies=[{','.join(ours)},asked:Nearest,asked:Pm,asked:PmOpTier,asked:OracleTier]",
        *("variants.links.mode=[dedicated,shared]", "variants.handoff.unsynced=[stop,relay]", "variants.reports.distance_m=[0,60]"),
        "output.trace=true",
    )
    for table in ("migrations", "vehicles", "summary", "stages", "decisions"):
        rows = text(done, table)
        for name in ours:
            own = [
                rows[rows["strategy"] == strategy].drop(columns="strategy").reset_index(drop=True)
                for strategy in (name, f"{name}_readable")
            ]
            pd.testing.assert_frame_equal(*own)
            assert len(own[0])


def test_fewer_reports_cost_less_and_show_in_the_tables(called: Command, tmp_path: Path) -> None:
    """A report each frame, after 50 m, after 500 m: fewer and fewer, 40 bytes each, and predictions that are no better."""
    done = run(called, tmp_path, "variants.reports.distance_m=[0,50,500]", "reports.bytes=40", "strategies=[pm]")
    vehicles = pd.read_csv(done / "vehicles.csv")
    by_distance = vehicles.groupby("reports.distance_m")[["reports", "report_bytes", "road_s"]].sum()
    reports = by_distance["reports"]
    assert reports[0] == by_distance["road_s"][0] + vehicles["vehicle"].nunique()
    assert reports[0] > 3 * reports[50] > 9 * reports[500] > 0
    assert (by_distance["report_bytes"] == 40 * reports).all()
    summary = pd.read_csv(done / "summary.csv").set_index("reports.distance_m")
    assert summary["reports_per_vehicle_hour"][50] == pytest.approx(reports[50] / by_distance["road_s"][50] * 3600)
    assert summary["handoff_hit_rate"][500] < summary["handoff_hit_rate"][0]


def test_two_ranges_of_sizes_are_told_apart(called: Command, tmp_path: Path) -> None:
    done = run(called, tmp_path, "variants.workload.image_mb=[[100,200],[1500,1600],700]", "strategies=[pm]")
    summary = pd.read_csv(done / "summary.csv")
    assert list(summary["workload.image_mb"]) == ["700.0", "[100.0, 200.0]", "[1500.0, 1600.0]"]
    assert list(summary["image_mb"].isna()) == [False, True, True]
    assert (summary["vehicles"] == 12).all()
    assert summary["traffic_per_trip_bytes"].nunique() == 3


def test_one_at_a_time_gives_rows_of_the_product_and_can_do_without_transfers(called: Command, tmp_path: Path) -> None:
    """Three of the four rows of a product; summaries and vehicles are the same bytes without the table of transfers."""
    words = ["variants.handoff.unsynced=[stop,relay]", "variants.handoff.user_left=[abandon,finish]", "strategies=[nearest,pm_tier]"]
    for name in ("product", "one"):
        (tmp_path / name).mkdir()
    product = run(called, tmp_path / "product", *words)
    one = run(called, tmp_path / "one", *words, "vary.design=one_at_a_time", "output.migrations=false")
    assert not (one / "migrations.csv").exists() and (product / "migrations.csv").is_file()
    for table in ("vehicles", "summary"):
        rows = text(product, table)
        both = (rows["unsynced"] == "relay") & (rows["handoff.user_left"] == "finish")
        assert 0 < both.sum() < len(rows)
        pd.testing.assert_frame_equal(text(one, table), rows[~both].reset_index(drop=True))


def test_one_range_of_sizes_is_told_from_the_one_that_is_configured(called: Command, tmp_path: Path) -> None:
    done = run(called, tmp_path, "vary.design=one_at_a_time", "variants.workload.image_mb=[[50,500]]", "strategies=[pm]")
    summary = pd.read_csv(done / "summary.csv")
    assert list(summary["workload.image_mb"]) == ["[100.0, 2000.0]", "[50.0, 500.0]"]
    assert (summary["vehicles"] == 12).all()


def test_applications_send_their_own_images_and_memories(called: Command, tmp_path: Path) -> None:
    """What is on the ledger follows from the applications' sizes, levels and rates (docs/experiments.md)."""
    testbed = ("tiers.local.latency_ms=20", "tiers.regional.latency_ms=100")
    strategies = "strategies=[nearest,pm_op_tier]"
    done = run(called, tmp_path, "variants.workload.application=[game,face,ram]", *testbed, strategies, "mobility.speed_kmh=15")
    image, memory = {"game": 1.4e9, "face": 7e8, "ram": 1e8}, {"game": 1.6e8, "face": 1e8, "ram": 3e8}
    vehicles, migrations = (pd.read_csv(done / f"{name}.csv") for name in ("vehicles", "migrations"))
    assert list(vehicles.columns[:4]) == ["strategy", "image_mb", "application", "vehicle"]
    assert (vehicles["image_bytes"] == vehicles["application"].map(image)).all()
    assert (vehicles["memory_capacity_bytes"] == vehicles["application"].map(memory)).all()
    assert (vehicles["image_mb"] == vehicles["image_bytes"] / 1e6).all()
    completed = migrations[migrations["outcome"] == "completed"]
    assert set(completed["application"]) == set(image)
    # an image that was still on its way at the stop arrives as final bytes
    sent = completed[["image_bytes", "memory_bytes", "dirty_bytes", "final_bytes"]].sum(axis=1)
    whole = completed["application"].map(image) + completed["application"].map(memory)
    assert (sent >= 0.999999 * whole).all()
    assert (completed["image_bytes"] <= 1.000001 * completed["application"].map(image)).all()
    assert (completed["memory_bytes"] <= 1.000001 * completed["application"].map(memory)).all()
    tiers = vehicles[vehicles["strategy"] == "pm_op_tier"].groupby("application")["tier"].unique().map(list).to_dict()
    assert tiers == {"game": ["local"], "face": ["regional"], "ram": ["regional"]}
    alone = tmp_path / "alone"
    alone.mkdir()
    ram = run(called, alone, "workload.application=ram", *testbed, strategies, "mobility.speed_kmh=15")
    for table in TABLES:
        rows = text(done, table)
        rows = rows[rows["application"] == "ram"].drop(columns="application").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, text(ram, table))
