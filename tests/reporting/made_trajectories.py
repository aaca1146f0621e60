"""Folders of runs on trajectories, made by hand: a world in which the paper's sentences on Figure 8 hold, to be falsified by tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.reporting.measures import MEASURES

STRATEGIES = ("nearest", "pm", "pm_op", "pm_tier", "pm_op_tier")
MODES = ("walk", "bike", "bus", "car")
SPEEDS_KMH = {"walk": 5.0, "bike": 14.0, "bus": 22.0, "car": 35.0}
APPLICATIONS = {"game": (1.4e9, 1.6e8), "face": (7e8, 1e8), "ram": (1e8, 3e8)}
GROWTH_S = {"nearest": 8.0, "pm": 2.0, "pm_op": 1.5, "pm_tier": 0.5, "pm_op_tier": 0.0}
"""Seconds of downtime a handoff that each faster mode adds to the 10 s of walking."""
TRANSFERS = 4
OUTCOMES = ("completed", "mispredicted", "user_left", "unfinished", "refused")

Fate = dict[str, float]


def fate(strategy: str, application: str, mode: str) -> Fate:
    """What becomes of one trajectory: seconds of downtime a handoff, bytes of a migration by kind."""
    image, memory = APPLICATIONS[application]
    return {
        "downtime_s": 10.0 + GROWTH_S[strategy] * MODES.index(mode),
        "image_bytes": image,
        "memory_bytes": memory,
        "dirty_bytes": 0.1 * memory,
        "final_bytes": 0.05 * memory,
    }


def write_trajectories(
    place: Path,
    change: Callable[[str, str, str, Fate], None] | None = None,
    *,
    seeds: Sequence[int] = (0, 1),
    modes: Sequence[str] = MODES,
    applications: Sequence[str] = tuple(APPLICATIONS),
    strategies: Sequence[str] = STRATEGIES,
    per_mode: int = 6,
    transfers: bool = True,
) -> Path:
    """Write one run a seed; each draws so many trajectories of a pool of two more, the last one's mode is unknown.

    Trajectories differ from each other by some percent, alike under every strategy, and by a thousandth apart; another seed adds a
    percent to downtimes.
    """
    for seed in seeds:
        drawn = np.random.default_rng(seed)
        names = [(f"{mode}{n}", mode) for mode in modes for n in sorted(drawn.choice(per_mode + 2, per_mode, replace=False))] + [
            ("lost", "")
        ]
        _write_run(place / f"seed={seed}", seed, names, strategies, applications, change, transfers)
    return place


def _write_run(
    folder: Path,
    seed: int,
    names: Sequence[tuple[str, str]],
    strategies: Sequence[str],
    applications: Sequence[str],
    change: Callable[[str, str, str, Fate], None] | None,
    transfers: bool,
) -> None:
    folder.mkdir(parents=True)
    vehicles, migrations = [], []
    for strategy in strategies:
        for application in applications:
            image, memory = APPLICATIONS[application]
            keys = {"strategy": strategy, "image_mb": image / 1e6, "application": application}
            for name, mode in names:
                own = fate(strategy, application, mode or "walk")
                if change is not None:
                    change(strategy, application, mode, own)
                own = _noisy(own, name, strategy, seed)
                sent = sum(value for kind, value in own.items() if kind.endswith("_bytes"))
                km = SPEEDS_KMH[mode or "walk"] / 4
                row = {**keys, "vehicle": name, "mode": mode, "commanded_kmh": np.nan, "realised_kmh": SPEEDS_KMH[mode or "walk"]}
                row |= {"road_s": 900.0, "distance_m": 1000.0 * km, "image_bytes": image, "memory_capacity_bytes": memory}
                row |= {"handoffs": TRANSFERS, **dict.fromkeys(OUTCOMES, 0), "completed": TRANSFERS, "traffic_bytes": TRANSFERS * sent}
                vehicles.append(row | {"outages": TRANSFERS, "outage_s": TRANSFERS * own["downtime_s"]})
                for number in range(TRANSFERS):
                    moved = {**keys, "vehicle": name, "transfer": number, "t_handoff_s": 10.0, "outcome": "completed", **own}
                    migrations.append(
                        moved
                        | {
                            "lead_s": 5.0,
                            "t_start_s": 100.0 * number,
                            "t_stop_s": 100.0 * number + 50.0,
                            "t_end_s": 100.0 * number + 60.0,
                            "tier": "local",
                            "source": "L:0,0",
                            "target": "L:1,0",
                            "x_m": 0.0,
                            "y_m": 0.0,
                        }
                    )
    table = pd.DataFrame(vehicles)
    table.to_csv(folder / "vehicles.csv", index=False)
    if transfers:
        pd.DataFrame(migrations).to_csv(folder / "migrations.csv", index=False)
    _summary(table, seed).to_csv(folder / "summary.csv", index=False)
    (folder / "run.json").write_text(json.dumps(_facts(seed, strategies, applications, transfers)), encoding="utf-8")


def _noisy(own: Fate, name: str, strategy: str, seed: int) -> Fate:
    shared = np.random.default_rng([*name.encode()]).normal(1.0, 0.03)
    apart = np.random.default_rng([*name.encode(), *strategy.encode()]).normal(1.0, 0.001)
    found = {kind: value * (1.0 if kind == "image_bytes" else shared * apart) for kind, value in own.items()}
    return found | {"downtime_s": found["downtime_s"] * (1.0 + 0.01 * seed)}


def _summary(vehicles: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows of all vehicles and of each mode; what is measured is not looked at by mode."""
    rows = []
    for keys, own in vehicles.groupby(["strategy", "image_mb", "application"], sort=False):
        for mode in ("all", *sorted(set(own["mode"]) - {""})):
            n = len(own) if mode == "all" else int((own["mode"] == mode).sum())
            head = dict(zip(("strategy", "image_mb", "application"), keys, strict=True))
            head |= {"commanded_kmh": np.nan, "mode": mode, "seed": seed, "vehicles": n}
            rows.append(head | dict.fromkeys(MEASURES, 1.0 + 0.1 * seed))
    return pd.DataFrame(rows)


def _facts(seed: int, strategies: Sequence[str], applications: Sequence[str], transfers: bool) -> Mapping[str, Any]:
    config = {
        "experiment": "figure8",
        "seed": seed,
        "mobility": {"source": "gps", "speed_kmh": None, "gps": {"path": "geolife", "per_mode": 6}},
        "applications": {name: {"image_mb": size / 1e6, "memory_mb": memory / 1e6} for name, (size, memory) in APPLICATIONS.items()},
        "workload": {"application": None, "image_mb": [100.0, 2000.0]},
        "output": {"migrations": transfers},
        "variants": {"workload": {"application": list(applications), "image_mb": None}},
    }
    facts = {"config": config, "strategies": list(strategies), "key_columns": ["strategy", "image_mb", "application"], "seed": seed}
    facts |= {"versions": {"msmf-traci": "0.1.0"}, "map_folder": "map-0", "teleports": 0, "collisions": 0, "outside_share": 0.0}
    return facts | {"vehicles": {"inserted": 25, "arrived": 25}, "wall_s": {"simulation": 1.0}}


def by_trajectory(place: Path) -> pd.DataFrame:
    """One row a strategy, application and trajectory of known mode, averaged over seeds, from the tables alone."""
    parts = []
    for folder in sorted(path.parent for path in place.glob("*/run.json")):
        keys = ["strategy", "application", "vehicle"]
        vehicles = pd.read_csv(folder / "vehicles.csv", keep_default_na=False, na_values=[""]).set_index(keys)
        moved = pd.read_csv(folder / "migrations.csv").groupby(keys)
        kinds = [f"{kind}_bytes" for kind in ("image", "memory", "dirty", "final")]
        part = moved[kinds].mean().rename(columns=lambda kind: f"migration_{kind}")
        part["migration_bytes"] = part.sum(axis=1)
        part["downtime_per_handoff_s"] = moved["downtime_s"].sum() / vehicles["handoffs"]
        part["mean_outage_s"] = vehicles["outage_s"] / vehicles["outages"]
        part["unavailability"] = vehicles["outage_s"] / vehicles["road_s"]
        part["traffic_per_trip_bytes"] = vehicles["traffic_bytes"]
        part["traffic_per_km_bytes"] = vehicles["traffic_bytes"] / vehicles["distance_m"] * 1000
        parts.append(part.assign(mode=vehicles["mode"]).reset_index())
    rows = pd.concat(parts)
    return rows.groupby(["strategy", "application", "mode", "vehicle"], dropna=False).mean().reset_index()
