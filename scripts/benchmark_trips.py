#!/usr/bin/env python3
"""How long drawing and routing trips takes, in this code and in that of another commit, and whether the trips are the same.

    python scripts/benchmark_trips.py --before COMMIT [--vehicles 2000 20000] [--repeats 3] [overrides of msmf-traci] > table.md

Each side has an empty cache in which the network and its roads are made first; that is not counted. Then every row draws its trips, with
the cached ones removed, and the two sides take turns. The commit is checked out with `git worktree` and removed again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
CITY = ("scenario=beijing",)
DRAW = """
import hashlib, json, sys, time
from msmf_traci.config.compose import read_request
try:
    from msmf_traci.experiment.preparation import draw_trips, judge_files, read_city
except ModuleNotFoundError:  # before version 0.2
    from msmf_traci.run.preparation import draw_trips, judge_files, read_city
config = read_request(sys.argv[1:]).points[0].config
inputs = judge_files(config)
city = read_city(config, inputs.network.ensure())
begin = time.perf_counter()
path = draw_trips(config, inputs, city)
print(json.dumps([time.perf_counter() - begin, hashlib.sha256(path.read_bytes()).hexdigest()]))
"""


@dataclass(frozen=True)
class Side:
    """A state of the code and its cache."""

    name: str
    code: Path
    cache: Path

    def draw(self, words: Sequence[str]) -> tuple[float, str]:
        """Seconds that it takes to draw trips anew, and their hash."""
        shutil.rmtree(self.cache / "routes", ignore_errors=True)
        environment = {**os.environ, "PYTHONPATH": str(self.code), "MSMF_CACHE_DIR": str(self.cache)}
        done = subprocess.run(
            [sys.executable, "-c", DRAW, *words], env=environment, cwd=self.cache.parent, stdout=subprocess.PIPE, text=True, check=True
        )
        seconds, digest = json.loads(done.stdout.splitlines()[-1])
        return float(seconds), str(digest)


@contextmanager
def code_of(commit: str, folder: Path) -> Iterator[Path]:
    """A commit's code, where its own configuration is found beside it."""
    subprocess.run(["git", "worktree", "add", "--detach", "--quiet", str(folder), commit], cwd=HERE, check=True)
    try:
        for name in ("conf", "scenarios"):
            (folder / "msmf_traci" / name).symlink_to(folder / name)
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=HERE, check=True)


def main() -> None:
    """Draw on both sides and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", required=True, metavar="COMMIT")
    parser.add_argument("--vehicles", type=int, nargs="+", default=[100, 2000])
    parser.add_argument("--routing", nargs="+", default=["dijkstra", "CH"])
    parser.add_argument("--repeats", type=int, default=3)
    typed, words = parser.parse_known_args()
    city = words or CITY
    with tempfile.TemporaryDirectory() as temporary, code_of(typed.before, Path(temporary) / "before") as before:
        sides = [Side(typed.before, before, Path(temporary) / "cache-before"), Side("this code", HERE, Path(temporary) / "cache")]
        for side in sides:
            side.draw([*city, "mobility.vehicles=1"])
        print(f"{' '.join(city)}; {os.cpu_count()} cores; medians of {typed.repeats}, the least and the most in brackets\n")
        print("| vehicles | routing | code | seconds | the same trips |\n| --- | --- | --- | --- | --- |")
        for vehicles in typed.vehicles:
            first: str | None = None
            for routing in typed.routing:
                # only this code has the option; the other one's trips are those of its default
                taking_part = sides if routing == "dijkstra" else sides[1:]
                option = [] if routing == "dijkstra" else [f"mobility.routing={routing}"]
                seconds: dict[str, list[float]] = {side.name: [] for side in taking_part}
                digests: dict[str, str] = {}
                for _ in range(typed.repeats):
                    for side in taking_part:
                        took_s, digests[side.name] = side.draw([*city, f"mobility.vehicles={vehicles}", *option])
                        seconds[side.name].append(took_s)
                for side in taking_part:
                    first = first or digests[side.name]
                    is_same = "yes" if digests[side.name] == first else "no"
                    times = seconds[side.name]
                    spread = f"{statistics.median(times):.1f} [{min(times):.1f}, {max(times):.1f}]"
                    print(f"| {vehicles:,} | {routing} | {side.name} | {spread} | {is_same} |", flush=True)


if __name__ == "__main__":
    main()
