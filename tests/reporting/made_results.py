"""Folders of runs made by hand: random tables of the right shape, so that figures can be recomputed from them."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.reporting.measures import MEASURES

STRATEGIES = ("nearest", "pm", "pm_tier")
VEHICLES = 20
COUNTED = ("completed", "mispredicted", "user_left", "unfinished", "refused")
OUTCOMES = ("completed", "mispredicted", "user_left", "unfinished")


def write_run(
    folder: Path,
    *,
    seed: int = 0,
    speed: float = 50.0,
    strategies: Sequence[str] = STRATEGIES,
    varied: Mapping[str, Sequence[Any]] | None = None,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    transfers: int = 40,
    version: str = "0.1.0",
) -> Path:
    """Write a run.

    Parameters
    ----------
    folder
        Of the run.
    varied
        Dotted options with the values that the run varied within its pass.
    config
        What differs from the defaults.
    transfers
        Rows of migrations.csv for each variant; no table if 0.
    """
    varied = varied or {}
    rng = np.random.default_rng([seed, int(speed)])
    columns = {name: name.rsplit(".", 1)[-1] for name in varied}
    keys = ["strategy", "image_mb", *(column for column in columns.values() if column != "image_mb")]
    variants = [
        {"strategy": name, "image_mb": np.nan, **dict(zip(columns.values(), values, strict=True))}
        for name, values in itertools.product(strategies, itertools.product(*varied.values()))
    ]
    rows = [{**variant, "commanded_kmh": speed, "seed": seed, "vehicles": VEHICLES} for variant in variants]
    summary = pd.DataFrame(rows).assign(**{name: rng.uniform(1.0, 2.0, len(rows)) * each.per_unit for name, each in MEASURES.items()})
    folder.mkdir(parents=True)
    summary.to_csv(folder / "summary.csv", index=False)
    vehicles = pd.DataFrame([{**variant, "vehicle": f"v{n}", "handoffs": 3} for variant in variants for n in range(VEHICLES)])
    vehicles[list(COUNTED)] = 0
    if transfers:
        moved = pd.DataFrame([variant for variant in variants for _ in range(transfers)])
        n = len(moved)
        for kind in ("image", "memory", "dirty", "final"):
            moved[f"{kind}_bytes"] = rng.uniform(0.0, 1e9, n)
        moved["outcome"] = rng.choice(OUTCOMES, n)
        moved["t_handoff_s"] = np.where(rng.random(n) < 0.7, 10.0, np.nan)
        moved["lead_s"] = np.where(moved["t_handoff_s"].notna(), rng.exponential(10.0, n), np.nan)
        moved["downtime_s"] = rng.exponential(5.0, n)
        moved = moved.assign(vehicle="v0", transfer=range(n), source="L:0,0", target="L:1,0", x_m=0.0, y_m=0.0)
        moved["t_start_s"] = 20.0 * moved["transfer"]
        moved["t_end_s"] = moved["t_start_s"] + 15.0
        moved["t_stop_s"] = np.where(moved["t_handoff_s"].notna(), moved["t_end_s"] - moved["downtime_s"], np.nan)
        moved.to_csv(folder / "migrations.csv", index=False)
        for name in COUNTED:
            vehicles.loc[0, name] = int((moved["outcome"] == name).sum())
    vehicles.to_csv(folder / "vehicles.csv", index=False)
    facts = {
        "config": _config(seed, speed, strategies, varied, {"output": {"migrations": transfers > 0}} | (config or {})),
        "strategies": list(strategies),
        "key_columns": keys,
        "seed": seed,
        "versions": {"msmf-traci": version, "sumo": "1.28.0"},
        "map_folder": "map-0",
        "fingerprint": {"network": "abc"},
        "network": {"file": "network.net.xml", "sha256": "abc", "bytes": 1},
        "vehicles": {"inserted": VEHICLES, "arrived": VEHICLES},
        "teleports": 0,
        "collisions": 0,
        "outside_share": 0.01,
        "wall_s": {"simulation": 1.5, "tables": 0.5},
    }
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def write_sweep(place: Path, speeds: Sequence[float] = (10.0, 50.0), seeds: Sequence[int] = (0, 1, 2), **more: Any) -> Path:
    """Write a run for each speed and seed."""
    for speed, seed in itertools.product(speeds, seeds):
        write_run(place / f"speed={speed:g},seed={seed}", speed=speed, seed=seed, **more)
    return place


def stacked(place: Path, table: str) -> pd.DataFrame:
    """The tables of all runs of a sweep, with the run's seed and speed."""
    parts = []
    for folder in sorted(path.parent for path in place.glob("*/run.json")):
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        parts.append(pd.read_csv(folder / f"{table}.csv").assign(seed=facts["seed"], speed=facts["config"]["mobility"]["speed_kmh"]))
    return pd.concat(parts, ignore_index=True)


def _config(
    seed: int, speed: float, strategies: Sequence[str], varied: Mapping[str, Sequence[Any]], changed: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "experiment": "made",
        "seed": seed,
        "strategies": list(strategies),
        "tiers": {"order": ["local", "regional"], "local": {"area": "cell"}, "regional": {"area": "rings", "rings": 2.0}},
        "mobility": {"speed_kmh": speed, "source": "auto"},
        "workload": {"image_mb": [100.0, 2000.0]},
        "handoff": {"unsynced": "stop"},
        "links": {"bandwidth_mbps": 100.0},
    }
    for section, content in changed.items():
        made[section] = made.get(section, {}) | dict(content)
    variants: dict[str, Any] = {}
    for name, values in varied.items():
        *sections, option = name.split(".")
        functools.reduce(lambda at, section: at.setdefault(section, {}), sections, variants)[option] = list(values)
    return made | {"variants": variants}
