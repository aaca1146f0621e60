"""A traced drive as the testbed reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from msmf_traci.commands.entry import testbed
from msmf_traci.errors import InputError
from msmf_traci.testbed.course import Decision
from msmf_traci.testbed.drive import read_drive

A, B = "L:0,0", "L:1,0"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Vehicle 7 drives from 10 to 20 s; at 13 s its target is known, at 16 s it is handed off, stopped from 16 to 18.5 s."""
    config: dict[str, Any] = {
        "workload": {"application": None, "dirty_percent_per_s": 1.0, "dirty_threshold_mbit": 40.0},
        "handoff": {"unsynced": "stop", "user_left": "abandon", "switch_ms": 0.0}, "links": {"bandwidth_mbps": 100.0, "mode": "dedicated"},
        "capacity": {"local": None, "regional": None}, "applications": {},
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps({"config": config}))
    rows = [
        {"t_s": float(t), "strategy": strategy, "vehicle": vehicle, "home": A if t < 16 else B, "target": "NONE", "host": A, "running": 1}
        for strategy in ("never", "pm")
        for vehicle, last in (("7", 20), ("8", 12))
        for t in range(10, last + 1)
    ]
    for row in rows:
        row["target"] = B if 13 <= row["t_s"] < 16 else "NONE"
    rows[4]["home"] = "KEEP"  # never's vehicle 7 at 14 s
    pd.DataFrame(rows).to_csv(tmp_path / "decisions.csv", index=False)
    vehicles = [
        {"vehicle": v, "strategy": s, "image_bytes": 30e6, "memory_capacity_bytes": 20e6} for s in ("never", "pm") for v in ("7", "8")
    ]
    pd.DataFrame(vehicles).to_csv(tmp_path / "vehicles.csv", index=False)
    transfers = [
        {
            "strategy": "pm",
            "vehicle": "7",
            "t_start_s": 13.0,
            "t_handoff_s": 16.0,
            "t_stop_s": 16.0,
            "t_end_s": 17.0,
            "outcome": "user_left",
        },
        {
            "strategy": "pm",
            "vehicle": "7",
            "t_start_s": 17.0,
            "t_handoff_s": 17.0,
            "t_stop_s": 17.0,
            "t_end_s": 18.5,
            "outcome": "completed",
        },
        {
            "strategy": "pm",
            "vehicle": "8",
            "t_start_s": 10.0,
            "t_handoff_s": 11.0,
            "t_stop_s": 11.0,
            "t_end_s": 12.0,
            "outcome": "unfinished",
        },
    ]
    pd.DataFrame(transfers).to_csv(tmp_path / "migrations.csv", index=False)
    return tmp_path


def test_decisions_since_the_begin(run: Path) -> None:
    drive = read_drive(run, "7", "pm", 2.0, 5.0)
    assert drive.first_server == A
    assert drive.decisions == (
        *(Decision(float(t), A, None if t == 0 else B) for t in range(4)),
        Decision(4.0, B, None),
        Decision(5.0, B, None),
    )
    assert drive.options["image_mb"] == 30 and drive.options["memory_mb"] == 20 and drive.options["handoff.unsynced"] == "stop"


def test_keep_is_no_home(run: Path) -> None:
    assert read_drive(run, "7", "never", 4.0, 2.0).decisions[0] == Decision(0.0, None, B)


def test_what_the_harness_computed_in_that_time(run: Path) -> None:
    whole = read_drive(run, "7", "pm", 0.0, None).computed
    assert (whole.handoffs, whole.outages, whole.outage_s) == (2, 1, 2.5)  # one outage across two transfers
    assert whole.transfers == {"user_left": 1, "completed": 1}
    part = read_drive(run, "7", "pm", 0.0, 7.5).computed
    assert (part.handoffs, part.outage_s) == (1, pytest.approx(1.0))  # frames end at 17 s, and the last is not decided for
    at_the_handoff = read_drive(run, "7", "pm", 0.0, 6.5).computed  # the last frame is at 16 s, and not decided for
    assert (at_the_handoff.handoffs, at_the_handoff.outages, at_the_handoff.transfers) == (0, 0, {"unfinished": 1})
    assert read_drive(run, "7", "never", 0.0, None).computed.outage_s == 0


def test_a_stop_at_the_instant_of_a_restore_is_an_outage_of_its_own(run: Path) -> None:
    transfers = pd.read_csv(run / "migrations.csv")
    transfers["outcome"] = "completed"
    transfers.to_csv(run / "migrations.csv", index=False)
    computed = read_drive(run, "7", "pm", 0.0, None).computed
    assert (computed.outages, computed.outage_s) == (2, 2.5)


def test_a_user_who_is_taken_back_to_the_host_is_a_handoff(run: Path) -> None:
    transfers = pd.read_csv(run / "migrations.csv")
    transfers[transfers["outcome"] != "completed"].to_csv(run / "migrations.csv", index=False)
    computed = read_drive(run, "7", "pm", 0.0, None).computed
    assert (computed.handoffs, computed.outages, computed.outage_s) == (2, 1, 1.0)


def test_the_first_vehicle_that_drives_long_enough(run: Path) -> None:
    assert read_drive(run, None, "pm", 0.0, 8.0).vehicle == "7"


@pytest.mark.parametrize(
    ("vehicle", "strategy", "begin_s", "duration_s", "part"),
    [
        ("9", "pm", 0.0, None, "no such vehicle"),
        ("7", None, 0.0, None, "has never, pm; choose one"),
        ("7", "oracle", 0.0, None, "has never, pm; choose one"),
        ("7", "pm", 60.0, None, "has fewer than two frames"),
        (None, "pm", 0.0, 60.0, "takes 10 s; choose smaller values"),
    ],
)
def test_wrong_drives(run: Path, vehicle: str | None, strategy: str | None, begin_s: float, duration_s: float | None, part: str) -> None:
    with pytest.raises(InputError) as said:
        read_drive(run, vehicle, strategy, begin_s, duration_s)
    assert part in str(said.value)


def test_a_drive_does_not_begin_while_the_container_is_stopped(run: Path) -> None:
    rows = pd.read_csv(run / "decisions.csv")
    rows.loc[rows["t_s"] == 17, "running"] = 0
    rows.to_csv(run / "decisions.csv", index=False)
    with pytest.raises(InputError, match="begin when it runs"):
        read_drive(run, "7", "pm", 7.0, None)


def test_runs_that_cannot_be_driven(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        read_drive(tmp_path / "nowhere", None, None, 0.0, None)
    rows = pd.read_csv(run / "decisions.csv")
    pd.concat([rows, rows]).to_csv(run / "decisions.csv", index=False)
    with pytest.raises(InputError, match="without variants"):
        read_drive(run, "7", "pm", 0.0, None)
    (run / "decisions.csv").unlink()
    with pytest.raises(InputError, match=r"output\.trace=true"):
        read_drive(run, "7", "pm", 0.0, None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"links": {"mode": "dedicated", "file": "links.csv"}}, "the testbed cannot do its links.file=links.csv"),
        ({"tiers": {"order": ["local", "central"]}}, "the testbed has two tiers, local and regional, but the run has local, central"),
        ({"tiers": {"order": ["local"], "local": {"bandwidth_mbps": 50.0}}}, "cannot do its tiers.local.bandwidth_mbps=50.0"),
        ({"capacity": {"local": 3, "regional": None}}, "cannot do its tiers.local.capacity=3"),
        ({"tiers": {"order": ["local"], "local": {"store_gb": 4.0}}}, "cannot do its tiers.local.store_gb=4.0"),
        ({"images": {"source": "cloud"}}, "cannot do its images.source=cloud; make a run with images.source=host"),
        ({"images": {"source": "host", "retain_s": None}}, "cannot do its images.retain_s=None; make a run with images.retain_s=0"),
    ],
)
def test_tiers_and_links_that_a_testbed_does_not_have_are_refused(changes: dict[str, Any], said: str, run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "config": {**facts["config"], **changes}}))
    with pytest.raises(InputError) as refused:
        read_drive(run, "7", "pm", 0.0, None)
    assert said in str(refused.value)


def test_a_vehicle_whose_image_is_copied_ahead_is_refused(run: Path) -> None:
    pd.DataFrame({"vehicle": ["8"], "strategy": ["pm"]}).to_csv(run / "copies.csv", index=False)
    assert read_drive(run, "7", "pm", 0.0, None).vehicle == "7"
    pd.DataFrame({"vehicle": ["7"], "strategy": ["pm"]}).to_csv(run / "copies.csv", index=False)
    with pytest.raises(InputError, match="images are copied ahead for vehicle 7"):
        read_drive(run, "7", "pm", 0.0, None)


def test_of_a_mix_a_vehicle_has_its_own_application(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    facts["config"]["workload"]["application"] = {"game": 1, "ram": 2}
    facts["config"]["applications"] = {"game": {"dirty_percent_per_s": 1}, "ram": {"dirty_percent_per_s": 3}}
    (run / "run.json").write_text(json.dumps(facts))
    vehicles = pd.read_csv(run / "vehicles.csv")
    vehicles["image"] = ["game", "ram", "ram", "game"]
    vehicles.to_csv(run / "vehicles.csv", index=False)
    options = read_drive(run, "7", "pm", 0.0, None).options
    assert (options["application"], options["dirty_percent_per_s"]) == ("ram", 3)


def test_what_differs_from_the_run_is_named(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from msmf_traci import testbed_job
    from msmf_traci.config.testbed_request import read_testbed_request
    from msmf_traci.testbed.images import Images

    words = [f"drive.run={run}", "drive.strategy=pm", "drive.vehicle=7", "image_mb=30", "handoff.unsynced=stop"]
    (point,) = read_testbed_request(words, multirun=False)
    with pytest.raises(InputError) as said:
        testbed_job.judge(point.config, Images(tmp_path / "images"))
    assert str(said.value).endswith("with other options than this session has; add memory_mb=20 dirty_percent_per_s=1")
    assert testbed(["run", "drive.strategy=pm"]) == 2
    assert "needs drive.run" in capsys.readouterr().err
