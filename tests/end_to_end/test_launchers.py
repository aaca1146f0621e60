"""One sweep through every launcher: the same bytes; a killed worker costs its own run; nothing is left behind."""

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.sweeps import EIGHT, SLOW, begun, left_of, small_city, sumo_under, tables

Command = Callable[..., subprocess.CompletedProcess[str]]

on_linux = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes in /proc")
needs_joblib = pytest.mark.skipif(
    importlib.util.find_spec("hydra_plugins") is None or importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None,
    reason="needs the extra joblib",
)


@pytest.fixture(scope="module")
def serial(msmf: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of the sweep, one run after the other in one process."""
    folder = small_city(tmp_path_factory.mktemp("serial"))
    result = msmf(folder, *EIGHT)
    assert result.returncode == 0, result.stderr
    found = tables(folder / "results" / "small")
    assert len([name for name in found if name.endswith("/vehicles.csv")]) == 8
    return found


@needs_joblib
def test_two_workers_of_joblib_write_the_same_bytes(serial: dict[str, bytes], msmf: Command, tmp_path: Path) -> None:
    result = msmf(small_city(tmp_path), *EIGHT, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert result.returncode == 0, result.stderr
    assert tables(tmp_path / "results" / "small") == serial
    assert [line.split(":")[0] for line in result.stdout.splitlines() if " of 8: " in line] == [f"{n} of 8" for n in range(1, 9)]
    assert result.stderr == ""


@on_linux
@needs_joblib
@pytest.mark.parametrize(("generation", "said"), [(1, "its process was ended by SIGKILL"), (2, "its worker was killed")])
def test_killed_worker_of_joblib_costs_its_own_run(
    generation: int, said: str, environment: dict[str, str], msmf: Command, tmp_path: Path
) -> None:
    words = (*SLOW, "seed=0,1,2,3", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    process = begun(small_city(tmp_path), environment, *words)
    os.kill(sumo_under(process.pid)[generation], signal.SIGKILL)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 2
    assert error.splitlines()[-1].startswith("msmf-traci: 1 of 4 runs failed, ") and said in error.splitlines()[-1]
    results = tmp_path / "results" / "small"
    assert len(list(results.glob("*/run.json"))) == 3
    assert len(list((results / ".sweep").glob("*.failed.json"))) == 1
    again = msmf(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    assert "3 of 4 runs are done already, 1 to do" in again.stdout
    assert not list((results / ".sweep").glob("*.failed.json"))
    assert not [path.name for path in results.iterdir() if path.name.startswith(".") and path.name != ".sweep"]


@on_linux
@needs_joblib
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_sweep_on_joblib_leaves_no_process_behind(number: int, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    temporary = {"TMPDIR": str(tmp_path / "tmp")}
    words = (*SLOW, "seed=0,1,2,3", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    process = begun(small_city(tmp_path), environment | temporary, *words)
    sumo_under(process.pid)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    for _ in range(100):
        if not left_of(tmp_path):
            break
        time.sleep(0.1)
    assert left_of(tmp_path) == []
    if number == signal.SIGINT:
        assert [path.name for path in (tmp_path / "results" / "small").iterdir() if path.name.startswith(".")] == [".sweep"]
        assert not list((tmp_path / "tmp").iterdir())
