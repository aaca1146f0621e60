"""Which options vary among runs, and which of their values is the reference."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from msmf_traci.reporting.options import PRESET, Value, config_options, find_options, with_preset

ROUND_TRIPS, EFFICIENCY, SPEED = "migration.processing.round_trips", "migration.processing.transport_efficiency", "mobility.speed_kmh"


def references(*runs: Mapping[str, Value]) -> dict[str, Value]:
    """Of runs with one setting each, configured as told."""
    configs = [_nested(run) for run in runs]
    tables = [pd.DataFrame([run]) for run in runs]
    return {name: option.reference for name, option in find_options(configs, tables, len(runs)).items()}


def _nested(run: Mapping[str, Value]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name, value in run.items():
        *sections, last = name.split(".")
        inner = config
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
    return config


def test_of_equally_frequent_values_the_default_is_the_reference_else_the_middle_one() -> None:
    runs = [{SPEED: speed, ROUND_TRIPS: trips} for speed, trips in product((20.0, 30.0, 80.0), (17.5, 0.0))]
    assert references(*runs) == {SPEED: 30.0, ROUND_TRIPS: 0.0}
    faster = [{SPEED: speed} for speed in (5.0, 10.0, 20.0, 50.0)]
    assert references(*faster) == {SPEED: 50.0}


def test_values_that_no_run_has_together_are_no_reference() -> None:
    """Option by option the lesser values would be taken: no round trips with an efficiency of 0.92, which no run has."""
    paper, fitted = {ROUND_TRIPS: 0.0, EFFICIENCY: 1.0, "links.round_trip_ms": 0.0}, {ROUND_TRIPS: 17.5, EFFICIENCY: 0.92}
    fitted["links.round_trip_ms"] = 40.0
    assert references(paper, fitted) == paper
    assert references(fitted, paper) == paper


def test_what_varies_with_the_preset_is_one_option() -> None:
    paper = {PRESET: "paper", ROUND_TRIPS: 0.0, EFFICIENCY: 1.0, SPEED: 50.0}
    fitted = {PRESET: "runc_rsync", ROUND_TRIPS: 17.5, EFFICIENCY: 0.92, SPEED: 50.0}
    assert references(paper, fitted) == {PRESET: "paper"}
    more_trips = fitted | {ROUND_TRIPS: 30.0}
    assert set(references(paper, fitted, more_trips)) == {PRESET, ROUND_TRIPS}


def test_the_preset_is_read_from_what_was_typed() -> None:
    config = {"migration": {"processing": {"round_trips": 17.5}}}
    assert config_options(with_preset(config, ["seed=1", "migration=runc_rsync"]))[PRESET] == "runc_rsync"
    assert config_options(with_preset({}, ["seed=1"])) == config_options(with_preset({}, ["migration=paper"])) == {PRESET: "paper"}
