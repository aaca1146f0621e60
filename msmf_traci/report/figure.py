"""What a figure is: a chart, the points that it draws, and the words beside it."""

from __future__ import annotations

from dataclasses import dataclass

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
