"""Real containers, really migrated. Needs root, runC, CRIU and rsync; says what is missing where it is skipped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.testbed.leftovers import RECORDS, clean
from msmf_traci.testbed.parts import require

SMALL = ["image_mb=40", "memory_mb=20", "dirty_percent_per_s=5", "handoff.after_s=0.5"]


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    try:
        require()
    except InputError as missing:
        pytest.skip(str(missing))


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "import sys; from msmf_traci.cli import testbed; sys.exit(testbed())", *words]


def traces(place: Path) -> dict[str, list[str]]:
    """Everything on the machine that a session could leave."""
    groups = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines() if line.split()[2].startswith("cgroup")]
    return {
        "namespaces": sorted(path.name for path in Path("/run/netns").glob("msmf-*")),
        "groups": sorted(str(path) for group in groups for path in Path(group).glob("msmf-*")),
        "folders": sorted(path.name for path in place.glob("*")),
        "records": sorted(path.name for path in RECORDS.glob("*")),
        "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if "msmf-" in line],
        "programs": [
            line
            for line in subprocess.run(["ps", "ax", "-o", "args"], capture_output=True, text=True).stdout.splitlines()
            if "msmf-" in line
        ],
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Path]:
    """Folder of the results of one small migration, what was said, and where the hosts' folders were."""
    place, out = tmp_path_factory.mktemp("place"), tmp_path_factory.mktemp("results")
    done = subprocess.run(command("run", *SMALL, f"folder={place}", f"output.dir={out}"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder,) = out.iterdir()
    return folder, done.stdout, place


def test_completes_without_losing_state(migrated: tuple[Path, str, Path]) -> None:
    folder, said, _ = migrated
    (row,) = pd.read_csv(folder / "transfers.csv").to_dict("records")
    assert row["outcome"] == "completed" and (row["source"], row["target"]) == ("local1", "regional1")
    facts = json.loads((folder / "run.json").read_text())["continuity"]
    assert facts["counter_never_back"] and facts["services"] == 1 and facts["state_intact"] is True
    assert facts["answers"] > 100
    assert "completed" in said and "counter never went back; state whole" in said


def test_what_was_sent_is_what_there_was_to_send(migrated: tuple[Path, str, Path]) -> None:
    folder, _, _ = migrated
    (row,) = pd.read_csv(folder / "transfers.csv").to_dict("records")
    assert row["image_bytes"] == pytest.approx(40e6, rel=0.01)
    assert row["memory_bytes"] == pytest.approx(20e6, rel=0.03)
    assert row["memory_bytes"] <= row["snapshot_bytes"] * 1.01
    assert 0 < row["final_bytes"] < row["memory_bytes"]  # the last snapshot goes as differences
    payload = row["image_bytes"] + row["memory_bytes"] + row["dirty_bytes"] + row["final_bytes"]
    assert 1.0 < row["link_bytes"] / payload < 1.15
    sending_s = pd.read_csv(folder / "steps.csv").query("part == 'send'")
    assert row["link_bytes"] * 8 / (sending_s["t_end_s"] - sending_s["t_begin_s"]).sum() <= 100e6 * 1.02


def test_steps_come_in_their_order(migrated: tuple[Path, str, Path]) -> None:
    folder, _, _ = migrated
    steps = pd.read_csv(folder / "steps.csv")
    assert list(dict.fromkeys(steps["step"].drop_duplicates())) in (
        ["s1", "s2", "s3", "s4", "s5", "s7", "s8", "s9", "s10", "s11"],
        ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"],
    )
    assert (steps["t_end_s"] >= steps["t_begin_s"]).all()


def test_the_user_sees_the_outage_that_the_servers_saw(migrated: tuple[Path, str, Path]) -> None:
    folder, _, _ = migrated
    (row,) = pd.read_csv(folder / "transfers.csv").to_dict("records")
    assert row["downtime_s"] == pytest.approx(row["t_end_s"] - row["t_stop_s"])
    assert row["user_downtime_s"] == pytest.approx(row["downtime_s"], abs=0.35)  # signals, answers and frozen time lie between the two
    round_trip_s = json.loads((folder / "run.json").read_text())["round_trip_s"]
    assert round_trip_s["user"] == pytest.approx(0.020, abs=0.01) and round_trip_s["regional1"] == pytest.approx(0.120, abs=0.02)


def test_nothing_is_left(migrated: tuple[Path, str, Path]) -> None:
    assert not any(traces(migrated[2]).values())


@pytest.mark.parametrize(("number", "after_s"), [(signal.SIGINT, 5.0), (signal.SIGKILL, 7.0)])
def test_interrupted_and_killed(tmp_path: Path, number: signal.Signals, after_s: float) -> None:
    """Ctrl-C cleans up by itself; after kill -9 `clean` does."""
    place, out = tmp_path / "place", tmp_path / "results"
    place.mkdir()
    running = subprocess.Popen(command("run", *SMALL, f"folder={place}", f"output.dir={out}"), stderr=subprocess.PIPE, text=True)
    time.sleep(after_s)
    running.send_signal(number)
    running.communicate(timeout=30)
    if number == signal.SIGINT:
        assert running.returncode == 130
    else:
        assert running.returncode == -signal.SIGKILL and traces(place)["namespaces"]
        assert any("removed" in line for line in clean())
    assert not any(traces(place).values())
    assert not out.exists() or not [path for path in out.iterdir() if not path.name.startswith(".")]
