"""Figures from the tables of transfers: where the bytes go, and how downtimes and lead times are distributed. At the reference alone."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.curves import elsewhere
from msmf_traci.reporting.figure import POINTS, Figure, choice
from msmf_traci.reporting.finished_run import FinishedRun, is_at, varied_values
from msmf_traci.reporting.measures import KINDS
from msmf_traci.reporting.numbers import MEASURED
from msmf_traci.reporting.options import SPEED, config_options, words
from msmf_traci.reporting.reading import Results
from msmf_traci.results.summary import of_all_vehicles

_TIMES = {"downtime_s": "downtime of a transfer with a handoff (s)", "lead_s": "lead time (s)"}
_READ = ("outcome", "t_handoff_s", *(f"{kind}_bytes" for kind in KINDS), *_TIMES)
_SHARES = np.linspace(0.0, 1.0, 101)
_SECONDS = [0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
_BYTES_PER_GB = 1e9


def transfer_figures(results: Results) -> tuple[list[Figure], str]:
    """Figures from the transfers of the first folder's runs, and why there are none."""
    runs = list(enumerate(results.runs[: results.main]))
    without = [run for _, run in runs if not run.has("migrations")]
    if without:
        return [], f"{len(without)} of {len(runs)} runs have no table of transfers (output.migrations=false)."
    bytes_parts, time_parts = [], []
    for number, run in runs:
        trips = _trips(results, number, run)
        if trips.empty:
            continue
        transfers = _reference_transfers(results, run)
        speed = words(SPEED, results.rows.loc[results.rows["run"] == number, SPEED].iloc[0]) if SPEED in results.options else ""
        bytes_parts.append(_bytes(transfers, trips).assign(speed=speed, seed=run.seed))
        ended = transfers.loc[transfers["t_handoff_s"].notna(), ["strategy", *_TIMES]]
        time_parts.append(ended.assign(speed=speed))
    if not bytes_parts:
        return [], "no run of the first folder has the reference values."
    figures = [_bytes_figure(results, pd.concat(bytes_parts)), _times_figure(results, pd.concat(time_parts))]
    return figures, "no strategy made one at the reference values." if all(each.points.empty for each in figures) else ""


def _trips(results: Results, number: int, run: FinishedRun) -> pd.Series:
    """Vehicles of each strategy in a run at the reference, by strategy."""
    free = [SPEED] if SPEED in results.options else []
    here = results.where({}, free)
    names = here.loc[here["run"] == number, "strategy"]
    vehicles = of_all_vehicles(run.table("summary")).groupby("strategy")["vehicles"].max()
    return vehicles.reindex(names)


def _reference_transfers(results: Results, run: FinishedRun) -> pd.DataFrame:
    """A run's transfers at the reference, the columns that figures need."""
    table = run.table("migrations", [*run.key_columns, *_READ])
    wanted = {name: option.reference for name, option in results.options.items() if name != SPEED}
    kept = pd.Series(True, index=table.index)
    varied = varied_values(run, table)
    for name, reference in wanted.items():
        if name in varied:
            kept &= is_at(varied[name], reference)
        elif config_options(run.facts["config"]).get(name) != reference:
            kept &= False
    return table.loc[kept, ["strategy", *_READ]]


def _bytes(transfers: pd.DataFrame, trips: pd.Series) -> pd.DataFrame:
    """GB per trip by strategy, outcome and kind; combinations that do not occur are 0."""
    outcome = transfers["outcome"].replace({"completed": "useful"})
    sums = transfers.groupby([transfers["strategy"], outcome])[[f"{kind}_bytes" for kind in KINDS]].sum()
    sums.columns = pd.Index(KINDS, name="kind")
    every = pd.MultiIndex.from_product([trips.index, list(style.OUTCOMES)], names=["strategy", "outcome"])
    tidy = sums.reindex(every, fill_value=0.0).reset_index().melt(["strategy", "outcome"], value_name="gb")
    tidy["gb"] /= tidy["strategy"].map(trips) * _BYTES_PER_GB
    return tidy


def _bytes_figure(results: Results, table: pd.DataFrame) -> Figure:
    """Stacked bars: mean over seeds of GB per trip."""
    points = table.groupby(["strategy", "speed", "outcome", "kind"], sort=False)["gb"].agg(["mean", "count"]).reset_index()
    points = points.rename(columns={"mean": "gb_per_trip", "count": "seeds"})
    points = points[points.groupby("outcome")["gb_per_trip"].transform("sum") > 0.0].reset_index(drop=True)
    speeds = _speeds(results, points)
    names = [name for name in results.strategies if name in set(points["strategy"])]
    outcomes = [name for name in style.OUTCOMES if name in set(points["outcome"])]
    params = [choice("split", "Split by", ["outcome", "kind"], "outcome"), *_speed_choice(results, speeds)]
    page = (
        _stack(names, outcomes, split=True)
        .add_params(*params)
        .transform_filter("datum.speed == speed" if len(speeds) > 1 else "true")
        .properties(width="container", height=30 * len(names))
    )
    header = alt.Header(title=None, labelAnchor="start")
    stills = [
        _stack(names, outcomes, by=by)
        .properties(width=alt.Step(22), height=130)
        .facet(alt.Facet("at:N", sort=[_speed_words(speed) for speed in speeds], header=header), columns=4)
        .transform_calculate(at="datum.speed + ' km/h'" if speeds != [""] else "'all trips'")
        .properties(title=f"by {by}")
        for by in ("outcome", "kind")
    ]
    still = (
        alt.vconcat(*stills)
        .resolve_scale(color="independent")
        .properties(title=alt.TitleParams(text="Where the bytes go", fontSize=15, offset=12))
    )
    caption = (
        "Bars add up to the traffic per trip, mean over seeds. Useful transfers were completed. "
        "Mispredicted ones were abandoned before the handoff, user_left ones after it. Unfinished ones were open at arrival. "
        "Image and memory are the container's. Dirty is memory that was sent again. Final was sent while the container was stopped. "
        f"{_at(results)}"
    )
    return Figure("bytes", "Where the bytes go", caption, points, page, still)


def _stack(names: list[str], outcomes: list[str], *, by: str = "", split: bool = False) -> alt.Chart:
    """Bars of one panel: lying and split by the page's choice, or upright and split by `by`."""
    kinds = list(KINDS)
    order = {name: place for place, name in enumerate([*outcomes, *kinds])}
    colors = {**{name: style.OUTCOMES[name] for name in outcomes}, **style.KINDS}
    domain = [*outcomes, *kinds] if split else (outcomes if by == "outcome" else kinds)
    field = "split == 'outcome' ? datum.outcome : datum.kind" if split else f"datum.{by}"
    scale = alt.Scale(domain=domain, range=[colors[name] for name in domain])
    amount = "sum(gb_per_trip):Q"
    values = alt.ExprRef(f"split == 'outcome' ? {outcomes} : {kinds}") if split else alt.Undefined
    if split:
        x = alt.X(amount, title="GB per trip")
        y = alt.Y("strategy:N", sort=names, title=None, axis=alt.Axis(labelLimit=120))
    else:
        x = alt.X("strategy:N", sort=names, title=None, axis=alt.Axis(labelAngle=-60))
        y = alt.Y(amount, title="GB per trip")
    chart: alt.Chart = (
        alt.Chart(POINTS)
        .transform_calculate(part=field)
        .transform_calculate(place=f"{order}[datum.part]")
        .mark_bar()
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "part:N", scale=scale, legend=alt.Legend(title=None, orient="bottom", columns=2 if split else 4, values=values)
            ),
            order=alt.Order("place:Q"),
            tooltip=[alt.Tooltip("strategy:N"), alt.Tooltip("part:N"), alt.Tooltip(amount, title="GB per trip", format=MEASURED)],
        )
    )
    return chart


def _times_figure(results: Results, table: pd.DataFrame) -> Figure:
    """Empirical quantiles of downtime and lead time."""
    parts = []
    for column, label in _TIMES.items():
        for (strategy, speed), values in table.groupby(["strategy", "speed"], sort=False)[column]:
            known = values.dropna().to_numpy()
            if len(known):
                rows = {"strategy": strategy, "speed": speed, "measure": label, "share": 100 * _SHARES, "transfers": len(known)}
                parts.append(pd.DataFrame(rows | {"seconds": np.quantile(known, _SHARES)}))
    columns = ["strategy", "speed", "measure", "share", "transfers", "seconds"]
    points = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    names = [name for name in results.strategies if name in set(points["strategy"])]
    speeds = _speeds(results, points)
    titles = list(_TIMES.values())
    params = [choice("measure", "Shown", titles, titles[0]), *_speed_choice(results, speeds)]
    keep = "datum.measure == measure" + (" && datum.speed == speed" if len(speeds) > 1 else "")
    page = (
        _quantiles(names, points)
        .add_params(*params)
        .transform_filter(keep)
        .properties(width="container", height=style.PAGE_HEIGHT, title=alt.TitleParams(text=alt.ExprRef("measure")))
    )
    at = _reference_speed(results, speeds)
    still = (
        _quantiles(names, points)
        .properties(width=style.STILL_WIDTH + 60, height=style.STILL_HEIGHT + 40)
        .facet(alt.Facet("measure:N", sort=titles, header=alt.Header(title=None, labelAnchor="start")), columns=2)
        .transform_filter(alt.FieldEqualPredicate(field="speed", equal=at))
        .resolve_scale(x="independent")
        .properties(
            title=alt.TitleParams(
                text="Distribution of downtime and lead time", subtitle=f"{at} km/h" if at else "", fontSize=15, offset=12
            )
        )
    )
    caption = (
        "A line shows how many transfers took at most so many seconds. It counts transfers with a handoff, of all seeds together. The lead "
        f"time goes from the start to the handoff. The axis is stretched near zero. {_at(results)}"
    )
    return Figure("times", "Distribution of downtime and lead time", caption, points, page, still)


def _quantiles(names: list[str], points: pd.DataFrame) -> alt.Chart:
    most = float(points["seconds"].max()) if len(points) else 1.0
    ticks = [tick for tick in _SECONDS if tick <= most * 1.05]
    chart: alt.Chart = (
        alt.Chart(POINTS)
        .mark_line(interpolate="linear", strokeWidth=1.8)
        .encode(
            x=alt.X(
                "seconds:Q",
                title="seconds",
                scale=alt.Scale(type="symlog", constant=0.5, nice=False),
                axis=alt.Axis(values=ticks, format="~r", labelOverlap="greedy", grid=True),
            ),
            y=alt.Y("share:Q", title="% of transfers at most as long", scale=alt.Scale(domain=[0, 100])),
            order=alt.Order("share:Q"),
            color=style.color(names),
            strokeDash=style.dash(names, in_legend=True),
            tooltip=[
                alt.Tooltip("strategy:N"),
                alt.Tooltip("share:Q", title="% of transfers", format=MEASURED),
                alt.Tooltip("seconds:Q", title="at most (s)", format=MEASURED),
                alt.Tooltip("transfers:Q"),
            ],
        )
    )
    return chart


def _speeds(results: Results, points: pd.DataFrame) -> list[str]:
    """Words of the speeds that there are points of, in order."""
    here = set(points["speed"])
    return [name for value in results.options[SPEED].values if (name := words(SPEED, value)) in here] if SPEED in results.options else [""]


def _speed_words(speed: str) -> str:
    return f"{speed} km/h" if speed else "all trips"


def _reference_speed(results: Results, speeds: Sequence[str]) -> str:
    wanted = words(SPEED, results.options[SPEED].reference) if SPEED in results.options else ""
    return wanted if wanted in speeds else next(iter(speeds), "")


def _speed_choice(results: Results, speeds: list[str]) -> list[alt.Parameter]:
    return [choice("speed", "commanded speed (km/h)", speeds, _reference_speed(results, speeds))] if len(speeds) > 1 else []


def _at(results: Results) -> str:
    return f"The runs are those of {results.folders[0].resolve().name}. {elsewhere(results, [SPEED])}"
