"""Everything a replay shows: facts for its page (names, labels) and arrays of whole numbers (places, times, states)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.areas import TierPlan
from msmf_traci.errors import InputError
from msmf_traci.reporting.cell_map import CellMap, read_cell_map
from msmf_traci.reporting.options import varied_columns as columns_of_options
from msmf_traci.reporting.replay_numbers import Numbers
from msmf_traci.reporting.replay_trace import (
    COPY_OUTCOMES,
    OUTCOMES,
    QUANTUM_M,
    STAGES,
    Trips,
    read_changes,
    read_copies,
    read_transfers,
    read_trips,
)
from msmf_traci.reporting.road_lines import RoadLines, read_roads, thinned
from msmf_traci.reporting.run_tables import NUMBER, TEXT, header, read_whole, variant_labels
from msmf_traci.results.run_facts import read_facts
from msmf_traci.results.store import find_map


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
    areas
        Columns of the map with their servers, one a tier.
    """

    numbers: Numbers
    labels: list[str]
    areas: list[list[str]]


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
    columns = list(cell_map.servers)
    trips = read_trips(run, cell_map.cells, roads.edges, roads.names)
    # earlier versions know no copies
    of_copies = [name for name in (f"copies_{outcome}" for outcome in COPY_OUTCOMES) if name in header(run, "vehicles")]
    vehicles = read_whole(
        run,
        "vehicles",
        dict.fromkeys((*key_columns, "vehicle"), TEXT) | dict.fromkeys((*OUTCOMES, *of_copies), NUMBER),
    )
    variants = _variants(vehicles, key_columns, facts, run)
    servers = Numbers(sorted(cell_map.tier_of))
    lists = Numbers([""])
    changes = read_changes(run, trips, variants.numbers, key_columns, servers, lists)
    booked, booked_copies = (int(vehicles[names].to_numpy().sum()) for names in (list(OUTCOMES), of_copies))
    transfers = read_transfers(run, trips, variants.numbers, key_columns, servers, booked)
    copies = read_copies(run, trips, variants.numbers, key_columns, servers, booked_copies)
    wanted = [[servers(name) for name in text.split()] for text in lists.of]
    arrays = {
        **_map_arrays(cell_map, thinned(roads.lines), servers),
        **_trip_arrays(trips),
        **{f"change_{name}": getattr(changes, name) for name in ("first", "frame", "home", "target", "host", "running")},
        **({"change_prefetch": changes.prefetch} if len(wanted) > 1 else {}),
        **transfers,
        **copies,
    }
    return ReplayData(
        {
            "run": run.resolve().name,
            "scenario": str(_configured(facts, "scenario", "name")),
            "quantum_m": QUANTUM_M,
            "cell_size_m": round(cell_map.size_m, 3),
            "variants": variants.labels,
            "areas": [[columns.index(area) for area in areas] for areas in variants.areas],
            "vehicles": list(trips.ids),
            "cells": list(cell_map.cells),
            "servers": list(servers.of),
            "streets": trips.streets,
            "stages": list(STAGES),
            "outcomes": list(OUTCOMES),
            **({"lists": wanted} if len(wanted) > 1 else {}),
            **({"copy_outcomes": list(COPY_OUTCOMES)} if copies else {}),
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
    plans = [_plans(facts["config"], row, key_columns) for row in rows]
    base = _plans(facts["config"], {}, ())
    return Variants(
        numbers=Numbers(list(variant_labels(keys, key_columns))),
        labels=[variant_label(row, varied) for row in rows],
        areas=[[plan.column_of_map(own) for plan, own in zip(each, base, strict=True)] for each in plans],
    )


def _plans(config: Mapping[str, Any], row: Mapping[str, str], key_columns: Sequence[str]) -> list[TierPlan]:
    """What the servers of each tier cover under the variant of a row of keys, which may be empty."""
    column_of = columns_of_options(config, key_columns)
    plans = []
    for tier in config["tiers"]["order"]:
        said = dict(config["tiers"][tier])
        for name in ("area", "rings", "clusters", "column"):
            if (column := column_of.get(f"tiers.{tier}.{name}", "")) in row:
                said[name] = row[column] or None
        rings, clusters = (None if said.get(name) is None else int(float(said[name])) for name in ("rings", "clusters"))
        plans.append(TierPlan(str(tier), str(said["area"]), rings, clusters, said.get("column")))
    return plans


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


def _map_arrays(cell_map: CellMap, lines: RoadLines, servers: Numbers) -> dict[str, IntArray]:
    """Cells, roads, borders and servers; servers by cell and borders of areas for every column of the map."""
    arrays = {
        "cell_border": _quantised(cell_map.borders_m()),
        "road_first": lines.first,
        "road_xy": _quantised(lines.xy_m),
        "road_rank": lines.rank,
    }
    for k, names in enumerate(cell_map.servers.values()):
        arrays[f"area_border_{k}"] = _quantised(cell_map.borders_m(names))
        arrays[f"area_server_{k}"] = np.array([servers(name) for name in names], dtype=np.int64)
    tiers = list(dict.fromkeys(cell_map.tier_of.values()))
    arrays["server_tier"] = np.array([tiers.index(cell_map.tier_of[name]) for name in servers.of], dtype=np.int64)
    arrays["server_xy"] = _quantised(cell_map.server_places_m(np.array(list(servers.of), dtype=object)))
    return arrays


def _quantised(places_m: FloatArray) -> IntArray:
    return np.rint(places_m.ravel() / QUANTUM_M).astype(np.int64)
