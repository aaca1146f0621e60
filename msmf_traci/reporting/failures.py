"""Where transfers ended, and how many of them failed there: counts a cell, strategy and speed, pooled over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from msmf_traci.arrays import IntArray
from msmf_traci.reporting.cell_map import CellMap
from msmf_traci.reporting.finished_run import FinishedRun
from msmf_traci.reporting.options import SPEED, Value, normalised
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.setting import rows_at

FAILED = ("user_left", "mispredicted")
REFUSED = "refused"
_OUTSIDE = -1
_ROUNDED_M = 1e-3  # of corners in cells.csv


@dataclass(frozen=True)
class Failures:
    """Counts of transfers.

    Attributes
    ----------
    speeds
        Commanded speeds in km/h, or the word for none; one entry where the speed does not vary.
    strategies
        Those with transfers.
    transfers, failed
        By cell, speed and strategy, shape (cells, speeds, strategies).
    outside
        Transfers that ended outside all cells; they are not among the counts.
    runs
        How many runs were counted.
    """

    speeds: list[Value]
    strategies: list[str]
    transfers: IntArray
    failed: IntArray
    outside: int
    runs: int


def map_runs(results: Results) -> list[tuple[FinishedRun, Value]]:
    """Runs with transfers at the reference setting and any speed, all on the map of the first of them, each with its speed."""
    rows = results.where({}, free=[SPEED])
    speeds = rows[SPEED] if SPEED in rows else pd.Series(normalised(None), index=rows.index)
    by_run = dict(zip(rows["run"], speeds, strict=True))
    chosen = [(results.runs[number], speed) for number, speed in sorted(by_run.items()) if results.runs[number].has("migrations")]
    return [(run, speed) for run, speed in chosen if run.facts["map_folder"] == chosen[0][0].facts["map_folder"]]


def count_failures(results: Results, runs: Sequence[tuple[FinishedRun, Value]], cells: CellMap) -> Failures:
    """Count the transfers of some runs in the cells where they ended.

    A cell is the ground that is nearer to its station than to any other, as far as its farthest corner.

    Parameters
    ----------
    results
        Whose reference setting is looked at.
    runs
        With the speed of each.
    cells
        Of their map.
    """
    setting = {name: option.reference for name, option in results.options.items() if name != SPEED}
    tree = cKDTree(np.column_stack([cells.x_m, cells.y_m]))
    speeds: list[Value] = sorted({speed for _, speed in runs}, key=lambda speed: (isinstance(speed, str), speed))
    shape = (len(cells), len(speeds), len(results.strategies))
    transfers, failed = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    outside = 0
    for run, speed in runs:
        rows = rows_at(run, run.table("migrations", columns=[*run.key_columns, "outcome", "x_m", "y_m"]), setting)
        rows = rows[rows["outcome"] != REFUSED]
        away_m, cell = tree.query(rows[["x_m", "y_m"]].to_numpy(dtype=np.float64))
        cell = np.where(away_m > cells.reach_m[cell] + _ROUNDED_M, _OUTSIDE, cell)
        outside += int((cell == _OUTSIDE).sum())
        strategy = pd.Categorical(rows["strategy"], categories=results.strategies).codes.astype(np.int64)
        place = np.ravel_multi_index((np.maximum(cell, 0), np.full(len(cell), speeds.index(speed)), strategy), shape)
        inside = cell != _OUTSIDE
        transfers += np.bincount(place[inside], minlength=transfers.size).reshape(shape)
        failed += np.bincount(place[inside & rows["outcome"].isin(FAILED).to_numpy()], minlength=failed.size).reshape(shape)
    used = np.flatnonzero(transfers.sum(axis=(0, 1)))
    return Failures(speeds, [results.strategies[number] for number in used], transfers[..., used], failed[..., used], outside, len(runs))
