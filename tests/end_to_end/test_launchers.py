"""One sweep through every launcher: the same bytes; a killed worker costs its own run; nothing is left behind."""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.launch.apart import run_apart
from tests.end_to_end.sweeps import SLOW, TWO, begun, left_in, small_city, sumo_in, tables

Command = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
PLUGINS = {"joblib": "hydra_joblib_launcher", "slurm": "hydra_submitit_launcher", "ray": "hydra_ray_launcher"}
TWO_WORKERS = {"joblib": ["hydra.launcher.n_jobs=2"], "slurm": [], "ray": ["hydra.launcher.ray.init.num_cpus=2"]}

on_linux = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds processes in /proc")


@pytest.fixture(scope="module")
def serial(msmf: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The tables of the sweep, one run after the other in one process."""
    folder = small_city(tmp_path_factory.mktemp("serial"))
    result = msmf(folder, *TWO)
    assert result.returncode == 0, result.stderr
    found = tables(folder / "results" / "small")
    assert len([name for name in found if name.endswith("/vehicles.csv")]) == 2
    return found


def needs(launcher: str) -> None:
    """Skip where a launcher's extra is not installed, or its cluster does not answer."""
    plugin = f"hydra_plugins.{PLUGINS[launcher]}"
    if importlib.util.find_spec("hydra_plugins") is None or importlib.util.find_spec(plugin) is None:
        pytest.skip(f"needs the extra {launcher}")
    if launcher == "slurm":
        answers = shutil.which("sinfo") and subprocess.run(["sinfo", "--noheader"], capture_output=True, check=False).returncode == 0
        if not answers:
            pytest.skip("needs a Slurm that answers: scripts/start_slurm.sh, and SLURM_CONF")


@pytest.mark.parametrize("launcher", PLUGINS)
def test_workers_write_the_same_bytes(launcher: str, serial: dict[str, bytes], msmf: Command, tmp_path: Path) -> None:
    needs(launcher)
    result = msmf(small_city(tmp_path), *TWO, f"hydra/launcher={launcher}", *TWO_WORKERS[launcher])
    assert result.returncode == 0, result.stderr
    assert tables(tmp_path / "results" / "small") == serial
    assert [line.split(":")[0] for line in result.stdout.splitlines() if " of 2: " in line] == ["1 of 2", "2 of 2"]
    assert result.stderr == ""


@on_linux
@pytest.mark.parametrize(
    ("launcher", "generation", "said"),
    [
        ("joblib", 1, "its process was ended by SIGKILL"),
        ("joblib", 2, "its worker was killed"),
        ("slurm", 2, "its worker was killed"),
        ("ray", 2, "its worker was killed"),
    ],
)
def test_killed_worker_costs_its_own_run(
    launcher: str, generation: int, said: str, environment: dict[str, str], msmf: Command, tmp_path: Path
) -> None:
    needs(launcher)
    words = (*SLOW, "seed=0,1", f"hydra/launcher={launcher}", *TWO_WORKERS[launcher])
    process = begun(small_city(tmp_path), environment, *words)
    line = sumo_in(tmp_path)
    os.kill(line[generation], signal.SIGKILL)
    out, error = process.communicate(timeout=300)
    assert process.returncode == 2, (line, out, error)
    assert error.splitlines()[-1].startswith("msmf-traci: 1 of 2 runs failed, ") and said in error.splitlines()[-1]
    results = tmp_path / "results" / "small"
    assert len(list(results.glob("*/run.json"))) == 1
    assert len(list((results / ".sweep").glob("*.failed.json"))) == 1
    assert [path.name for path in results.iterdir() if path.name.startswith(".")] == [".sweep"]
    if launcher != "joblib":
        return
    again = msmf(tmp_path, *SLOW, "seed=0,1")
    assert again.returncode == 0, again.stderr
    assert "1 of 2 runs is done already, 1 to do" in again.stderr
    assert not list((results / ".sweep").glob("*.failed.json"))


@on_linux
@pytest.mark.parametrize(
    ("launcher", "number"), [("joblib", signal.SIGINT), ("joblib", signal.SIGKILL), ("slurm", signal.SIGINT), ("ray", signal.SIGINT)]
)
def test_ended_sweep_leaves_no_process_behind(launcher: str, number: int, environment: dict[str, str], tmp_path: Path) -> None:
    needs(launcher)
    (tmp_path / "tmp").mkdir()
    # Ray puts sockets there, whose paths must be short
    temporary = {"TMPDIR": str(tmp_path / "tmp")} if launcher != "ray" else {}
    process = begun(small_city(tmp_path), environment | temporary, *SLOW, "seed=0,1", f"hydra/launcher={launcher}", *TWO_WORKERS[launcher])
    sumo_in(tmp_path)
    process.send_signal(number)
    _, error = process.communicate(timeout=150)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL), error
    assert left_in(tmp_path) == []
    if number == signal.SIGINT:
        results = tmp_path / "results" / "small"
        assert [path.name for path in results.iterdir() if path.name.startswith(".")] == [".sweep"]
        assert not list((results / ".sweep").glob("*.failed.json"))
        assert not [path.name for path in (tmp_path / "tmp").iterdir() if path.name.startswith("msmf-traci")]


def test_run_that_ends_after_its_sweep_was_called_off_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # pinned: a slow worker noted "its process ended with code 143" when the sweep had cleared up already
    program, under_way = tmp_path / "ends", tmp_path / "under-way"
    program.write_text("#!/bin/sh\ncat > /dev/null\nexit 143\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    (point,) = read_request(["scenario=synthetic"]).points
    under_way.touch()
    assert run_apart(point, wait=False, under_way=under_way) == "its process ended with code 143: it said nothing"
    under_way.unlink()
    assert run_apart(point, wait=False, under_way=under_way) is None
