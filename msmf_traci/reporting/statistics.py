"""Intervals over replicates.

The seed is the replicate where SUMO drives: vehicles of one run share roads and junctions and are not independent. Trajectories that people
have recorded are replicates themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.reporting.measures import REPLICATE
from msmf_traci.results.intervals import LEVEL, quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """What the replicates are.

    Attributes
    ----------
    name
        In the plural.
    more
        How to get more of them.
    alone
        Why one does not do.
    have_ratios
        Whether each is large enough to have ratios of its own, which are averaged; else a ratio is one of means.
    """

    name: str
    more: str
    alone: str
    have_ratios: bool

    def ratios(self, part: Floats, of: Floats) -> Floats:
        """Values of a ratio, one a replicate, whose mean and interval are those of the ratio.

        A ratio of means has the linearised values R + (part - R of) / mean(of) (Cochran, Sampling Techniques, 6.3).

        Parameters
        ----------
        part, of
            Shape (..., replicates); NaN where a replicate has none.
        """
        if self.have_ratios:
            return np.asarray(part / of, dtype=np.float64)
        known = np.isfinite(part) & np.isfinite(of)
        many = np.maximum(known.sum(axis=-1, keepdims=True), 1)
        part_mean, of_mean = (np.where(known, each, 0.0).sum(axis=-1, keepdims=True) / many for each in (part, of))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = part_mean / of_mean
            return np.asarray(np.where(known, ratio + (part - ratio * of) / of_mean, np.nan), dtype=np.float64)

    def can_divide_by(self, of: Floats) -> bool:
        """Whether ratios to these values exist, shape (..., replicates)."""
        known = np.isfinite(of)
        if self.have_ratios:
            return bool((of[known] > 0).all())
        return bool((np.where(known, of, 0.0).sum(axis=-1) > 0).all())


SEEDS = Units("seeds", "sweep over seed", "one seed alone does not tell how much seeds differ", have_ratios=True)
TRAJECTORIES = Units(
    "trajectories",
    "raise mobility.gps.per_mode, or sweep over seed",
    "one trajectory alone does not tell how much trajectories differ",
    have_ratios=False,
)


def intervals(table: pd.DataFrame, by: Sequence[str], columns: Sequence[str], level: float = LEVEL) -> pd.DataFrame:
    """Means over replicates of several columns, with their intervals, for every group.

    Parameters
    ----------
    table
        One row a replicate within a group.
    by
        Columns that make groups.
    columns
        What to average.

    Returns
    -------
    Tidy: the group's columns, `measure`, `mean`, `low`, `high` (NaN where there is no interval), `replicates`.
    """
    rows = table.melt([*by, REPLICATE], columns, "measure", "each").dropna(subset="each")
    grouped = rows.groupby([*by, "measure"], sort=False, dropna=False)["each"].agg(["mean", "std", "count"]).reset_index()
    n = grouped["count"].to_numpy()
    half = np.array([quantile(each, level) for each in n]) * grouped["std"].to_numpy(dtype=np.float64) / np.sqrt(n)
    grouped["low"], grouped["high"] = grouped["mean"] - half, grouped["mean"] + half
    return grouped.rename(columns={"count": "replicates"})[[*by, "measure", "mean", "low", "high", "replicates"]]


def differences(table: pd.DataFrame, by: Sequence[str], columns: Sequence[str], baseline: str, level: float = LEVEL) -> pd.DataFrame:
    """Each strategy less a baseline, of the same replicate and options: vehicles and draws are the same, so differences are paired.

    Parameters
    ----------
    table, by, columns
        As in :func:`intervals`; `by` has `strategy`.
    baseline
        The strategy that is subtracted.

    Returns
    -------
    As :func:`intervals`; no rows of the baseline.
    """
    keys = [name for name in by if name != "strategy"] + [REPLICATE]
    own = table[["strategy", *keys, *columns]]
    base = own[own["strategy"] == baseline].drop(columns="strategy")
    both = own[own["strategy"] != baseline].merge(base, on=keys, suffixes=("", "_baseline"))
    for name in columns:
        both[name] -= both[f"{name}_baseline"]
    return intervals(both, by, columns, level)
