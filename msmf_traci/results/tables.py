"""The tables of one run as data frames: one fact a row, one unit a column. Formats: docs/tables.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.migration.ledger import (
    BYTE_KINDS,
    COPY_OUTCOME_NAMES,
    IMAGE_SOURCES,
    OUTCOME_NAMES,
    STAGE_NAMES,
    Columns,
    CopyOutcome,
    Outcome,
)
from msmf_traci.results.cost import COST_COLUMNS, WEIGHTS
from msmf_traci.results.keys import KEY_COLUMNS, MODE, Names
from msmf_traci.results.latencies import Latencies
from msmf_traci.results.summary import SUMMARY_COLUMNS
from msmf_traci.results.trace import DECISION_COLUMNS, FRAME_COLUMNS

_MIGRATIONS = (
    *("transfer", "tier", "source", "target", "t_start_s", "t_handoff_s", "t_stop_s", "t_run_s", "t_end_s", "outcome"),
    *BYTE_KINDS,
    *(*IMAGE_SOURCES, "rounds", "lead_s", "downtime_s", "x_m", "y_m"),
)
_COPIES = (
    *("copy", "tier", "server", "t_start_s", "t_complete_s", "t_end_s", "outcome", "image_bytes"),
    *IMAGE_SOURCES,
    *("missing_bytes", "x_m", "y_m"),
)
_STAGES = ("transfer", "stage", "t_begin_s", "t_end_s", "bytes")
_VEHICLES = (
    *("commanded_kmh", "realised_kmh", "road_s", "distance_m", "image", "image_bytes", "memory_capacity_bytes", "latency_level_ms"),
    *("tier", "level_met", "deployment_bytes", "handoffs", *OUTCOME_NAMES, "traffic_bytes", "wasted_bytes"),
    *(
        "outages",
        "outage_s",
        "longest_outage_s",
        "censored",
        "relayed_s",
        "late_s",
        "degraded_s",
        "satisfied_s",
        "unsatisfied_s",
        "outside_s",
        "unmatched_s",
    ),
    *("reports", "report_bytes", "entry_hits", "entry_misses", "handoff_hits", "handoff_misses"),
    *("copies", *(f"copies_{name}" for name in COPY_OUTCOME_NAMES), "copy_bytes", "copy_wasted_bytes"),
    *("cloud_bytes", "other_bytes"),
    *("image_needed_bytes", "image_found_bytes", "relayed_byte_hops"),
    *("request_latency_ms", "request_latency_95th_ms", "ping_pongs"),
)
PING_PONG_S = 60.0  # a container that is back on a server so soon after it left it has gone there and back
_BOUNDS = (*WEIGHTS, "bound", "moves")
# no varied option's column may be called like one of these
TABLE_COLUMNS = frozenset(
    (
        *(*KEY_COLUMNS, "vehicle", *_MIGRATIONS, *_COPIES, *_STAGES, *_VEHICLES, *_BOUNDS),
        *(*SUMMARY_COLUMNS, *COST_COLUMNS, *FRAME_COLUMNS, *DECISION_COLUMNS),
    )
)


def migrations_table(transfers: Columns, names: Names) -> pd.DataFrame:
    """One row a transfer, from the ledger's columns."""
    order = names.order(transfers["variant"], transfers["vehicle"], transfers["transfer"])
    of = {name: values[order] for name, values in transfers.items()}
    columns = {
        **of,
        "tier": names.tiers(of["variant"], of["target"]),
        "source": names.servers(of["variant"], of["source"]),
        "target": names.servers(of["variant"], of["target"]),
        "outcome": np.array(OUTCOME_NAMES, dtype=object)[of["outcome"]],
        "lead_s": of["t_handoff_s"] - of["t_start_s"],
        "downtime_s": np.nan_to_num(np.fmin(of["t_run_s"], of["t_end_s"]) - of["t_stop_s"]),
    }
    return _table(names, of["variant"], of["vehicle"], {name: columns[name] for name in _MIGRATIONS})


def copies_table(copies: Columns, names: Names) -> pd.DataFrame:
    """One row a copy of an image, from the ledger's columns."""
    order = names.order(copies["variant"], copies["vehicle"], copies["copy"])
    of = {name: values[order] for name, values in copies.items()}
    columns = {
        **of,
        "tier": names.tiers(of["variant"], of["server"]),
        "server": names.servers(of["variant"], of["server"]),
        "outcome": np.array(COPY_OUTCOME_NAMES, dtype=object)[of["outcome"]],
        "image_bytes": _image_bytes(of),
    }
    return _table(names, of["variant"], of["vehicle"], {name: columns[name] for name in _COPIES})


def _image_bytes(of: Columns) -> FloatArray:
    """Bytes of images, whatever their source."""
    return np.asarray(of["host_bytes"] + of["cloud_bytes"] + of["other_bytes"], dtype=np.float64)


def stages_table(stages: Columns, names: Names) -> pd.DataFrame:
    """One row a stage of a transfer, from the ledger's columns."""
    order = names.order(stages["variant"], stages["vehicle"], stages["transfer"])
    of = {name: values[order] for name, values in stages.items()}
    columns = {**of, "stage": np.array(STAGE_NAMES, dtype=object)[of["stage"]]}
    return _table(names, of["variant"], of["vehicle"], {name: columns[name] for name in _STAGES})


def vehicles_table(
    names: Names,
    transfers: Columns,
    copies: Columns,
    latencies: Latencies,
    trips: Mapping[str, NDArray[Any]],
    containers: Mapping[str, NDArray[Any]],
) -> pd.DataFrame:
    """One row a vehicle and variant, with its means of transport where the source tells them.

    Parameters
    ----------
    names
        Names of vehicles and variants.
    transfers, copies
        The ledger's columns.
    latencies
        How long containers ran with each latency, by row.
    trips
        Columns of shape (vehicles,): commanded_kmh, road_s, distance_m, outside_s, unmatched_s.
    containers
        Columns of shape (vehicles, variants): image, image_bytes, deployment_bytes, memory_capacity_bytes, latency_level_ms, tier,
        level_met, handoffs, outages, reports, report_bytes, relayed_byte_hops, hits and the like.
    """
    n_vehicles, n_variants = len(names.vehicles), len(names.variants)
    variant, vehicle = (grid.ravel() for grid in np.meshgrid(np.arange(n_variants), np.arange(n_vehicles), indexing="ij"))
    order = names.order(variant, vehicle, np.zeros(len(variant), dtype=np.int64))
    variant, vehicle = variant[order], vehicle[order]
    with np.errstate(divide="ignore", invalid="ignore"):
        realised_kmh = np.where(trips["road_s"] > 0, trips["distance_m"] / trips["road_s"] * 3.6, np.nan)
    by_trip = {**trips, "realised_kmh": realised_kmh}
    by_container = {
        **containers,
        **_booked(transfers, copies, n_vehicles, n_variants),
    }
    columns: dict[str, NDArray[Any]] = {MODE: np.array(names.modes, dtype=object)[vehicle]} if names.modes else {}
    satisfied_s = containers["satisfied_s"][vehicle, variant]
    by_row = {"unsatisfied_s": trips["road_s"][vehicle] - satisfied_s}
    by_row["request_latency_ms"], by_row["request_latency_95th_ms"] = latencies.by_row()
    for name in _VEHICLES:
        if name in by_row:
            columns[name] = by_row[name]
            continue
        columns[name] = by_trip[name][vehicle] if name in by_trip else by_container[name][vehicle, variant]
    return _table(names, variant, vehicle, columns)


def _booked(transfers: Columns, copies: Columns, n_vehicles: int, n_variants: int) -> dict[str, NDArray[Any]]:
    """Transfers and copies by outcome, bytes of all and of those that were in vain, shape (vehicles, variants)."""
    n, shape = n_vehicles * n_variants, (n_vehicles, n_variants)
    container, of_copy = (each["vehicle"] * n_variants + each["variant"] for each in (transfers, copies))
    traffic = np.zeros(len(container))
    for kind in BYTE_KINDS:
        traffic = traffic + transfers[kind]
    in_vain, in_vain_copy = transfers["outcome"] != Outcome.COMPLETED, copies["outcome"] != CopyOutcome.USED
    copied = _totals(of_copy, _image_bytes(copies), n)
    copied_in_vain = _totals(of_copy[in_vain_copy], _image_bytes(copies)[in_vain_copy], n)
    booked: dict[str, NDArray[Any]] = {
        "traffic_bytes": (_totals(container, traffic, n) + copied).reshape(shape),
        "wasted_bytes": (_totals(container[in_vain], traffic[in_vain], n) + copied_in_vain).reshape(shape),
        "copy_bytes": copied.reshape(shape),
        "copy_wasted_bytes": copied_in_vain.reshape(shape),
        "ping_pongs": np.bincount(_returning(container, transfers), minlength=n).reshape(shape),
        "copies": np.bincount(of_copy[copies["outcome"] != CopyOutcome.REFUSED], minlength=n).reshape(shape),
    }
    for source in ("cloud_bytes", "other_bytes"):
        booked[source] = (_totals(container, transfers[source], n) + _totals(of_copy, copies[source], n)).reshape(shape)
    for outcome, name in enumerate(OUTCOME_NAMES):
        booked[name] = np.bincount(container[transfers["outcome"] == outcome], minlength=n).reshape(shape)
    for outcome, name in enumerate(COPY_OUTCOME_NAMES):
        booked[f"copies_{name}"] = np.bincount(of_copy[copies["outcome"] == outcome], minlength=n).reshape(shape)
    return booked


def _returning(container: IntArray, transfers: Columns) -> IntArray:
    """Container of each completed transfer that leads back to a server which the container has left no longer than `PING_PONG_S` before."""
    completed = transfers["outcome"] == Outcome.COMPLETED
    moves = pd.DataFrame({"container": container, **{name: transfers[name] for name in ("source", "target", "t_run_s")}})[completed]
    moves = moves.sort_values("t_run_s", kind="stable")
    left = moves.rename(columns={"t_run_s": "left_s"})[["container", "source", "left_s"]]
    found = pd.merge_asof(
        moves[["container", "target", "t_run_s"]],
        left,
        left_on="t_run_s",
        right_on="left_s",
        left_by=["container", "target"],
        right_by=["container", "source"],
        allow_exact_matches=False,
    )
    is_soon = (found["t_run_s"] - found["left_s"] <= PING_PONG_S).to_numpy(bool)
    return found["container"].to_numpy(np.int64)[is_soon]


def _totals(container: IntArray, values: FloatArray, n: int) -> FloatArray:
    return np.asarray(np.bincount(container, weights=values, minlength=n), dtype=np.float64)


def _table(names: Names, variant: IntArray, vehicle: IntArray, columns: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Rows with their key columns before them; text is of one type, whether there are rows or not."""
    table = pd.DataFrame({**names.keys(variant, vehicle), **columns})
    return table.astype({name: "string" for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])})
