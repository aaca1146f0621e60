"""Figures with an option along the axis: a curve a strategy, and what separates each strategy from a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from msmf_traci.report import style
from msmf_traci.report.axis import Axis, axis_of, words
from msmf_traci.report.figure import POINTS, Figure, choice
from msmf_traci.report.measures import DOWNTIME, MEASURES, TRAFFIC, Measure
from msmf_traci.report.options import IMAGE, SPEED, Option, axes, label_of
from msmf_traci.report.reading import Results
from msmf_traci.report.statistics import differences, intervals

BASELINE = "nearest"
_COLUMNS = ["strategy", "value", "x", "second", "measure", "mean", "low", "high", "seeds"]


@dataclass(frozen=True)
class _Curves:
    """Points of one figure and what their axes mean.

    Attributes
    ----------
    points
        Columns `strategy`, `value`, `x`, `second`, `measure`, `mean`, `low`, `high`, `seeds`.
    option, second
        The axis, and the option beside it that is chosen from; None where no other varies.
    measures
        What can be chosen from.
    strategies
        In their order.
    has_zero_line
        Whether values are differences.
    """

    points: pd.DataFrame
    option: Option
    second: Option | None
    measures: Sequence[Measure]
    strategies: list[str]
    has_zero_line: bool

    @property
    def at(self) -> str:
        """The value of the second option that is shown first."""
        known = [words(self.second.name, value) for value in self.second.values] if self.second else [""]
        wanted = words(self.second.name, self.second.reference) if self.second else ""
        shown = set(self.points["second"])
        return wanted if wanted in shown else next((name for name in known if name in shown), "")


def curve_figures(results: Results) -> list[Figure]:
    """Traffic, downtime and their differences to a baseline, against every option that varies."""
    made = []
    for option in axes(results.options):
        made += [
            _figure(results, option, TRAFFIC, f"traffic_by_{short_name(option)}", "Traffic"),
            _figure(results, option, DOWNTIME, f"downtime_by_{short_name(option)}", "Downtime"),
        ]
        if len(results.strategies) > 1:
            made.append(_figure(results, option, (*TRAFFIC, *DOWNTIME), f"differences_by_{short_name(option)}", "", baseline(results)))
    if SPEED in results.options:
        made.append(_figure(results, results.options[SPEED], (MEASURES["realised_kmh"],), "realised_speed", "Realised speed"))
    return [figure for figure in made if not figure.points.empty]


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
    """What the other options that vary are set to."""
    kept = [option for name, option in results.options.items() if name not in free]
    if not kept:
        return "No other option varies."
    return "At their reference: " + "; ".join(f"{option.label} = {words(option.name, option.reference)}" for option in kept) + "."


def _figure(results: Results, option: Option, measures: Sequence[Measure], name: str, what: str, base: str | None = None) -> Figure:
    # images change no speed
    second = None if name == "realised_speed" else second_of(results, option)
    free = [option.name, *([second.name] if second else [])]
    cells = results.where({}, free)
    if name == "realised_speed":
        cells = cells[cells["strategy"] == baseline(results)]  # every strategy sees the same vehicles
    columns = [measure.column for measure in measures]
    found = differences(cells, ["strategy", *free], columns, base) if base else intervals(cells, ["strategy", *free], columns)
    points = _in_readers_units(found, option, second)
    curves = _Curves(points, option, second, measures, [s for s in results.strategies if s in set(points["strategy"])], base is not None)
    title = f"Difference to {base} by {option.label}" if base else f"{what} by {option.label}"
    return Figure(name, title, _caption(results, curves, free, base), points, _page_chart(curves), _still(curves, title))


def _in_readers_units(found: pd.DataFrame, option: Option, second: Option | None) -> pd.DataFrame:
    """Points of values in units of the axes; only values of the second option at which the first one varies."""
    scale = found["measure"].map({name: measure.per_unit for name, measure in MEASURES.items()})
    titles = found["measure"].map({name: measure.title for name, measure in MEASURES.items()})
    positions = axis_of(option).positions if option.is_numeric else {}
    points = pd.DataFrame(
        {
            "strategy": found["strategy"],
            "value": [words(option.name, value) for value in found[option.name]],
            "x": found[option.name].map(positions).astype(float) if positions else np.nan,
            "second": [words(second.name, value) for value in found[second.name]] if second else "",
            "measure": titles,
            **{side: found[side] / scale for side in ("mean", "low", "high")},
            "seeds": found["seeds"],
        },
        columns=_COLUMNS,
    )
    several = points.groupby("second")["value"].transform("nunique") > 1
    return points[several].reset_index(drop=True)


def _caption(results: Results, curves: _Curves, free: Sequence[str], base: str | None) -> str:
    said = [
        f"Each strategy less {base}, paired by seed: vehicles and draws are the same."
        if base
        else "One line a strategy: " + "; ".join(f"{measure.label}: {measure.definition}" for measure in curves.measures) + ".",
        interval_words(results),
    ]
    if curves.second is not None:
        said.append(f"Stills are at {label_of(curves.second.name)} {curves.at}.")
    values = curves.points.groupby("strategy")["value"].nunique()
    alone = [name for name in curves.strategies if values[name] == 1]
    if alone:
        said.append(f"Run at one value only: {', '.join(alone)}.")
    return " ".join([*said, elsewhere(results, free)])


def interval_words(results: Results) -> str:
    """What bands and bars are; why there are none."""
    seeds = len(results.seeds)
    if seeds < 2:
        return "No intervals: one seed alone does not tell how much seeds differ; run at least two."
    return f"Bands and bars: 95 % intervals of the mean over seeds (at most {seeds}; Student's t)."


def _page_chart(curves: _Curves) -> alt.TopLevelMixin:
    titles = [measure.title for measure in curves.measures]
    params = [choice("measure", "Shown", titles, titles[0]) if len(titles) > 1 else alt.param(name="measure", value=titles[0])]
    keep = "datum.measure == measure"
    if curves.second is not None:
        shown = [name for value in curves.second.values if (name := words(curves.second.name, value)) in set(curves.points["second"])]
        params.append(choice("second", curves.second.label, shown, curves.at))
        keep += " && datum.second == second"
    picked = alt.selection_point(name="picked", fields=["strategy"], bind="legend")
    chart = _layers(curves, picked).transform_filter(keep)
    return chart.add_params(*params).properties(
        width="container", height=style.PAGE_HEIGHT, title=alt.TitleParams(text=alt.ExprRef("measure"))
    )


def _still(curves: _Curves, title: str) -> alt.TopLevelMixin:
    """Every definition side by side, so that none is chosen in silence."""
    panels = len(curves.measures)
    where = f"{curves.second.label}: {curves.at}" if curves.second is not None and curves.at else ""
    header = alt.Header(title=None, labelAnchor="start")
    chart: alt.TopLevelMixin = (
        _layers(curves)
        .properties(width=style.STILL_WIDTH, height=style.STILL_HEIGHT)
        .facet(alt.Facet("measure:N", sort=[measure.title for measure in curves.measures], header=header), columns=2 if panels <= 4 else 4)
        .transform_filter(alt.FieldEqualPredicate(field="second", equal=curves.at))
        .resolve_scale(y="independent")
        .resolve_axis(x="independent")
        .properties(title=alt.TitleParams(text=title, subtitle=where, fontSize=15, subtitleFontSize=12, offset=12))
    )
    return chart


def _layers(curves: _Curves, picked: alt.Parameter | None = None) -> alt.LayerChart:
    """Bands or bars, lines and marks of one panel."""
    names = curves.strategies
    opacity = (lambda full: alt.when(picked).then(alt.value(full)).otherwise(alt.value(0.08))) if picked else alt.value
    axis = axis_of(curves.option) if curves.option.is_numeric else None
    base = alt.Chart(POINTS).encode(x=_x(curves, axis), color=style.color(names))
    if axis is None:
        base = base.encode(xOffset=alt.XOffset("strategy:N", scale=alt.Scale(domain=names)))
    y = alt.Y("mean:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6))
    layers: list[alt.Chart] = []
    if curves.has_zero_line:
        layers.append(
            base.mark_rule(strokeWidth=1.2).encode(x=alt.value(0), x2=alt.value("width"), y=alt.YDatum(0), color=alt.value(style.ZERO))
        )
    texts = [words(curves.option.name, value) for value in curves.option.values if isinstance(value, str)]
    on_line = alt.FieldOneOfPredicate(
        field="value", oneOf=[words(curves.option.name, value) for value in curves.option.values if isinstance(value, float)]
    )
    if axis is not None:
        numbers = base.transform_filter(on_line)
        layers.append(numbers.mark_area().encode(y=alt.Y("low:Q", title=None), y2="high:Q", opacity=opacity(0.16)))
        layers.append(numbers.mark_line(strokeWidth=1.8).encode(y=y, strokeDash=style.dash(names, in_legend=False), opacity=opacity(1.0)))
    if axis is None or texts:
        apart = base if axis is None else base.transform_filter(alt.FieldOneOfPredicate(field="value", oneOf=texts))
        layers.append(apart.mark_rule(strokeWidth=1.6).encode(y=alt.Y("low:Q", title=None), y2="high:Q", opacity=opacity(1.0)))
    marks = base.mark_point(filled=True, size=48).encode(
        y=y,
        shape=style.shape(names),
        opacity=opacity(1.0),
        tooltip=[
            alt.Tooltip("strategy:N"),
            alt.Tooltip("value:N", title=curves.option.label),
            alt.Tooltip("mean:Q", format=".4~g"),
            alt.Tooltip("low:Q", title="95 % from", format=".4~g"),
            alt.Tooltip("high:Q", title="95 % to", format=".4~g"),
            alt.Tooltip("seeds:Q"),
        ],
    )
    layers.append(marks.add_params(picked) if picked is not None else marks)
    return alt.LayerChart(layer=layers)


def _x(curves: _Curves, axis: Axis | None) -> alt.X:
    if axis is not None:
        return axis.encoding()
    order = [words(curves.option.name, value) for value in curves.option.values]
    return alt.X("value:O", title=curves.option.label, sort=order, axis=alt.Axis(labelAngle=0))
