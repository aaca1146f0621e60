"""Measured migrations of several sets beside equation (1), a shipped preset, and a model that is fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.testbed.comparison import PAPER, QUANTITIES
from msmf_traci.testbed.expectation import Costs, costs_of
from msmf_traci.testbed.published import Published
from msmf_traci.testbed.times_fit import Terms, expected_times, fit_times, leave_one_out

LEAST_LEFT_OUT = 5
MODELS = ("equation_1", "preset", "fit", "left_out")


@dataclass(frozen=True)
class Split:
    """Which rows are fitted on: what the file says, all but some that a seed draws, or all.

    Attributes
    ----------
    seed, share
        A third of the rows of each group is held back, drawn by this seed; None: nothing is.
    """

    seed: int | None = None
    share: float = 1 / 3

    def of(self, rows: Sequence[Published]) -> list[bool]:
        """Whether each row is fitted on."""
        if any(row.is_fitted_on is not None for row in rows):
            return [row.is_fitted_on is not False for row in rows]
        if self.seed is None:
            return [True] * len(rows)
        held_back = np.random.default_rng(self.seed).permutation(len(rows))[: round(self.share * len(rows))]
        return [place not in held_back for place in range(len(rows))]


@dataclass(frozen=True)
class Group:
    """Rows that are fitted together: those that name the same preset, or those of a file that names none."""

    name: str
    rows: list[Published]
    is_fitted_on: list[bool]
    terms: Terms | None


def grouped(rows: Sequence[Published], split: Split, terms: Sequence[str] | None) -> list[Group]:
    """The groups of some rows, each fitted."""
    groups: dict[str, list[Published]] = {}
    for row in rows:
        groups.setdefault(row.preset or row.name["set"], []).append(row)
    found = []
    for name, own in groups.items():
        is_fitted_on = split.of(own)
        chosen = [row for row, is_one in zip(own, is_fitted_on, strict=True) if is_one]
        found.append(Group(name, own, is_fitted_on, fit_times(chosen, terms) if chosen else None))
    return found


def compare_published(groups: Sequence[Group], preset: str | None, config_dir: str | None, terms: Sequence[str] | None) -> pd.DataFrame:
    """One row a measured migration: times as measured, and as equation (1), the preset, the fit, and the fit without the row expect them.

    Parameters
    ----------
    groups
        From `grouped`.
    preset
        That of rows which name none; None: there is none.
    config_dir
        Folder with presets of one's own.
    terms
        As in `fit_times`.

    Raises
    ------
    InputError
        If there is no such preset.
    """
    rows = []
    costs: dict[str, Costs] = {}
    for group in groups:
        fitted_rows = [row for row, is_one in zip(group.rows, group.is_fitted_on, strict=True) if is_one]
        left_out = iter(leave_one_out(fitted_rows, terms) if len(fitted_rows) >= LEAST_LEFT_OUT else [None] * len(fitted_rows))
        for row, is_fitted_on in zip(group.rows, group.is_fitted_on, strict=True):
            name = row.preset or preset or ""
            if name and name not in costs:
                costs[name] = _of_preset(name, row, config_dir)
            without = next(left_out) if is_fitted_on else None
            models = (PAPER, costs.get(name), *(None if fitted is None else fitted.costs() for fitted in (group.terms, without)))
            found: dict[str, Any] = {**row.name, "preset": name, "is_fitted_on": is_fitted_on}
            found |= {"total_s": row.total_s, "downtime_s": row.downtime_s}
            for model, of_model in zip(MODELS, models, strict=True):
                expected = (np.nan, np.nan) if of_model is None else expected_times(row, of_model)
                for quantity, value in zip(QUANTITIES, expected, strict=True):
                    found[f"{model}_{quantity}_s"] = value
                    found[f"{model}_{quantity}_error"] = value / found[f"{quantity}_s"] - 1
            rows.append(found)
    return pd.DataFrame(rows)


def _of_preset(name: str, row: Published, config_dir: str | None) -> Costs:
    try:
        return costs_of([f"migration={name}"], config_dir)
    except InputError as error:
        raise InputError(f"{row.name['set']}, row {row.name['row']}: {error}") from None


def errors_by_set(table: pd.DataFrame) -> pd.DataFrame:
    """Median and greatest absolute relative error of each model over the rows of each set, and over all."""
    rows = []
    for name, group in [*table.groupby("set", sort=False), ("all", table)]:
        row: dict[str, Any] = {"set": name, "n": len(group)}
        for quantity in QUANTITIES:
            for model in MODELS:
                size = group[f"{model}_{quantity}_error"].abs()
                row[f"{model}_{quantity}_median"], row[f"{model}_{quantity}_max"] = size.median(), size.max()
        rows.append(row)
    return pd.DataFrame(rows)
