"""Fits what a migration costs beside its bytes to measured steps, by non-negative least squares on relative errors."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from msmf_traci.arrays import FloatArray
from msmf_traci.errors import InputError
from msmf_traci.migration.policy import Processing
from msmf_traci.testbed.expectation import Costs, Migration
from msmf_traci.units import BYTES_PER_MB

# what is fitted, in the order of the columns of the equations
TERMS = (
    "bytes_over_bandwidth",
    "round_trips",
    "checkpoint_s",
    "checkpoint_s_per_byte",
    "comparison_s",
    "comparison_s_per_byte",
    "restore_s",
    "restore_s_per_byte",
)


def equations(migration: Migration, steps: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """What each completed step of a migration says about the terms.

    An image: its bytes and the round trips. A first snapshot: taking and sending it. A round, and what remains after the stop: the
    same and a comparison, with the bytes that turned out to differ. The restore.

    Parameters
    ----------
    migration
        As it was set up.
    steps
        `steps.csv` of its session.

    Returns
    -------
    Coefficients of TERMS, shape (steps, terms), and the seconds measured, shape (steps,).
    """
    rows: list[tuple[float, ...]] = []
    took_s: list[float] = []

    def add(seconds: float, sent: float | None, *, is_snapshot: bool, is_difference: bool, is_restore: bool = False) -> None:
        memory, transport = migration.memory_bytes, sent is not None
        rows.append(
            (
                (sent or 0.0) / migration.bandwidth_bytes_per_s,
                migration.round_trip_s * transport,
                float(is_snapshot),
                memory * is_snapshot,
                float(is_difference),
                memory * is_difference,
                float(is_restore),
                memory * is_restore,
            )
        )
        took_s.append(seconds)

    # an image that was on its way when the container was stopped has waited for the last snapshot
    stopped_s = steps.loc[steps["step"] == "s8", "t_begin_s"].min()
    has_waited = (steps["t_begin_s"] < stopped_s) & (steps["t_end_s"] > stopped_s)
    for step in steps[(steps["step"] == "s3") & steps["payload_bytes"].notna() & ~has_waited].to_dict("records"):
        add(step["t_end_s"] - step["t_begin_s"], step["payload_bytes"], is_snapshot=False, is_difference=False)
    has_snapshot = False
    for dump, send in _pairs(steps):
        add(send["t_end_s"] - dump["t_begin_s"], send["payload_bytes"], is_snapshot=True, is_difference=has_snapshot)
        has_snapshot = True
    for step in steps[steps["step"] == "s10"].to_dict("records"):
        add(step["t_end_s"] - step["t_begin_s"], None, is_snapshot=False, is_difference=False, is_restore=True)
    return np.array(rows).reshape(-1, len(TERMS)), np.array(took_s)


def fit(coefficients: FloatArray, took_s: FloatArray) -> Costs:
    """The terms that explain measured seconds best.

    Parameters
    ----------
    coefficients, took_s
        Of many migrations, from `equations`.

    Raises
    ------
    InputError
        If the measurements do not tell the terms apart.
    """
    weighted = coefficients / took_s[:, None]
    size = np.linalg.norm(weighted, axis=0)  # seconds per byte are tiny beside seconds
    weighted = weighted / np.where(size > 0, size, 1.0)
    if np.linalg.matrix_rank(weighted) < len(TERMS):
        raise InputError(
            "the migrations that --fit chooses are too alike: choose at least two sizes of memory and two round-trip times, "
            "and measure a third size or time to test the fit on"
        )
    value = dict(zip(TERMS, nnls(weighted, np.ones(len(took_s)))[0] / size, strict=True))
    processing = Processing(**{name: float(value[name]) for name in TERMS[2:]})
    return Costs(processing, float(value["round_trips"]), 1 / max(1.0, float(value["bytes_over_bandwidth"])), (0.0, 0.0))


def preset_of(costs: Costs) -> dict[str, Any]:
    """Costs as a preset, which sets options of several sections; a restore includes the start. What is neutral is left out."""
    memory_share = costs.sent_shares[1]
    bytes_per_mb = BYTES_PER_MB * memory_share
    values = {
        "prepare_s": costs.processing.prepare_s,
        "checkpoint_s": costs.processing.checkpoint_s,
        "checkpoint_s_per_mb": costs.processing.checkpoint_s_per_byte * bytes_per_mb,
        "later_s_per_changed_mb": costs.processing.later_s_per_changed_byte * bytes_per_mb,
        "final_s": costs.processing.final_s,
        "final_s_per_mb": costs.processing.final_s_per_byte * bytes_per_mb,
        "final_s_per_changed_mb": costs.processing.final_s_per_changed_byte * bytes_per_mb,
        "round_s": costs.processing.comparison_s,
        "round_s_per_mb": costs.processing.comparison_s_per_byte * bytes_per_mb,
        "restore_s": costs.processing.restore_s,
        "restore_s_per_mb": costs.processing.restore_s_per_byte * bytes_per_mb,
        "round_trips": costs.round_trips,
        "transport_efficiency": costs.efficiency,
        "memory_sent_percent": 100 * memory_share,
    }
    neutral = {"transport_efficiency": 1.0, "memory_sent_percent": 100.0}
    terms = {
        name: float(f"{value:.4g}")
        for name, value in values.items()
        if not math.isnan(value) and (value != neutral.get(name, 0.0) or name.startswith("final"))
    }
    preset: dict[str, Any] = {"migration": {"processing": terms}, "workload": {"start_ms": [0, 0]}}
    handoff: dict[str, Any] = {}
    if costs.postcopy.faults_per_byte > 0:
        handoff["postcopy"] = {"faults_per_mb": float(f"{costs.postcopy.faults_per_byte * bytes_per_mb:.4g}")}
    if costs.replay.served_per_s < math.inf:
        handoff["replay"] = {"served_per_s": float(f"{costs.replay.served_per_s:.4g}"), "limit_s": costs.replay.limit_s}
    return preset | ({"handoff": handoff} if handoff else {})


def _pairs(steps: pd.DataFrame) -> list[tuple[dict[Hashable, Any], dict[Hashable, Any]]]:
    """Each snapshot with the sending that followed it at once and was completed."""
    found = []
    dump = None
    for step in steps[steps["step"].isin(["s3", "s4", "s5", "s6", "s8", "s9"])].sort_values("t_end_s").to_dict("records"):
        if step["part"] == "dump":
            dump = step
        elif step["step"] == "s3":
            dump = None  # stopped while the image was on its way: the snapshot had to wait
        elif dump is not None:
            if not pd.isna(step["payload_bytes"]):
                found.append((dump, step))
            dump = None
    return found
