"""Stacked bars of GB per trip, one bar a strategy: lying on the page, upright in panels by speed on stills."""

from __future__ import annotations

import altair as alt
import pandas as pd

from msmf_traci.reporting.by_speed import at_words, speed_choice, speed_words, speeds_of
from msmf_traci.reporting.figure import POINTS, Figure
from msmf_traci.reporting.numbers import MEASURED
from msmf_traci.reporting.reading import Results

_AMOUNT, _GB = "sum(gb_per_trip):Q", "GB per trip"


def stacked_figure(
    results: Results, name: str, title: str, caption: str, points: pd.DataFrame, page: alt.Chart, stills: dict[str, alt.Chart]
) -> Figure:
    """A figure of stacked bars, with a choice of the speed; its stills are panels by speed."""
    speeds = speeds_of(results, points)
    page = (
        page.add_params(*speed_choice(results, speeds))
        .transform_filter("datum.speed == speed" if len(speeds) > 1 else "true")
        .properties(width="container", height=30 * points["strategy"].nunique())
    )
    header = alt.Header(title=None, labelAnchor="start")
    panels = [
        chart.properties(width=alt.Step(22), height=130)
        .facet(alt.Facet("at:N", sort=[speed_words(speed) for speed in speeds], header=header), columns=4)
        .transform_calculate(at="datum.speed + ' km/h'" if speeds != [""] else "'all trips'")
        .properties(title=what)
        for what, chart in stills.items()
    ]
    still = alt.vconcat(*panels).resolve_scale(color="independent").properties(title=alt.TitleParams(text=title, fontSize=15, offset=12))
    return Figure(name, title, f"{caption}{at_words(results)}", points, page, still)


def lying(names: list[str], field: str, colors: dict[str, str], shown: alt.ExprRef | None = None) -> alt.Chart:
    """Lying bars, one a strategy, of the parts that an expression names; a legend of those shown."""
    legend = alt.Legend(title=None, orient="bottom", columns=2, values=alt.Undefined if shown is None else shown)
    y = alt.Y("strategy:N", sort=names, title=None, axis=alt.Axis(labelLimit=120))
    return _bars(field, colors, legend).encode(x=alt.X(_AMOUNT, title=_GB), y=y)


def upright(names: list[str], field: str, colors: dict[str, str]) -> alt.Chart:
    """Upright bars of a panel."""
    x = alt.X("strategy:N", sort=names, title=None, axis=alt.Axis(labelAngle=-60))
    return _bars(field, colors, alt.Legend(title=None, orient="bottom", columns=4)).encode(x=x, y=alt.Y(_AMOUNT, title=_GB))


def _bars(field: str, colors: dict[str, str], legend: alt.Legend) -> alt.Chart:
    scale = alt.Scale(domain=list(colors), range=list(colors.values()))
    chart: alt.Chart = (
        alt.Chart(POINTS)
        .transform_calculate(part=field)
        .transform_calculate(place=f"{ {name: place for place, name in enumerate(colors)} }[datum.part]")
        .mark_bar()
        .encode(
            color=alt.Color("part:N", scale=scale, legend=legend),
            order=alt.Order("place:Q"),
            tooltip=[alt.Tooltip("strategy:N"), alt.Tooltip("part:N"), alt.Tooltip(_AMOUNT, title=_GB, format=MEASURED)],
        )
    )
    return chart
