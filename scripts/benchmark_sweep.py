#!/usr/bin/env python3
"""How many SUMO runs and seconds a grid takes: strategies x sizes in one pass, speeds x seeds one pass each.

    python scripts/benchmark_sweep.py FOLDER [--launcher joblib] [overrides of msmf-traci] > table.md

Runs `msmf-traci -m` with its results in FOLDER (what is complete there already is not made again), then tells from each run's run.json
where its frames came from and what it took. A cell is one strategy with one container size at one speed and seed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

GRID = (
    "scenario=beijing",
    "mobility.speed_kmh=5,10,20,30,50,60,80,100",
    "seed=0,1,2,3,4",
    "variants.workload.image_mb=[100,500,1000,1500,2000]",
)


def cells(run: dict[str, Any]) -> int:
    """Strategies times combinations of a run."""
    n = len(run["strategies"])
    for section in run["config"]["variants"].values():
        for values in section.values():
            n *= len(values) if values else 1
    return n


def main() -> None:
    """Run the grid and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--launcher")
    typed, words = parser.parse_known_args()
    launcher = [] if typed.launcher is None else [f"hydra/launcher={typed.launcher}"]
    call = [str(Path(sys.executable).parent / "msmf-traci"), "-m", *(words or GRID), *launcher, f"output.dir={typed.folder}"]
    begin = time.perf_counter()
    subprocess.run(call, check=True, stdout=sys.stderr)
    wall_s = time.perf_counter() - begin
    runs = [json.loads(path.read_text()) for path in sorted(typed.folder.glob("*/run.json"))]
    groups: dict[float, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        groups[run["config"]["mobility"]["speed_kmh"]].append(run)
    print("| km/h | runs | of them SUMO drove | cells | simulated s | wall s of all phases | of it simulation | of it tables |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for speed_kmh, some in sorted(groups.items()):
        print(f"| {speed_kmh:g} | {_row(some)} |")
    print(f"| all | {_row(runs)} |")
    print(f"\nThis command took {wall_s:.0f} s" + (f" with {typed.launcher}." if typed.launcher else ", one run after another."))


def _row(runs: list[dict[str, Any]]) -> str:
    live = sum(run["mobility"]["source"] in ("traci", "libsumo") for run in runs)
    walls = [run["wall_s"] for run in runs]
    figures = [
        sum(run["simulated_s"] for run in runs),
        sum(sum(wall.values()) for wall in walls),
        sum(wall["simulation"] for wall in walls),
        sum(wall["tables"] for wall in walls),
    ]
    return " | ".join([str(len(runs)), str(live), str(sum(cells(run) for run in runs)), *(f"{figure:,.0f}" for figure in figures)])


if __name__ == "__main__":
    main()
