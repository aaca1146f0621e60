"""Figures with an option along the axis: one curve for each strategy, and its difference to a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from msmf_traci.reporting.axis import axis_of
from msmf_traci.reporting.curve_chart import Curves, page_chart, still
from msmf_traci.reporting.figure import Figure
from msmf_traci.reporting.measures import DOWNTIME, MEASURES, OF_IMAGES, SATISFIED, TRAFFIC, Measure
from msmf_traci.reporting.options import IMAGE, SPEED, Option, label_of, with_value, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import Units, differences, intervals

BASELINE = "nearest"
_ALL = MEASURES | OF_IMAGES


def curve_figures(results: Results) -> list[Figure]:
    """Satisfaction, traffic, downtime and their differences to a baseline, against every option of the design."""
    made = []
    for option in results.design:
        made += [
            _figure(results, option, (SATISFIED,), f"satisfied_by_{short_name(option)}", "Satisfied"),
            _figure(results, option, TRAFFIC, f"traffic_by_{short_name(option)}", "Traffic"),
            _figure(results, option, DOWNTIME, f"downtime_by_{short_name(option)}", "Downtime"),
        ]
        if measures := results.of_images:
            made.append(_figure(results, option, measures, f"images_by_{short_name(option)}", "Copies and stores"))
        if len(results.strategies) > 1:
            made.append(
                _figure(results, option, (SATISFIED, *TRAFFIC, *DOWNTIME), f"differences_by_{short_name(option)}", "", baseline(results))
            )
    if any(option.name == SPEED for option in results.design):
        made.append(_figure(results, results.options[SPEED], (MEASURES["realised_kmh"],), "realised_speed", "Realised speed"))
    return made


def baseline(results: Results) -> str:
    """The strategy that others are compared with: `nearest`, or the first."""
    return BASELINE if BASELINE in results.strategies else results.strategies[0]


def short_name(option: Option) -> str:
    """An option's name in names of files."""
    return {SPEED: "speed", IMAGE: "image"}.get(option.name, option.name.replace(".", "_"))


def second_of(results: Results, option: Option) -> Option | None:
    """The option that is chosen from beside an axis: the other one of the paper's two."""
    return results.options.get(IMAGE if option.name == SPEED else SPEED)


def elsewhere(results: Results, free: Sequence[str]) -> str:
    """The reference values of all options that vary, but for some."""
    kept = [option for name, option in results.options.items() if name not in free]
    if not kept:
        return "No other option varies." if results.options else "Nothing was varied."
    return "Reference: " + "; ".join(with_value(option.name, words(option.name, option.reference)) for option in kept) + "."


def _figure(results: Results, option: Option, measures: Sequence[Measure], name: str, what: str, base: str | None = None) -> Figure:
    if name == "realised_speed":
        # images change no speed, and every strategy sees the same vehicles
        one = replace(results, rows=results.rows[results.rows["strategy"] == baseline(results)])
        return curve_figure(one, option, None, measures, name, f"{what} by {option.label}")
    title = f"Difference to {base} by {option.label}" if base else f"{what} by {option.label}"
    return curve_figure(results, option, second_of(results, option), measures, name, title, base=base)


def curve_figure(
    results: Results,
    option: Option,
    second: Option | None,
    measures: Sequence[Measure],
    name: str,
    title: str,
    *,
    base: str | None = None,
    stills_show_second: bool = False,
) -> Figure:
    """Measures against an option; its points are empty if it does not vary.

    Parameters
    ----------
    results
        Whose rows; options that are neither axis nor second are at their reference.
    option, second
        The axis, and the option that is chosen from beside it.
    measures
        Definitions of what is shown.
    name, title
        The figure's.
    base
        The strategy that values are differences to; values themselves if not given.
    stills_show_second
        Whether stills show every value of the second option.
    """
    free = [option.name, *([second.name] if second else [])]
    columns = [measure.column for measure in measures]
    rows = results.where({}, free)
    found = differences(rows, ["strategy", *free], columns, base) if base else intervals(rows, ["strategy", *free], columns)
    points = _in_readers_units(found, option, second, results.units)
    if base is None:
        points = _possible(points)
    # a definition that no run has a value of is no choice, but the title still says what is missing
    measures = [measure for measure in measures if points.empty or measure.title in set(points["measure"])]
    strategies = [name for name in results.strategies if name in set(points["strategy"])]
    curves = Curves(points, option, second, measures, strategies, base is not None, results.units, stills_show_second)
    return Figure(name, title, _caption(results, curves, free, base), points, page_chart(curves), still(curves, title))


def _in_readers_units(found: pd.DataFrame, option: Option, second: Option | None, units: Units) -> pd.DataFrame:
    """Points of values in units of the axes; only values of the second option at which the first one varies."""
    scale = found["measure"].map({name: measure.per_unit for name, measure in _ALL.items()}).astype(float)
    titles = found["measure"].map({name: measure.title for name, measure in _ALL.items()})
    positions = axis_of(option).positions if option.is_numeric else {}
    points = pd.DataFrame(
        {
            "strategy": found["strategy"],
            "value": [words(option.name, value) for value in found[option.name]],
            "x": found[option.name].map(positions).astype(float) if positions else np.nan,
            "second": [words(second.name, value) for value in found[second.name]] if second else "",
            "measure": titles,
            **{side: found[side] / scale for side in ("mean", "low", "high")},
            units.name: found["replicates"],
        }
    )
    several = points.groupby("second")["value"].transform("nunique") > 1
    return points[several].reset_index(drop=True)


def _possible(points: pd.DataFrame) -> pd.DataFrame:
    """Points whose intervals leave out what a measure cannot be."""
    most = points["measure"].map({measure.title: measure.most for measure in _ALL.values()}).astype(float)
    return points.assign(low=points["low"].clip(lower=0.0), high=points["high"].clip(upper=most))


def _caption(results: Results, curves: Curves, free: Sequence[str], base: str | None) -> str:
    said = [
        f"Each line is the difference of a strategy to {base}. Both saw the same vehicles in each seed."
        if base
        else f"One line for each strategy. {definitions(curves.measures)}",
        interval_words(results),
    ]
    if curves.second is not None and not curves.stills_show_second:
        said.append(f"The printed page and the files show {label_of(curves.second.name)} {curves.at}.")
    values = curves.points.groupby("strategy")["value"].nunique()
    alone = [name for name in curves.strategies if values[name] == 1]
    if alone:
        said.append(f"These strategies have one point alone: {', '.join(alone)}.")
    return " ".join([*said, elsewhere(results, free)])


def definitions(measures: Sequence[Measure]) -> str:
    """A sentence for each measure."""
    return " ".join(f"{measure.label[0].upper()}{measure.label[1:]}: {measure.definition}." for measure in measures)


def interval_words(results: Results) -> str:
    """What bands and bars are; why there are none."""
    many, units = len(results.replicates), results.units
    if many < 2:
        return f"No intervals: {units.alone}. To get them, {units.more}."
    return f"Bands and bars are 95 % intervals of the mean over {many} {units.name}."
