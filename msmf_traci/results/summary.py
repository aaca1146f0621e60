"""The summaries of a run: the paper's figures, of all vehicles and of each band of speed. Definitions: model, section 10.

A mean is that of the definition: totals over totals for rates (bytes per km, share of time), the mean over vehicles for counts.
Percentiles are over vehicles.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, IntArray
from msmf_traci.migration.ledger import OUTCOME_NAMES, Outcome
from msmf_traci.results.keys import ALL, BAND, KEY_COLUMNS, MODE
from msmf_traci.results.latencies import Latencies

PERCENTILES = (5, 50, 95)
COMPLETED, REFUSED = OUTCOME_NAMES[Outcome.COMPLETED], OUTCOME_NAMES[Outcome.REFUSED]

# metric -> (column of vehicles.csv, denominator column or None for a mean over vehicles, factor)
_PER_VEHICLE: dict[str, tuple[str, str | None, float]] = {
    "traffic_per_trip_bytes": ("traffic_bytes", None, 1.0),
    "wasted_per_trip_bytes": ("wasted_bytes", None, 1.0),
    "traffic_per_km_bytes": ("traffic_bytes", "distance_m", 1000.0),
    "traffic_per_vehicle_hour_bytes": ("traffic_bytes", "road_s", 3600.0),
    "outage_per_trip_s": ("outage_s", None, 1.0),
    "unavailability": ("outage_s", "road_s", 1.0),
    **{f"{count}_per_trip": (count, None, 1.0) for count in ("handoffs", *OUTCOME_NAMES)},
    "copy_traffic_per_trip_bytes": ("copy_bytes", None, 1.0),
    "copy_wasted_per_trip_bytes": ("copy_wasted_bytes", None, 1.0),
    "cloud_traffic_per_trip_bytes": ("cloud_bytes", None, 1.0),
    "other_traffic_per_trip_bytes": ("other_bytes", None, 1.0),
    "copies_per_trip": ("copies", None, 1.0),
    "image_found_share": ("image_found_bytes", "image_needed_bytes", 1.0),
    "relayed_byte_hops_per_trip": ("relayed_byte_hops", None, 1.0),
    "relayed_share": ("relayed_s", "road_s", 1.0),
    "late_share": ("late_s", "road_s", 1.0),
    "degraded_share": ("degraded_s", "road_s", 1.0),
    "satisfied_share": ("satisfied_s", "road_s", 1.0),
    "unsatisfied_per_trip_s": ("unsatisfied_s", None, 1.0),
    "ping_pongs_per_trip": ("ping_pongs", None, 1.0),
    "reports_per_vehicle_hour": ("reports", "road_s", 3600.0),
}


STORES = ("store_mean_bytes", "store_peak_bytes", "evictions")
_OF_TRANSFERS = ("t_start_s", "t_end_s", "lead_s", "downtime_s")
SUMMARY_COLUMNS = frozenset(
    (
        *(BAND, MODE, "seed", "vehicles", "realised_kmh", "traffic_per_transfer_bytes", "mean_migration_time_s", "downtime_per_handoff_s"),
        *("mean_outage_s", "mean_lead_s", "entry_hit_rate", "handoff_hit_rate", "request_latency_ms", "request_latency_95th_ms"),
        *_PER_VEHICLE,
        *STORES,
    )
)


def summary_table(
    vehicles: pd.DataFrame, migrations: pd.DataFrame, latencies: Latencies, seed: int, keys: Sequence[str] = KEY_COLUMNS
) -> pd.DataFrame:
    """One row a variant, of all vehicles.

    Where vehicles have modes, one more for each mode, in the order of their names; an unknown mode has no row of its own.

    Parameters
    ----------
    vehicles, migrations
        The tables; rows of a variant together.
    latencies
        How long containers ran with each latency, by row of the table of vehicles.
    seed
        The run's.
    keys
        The columns that say which variant a row is of.
    """
    groups = [_Group(ALL, np.ones(len(vehicles), dtype=bool), np.ones(len(migrations), dtype=bool))]
    if MODE not in vehicles:
        return _table(vehicles, migrations, latencies, groups, None, seed, keys)
    modes = vehicles[MODE].fillna("")
    groups += _groups(vehicles, migrations, modes, sorted(set(modes) - {""}))
    return _table(vehicles, migrations, latencies, groups, MODE, seed, keys)


def with_stores(summary: pd.DataFrame, stores: pd.DataFrame) -> pd.DataFrame:
    """A summary with what servers held, in the rows of all vehicles; the stores have a row a variant, its keys before `STORES`."""
    keys = [name for name in stores.columns if name not in STORES]
    joined = summary.merge(stores, on=keys, how="left")
    if MODE in joined:
        joined.loc[joined[MODE] != ALL, list(STORES)] = np.nan
    return joined


def band_table(
    vehicles: pd.DataFrame,
    migrations: pd.DataFrame,
    latencies: Latencies,
    seed: int,
    band_edges_kmh: Sequence[float],
    keys: Sequence[str] = KEY_COLUMNS,
) -> pd.DataFrame:
    """One row a variant and band of realised speed that has vehicles, from the slowest band to the fastest.

    Parameters
    ----------
    vehicles, migrations, latencies, seed, keys
        As of `summary_table`.
    band_edges_kmh
        Edges of the bands.
    """
    groups = _groups(vehicles, migrations, _band_of(vehicles["realised_kmh"], band_edges_kmh), _band_names(band_edges_kmh))
    return _table(vehicles, migrations, latencies, groups, BAND, seed, keys)


def of_all_vehicles(summary: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary that are about all vehicles of a variant, whatever their mode."""
    # where runs with modes and runs without are stacked, these have none
    return summary[summary[MODE].isna() | (summary[MODE] == ALL)] if MODE in summary else summary


Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Group:
    """Vehicles that a row is about, under every variant: which rows of the tables are theirs."""

    name: str
    vehicles: BoolArray
    transfers: BoolArray


def _groups(vehicles: pd.DataFrame, migrations: pd.DataFrame, values: pd.Series[str], names: Sequence[str]) -> list[_Group]:
    """A group of vehicles for each name, by a value that each row of the table of vehicles has."""
    of_transfers = migrations["vehicle"].map(dict(zip(vehicles["vehicle"], values, strict=True)))
    return [_Group(name, (values == name).to_numpy(bool), (of_transfers == name).to_numpy(bool)) for name in names]


def _table(
    vehicles: pd.DataFrame,
    migrations: pd.DataFrame,
    latencies: Latencies,
    groups: Sequence[_Group],
    label: str | None,
    seed: int,
    keys: Sequence[str],
) -> pd.DataFrame:
    """One row a variant and group that has vehicles of it; `label` is the column with the group's name."""
    by_variant = vehicles.groupby(list(keys), sort=False, dropna=False).indices
    transfers_of = migrations.groupby(list(keys), sort=False, dropna=False).indices if len(migrations) else {}
    transfers_of = {_hashable(key): rows for key, rows in transfers_of.items()}
    columns = {str(name): vehicles[name].to_numpy() for name in vehicles.columns}
    transfer_columns = {name: migrations[name].to_numpy(dtype=np.float64) for name in _OF_TRANSFERS}
    transfer_columns["outcome"] = migrations["outcome"].to_numpy()
    none: IntArray = np.zeros(0, dtype=np.int64)

    def row(members: IntArray, transfers: IntArray, name: str) -> dict[str, Any]:
        of = {name: values[members] for name, values in columns.items()}
        return {
            **{key: of[key][0] for key in keys},
            "commanded_kmh": of["commanded_kmh"][0],
            **({} if label is None else {label: name}),
            "seed": seed,
            "vehicles": len(members),
            **_metrics(of, {name: values[transfers] for name, values in transfer_columns.items()}),
            **dict(zip(("request_latency_ms", "request_latency_95th_ms"), latencies.together(members), strict=True)),
        }

    rows = []
    for key, indices in by_variant.items():
        members: IntArray = np.asarray(indices)
        transfers: IntArray = np.asarray(transfers_of.get(_hashable(key), none))
        for group in groups:
            some: IntArray = members[group.vehicles[members]]
            if len(some):
                rows.append(row(some, transfers[group.transfers[transfers]], group.name))
    # a table without rows has its columns all the same
    table = pd.DataFrame(rows or [row(np.arange(len(vehicles)), none, "")]).iloc[: len(rows)]
    return table.astype({name: "string" for name in keys if vehicles[name].dtype == "string"}).copy()  # one block a type again


def _hashable(key: Any) -> tuple[Any, ...]:
    """A group's key with NaN, which differs from itself, as None."""
    return tuple(None if value != value else value for value in (key if isinstance(key, tuple) else (key,)))


def _metrics(vehicles: Arrays, transfers: Arrays) -> dict[str, float]:
    values: dict[str, float] = {}
    values["realised_kmh"] = _ratio(float(vehicles["distance_m"].sum()), float(vehicles["road_s"].sum())) * 3.6
    values |= _percentiles("realised_kmh", vehicles["realised_kmh"])
    for metric, (column, denominator, factor) in _PER_VEHICLE.items():
        values |= _with_percentiles(metric, vehicles, column, denominator, factor)
    traffic = float(vehicles["traffic_bytes"].sum()) - float(vehicles["copy_bytes"].sum())
    values["traffic_per_transfer_bytes"] = _ratio(traffic, int((transfers["outcome"] != REFUSED).sum()))
    completed = transfers["outcome"] == COMPLETED
    values["mean_migration_time_s"] = _mean(transfers["t_end_s"][completed] - transfers["t_start_s"][completed])
    values["downtime_per_handoff_s"] = _ratio(float(transfers["downtime_s"].sum()), float(vehicles["handoffs"].sum()))
    values["mean_outage_s"] = _ratio(float(vehicles["outage_s"].sum()), float(vehicles["outages"].sum()))
    values["mean_lead_s"] = _mean(transfers["lead_s"][~np.isnan(transfers["lead_s"])])
    for kind in ("entry", "handoff"):
        hits, misses = float(vehicles[f"{kind}_hits"].sum()), float(vehicles[f"{kind}_misses"].sum())
        values[f"{kind}_hit_rate"] = _ratio(hits, hits + misses)
    return values


def _with_percentiles(metric: str, vehicles: Arrays, column: str, denominator: str | None, factor: float) -> dict[str, float]:
    each = vehicles[column].astype(np.float64)
    if denominator is None:
        return {metric: _mean(each * factor), **_percentiles(metric, each * factor)}
    below = vehicles[denominator]
    mean = _ratio(float(each.sum()), float(below.sum())) * factor
    return {metric: mean, **_percentiles(metric, each[below > 0] / below[below > 0] * factor)}


def _percentiles(metric: str, each: NDArray[Any]) -> dict[str, float]:
    known = each[~np.isnan(each)]
    cuts = np.percentile(known, PERCENTILES) if len(known) else np.full(len(PERCENTILES), np.nan)
    return {f"{metric}_p{q:02d}": float(cut) for q, cut in zip(PERCENTILES, cuts, strict=True)}


def _band_names(edges_kmh: Sequence[float]) -> list[str]:
    if not edges_kmh:
        return []
    inner = [f"{low:g}-{high:g}" for low, high in itertools.pairwise(edges_kmh)]
    return [f"<{edges_kmh[0]:g}", *inner, f">={edges_kmh[-1]:g}"]


def _band_of(realised_kmh: pd.Series[float], edges_kmh: Sequence[float]) -> pd.Series[str]:
    """Band of each vehicle: `<10`, `10-20` (10 included, 20 not), `>=100`; none where the speed is unknown."""
    names = np.array([*_band_names(edges_kmh), ""], dtype=object)
    if not edges_kmh:
        return pd.Series("", index=realised_kmh.index, dtype=object)
    which = np.searchsorted(np.asarray(edges_kmh), realised_kmh.fillna(0).to_numpy(), side="right")
    return pd.Series(np.where(realised_kmh.isna(), "", names[which]), index=realised_kmh.index, dtype=object)


def _ratio(total: float, of: float) -> float:
    return total / of if of > 0 else np.nan


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else np.nan
