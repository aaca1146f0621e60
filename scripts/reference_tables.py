#!/usr/bin/env python3
"""Writes the tables of options and columns, and the entries of claims, into docs/.

    .venv/bin/python scripts/reference_tables.py

A table stands between `<!-- options: GROUP -->` or `<!-- columns: TABLE -->` and `<!-- end -->`. The options come from the schema and
`conf/`, the columns from `msmf_traci/results/columns.py`. Claims stand between `<!-- claims: FILE -->` and `<!-- end -->`; they come from
that file in `results/reference`. A test says when a page is behind.
"""

import csv
import re
import textwrap
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml

from msmf_traci.config.defaults import defaults
from msmf_traci.config.migration_schema import Application
from msmf_traci.config.schema import APPLICATIONS, CHOSEN, option_fields, options_of
from msmf_traci.config.testbed_schema import SessionConfig
from msmf_traci.reporting.judgement import NO_DATA
from msmf_traci.results.columns import TABLES, Column

ROOT = Path(__file__).parents[1]
CONF = ROOT / "conf"
REFERENCE = ROOT / "results" / "reference"
PAGES = [ROOT / "docs" / name for name in ("options.md", "tables.md", "run-facts.md", "claims.md")]
NO_GROUP = "general"  # options without a group, such as seed, as --help calls them
TESTBED = "testbed"
VARIANTS = "variants"
OPEN = "none"  # of an application, by whoever adds it

# how the name of an option, or of a part of it, ends -> its unit
UNITS = {
    "s_per_mb": "s for each MB",
    "percent_per_s": "% of the memory a second",
    "per_s": "a second",
    "kmh": "km/h",
    "mps": "m/s",
    "mbps": "Mb/s",
    "mbit": "Mb",
    "mb": "MB",
    "ms": "ms",
    "deg": "degrees",
    "bytes": "bytes",
    "m": "m",
    "s": "s",
}
# options whose names have no unit in them
OTHER_UNITS = {
    "deployment.center": "degrees, or m",
    "scenario.bbox": "degrees",
    "deployment.bbox": "degrees, or m",
    "deployment.min_samples": "measurements",
    "mobility.gps.bbox": "degrees",
    "deployment.rings": "rings",
    **{f"tiers.{tier}.{name}": unit for tier in ("local", "regional") for name, unit in (("capacity", "containers"), ("rings", "rings"))},
    **{f"tiers.{tier}.clusters": "areas" for tier in ("local", "regional")},
    **{f"tiers.{tier}.compute_ms_per_container": "ms" for tier in ("local", "regional")},
    "mobility.vehicles": "vehicles",
    "mobility.gps.number": "traces",
    "mobility.gps.per_mode": "traces",
    "mobility.gps.max_points": "points",
    "migration.processing.round_trips": "round trips",
}


# options whose values are judged by more than their type
OTHER_VALUES = {
    "workload.image_mb": "number above 0, or a range `[low, high]`",
    "workload.memory_mb": "number above 0, or a range `[low, high]`",
    "workload.start_ms": "range `[low, high]`",
    "mobility.sumo_args": "list of words",
    "mobility.gps.begin": "time in ISO 8601, or null",
    "mobility.gps.end": "time in ISO 8601, or null",
    "scenario.bbox": "`[west, south, east, north]`, or null",
    "deployment.bbox": "`[left, bottom, right, top]`, or null",
    "mobility.gps.bbox": "`[west, south, east, north]`, or null",
    "matching.lag_s": "number, 0 or more, or `inf`",
    "vary.together": "list of lists of options",
    "migration.measured": "source, stack, plans and ranges, or null",
    "tiers.order": "list of 1 to 8 names",
}


def main() -> None:
    """Write the tables of every page."""
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")


def filled(markdown: str) -> str:
    """A page with its tables as they should be."""

    def fill(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        return f"{begin}\n\n{made[kind](name)}\n\n{end}"

    made = {"options": options_table, "columns": columns_table, "claims": claims_entries}
    return re.sub(r"^(<!-- (options|columns|claims): (\S+) -->)$.*?^(<!-- end -->)$", fill, markdown, flags=re.MULTILINE | re.DOTALL)


def option_groups() -> dict[str, dict[str, tuple[str, Any]]]:
    """Every option by its group, those of the applications and of the testbed included."""
    groups: dict[str, dict[str, tuple[str, Any]]] = {}
    for name, described in option_fields().items():
        if name not in CHOSEN:
            groups.setdefault(name.split(".")[0] if "." in name else NO_GROUP, {})[name] = described
    groups[APPLICATIONS] = {}
    for name, field in Application.model_fields.items():
        groups[APPLICATIONS] |= options_of(f"{APPLICATIONS}.NAME.{name}", field)
    groups[TESTBED] = {}
    for name, field in SessionConfig.model_fields.items():
        groups[TESTBED] |= options_of(name, field)
    return groups


def run_defaults() -> dict[str, Any]:
    """Every option of a run with its default, those of the default scenario among them."""
    scenario = yaml.safe_load((CONF / "scenario" / "synthetic.yaml").read_text(encoding="utf-8"))["scenario"]
    return {**defaults(), "scenario": scenario}


def testbed_defaults() -> dict[str, Any]:
    """Every option of a session of the testbed with its default."""
    found: dict[str, Any] = yaml.safe_load((CONF / "testbed.yaml").read_text(encoding="utf-8"))
    return found


def options_table(group: str) -> str:
    """The options of a group: value, unit, default, meaning."""
    groups = option_groups()
    if group == VARIANTS:
        return _table(
            ("option", "values"), [(f"`{name}`", f"list; each: {_values(name, field)}") for name, (_, field) in groups[group].items()]
        )
    held = testbed_defaults() if group == TESTBED else run_defaults()
    rows = [
        (f"`{name}`", _values(name, field), unit_of(name), _default(name, held), description)
        for name, (description, field) in groups[group].items()
    ]
    return _table(("option", "value", "unit", "default", "meaning"), rows)


def claims_entries(file: str) -> str:
    """Every claim of a file: the paper's sentence, what was asked, the verdict, and the most literal reading's number."""
    with (REFERENCE / file).open(encoding="utf-8", newline="") as rows:
        return "\n\n".join(_claim(row) for row in csv.DictReader(rows) if row["verdict"] != NO_DATA)


def _claim(row: dict[str, str]) -> str:
    verdict, _, depends = row["verdict"].partition(" (on ")
    on = depends.removesuffix(")").split("; ") if depends else []
    parts = [
        f"### {row['claim']}",
        _wrapped(row["text"], "> ", "> "),
        _wrapped(f"{_place(row['source'])}. Asked: {row['asks']}"),
        f"**Verdict: {verdict}**{', on' if on else '.'}",
        "\n".join(_wrapped(each, "- ", "  ") for each in on),
        _wrapped(row["because"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _place(source: str) -> str:
    return f"Section {source}" if source[0].isdigit() else source.capitalize()


def _wrapped(text: str, first: str = "", further: str = "") -> str:
    return textwrap.fill(text, 100, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)


def columns_table(table: str) -> str:
    """The columns of a table, or of several that are separated by commas: unit, meaning."""
    columns: dict[str, Column] = {}
    for name in table.split(","):
        columns |= TABLES[name]
    return _table(("column", "unit", "meaning"), [(f"`{name}`", column.unit, column.meaning) for name, column in columns.items()])


def unit_of(option: str) -> str:
    """The unit of an option, as its name says."""
    if option.removeprefix("variants.") in OTHER_UNITS:
        return OTHER_UNITS[option.removeprefix("variants.")]
    last = option.rsplit(".", 1)[-1]
    return next((unit for ending, unit in UNITS.items() if last == ending or last.endswith(f"_{ending}")), "")


def _values(option: str, field: Any) -> str:
    return OTHER_VALUES.get(option.removeprefix(f"{VARIANTS}."), "") or value_text(field.annotation, field.metadata)


def value_text(annotation: Any, metadata: Iterable[Any]) -> str:
    """Which values a type takes, in words: `number, 0 or more`."""
    bounds = list(metadata)
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        bounds += [bound for each in more for bound in getattr(each, "metadata", [each])]
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = get_args(annotation)
        inner = [value_text(kind, bounds) for kind in kinds if kind is not type(None)]
        return ", or ".join([*dict.fromkeys(inner), *(["null"] if type(None) in kinds else [])])
    if get_origin(annotation) is list:
        length = next((bound.max_length for bound in bounds if isinstance(bound, annotated_types.MaxLen)), None)
        return f"list of {length or ''} {_plural(value_text(get_args(annotation)[0], ()))}".replace("  ", " ")
    if get_origin(annotation) is dict:
        return "two named numbers"
    names = {bool: "`true`, `false`", str: "text", int: "whole number", float: "number"}
    return names[annotation] + (_range(bounds) if annotation in (int, float) else "")


def _plural(text: str) -> str:
    return re.sub(r"^(whole number|number|text)", r"\1s", text)


def _range(bounds: Iterable[Any]) -> str:
    """`, 0 or more`, `, 1 to 200`, `, above 0`; the largest number of all is not said each time."""
    low = high = ""
    for bound in bounds:
        match bound:
            case annotated_types.Ge(ge=value):
                low = f"{value:,g}" if value < 1e6 else f"{value:g}"
            case annotated_types.Gt(gt=value):
                low = f"above {value:g}"
            case annotated_types.Le(le=value) if value < 1e9:
                high = f"{value:,g}" if value < 1e6 else f"{value:g}"
            case annotated_types.Lt(lt=value) if value < 2**31:
                high = f"below {value:g}"
    if high:
        return f", {low} to {high}" if low else f", up to {high}"
    return "" if not low else f", {low}" if low.startswith("above") else f", {low} or more"


def _default(name: str, held: dict[str, Any]) -> str:
    value: Any = held
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return OPEN
        value = value[part]
    if isinstance(value, list):
        return f"`[{', '.join(str(item) for item in value)}]`"
    return f"`{yaml.safe_dump(value).splitlines()[0]}`"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
