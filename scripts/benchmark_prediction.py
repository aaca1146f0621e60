#!/usr/bin/env python3
"""What one prediction costs on maps of different size: nanoseconds a vehicle, on one core.

    python scripts/benchmark_prediction.py [--out FOLDER/prediction_cost.csv] > table.md

The same question on parts of central Beijing that grow from 2 km to 21 km: vehicles on random roads, and for each the next home on the
look-ahead chain of its road. Vehicles are asked for together, as a run does. The maps take turns, so that a slow moment of the machine
hits all of them. The CSV file is what `msmf-traci report` looks for in a folder of results.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from msmf_traci.config.compose import read_request
from msmf_traci.control.look import Look, Rows, look_ahead
from msmf_traci.control.prediction import MapPredictor
from msmf_traci.experiment.preparation import judge_files, read_city
from msmf_traci.records import new_records
from msmf_traci.strategies.ahead import ahead_of

CENTER_LON, CENTER_LAT = 116.375, 39.898
SIZES_KM = (2, 5, 10, 21)
KM_A_DEGREE_LAT, KM_A_DEGREE_LON = 111.1, 85.3
VEHICLES = 1_000
CALLS = 100
REPEATS = 10
HORIZON_M, SLACK_M = 1_500.0, 30.0


@dataclass
class Map:
    """A map that is asked about."""

    name: str
    edges: int
    cells: int
    predictor: MapPredictor


def read_map(size_km: float) -> Map:
    """Build, or take from the cache, a square of central Beijing."""
    half_lon, half_lat = size_km / 2 / KM_A_DEGREE_LON, size_km / 2 / KM_A_DEGREE_LAT
    bbox = [CENTER_LON - half_lon, CENTER_LAT - half_lat, CENTER_LON + half_lon, CENTER_LAT + half_lat]
    words = ["scenario=beijing", f"scenario.bbox={[round(value, 4) for value in bbox]}", "deployment.rings=null"]
    config = read_request(words).points[0].config
    city = read_city(config, judge_files(config).network.ensure())
    predictor = MapPredictor(city.roads, city.coverage, city.layout.servers(config).layers, HORIZON_M)
    return Map(f"{size_km:g} km", len(city.roads), len(city.cells), predictor)


def ask(city: Map, generator: np.random.Generator) -> float:
    """Nanoseconds a prediction, over many calls with new vehicles each."""
    table, one_each = city.predictor.table, np.arange(VEHICLES)
    took_s = 0.0
    for edge in generator.integers(0, city.edges, (CALLS, VEHICLES)):
        looks, nothing_before = new_records(Look, VEHICLES), np.full((VEHICLES, 7), -1)
        looks["edge"], looks["home"] = edge, table.server[table.start[edge]]
        rows = Rows(table.start, table.count, edge, np.zeros(VEHICLES, dtype=np.int64), 0)
        begin_s = time.perf_counter()
        look_ahead(np.arange(VEHICLES + 1), one_each, rows, city.predictor.road, HORIZON_M, SLACK_M, nothing_before, looks)
        ahead_of(looks, city.predictor.road, HORIZON_M).next_home(looks["home"])
        took_s += time.perf_counter() - begin_s
    return took_s / (CALLS * VEHICLES) * 1e9


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write every repeat to a CSV file")
    arguments = parser.parse_args()
    maps = [read_map(size_km) for size_km in SIZES_KM]
    rows = []
    for repeat in range(-1, REPEATS):
        for city in maps:
            cost_ns = ask(city, np.random.default_rng(repeat + 1))
            if repeat >= 0:  # the first warms up
                rows.append({"map": city.name, "edges": city.edges, "cells": city.cells, "repeat": repeat, "ns_per_prediction": cost_ns})
    table = pd.DataFrame(rows)
    if arguments.out is not None:
        table.to_csv(arguments.out, index=False)
    print(f"{VEHICLES} vehicles at once; medians of {REPEATS}, the least and the most in brackets\n")
    print("| map | edges | cells | ns a prediction |\n| --- | --- | --- | --- |")
    for city in maps:
        costs = table[table["map"] == city.name]["ns_per_prediction"]
        print(f"| {city.name} | {city.edges:,} | {city.cells:,} | {costs.median():.0f} [{costs.min():.0f}, {costs.max():.0f}] |")


if __name__ == "__main__":
    main()
