"""What a receiver says of a journey: fewer positions, noise on each, and none for a while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from msmf_traci.arrays import BoolArray, FloatArray

from .truth import Journey


@dataclass(frozen=True)
class Receiver:
    """How positions are measured.

    Attributes
    ----------
    sigma_m
        Standard deviation of the noise, on each axis.
    interval_s
        From one position to the next.
    drift_s
        Time in which noise forgets itself (autocorrelation exp(-t / drift_s)); 0: noise is white.
    outage_share, outage_s
        Share of the time in which nothing is measured, and the mean length of such a time.
    """

    sigma_m: float
    interval_s: float
    drift_s: float = 0.0
    outage_share: float = 0.0
    outage_s: float = 60.0

    def measure(self, journey: Journey, generator: np.random.Generator) -> Measured:
        """A journey as this receiver sees it; the first and the last sample are always measured."""
        is_due = is_every(journey.time_s, self.interval_s)
        is_due &= ~_outages(journey.time_s, self.outage_share, self.outage_s, generator)
        is_due[[0, -1]] = True
        truth = journey.at(is_due)
        return Measured(truth, truth.x_m + self._noise_m(truth.time_s, generator), truth.y_m + self._noise_m(truth.time_s, generator))

    def _noise_m(self, time_s: FloatArray, generator: np.random.Generator) -> FloatArray:
        white = generator.normal(0.0, self.sigma_m, len(time_s))
        return white if self.drift_s == 0 else drifting(white, time_s, self.drift_s)


@dataclass(frozen=True)
class Measured:
    """Measured positions of a journey, shape (n,), and the truth at these times."""

    truth: Journey
    x_m: FloatArray
    y_m: FloatArray


def is_every(time_s: FloatArray, interval_s: float) -> BoolArray:
    """Whether each time is the first of its interval; intervals are counted from the first time."""
    number = np.floor((time_s - time_s[0]) / interval_s + 1e-9)
    return np.asarray(np.diff(number, prepend=-1.0) > 0)


def drifting(white: FloatArray, time_s: FloatArray, drift_s: float) -> FloatArray:
    """White noise made to an autoregressive process of first order of the same variance.

    Parameters
    ----------
    white
        Independent draws, shape (n,).
    time_s
        Of each, shape (n,).
    drift_s
        Correlation time.
    """
    kept = np.exp(-np.diff(time_s) / drift_s)
    if len(kept) and np.ptp(kept) < 1e-12:
        drawn = np.concatenate([white[:1], np.sqrt(1 - kept**2) * white[1:]])
        return np.asarray(lfilter([1.0], [1.0, -kept[0]], drawn))
    noise = white.copy()
    for k in range(1, len(noise)):
        noise[k] = kept[k - 1] * noise[k - 1] + np.sqrt(1 - kept[k - 1] ** 2) * white[k]
    return noise


def _outages(time_s: FloatArray, share: float, mean_s: float, generator: np.random.Generator) -> BoolArray:
    """Whether nothing is measured: times with and without a signal take turns, both exponentially long."""
    is_out = np.zeros(len(time_s), dtype=np.bool_)
    if share == 0:
        return is_out
    now_s = time_s[0]
    while now_s < time_s[-1]:
        now_s += generator.exponential(mean_s * (1 - share) / share)
        until_s = now_s + generator.exponential(mean_s)
        is_out |= (time_s >= now_s) & (time_s < until_s)
        now_s = until_s
    return is_out
