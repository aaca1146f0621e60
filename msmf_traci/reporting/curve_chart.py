"""How curves are drawn: values of an option along the axis, a line or a mark a strategy, intervals as bands or bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.axis import Axis, axis_of
from msmf_traci.reporting.figure import POINTS, choice
from msmf_traci.reporting.measures import Measure
from msmf_traci.reporting.numbers import MEASURED
from msmf_traci.reporting.options import Option, words
from msmf_traci.reporting.statistics import Units


@dataclass(frozen=True)
class Curves:
    """Points of one figure and what their axes mean.

    Attributes
    ----------
    points
        Columns `strategy`, `value`, `x`, `second`, `measure`, `mean`, `low`, `high`, and how many replicates (by their name).
    option, second
        The axis, and the option beside it that is chosen from; None where no other varies.
    measures
        What can be chosen from.
    strategies
        In their order.
    has_zero_line
        Whether values are differences.
    units
        What the replicates are.
    stills_show_second
        Whether stills have a column of panels for each value of the second option, rather than one value.
    """

    points: pd.DataFrame
    option: Option
    second: Option | None
    measures: Sequence[Measure]
    strategies: list[str]
    has_zero_line: bool
    units: Units
    stills_show_second: bool = False

    @property
    def seconds(self) -> list[str]:
        """Words of the values of the second option that there are points of, in order."""
        here = set(self.points["second"])
        return [name for value in self.second.values if (name := words(self.second.name, value)) in here] if self.second else []

    @property
    def at(self) -> str:
        """The value of the second option that is shown first."""
        known = [words(self.second.name, value) for value in self.second.values] if self.second else [""]
        wanted = words(self.second.name, self.second.reference) if self.second else ""
        shown = set(self.points["second"])
        return wanted if wanted in shown else next((name for name in known if name in shown), "")


def page_chart(curves: Curves) -> alt.TopLevelMixin:
    """One panel, with choices of what it shows."""
    titles = [measure.title for measure in curves.measures]
    params = [choice("measure", "Shown", titles, titles[0]) if len(titles) > 1 else alt.param(name="measure", value=titles[0])]
    keep = "datum.measure == measure"
    if curves.second is not None:
        params.append(choice("second", curves.second.label, curves.seconds, curves.at))
        keep += " && datum.second == second"
    picked = alt.selection_point(name="picked", fields=["strategy"], bind="legend")
    chart = _layers(curves, picked).transform_filter(keep)
    return chart.add_params(*params).properties(
        width="container", height=style.PAGE_HEIGHT, title=alt.TitleParams(text=alt.ExprRef("measure"))
    )


def still(curves: Curves, title: str) -> alt.TopLevelMixin:
    """Every definition side by side, so that none is chosen in silence."""
    panels = len(curves.measures)
    title_lines = alt.TitleParams(text=title, fontSize=15, subtitleFontSize=12, offset=12)
    header = alt.Header(title=None, labelAnchor="start")
    # one panel alone is as wide as its title
    width = style.STILL_WIDTH if panels > 1 or curves.stills_show_second else style.STILL_WIDTH_ALONE
    panel = _layers(curves).properties(width=width, height=style.STILL_HEIGHT)
    measures = [measure.title for measure in curves.measures]
    if curves.stills_show_second and curves.second is not None:
        columns = alt.Column("second:N", sort=curves.seconds, title=curves.second.label)
        rows = alt.Row("measure:N", sort=measures, header=header)
        faceted = panel.facet(row=rows, column=columns)
    else:
        title_lines.subtitle = f"{curves.second.label}: {curves.at}" if curves.second is not None and curves.at else ""
        faceted = panel.facet(alt.Facet("measure:N", sort=measures, header=header), columns=2)
        faceted = faceted.transform_filter(alt.FieldEqualPredicate(field="second", equal=curves.at))
    chart: alt.TopLevelMixin = faceted.resolve_scale(y="independent").resolve_axis(x="independent").properties(title=title_lines)
    return chart


def _layers(curves: Curves, picked: alt.Parameter | None = None) -> alt.LayerChart:
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
            alt.Tooltip("mean:Q", format=MEASURED),
            alt.Tooltip("low:Q", title="95 % from", format=MEASURED),
            alt.Tooltip("high:Q", title="95 % to", format=MEASURED),
            alt.Tooltip(f"{curves.units.name}:Q"),
        ],
    )
    layers.append(marks.add_params(picked) if picked is not None else marks)
    return alt.LayerChart(layer=layers)


def _x(curves: Curves, axis: Axis | None) -> alt.X:
    if axis is not None:
        return axis.encoding()
    order = [words(curves.option.name, value) for value in curves.option.values]
    return alt.X("value:O", title=curves.option.label, sort=order, axis=alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' / ')"))
