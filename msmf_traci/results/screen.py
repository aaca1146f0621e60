"""Results at a glance: what was asked, which strategy satisfies most at what traffic, and a table a person can read."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.results.console import counted
from msmf_traci.results.cost import weights_of
from msmf_traci.results.intervals import LEVEL, mean_interval
from msmf_traci.results.keys import MODE
from msmf_traci.results.run_facts import perfect_strategies
from msmf_traci.results.summary import of_all_vehicles
from msmf_traci.weights import Weights

MOST_ROWS = 48  # of a sweep's table, which are as many as can be looked through
_ORIGINS = {
    "traci": "driven now (SUMO over TraCI)",
    "libsumo": "driven now (libsumo)",
    "recording": "replayed from a recording",
    "fcd": "read from an FCD file",
    "gps": "GPS traces matched to roads",
}
# head in two lines, column of the summary, how it is written
_Columns = list[tuple[str, str, str]]
_COLUMNS: _Columns = [
    ("strategy", "strategy", "{}"),
    ("traffic/trip\nMB", "traffic_per_trip_bytes", "{:.0f}"),
    ("wasted/trip\nMB", "wasted_per_trip_bytes", "{:.0f}"),
    ("handoffs\nper trip", "handoffs_per_trip", "{:.1f}"),
    ("downtime/\nhandoff s", "downtime_per_handoff_s", "{:.2f}"),
    ("mean\noutage s", "mean_outage_s", "{:.2f}"),
    ("unavail-\nable %", "unavailability", "{:.2f}"),
    ("satis-\nfied %", "satisfied_share", "{:.1f}"),
    ("cost/\ntrip", "cost_per_trip", "{:.1f}"),
    ("entry\nhits %", "entry_hit_rate", "{:.1f}"),
    ("handoff\nhits %", "handoff_hit_rate", "{:.1f}"),
]
_OF_A_SWEEP = ("traffic_per_trip_bytes", "wasted_per_trip_bytes", "handoffs_per_trip", "unavailability", "satisfied_share", "cost_per_trip")
_SHARES = ("unavailability", "satisfied_share", "entry_hit_rate", "handoff_hit_rate")
_FACTORS = {"traffic_per_trip_bytes": 1e-6, "wasted_per_trip_bytes": 1e-6} | dict.fromkeys(_SHARES, 100.0)


def result_text(summary: pd.DataFrame, run: Mapping[str, Any], folder: Path) -> str:
    """The result of a run for a terminal.

    Parameters
    ----------
    summary
        The run's summary.
    run
        What run.json says.
    folder
        Where the tables are.
    """
    table, cost = "\n".join(lines_of(result_table(summary, run))), _cheapest_of_run(summary, run)
    return "\n".join(
        [
            asked(run),
            *_facts(run, of_all_vehicles(summary)),
            "",
            table,
            "",
            headline(summary, run),
            *([cost] if cost else []),
            f"Tables: {folder}",
        ]
    )


def result_table(summary: pd.DataFrame, run: Mapping[str, Any]) -> pd.DataFrame:
    """The summary of a run as people read it: text, strategies in the order of the configuration; heads may have two lines.

    Where vehicles have modes and each strategy is one variant, every mode has a row beneath that of all; rows of several variants and modes
    would be too many to look through.
    """
    names = list(dict.fromkeys(run["strategies"]))
    overall = of_all_vehicles(summary)
    has_modes = MODE in summary and overall["strategy"].is_unique
    shown = summary if has_modes else overall
    # a stable sort: the rows of a strategy stay together, those of all vehicles before those of each mode
    shown = shown[shown["strategy"].isin(names)].sort_values("strategy", key=lambda each: each.map(names.index), kind="stable")
    columns = _columns_of_run(shown, run)
    if has_modes:
        columns.insert(1, (MODE, MODE, "{}"))
    return pd.DataFrame({head: [_cell(value, name, pattern) for value in shown[name]] for head, name, pattern in columns})


def headline(summary: pd.DataFrame, run: Mapping[str, Any]) -> str:
    """Which strategy satisfies most, and at what traffic; also the best that migrates, and the best that has to predict."""
    overall = of_all_vehicles(summary)
    knows_route = overall["strategy"].isin(perfect_strategies(run))
    migrates = overall["traffic_per_trip_bytes"] > 0
    text, told = "", list[str]()
    for lead, rows in (
        ("", overall),
        ("Of those that migrate, ", overall[migrates]),
        ("Without perfect prediction, ", overall[migrates & ~knows_route]),
    ):
        best = _best(rows)
        if best is None or (name := _name(best, run)) in told:
            continue
        share = f"{100 * best['satisfied_share']:.1f} % of the time"
        sent = best["traffic_per_trip_bytes"] / 1e6
        traffic = f"at {sent:.0f} MB of traffic per trip" if sent > 0 else "without any traffic"
        text += f" {lead}{name}: {share}, {traffic}." if told else f"{name} satisfies most: {share}, {traffic}."
        told.append(name)
    return text or "No vehicle was on the road long enough to say which strategy satisfies most."


def cheapest(overall: pd.DataFrame, settings: Sequence[str], perfect: Collection[str], weights: Weights) -> str:
    """Which strategy costs least of those that do not know the road ahead, and what none can avoid; at several settings, how often each.

    Parameters
    ----------
    overall
        Rows of all vehicles, of one run or stacked.
    settings
        Columns that tell settings apart, beside the strategy.
    perfect
        Strategies that know the road ahead.
    weights
        At which costs were reckoned.
    """
    if "cost_per_trip" not in overall or overall["cost_per_trip"].isna().all():
        return ""
    open_to_all = overall[~overall["strategy"].isin(perfect)]
    rows = open_to_all if len(open_to_all) else overall
    varied = [name for name in settings if len(rows[name].unique()) > 1]
    at = f"{weights.unsatisfied_per_s:g} for an unsatisfied second, {weights.traffic_per_gb:g} for a GB sent"
    at = f" (Cost: {at}, {weights.relayed_per_gb_hop:g} for a GB relayed over a hop.)"
    if varied:
        means = rows.groupby([*varied, "strategy"], sort=False, dropna=False)["cost_per_trip"].mean().reset_index()
        best = means.loc[means.groupby(varied, sort=False, dropna=False)["cost_per_trip"].idxmin(), "strategy"].value_counts(sort=False)
        said = ", ".join(f"{name} at {count}" for name, count in best.sort_values(ascending=False, kind="stable").items())
        return f"Of {counted(int(best.sum()), 'setting')}, these cost least: {said}.{at}"
    by_seed = rows.pivot_table(index="seed", columns="strategy", values="cost_per_trip", sort=False)
    order = list(by_seed.mean().sort_values(kind="stable").index)
    own = rows[rows["strategy"] == order[0]]
    text = f"{order[0]} costs least: {_mean_and_interval(own['cost_per_trip'], '', '{:.1f}')} a trip"
    if own["bound_per_trip"].notna().all():
        text += f"; no strategy can cost less than {_mean_and_interval(own['bound_per_trip'], '', '{:.1f}')}"
    if len(order) > 1:
        difference = mean_interval(by_seed[order[1]] - by_seed[order[0]])
        span = f" [{difference.low:.1f}, {difference.high:.1f}]" if difference.is_known else ""
        text += f". {order[1]}, the next one, costs {difference.mean:.1f}{span} more"
    return f"{text}.{at}"


def asked(run: Mapping[str, Any]) -> str:
    """What was asked for, in the words of the command line."""
    words = [str(word) for word in run.get("overrides", []) if not str(word).startswith("output.dir=")]
    words = [re.sub(r"\\([:,=\[\]{}()\s])", r"\1", word) for word in words]  # as Hydra's sweeper spells them
    return f"Asked: {' '.join(words)}; all else by default" if words else "Asked: nothing, so all is by default"


def sweep_text(
    summary: pd.DataFrame, settings: Sequence[str], folder: Path, kept: Path | None, perfect: Collection[str], weights: Weights
) -> str:
    """The result of a sweep for a terminal: one table, means over seeds with their intervals.

    Parameters
    ----------
    summary
        The stacked summary.
    settings
        Columns that tell settings apart.
    folder
        Where the runs are.
    kept
        Where a summary of an earlier sweep is kept; None where there was none.
    perfect
        Strategies that know the road ahead.
    weights
        At which costs were reckoned.
    """
    overall = of_all_vehicles(summary)
    table = sweep_table(overall, settings)
    lines = [means_words(overall), "", *lines_of(table.iloc[:MOST_ROWS])]
    if len(table) > MOST_ROWS:
        lines.append(f"... and {counted(len(table) - MOST_ROWS, 'row')} more")
    if cost := cheapest(overall, settings, perfect, weights):
        lines += ["", cost]
    lines += ["", f"Tables of all runs: {folder / 'summary.csv'}" + (f" (an earlier sweep's is kept as {kept.name})" if kept else "")]
    return "\n".join([*lines, f"A page with figures: msmf-traci report {folder}"])


def means_words(overall: pd.DataFrame) -> str:
    """What the numbers of a sweep's table are; brackets hold intervals."""
    seeds = overall["seed"].nunique()
    what = f"Means over {counted(seeds, 'seed')}"
    if seeds > 1:
        return f"{what} [and their {LEVEL:.0%} intervals]"
    return f"{what}, so that there are no intervals: sweep over seed=0,1,2,3,4"


def sweep_table(overall: pd.DataFrame, settings: Sequence[str]) -> pd.DataFrame:
    """Means over seeds with their intervals in brackets, as text: one row a strategy and setting.

    An interval is that of Student's t over the seeds' values.

    Parameters
    ----------
    overall
        Rows of all vehicles, stacked.
    settings
        Columns that tell settings apart, beside the strategy.
    """
    varied = [name for name in settings if len(overall[name].unique()) > 1]
    rows = []
    for key, group in overall.groupby(["strategy", *varied], sort=False, dropna=False):
        row = {head: _cell(value, "", "{}") for head, value in zip(["strategy", *map(_head_of_option, varied)], key, strict=True)}
        for head, name, pattern in _COLUMNS:
            if name in _OF_A_SWEEP and name in group:
                row[head] = _mean_and_interval(group[name], name, pattern)
        rows.append(row)
    return pd.DataFrame(rows)


def _cheapest_of_run(summary: pd.DataFrame, run: Mapping[str, Any]) -> str:
    keys = [name for name in run.get("key_columns", ()) if name != "strategy"]
    return cheapest(of_all_vehicles(summary), keys, perfect_strategies(run), weights_of(run))


def _mean_and_interval(values: pd.Series[float], name: str, pattern: str) -> str:
    found = mean_interval(values).within(0.0, 1.0 if name in _SHARES else math.inf)
    if not found.is_known:
        return _cell(found.mean, name, pattern)
    return f"{_cell(found.mean, name, pattern)} [{_cell(found.low, name, pattern)}, {_cell(found.high, name, pattern)}]"


def _best(overall: pd.DataFrame) -> pd.Series[Any] | None:
    """The row that satisfies most; of those that read the same, that with the least traffic."""
    known = overall[overall["satisfied_share"].notna()]
    if known.empty:
        return None
    shown = known.assign(shown=known["satisfied_share"].round(3))
    return shown.sort_values(["shown", "traffic_per_trip_bytes"], ascending=[False, True], kind="stable").iloc[0]


def _name(row: pd.Series[Any], run: Mapping[str, Any]) -> str:
    """A strategy, with the values of what was varied in its pass."""
    keys = [name for name in run.get("key_columns", ()) if name not in ("strategy", "image_mb") or (name == "image_mb" and _is_varied(run))]
    said = ", ".join(f"{name}={_cell(row[name], '', '{}')}" for name in keys)
    return f"{row['strategy']} ({said})" if said else str(row["strategy"])


def _is_varied(run: Mapping[str, Any]) -> bool:
    return bool(run["config"].get("variants", {}).get("workload", {}).get("image_mb"))


def _head_of_option(name: str) -> str:
    option, _, last = name.rpartition(".")
    return f"{option}\n{last}" if option else last


def lines_of(table: pd.DataFrame) -> list[str]:
    """A table of text in columns for a terminal, the first one to the left; heads may have two lines."""
    heads = [[*str(head).split("\n"), ""][:2] for head in table.columns]
    rows = [[head[0] for head in heads], [head[1] for head in heads], *table.to_numpy().tolist()]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    lines.insert(2, "-" * len(lines[0]))
    return lines


def _columns_of_run(overall: pd.DataFrame, run: Mapping[str, Any]) -> _Columns:
    """Columns to show: the keys of variants beside the strategy where there are several, refusals where there were any."""
    keys = [name for name in run.get("key_columns", ()) if name != "strategy" and len(overall[name].unique()) > 1]
    shown = [(_head_of_option(name), name, "{}") for name in keys]
    refused = (
        [("refused\nper trip", "refused_per_trip", "{:.2f}")]
        if "refused_per_trip" in overall and float(overall["refused_per_trip"].max()) > 0
        else []
    )
    there = [column for column in _COLUMNS if column[1] in overall]  # an earlier version reckoned no costs
    return [there[0], *shown, *there[1:4], *refused, *there[4:]]


def _facts(run: Mapping[str, Any], overall: pd.DataFrame) -> list[str]:
    """What was driven, in three lines."""
    vehicles, origin = run["vehicles"], run["mobility"]
    commanded = float(overall["commanded_kmh"].iloc[0])
    mode = origin.get("recorded_with", {}).get("speed_mode", run["config"]["mobility"]["speed_mode"])
    speed = "speeds as the routes say" if math.isnan(commanded) else f"{commanded:g} km/h commanded ({mode})"
    if origin["source"] == "gps":
        speed = f"{run['unmatched_share']:.1%} of the time without a known road"
    realised_kmh = float(overall["realised_kmh"].iloc[0])
    realised = "no" if math.isnan(realised_kmh) else f"{realised_kmh:.1f} km/h"
    road = f"{run['cells']} cells ({run['deployment']['area_km2']:.1f} km2), {run['cells_with_roads']} with roads, {run['edges']} edges"
    counts = f"{counted(vehicles['inserted'], 'vehicle')} inserted, {vehicles['arrived']} arrived"
    on_road = vehicles["inserted"] - vehicles["arrived"]
    for name, count in (("still on the road", on_road), ("not inserted", vehicles["not_inserted"]), ("left out", vehicles["left_out"])):
        counts += f", {count} {name}" if count else ""
    mean_trip_m = run["mean_trip_m"]
    trip = "no trip ended" if mean_trip_m is None else f"{mean_trip_m / 1000:.2f} km mean trip{' of those that arrived' if on_road else ''}"
    return [
        f"{run['config']['scenario']['name']}, seed {run['seed']}: {road}",
        f"{counts}; {run['teleports']} teleports, {run['collisions']} collisions; {run['simulated_s']:.0f} s simulated",
        f"{speed}, {realised} realised, {trip}; {_ORIGINS[origin['source']]}",
    ]


def _cell(value: object, name: str, pattern: str) -> str:
    if isinstance(value, float) and pattern == "{}":
        return "-" if value != value else f"{value:g}"
    if isinstance(value, float):
        return "-" if value != value else pattern.format(value * _FACTORS.get(name, 1.0))
    return pattern.format(value)
