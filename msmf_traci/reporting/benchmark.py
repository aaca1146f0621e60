"""The benchmark: what strategies cost in every setting of every city, how far that is from the bound, and one page about it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from msmf_traci.reporting import style
from msmf_traci.reporting.figure import POINTS, Figure
from msmf_traci.reporting.folder import report_folder
from msmf_traci.reporting.numbers import measured, span
from msmf_traci.reporting.overview import front
from msmf_traci.reporting.page import page_frame, template_of
from msmf_traci.reporting.page_tables import Field, PageTable
from msmf_traci.reporting.stills import write_figure
from msmf_traci.results.cost import TRAFFIC_FACTORS, read_bounds, revalued
from msmf_traci.results.intervals import LEVEL, mean_interval
from msmf_traci.results.run_facts import perfect_strategies
from msmf_traci.results.runs import Run
from msmf_traci.weights import Weights

PAGE = "index.html"
SETTING = ["city", "speed_kmh", "unsynced", "links"]
_FIRST = {"unsynced": "relay", "links": "dedicated"}  # what figures show
_GB = 1e9


@dataclass(frozen=True)
class Benchmark:
    """The tables of a benchmark.

    Attributes
    ----------
    runs
        One row a city, setting, seed and strategy.
    means
        One row a city, setting and strategy: means over seeds, intervals of cost and regret, and the place in the order of costs.
    paired
        One row a city, setting and strategy: by how much it costs more than the reference on the same seeds.
    reference
        The strategy that others are compared with.
    perfect
        Strategies that know the road ahead, or the whole trip.
    weights
        At which costs are reckoned.
    """

    runs: pd.DataFrame
    means: pd.DataFrame
    paired: pd.DataFrame
    reference: str
    perfect: tuple[str, ...]
    weights: Weights


def benchmark_of(runs: Mapping[str, Sequence[Run]], reference: str, weights: Weights) -> Benchmark:
    """The tables of finished runs.

    Parameters
    ----------
    runs
        By city.
    reference
        The strategy that others are compared with.
    weights
        At which costs are reckoned.
    """
    rows = pd.concat([_rows(city, run, weights) for city, each in runs.items() for run in each], ignore_index=True)
    perfect = dict.fromkeys(name for each in runs.values() for run in each for name in perfect_strategies(run.facts))
    return Benchmark(rows, _means(rows, tuple(perfect)), _paired(rows, reference), reference, tuple(perfect), weights)


def write_benchmark(benchmark: Benchmark, out: Path) -> Path:
    """Write the page, its figures and the tables `runs.csv`, `means.csv` and `paired.csv`; returns the page's path.

    Raises
    ------
    InputError
        If `out` is no folder of ours.
    """
    figures = [figure for city in benchmark.means["city"].unique() for figure in _figures(benchmark, str(city))]
    with report_folder(out) as folder:
        for name in ("runs", "means", "paired"):
            getattr(benchmark, name).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        (folder / "figures").mkdir()
        for figure in figures:
            write_figure(figure, folder / "figures")
        (folder / PAGE).write_text(_page(benchmark, figures), encoding="utf-8")
    return out / PAGE


def _rows(city: str, run: Run, weights: Weights) -> pd.DataFrame:
    """A run's strategies in every setting: what they cost, and what that is made of."""
    summary = revalued(run.summary, read_bounds(run.folder), weights)
    rows = pd.DataFrame(
        {
            "city": city,
            "speed_kmh": summary["commanded_kmh"],
            "unsynced": summary["unsynced"],
            "links": summary["links.mode"],
            "seed": summary["seed"],
            "strategy": summary["strategy"],
        }
    )
    for end in TRAFFIC_FACTORS:
        rows[f"cost{end}"], rows[f"bound{end}"] = summary[f"cost{end}_per_trip"], summary[f"bound{end}_per_trip"]
        rows[f"regret{end}"] = rows[f"cost{end}"] - rows[f"bound{end}"]
    rows["satisfied_share"] = summary["satisfied_share"]
    rows = rows.merge(_by_level(run), on=["strategy", "unsynced", "links"], how="left")
    rows["traffic_gb"], rows["gb_hops"] = summary["traffic_per_trip_bytes"] / _GB, summary["relayed_byte_hops_per_trip"] / _GB
    for name in ("unavailability", "request_latency_ms", "request_latency_95th_ms", "handoffs_per_trip", "ping_pongs_per_trip"):
        rows[name] = summary[name]
    return rows


def _by_level(run: Run) -> pd.DataFrame:
    """Satisfied share of the tasks of each latency level."""
    vehicles = run.vehicles.rename(columns={"links.mode": "links"})
    keys = ["strategy", "unsynced", "links"]
    sums = vehicles.groupby([*keys, "latency_level_ms"])[["satisfied_s", "road_s"]].sum().reset_index()
    sums["column"] = [f"satisfied_{level:g}ms" for level in sums["latency_level_ms"]]
    sums["share"] = sums["satisfied_s"] / sums["road_s"]
    return sums.pivot_table(index=keys, columns="column", values="share", sort=False).reset_index()


def _means(rows: pd.DataFrame, perfect: Sequence[str]) -> pd.DataFrame:
    """Means over seeds; the place counts strategies that know the road ahead for none."""
    values = [name for name in rows.columns if name not in (*SETTING, "seed", "strategy")]
    found = []
    for key, group in rows.groupby([*SETTING, "strategy"], sort=False, dropna=False):
        row = dict(zip([*SETTING, "strategy"], key, strict=True)) | {"seeds": group["seed"].nunique()}
        row |= {name: group[name].mean() for name in values}
        for name in ("cost", "regret"):
            interval = mean_interval(group[name])
            row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
        found.append(row)
    means = pd.DataFrame(found)
    is_open = ~means["strategy"].isin(perfect)
    means["place"] = means[is_open].groupby(SETTING, dropna=False)["cost"].rank(method="min")
    return means


def _paired(rows: pd.DataFrame, reference: str) -> pd.DataFrame:
    """By how much each strategy costs more than the reference on the same seeds, with the interval."""
    own = rows[rows["strategy"] == reference][[*SETTING, "seed", "cost"]].rename(columns={"cost": "of_reference"})
    both = rows.merge(own, on=[*SETTING, "seed"])
    found = []
    for key, group in both.groupby([*SETTING, "strategy"], sort=False, dropna=False):
        interval = mean_interval(group["cost"] - group["of_reference"])
        row = dict(zip([*SETTING, "strategy"], key, strict=True)) | {"seeds": interval.n, "reference": reference}
        found.append(row | {"difference": interval.mean, "difference_low": interval.low, "difference_high": interval.high})
    return pd.DataFrame(found)


def _figures(benchmark: Benchmark, city: str) -> list[Figure]:
    """What strategies cost above the bound, and how well they serve for how much traffic, with the front of those that nobody beats."""
    means = benchmark.means
    own = means[(means["city"] == city) & (means["unsynced"] == _FIRST["unsynced"]) & (means["links"] == _FIRST["links"])]
    points = own[["strategy", "speed_kmh", "seeds", "cost", "bound", "regret", "regret_low", "regret_high", "traffic_gb"]].copy()
    points["satisfied"] = 100 * own["satisfied_share"]
    points["speed"] = [_speed(value) for value in points["speed_kmh"]]
    points["is_front"] = False
    for _, group in points[~points["strategy"].isin(benchmark.perfect)].groupby("speed_kmh", dropna=False):
        points.loc[front(group["traffic_gb"], group["satisfied"]), "is_front"] = True
    is_named = points["is_front"] | points["strategy"].isin(benchmark.perfect)
    points["label"] = points["strategy"].where(is_named, "")  # the others are often too near to each other
    names = list(points["strategy"].unique())
    speeds = list(points["speed"].unique())
    color, shape = style.color(names), style.shape(names)
    tooltip = [alt.Tooltip(f"{name}:{'N' if name in ('strategy', 'speed') else 'Q'}") for name in ("strategy", "speed", "cost", "bound")]
    tooltip += [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("regret", "satisfied", "traffic_gb")]
    base = alt.Chart(POINTS).encode(color=color)
    x = alt.X("speed:O", sort=speeds, title="commanded speed (km/h)")
    y = alt.Y("regret:Q", scale=alt.Scale(type="symlog"), title="cost a trip above the bound")
    regret = alt.layer(
        base.mark_line().encode(x=x, y=y),
        base.mark_point(filled=True, size=60).encode(x=x, y=y, shape=shape, tooltip=tooltip),
    )
    share = alt.Y("satisfied:Q", title="satisfied (% of the time)", scale=alt.Scale(zero=False))
    traffic = alt.X("traffic_gb:Q", title="traffic per trip (GB)")
    is_shown = alt.param(name="speed", value=speeds[len(speeds) // 2], bind=alt.binding_select(options=speeds, name="speed "))
    at_speed = alt.Chart(POINTS).transform_filter("datum.speed == speed")
    serving = alt.layer(
        at_speed.transform_filter("datum.is_front")
        .mark_line(color="#888888", strokeDash=[4, 3])
        .encode(x=traffic, y=share, order="traffic_gb:Q"),
        at_speed.mark_point(filled=True, size=90).encode(x=traffic, y=share, color=color, shape=shape, tooltip=tooltip),
        at_speed.mark_text(align="left", dx=8, fontSize=11).encode(x=traffic, y=share, text="label:N"),
    ).add_params(is_shown)
    where = f"{city}: dedicated links, a late handoff is relayed, means over {int(points['seeds'].max())} seeds"
    known = f" {', '.join(benchmark.perfect)}: perfect prediction." if benchmark.perfect else ""
    captions = (
        f"What a trip costs more than the bound, at {where}. 0 would be perfect; no strategy can be below.{known}",
        f"Satisfied share against traffic at one speed. The upper left is best. The dashed line is the Pareto front: strategies that no "
        f"other one beats in both, without those that know the road ahead. {where}.{known}",
    )
    titles = (f"{city}: cost above the bound", f"{city}: satisfied share against traffic")
    charts, size = (regret, serving), {"width": 460, "height": 320}
    return [
        Figure(f"{name}_{city}", title, caption, points, chart.properties(width="container", height=360), chart.properties(**size))
        for name, title, caption, chart in zip(("regret", "satisfied"), titles, captions, charts, strict=True)
    ]


def _page(benchmark: Benchmark, figures: Sequence[Figure]) -> str:
    cities = [
        (
            city,
            [figure for figure in figures if figure.name.endswith(f"_{city}")],
            _order_table(benchmark, str(city)),
            [(_words(setting), _table(benchmark, group)) for setting, group in own.groupby(SETTING, sort=False, dropna=False)],
        )
        for city, own in benchmark.means.groupby("city", sort=False)
    ]
    seeds = int(benchmark.means["seeds"].max())
    intervals = f"Brackets hold {LEVEL:.0%} intervals over {seeds} seeds." if seeds > 1 else "One seed, so that there are no intervals."
    return template_of("benchmark.html").render(
        cities=cities,
        answer=_answer(benchmark),
        intervals=intervals,
        reference=benchmark.reference,
        weights=benchmark.weights,
        **page_frame(figures),
    )


def _answer(benchmark: Benchmark) -> str:
    """Which strategies cost least, and how often."""
    best = benchmark.means[benchmark.means["place"] == 1]["strategy"].value_counts()
    settings = len(benchmark.means[SETTING].drop_duplicates())
    said = ", ".join(f"{name} at {count}" for name, count in best.items())
    return f"Of {settings} settings, these cost least among those that do not know the road ahead: {said}."


def _order_table(benchmark: Benchmark, city: str) -> PageTable:
    """The place of each strategy in the order of costs, setting by setting: where the order turns."""
    own = benchmark.means[benchmark.means["city"] == city]
    settings = list(own[SETTING].drop_duplicates().itertuples(index=False))
    columns = [("strategy", "", False), *((_words(tuple(each)), "place in the order of costs", True) for each in settings)]
    rows = []
    for name, group in own.groupby("strategy", sort=False):
        by_setting = {_words(tuple(row[key] for key in SETTING)): row["place"] for row in group.to_dict("records")}
        places = [by_setting.get(_words(tuple(each)), np.nan) for each in settings]
        rows.append([Field(str(name)), *(Field("" if math.isnan(place) else f"{place:.0f}", key=place) for place in places)])
    return PageTable(columns, sorted(rows, key=lambda row: float(np.nan_to_num([field.key for field in row[1:]], nan=99.0).mean())))


def _table(benchmark: Benchmark, means: pd.DataFrame) -> PageTable:
    """The strategies of one setting, the cheapest first."""
    levels = [name for name in means.columns if name.startswith("satisfied_") and name.endswith("ms") and means[name].notna().any()]
    columns = [
        ("strategy", "", False),
        ("cost", "unsatisfied seconds, GB sent and GB-hops relayed, each times its weight", True),
        ("bound", "what no strategy can get below", True),
        ("regret", "cost less the bound", True),
        (f"more than {benchmark.reference}", "difference of costs on the same seeds", True),
        ("traffic / 5", "cost where traffic weighs a fifth", True),
        ("traffic x 5", "cost where traffic weighs five times as much", True),
        ("satisfied %", "", True),
        *((f"of {name.removeprefix('satisfied_')} %", "satisfied share of the tasks with this level", True) for name in levels),
        ("GB a trip", "", True),
        ("GB-hops", "relayed", True),
        ("unavailable %", "", True),
        ("latency ms", "of requests, mean over the time that containers ran", True),
        ("95th ms", "not exceeded in 95 % of that time", True),
        ("handoffs", "a trip", True),
        ("ping-pongs", "a trip", True),
    ]
    paired = benchmark.paired.merge(means[[*SETTING]].drop_duplicates(), on=SETTING).set_index("strategy")
    rows = []
    for row in means.sort_values("cost", kind="stable").to_dict("records"):
        difference = paired.loc[row["strategy"]]
        shares = [100 * row[name] for name in ("satisfied_share", *levels)]
        numbers = [
            row["cost_cheap_traffic"],
            row["cost_dear_traffic"],
            *shares,
            row["traffic_gb"],
            row["gb_hops"],
            100 * row["unavailability"],
        ]
        numbers += [row[name] for name in ("request_latency_ms", "request_latency_95th_ms", "handoffs_per_trip", "ping_pongs_per_trip")]
        rows.append(
            [
                Field(str(row["strategy"]), key=str(row["strategy"])),
                _with_span(row["cost"], row["cost_low"], row["cost_high"]),
                Field(measured(row["bound"]), key=row["bound"]),
                _with_span(row["regret"], row["regret_low"], row["regret_high"]),
                _with_span(difference["difference"], difference["difference_low"], difference["difference_high"]),
                *(Field("" if math.isnan(value) else measured(value), key=value) for value in numbers),
            ]
        )
    return PageTable(columns, rows)


def _with_span(mean: float, low: float, high: float) -> Field:
    return Field(measured(mean), span(low, high, mean) if math.isfinite(low) and low < high else "", mean)


def _words(setting: tuple[Any, ...]) -> str:
    _, speed, unsynced, links = setting
    return f"{_speed(speed)} km/h, {unsynced}, {links}" if speed == speed else f"own speeds, {unsynced}, {links}"


def _speed(value: float) -> str:
    return f"{value:g}" if value == value else "own"
