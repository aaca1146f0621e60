"""The cells of one setting along one option, as arrays that tests of claims compute with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.report.measures import REPLICATE, Measure
from msmf_traci.report.options import label_of, value_text
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

    def only(self, values: Sequence[float]) -> Grid:
        """The same with some of the values alone."""
        return Grid(self.axis, tuple(value for value in self.values if value in values), self.seeds, self.cells)

    def text(self, place: int) -> str:
        """One of the values as a reader sees it."""
        words, _, unit = label_of(self.axis).rstrip(")").partition(" (")
        return f"{value_text(self.values[place])} {unit}" if unit else f"{words} {value_text(self.values[place])}"

    def _one(self, strategy: str, value: float, seed: int, measure: Measure) -> float:
        cell = self.cells.get((strategy, value, seed))
        return np.nan if cell is None else cell[measure.column] / measure.per_unit


@dataclass(frozen=True)
class Settings:
    """The grids along one option.

    Attributes
    ----------
    reference
        Every other option at its reference value.
    others
        (option, its value in words, grid) where one option has another value.
    """

    reference: Grid
    others: tuple[tuple[str, str, Grid], ...]


def settings_along(results: Results, axis: str) -> Settings:
    """Every grid along an option.

    Raises
    ------
    MissingDataError
        If the option has less than two numbers at the reference.
    """
    reference = _grid_along(results, axis, {})
    others = []
    for option in results.options.values():
        for value in option.values:
            if option.name != axis and value != option.reference:
                with suppress(MissingDataError):
                    others.append((option.name, value_text(value), _grid_along(results, axis, {option.name: value})))
    return Settings(reference, tuple(others))


def _grid_along(results: Results, axis: str, setting: Mapping[str, Any]) -> Grid:
    """The grid along an option, other options at their reference values, but for those in `setting`.

    Raises
    ------
    MissingDataError
        If the option has less than two numbers there.
    """
    if axis not in results.options:
        raise MissingDataError(f"needs several values of {label_of(axis)}: sweep over {axis}")
    cells = results.where(setting, free=[axis])
    cells = cells[[isinstance(value, float) for value in cells[axis]]]
    values = tuple(sorted(cells[axis].unique()))
    if len(values) < 2:
        raise MissingDataError(f"needs several values of {label_of(axis)}: sweep over {axis}")
    keys = zip(cells["strategy"], cells[axis], cells[REPLICATE], strict=True)
    rows: Mapping[Any, Any] = dict(zip(keys, cells.to_dict("records"), strict=True))
    return Grid(axis, values, tuple(sorted(pd.unique(cells[REPLICATE]).tolist())), rows)
