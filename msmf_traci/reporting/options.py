"""The options that vary among the runs: their values, which value is the reference, and what they are called."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from msmf_traci.config.defaults import defaults
from msmf_traci.config.earlier_names import earlier_name
from msmf_traci.reporting.measures import REPLICATE
from msmf_traci.reporting.numbers import exact
from msmf_traci.results.option_columns import key_value

SPEED = "mobility.speed_kmh"
IMAGE = "workload.image_mb"
APPLICATION = "workload.application"
PRESET = "migration.preset"
# what says where, how and how much is written, what it is worth, how variants are made, or where positions came from: no part of a setting
_NO_OPTIONS = {"experiment", "seed", "strategies", "dry_run", "output", "cost", "vary", "variants"}
_NO_INNER = {"mobility.source", "mobility.gui", "mobility.sumo_home", "mobility.gps.path", "mobility.gps.max_points", "reports.bytes"}
_INNER_SECTIONS = {"mobility.gps", "migration.processing"}  # of a section, where any other mapping is the value of one option

Value = float | str
_RANGES = ("workload.image_mb", "workload.memory_mb", "workload.start_ms")


@dataclass(frozen=True)
class Option:
    """An option that has several values.

    Attributes
    ----------
    name
        Dotted.
    values
        In their natural order: numbers as numbers, applications by their images, other text after them.
    reference
        The value that it has where another option is looked at.
    """

    name: str
    values: tuple[Value, ...]
    reference: Value

    @property
    def is_numeric(self) -> bool:
        """Whether it can be an axis of numbers: two values at least are; a range (sizes that are drawn) stands beside the axis."""
        return sum(isinstance(value, float) for value in self.values) >= 2

    @property
    def label(self) -> str:
        """What an axis says."""
        return label_of(self.name)


_UNITS = {
    "kmh": "km/h",
    "mb": "MB",
    "gb": "GB",
    "mbps": "Mb/s",
    "mbit": "Mb",
    "ms": "ms",
    "m": "m",
    "s": "s",
    "mps": "m/s",
    "deg": "degrees",
}
_LABELS = {
    SPEED: "commanded speed (km/h)",
    IMAGE: "container image (MB)",
    APPLICATION: "application",
    "mobility.vehicles": "vehicles",
    "workload.memory_mb": "container memory (MB)",
    "workload.dirty_percent_per_s": "dirty rate (% of memory a second)",
    "workload.dirty_cap_percent": "most of the memory that is dirty (%)",
    "tiers.order": "tiers",
    "tiers.regional.rings": "rings of a region",
    "links.bandwidth_mbps": "bandwidth (Mb/s)",
    "migration.processing.checkpoint_s_per_mb": "checkpoint (s a MB)",
    "migration.processing.round_s_per_mb": "comparing with the snapshot before (s a MB)",
    "migration.processing.restore_s_per_mb": "restore (s a MB)",
}


def label_of(name: str) -> str:
    """Words for an option, with its unit."""
    if name in _LABELS:
        return _LABELS[name]
    section, _, last = name.removeprefix("tiers.").rpartition(".")
    words, _, unit = last.rpartition("_")
    text = f"{words} ({_UNITS[unit]})" if words and unit in _UNITS else last
    return f"{section} {text}".replace("_", " ").strip()


def with_value(name: str, value: str) -> str:
    """An option beside its value (or several) as a reader sees it, the unit behind: `bandwidth 100 Mb/s`."""
    label, _, unit = label_of(name).removesuffix(")").partition(" (")
    has_unit = unit and any(sign.isdigit() for sign in value)  # `none` has no unit
    return f"{label} {value} {unit}" if has_unit else f"{label} {value}"


def value_text(value: Value) -> str:
    """A value as a reader sees it."""
    return exact(value) if isinstance(value, float) else value


def words(option: str, value: Value) -> str:
    """A value of an option as a reader sees it: a range says that sizes are drawn from it."""
    if not isinstance(value, str) or not value.startswith("["):
        return value_text(value)
    if option == "tiers.order":
        return value.strip("[]").replace("'", "").replace(", ", " / ")
    try:
        numbers = [exact(number) for number in json.loads(value)]
    except (ValueError, TypeError):
        return value
    if option in _RANGES and len(numbers) == 2:
        return f"drawn {numbers[0]}–{numbers[1]}"
    return " / ".join(numbers)


def normalised(value: Any) -> Value:
    """A value as a setting holds it: a number, or text.

    A column with numbers and ranges comes from a file as text: its numbers are numbers.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return float(value)
    text = str(value)
    try:
        return float(text) if text[-1:].isdigit() else text  # a digit at the end: "nan" and "inf" are words here
    except ValueError:
        return text


def with_preset(config: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A configuration with the name of the preset of `migration` that was typed, which it does not hold itself; `paper` is the default."""
    named = [word.partition("=")[2] for word in overrides if word.startswith("migration=")]
    return {**config, "migration": {**config.get("migration", {}), "preset": named[-1] if named else "paper"}}


def config_options(config: Mapping[str, Any]) -> dict[str, Value]:
    """Every option of a configuration that tells settings apart, by its dotted name."""
    found: dict[str, Value] = {}
    for section, content in config.items():
        if section in _NO_OPTIONS:
            continue
        inner = content if isinstance(content, Mapping) else {"": content}
        for name, value in inner.items():
            option = f"{section}.{name}".rstrip(".")
            values = (
                {f"{option}.{last}": each for last, each in value.items()}
                if isinstance(value, Mapping) and (option in _INNER_SECTIONS or section in ("applications", "tiers", "strategy"))
                else {option: value}
            )
            found |= {one: normalised(key_value(each) if one == APPLICATION else each) for one, each in values.items()}
    return {name: value for name, value in found.items() if name not in _NO_INNER}


def varied_columns(config: Mapping[str, Any], key_columns: Sequence[str]) -> dict[str, str]:
    """Key column of each option that a run varied within its pass."""
    found = {}
    for option in _varied("", config.get("variants", {})):
        names = [each for name in (option, earlier_name(option)) for each in (name, name.rsplit(".", 1)[-1])]
        column = next((name for name in names if name in key_columns), None)
        if column is not None:
            found[option] = column
    return found


def _varied(section: str, mirror: Mapping[str, Any]) -> Iterator[str]:
    """Options of which a mirror of the configuration has values."""
    for name, values in mirror.items():
        if isinstance(values, Mapping):
            yield from _varied(f"{section}{name}.", values)
        elif values is not None:
            yield f"{section}{name}"


def find_options(configs: Sequence[Mapping[str, Any]], tables: Sequence[pd.DataFrame], main: int) -> dict[str, Option]:
    """The options with several values.

    The first folder alone gives the reference value: what most of its runs are configured with, beside what they varied. Of equally
    frequent values it is the middle one. Where no setting of the first folder has all of these together, the reference is the setting that
    has most. What varies only as the preset of `migration` does is one option, the preset. A file of its own for each seed is no option.

    Parameters
    ----------
    configs
        Of the runs.
    tables
        Rows of each run, with a column an option.
    main
        How many runs are of the first folder.
    """
    names = list(dict.fromkeys(name for table in tables for name in table.columns if "." in name))
    configured = [config_options(config) for config in configs]
    usual = config_options(defaults())
    found = {}
    for name in names:
        values: set[Value] = {value for table in tables if name in table for value in table[name].unique()}
        if len(values) < 2 or (name.endswith("_file") and _goes_with_seed(name, tables)):
            continue
        base: list[Value] = [
            table[name].iloc[0] if name == SPEED and len(table[name].unique()) == 1 else config.get(name, "")
            for config, table in zip(configured, tables, strict=True)
        ]
        ordered = _in_order(name, values, configured)
        here = {value for table in tables[:main] if name in table for value in table[name].unique()}
        found[name] = Option(
            name, tuple(ordered), _reference(base[:main], [value for value in ordered if value in here] or ordered, usual.get(name))
        )
    if PRESET in found:
        found = {name: option for name, option in found.items() if not _is_the_presets(name, tables)}
    return _together(found, tables[:main])


def _is_the_presets(name: str, tables: Sequence[pd.DataFrame]) -> bool:
    """Whether an option varies only as the preset of `migration` does."""
    if not (name.startswith("migration.processing.") or name == "workload.start_ms"):
        return False
    pairs = {pair for table in tables if {PRESET, name} <= set(table) for pair in zip(table[PRESET], table[name], strict=True)}
    return len(pairs) == len({preset for preset, _ in pairs})


def _together(options: dict[str, Option], tables: Sequence[pd.DataFrame]) -> dict[str, Option]:
    """The options with reference values that some run has all together, as those of a preset: of the first that has most of them."""
    if not options:
        return options
    table = pd.concat([each.reindex(columns=list(options)) for each in tables], ignore_index=True)
    has = pd.DataFrame({name: table[name] == option.reference for name, option in options.items()})
    nearest = table.iloc[int(has.sum(axis=1).to_numpy().argmax())]
    same = {name: [value for value in option.values if value == nearest[name]] for name, option in options.items()}
    return {name: replace(option, reference=same[name][0]) if same[name] else option for name, option in options.items()}


def _in_order(name: str, values: set[Value], configured: Sequence[Mapping[str, Value]]) -> list[Value]:
    """Values of an option in their natural order."""
    if name != APPLICATION:
        return sorted(values, key=_order)
    images = {
        value: config[f"applications.{value}.image_mb"]
        for config in configured
        for value in values
        if f"applications.{value}.image_mb" in config
    }
    return sorted(values, key=lambda value: (*_order(images.get(value, "")), value))


def _goes_with_seed(name: str, tables: Sequence[pd.DataFrame]) -> bool:
    """Whether every seed has a value of its own."""
    pairs = {(table[name].iloc[0], table[REPLICATE].iloc[0]) for table in tables if name in table and len(table)}
    return len(pairs) == len({value for value, _ in pairs}) == len({seed for _, seed in pairs})


def _reference(configured: Sequence[Value], values: Sequence[Value], usual: Value | None) -> Value:
    """The value that most are configured with; of equally frequent ones, which come in order, the default one, else the middle one."""
    counts = Counter(configured)
    most = max(counts[value] for value in values)
    candidates = [value for value in values if counts[value] == most]
    return usual if usual in candidates else candidates[(len(candidates) - 1) // 2]


def _order(value: Value) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, float) else (1, 0.0, value)


def axes(options: Mapping[str, Option]) -> list[Option]:
    """Options to draw curves against, those of the paper first."""
    first = [name for name in (SPEED, IMAGE) if name in options]
    return [options[name] for name in itertools.chain(first, sorted(set(options) - set(first)))]
