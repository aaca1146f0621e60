"""The tables of the page, as text with what to sort by."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from msmf_traci.reporting.finished_run import FinishedRun
from msmf_traci.reporting.measures import COST, MEASURES
from msmf_traci.reporting.numbers import measured, span
from msmf_traci.reporting.options import words
from msmf_traci.reporting.reading import Results
from msmf_traci.results.intervals import Interval, mean_interval

_SHOWN = (
    "satisfied_share",
    "traffic_per_trip_bytes",
    "wasted_per_trip_bytes",
    "traffic_per_transfer_bytes",
    "traffic_per_km_bytes",
    "handoffs_per_trip",
    "completed_per_trip",
    "downtime_per_handoff_s",
    "mean_outage_s",
    "unavailability",
)


@dataclass(frozen=True)
class Field:
    """A field of a table: its text, a quieter text beside it, and what it is sorted by."""

    text: str
    beside: str = ""
    key: str | float = ""


@dataclass(frozen=True)
class PageTable:
    """A table of the page; numeric columns are set to the right."""

    columns: list[tuple[str, str, bool]]
    rows: list[list[Field]]


def strategies_table(results: Results) -> PageTable:
    """Every strategy at the reference: means over seeds and their intervals."""
    table = results.at()
    measures = [MEASURES[name] for name in _SHOWN]
    measures[1:1] = [measure for measure in COST[:2] if table[measure.column].notna().any()]
    measures += [measure for measure in COST[2:] if table[measure.column].notna().any()]
    rows = []
    for name in results.strategies:
        own = table[table["strategy"] == name]
        if own.empty:
            continue
        row = [Field(name, key=name), number_field(len(own))]
        for measure in measures:
            found = mean_interval(own[measure.column] / measure.per_unit).within(0.0, measure.most)
            row.append(Field(measured(found.mean), _span(found), found.mean if found.n else ""))
        rows.append(row)
    columns = [("strategy", "", False), ("seeds", "", True), *((measure.title, measure.definition, True) for measure in measures)]
    return PageTable(columns, rows)


def evidence_table(evidence: pd.DataFrame) -> PageTable:
    """The numbers behind a claim."""
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in evidence.dtypes]
    return PageTable(
        [(str(name), "", bool(number)) for name, number in zip(evidence.columns, numeric, strict=True)],
        [[_field(value) for value in row] for row in evidence.itertuples(index=False)],
    )


def runs_table(results: Results) -> PageTable:
    """One row a run."""
    columns = [("run", "", False), ("speed (km/h)", "", True), ("seed", "", True), ("vehicles", "", True), ("arrived", "", True)]
    columns += [("mean trip (km)", "of vehicles that arrived", True), ("simulated (s)", "how long it lasted in simulated time", True)]
    columns += [("teleports", "", True), ("collisions", "", True), ("outside (%)", "share of the time outside the deployment", True)]
    columns += [("wall time (s)", "", True)]
    rows = []
    for run in results.runs:
        facts = run.facts
        vehicles = facts.get("vehicles", {})
        speed = None if run.is_of_traces else run.facts["config"].get("mobility", {}).get("speed_kmh")
        outside = facts.get("outside_share")
        row = [Field(run.name, key=run.name), number_field(speed), number_field(run.seed)]
        row += [number_field(vehicles.get("inserted")), number_field(vehicles.get("arrived"))]
        trip_m = facts.get("mean_trip_m")
        row += [number_field(None if trip_m is None else trip_m / 1000.0), number_field(facts.get("simulated_s"))]
        row += [number_field(facts.get("teleports")), number_field(facts.get("collisions"))]
        row += [number_field(None if outside is None else 100 * outside), number_field(_wall_s(run))]
        rows.append(row)
    return PageTable(columns, rows)


def what_was_run(results: Results) -> list[tuple[str, list[tuple[str, str]]]]:
    """Sections of names and values: what the first folder's runs have in common, and what they were made with."""
    first = results.runs[0]
    facts = first.facts
    about = [
        ("folders", ", ".join(str(folder) for folder in results.folders)),
        ("runs", f"{len(results.runs)}, of which {results.main} are in the first folder"),
        ("settings", f"{len(results.settings)}"),
        ("seeds", ", ".join(map(str, results.replicates))),
        ("wall time of all runs", f"{sum(_wall_s(run) for run in results.runs):.0f} s"),
        *((f"varies: {name}", ", ".join(words(name, value) for value in option.values)) for name, option in results.options.items()),
    ]
    inputs = [
        (f"{name} {fact}", str(value))
        for name, inner in (("network", facts.get("network")), ("source map", facts.get("source_map")), *_routes(facts))
        if isinstance(inner, Mapping)
        for fact, value in inner.items()
    ]
    fingerprint = [(f"fingerprint {name}", json.dumps(value)) for name, value in facts.get("fingerprint", {}).items()]
    configuration = [
        (f"{section}.{name}".rstrip("."), json.dumps(value))
        for section, content in facts["config"].items()
        if section != "variants"
        for name, value in (content.items() if isinstance(content, Mapping) else [("", content)])
    ]
    return [
        ("About", about),
        ("Versions", [(str(name), str(version)) for name, version in facts["versions"].items()]),
        (f"Inputs of the first run, {first.name}", [*inputs, *fingerprint]),
        ("Configuration of the first run", configuration),
    ]


def _routes(facts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = facts.get("routes")
    return [("routes", each) for each in (found if isinstance(found, list) else [found])]


def _wall_s(run: FinishedRun) -> float:
    return float(sum(run.facts.get("wall_s", {}).values()))


def _span(interval: Interval) -> str:
    """An interval that has a width; empty if not."""
    return span(interval.low, interval.high, interval.mean) if interval.is_known and interval.low < interval.high else ""


def _field(value: Any) -> Field:
    if isinstance(value, int | float) or hasattr(value, "dtype"):
        return number_field(value)
    return Field(str(value) if value is not None else "", key=str(value))


def number_field(value: Any) -> Field:
    """A count as it is, anything else that was measured by its three digits; empty where it is not known."""
    if value is None or isinstance(value, str):
        return Field(value or "")
    if not math.isfinite(value):
        return Field("")
    return Field(str(value) if isinstance(value, int) else measured(float(value)), key=float(value))
