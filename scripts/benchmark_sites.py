#!/usr/bin/env python3
"""How long the set-up of a deployment takes, and how much memory: the lattice, and more and more base stations at random places.

    python scripts/benchmark_sites.py [overrides of msmf-traci] > table.md

Each deployment is laid in a process of its own: roads are read from the cache, cells are laid, roads are cut at their borders, servers are
laid, and what lies ahead on the map is looked up for every edge. Seconds are of CPU, the least of three.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from msmf_traci.config.compose import read_request
from msmf_traci.control.prediction import MapPredictor
from msmf_traci.experiment.preparation import judge_files, read_city
from msmf_traci.experiment.road_store import roads_of

SITES = (500, 5_000, 50_000)
REPEATS = 3
KB_PER_GB = 1e6


def main(words: list[str]) -> None:
    """Measure all deployments."""
    config = read_request(words).points[0].config
    left, bottom, right, top = roads_of(judge_files(config).network.ensure()).boundary_m
    dice = np.random.default_rng(0)
    print("| deployment | set-up, s of CPU | peak memory, GB |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        print_row("lattice", words)
        for many in SITES:
            path = Path(folder) / f"{many}.csv"
            places = np.column_stack([dice.uniform(left, right, many), dice.uniform(bottom, top, many)])
            np.savetxt(path, places, delimiter=",", header="x,y", comments="", fmt="%.2f")
            print_row(f"{many:,} sites", [*words, "deployment=sites", f"deployment.file={path}"])


def print_row(name: str, words: list[str]) -> None:
    """Measure one deployment in a process of its own."""
    told = subprocess.run([sys.executable, __file__, "--one", *words], check=True, capture_output=True, text=True)
    print(f"| {name} | {' | '.join(told.stdout.split())} |", flush=True)


def measure(words: list[str]) -> None:
    """Print seconds and gigabytes of one deployment."""
    config = read_request(words).points[0].config
    net_file = judge_files(config).network.ensure()
    seconds = []
    for _ in range(REPEATS):
        begin = time.process_time()
        city = read_city(config, net_file)
        MapPredictor(city.roads, city.coverage, city.layout.servers(config).layers, config.prediction.horizon_m)
        seconds.append(time.process_time() - begin)
    print(f"{min(seconds):.1f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_GB:.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2:])
    else:
        main(sys.argv[1:])
