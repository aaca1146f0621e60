"""Times of day of a zone as POSIX seconds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray


def posix_of_local(local: pd.DatetimeIndex, time_zone: str) -> FloatArray:
    """POSIX seconds of times without an offset, shape (n,); NaN where the change of clocks makes them ambiguous or skips them."""
    return posix_of(local.tz_localize(time_zone, ambiguous="NaT", nonexistent="NaT"))


def posix_of(moments: pd.DatetimeIndex) -> FloatArray:
    """POSIX seconds of times with an offset, shape (n,); NaN where there is none."""
    utc: NDArray[np.datetime64] = moments.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    seconds: FloatArray = utc.astype(np.int64) / 1e6
    seconds[np.isnat(utc)] = np.nan
    return seconds
