"""What a figure is: a chart, the points that it draws, and the words beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd


@dataclass(frozen=True)
class Figure:
    """One figure of a report.

    Attributes
    ----------
    name
        Of its files: `NAME.svg`, `NAME.png`, `NAME.csv`.
    title, caption
        As a reader sees them; the caption says what the points are, over what, and what is left out and why.
    points
        What is drawn, in the units of the axes.
    chart
        For the page, with choices and values on hover.
    still
        For SVG and PNG, one choice of each.
    """

    name: str
    title: str
    caption: str
    points: pd.DataFrame
    chart: alt.TopLevelMixin
    still: alt.TopLevelMixin


POINTS = alt.NamedData("points")
"""The data of a chart that draws its figure's points: put in when the chart is written, so that building it copies none."""


def specification(figure: Figure, chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Vega-Lite's specification of one of a figure's charts, data included."""
    made: dict[str, Any] = chart.to_dict(validate=False)
    if POINTS.name not in made.get("datasets", {}):
        made["datasets"] = made.get("datasets", {}) | {POINTS.name: _records(figure.points)}
    return made


def choice(name: str, label: str, options: Sequence[str], first: str) -> alt.Parameter:
    """A list to choose from, bound to a chart's parameter."""
    return alt.param(name=name, value=first, bind=alt.binding_select(options=list(options), name=label))


def _records(points: pd.DataFrame) -> list[dict[str, Any]]:
    """Points as a chart holds them: numbers of six digits, null where there is none."""
    return [{str(name): _short(value) for name, value in record.items()} for record in points.to_dict("records")]


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
