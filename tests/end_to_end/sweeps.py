"""A small city, sweeps over it, and what they leave on disk."""

import os
import subprocess
import time
from pathlib import Path

from tests.conftest import BIN

EXPERIMENT = """\
# @package _global_
deployment:
  rings: 3
strategies: [nearest, pm]
scenario:
  parameters_file: city.yaml
mobility:
  vehicles: 3
  min_trip_m: 800
"""
SWEEP = ("-cd", "my", "experiment=small", "-m")
EIGHT = (*SWEEP, "seed=0,1,2,3,4,5,6,7")
# slow enough to be met on the road
SLOW = (*SWEEP, "mobility.speed_kmh=5", "mobility.vehicles=8")


def small_city(folder: Path) -> Path:
    """A folder with a city of some streets and the experiment `small` on it."""
    (folder / "my" / "experiment").mkdir(parents=True)
    (folder / "my" / "experiment" / "small.yaml").write_text(EXPERIMENT)
    (folder / "city.yaml").write_text("outline_radius_m: 1800.0\nring_offsets_lines: [2]\n")
    return folder


def tables(folder: Path) -> dict[str, bytes]:
    """Every file that runs have left, but for what the records of sweeps and run.json say."""
    found = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"}
    return {name.as_posix(): path.read_bytes() for name, path in found.items() if name.parts[0] != ".sweep"}


def begun(folder: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    """The command, at work in a folder; the leader of a group of its own."""
    return subprocess.Popen(
        [str(BIN / "msmf-traci"), *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def processes() -> dict[int, tuple[int, list[str]]]:
    """Parent and words of every process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text()
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        found[int(entry.name)] = int(status.split("PPid:\t")[1].split("\n")[0]), words
    return found


def lineage(process: int, known: dict[int, tuple[int, list[str]]]) -> list[int]:
    """A process, its parent, its parent's parent, ..."""
    line = [process]
    while (parent := known.get(line[-1], (0, []))[0]) > 1:
        line.append(parent)
    return line


def sumo_under(command: int) -> list[int]:
    """A SUMO that drives somewhere under the command, and its ancestors up to there."""
    for _ in range(1500):
        known = processes()
        for process, (_, words) in known.items():
            line = lineage(process, known)
            if words[0].endswith("/sumo") and "--remote-port" in words and command in line:
                return line[: line.index(command) + 1]
        time.sleep(0.02)
    raise AssertionError("SUMO was not started")


def left_of(folder: Path) -> list[str]:
    """Words of processes that work in a folder, or for what lies there."""
    found = []
    for process, (_, words) in processes().items():
        try:
            where = Path(f"/proc/{process}/cwd").readlink()
        except OSError:
            continue
        if process != os.getpid() and where.is_relative_to(folder):
            found.append(" ".join(words))
    return found
