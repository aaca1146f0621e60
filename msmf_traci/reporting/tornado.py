"""Tornados: how far each option alone moves a headline figure away from its value at the reference."""

from __future__ import annotations

import altair as alt
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.figure import POINTS, Figure, choice
from msmf_traci.reporting.numbers import CHANGE, MEASURED
from msmf_traci.reporting.options import label_of
from msmf_traci.reporting.sensitivity import AND

# options by themselves, and several at once that move more than any of their parts; the others are in the table
_SHOWN, _SHOWN_AT_ONCE = 18, 4


def tornado_figures(table: pd.DataFrame) -> list[Figure]:
    """One figure a headline.

    Parameters
    ----------
    table
        Of a :class:`~msmf_traci.reporting.sensitivity.Sensitivity`.
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
    points["option"] = points["option"].map(lambda option: AND.join(label_of(name) for name in option.split(AND)))
    places = list(dict.fromkeys(points["at"]))
    order = _shown(points["change"].abs().groupby(points["option"]).max().sort_values(ascending=False))
    many = points["option"].nunique()
    points = points[points["option"].isin(order)].reset_index(drop=True)
    chart = (
        _bars(order, unit)
        .add_params(choice("at", "At", places, _most_studied(points["at"])))
        .transform_filter("datum.at == at")
        .properties(width="container", height=24 * len(order))
    )
    still = (
        _bars(order, unit)
        .properties(width=style.STILL_WIDTH, height=alt.Step(20))
        .facet(alt.Facet("at:N", sort=places, header=alt.Header(title=None, labelAnchor="start")), columns=3)
        .properties(title=alt.TitleParams(text=title, fontSize=15, offset=12))
    )
    rest = f" The {len(order)} of {many} options that change it most are shown. sensitivity.csv has all." if many > len(order) else ""
    caption = (
        f"The change of {title} when one option, or several at once, leave their reference. Each mark is a value of the option. "
        f"Bars go from the lowest to the highest. Thin lines are 95 % intervals of differences in the same seed.{rest}"
    )
    return Figure(f"tornado_{headline}", f"What {title} depends on", caption, points, chart, still)


def _shown(reach: pd.Series[float]) -> list[str]:
    """Options in the order of how far they move a figure; of several at once those that go further than their parts."""
    alone = [str(option) for option in reach.index if AND not in str(option)][:_SHOWN]
    further = [
        str(option)
        for option, far in reach.items()
        if AND in str(option) and all(far > 1.1 * reach.get(part, 0.0) for part in str(option).split(AND))
    ][:_SHOWN_AT_ONCE]
    return [str(option) for option in reach.index if option in {*alone, *further}]


def _most_studied(places: pd.Series[str]) -> str:
    """Where most settings were tried; of several such places the middle one."""
    counts = places.value_counts(sort=False)
    most = [str(place) for place in counts.index if counts[place] == counts.max()]
    return most[len(most) // 2]


def _bars(order: list[str], unit: str) -> alt.LayerChart:
    y = alt.Y("option:N", sort=order, title=None, axis=alt.Axis(labelLimit=230, grid=False))
    title = f"change ({unit.replace('%', 'percentage points')})" if unit else "change"
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
                alt.Tooltip("change:Q", format=CHANGE),
                alt.Tooltip("change_low:Q", title="95 % from", format=CHANGE),
                alt.Tooltip("change_high:Q", title="95 % to", format=CHANGE),
                alt.Tooltip("mean:Q", title="value then", format=MEASURED),
                alt.Tooltip("seeds:Q"),
            ],
        )
    )
    return alt.LayerChart(layer=[bars, zero, spans, marks])
