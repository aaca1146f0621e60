"""Latencies of requests: how long containers ran with each, their mean over time and their 95th percentile. Model, section 9."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.migration.ledger import Columns
from msmf_traci.results.keys import Names

PERCENTILE = 95
_ROUNDING = 1e-12  # what adding seconds leaves


@dataclass(frozen=True)
class Latencies:
    """Seconds that containers ran with each latency of requests, by row of the table of vehicles.

    Attributes
    ----------
    start
        Entries of row r are `start[r]` to `start[r + 1]`, shape (rows + 1,).
    latency_ms, running_s
        Of each entry, by latency within a row.
    """

    start: IntArray
    latency_ms: FloatArray
    running_s: FloatArray

    def by_row(self) -> tuple[FloatArray, FloatArray]:
        """Mean and 95th percentile of each row, shape (rows,); NaN where a container never ran."""
        n = len(self.start) - 1
        row = np.repeat(np.arange(n), np.diff(self.start))
        total_s = np.bincount(row, weights=self.running_s, minlength=n)
        with np.errstate(invalid="ignore"):
            mean = np.bincount(row, weights=self.running_s * self.latency_ms, minlength=n) / np.where(total_s > 0, total_s, np.nan)
        percentile = np.full(n, np.nan)
        run_s = np.cumsum(self.running_s)
        run_s -= np.concatenate([[0.0], run_s])[self.start[:-1]][row]
        reached = np.flatnonzero(run_s >= PERCENTILE / 100 * total_s[row] * (1 - _ROUNDING))
        rows, first = np.unique(row[reached], return_index=True)
        percentile[rows] = self.latency_ms[reached[first]]
        return mean, percentile

    def together(self, rows: IntArray) -> tuple[float, float]:
        """Mean and 95th percentile of some rows together; NaN where none of their containers ran."""
        counts = self.start[rows + 1] - self.start[rows]
        begin = np.cumsum(counts) - counts
        entries = np.repeat(self.start[rows] - begin, counts) + np.arange(int(counts.sum()))
        entries = entries[np.argsort(self.latency_ms[entries], kind="stable")]
        one = Latencies(np.array([0, len(entries)]), self.latency_ms[entries], self.running_s[entries])
        mean, percentile = one.by_row()
        return float(mean[0]), float(percentile[0])


def latencies_of(running: Columns, names: Names) -> Latencies:
    """The ledger's seconds by latency, in the order of the table of vehicles."""
    n_vehicles, n_variants = len(names.vehicles), len(names.variants)
    variant, vehicle = (grid.ravel() for grid in np.meshgrid(np.arange(n_variants), np.arange(n_vehicles), indexing="ij"))
    place: IntArray = np.empty(len(variant), dtype=np.int64)
    place[names.order(variant, vehicle, np.zeros(len(variant), dtype=np.int64))] = np.arange(len(variant))
    row = place[running["variant"] * n_vehicles + running["vehicle"]]
    order = np.lexsort((running["latency_ms"], row))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(variant)))]).astype(np.int64)
    return Latencies(start, running["latency_ms"][order], running["running_s"][order])
