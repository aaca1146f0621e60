"""What trips cost, and how much of it no strategy can avoid. Model, section 14.

Costs are added to tables that a run has left, with whatever weights: none of them is a part of what is simulated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.config.fields import LARGEST
from msmf_traci.errors import InputError
from msmf_traci.results.keys import ALL, MODE
from msmf_traci.results.store import read_table
from msmf_traci.units import BYTES_PER_GB
from msmf_traci.weights import Weights

TRAFFIC_FACTORS = {"": 1.0, "_cheap_traffic": 1 / 5, "_dear_traffic": 5.0}
"""What traffic weighs beside its weight, by the end of a column's name."""

WEIGHTS = ("unsatisfied_per_s", "traffic_per_gb", "relayed_per_gb_hop")
BOUNDS = "bounds"
BOUND_COLUMNS = tuple(f"bound{end}_per_trip" for end in TRAFFIC_FACTORS)
COST_COLUMNS = tuple(f"{what}{end}_per_trip" for end in TRAFFIC_FACTORS for what in ("cost", "bound"))
_ROUNDING = 1e-9  # of a weight that was written to a file


def weights_of(facts: Mapping[str, Any]) -> Weights:
    """The weights of a run, by what its run.json says; the defaults where it is of a version that had none."""
    return Weights(**facts["config"].get("cost", {}))


def weights_from(words: Sequence[str], before: Weights) -> Weights:
    """Weights as words such as `cost.traffic_per_gb=50` set them; the others as before.

    Raises
    ------
    InputError
        If a word names no weight, or says no number from 0 on.
    """
    found = before
    for word in words:
        name, _, text = word.removeprefix("cost.").partition("=")
        if not word.startswith("cost.") or name not in WEIGHTS:
            raise InputError(f"{word}: there is no such weight; write cost.NAME=NUMBER with one of {', '.join(WEIGHTS)}")
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not 0 <= value <= LARGEST:
            raise InputError(f"{word}: a weight is a number from 0 to {LARGEST:g}; correct it")
        found = replace(found, **{name: value})
    return found


def revalued(summary: pd.DataFrame, bounds: pd.DataFrame | None, weights: Weights) -> pd.DataFrame:
    """A summary as a run has left it with costs at other weights, and with the bounds at these weights, as far as there are any."""
    found = valued(summary, weights)
    return found if bounds is None else with_bounds(found, bounds, weights)


def read_bounds(folder: Path) -> pd.DataFrame | None:
    """The bounds of a run; None where it has none."""
    return read_table(folder, BOUNDS) if any((folder / f"{BOUNDS}.{format}").is_file() for format in ("csv", "parquet")) else None


def valued(summary: pd.DataFrame, weights: Weights) -> pd.DataFrame:
    """A summary with the cost of a trip at some weights, and at a fifth and five times that of traffic."""
    found = summary.copy()
    for end, factor in TRAFFIC_FACTORS.items():
        found[f"cost{end}_per_trip"] = cost_of(
            summary["unsatisfied_per_trip_s"],
            summary["traffic_per_trip_bytes"],
            summary["relayed_byte_hops_per_trip"],
            weights.with_traffic(factor),
        )
        found[f"bound{end}_per_trip"] = np.nan
    return found


def cost_of(unsatisfied_s: Any, traffic_bytes: Any, byte_hops: Any, weights: Weights) -> Any:
    """Cost of unsatisfied seconds, traffic, and bytes relayed times hops, elementwise."""
    gb, gb_hops = traffic_bytes / BYTES_PER_GB, byte_hops / BYTES_PER_GB
    return weights.unsatisfied_per_s * unsatisfied_s + weights.traffic_per_gb * gb + weights.relayed_per_gb_hop * gb_hops


def with_bounds(summary: pd.DataFrame, bounds: pd.DataFrame, weights: Weights) -> pd.DataFrame:
    """A valued summary with the bounds at its weights, in the rows of all vehicles; empty at weights that the bounds lack.

    Parameters
    ----------
    summary
        As `valued` gives it.
    bounds
        The table: a row a vehicle, workload and weights.
    weights
        Those of the summary.
    """
    found = summary.copy()
    keys = bound_keys(list(bounds.columns))
    of_all = found[MODE].isna() | (found[MODE] == ALL) if MODE in found else pd.Series(True, index=found.index)
    for end, factor in TRAFFIC_FACTORS.items():
        own = bounds[has_weights(bounds, weights.with_traffic(factor))]
        mean = own.groupby(keys, dropna=False)["bound"].mean().rename("mean").reset_index() if keys else None
        if mean is None:
            values = np.full(len(found), own["bound"].mean() if len(own) else np.nan)
        else:
            values = found[keys].merge(mean, on=keys, how="left")["mean"].to_numpy()
        found[f"bound{end}_per_trip"] = np.where(of_all, values, np.nan)
    return found


def bound_keys(columns: Sequence[str]) -> list[str]:
    """Columns of the table of bounds that say which variants a row is of."""
    return list(columns[: columns.index("vehicle")])


def has_weights(bounds: pd.DataFrame, weights: Weights) -> pd.Series[bool]:
    """Which rows of bounds are at some weights."""
    is_so = pd.Series(True, index=bounds.index)
    for name in WEIGHTS:
        is_so &= np.isclose(bounds[name], getattr(weights, name), rtol=_ROUNDING, atol=0.0)
    return is_so
