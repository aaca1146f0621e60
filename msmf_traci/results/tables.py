"""The tables of one run as data frames: one fact a row, one unit a column. Formats: docs/tables.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.migration.ledger import BYTE_KINDS, OUTCOME_NAMES, STAGE_NAMES, Ledger

MIGRATION_COLUMNS = (
    *(
        "strategy",
        "image_mb",
        "vehicle",
        "transfer",
        "tier",
        "source",
        "target",
        "t_start_s",
        "t_handoff_s",
        "t_stop_s",
        "t_end_s",
        "outcome",
    ),
    *BYTE_KINDS,
    *("rounds", "lead_s", "downtime_s", "x_m", "y_m"),
)
# the ledger's columns that are not numbers of type float
_LEDGER_INTEGERS = ("container", "source", "target", "transfer", "outcome", "rounds", "stage")
_TRANSFERS = (
    "container",
    "source",
    "transfer",
    "target",
    "t_start_s",
    "t_handoff_s",
    "t_stop_s",
    "t_end_s",
    *BYTE_KINDS,
    "rounds",
    "outcome",
    "x_m",
    "y_m",
)
_STAGES = ("container", "transfer", "stage", "t_begin_s", "t_end_s", "bytes")
STAGE_COLUMNS = ("strategy", "image_mb", "vehicle", "transfer", "stage", "t_begin_s", "t_end_s", "bytes")
BYTES_PER_REPORT = 200
_TEXT = ("strategy", "vehicle", "tier", "source", "target", "outcome", "stage")


@dataclass(frozen=True)
class Names:
    """Names of what is numbered inside the program.

    Attributes
    ----------
    strategies
        In the order of their numbers.
    vehicles
        Ids in the order of their numbers.
    servers, server_tiers
        Name and tier of each server.
    image_mb
        The fixed image size, None when sizes are drawn.
    """

    strategies: Sequence[str]
    vehicles: Sequence[str]
    servers: NDArray[np.object_]
    server_tiers: NDArray[np.object_]
    image_mb: float | None

    def container_keys(self, container: NDArray[np.int64]) -> dict[str, object]:
        """Key columns of containers (vehicle x strategy)."""
        strategies = np.array(self.strategies, dtype=object)
        return {
            "strategy": strategies[container % len(strategies)],
            "image_mb": np.full(len(container), np.nan if self.image_mb is None else self.image_mb),
            "vehicle": np.array(self.vehicles, dtype=object)[container // len(strategies)],
        }


def migrations_table(ledger: Ledger, names: Names) -> pd.DataFrame:
    """One row a transfer."""
    column = _columns(ledger.transfers, _TRANSFERS)
    target = column["target"].astype(np.int64)
    table = pd.DataFrame(
        {
            **names.container_keys(column["container"].astype(np.int64)),
            "tier": names.server_tiers[target],
            "source": names.servers[column["source"].astype(np.int64)],
            "target": names.servers[target],
            "outcome": np.array(OUTCOME_NAMES, dtype=object)[column["outcome"].astype(np.int64)],
            "lead_s": _float(column, "t_handoff_s") - _float(column, "t_start_s"),
            "downtime_s": np.nan_to_num(_float(column, "t_end_s") - _float(column, "t_stop_s")),
            **{name: values for name, values in column.items() if name not in ("container", "source", "target", "outcome")},
        }
    )
    return _sorted(table[list(MIGRATION_COLUMNS)], ["strategy", "vehicle", "transfer"])


def stages_table(ledger: Ledger, names: Names) -> pd.DataFrame:
    """One row a stage of a transfer."""
    column = _columns(ledger.stages, _STAGES)
    table = pd.DataFrame(
        {
            **names.container_keys(column["container"].astype(np.int64)),
            "transfer": column["transfer"],
            "stage": np.array(STAGE_NAMES, dtype=object)[column["stage"].astype(np.int64)],
            "t_begin_s": column["t_begin_s"],
            "t_end_s": column["t_end_s"],
            "bytes": column["bytes"],
        }
    )
    return _sorted(table[list(STAGE_COLUMNS)], ["strategy", "vehicle", "transfer"])


def vehicles_table(
    names: Names, migrations: pd.DataFrame, trips: Mapping[str, NDArray[np.generic]], containers: Mapping[str, NDArray[np.generic]]
) -> pd.DataFrame:
    """One row a vehicle and strategy.

    Parameters
    ----------
    names
        Names of vehicles and strategies.
    migrations
        The table of transfers.
    trips
        Columns by vehicle: commanded_kmh, road_s, distance_m, outside_s, unmatched_s, frames, image_bytes, memory_capacity_bytes,
        latency_level_ms.
    containers
        Columns by container (vehicle x strategy): tier, level_met, handoffs, outages, hits and the like.
    """
    n_strategies = len(names.strategies)
    keys = names.container_keys(np.arange(len(names.vehicles) * n_strategies))
    trip = {name: np.repeat(values, n_strategies) for name, values in trips.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        realised_kmh = np.where(trip["road_s"] > 0, trip["distance_m"] / trip["road_s"] * 3.6, np.nan)
    table = pd.DataFrame(keys)
    table["commanded_kmh"] = trip["commanded_kmh"]
    table["realised_kmh"] = realised_kmh
    for name in ("road_s", "distance_m", "image_bytes", "memory_capacity_bytes", "latency_level_ms"):
        table[name] = trip[name]
    for name in ("tier", "level_met"):
        table[name] = containers[name]
    table["deployment_bytes"] = trip["image_bytes"]
    table["handoffs"] = containers["handoffs"]
    booked = _transfers_by_container(migrations)
    table = table.merge(booked, how="left", left_on=["strategy", "vehicle"], right_index=True)
    table[list(booked.columns)] = table[list(booked.columns)].fillna(0)
    table = table.astype(dict.fromkeys(OUTCOME_NAMES, np.int64))
    for name in ("outages", "outage_s", "longest_outage_s", "censored", "relayed_s", "late_s", "satisfied_s"):
        table[name] = containers[name]
    for name in ("outside_s", "unmatched_s"):
        table[name] = trip[name]
    table["reports"] = trip["frames"]
    table["report_bytes"] = trip["frames"] * BYTES_PER_REPORT
    for name in ("entry_hits", "entry_misses", "handoff_hits", "handoff_misses"):
        table[name] = containers[name]
    return _sorted(table, ["strategy", "vehicle"])


def _transfers_by_container(migrations: pd.DataFrame) -> pd.DataFrame:
    """Transfers by outcome, bytes of all and of those that were in vain, by strategy and vehicle."""
    transfers = migrations[["strategy", "vehicle", "outcome"]].assign(traffic_bytes=migrations[list(BYTE_KINDS)].sum(axis=1))
    transfers["wasted_bytes"] = transfers["traffic_bytes"].where(transfers["outcome"] != "completed", 0.0)
    for outcome in OUTCOME_NAMES:
        transfers[outcome] = (transfers["outcome"] == outcome).astype(np.int64)
    return transfers.groupby(["strategy", "vehicle"])[[*OUTCOME_NAMES, "traffic_bytes", "wasted_bytes"]].sum()


def _columns(parts: Mapping[str, list[NDArray[np.generic]]], names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Whole columns of the ledger, of the same types where nothing was booked."""
    empty = {name: np.zeros(0, dtype=np.int64 if name in _LEDGER_INTEGERS else np.float64) for name in names}
    return {name: np.concatenate(parts[name]) if name in parts else empty[name] for name in names}


def _float(columns: Mapping[str, NDArray[np.generic]], name: str) -> NDArray[np.float64]:
    return np.asarray(columns[name], dtype=np.float64)


def _sorted(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """A table in the order of its keys, its text of one type whether there are rows or not."""
    table = table.astype({name: "string" for name in _TEXT if name in table.columns})
    return table.sort_values(keys, kind="stable").reset_index(drop=True)
