"""Real containers, really migrated. Needs root, runC, CRIU and rsync; says what is missing where it is skipped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.testbed.leftovers import RECORDS, clean
from msmf_traci.testbed.parts import require
from msmf_traci.testbed.programs import MARK

SMALL = ["image_mb=40", "memory_mb=20", "dirty_percent_per_s=5", "handoff.after_s=0.5"]


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    try:
        require()
    except InputError as missing:
        pytest.skip(str(missing))


def command(*words: str) -> list[str]:
    return [sys.executable, "-c", "import sys; from msmf_traci.commands.entry import testbed; sys.exit(testbed())", *words]


def names_in(place: Path) -> set[str]:
    """Names of the sessions, and of the workshop around them, whose folders lie there now."""
    return {path.name for path in place.glob("msmf-*")}


def traces(names: set[str], place: Path) -> list[str]:
    """Everything on the machine that bears one of the names."""
    groups = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines() if line.split()[2].startswith("cgroup")]
    found = [str(path) for name in names for top in (Path("/run/netns"), RECORDS, *map(Path, groups)) for path in top.glob(f"{name}*")]
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if any(name in line for name in names)]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(f"{MARK}={name}".encode() in (process / "environ").read_bytes().split(b"\0") for name in names):
                found.append((process / "cmdline").read_bytes().decode(errors="replace"))
    return found + [str(path) for path in place.iterdir()]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[str]]:
    """Folder of the results of one small migration, what was said, and what it left on the machine."""
    place, out = tmp_path_factory.mktemp("place"), tmp_path_factory.mktemp("results")
    names: set[str] = set()
    with subprocess.Popen(command("run", *SMALL, f"folder={place}", f"output.dir={out}"), stdout=subprocess.PIPE, text=True) as running:
        while running.poll() is None:
            names |= names_in(place)
            time.sleep(0.1)
        said = running.stdout.read()
    assert running.returncode == 0
    assert len(names) == 2
    (folder,) = out.iterdir()
    return folder, said, traces(names, place)


def test_completes_without_losing_state(migrated: tuple[Path, str, list[str]]) -> None:
    folder, said, _ = migrated
    (row,) = pd.read_csv(folder / "transfers.csv").to_dict("records")
    assert row["outcome"] == "completed" and (row["source"], row["target"]) == ("local1", "regional1")
    facts = json.loads((folder / "run.json").read_text())["continuity"]
    assert facts["counter_never_back"] and facts["services"] == 1 and facts["state_intact"] is True
    assert facts["answers"] > 100
    assert "completed" in said and "state whole" in said


def test_what_was_sent_is_what_there_was_to_send(migrated: tuple[Path, str, list[str]]) -> None:
    folder, _, _ = migrated
    (row,) = pd.read_csv(folder / "transfers.csv").to_dict("records")
    assert row["image_bytes"] == pytest.approx(40e6, rel=0.01)
    assert row["memory_bytes"] == pytest.approx(20e6, rel=0.03)
    first = pd.read_csv(folder / "steps.csv").query("step == 's4'")["memory_bytes"].iloc[0]
    assert row["memory_bytes"] <= first * 1.01
    assert 0 < row["final_bytes"] < row["memory_bytes"]  # the last snapshot goes as differences
    payload = row["image_bytes"] + row["memory_bytes"] + row["dirty_bytes"] + row["final_bytes"]
    assert 1.0 < row["link_bytes"] / payload < 1.15
    sending_s = pd.read_csv(folder / "steps.csv").query("part == 'send'")
    assert row["link_bytes"] * 8 / (sending_s["t_end_s"] - sending_s["t_begin_s"]).sum() <= 100e6 * 1.02


def test_steps_come_in_their_order(migrated: tuple[Path, str, list[str]]) -> None:
    folder, _, _ = migrated
    # written as they end: a round may be under way at the signal
    steps = pd.read_csv(folder / "steps.csv").sort_values("t_begin_s", kind="stable")
    assert list(steps["step"].drop_duplicates()) in (
        ["s1", "s2", "s3", "s4", "s5", "s7", "s8", "s9", "s10", "s11"],
        ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"],
    )
    assert (steps["t_end_s"] >= steps["t_begin_s"]).all()


def test_the_user_sees_the_outage_that_the_servers_saw(migrated: tuple[Path, str, list[str]]) -> None:
    folder, _, _ = migrated
    (row,) = pd.read_csv(folder / "transfers.csv").to_dict("records")
    assert row["downtime_s"] == pytest.approx(row["t_end_s"] - row["t_stop_s"])
    assert row["user_downtime_s"] == pytest.approx(row["downtime_s"], abs=0.35)  # signals, answers and frozen time lie between the two
    round_trip_s = json.loads((folder / "run.json").read_text())["round_trip_s"]
    assert round_trip_s["user"] == pytest.approx(0.020, abs=0.01) and round_trip_s["regional1"] == pytest.approx(0.120, abs=0.02)


def test_nothing_is_left(migrated: tuple[Path, str, list[str]]) -> None:
    assert not migrated[2]


@pytest.mark.parametrize(("number", "after_s"), [(signal.SIGINT, 2.0), (signal.SIGKILL, 4.0)])
def test_interrupted_and_killed(tmp_path: Path, number: signal.Signals, after_s: float) -> None:
    """Ctrl-C cleans up by itself; after kill -9 `clean` does."""
    place, out = tmp_path / "place", tmp_path / "results"
    place.mkdir()
    running = subprocess.Popen(command("run", *SMALL, f"folder={place}", f"output.dir={out}"), stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + 60
    while len(names := names_in(place)) < 2 and time.monotonic() < until_s:
        time.sleep(0.05)
    assert len(names) == 2  # the session's hosts are there
    time.sleep(after_s)
    running.send_signal(number)
    if number == signal.SIGINT:
        time.sleep(0.02)
        running.send_signal(number)  # an impatient user's, while it cleans up
    running.communicate(timeout=60)
    if number == signal.SIGINT:
        assert running.returncode == 130
        assert not out.exists()
    else:
        assert running.returncode == -signal.SIGKILL and traces(names, place)
        done, failures = clean()
        assert not failures and all(any(line.startswith(f"{name}: removed") for line in done) for name in names)
        assert not out.exists()  # what was half-written there, and the folder that was made for it
    assert not traces(names, place)


@pytest.mark.parametrize(("memory_mb", "why"), [("1", "the program ram alone takes"), ("1e9", "this machine has")])
def test_memory_that_is_too_little_or_too_much_is_refused_before_anything_starts(tmp_path: Path, memory_mb: str, why: str) -> None:
    words = command("run", f"memory_mb={memory_mb}", f"folder={tmp_path}", f"output.dir={tmp_path}/out")
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 2 and why in said.stderr
    assert not list(tmp_path.iterdir())
