"""Figures from the tables of transfers and copies: where the bytes go, where images come from, and how downtimes and lead times are
distributed. At the reference alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from msmf_traci.migration.ledger import IMAGE_SOURCES
from msmf_traci.reporting import style
from msmf_traci.reporting.by_speed import at_words, reference_speed, speed_choice, speeds_of
from msmf_traci.reporting.figure import POINTS, Figure, choice
from msmf_traci.reporting.finished_run import FinishedRun, is_at, varied_values
from msmf_traci.reporting.measures import KINDS
from msmf_traci.reporting.numbers import MEASURED
from msmf_traci.reporting.options import SPEED, config_options, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.stacked_bars import lying, stacked_figure, upright
from msmf_traci.results.summary import of_all_vehicles

_TIMES = {"downtime_s": "downtime of a transfer with a handoff (s)", "lead_s": "lead time (s)"}
_READ = ("outcome", "t_handoff_s", *(f"{kind}_bytes" for kind in KINDS), *_TIMES)
_COPIES = {f"copies, {outcome}": color for outcome, color in style.COPIES.items()}
_SOURCES = dict(zip(IMAGE_SOURCES, style.SOURCES, strict=True))
_BOTH, _SENT = "all", ("transfers", "copies")
_SHARES = np.linspace(0.0, 1.0, 101)
_SECONDS = [0, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]
_BYTES_PER_GB = 1e9


def transfer_figures(results: Results) -> tuple[list[Figure], str]:
    """Figures from the transfers of the first folder's runs, and why there are none."""
    runs = list(enumerate(results.runs[: results.main]))
    without = [run for _, run in runs if not run.has("migrations")]
    if without:
        return [], f"{len(without)} of {len(runs)} runs have no table of transfers (output.migrations=false)."
    has_images = bool(results.of_images)
    bytes_parts, source_parts, time_parts = [], [], []
    for number, run in runs:
        trips = _trips(results, number, run)
        if trips.empty:
            continue
        transfers = _at_reference(results, run, "migrations", [*_READ, *(IMAGE_SOURCES if has_images else ())])
        speed = words(SPEED, results.rows.loc[results.rows["run"] == number, SPEED].iloc[0]) if SPEED in results.options else ""
        bytes_parts.append(_bytes(transfers, trips).assign(speed=speed, seed=run.seed))
        if has_images:
            copies = _at_reference(results, run, "copies", ["outcome", "image_bytes", *IMAGE_SOURCES])
            bytes_parts.append(_bytes_of_copies(copies, trips).assign(speed=speed, seed=run.seed))
            sent = zip(_SENT, (transfers, copies), strict=True)
            source_parts += [_sources(table, trips).assign(sent=name, speed=speed, seed=run.seed) for name, table in sent]
        ended = transfers.loc[transfers["t_handoff_s"].notna(), ["strategy", *_TIMES]]
        time_parts.append(ended.assign(speed=speed))
    if not bytes_parts:
        return [], "no run of the first folder has the reference values."
    figures = [_bytes_figure(results, pd.concat(bytes_parts)), _times_figure(results, pd.concat(time_parts))]
    if source_parts:
        figures.insert(1, _sources_figure(results, pd.concat(source_parts)))
    return figures, "no strategy made one at the reference values." if all(each.points.empty for each in figures) else ""


def _trips(results: Results, number: int, run: FinishedRun) -> pd.Series:
    """Vehicles of each strategy in a run at the reference, by strategy."""
    free = [SPEED] if SPEED in results.options else []
    here = results.where({}, free)
    names = here.loc[here["run"] == number, "strategy"]
    vehicles = of_all_vehicles(run.table("summary")).groupby("strategy")["vehicles"].max()
    return vehicles.reindex(names)


def _at_reference(results: Results, run: FinishedRun, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of a run's table at the reference, the columns that figures need."""
    table = run.table(name, [*run.key_columns, *columns])
    wanted = {name: option.reference for name, option in results.options.items() if name != SPEED}
    kept = pd.Series(True, index=table.index)
    varied = varied_values(run, table)
    for name, reference in wanted.items():
        if name in varied:
            kept &= is_at(varied[name], reference)
        elif config_options(run.facts["config"]).get(name) != reference:
            kept &= False
    return table.loc[kept, ["strategy", *columns]]


def _bytes(transfers: pd.DataFrame, trips: pd.Series) -> pd.DataFrame:
    """GB per trip by strategy, outcome and kind; combinations that do not occur are 0."""
    outcome = transfers["outcome"].replace({"completed": "useful"})
    sums = transfers.groupby([transfers["strategy"], outcome])[[f"{kind}_bytes" for kind in KINDS]].sum()
    sums.columns = pd.Index(KINDS, name="kind")
    every = pd.MultiIndex.from_product([trips.index, list(style.OUTCOMES)], names=["strategy", "outcome"])
    tidy = sums.reindex(every, fill_value=0.0).reset_index().melt(["strategy", "outcome"], value_name="gb")
    return _per_trip(tidy, trips)


def _bytes_of_copies(copies: pd.DataFrame, trips: pd.Series) -> pd.DataFrame:
    """GB per trip by strategy and outcome, which takes the place of a kind, too."""
    sums = copies.groupby([copies["strategy"], "copies, " + copies["outcome"]])["image_bytes"].sum()
    every = pd.MultiIndex.from_product([trips.index, list(_COPIES)], names=["strategy", "outcome"])
    tidy = sums.reindex(every, fill_value=0.0).rename("gb").reset_index()
    return _per_trip(tidy.assign(kind=tidy["outcome"]), trips)


def _sources(sent: pd.DataFrame, trips: pd.Series) -> pd.DataFrame:
    """GB of images per trip by strategy and source."""
    sums = sent.groupby("strategy")[list(_SOURCES)].sum().rename(columns=_SOURCES).reindex(trips.index, fill_value=0.0)
    return _per_trip(sums.rename_axis("strategy").reset_index().melt("strategy", var_name="source", value_name="gb"), trips)


def _per_trip(tidy: pd.DataFrame, trips: pd.Series) -> pd.DataFrame:
    return tidy.assign(gb=tidy["gb"] / (tidy["strategy"].map(trips) * _BYTES_PER_GB))


def _mean_over_seeds(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    points = table.groupby(list(by), sort=False)["gb"].agg(["mean", "count"]).reset_index()
    return points.rename(columns={"mean": "gb_per_trip", "count": "seeds"})


def _bytes_figure(results: Results, table: pd.DataFrame) -> Figure:
    """Stacked bars: mean over seeds of GB per trip."""
    points = _mean_over_seeds(table, ["strategy", "speed", "outcome", "kind"])
    points = points[points.groupby("outcome")["gb_per_trip"].transform("sum") > 0.0].reset_index(drop=True)
    occurring = set(points["outcome"])
    copies = {name: color for name, color in _COPIES.items() if name in occurring}
    outcomes = {name: color for name, color in style.OUTCOMES.items() if name in occurring} | copies
    kinds = style.KINDS | copies
    names = [name for name in results.strategies if name in set(points["strategy"])]
    field = "split == 'outcome' ? datum.outcome : datum.kind"
    shown = alt.ExprRef(f"split == 'outcome' ? {list(outcomes)} : {list(kinds)}")
    page = lying(names, field, outcomes | kinds, shown).add_params(choice("split", "Split by", ["outcome", "kind"], "outcome"))
    title = "Where the bytes go"
    stills = {"by outcome": upright(names, "datum.outcome", outcomes), "by kind": upright(names, "datum.kind", kinds)}
    caption = (
        "Bars add up to the traffic per trip, mean over seeds. Useful transfers were completed. "
        "Mispredicted ones were abandoned before the handoff, user_left ones after it. Unfinished ones were open at arrival. "
        "Image and memory are the container's. Dirty is memory that was sent again. Final was sent from the stop of the container on. "
    )
    if copies:
        caption += (
            "Copies brought images ahead of transfers. Used ones were to servers that the container came to run on. "
            "Unused ones were complete, unfinished ones were not. "
        )
    return stacked_figure(results, "bytes", title, caption, points, page, stills)


def _sources_figure(results: Results, table: pd.DataFrame) -> Figure:
    """Stacked bars: mean over seeds of GB of images per trip, by who sent them."""
    points = _mean_over_seeds(table, ["strategy", "speed", "sent", "source"])
    points = points[points.groupby("source")["gb_per_trip"].transform("sum") > 0.0].reset_index(drop=True)
    occurring = set(points["source"])
    sources = {name: color for name, color in style.SOURCES.items() if name in occurring}
    names = [name for name in results.strategies if name in set(points["strategy"])]
    page = (
        lying(names, "datum.source", sources)
        .add_params(choice("sent", "Sent in", [_BOTH, *_SENT], _BOTH))
        .transform_filter(f"sent == '{_BOTH}' || datum.sent == sent")
    )
    stills = {
        f"in {name}": upright(names, "datum.source", sources).transform_filter(alt.FieldEqualPredicate(field="sent", equal=name))
        for name in _SENT
    }
    caption = (
        "Bars are the bytes of images per trip, mean over seeds: what the host sent, what the cloud sent, and what other servers sent. "
        "Transfers send an image where it is not there yet, copies bring it ahead of them. Memory comes from the host and is not shown. "
    )
    return stacked_figure(results, "image_sources", "Where images come from", caption, points, page, stills)


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
    speeds = speeds_of(results, points)
    titles = list(_TIMES.values())
    params = [choice("measure", "Shown", titles, titles[0]), *speed_choice(results, speeds)]
    keep = "datum.measure == measure" + (" && datum.speed == speed" if len(speeds) > 1 else "")
    page = (
        _quantiles(names, points)
        .add_params(*params)
        .transform_filter(keep)
        .properties(width="container", height=style.PAGE_HEIGHT, title=alt.TitleParams(text=alt.ExprRef("measure")))
    )
    at = reference_speed(results, speeds)
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
        f"time goes from the start to the handoff. The axis is stretched near zero. {at_words(results)}"
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
