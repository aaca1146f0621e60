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
TWO = (*SWEEP, "seed=0,1")
FOUR = (*SWEEP, "seed=0,1,2,3")
# slow enough to be met on the road, with SUMO in a process of its own
SLOW = (*SWEEP, "mobility.speed_kmh=5", "mobility.source=traci")


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


def sumo_in(folder: Path) -> list[int]:
    """A SUMO that drives for a run in a folder, its parent, its parent's parent, ..."""
    for _ in range(1500):
        known = processes()
        for process, (_, words) in known.items():
            if words[0].endswith("/sumo") and "--remote-port" in words and works_in(process, folder):
                line = [process]
                while (parent := known.get(line[-1], (0, []))[0]) > 1:
                    line.append(parent)
                return line
        time.sleep(0.02)
    raise AssertionError("SUMO was not started")


def works_in(process: int, folder: Path) -> bool:
    """Whether a process has a folder, or one in it, for its current one."""
    try:
        return Path(f"/proc/{process}/cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def left_in(folder: Path) -> list[str]:
    """Words of processes that still work in a folder after some seconds."""
    for _ in range(100):
        found = [" ".join(words) for process, (_, words) in processes().items() if process != os.getpid() and works_in(process, folder)]
        if not found:
            break
        time.sleep(0.1)
    return found
