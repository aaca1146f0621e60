"""The kinds of question that claims ask of a grid: less than, falls along, close, steady, grows most; each in several readings.

Every estimate is computed for each seed and then averaged, so that what one seed's traffic does to all strategies cancels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from msmf_traci.report.grid import Grid, MissingDataError
from msmf_traci.report.judgement import Asked, Finding
from msmf_traci.report.measures import Measure
from msmf_traci.report.options import Value
from msmf_traci.report.statistics import Floats, mean_interval

Pair = tuple[str, str]
Ask = Callable[[Grid], Iterable[Asked]]

DEFINITION, COMPARED, STRATEGY, WHERE, CLOSENESS, FALLS, GROWS = (
    *("definition", "what is compared", "strategy", "where on the axis", "what close means"),
    *("what falling means", "what growing means"),
)
EVERYWHERE = "mean over the axis"
# readings of "close": relative, and in the measure's own unit
CLOSE_PERCENT = (10.0, 25.0)
CLOSE: dict[str, tuple[float, ...]] = {"s": (1.0, 5.0), "%": (1.0,)}


def together(*asks: Ask) -> Ask:
    """Several questions as readings of one claim."""
    return lambda grid: (asked for ask in asks for asked in ask(grid))


def cut(
    pairs: Sequence[Pair], measures: Sequence[Measure], percent: float = 0.0, *, at: Callable[[Grid], Sequence[int]] | None = None
) -> Ask:
    """Whether one strategy's value is lower than another's by more than so many percent.

    Parameters
    ----------
    pairs
        (of, against).
    measures
        Readings of what is compared.
    percent
        The bound.
    at
        Places on the axis, each a reading; all of them and their mean where not given.
    """

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            for of, against in pairs:
                there = grid.where_known((of, against), measure)
                ours, theirs = there.of(of, measure), there.of(against, measure)
                places = range(len(there.values)) if at is None else at(there)
                where = [] if at is not None else [(EVERYWHERE, ours.mean(axis=0), theirs.mean(axis=0))]
                where += [(f"at {there.text(place)}", ours[place], theirs[place]) for place in places]
                for words, own, other in where:
                    finding = Finding(f"{of} below {against}", "%", mean_interval(there.percent(other - own, other, ours)), above=percent)
                    compared = f"{of} against {against}{f' by more than {percent:g} %' if percent else ''}"
                    yield Asked({DEFINITION: measure.label, COMPARED: compared, WHERE: words}, [finding])

    return ask


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


def with_values(needed: Sequence[Value], measures: Sequence[Measure], make: Callable[[Sequence[Measure]], Ask]) -> Ask:
    """A question that has no answer without some values of the axis: readings whose measure is unknown there are left out.

    Parameters
    ----------
    needed
        The values.
    measures
        Readings of what is compared.
    make
        Makes the question for some of the measures.
    """

    def ask(grid: Grid) -> Iterator[Asked]:
        there = grid.needing(needed)
        missing: list[MissingDataError] = []
        for measure in measures:
            try:
                yield from make([measure])(there)
            except MissingDataError as error:
                missing.append(error)
        if len(missing) == len(measures):
            raise missing[0]

    return ask


def close(strategies: Sequence[str], measures: Sequence[Measure], of: str | None = None, *, at: Value | None = None) -> Ask:
    """Whether strategies are close to each other at one value of the axis: an equivalence test.

    Parameters
    ----------
    strategies
        Compared with the mean of all of them.
    measures
        Readings of what is compared.
    of
        The strategy that is compared; all where not given.
    at
        The value; the first where not given.
    """

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            there = grid.where_known(strategies, measure)
            place = 0 if at is None else there.values.index(at)
            all_of_them = np.array([there.of(strategy, measure)[place] for strategy in strategies])
            mean = all_of_them.mean(axis=0)
            apart = all_of_them - mean
            margins = [(margin, "%", f"within {margin:g} % of the mean", there.percent(apart, mean, mean)) for margin in CLOSE_PERCENT]
            margins += [
                (margin, measure.difference_unit, f"within {margin:g} {measure.difference_unit}", apart) for margin in CLOSE[measure.unit]
            ]
            for margin, unit, words, values in margins:
                findings = [
                    Finding(f"{strategy} from the mean at {there.text(place)}", unit, mean_interval(value), above=-margin, below=margin)
                    for strategy, value in zip(strategies, values, strict=True)
                    if of in (None, strategy)
                ]
                yield Asked({DEFINITION: measure.label, CLOSENESS: words}, findings)

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


def steady(strategy: str, measures: Sequence[Measure], margins_percent: Sequence[float]) -> Ask:
    """Whether a measure stays within so many percent of its mean over the axis: an equivalence test at every value."""

    def ask(grid: Grid) -> Iterator[Asked]:
        for measure in measures:
            there = grid.where_known([strategy], measure)
            values = there.of(strategy, measure)
            mean = values.mean(axis=0)
            for margin in margins_percent:
                findings = [
                    Finding(f"{strategy} at {there.text(place)} from its mean", "%", mean_interval(value), above=-margin, below=margin)
                    for place, value in enumerate(there.percent(values - mean, mean, mean))
                ]
                yield Asked({DEFINITION: measure.label, CLOSENESS: f"within {margin:g} % of its mean"}, findings)

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


def below(strategy: str, measure: Measure, bound: float, words: str) -> Ask:
    """Whether a measure lies below a bound everywhere on the axis (above it: a negative bound, of the negative)."""

    def ask(grid: Grid) -> Iterator[Asked]:
        there = grid.where_known([strategy], measure)
        findings = [
            Finding(
                f"{measure.label}, {strategy} at {there.text(place)}",
                measure.unit,
                mean_interval(value),
                below=bound if bound >= 0 else None,
                above=-bound if bound < 0 else None,
            )
            for place, value in enumerate(there.of(strategy, measure))
        ]
        yield Asked({DEFINITION: words}, findings)

    return ask


def _step(
    grid: Grid, values: Floats, strategy: str, step: tuple[int, int], *, above: float | None = None, below: float | None = None
) -> Finding:
    begin, end = step
    change = mean_interval(grid.percent(values[end] - values[begin], values[begin], values))
    name = f"{strategy} from {grid.text(begin)} to {grid.text(end)}"
    return Finding(name, "%", change, above=above, below=below)
