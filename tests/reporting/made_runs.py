"""Small run folders made by hand, as a run writes them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.reporting.measures import MEASURES

BYTES = {"image_bytes": 1e8, "memory_bytes": 2e7, "dirty_bytes": 5e6, "final_bytes": 1e6}
OUTCOMES = ("completed", "mispredicted", "user_left", "unfinished", "refused")
CELLS = {"0,0": (0.0, 0.0), "1,0": (433.0127, 250.0), "0,1": (0.0, 500.0)}


def transfer(strategy: str, vehicle: str, number: int, times: Sequence[float | None], outcome: str, **other: Any) -> dict[str, Any]:
    """A row of migrations; times are those of start, handoff, stop and end."""
    start_s, handoff_s, stop_s, end_s = times
    row = {"strategy": strategy, "image_mb": None, "vehicle": vehicle, "transfer": number, "tier": "local", "source": "L:0,0"}
    row |= {"target": "L:1,0", "t_start_s": start_s, "t_handoff_s": handoff_s, "t_stop_s": stop_s, "t_end_s": end_s, "outcome": outcome}
    row |= {**BYTES, "rounds": 1, "lead_s": None if handoff_s is None else handoff_s - start_s}
    return row | {"downtime_s": 0.0 if stop_s is None else end_s - stop_s, "x_m": 0.0, "y_m": 0.0} | other


def make_run(
    folder: Path,
    transfers: Sequence[Mapping[str, Any]],
    *,
    seed: int = 0,
    speed: float = 50.0,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write a run and, beside it, its map."""
    folder.mkdir(parents=True)
    rows = pd.DataFrame(transfers)
    strategies = list(dict.fromkeys(rows["strategy"]))
    config = {"experiment": None, "seed": seed, "mobility": {"speed_kmh": speed}, "workload": {"image_mb": 300.0}, "variants": {}}
    if rows["image_mb"].notna().any():
        config["variants"] = {"workload": {"image_mb": sorted(set(rows["image_mb"]))}}
    facts = {"config": config, "key_columns": ["strategy", "image_mb"], "strategies": strategies, "seed": seed}
    facts |= {"versions": {"msmf-traci": "0.1.0"}, "map_folder": "map-1", "deployment": {"spacing_m": 500.0, "orientation": "flat"}}
    (folder / "run.json").write_text(json.dumps(facts))
    rows.to_csv(folder / "migrations.csv", index=False, lineterminator="\n")
    keys = rows[["strategy", "image_mb"]].drop_duplicates()
    of_vehicle = rows.assign(**{name: (rows["outcome"] == name).astype(int) for name in OUTCOMES}).groupby(
        ["strategy", "image_mb", "vehicle"], dropna=False
    )
    vehicles = of_vehicle[list(OUTCOMES)].sum().assign(handoffs=of_vehicle["t_handoff_s"].count()).reset_index()
    vehicles.to_csv(folder / "vehicles.csv", index=False, lineterminator="\n")
    many = vehicles.groupby(["strategy", "image_mb"], dropna=False, sort=False)["vehicle"].size().to_numpy()
    measures = {name: 1.0 for name in MEASURES if name != "vehicles"}
    summary = keys.assign(vehicles=many, commanded_kmh=speed, seed=seed, **measures)
    summary.to_csv(folder / "summary.csv", index=False, lineterminator="\n")
    for name, table in (tables or {}).items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    beside = folder.parent / "map-1"
    if not beside.exists():
        beside.mkdir()
        cells = pd.DataFrame([(cell, "R:0,0", x, y) for cell, (x, y) in CELLS.items()], columns=["cell", "region", "x_m", "y_m"])
        cells.to_csv(beside / "cells.csv", index=False, lineterminator="\n")
        lines = {"a": "LINESTRING (0.00 0.00, 200.00 2.00, 400.00 200.00)", "-a": "LINESTRING (400.00 200.00, 200.00 2.00, 0.00 0.00)"}
        roads = pd.DataFrame(
            [(edge, "highway.primary", "Street", line) for edge, line in lines.items()], columns=["edge", "class", "name", "line"]
        )
        roads.to_csv(beside / "roads.csv", index=False, lineterminator="\n")
    return folder
