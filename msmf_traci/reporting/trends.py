"""The kinds of question about how a measure changes along the axis: falls, differs, parts strategies, grows most."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from msmf_traci.reporting.grid import Grid
from msmf_traci.reporting.judgement import Asked, Finding
from msmf_traci.reporting.measures import Measure
from msmf_traci.reporting.questions import DEFINITION, FALLS, GROWS, STRATEGY, Ask
from msmf_traci.reporting.statistics import Floats
from msmf_traci.results.intervals import mean_interval


def falls(strategies: Sequence[str], measures: Sequence[Measure], sign: float = -1.0) -> Ask:
    """Whether a measure falls along the axis (rises: sign 1), from its lowest to its highest value, and at every step between."""

    bound = {"above": 0.0} if sign > 0 else {"below": 0.0}

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            for strategy in strategies:
                there = grid.where_known([strategy], measure)
                values = there.of(strategy, measure)
                readings = {
                    "from the lowest to the highest": [(0, len(values) - 1)],
                    "at every step": [(place - 1, place) for place in range(1, len(values))],
                }
                for words, steps in readings.items():
                    findings = [_step(there, values, strategy, step, **bound) for step in steps]
                    yield Asked({DEFINITION: measure.label, STRATEGY: strategy, FALLS: words}, findings)

    return ask


def differs_along(strategies: Sequence[str], measures: Sequence[Measure]) -> Ask:
    """Whether a measure changes along the axis at all, in either direction, by more than a percent."""

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            for strategy in strategies:
                there = grid.where_known([strategy], measure)
                values = there.of(strategy, measure)
                change = there.percent(values[-1] - values[0], values[0], values)
                sign = 1.0 if np.nanmean(change) >= 0 else -1.0
                name = f"{strategy} from {there.text(0)} to {there.text(-1)}, {'up' if sign > 0 else 'down'}"
                finding = Finding(name, "%", mean_interval(sign * change), above=1.0)
                yield Asked({DEFINITION: measure.label, STRATEGY: strategy}, [finding])

    return ask


def differ_pairwise(strategies: Sequence[str], measures: Sequence[Measure], percent: float = 1.0) -> Ask:
    """Whether a measure differs between every two neighbours in its own order of size, by more than so many percent of the smaller."""

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            for strategy in strategies:
                there = grid.where_known([strategy], measure)
                values = there.of(strategy, measure)
                order = np.argsort(np.nanmean(values, axis=1), kind="stable").tolist()
                findings = [_step(there, values, strategy, step, above=percent) for step in itertools.pairwise(order)]
                yield Asked({DEFINITION: measure.label, STRATEGY: strategy}, findings)

    return ask


def widens(strategies: Sequence[str], measures: Sequence[Measure]) -> Ask:
    """Whether strategies lie further apart at the highest value of the axis than at the lowest."""

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            there = grid.where_known(strategies, measure)
            values = np.array([there.of(strategy, measure) for strategy in strategies])
            apart = values.max(axis=0) - values.min(axis=0)
            mean = values.mean(axis=0)
            relative = there.percent(apart, mean, mean)
            for words, each, unit in (("the range", apart, measure.difference_unit), ("the range over the mean", relative, "%")):
                finding = Finding(
                    f"{words} at {there.text(-1)} less that at {there.text(0)}", unit, mean_interval(each[-1] - each[0]), above=0.0
                )
                yield Asked({DEFINITION: measure.label, GROWS: words}, [finding])

    return ask


def grows_most(strategy: str, others: Sequence[str], measures: Sequence[Measure]) -> Ask:
    """Whether a measure grows more in one strategy than in every other, from the lowest value of the axis to the highest or the worst."""

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            there = grid.where_known((strategy, *others), measure)
            ends: dict[str, Callable[[Floats], Floats]] = {
                "to the highest": lambda values: values[-1] - values[0],
                "to its worst on the axis": lambda values: values.max(axis=0) - values[0],
                "to the highest, as a multiple": lambda values: grid.units.ratios(values[-1], values[0]),
            }
            for words, grown in ends.items():
                if "multiple" in words and not all(there.units.can_divide_by(there.of(each, measure)[0]) for each in (strategy, *others)):
                    continue  # no multiple of nothing
                own = grown(there.of(strategy, measure))
                findings = [
                    Finding(
                        f"growth in {strategy} less that in {other}",
                        "" if "multiple" in words else measure.difference_unit,
                        mean_interval(own - grown(there.of(other, measure))),
                        above=0.0,
                    )
                    for other in others
                ]
                yield Asked({DEFINITION: measure.label, GROWS: words}, findings)

    return ask


def _step(
    grid: Grid, values: Floats, strategy: str, step: tuple[int, int], *, above: float | None = None, below: float | None = None
) -> Finding:
    begin, end = step
    change = mean_interval(grid.percent(values[end] - values[begin], values[begin], values))
    name = f"{strategy} from {grid.text(begin)} to {grid.text(end)}"
    return Finding(name, "%", change, above=above, below=below)
