"""Tornados: how far each option alone moves a headline figure away from its value at the reference."""

from __future__ import annotations

import altair as alt
import pandas as pd

from msmf_traci.report import style
from msmf_traci.report.figure import POINTS, Figure, choice

_SHOWN = 16  # options; the smaller ones are in the table


def tornado_figures(table: pd.DataFrame) -> list[Figure]:
    """One figure a headline.

    Parameters
    ----------
    table
        Of a :class:`~msmf_traci.report.sensitivity.Sensitivity`.
    """
    return [figure for headline, rows in table.groupby("headline", sort=False) if (figure := _tornado(str(headline), rows)) is not None]


def _tornado(headline: str, rows: pd.DataFrame) -> Figure | None:
    moved = rows[~rows["is_reference"].astype(bool) & rows["change"].notna()]
    if moved.empty:
        return None
    title, unit = str(rows["title"].iloc[0]), str(rows["unit"].iloc[0])
    points = moved[["at", "option", "value", "mean", "change", "change_low", "change_high", "seeds"]].reset_index(drop=True)
    for name in ("at", "option", "value"):
        points[name] = points[name].astype(str)
    places = list(dict.fromkeys(points["at"]))
    reach = points["change"].abs().groupby(points["option"]).max().sort_values(ascending=False)
    order = reach.index.tolist()[:_SHOWN]
    points = points[points["option"].isin(order)].reset_index(drop=True)
    chart = (
        _bars(order, unit)
        .add_params(choice("at", "At", places, places[0]))
        .transform_filter("datum.at == at")
        .properties(width="container", height=alt.Step(24), autosize=style.FIT_WIDTH)
    )
    still = (
        _bars(order, unit)
        .properties(width=style.STILL_WIDTH, height=alt.Step(20))
        .facet(alt.Facet("at:N", sort=places, header=alt.Header(title=None, labelAnchor="start")), columns=3)
        .properties(title=alt.TitleParams(text=title, fontSize=15, offset=12))
    )
    rest = (
        f"The {_SHOWN} options that move it most are shown; sensitivity.csv has all." if len(reach) > _SHOWN else "All options are shown."
    )
    caption = (
        f"Change of {title} from its value at the reference when one option alone, or two together, take other values (paired by seed). "
        f"Bars go from the lowest to the highest; each mark is a value, thin lines are 95 % intervals over seeds. {rest}"
    )
    return Figure(f"tornado_{headline}", f"What {title} depends on", caption, points, chart, still)


def _bars(order: list[str], unit: str) -> alt.LayerChart:
    y = alt.Y("option:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, grid=False))
    title = f"change ({unit})" if unit else "change"
    bars = (
        alt.Chart(POINTS)
        .mark_bar(opacity=0.35, height=alt.RelativeBandSize(0.6), color="#56B4E9")
        .encode(y=y, x=alt.X("min(change):Q", title=title), x2="max(change):Q")
    )
    zero = alt.Chart(POINTS).mark_rule(color=style.ZERO).encode(x=alt.XDatum(0))
    spans = alt.Chart(POINTS).mark_rule(color="#0072B2").encode(y=y, x=alt.X("change_low:Q"), x2="change_high:Q")
    marks = (
        alt.Chart(POINTS)
        .mark_point(filled=True, size=45, color="#0072B2")
        .encode(
            y=y,
            x=alt.X("change:Q"),
            tooltip=[
                alt.Tooltip("option:N"),
                alt.Tooltip("value:N"),
                alt.Tooltip("change:Q", format="+.4~g"),
                alt.Tooltip("change_low:Q", title="95 % from", format="+.4~g"),
                alt.Tooltip("change_high:Q", title="95 % to", format="+.4~g"),
                alt.Tooltip("mean:Q", title="value then", format=".4~g"),
                alt.Tooltip("seeds:Q"),
            ],
        )
    )
    return alt.LayerChart(layer=[bars, zero, spans, marks])
