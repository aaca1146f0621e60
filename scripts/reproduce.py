#!/usr/bin/env python3
"""Make the paper's figures and the reference results again: two sweeps, one benchmark, one report.

    python scripts/reproduce.py [--results FOLDER] [--launcher joblib] [--keep FOLDER]

Needs the map of Beijing (README) and some hours the first time, most of them SUMO's; what is done already is not done again.

- msmf-traci -m experiment=figure7: 8 strategies x 6 container sizes x 8 speeds x 5 seeds, 40 mobility passes;
- msmf-traci -m experiment=sensitivity: the choices that the paper leaves open, 30 passes;
- scripts/benchmark_prediction.py: what a prediction costs on maps of different size;
- msmf-traci-report on all of it.

`--keep` also copies the report's small tables to a folder: `results/reference` was made so.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
COSTS = "prediction_cost.csv"
LARGEST_BYTES = 400_000


def call(*words: str | Path) -> None:
    """Call a command and end with its code if it fails."""
    print("$", *words, flush=True)
    code = subprocess.run([str(word) for word in words], check=False).returncode
    if code:
        sys.exit(code)


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER", help="where runs go (results)")
    parser.add_argument("--launcher", metavar="NAME", help="one of Hydra's launchers, e.g. joblib for all cores")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy the report's small tables there")
    arguments = parser.parse_args()
    launcher = [] if arguments.launcher is None else [f"hydra/launcher={arguments.launcher}"]
    for experiment in ("figure7", "sensitivity"):
        folder = arguments.results / experiment
        call(BIN / "msmf-traci", "-m", f"experiment={experiment}", f"output.dir={folder}", *launcher)
    figure7 = arguments.results / "figure7"
    if not (figure7 / COSTS).is_file():
        call(sys.executable, Path(__file__).parent / "benchmark_prediction.py", "--out", figure7 / COSTS)
    report = arguments.results / "report"
    call(BIN / "msmf-traci-report", figure7, arguments.results / "sensitivity", "--out", report)
    if arguments.keep is not None:
        keep(report, arguments.keep)
        shutil.copy(figure7 / COSTS, arguments.keep / COSTS)


def keep(report: Path, folder: Path) -> None:
    """Copy the tables of a report that are small."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in sorted([*report.glob("*.csv"), *report.glob("figures/*.csv")]):
        if table.stat().st_size <= LARGEST_BYTES:
            shutil.copy(table, folder / table.name)


if __name__ == "__main__":
    main()
