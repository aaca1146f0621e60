"""A sweep killed at any moment is resumed: nothing that was complete is done twice, and the bytes are the same."""

import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.sweeps import FOUR, begun, left_in, small_city, tables

Command = Callable[..., subprocess.CompletedProcess[str]]


KILLS = 3

pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes in /proc")


def complete(results: Path) -> dict[str, tuple[int, int]]:
    """The runs that lie complete, and which files those are."""
    states = {path.parent.name: path.stat() for path in results.glob("*/run.json")}
    return {name: (state.st_ino, state.st_mtime_ns) for name, state in states.items()}


def test_sweep_killed_at_random_moments_ends_with_the_same_bytes(environment: dict[str, str], msmf: Command, tmp_path: Path) -> None:
    whole, killed, scratch = small_city(tmp_path / "whole"), small_city(tmp_path / "killed"), tmp_path / "tmp"
    scratch.mkdir()
    assert msmf(whole, *FOUR).returncode == 0
    results = killed / "results" / "small"
    seed = random.randrange(1000)
    moments = random.Random(seed)
    for _ in range(KILLS):
        before = complete(results)
        process = begun(killed, environment | {"TMPDIR": str(scratch)}, *FOUR)
        time.sleep(moments.uniform(0.5, 3))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=150)
        assert left_in(killed) == [], seed
        after = complete(results)
        assert {name: after.get(name) for name in before} == before, seed
    before = complete(results)
    result = msmf(killed, *FOUR, TMPDIR=str(scratch))
    assert result.returncode == 0, result.stderr
    if before:
        verb = "is" if len(before) == 1 else "are"
        assert f"{len(before)} of 4 runs {verb} done already, {4 - len(before)} to do" in result.stderr
    after = complete(results)
    assert {name: after[name] for name in before} == before and len(after) == 4, seed
    assert tables(results) == tables(whole / "results" / "small"), seed
    assert [path.name for path in results.iterdir() if path.name.startswith(".")] == [".sweep"]
    assert not [path.name for path in (results / ".sweep").iterdir() if path.name.startswith(".")]
    assert not list(scratch.iterdir())


def test_two_sweeps_at_once_share_the_runs_between_them(environment: dict[str, str], tmp_path: Path) -> None:
    folder = small_city(tmp_path)
    both = [begun(folder, environment, *FOUR) for _ in range(2)]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    made = [line for _, error in said for line in error.splitlines() if re.match(r"run \d of 4: ", line)]
    assert len(made) == len({line.split()[1] for line in made}) == 4, said
    assert all(output.count("Tables of all runs: ") == 1 for output, _ in said)
    records = folder / "results" / "small" / ".sweep"
    assert [path.name.split("-")[0] for path in records.iterdir()] == ["plan"]
