"""The summary of a run: the paper's figures, one row a variant and speed band, or mean of transport. Definitions: model, section 10.

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
from msmf_traci.results.keys import KEY_COLUMNS

PERCENTILES = (5, 50, 95)
ALL = "all"
MODE = "mode"
COMPLETED, REFUSED = OUTCOME_NAMES[Outcome.COMPLETED], OUTCOME_NAMES[Outcome.REFUSED]

# metric -> (column of vehicles.csv, denominator column or None for a mean over vehicles, factor)
_PER_VEHICLE: dict[str, tuple[str, str | None, float]] = {
    "traffic_per_trip_bytes": ("traffic_bytes", None, 1.0),
    "wasted_per_trip_bytes": ("wasted_bytes", None, 1.0),
    "traffic_per_km_bytes": ("traffic_bytes", "distance_m", 1000.0),
    "traffic_per_vehicle_hour_bytes": ("traffic_bytes", "road_s", 3600.0),
    "outage_per_trip_s": ("outage_s", None, 1.0),
    "unavailability": ("outage_s", "road_s", 1.0),
    "handoffs": ("handoffs", None, 1.0),
    **{outcome: (outcome, None, 1.0) for outcome in OUTCOME_NAMES},
    "relayed_share": ("relayed_s", "road_s", 1.0),
    "late_share": ("late_s", "road_s", 1.0),
    "satisfied_share": ("satisfied_s", "road_s", 1.0),
    "reports_per_vehicle_hour": ("reports", "road_s", 3600.0),
}


_OF_TRANSFERS = ("t_start_s", "t_end_s", "lead_s", "downtime_s")
SUMMARY_COLUMNS = frozenset(
    (
        *("band", MODE, "seed", "vehicles", "realised_kmh", "traffic_per_transfer_bytes", "migration_time_s", "downtime_per_handoff_s"),
        *("outage_s", "lead_s", "entry_hit_rate", "handoff_hit_rate"),
        *_PER_VEHICLE,
    )
)


def summary_table(
    vehicles: pd.DataFrame, migrations: pd.DataFrame, seed: int, band_edges_kmh: Sequence[float], keys: Sequence[str] = KEY_COLUMNS
) -> pd.DataFrame:
    """One row a variant for all vehicles (band `all`), and one for each band of realised speed that has vehicles.

    Where vehicles have modes, one more for each mode (band `all`), in the order of their names; an unknown mode has no row of its own.

    Parameters
    ----------
    vehicles, migrations
        The tables; rows of a variant together.
    seed
        The run's.
    band_edges_kmh
        Edges of the bands.
    keys
        The columns that say which variant a row is of.
    """
    groups = _groups(vehicles, migrations, band_edges_kmh)
    by_variant = vehicles.groupby(list(keys), sort=False, dropna=False).indices
    transfers_of = migrations.groupby(list(keys), sort=False, dropna=False).indices if len(migrations) else {}
    transfers_of = {_hashable(key): rows for key, rows in transfers_of.items()}
    columns = {str(name): vehicles[name].to_numpy() for name in vehicles.columns}
    transfer_columns = {name: migrations[name].to_numpy(dtype=np.float64) for name in _OF_TRANSFERS}
    transfer_columns["outcome"] = migrations["outcome"].to_numpy()
    none: IntArray = np.zeros(0, dtype=np.int64)
    rows = []
    for key, indices in by_variant.items():
        members: IntArray = np.asarray(indices)
        transfers = transfers_of.get(_hashable(key), none)
        for group in groups:
            some, moved = members[group.vehicles[members]], transfers[group.transfers[transfers]]
            if len(some):
                of = {name: values[some] for name, values in columns.items()}
                metrics = _metrics(of, {name: values[moved] for name, values in transfer_columns.items()})
                rows.append({**_keys(of, group, seed, keys), **metrics})
    return pd.DataFrame(rows).astype({name: "string" for name in keys if vehicles[name].dtype == "string"})


def of_all_vehicles(summary: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary that are about all vehicles of a variant: no band, no mode."""
    kept = summary["band"] == ALL
    return summary[kept & (summary[MODE] == ALL)] if MODE in summary else summary[kept]


Arrays = dict[str, NDArray[Any]]


def _hashable(key: Any) -> tuple[Any, ...]:
    """A group's key with NaN, which differs from itself, as None."""
    return tuple(None if value != value else value for value in (key if isinstance(key, tuple) else (key,)))


@dataclass(frozen=True)
class _Group:
    """Vehicles that a row is about, under every variant: which rows of the tables are theirs."""

    band: str
    mode: str
    vehicles: BoolArray
    transfers: BoolArray


def _groups(vehicles: pd.DataFrame, migrations: pd.DataFrame, band_edges_kmh: Sequence[float]) -> list[_Group]:
    """All vehicles, those of each band, those of each mode."""
    groups = [_Group(ALL, ALL, np.ones(len(vehicles), dtype=bool), np.ones(len(migrations), dtype=bool))]
    bands = _band_of(vehicles["realised_kmh"], band_edges_kmh)
    groupings = [(bands, [(band, ALL, band) for band in _band_names(band_edges_kmh)])]
    if MODE in vehicles:
        modes = vehicles[MODE].fillna("")
        groupings.append((modes, [(ALL, mode, mode) for mode in sorted(set(modes) - {""})]))
    for values, named in groupings:
        of_transfers = migrations["vehicle"].map(dict(zip(vehicles["vehicle"], values, strict=True)))
        groups += [_Group(band, mode, (values == name).to_numpy(bool), (of_transfers == name).to_numpy(bool)) for band, mode, name in named]
    return groups


def _keys(vehicles: Arrays, group: _Group, seed: int, keys: Sequence[str]) -> dict[str, Any]:
    return {
        **{name: vehicles[name][0] for name in keys},
        "commanded_kmh": vehicles["commanded_kmh"][0],
        "band": group.band,
        **({MODE: group.mode} if MODE in vehicles else {}),
        "seed": seed,
        "vehicles": len(vehicles["vehicle"]),
    }


def _metrics(vehicles: Arrays, transfers: Arrays) -> dict[str, float]:
    values: dict[str, float] = {}
    values["realised_kmh"] = _ratio(float(vehicles["distance_m"].sum()), float(vehicles["road_s"].sum())) * 3.6
    values |= _percentiles("realised_kmh", vehicles["realised_kmh"])
    for metric, (column, denominator, factor) in _PER_VEHICLE.items():
        values |= _with_percentiles(metric, vehicles, column, denominator, factor)
    traffic = float(vehicles["traffic_bytes"].sum())
    values["traffic_per_transfer_bytes"] = _ratio(traffic, int((transfers["outcome"] != REFUSED).sum()))
    completed = transfers["outcome"] == COMPLETED
    values["migration_time_s"] = _mean(transfers["t_end_s"][completed] - transfers["t_start_s"][completed])
    values["downtime_per_handoff_s"] = _ratio(float(transfers["downtime_s"].sum()), float(vehicles["handoffs"].sum()))
    values["outage_s"] = _ratio(float(vehicles["outage_s"].sum()), float(vehicles["outages"].sum()))
    values["lead_s"] = _mean(transfers["lead_s"][~np.isnan(transfers["lead_s"])])
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
