"""What a person reads at the end of a run, and on the way."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.results import console
from msmf_traci.results.console import ProgressDisplay
from msmf_traci.results.latencies import Latencies
from msmf_traci.results.screen import MOST_ROWS, headline, result_text, sweep_text
from msmf_traci.results.summary import summary_table
from msmf_traci.weights import Weights

RUN = {
    "strategies": ["pm", "nearest"],
    "seed": 7,
    "config": {"scenario": {"name": "synthetic"}, "mobility": {"speed_kmh": 50.0, "speed_mode": "free"}},
    "mobility": {"source": "traci"},
    "cells": 331,
    "cells_with_roads": 300,
    "edges": 1234,
    "deployment": {"area_km2": 71.665},
    "vehicles": {"inserted": 98, "arrived": 97, "not_inserted": 0, "left_out": 0},
    "teleports": 1,
    "collisions": 2,
    "simulated_s": 600.0,
    "mean_trip_m": 5432.1,
}


def summarised(vehicles, transfers, *more):
    return summary_table(vehicles, transfers, never_ran(vehicles), *more)


def never_ran(vehicles):
    return Latencies(np.zeros(len(vehicles) + 1, dtype=np.int64), np.zeros(0), np.zeros(0))


@pytest.fixture
def summary(vehicle_rows, transfer_rows):
    busy = {"traffic_bytes": 120e6, "wasted_bytes": 30e6, "handoffs": 4, "outages": 2, "outage_s": 5.0, "satisfied_s": 87.5}
    vehicles = vehicle_rows({"strategy": "nearest"}, {"strategy": "pm", **busy, "entry_hits": 3, "entry_misses": 1, "handoff_hits": 2})
    transfers = transfer_rows({"strategy": "pm", "downtime_s": 5.0})
    return summarised(vehicles, transfers, 7)


def words_of(text: str, strategy: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(f"{strategy} ")).split()


def test_every_strategy_has_a_line_in_units_for_people(summary):
    """120 and 30 MB; 4 handoffs; 5 s / 4 handoffs; 5 s / 2 outages; 5 % of 100 s; 87.5 %; 3 of 4 and 2 of 2."""
    text = result_text(summary, RUN, Path("results/run"))
    assert words_of(text, "pm") == ["pm", "120", "30", "4.0", "1.25", "2.50", "5.00", "87.5", "75.0", "100.0"]


def test_what_does_not_apply_is_a_dash(summary):
    text = result_text(summary, RUN, Path("results/run"))
    assert words_of(text, "nearest") == ["nearest", "0", "0", "0.0", "-", "-", "0.00", "100.0", "-", "-"]


def test_strategies_come_in_the_order_of_the_configuration(summary):
    lines = result_text(summary, RUN, Path("results/run")).splitlines()
    ruler = next(number for number, line in enumerate(lines) if set(line) == {"-"})
    assert [line.split()[0] for line in lines[ruler + 1 : ruler + 3]] == ["pm", "nearest"]
    assert lines[ruler + 3] == ""
    assert lines[-1] == f"Tables: {Path('results/run')}"


def test_columns_are_aligned(summary):
    lines = result_text(summary, RUN, Path("results/run")).splitlines()
    ruler = next(number for number, line in enumerate(lines) if set(line) == {"-"})
    assert {len(line) for line in lines[ruler - 2 : ruler + 3]} == {len(lines[ruler])}


def test_first_lines_say_what_was_driven(summary):
    asked, first, second, third = result_text(summary, RUN, Path("results/run")).splitlines()[:4]
    assert asked == "Asked: nothing, so all is by default"
    assert first == "synthetic, seed 7: 331 cells (71.7 km2), 300 with roads, 1234 edges"
    assert second == "98 vehicles inserted, 97 arrived, 1 still on the road; 1 teleports, 2 collisions; 600 s simulated"
    assert third == "50 km/h commanded (free), 36.0 km/h realised, 5.43 km mean trip of those that arrived; driven now (SUMO over TraCI)"


def test_vehicles_that_did_not_drive_are_mentioned(summary):
    run = {**RUN, "vehicles": {"inserted": 90, "arrived": 90, "not_inserted": 3, "left_out": 7}}
    assert "90 vehicles inserted, 90 arrived, 3 not inserted, 7 left out;" in result_text(summary, run, Path("r"))


def test_speeds_of_the_users_routes_are_not_commanded(summary):
    summary["commanded_kmh"] = float("nan")
    assert "speeds as the routes say, 36.0 km/h realised" in result_text(summary, RUN, Path("r"))


def test_a_replay_says_so_and_how_fast_it_was_driven(summary):
    run = {**RUN, "mobility": {"source": "recording", "recorded_with": {"speed_mode": "legal"}}}
    third = result_text(summary, run, Path("r")).splitlines()[3]
    assert third.startswith("50 km/h commanded (legal)")
    assert third.endswith("replayed from a recording")


def test_variants_are_told_apart_and_refusals_shown_where_there_are_any(vehicle_rows, transfer_rows):
    vehicles = vehicle_rows({"image_mb": 100.0, "refused": 1}, {"image_mb": 500.0})
    vehicles.insert(2, "handoff.user_left", "finish")
    table = summarised(vehicles, transfer_rows().assign(**{"handoff.user_left": ""}), 7, ["strategy", "image_mb", "handoff.user_left"])
    lines = result_text(table, {**RUN, "key_columns": ["strategy", "image_mb", "handoff.user_left"]}, Path("r")).splitlines()
    assert "image_mb" in lines[5] and "refused" in lines[5] and "user_left" not in lines[6]
    assert [line.split()[1] for line in lines[8:10]] == ["100", "500"]


def with_modes(vehicle_rows, transfer_rows, keys, **more):
    vehicles = vehicle_rows(*({"strategy": strategy, "vehicle": name, **more} for strategy in ("nearest", "pm") for name in ("v0", "v1")))
    if "application" in keys:
        vehicles = pd.concat([vehicles.assign(application=name) for name in ("face", "game")], ignore_index=True)
    vehicles.insert(3, "mode", vehicles["vehicle"].map({"v0": "walk", "v1": "bus"}).astype("string"))
    table = summarised(vehicles, transfer_rows().assign(application=""), 7, keys)
    lines = result_text(table, {**RUN, "key_columns": keys}, Path("r")).splitlines()
    return [line.split()[:2] for line in lines[8 : lines.index("", 8)]]


def test_modes_have_rows_beneath_that_of_all(vehicle_rows, transfer_rows):
    shown = with_modes(vehicle_rows, transfer_rows, ["strategy", "image_mb"])
    assert shown == [[strategy, mode] for strategy in ("pm", "nearest") for mode in ("all", "bus", "walk")]


def test_of_several_variants_modes_are_not_shown(vehicle_rows, transfer_rows):
    shown = with_modes(vehicle_rows, transfer_rows, ["strategy", "image_mb", "application"])
    assert shown == [[strategy, name] for strategy in ("pm", "nearest") for name in ("face", "game")]


def test_what_was_asked_is_said_in_its_words(summary):
    run = {**RUN, "overrides": ["mobility.speed_kmh=20", "output.dir=/tmp/x"]}
    assert result_text(summary, run, Path("r")).splitlines()[0] == "Asked: mobility.speed_kmh=20; all else by default"


def test_the_headline_names_the_best_then_the_best_that_migrates_then_the_best_that_predicts(vehicle_rows, transfer_rows):
    """Of 100 s each: never 90, oracle 80 and 200 MB, pm 70 and 100 MB, nearest 60."""
    shares = {"never": (90.0, 0.0), "oracle": (80.0, 200e6), "pm": (70.0, 100e6), "nearest": (60.0, 300e6)}
    vehicles = vehicle_rows(
        *({"strategy": name, "satisfied_s": share, "traffic_bytes": traffic} for name, (share, traffic) in shares.items())
    )
    table = summarised(vehicles, transfer_rows(), 7)
    run = {**RUN, "predictors": {"never": "map", "oracle": "route", "pm": "map", "nearest": "map"}}
    assert headline(table, run) == (
        "never satisfies most: 90.0 % of the time, without any traffic. "
        "Of those that migrate, oracle: 80.0 % of the time, at 200 MB of traffic per trip. "
        "Without perfect prediction, pm: 70.0 % of the time, at 100 MB of traffic per trip."
    )
    assert headline(table[table["strategy"] == "pm"], run) == "pm satisfies most: 70.0 % of the time, at 100 MB of traffic per trip."
    assert headline(table.iloc[:0], run).startswith("No vehicle")


def test_a_sweep_ends_with_one_table_of_means_over_seeds_and_their_intervals(vehicle_rows, transfer_rows):
    """Satisfied 69 and 71 %: mean 70, half the interval 12.7062 x 1.4142 / sqrt(2) = 12.7 by Student's t with one degree.

    Of 60 and 80 % it would be 127.1: a share ends at 0 and at 100 %.
    """
    for shares, said in ((69.0, 71.0), "70.0 [57.3, 82.7]"), ((60.0, 80.0), "70.0 [0.0, 100.0]"):
        vehicles = [vehicle_rows({"satisfied_s": share}) for share in shares]
        stacked = pd.concat([summarised(each, transfer_rows(), seed) for seed, each in enumerate(vehicles)], ignore_index=True)
        lines = sweep_text(
            stacked, ["image_mb", "commanded_kmh"], Path("results/x"), Path("results/x/summary-1.csv"), [], Weights()
        ).splitlines()
        assert lines[0] == "Means over 2 seeds [and their 95% intervals]"
        row = next(line for line in lines if line.startswith("pm "))
        assert re.split(r"\s{2,}", row) == ["pm", "0 [0, 0]", "0 [0, 0]", "0.0 [0.0, 0.0]", "0.00 [0.00, 0.00]", said]
    assert f"Tables of all runs: {Path('results/x/summary.csv')} (an earlier sweep's is kept as summary-1.csv)" in lines
    alone = sweep_text(stacked.iloc[:1], ["commanded_kmh"], Path("r"), None, [], Weights())
    assert "no intervals" in alone.splitlines()[0] and "[" not in alone


def test_a_long_table_of_a_sweep_is_cut(vehicle_rows, transfer_rows):
    rows = vehicle_rows(*({"image_mb": 100.0 + number} for number in range(60)))
    lines = sweep_text(summarised(rows, transfer_rows(), 0), ["image_mb"], Path("r"), None, [], Weights()).splitlines()
    assert f"... and {60 - MOST_ROWS} rows more" in lines


class Clock:
    """Wall time that a test sets."""

    def __init__(self, monkeypatch):
        self.now_s = 0.0
        monkeypatch.setattr(console.time, "monotonic", lambda: self.now_s)


def test_progress_without_a_terminal_is_a_line_now_and_then(monkeypatch, capsys):
    """Every 10 s of wall time; after 20 s 25 of 100 arrived and 50 are half-way: another 20 s."""
    clock = Clock(monkeypatch)
    with ProgressDisplay(100) as show:
        for now_s, arrived in ((1, 0), (10, 0), (12, 5), (19.9, 20), (20, 25)):
            clock.now_s = now_s
            show(now_s * 30, 50, 100 - arrived, arrived)
    assert capsys.readouterr().err.splitlines() == [
        "300 s simulated, 50 vehicles on the road, 0 of 100 arrived",
        "600 s simulated, 50 vehicles on the road, 25 of 100 arrived, about 20 s left",
    ]


def test_trips_that_were_cut_off_are_not_in_the_mean_trip(summary):
    assert "5.43 km mean trip of those that arrived;" in result_text(summary, RUN, Path("results/run"))
    all_arrived = RUN | {"vehicles": {**RUN["vehicles"], "arrived": 98}}
    assert "5.43 km mean trip;" in result_text(summary, all_arrived, Path("results/run"))
    assert "no trip ended;" in result_text(summary, RUN | {"mean_trip_m": None}, Path("results/run"))
