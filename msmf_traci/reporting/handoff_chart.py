"""Figures 8(b) and 8(c) on the testbed as a picture: handoffs as simulated, as models expect them, and as measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.stills import write_drawing
from msmf_traci.units import BYTES_PER_MB

# where a number comes from, by the beginning of its column: what it is called, its colour (Okabe and Ito's) and mark
_SOURCES = {
    "simulated": ("simulated", "#E69F00", "diamond"),
    "equation_1": ("equation (1)", "#D55E00", "triangle-up"),
    "fitted": ("fitted model", "#0072B2", "circle"),
    "measured": ("measured", "#000000", "cross"),
}
_MODES = ("walk", "bike", "bus", "car")
_HEIGHT = 220
_SLANTED = alt.Axis(labelAngle=-35)
_BENEATH = alt.Legend(title=None, orient="bottom")
_UNTITLED = alt.Header(title=None)


def write_handoffs(table: pd.DataFrame, path: Path) -> None:
    """Write SVG and PNG of Figures 8(b) and 8(c).

    Parameters
    ----------
    table
        One row a handoff: `figure` (8b or 8c), `application`, `strategy`, `mode`, and for each source `<source>_<kind>_bytes` and
        `<source>_downtime_s`; sources are simulated, equation_1 and measured and, if a model was fitted, fitted.
    path
        Without ending.
    """
    sources = [source for source in _SOURCES if f"{source}_downtime_s" in table]
    panels = _bytes_panel(table[table["figure"] == "8b"], sources), _times_panel(table[table["figure"] == "8c"], sources)
    write_drawing(alt.hconcat(*panels, spacing=40).resolve_scale(color="independent", shape="independent").to_dict(), path)


def _bytes_panel(table: pd.DataFrame, sources: Sequence[str]) -> Any:
    """A stacked bar for each application and source: mean bytes of a migration by kind."""
    means = table.groupby("application").mean(numeric_only=True) / BYTES_PER_MB
    points = pd.DataFrame(
        [
            {"application": application, "source": _SOURCES[source][0], "kind": kind, "rank": rank, "mb": row[f"{source}_{kind}_bytes"]}
            for application, row in means.iterrows()
            for source in sources
            for rank, kind in enumerate(style.KINDS)
        ]
    )
    kinds = alt.Scale(domain=list(style.KINDS), range=list(style.KINDS.values()))
    bars = alt.Chart(points).mark_bar().encode(
        x=alt.X("source:N", sort=[_SOURCES[source][0] for source in sources], title=None, axis=_SLANTED),
        y=alt.Y("mb:Q", title="MB of a migration"),
        color=alt.Color("kind:N", scale=kinds, legend=_BENEATH),
        order="rank:O",
    )  # fmt: skip
    applications = alt.Column("application:N", header=_UNTITLED)
    return bars.properties(width=90, height=_HEIGHT).facet(column=applications).properties(title="8(b): data of a migration")


def _times_panel(table: pd.DataFrame, sources: Sequence[str]) -> Any:
    """A mark for each handoff and source: downtime by strategy, a panel for each means of transport."""
    shown = [source for source in sources if source != "equation_1"]  # which says what was simulated, but where the lead was cut
    labels, colors, shapes = ([_SOURCES[source][number] for source in shown] for number in range(3))
    points = table.melt(["strategy", "mode"], [f"{source}_downtime_s" for source in shown], "source", "downtime")
    points["source"] = points["source"].map(dict(zip((f"{source}_downtime_s" for source in shown), labels, strict=True)))
    marks = alt.Chart(points).mark_point(filled=True, size=55, opacity=0.75).encode(
        x=alt.X("strategy:N", sort=list(dict.fromkeys(table["strategy"])), title=None, axis=_SLANTED),
        xOffset=alt.XOffset("source:N", sort=labels),
        y=alt.Y("downtime:Q", title="downtime of a handoff, s"),
        color=alt.Color("source:N", scale=alt.Scale(domain=labels, range=colors), legend=_BENEATH),
        shape=alt.Shape("source:N", scale=alt.Scale(domain=labels, range=shapes), legend=_BENEATH),
    )  # fmt: skip
    modes = alt.Column("mode:N", sort=[mode for mode in _MODES if mode in set(points["mode"])], header=_UNTITLED)
    return marks.properties(width=150, height=_HEIGHT).facet(column=modes).properties(title="8(c): downtime of the application ram")
