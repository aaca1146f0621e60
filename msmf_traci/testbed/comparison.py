"""Measured migrations beside what equation (1) and a fitted model expect of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.migration.policy import NO_PROCESSING
from msmf_traci.results.store import read_run
from msmf_traci.testbed.expectation import Costs, Migration, expect
from msmf_traci.testbed.fitting import equations, fit
from msmf_traci.testbed.tables import is_whole
from msmf_traci.units import BYTES_PER_MB, BYTES_PER_MBIT, S_PER_MS

PAPER = Costs(NO_PROCESSING, 0.0, 1.0, (0.2, 1.0))
MODELS = ("equation_1", "fitted")
QUANTITIES = ("total", "downtime")
KEYS = ("application", "image_mb", "memory_mb", "dirty_percent_per_s", "round_trip_ms")
# what else may differ between sessions in one folder
_MORE_KEYS = ("bandwidth_mbps", "dirty_threshold_mbit", "unsynced", "after_s", "lead_s")


@dataclass(frozen=True)
class Measurement:
    """A completed migration: its setting, what was measured, and its steps."""

    keys: Mapping[str, Any]
    migration: Migration
    total_s: float
    downtime_s: float
    user_downtime_s: float | None
    steps: pd.DataFrame


def read_measurements(folder: Path) -> list[Measurement]:
    """Every completed single migration below a folder.

    Raises
    ------
    InputError
        If there is none, or one of them lost the service's state: its times are of something else.
    """
    found = []
    for path in sorted(folder.glob("**/run.json")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue  # half-written
        if (measurement := read_measurement(path.parent)) is not None:
            found.append(measurement)
    if not found:
        raise InputError(
            f"{folder}: there is no session with a completed single transfer; name a folder that msmf-traci testbed run has filled"
        )
    return found


def chosen(measurements: Sequence[Measurement], corners: Mapping[str, Sequence[float]]) -> list[bool]:
    """Which measurements are fitted on: those whose keys all have one of the named values."""
    return [
        all(any(abs(float(each.keys[key]) - value) < 1e-9 for value in values) for key, values in corners.items()) for each in measurements
    ]


def fit_to(measurements: Sequence[Measurement]) -> Costs:
    """Fit the model to some measurements."""
    parts = [equations(each.migration, each.steps) for each in measurements]
    return fit(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))


def compare(measurements: Sequence[Measurement], is_fitted_on: Sequence[bool], fitted: Costs) -> pd.DataFrame:
    """One row a measurement: its keys, and total time and downtime as measured and as each model expects."""
    rows = []
    for each, is_one in zip(measurements, is_fitted_on, strict=True):
        row: dict[str, Any] = {**each.keys, "is_fitted_on": is_one, "total_s": each.total_s, "downtime_s": each.downtime_s}
        row["user_downtime_s"] = each.user_downtime_s
        for model, costs in zip(MODELS, (PAPER, fitted), strict=True):
            expected = expect(each.migration, costs)
            row[f"{model}_total_s"], row[f"{model}_downtime_s"] = expected.total_s, expected.downtime_s
        rows.append(row)
    table = pd.DataFrame(rows)
    for quantity in QUANTITIES:
        for model in MODELS:
            table[f"{model}_{quantity}_error"] = table[f"{model}_{quantity}_s"] / table[f"{quantity}_s"] - 1
    return table.sort_values([*KEYS], ignore_index=True)


def settings(table: pd.DataFrame) -> pd.DataFrame:
    """One row a setting: how many repetitions, their mean, least and greatest, and what the models expect."""
    grouped = table.groupby([*KEYS, *_MORE_KEYS, "is_fitted_on"], dropna=False)
    measured = {f"{quantity}_{what}_s": (f"{quantity}_s", what) for quantity in QUANTITIES for what in ("mean", "min", "max", "std")}
    expected = {name: (name, "first") for name in (f"{model}_{quantity}_s" for quantity in QUANTITIES for model in MODELS)}
    return grouped.agg(n=("total_s", "size"), **measured, user_downtime_s=("user_downtime_s", "mean"), **expected).reset_index()


def errors(table: pd.DataFrame, corners: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Median and 90th percentile of the absolute relative error of each model over groups of rows."""
    tested = table[~table["is_fitted_on"]]
    shares_none = tested
    for key, values in corners.items():
        shares_none = shares_none[~shares_none[key].isin(list(values))]
    groups = {"fitted on": table[table["is_fitted_on"]], "tested": tested, "tested, no value shared with the fit": shares_none}
    groups |= {f"tested, {key}={value:g}": tested[tested[key] == value] for key in corners for value in sorted(tested[key].unique())}
    rows = []
    for name, group in groups.items():
        row: dict[str, Any] = {"rows": name, "n": len(group)}
        for quantity in QUANTITIES:
            for model in MODELS:
                size = group[f"{model}_{quantity}_error"].abs()
                row[f"{model}_{quantity}_median"], row[f"{model}_{quantity}_p90"] = size.median(), size.quantile(0.9)
        rows.append(row)
    return pd.DataFrame(rows)


def read_measurement(folder: Path) -> Measurement | None:
    """A session's migration; None where it is a drive or did not complete.

    Raises
    ------
    InputError
        If the service lost its state, or snapshots held changed pages only.
    """
    facts = read_run(folder)
    if facts is None or not (folder / "transfers.csv").is_file() or "drive" not in facts.get("config", {}):
        return None
    config = facts["config"]
    if config["drive"]["run"] is not None:
        return None
    if facts.get("snapshots", "whole") != "whole":
        raise InputError(
            f"{folder}: its snapshots hold changed pages only, which the model does not describe; measure again with track_changes=false"
        )
    if not is_whole(facts["continuity"]):
        raise InputError(
            f"{folder}: the service lost its state in this session (see continuity in run.json); "
            "remove the folder and make the session again"
        )
    transfers = pd.read_csv(folder / "transfers.csv", **EXACT)
    if transfers["outcome"].tolist() != ["completed"]:
        return None
    (row,) = transfers.to_dict("records")
    # rounded, since it is a key: 0.1 + 0.2 is to be 0.3
    round_trip_ms = round(config["links"][f"{config['source']}_ms"] + config["links"][f"{config['target']}_ms"], 9)
    migration = Migration(
        image_bytes=config["image_mb"] * BYTES_PER_MB,
        memory_bytes=config["memory_mb"] * BYTES_PER_MB,
        dirty_share_per_s=config["dirty_percent_per_s"] / 100,
        threshold_bytes=config["dirty_threshold_mbit"] * BYTES_PER_MBIT,
        bandwidth_bytes_per_s=config["links"]["bandwidth_mbps"] * BYTES_PER_MBIT,
        round_trip_s=round_trip_ms * S_PER_MS,
        relay_unsynced=config["handoff"]["unsynced"] == "relay",
        after_s=config["handoff"]["after_s"],
        lead_s=config["handoff"]["lead_s"],
    )
    flat = {**config, **config["links"], **config["handoff"], "round_trip_ms": round_trip_ms}
    keys = {name: flat[name] for name in (*KEYS, *_MORE_KEYS)}
    user_s = row["user_downtime_s"]
    return Measurement(
        keys,
        migration,
        row["t_end_s"] - row["t_start_s"],
        row["downtime_s"],
        None if pd.isna(user_s) else user_s,
        pd.read_csv(folder / "steps.csv", **EXACT),
    )
