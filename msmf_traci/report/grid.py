"""The cells of one setting along one option, as arrays that tests of claims compute with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.report.measures import REPLICATE, Measure
from msmf_traci.report.options import Option, label_of, value_text
from msmf_traci.report.reading import Results

Floats = NDArray[np.float64]


class MissingDataError(Exception):
    """What a claim needs is not among the cells; says what."""


@dataclass(frozen=True)
class Grid:
    """Cells that differ in strategy, seed and one option.

    Attributes
    ----------
    axis
        The option, by its dotted name.
    values
        Its numbers, rising.
    seeds
        The replicates.
    cells
        One row a strategy, value and seed.
    known
        What has been asked for already.
    """

    axis: str
    values: tuple[float, ...]
    seeds: tuple[int, ...]
    cells: Mapping[tuple[str, float, int], Mapping[str, float]]
    known: dict[tuple[str, str], Floats] = field(default_factory=dict, repr=False, compare=False)

    def of(self, strategy: str, measure: Measure) -> Floats:
        """A measure in its reader's unit, shape (values, seeds); NaN where a seed has none.

        Raises
        ------
        MissingDataError
            If the strategy is not there.
        """
        key = strategy, measure.column
        if key not in self.known:
            self.known[key] = np.array([[self._one(strategy, value, seed, measure) for seed in self.seeds] for value in self.values])
        if np.isnan(self.known[key]).all():
            raise MissingDataError(f"needs the strategy {strategy} and its {measure.label}")
        return self.known[key]

    def shared_with(self, other: Grid) -> Grid:
        """The same at the values and seeds alone that another grid has too."""
        values = tuple(value for value in self.values if value in other.values)
        return Grid(self.axis, values, tuple(seed for seed in self.seeds if seed in other.seeds), self.cells)

    def where_known(self, strategies: Sequence[str], measure: Measure) -> Grid:
        """The same at the values alone at which every one of some strategies has the measure.

        Raises
        ------
        MissingDataError
            If that leaves less than two values.
        """
        known = np.all([np.isfinite(self.of(strategy, measure)).any(axis=1) for strategy in strategies], axis=0)
        values = tuple(value for value, is_known in zip(self.values, known, strict=True) if is_known)
        if len(values) < 2:
            raise MissingDataError(f"needs {measure.label} of {' and '.join(strategies)} at several values of {label_of(self.axis)}")
        return self if values == self.values else Grid(self.axis, values, self.seeds, self.cells)

    def text(self, place: int) -> str:
        """One of the values as a reader sees it."""
        words, _, unit = label_of(self.axis).rstrip(")").partition(" (")
        return f"{value_text(self.values[place])} {unit}" if unit else f"{words} {value_text(self.values[place])}"

    def _one(self, strategy: str, value: float, seed: int, measure: Measure) -> float:
        cell = self.cells.get((strategy, value, seed))
        return np.nan if cell is None else cell[measure.column] / measure.per_unit


Setting = tuple[tuple[str, str], ...]
"""Options that differ from their reference, by their dotted names, each with its value in words."""

MOST_AT_ONCE = 3
"""Options that a setting may have at other values than the reference."""


@dataclass(frozen=True)
class Settings:
    """The grids along one option.

    Attributes
    ----------
    reference
        Every other option at its reference value.
    others
        Where some options have other values: those of one option first.
    """

    reference: Grid
    others: Mapping[Setting, Grid]


def settings_along(results: Results, axis: str) -> Settings:
    """Every grid along an option.

    Raises
    ------
    MissingDataError
        If the option has less than two numbers at the reference.
    """
    grids = {}
    if axis in results.options:
        cells = results.cells[[isinstance(value, float) for value in results.cells[axis]]]
        options = [option for option in results.options.values() if option.name != axis]
        for setting, rows in by_setting(cells, options).items():
            values = tuple(sorted(cells[axis].iloc[rows].unique()))
            if len(values) > 1:
                grids[setting] = _grid(cells.iloc[rows], axis, values)
    if () not in grids:
        raise MissingDataError(f"needs several values of {label_of(axis)}: sweep over {axis}")
    return Settings(grids.pop(()), dict(sorted(grids.items(), key=lambda item: len(item[0]))))


def by_setting(cells: pd.DataFrame, options: Sequence[Option]) -> dict[Setting, list[int]]:
    """Places of the rows of every setting in which few enough options differ from their reference; none differ in the setting ()."""
    if not options:
        return {(): list(range(len(cells)))}
    differs = np.array([(cells[option.name] != option.reference).to_numpy() for option in options]).T
    texts = [cells[option.name].map(value_text).tolist() for option in options]
    found: dict[Setting, list[int]] = {}
    for row in np.flatnonzero(differs.sum(axis=1) <= MOST_AT_ONCE).tolist():
        which = np.flatnonzero(differs[row]).tolist()
        found.setdefault(tuple((options[number].name, texts[number][row]) for number in which), []).append(row)
    return found


def _grid(cells: pd.DataFrame, axis: str, values: tuple[float, ...]) -> Grid:
    keys = zip(cells["strategy"], cells[axis], cells[REPLICATE], strict=True)
    rows: Mapping[Any, Any] = dict(zip(keys, cells.to_dict("records"), strict=True))
    return Grid(axis, values, tuple(sorted(pd.unique(cells[REPLICATE]).tolist())), rows)
