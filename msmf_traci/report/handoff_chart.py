"""The picture of Figures 8(b) and 8(c) on the testbed: handoffs as they were simulated and as they were measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from msmf_traci.report import style
from msmf_traci.report.stills import write_drawing

_BYTES_PER_MB = 1e6
# columns of times, what they are called, and their colours (Okabe and Ito's) and marks
_TIMES = {"simulated_downtime_s": "simulated", "fitted_downtime_s": "fitted model", "measured_downtime_s": "measured"}
_COLORS, _SHAPES = ("#D55E00", "#0072B2", "#000000"), ("triangle-up", "circle", "cross")


def write_handoffs(table: pd.DataFrame, path: Path) -> None:
    """Write SVG and PNG of Figure 8(b) and 8(c).

    Parameters
    ----------
    table
        One row a handoff: `figure` (8b or 8c), `application`, `strategy`, `mode`, for every kind of bytes `simulated_<kind>_bytes` and
        `measured_<kind>_bytes`, `simulated_downtime_s`, `measured_downtime_s` and, if a model was fitted, `fitted_downtime_s`.
    path
        Without ending.
    """
    bytes_panel, times_panel = _bytes_panel(table[table["figure"] == "8b"]), _times_panel(table[table["figure"] == "8c"])
    write_drawing(alt.hconcat(bytes_panel, times_panel, spacing=40).resolve_scale(color="independent", shape="independent").to_dict(), path)


def _bytes_panel(table: pd.DataFrame) -> Any:
    """Two stacked bars an application: mean bytes of a migration by kind."""
    columns = {f"{source}_{kind}_bytes": (source, kind) for source in ("simulated", "measured") for kind in style.KINDS}
    points = table.groupby("application")[list(columns)].mean().div(_BYTES_PER_MB).reset_index().melt("application", value_name="mb")
    points["source"], points["kind"] = (
        points["variable"].map(lambda name: columns[name][0]),
        points["variable"].map(lambda name: columns[name][1]),
    )
    points["rank"] = points["kind"].map(list(style.KINDS).index)
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(style.KINDS), range=list(style.KINDS.values())),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    bars = (
        alt.Chart(points)
        .mark_bar()
        .encode(
            x=alt.X("source:N", sort=["simulated", "measured"], title=None, axis=alt.Axis(labelAngle=-35)),
            y=alt.Y("mb:Q", title="MB of a migration"),
            color=color,
            order="rank:O",
        )
    )
    header = alt.Header(title=None)
    return (
        bars.properties(width=70, height=220)
        .facet(column=alt.Column("application:N", header=header))
        .properties(title="8(b): data of a migration")
    )


def _times_panel(table: pd.DataFrame) -> Any:
    """A mark a handoff and source: downtime by strategy, a panel for each means of transport."""
    times = {name: label for name, label in _TIMES.items() if name in table}
    points = table.melt(["strategy", "mode"], list(times), value_name="downtime")
    points["source"] = points["variable"].map(times)
    labels, legend = list(times.values()), alt.Legend(title=None, orient="bottom")
    which = [number for number, name in enumerate(_TIMES) if name in times]
    color = alt.Color("source:N", scale=alt.Scale(domain=labels, range=[_COLORS[number] for number in which]), legend=legend)
    shape = alt.Shape("source:N", scale=alt.Scale(domain=labels, range=[_SHAPES[number] for number in which]), legend=legend)
    marks = (
        alt.Chart(points)
        .mark_point(filled=True, size=55, opacity=0.75)
        .encode(
            x=alt.X("strategy:N", sort=list(dict.fromkeys(table["strategy"])), title=None, axis=alt.Axis(labelAngle=-35)),
            xOffset=alt.XOffset("source:N", sort=labels),
            y=alt.Y("downtime:Q", title="downtime of a handoff, s"),
            color=color,
            shape=shape,
        )
    )
    header = alt.Header(title=None)
    order = [mode for mode in ("walk", "bike", "bus", "car") if mode in set(points["mode"])]
    return (
        marks.properties(width=150, height=220)
        .facet(column=alt.Column("mode:N", sort=order, header=header))
        .properties(title="8(c): downtime, ram")
    )
