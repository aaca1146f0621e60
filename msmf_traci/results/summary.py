"""The summary of a run: the paper's figures, one row a strategy and speed band. Definitions: model, section 10.

A mean is that of the definition: totals over totals for rates (bytes per km, share of time), the mean over vehicles for counts.
Percentiles are over vehicles.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from msmf_traci.migration.ledger import OUTCOME_NAMES

PERCENTILES = (5, 50, 95)
ALL_BANDS = "all"

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


def summary_table(vehicles: pd.DataFrame, migrations: pd.DataFrame, seed: int, band_edges_kmh: Sequence[float]) -> pd.DataFrame:
    """One row a strategy for all vehicles (band `all`), and one for each band of realised speed that has vehicles."""
    bands = _band_of(vehicles["realised_kmh"], band_edges_kmh)
    band_of_vehicle = dict(zip(vehicles["vehicle"], bands, strict=True))
    transfer_bands = migrations["vehicle"].map(band_of_vehicle)
    rows = []
    for strategy, of_strategy in vehicles.groupby("strategy", sort=True):
        transfers = migrations[migrations["strategy"] == strategy]
        rows.append({**_keys(of_strategy, ALL_BANDS, seed), **_metrics(of_strategy, transfers)})
        for band in _band_names(band_edges_kmh):
            members = of_strategy[bands[of_strategy.index] == band]
            if len(members):
                rows.append({**_keys(members, band, seed), **_metrics(members, transfers[transfer_bands[transfers.index] == band])})
    return pd.DataFrame(rows)


def _keys(vehicles: pd.DataFrame, band: str, seed: int) -> dict[str, object]:
    first = vehicles.iloc[0]
    return {
        "strategy": first["strategy"],
        "image_mb": first["image_mb"],
        "commanded_kmh": first["commanded_kmh"],
        "band": band,
        "seed": seed,
        "vehicles": len(vehicles),
    }


def _metrics(vehicles: pd.DataFrame, transfers: pd.DataFrame) -> dict[str, float]:
    values: dict[str, float] = {}
    values["realised_kmh"] = _ratio(float(vehicles["distance_m"].sum()), float(vehicles["road_s"].sum())) * 3.6
    values |= _percentiles("realised_kmh", vehicles["realised_kmh"])
    for metric, (column, denominator, factor) in _PER_VEHICLE.items():
        values |= _with_percentiles(metric, vehicles, column, denominator, factor)
    traffic = float(vehicles["traffic_bytes"].sum())
    values["traffic_per_transfer_bytes"] = _ratio(traffic, len(transfers))
    completed = transfers[transfers["outcome"] == "completed"]
    values["migration_time_s"] = _mean(completed["t_end_s"] - completed["t_start_s"])
    values["downtime_per_handoff_s"] = _ratio(float(transfers["downtime_s"].sum()), float(vehicles["handoffs"].sum()))
    values["outage_s"] = _ratio(float(vehicles["outage_s"].sum()), float(vehicles["outages"].sum()))
    values["lead_s"] = _mean(transfers["lead_s"].dropna())
    for kind in ("entry", "handoff"):
        hits, misses = float(vehicles[f"{kind}_hits"].sum()), float(vehicles[f"{kind}_misses"].sum())
        values[f"{kind}_hit_rate"] = _ratio(hits, hits + misses)
    return values


def _with_percentiles(metric: str, vehicles: pd.DataFrame, column: str, denominator: str | None, factor: float) -> dict[str, float]:
    if denominator is None:
        each = vehicles[column].astype(float) * factor
        mean = _mean(each)
    else:
        total = float(vehicles[denominator].sum())
        mean = _ratio(float(vehicles[column].sum()), total) * factor
        each = vehicles[column] / vehicles[denominator].where(vehicles[denominator] > 0) * factor
    return {metric: mean, **_percentiles(metric, each)}


def _percentiles(metric: str, each: pd.Series[float]) -> dict[str, float]:
    known = each.dropna().to_numpy(dtype=np.float64)
    return {f"{metric}_p{q:02d}": float(np.percentile(known, q)) if len(known) else np.nan for q in PERCENTILES}


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


def _mean(values: pd.Series[float]) -> float:
    return float(values.mean()) if len(values) else np.nan
