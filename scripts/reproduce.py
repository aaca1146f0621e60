#!/usr/bin/env python3
"""Make the paper's figures and the reference results again: three sweeps, one benchmark, two reports.

    python scripts/reproduce.py [--results FOLDER] [--launcher joblib] [--geolife FOLDER] [--keep FOLDER]

Needs the map of Beijing (README) and some hours the first time, most of them SUMO's; what is done already is not done again.

- msmf-traci -m experiment=figure7: 8 strategies x 6 container sizes x 8 speeds x 5 seeds, 40 mobility passes;
- msmf-traci -m experiment=sensitivity: the choices that the paper leaves open, 30 passes;
- scripts/benchmark_prediction.py: what a prediction costs on maps of different size;
- msmf-traci report on all of it;
- with `--geolife`, msmf-traci -m experiment=figure8 on the trajectories in this folder, 5 passes, and a report of its own.

`--keep` also copies the report's main tables and figures to a folder: `results/reference` was made so.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

BIN = Path(sys.executable).parent
COSTS = "prediction_cost.csv"
# of the report: what the documentation shows and quotes
KEPT_TABLES = ("claims.csv", "sensitivity.csv")
KEPT_FIGURES = (
    "traffic_by_speed",
    "downtime_by_speed",
    "traffic_by_image",
    "downtime_by_image",
    "bytes",
    "realised_speed",
    "tornado_tier_cut",
)
KEPT_FIGURES_OF_TRAJECTORIES = ("figure8_traffic", "figure8_bytes", "figure8_downtime")
TRAJECTORY_CLAIMS = "claims_figure8.csv"


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
    parser.add_argument("--geolife", type=Path, metavar="FOLDER", help="GeoLife's trajectories, for Figure 8 (left out without them)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy the report's main tables and figures there")
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
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for name in KEPT_TABLES:
            shutil.copy(report / name, arguments.keep / name)
        keep_figures(report, KEPT_FIGURES, arguments.keep)
        shutil.copy(figure7 / COSTS, arguments.keep / COSTS)
    if arguments.geolife is not None:
        figure8, report = arguments.results / "figure8", arguments.results / "report-figure8"
        traces = f"mobility.gps.path={arguments.geolife}"
        call(BIN / "msmf-traci", "-m", "experiment=figure8", traces, f"output.dir={figure8}", *launcher)
        call(BIN / "msmf-traci-report", figure8, "--out", report)
        if arguments.keep is not None:
            keep_figures(report, KEPT_FIGURES_OF_TRAJECTORIES, arguments.keep)
            shutil.copy(report / "claims.csv", arguments.keep / TRAJECTORY_CLAIMS)


def keep_figures(report: Path, figures: Sequence[str], folder: Path) -> None:
    """Copy figures of a report, and the points that they show."""
    for name in figures:
        for ending in ("csv", "svg"):
            shutil.copy(report / "figures" / f"{name}.{ending}", folder / f"{name}.{ending}")


if __name__ == "__main__":
    main()
