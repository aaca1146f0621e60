"""A mean over replicates, such as seeds, and its interval."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over replicates and its interval; the bounds are NaN where fewer than two leave no interval.

    Attributes
    ----------
    mean, low, high
        In the unit of the values.
    n
        Replicates.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def is_known(self) -> bool:
        """Whether there is an interval."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))

    def within(self, least: float, most: float) -> Interval:
        """The same without what the quantity cannot be: a share below 0, say."""
        low, high = np.clip([self.low, self.high], least, most).tolist()
        return Interval(self.mean, low, high, self.n)


def mean_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Mean of one value a replicate, with Student's interval.

    Parameters
    ----------
    values
        Shape (replicates,); NaN where one has none.
    level
        Nominal coverage.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Interval(np.nan, np.nan, np.nan, 0)
    mean = float(known.mean())
    half = quantile(len(known), level) * float(known.std(ddof=1)) / math.sqrt(len(known)) if len(known) > 1 else np.nan
    return Interval(mean, mean - half, mean + half, len(known))


@functools.cache
def quantile(n: int, level: float) -> float:
    """Of Student's distribution for the mean of so many values; NaN for fewer than two."""
    from scipy.stats import t as student  # takes a moment to load, and a single run needs none of it

    return float(student.ppf(0.5 + level / 2.0, n - 1)) if n > 1 else np.nan
