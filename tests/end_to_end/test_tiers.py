"""Tiers and links of the user's own, end to end: three tiers in the tables and pictures, a star of links worked out on paper."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import msmf_traci as msmf
from msmf_traci.errors import InputError
from tests.conftest import Command

FEW = ("mobility.vehicles=15", "mobility.depart_window_s=10")


@pytest.fixture(autouse=True)
def shared_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this process use the cache of the session."""
    monkeypatch.setenv("MSMF_CACHE_DIR", str(cache))


def test_a_third_tier_stands_in_tables_and_pictures(tmp_path: Path) -> None:
    words = ("tiers=three", "tiers.central.latency_ms=60", "variants.tiers.regional.rings=[1,2]", "output.trace=true")
    run = msmf.run(*FEW, *words, f"output.dir={tmp_path}", strategies=["pm_tier", "never"])
    assert run.facts["servers_by_tier"] == {"local": 331, "regional": 25, "central": 1}
    assert list(run.cells.columns[:5]) == ["cell", "local", "regional", "central", "regional:rings=1"]
    assert set(run.cells["central"]) == {"central:all"}
    # 60 and 5 ms for the central server: the levels of 80 and 150 ms are met there, and nobody who is there ever moves
    vehicles = run.vehicles[run.vehicles["strategy"] == "pm_tier"]
    assert (vehicles["tier"] == np.where(vehicles["latency_level_ms"] >= 65, "central", "local")).all()
    assert (vehicles["handoffs"][vehicles["tier"] == "central"] == 0).all()
    page = msmf.report(run, out=tmp_path / "page", replay=True)
    assert "Where transfers fail" in Path(page).read_text(encoding="utf-8")
    assert "central:all" in next((tmp_path / "page").rglob("replay*.html")).read_text(encoding="utf-8")


def test_a_lowest_tier_of_regions_is_followed_by_all_strategies(tmp_path: Path) -> None:
    run = msmf.run(*FEW, "tiers.order=[regional]", f"output.dir={tmp_path}", strategies=["nearest", "pm", "pm_op", "oracle"])
    assert set(run.migrations["target"].str[:2]) == {"R:"}
    of = {strategy: rows["handoffs"].tolist() for strategy, rows in run.vehicles.groupby("strategy")}
    assert of["nearest"] == of["pm"] == of["oracle"]  # whoever follows the user hands off at the same borders


def test_a_star_of_links_is_as_late_as_worked_out(tmp_path: Path) -> None:
    """Every server hangs on one switch, 10 ms away: 10 + 5 ms at home, and 20 ms more anywhere else, however far."""
    words = (*FEW, "tiers.order=[local]", "seed=2")
    plain = msmf.run(*words, f"output.dir={tmp_path / 'plain'}", strategies=["never", "pm"])
    rows = [f'"{server}",node:middle,10,1000' for server in plain.cells["local"]]
    (tmp_path / "star.csv").write_text("\n".join(["a,b,latency_ms,mbps", *rows]))
    linked = msmf.run(*words, f"links.file={tmp_path / 'star.csv'}", f"output.dir={tmp_path / 'linked'}", strategies=["never", "pm"])
    stays = linked.vehicles[linked.vehicles["strategy"] == "never"]
    assert (stays["relayed_s"] > 0).any()
    late_s = np.where(stays["latency_level_ms"] < 35, stays["relayed_s"], 0.0)
    np.testing.assert_allclose(stays["late_s"], late_s)
    # 1000 Mb/s are wider than the servers' own 100: transfers are what they were
    pd.testing.assert_frame_equal(linked.migrations, plain.migrations)


def test_links_that_do_not_fit_are_one_sentence(tmp_path: Path, called: Command) -> None:
    (tmp_path / "links.csv").write_text('a,b,latency_ms,mbps\n"L:0,0","L:0,99",1,100\n')
    done = called(tmp_path, *FEW, "links.file=links.csv")
    assert done.returncode == 2
    assert "links.file=links.csv, line 2: there is no server L:0,99" in done.stderr
    (tmp_path / "links.csv").write_text('a,b,latency_ms,mbps\n"L:0,0","L:0,1",-1,100\n')
    done = called(tmp_path, *FEW, "links.file=links.csv", "dry_run=true")
    assert done.returncode == 2
    assert "latency_ms=-1 must be a number, 0 or more" in done.stderr


def test_a_run_of_the_first_edition_is_reported_and_not_gone_on_with(tmp_path: Path) -> None:
    words = (*FEW, "seed=0,1", "variants.tiers.regional.rings=[1,2]", f"output.dir={tmp_path}")
    runs = msmf.sweep(*words, strategies=["pm", "pm_tier"])
    for run in runs:
        as_in_the_first_edition(run.folder)
    pages = msmf.report(tmp_path, out=tmp_path / "page")
    assert "rings of a region" in Path(pages).read_text(encoding="utf-8")
    with pytest.raises(InputError, match="holds a run of the first edition"):
        msmf.sweep(*words, strategies=["pm", "pm_tier"])


def as_in_the_first_edition(folder: Path) -> None:
    """Give a run the names that options, columns and the map had."""
    facts = json.loads((folder / "run.json").read_text())
    config = facts["config"]
    tiers = config["tiers"]
    config["capacity"] = {name: tiers[name]["capacity"] for name in ("local", "regional")}
    config["tiers"] = {
        "regional_rings": tiers["regional"]["rings"],
        "local_latency_ms": tiers["local"]["latency_ms"],
        "regional_latency_ms": tiers["regional"]["latency_ms"],
        "compute_ms": tiers["local"]["compute_ms"],
        "hop_latency_ms": config["links"].pop("hop_latency_ms"),
        "min_speed_kmh": config.pop("tier_choice")["min_speed_kmh"],
    }
    config["links"].pop("file")
    config["variants"] = {"tiers": {"regional_rings": [1, 2]}}
    facts["key_columns"] = ["regional_rings" if column == "rings" else column for column in facts["key_columns"]]
    (folder / "run.json").write_text(json.dumps(facts))
    for name in ("summary", "summary_by_band", "vehicles", "migrations", "copies"):
        table = pd.read_csv(folder / f"{name}.csv")
        table.rename(columns={"rings": "regional_rings"}).to_csv(folder / f"{name}.csv", index=False)
    cells = pd.read_csv(folder.parent / facts["map_folder"] / "cells.csv")
    if "regional" in cells:
        cells = cells.rename(columns={"regional": "region"})[["cell", "region", "x_m", "y_m", "lon", "lat"]]
        cells.to_csv(folder.parent / facts["map_folder"] / "cells.csv", index=False)
