#!/usr/bin/env python3
"""What becomes of the paper's Figures 7 and 8 under each preset of migration costs and each plan.

    python scripts/study_plans.py [--results FOLDER] [--launcher joblib] [--geolife FOLDER] [--keep FOLDER]

Needs the map of Beijing. Runs experiment=figure7 at 10, 50 and 100 km/h with drawn containers, and with `--geolife` experiment=figure8, for
every preset, all plans in one pass, with round trips of 40 ms between servers. What is done already is not done again. Writes and prints
plans_figure7.csv and plans_figure8.csv: means over trips.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd

import msmf_traci as msmf
from msmf_traci.config.overrides import group_choices
from msmf_traci.experiment.plan_file import NAMES

BIN = Path(sys.executable).parent
STRATEGIES = ("nearest", "pm", "pm_op", "pm_tier", "pm_op_tier")
COMMON = [
    "links.round_trip_ms=40",
    f"strategies=[{','.join(STRATEGIES)}]",
    f"variants.handoff.plan=[{','.join(NAMES)}]",
    "output.migrations=false",
]
FIGURE_7 = ["experiment=figure7", "variants.workload.image_mb=null", "mobility.speed_kmh=10,50,100"]
BYTES_PER_GB = 1e9
PRESET = "migration="


def sweep(folder: Path, launcher: list[str], *words: str) -> None:
    """Make the runs that are missing."""
    presets = f"{PRESET}{','.join(group_choices('migration'))}"
    command = [BIN / "msmf-traci", "-m", *words, presets, *COMMON, f"output.dir={folder}", *launcher]
    if code := subprocess.run([str(word) for word in command], check=False).returncode:
        sys.exit(code)


def means(folder: Path, *keys: str) -> pd.DataFrame:
    """One row a preset, plan, strategy and key: traffic of a trip, unavailability, downtime of a handoff, degraded and satisfied shares."""
    tables = []
    for run in msmf.load(folder):
        (preset,) = (word.removeprefix(PRESET) for word in run.facts["overrides"] if word.startswith(PRESET))
        tables.append(run.vehicles.assign(preset=preset))
    of = pd.concat(tables, ignore_index=True).groupby(["preset", "plan", "strategy", *keys], observed=True)
    total = of[["traffic_bytes", "outage_s", "road_s", "handoffs", "degraded_s", "satisfied_s"]].sum()
    found = pd.DataFrame(
        {
            "trips": of.size(),
            "traffic_gb": total["traffic_bytes"] / of.size() / BYTES_PER_GB,
            "unavailable_percent": 100 * total["outage_s"] / total["road_s"],
            "downtime_per_handoff_s": total["outage_s"] / total["handoffs"],
            "degraded_percent": 100 * total["degraded_s"] / total["road_s"],
            "satisfied_percent": 100 * total["satisfied_s"] / total["road_s"],
        }
    )
    return found.reset_index()


def main() -> None:
    """Run, count, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER", help="where runs go (results)")
    parser.add_argument("--launcher", metavar="NAME", help="one of Hydra's launchers, e.g. joblib for all cores")
    parser.add_argument("--geolife", type=Path, metavar="FOLDER", help="GeoLife's trajectories, for Figure 8 (left out without them)")
    parser.add_argument("--keep", type=Path, default=Path("results/reference"), metavar="FOLDER", help="where the tables go")
    arguments = parser.parse_args()
    launcher = [] if arguments.launcher is None else [f"hydra/launcher={arguments.launcher}"]
    folder = arguments.results / "plans-figure7"
    sweep(folder, launcher, *FIGURE_7)
    tables = {"plans_figure7": means(folder, "commanded_kmh")}
    if arguments.geolife is not None:
        folder = arguments.results / "plans-figure8"
        sweep(folder, launcher, "experiment=figure8", f"mobility.gps.path={arguments.geolife}")
        tables["plans_figure8"] = means(folder, "application", "mode")
    for name, table in tables.items():
        table.to_csv(arguments.keep / f"{name}.csv", index=False, float_format="%.4g")
        print(table.to_string())


if __name__ == "__main__":
    main()
