"""Intervals over seeds. The seed is the replicate: vehicles of one run share roads and junctions and are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
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
    spread = float(known.std(ddof=1)) if len(known) > 1 else np.nan
    half = float(_half_width(np.array(spread), np.array(len(known)), level))
    mean = float(known.mean())
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
    rows = cells.melt([*by, REPLICATE], columns, "measure").dropna(subset="value")
    grouped = rows.groupby([*by, "measure"], sort=False, dropna=False)["value"].agg(["mean", "std", "count"]).reset_index()
    half = _half_width(grouped["std"].to_numpy(dtype=np.float64), grouped["count"].to_numpy(), level)
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


def _half_width(spread: NDArray[np.float64], n: NDArray[np.int64], level: float) -> NDArray[np.float64]:
    """Half the width of Student's interval; NaN for fewer than two values."""
    quantile = student.ppf(0.5 + level / 2.0, np.maximum(n - 1, 1))
    half: NDArray[np.float64] = np.where(n > 1, quantile * spread / np.sqrt(np.maximum(n, 1)), np.nan)
    return half
