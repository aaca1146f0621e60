"""Everything a replay shows: facts for its page (names, labels) and arrays of whole numbers (places, times, states)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.reporting.cell_map import LOCAL_PREFIX, CellMap, read_cell_map
from msmf_traci.reporting.replay_trace import OUTCOMES, QUANTUM_M, STAGES, Numbers, Trips, read_changes, read_transfers, read_trips
from msmf_traci.reporting.road_lines import RoadLines, read_roads, thinned
from msmf_traci.reporting.run_tables import NUMBER, TEXT, read_whole, variant_labels
from msmf_traci.results.run_facts import read_facts
from msmf_traci.results.store import find_map

RINGS_COLUMNS = ("regional_rings", "tiers.regional_rings")


@dataclass(frozen=True)
class ReplayData:
    """What goes into the page.

    Attributes
    ----------
    facts
        Names and labels, ready for JSON.
    arrays
        By name; places in QUANTUM_M, times in ms.
    """

    facts: dict[str, Any]
    arrays: dict[str, IntArray]


@dataclass(frozen=True)
class Variants:
    """The variants of a run.

    Attributes
    ----------
    numbers
        By the text of their keys.
    labels
        What a person calls them: the strategy and whatever else was varied.
    rings
        Rings of their regions.
    """

    numbers: Numbers
    labels: list[str]
    rings: list[int]


def read_replay(run: Path) -> ReplayData:
    """Read a traced run.

    Raises
    ------
    InputError
        If a table is missing, damaged or cut off, the run was not traced, or nobody was on the road.
    """
    facts = read_facts(run)
    key_columns = [str(column) for column in facts["key_columns"]]
    folder = find_map(run, facts)
    cell_map, roads = read_cell_map(folder, facts), read_roads(folder)
    trips = read_trips(run, cell_map.cells, roads.edges, roads.names)
    vehicles = read_whole(
        run,
        "vehicles",
        dict.fromkeys((*key_columns, "vehicle"), TEXT) | dict.fromkeys(OUTCOMES, NUMBER),
    )
    variants = _variants(vehicles, key_columns, facts, run)
    servers = Numbers([f"{LOCAL_PREFIX}{cell}" for cell in cell_map.cells])
    for region in sorted(set(cell_map.region)):
        servers(region)
    changes = read_changes(run, trips, variants.numbers, key_columns, servers)
    booked = int(vehicles[list(OUTCOMES)].to_numpy().sum())
    transfers = read_transfers(run, trips, variants.numbers, key_columns, servers, booked)
    arrays = {
        **_map_arrays(cell_map, thinned(roads.lines), sorted(set(variants.rings)), servers, _base_rings(facts)),
        **_trip_arrays(trips),
        **{f"change_{name}": getattr(changes, name) for name in ("first", "frame", "home", "target", "host", "running")},
        **transfers,
    }
    return ReplayData(
        {
            "run": run.resolve().name,
            "scenario": str(_configured(facts, "scenario", "name")),
            "quantum_m": QUANTUM_M,
            "cell_size_m": round(cell_map.size_m, 3),
            "variants": variants.labels,
            "rings": variants.rings,
            "vehicles": list(trips.ids),
            "cells": list(cell_map.cells),
            "servers": list(servers.of),
            "streets": trips.streets,
            "stages": list(STAGES),
            "outcomes": list(OUTCOMES),
        },
        arrays,
    )


def variant_label(keys: Mapping[str, str], varied: Sequence[str]) -> str:
    """What a person calls a variant: `pm, image_mb 100`."""
    more = [f"{column} {keys[column].removesuffix('.0') or 'default'}" for column in varied if column != "strategy"]
    return ", ".join([keys["strategy"], *more])


def varied_columns(keys: pd.DataFrame) -> list[str]:
    """Key columns in which variants differ; the strategy always."""
    return [column for column in keys.columns if column == "strategy" or len(keys[column].unique()) > 1]


def _variants(vehicles: pd.DataFrame, key_columns: list[str], facts: Mapping[str, Any], run: Path) -> Variants:
    keys = vehicles[key_columns].drop_duplicates(ignore_index=True)
    if not len(keys):
        raise InputError(f"{run} has no vehicles, so there is nothing to show; run it again with mobility.vehicles of at least 1")
    # strategies in the order of the run, the rest as in the tables
    places = {name: place for place, name in enumerate(facts["strategies"])}
    order = np.argsort([places.get(name, len(places)) for name in keys["strategy"]], kind="stable")
    keys = keys.iloc[order].reset_index(drop=True)
    varied = varied_columns(keys)
    rows = [{str(column): str(value) for column, value in row.items()} for row in keys.to_dict("records")]
    rings_column = next((column for column in RINGS_COLUMNS if column in key_columns), None)
    base = _base_rings(facts)
    return Variants(
        numbers=Numbers(list(variant_labels(keys, key_columns))),
        labels=[variant_label(row, varied) for row in rows],
        rings=[base if rings_column is None or not row[rings_column] else int(float(row[rings_column])) for row in rows],
    )


def _base_rings(facts: Mapping[str, Any]) -> int:
    """Rings of the regions of the map folder."""
    return int(_configured(facts, "tiers", "regional_rings"))


def _configured(facts: Mapping[str, Any], section: str, name: str) -> Any:
    """A value of a run's configuration that only a replay needs."""
    value = facts["config"].get(section, {}).get(name)
    if value is None:
        raise InputError(f"run.json is damaged: it does not say {section}.{name}; copy the run again, or run it again")
    return value


def _trip_arrays(trips: Trips) -> dict[str, IntArray]:
    return {
        "time": trips.time_ms,
        "sample_first": trips.first,
        "sample_frame": trips.frame,
        "sample_x": trips.x,
        "sample_y": trips.y,
        "sample_speed": trips.speed,
        "sample_cell": trips.cell,
        "sample_street": trips.street,
    }


def _map_arrays(cell_map: CellMap, lines: RoadLines, rings: list[int], servers: Numbers, base_rings: int) -> dict[str, IntArray]:
    """Cells, roads, borders and servers; region servers by cell and borders of regions for every number of rings that a variant has."""
    arrays = {
        "cell_border": _quantised(cell_map.borders_m()),
        "road_first": lines.first,
        "road_xy": _quantised(lines.xy_m),
        "road_rank": lines.rank,
    }
    for k in rings:
        region = cell_map.region if k == base_rings else cell_map.regions_of(k)
        arrays[f"region_border_{k}"] = _quantised(cell_map.borders_m(region))
        arrays[f"region_server_{k}"] = np.array([servers(name) for name in region], dtype=np.int64)
    arrays["server_xy"] = _quantised(cell_map.server_places_m(np.array(list(servers.of), dtype=object)))
    return arrays


def _quantised(places_m: FloatArray) -> IntArray:
    return np.rint(places_m.ravel() / QUANTUM_M).astype(np.int64)
