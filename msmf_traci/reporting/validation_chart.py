"""The picture of a validation: what models expect of migrations against what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.stills import write_drawing

_SIZE = 300
MODEL_LABELS = {"equation_1": "equation (1)", "fitted": "fitted model"}
_MEASURED = "measured, s (mean and range)"
_QUANTITIES = {"total": "Total time", "downtime": "Downtime"}
# orange and blue of Okabe and Ito's, and marks that stay apart in grey
_COLORS, _SHAPES = ("#D55E00", "#0072B2"), ("triangle-up", "circle")
_FOUR_COLORS, _FOUR_SHAPES = ("#D55E00", "#0072B2", "#009E73", "#CC79A7"), ("triangle-up", "circle", "square", "diamond")
_LEGEND = alt.Legend(title=None, orient="bottom")


def write_validation(table: pd.DataFrame, path: Path) -> None:
    """Write SVG and PNG of a comparison.

    Parameters
    ----------
    table
        One row a setting: `<quantity>_mean_s`, `_min_s`, `_max_s`, what each model expects as `<model>_<quantity>_s`, `is_fitted_on`.
    path
        Without ending.
    """
    write_drawing(_chart(table).to_dict(), path)


PUBLISHED_LABELS = {"equation_1": "equation (1)", "preset": "preset", "fit": "fit", "left_out": "fit to the others"}
_FACTORS = [0.01, 0.03, 0.1, 0.3, 1, 3]


def write_published(table: pd.DataFrame, path: Path) -> None:
    """Write SVG and PNG of what models expect of the migrations of several sets, as a multiple of what was measured.

    Parameters
    ----------
    table
        One row a migration: `set`, and `<model>_<quantity>_error` of each model.
    path
        Without ending.
    """
    labels = {name: label for name, label in PUBLISHED_LABELS.items() if table[f"{name}_downtime_error"].notna().any() or name == "fit"}
    points = pd.concat(
        [
            pd.DataFrame(
                {
                    "model": label,
                    "set": table["set"],
                    "quantity": title,
                    "factor": (table[f"{model}_{quantity}_error"] + 1).clip(lower=0.01),
                }
            )
            for model, label in labels.items()
            for quantity, title in _QUANTITIES.items()
        ],
        ignore_index=True,
    ).dropna()
    most = max(3.0, float(points["factor"].max()) * 1.1)
    factor = alt.X(
        "factor:Q",
        scale=alt.Scale(type="log", domain=[0.01, most], nice=False),
        title="expected / measured (0.01: or less)",
        axis=alt.Axis(values=_FACTORS, format="~g"),
    )
    color = alt.Color("model:N", scale=alt.Scale(domain=list(labels.values()), range=list(_FOUR_COLORS)), legend=_LEGEND)
    shape = alt.Shape("model:N", scale=alt.Scale(domain=list(labels.values()), range=list(_FOUR_SHAPES)), legend=_LEGEND)
    place = alt.Y("set:N", sort=None, title=None, axis=alt.Axis(labelLimit=200))
    offset = alt.YOffset("model:N", sort=list(labels.values()))
    one = alt.Chart(pd.DataFrame({"factor": [1.0]})).mark_rule(color=style.ZERO, strokeDash=[4, 3])
    panels = [
        alt.layer(
            one.encode(x=factor),
            alt.Chart(points[points["quantity"] == title])
            .mark_point(filled=True, size=35, opacity=0.8)
            .encode(x=factor, y=place, yOffset=offset, color=color, shape=shape),
        ).properties(width=_SIZE, height=alt.Step(9), title=title)
        for title in _QUANTITIES.values()
        if (points["quantity"] == title).any()
    ]
    write_drawing(alt.hconcat(*panels).to_dict(), path)


def _chart(table: pd.DataFrame) -> alt.HConcatChart:
    panels: alt.HConcatChart = alt.hconcat(*(_panel(table, quantity) for quantity in _QUANTITIES)).resolve_scale(
        color="shared", shape="shared"
    )
    return panels


def _panel(table: pd.DataFrame, quantity: str) -> Any:
    """Logarithmic axes, the line where both are equal, and the range of the repetitions."""
    measured = f"{quantity}_mean_s"
    points = pd.concat(
        [
            pd.DataFrame(
                {
                    "model": label,
                    "rows": table["is_fitted_on"].map({True: "fitted on", False: "tested"}),
                    "measured": table[measured],
                    "least": table[f"{quantity}_min_s"],
                    "greatest": table[f"{quantity}_max_s"],
                    "expected": table[f"{model}_{quantity}_s"],
                }
            )
            for model, label in MODEL_LABELS.items()
        ],
        ignore_index=True,
    )
    low, high = points[["least", "expected"]].min().min() * 0.85, points[["greatest", "expected"]].max().max() * 1.15
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    x = alt.X("measured:Q", scale=scale, title=_MEASURED, axis=alt.Axis(tickCount=5, format="~g"))
    y = alt.Y("expected:Q", scale=scale, title="expected, s", axis=alt.Axis(tickCount=5, format="~g"))
    models = list(MODEL_LABELS.values())
    color = alt.Color("model:N", scale=alt.Scale(domain=models, range=list(_COLORS)), legend=alt.Legend(title=None, orient="bottom"))
    shape = alt.Shape("model:N", scale=alt.Scale(domain=models, range=list(_SHAPES)), legend=alt.Legend(title=None, orient="bottom"))
    opacity = alt.Opacity(
        "rows:N", scale=alt.Scale(domain=["tested", "fitted on"], range=[1.0, 0.35]), legend=alt.Legend(title=None, orient="bottom")
    )
    equal = alt.Chart(pd.DataFrame({"measured": [low, high], "expected": [low, high]})).mark_line(color=style.ZERO, strokeDash=[4, 3])
    base = alt.Chart(points)
    return alt.layer(
        equal.encode(x=x, y=y),
        base.mark_rule().encode(x=alt.X("least:Q", scale=scale, title=_MEASURED), x2="greatest:Q", y=y, color=color, opacity=opacity),
        base.mark_point(filled=True, size=45).encode(x=x, y=y, color=color, shape=shape, opacity=opacity),
    ).properties(width=_SIZE, height=_SIZE, title=_QUANTITIES[quantity])
