"""The results of one setting along one option, as arrays that tests of claims compute with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.reporting.measures import REPLICATE, Measure
from msmf_traci.reporting.options import SPEED, Option, Value, label_of, value_text, with_value
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import Floats, Units


class MissingDataError(Exception):
    """What a claim needs is not among the results; says what."""


@dataclass(frozen=True)
class Grid:
    """Results that differ in strategy, replicate (a seed, say) and one option.

    Attributes
    ----------
    axis
        The option, by its dotted name.
    values
        Its values, in order.
    seeds
        The replicates.
    rows
        One row a strategy, value and replicate.
    units
        What the replicates are.
    needed
        Values without which there is no answer.
    known
        What has been asked for already.
    """

    axis: str
    values: tuple[Value, ...]
    seeds: tuple[int, ...]
    rows: Mapping[tuple[str, Value, int], Mapping[str, float]]
    units: Units
    needed: tuple[Value, ...] = ()
    known: dict[tuple[str, str], Floats] = field(default_factory=dict, repr=False, compare=False)

    def of(self, strategy: str, measure: Measure) -> Floats:
        """A measure in its reader's unit, shape (values, replicates); NaN where a replicate has none.

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
        return replace(self, values=values, seeds=tuple(seed for seed in self.seeds if seed in other.seeds), known={})

    def needing(self, values: Sequence[Value]) -> Grid:
        """The same, for a question that has no answer without some of the values.

        Raises
        ------
        MissingDataError
            If one of them is not there.
        """
        for value in values:
            if value not in self.values:
                raise MissingDataError(f"needs {with_value(self.axis, value_text(value))}")
        return replace(self, needed=tuple(values))

    def beginning_with(self, value: Value) -> Grid:
        """The same from a value on, where it is there."""
        if value not in self.values:
            return self
        return replace(self, values=self.values[self.values.index(value) :], known={})

    def where_known(self, strategies: Sequence[str], measure: Measure) -> Grid:
        """The same at the values alone at which every one of some strategies has the measure.

        Raises
        ------
        MissingDataError
            If that leaves less than two values, or leaves out one that is needed.
        """
        known = np.all([np.isfinite(self.of(strategy, measure)).any(axis=1) for strategy in strategies], axis=0)
        values = tuple(value for value, is_known in zip(self.values, known, strict=True) if is_known)
        if len(values) < 2:
            raise MissingDataError(f"needs {measure.label} of {' and '.join(strategies)} at several values of {label_of(self.axis)}")
        for value in self.needed:
            if value not in values:
                raise MissingDataError(f"needs {measure.label} of {' and '.join(strategies)} at {with_value(self.axis, value_text(value))}")
        return self if values == self.values else replace(self, values=values, known={})

    def percent(self, part: Floats, of: Floats, instead: Floats) -> Floats:
        """As a percentage of each replicate's own value; of the mean where one has none, of that of others where all have none."""
        if self.units.can_divide_by(of):
            return 100.0 * self.units.ratios(part, of)
        base = float(np.nanmean(of)) or float(np.nanmean(instead))
        return np.asarray(100.0 * part / base if base else part, dtype=np.float64)

    def text(self, place: int) -> str:
        """One of the values as a reader sees it."""
        words, _, unit = label_of(self.axis).rstrip(")").partition(" (")
        return f"{value_text(self.values[place])} {unit}" if unit else f"{words} {value_text(self.values[place])}"

    def _one(self, strategy: str, value: Value, seed: int, measure: Measure) -> float:
        row = self.rows.get((strategy, value, seed))
        return np.nan if row is None else row[measure.column] / measure.per_unit


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


def settings_along(results: Results, axis: str, values: Sequence[Value] | None = None) -> Settings:
    """Every grid along an option.

    Parameters
    ----------
    results
        Whose rows.
    axis
        The option.
    values
        Those of its values that are looked at, in order; its numbers, rising, if not given.

    Raises
    ------
    MissingDataError
        If less than two of them are at the reference.
    """
    grids = {}
    if axis in results.options:
        order = sorted(value for value in results.options[axis].values if isinstance(value, float)) if values is None else list(values)
        table = results.rows[results.rows[axis].isin(order)]
        options = [option for option in results.options.values() if option.name != axis]
        for setting, rows in by_setting(table, options).items():
            there = set(table[axis].iloc[rows])
            if len(there) > 1:
                grids[setting] = _grid(table.iloc[rows], axis, tuple(value for value in order if value in there), results.units)
    if () not in grids and axis == SPEED and results.is_of_traces:
        raise MissingDataError("trajectories have no commanded speed: this is about vehicles that SUMO drives (mobility.speed_kmh)")
    if () not in grids:
        raise MissingDataError(f"needs several values of {label_of(axis)}: sweep over {axis}")
    return Settings(grids.pop(()), dict(sorted(grids.items(), key=lambda item: len(item[0]))))


def by_setting(table: pd.DataFrame, options: Sequence[Option]) -> dict[Setting, list[int]]:
    """Places of the rows of every setting in which few enough options differ from their reference; none differ in the setting ()."""
    if not options:
        return {(): list(range(len(table)))}
    differs = np.array([(table[option.name] != option.reference).to_numpy() for option in options]).T
    texts = [table[option.name].map(value_text).tolist() for option in options]
    found: dict[Setting, list[int]] = {}
    for row in np.flatnonzero(differs.sum(axis=1) <= MOST_AT_ONCE).tolist():
        which = np.flatnonzero(differs[row]).tolist()
        found.setdefault(tuple((options[number].name, texts[number][row]) for number in which), []).append(row)
    return found


def _grid(table: pd.DataFrame, axis: str, values: tuple[Value, ...], units: Units) -> Grid:
    keys = zip(table["strategy"], table[axis], table[REPLICATE], strict=True)
    rows: Mapping[Any, Any] = dict(zip(keys, table.to_dict("records"), strict=True))
    return Grid(axis, values, tuple(sorted(pd.unique(table[REPLICATE]).tolist())), rows, units)
