"""The kinds of question that claims ask of a grid about values: less than, close, steady, below; each in several readings.

Those about how values change along the axis are in `trends.py`.

Every estimate is computed for each replicate and then averaged, so that what one seed's traffic, or one trajectory, does to all strategies
cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from msmf_traci.reporting.grid import Grid, MissingDataError
from msmf_traci.reporting.judgement import Asked, Finding
from msmf_traci.reporting.measures import Measure
from msmf_traci.reporting.options import Value
from msmf_traci.results.intervals import mean_interval

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


def below(strategy: str, measure: Measure, bound: float, words: str) -> Ask:
    """Whether a measure lies below a bound everywhere on the axis (above it: a negative bound, of the negative)."""

    def ask(grid: Grid) -> Iterator[Asked]:
        there = grid.where_known([strategy], measure)
        findings = [
            Finding(
                f"{measure.label}, {strategy} at {there.text(place)}",
                measure.unit,
                mean_interval(value).within(0.0, measure.most),
                below=bound if bound >= 0 else None,
                above=-bound if bound < 0 else None,
            )
            for place, value in enumerate(there.of(strategy, measure))
        ]
        yield Asked({DEFINITION: words}, findings)

    return ask
