"""The first picture: how well each strategy serves, and how much traffic it needs for that."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import altair as alt
import numpy as np
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.curves import definitions, elsewhere, interval_words
from msmf_traci.reporting.figure import POINTS, Figure
from msmf_traci.reporting.measures import SATISFIED, TRAFFIC, Measure
from msmf_traci.reporting.numbers import MEASURED
from msmf_traci.reporting.options import Option, with_value, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import intervals

NAME = "overview"

_TRAFFIC = TRAFFIC[0]
_TITLE = "Satisfaction and traffic of each strategy"
_HEIGHT, _STILL_WIDTH, _STILL_HEIGHT = 420, 640, 380
_LABEL_PX, _LABEL_GAP_PX = 15.0, 9


def overview_figure(results: Results) -> Figure:
    """One point for each strategy and setting; the strategy's name stands at the reference."""
    points = _points(results)
    names = [name for name in results.strategies if name in set(points["strategy"])]
    has_front = bool(points["is_front"].any())
    settings = points["setting"].nunique()
    joined = f" Lines join the values of {results.design[0].label}." if points["step"].notna().any() else ""
    small = "Small points are the other settings." if settings > 2 else "The small point is the other setting."
    what = f"The large point is the reference. {small}{joined}" if settings > 1 else ""
    caption = " ".join(
        part
        for part in (
            f"One point for each strategy and setting. The upper left is best. {definitions([SATISFIED, _TRAFFIC])}",
            what,
            elsewhere(results, []) if settings > 1 else "",
            _FRONT_WORDS if has_front else "",
            _perfect_words([name for name in results.perfect if name in names]),
            interval_words(results),
        )
        if part
    )
    page = _layers(points, names, _HEIGHT, results.units.name).properties(width="container", height=_HEIGHT)
    title = alt.TitleParams(text=_TITLE, fontSize=15, offset=12)
    still = _layers(points, names, _STILL_HEIGHT, results.units.name).properties(width=_STILL_WIDTH, height=_STILL_HEIGHT, title=title)
    return Figure(NAME, _TITLE, caption, points, page, still)


_FRONT_WORDS = "The dashed grey line is the Pareto front: strategies that no other one beats in both. Perfect prediction is left out of it."


def _perfect_words(named: Sequence[str]) -> str:
    """What strategies that know the road ahead are called; empty where there are none."""
    verb = "is" if len(named) == 1 else "are"
    return f"{' and '.join(named)} {verb} perfect prediction: the road ahead is known." if named else ""


def _points(results: Results) -> pd.DataFrame:
    """One row for each strategy and setting: `strategy`, `setting`, `is_reference`, `step`, mean and interval of both measures."""
    rows, options = results.few_designed, results.design
    keys = ["strategy", *(option.name for option in options)]
    found = intervals(rows, keys, [SATISFIED.column, _TRAFFIC.column])
    sides = [_side(found, measure, keys) for measure in (SATISFIED, _TRAFFIC)]
    table = sides[0].merge(sides[1].drop(columns="replicates"), on=keys).rename(columns={"replicates": results.units.name})
    is_reference = np.ones(len(table), dtype=bool)
    for option in options:
        is_reference &= (table[option.name] == option.reference).to_numpy()
    texts = [[with_value(option.name, words(option.name, value)) for value in table[option.name]] for option in options]
    on_front = front(*(table.loc[is_reference & ~table["strategy"].isin(results.perfect), name] for name in ("traffic", "satisfied")))
    table["is_front"] = table.index.isin(on_front) & (len(on_front) > 1)
    setting = ["; ".join(parts) for parts in zip(*texts, strict=True)] if texts else "the reference"
    return table.assign(setting=setting, is_reference=is_reference, step=_steps(table, options)).drop(columns=keys[1:])


def front(traffic: pd.Series[float], satisfied: pd.Series[float]) -> list[Hashable]:
    """Labels of the points that no other one beats: less traffic at as high a share, or a higher one at as little traffic."""
    order = pd.DataFrame({"traffic": traffic, "share": satisfied}).dropna()
    order = order.sort_values(["traffic", "share"], ascending=[True, False], kind="stable")
    kept: list[Hashable] = []
    best = -math.inf
    for label, share in zip(order.index, order["share"], strict=True):
        if share > best:
            kept.append(label)
            best = share
    return kept


def _steps(table: pd.DataFrame, options: list[Option]) -> pd.Series[float]:
    """Place along the first option's numbers of the points that a line joins: those with all other options at their reference."""
    if not options or not options[0].is_numeric:
        return pd.Series(np.nan, index=table.index)
    first, others = options[0], options[1:]
    steps = table[first.name].map({value: float(place) for place, value in enumerate(first.values) if isinstance(value, float)})
    for option in others:
        steps = steps.where(table[option.name] == option.reference)
    return steps.astype(np.float64)


def _side(found: pd.DataFrame, measure: Measure, keys: list[str]) -> pd.DataFrame:
    own = found[found["measure"] == measure.column]
    scaled = {name: own[name] / measure.per_unit for name in ("mean", "low", "high")}
    short = measure.column.split("_")[0]
    names = {f"{short}_low": scaled["low"].clip(lower=0.0), f"{short}_high": scaled["high"].clip(upper=measure.most)}
    return own[[*keys, "replicates"]].assign(**{short: scaled["mean"]}, **names)


def _labels(points: pd.DataFrame, height: float) -> pd.DataFrame:
    """Where the strategies' names stand: beside their points, those that would cover each other moved apart."""
    own = points[points["is_reference"]].sort_values("satisfied", ascending=False)
    if own.empty:
        return own.assign(label=[], is_right=[], beside=[])
    low, high = _reach(points)
    px = (high - own["satisfied"].to_numpy()) / (high - low) * height
    for number in range(1, len(px)):
        px[number] = max(px[number], px[number - 1] + _LABEL_PX)
    px[-1] = min(px[-1], height)
    for number in range(len(px) - 2, -1, -1):
        px[number] = min(px[number], px[number + 1] - _LABEL_PX)
    is_right = own["traffic"] > 0.7 * float(points[["traffic", "traffic_high"]].max().max())
    return own.assign(label=high - px / height * (high - low), is_right=is_right, beside=own["traffic"])


def _reach(points: pd.DataFrame) -> tuple[float, float]:
    """The range of the axis of satisfaction."""
    low = float(np.nanmin(points[["satisfied", "satisfied_low"]].to_numpy()))
    high = float(np.nanmax(points[["satisfied", "satisfied_high"]].to_numpy()))
    margin = 0.05 * max(high - low, 1.0)
    return max(low - margin, 0.0), min(high + margin, SATISFIED.most)


def _layers(points: pd.DataFrame, names: list[str], height: float, units: str) -> alt.LayerChart:
    low, high = _reach(points) if len(points) else (0.0, SATISFIED.most)
    y_scale, x_scale = alt.Scale(domain=[low, high], nice=False), alt.Scale(zero=True)
    x = alt.X("traffic:Q", title=f"{_TRAFFIC.title}, less is better", scale=x_scale, axis=alt.Axis(tickCount=10))
    y = alt.Y("satisfied:Q", title=f"{SATISFIED.title}, more is better", scale=y_scale)
    color, shape = style.color(names, in_legend=False), style.shape(names, in_legend=False)
    tooltip = [
        alt.Tooltip("strategy:N"),
        alt.Tooltip("setting:N"),
        alt.Tooltip("satisfied:Q", title=SATISFIED.title, format=MEASURED),
        alt.Tooltip("traffic:Q", title=_TRAFFIC.title, format=MEASURED),
        alt.Tooltip(f"{units}:Q"),
    ]
    base = alt.Chart(POINTS).encode(color=color)
    at_reference = base.transform_filter("datum.is_reference")
    layers: list[alt.Chart] = []
    # a layer without points would have no extent
    if points["step"].notna().any():
        layers.append(base.transform_filter("isValid(datum.step)").mark_line(strokeWidth=1, opacity=0.4).encode(x=x, y=y, order="step:Q"))
    if not points["is_reference"].all():
        others = base.transform_filter("!datum.is_reference").mark_point(filled=True, size=36, opacity=0.5)
        layers.append(others.encode(x=x, y=y, shape=shape, tooltip=tooltip))
    if points.loc[points["is_reference"], "traffic_low"].notna().any():
        rule = at_reference.mark_rule(strokeWidth=1.2, opacity=0.8)
        layers.append(rule.encode(x=x, y=alt.Y("satisfied_low:Q", scale=y_scale), y2="satisfied_high:Q"))
        layers.append(rule.encode(x=alt.X("traffic_low:Q", scale=x_scale), x2="traffic_high:Q", y=y))
    if points["is_front"].any():
        on_front = alt.Chart(POINTS).transform_filter("datum.is_front")
        layers.append(on_front.mark_line(color=style.ZERO, strokeDash=[4, 3], strokeWidth=1.5).encode(x=x, y=y, order="traffic:Q"))
    layers.append(at_reference.mark_point(filled=True, size=130, opacity=1.0).encode(x=x, y=y, shape=shape, tooltip=tooltip))
    labels = _labels(points, height)
    for is_right in (False, True):
        own = labels[labels["is_right"] == is_right] if len(labels) else labels
        if own.empty:
            continue
        sign = -1 if is_right else 1
        named = alt.Chart(own[["strategy", "beside", "satisfied", "label"]])
        beside = alt.X("beside:Q", scale=x_scale)
        layers.append(
            named.mark_rule(strokeWidth=1, opacity=0.8, x2Offset=sign * _LABEL_GAP_PX).encode(
                x=beside, x2="beside:Q", y=y, y2="label:Q", color=color
            )
        )
        layers.append(
            named.mark_text(align="right" if is_right else "left", dx=sign * (_LABEL_GAP_PX + 3), fontSize=12.5, fontWeight=600).encode(
                x=beside, y=alt.Y("label:Q", scale=y_scale), text="strategy:N"
            )
        )
    return alt.LayerChart(layer=layers)
