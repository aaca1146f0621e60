"""What a person sees: progress while a run goes on, and the result at a glance."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
from tqdm import tqdm

from msmf_traci.results.summary import ALL, MODE, of_all_vehicles

LOG_EVERY_S = 10.0
_ORIGINS = {
    "traci": "driven now (SUMO over TraCI)",
    "libsumo": "driven now (libsumo)",
    "recording": "replayed from a recording",
    "fcd": "read from an FCD file",
    "gps": "GPS traces matched to roads",
}

_COLUMNS = (
    ("strategy", "strategy", "{}"),
    ("traffic/trip\nMB", "traffic_per_trip_bytes", "{:.0f}"),
    ("wasted/trip\nMB", "wasted_per_trip_bytes", "{:.0f}"),
    ("handoffs\nper trip", "handoffs", "{:.1f}"),
    ("downtime/\nhandoff s", "downtime_per_handoff_s", "{:.2f}"),
    ("mean\noutage s", "outage_s", "{:.2f}"),
    ("unavail-\nable %", "unavailability", "{:.2f}"),
    ("satis-\nfied %", "satisfied_share", "{:.1f}"),
    ("entry\nhits %", "entry_hit_rate", "{:.1f}"),
    ("handoff\nhits %", "handoff_hit_rate", "{:.1f}"),
)
_FACTORS = {
    "traffic_per_trip_bytes": 1e-6,
    "wasted_per_trip_bytes": 1e-6,
    "unavailability": 100.0,
    "satisfied_share": 100.0,
    "entry_hit_rate": 100.0,
    "handoff_hit_rate": 100.0,
}


class ProgressDisplay:
    """Shows simulated time, vehicles on the road and time left: a bar on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    vehicles
        Vehicles that will drive, if known.
    """

    def __init__(self, vehicles: int | None) -> None:
        self._vehicles = vehicles
        self._bar: tqdm[Any] | None = None
        self._begin_s = time.monotonic()
        self._shown_s = self._begin_s

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = tqdm(total=self._vehicles, unit="vehicle", desc="starting SUMO", leave=False, dynamic_ncols=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, time_s: float, on_road: int, expected: int, arrived: int) -> None:
        """Show the state after a step."""
        now_s = time.monotonic()
        if self._bar is not None:
            self._bar.set_description(f"{time_s:.0f} s simulated, {on_road} on the road", refresh=False)
            if self._vehicles is None:
                self._bar.total = arrived + expected
            self._bar.update(arrived - self._bar.n)
        elif now_s - self._shown_s >= LOG_EVERY_S:
            self._shown_s = now_s
            total = arrived + expected if self._vehicles is None else self._vehicles
            left = f", about {(now_s - self._begin_s) / arrived * (total - arrived):.0f} s left" if arrived else ""
            say(f"{time_s:.0f} s simulated, {counted(on_road, 'vehicle')} on the road, {arrived} of {total} arrived{left}")


def counted(number: int, thing: str) -> str:
    """A number of things: `1 run`, `2 runs`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def say(text: str) -> None:
    """A line of what is going on, on stderr."""
    print(text, file=sys.stderr, flush=True)


def result_text(summary: pd.DataFrame, run: Mapping[str, Any], folder: Path) -> str:
    """The result of a run as a table for a terminal, strategies in the order of the configuration.

    Where vehicles have modes and each strategy is one variant, every mode has a row beneath that of all; rows of several variants and modes
    would be too many to look through.

    Parameters
    ----------
    summary
        The run's summary.
    run
        What run.json says.
    folder
        Where the tables are.
    """
    names = list(dict.fromkeys(run["strategies"]))
    overall = of_all_vehicles(summary)
    has_modes = MODE in summary and overall["strategy"].is_unique
    shown = summary[summary["band"] == ALL] if has_modes else overall
    # a stable sort: the rows of a strategy stay together, those of all vehicles before those of each mode
    shown = shown[shown["strategy"].isin(names)].sort_values("strategy", key=lambda each: each.map(names.index), kind="stable")
    columns = _columns(shown, run)
    if has_modes:
        columns.insert(1, (MODE, MODE, "{}"))
    heads = [head.split("\n") for head, _, _ in columns]
    rows = [[head[0] for head in heads], [head[1] if len(head) > 1 else "" for head in heads]]
    for _, row in shown.iterrows():
        rows.append([_cell(row[name], name, pattern) for _, name, pattern in columns])
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    lines = [
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    lines.insert(2, "-" * len(lines[0]))
    return "\n".join([*_facts(run, overall), "", *lines, "", f"Tables: {folder}"])


def _columns(overall: pd.DataFrame, run: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Columns to show: the keys of variants beside the strategy where there are several, refusals where there were any."""
    keys = [name for name in run.get("key_columns", ()) if name != "strategy" and len(overall[name].unique()) > 1]
    shown = [(f"{option}\n{last}" if option else last, name, "{}") for name in keys for option, _, last in (name.rpartition("."),)]
    refused = [("refused\nper trip", "refused", "{:.2f}")] if "refused" in overall and float(overall["refused"].max()) > 0 else []
    return [_COLUMNS[0], *shown, *_COLUMNS[1:4], *refused, *_COLUMNS[4:]]


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
