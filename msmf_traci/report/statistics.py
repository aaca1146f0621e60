"""Intervals over seeds. The seed is the replicate: vehicles of one run share roads and junctions and are not independent."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from msmf_traci.report.measures import REPLICATE

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and its interval; the bounds are NaN where fewer than two seeds leave no interval.

    Attributes
    ----------
    mean, low, high
        In the unit of the values.
    n
        Seeds.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


def mean_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Mean of one value a seed, with Student's interval.

    Parameters
    ----------
    values
        Shape (seeds,); NaN where a seed has none.
    level
        Nominal coverage.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(known.mean())
    half = _quantile(len(known), level) * float(known.std(ddof=1)) / math.sqrt(len(known)) if len(known) > 1 else np.nan
    return Interval(mean, mean - half, mean + half, len(known))


def intervals(cells: pd.DataFrame, by: Sequence[str], columns: Sequence[str], level: float = LEVEL) -> pd.DataFrame:
    """Means over seeds of several columns, with their intervals, for every group.

    Parameters
    ----------
    cells
        One row a seed within a group.
    by
        Columns that make groups.
    columns
        What to average.

    Returns
    -------
    Tidy: the group's columns, `measure`, `mean`, `low`, `high` (NaN where there is no interval), `seeds`.
    """
    rows = cells.melt([*by, REPLICATE], columns, "measure", "each").dropna(subset="each")
    grouped = rows.groupby([*by, "measure"], sort=False, dropna=False)["each"].agg(["mean", "std", "count"]).reset_index()
    n = grouped["count"].to_numpy()
    half = np.array([_quantile(each, level) for each in n]) * grouped["std"].to_numpy(dtype=np.float64) / np.sqrt(n)
    grouped["low"], grouped["high"] = grouped["mean"] - half, grouped["mean"] + half
    return grouped.rename(columns={"count": "seeds"})[[*by, "measure", "mean", "low", "high", "seeds"]]


def differences(cells: pd.DataFrame, by: Sequence[str], columns: Sequence[str], baseline: str, level: float = LEVEL) -> pd.DataFrame:
    """Each strategy less a baseline, of the same seed and options: vehicles and draws are the same, so differences are paired.

    Parameters
    ----------
    cells, by, columns
        As in :func:`intervals`; `by` has `strategy`.
    baseline
        The strategy that is subtracted.

    Returns
    -------
    As :func:`intervals`; no rows of the baseline.
    """
    keys = [name for name in by if name != "strategy"] + [REPLICATE]
    own = cells[["strategy", *keys, *columns]]
    base = own[own["strategy"] == baseline].drop(columns="strategy")
    both = own[own["strategy"] != baseline].merge(base, on=keys, suffixes=("", "_baseline"))
    for name in columns:
        both[name] -= both[f"{name}_baseline"]
    return intervals(both, by, columns, level)


@functools.cache
def _quantile(n: int, level: float) -> float:
    """Of Student's distribution for the mean of so many values; NaN for fewer than two."""
    return float(student.ppf(0.5 + level / 2.0, n - 1)) if n > 1 else np.nan
