"""Rows as a sweep over speeds, sizes and seeds would give them in a world in which the paper's claims hold, to be falsified by tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from msmf_traci.reporting.measures import MEASURES
from msmf_traci.reporting.options import IMAGE, SPEED, Option
from msmf_traci.reporting.reading import Results

STRATEGIES = ("nearest", "pm", "pm_op", "pm_tier", "pm_op_tier")
SPEEDS = (5.0, 20.0, 50.0, 100.0)
SIZES = (100.0, 1000.0, 2000.0)
SEEDS = (0, 1, 2, 3, 4)

Row = dict[str, float]


def world(strategy: str, speed: float, size: float) -> Row:
    """The values of one row: falling traffic, downtimes that part, tiers that save four fifths."""
    is_tier, is_op, fast = strategy.endswith("tier"), "_op" in strategy, speed / 100.0
    traffic = (0.2 if is_tier else 1.0) * (0.9 if is_op else 1.0) * (1.05 if strategy == "nearest" else 1.0) * size * 1e7
    down = {"nearest": 40.0 * fast, "pm": 10.0 * fast, "pm_op": 8.0 * fast, "pm_tier": 2.0 * fast, "pm_op_tier": 0.0}[strategy]
    falling = 2.0 - fast
    left = (0.5 if is_tier else 30.0) * fast + 0.1
    return dict.fromkeys(MEASURES, 0.0) | {
        "traffic_per_trip_bytes": traffic * falling,
        "traffic_per_transfer_bytes": traffic * falling / 30,
        "traffic_per_km_bytes": traffic * falling / 15,
        "traffic_per_vehicle_hour_bytes": traffic * falling * 3,
        "downtime_per_handoff_s": 50.0 + down,
        "mean_outage_s": 50.0 + down,
        "unavailability": (1.0 + down) / 100.0,
        "handoffs_per_trip": (13.0 if is_tier else 39.0) * (0.9 if is_op else 1.0),
        "completed_per_trip": (12.0 if is_tier else 30.0) * (0.9 if is_op else 1.0),
        "user_left_per_trip": left,
        "satisfied_share": 0.995 if strategy == "pm_op_tier" else 0.9 - 0.5 * fast,
        "mean_lead_s": 100.0 * (1.1 - fast),
    }


def made_results(change: Callable[[str, float, float, Row], None] | None = None, *, seeds: tuple[int, ...] = SEEDS) -> Results:
    """The world with some noise (one in a thousand) a seed, and a change to every row before it."""
    rows = []
    generator = np.random.default_rng(7)
    for seed in seeds:
        for strategy in STRATEGIES:
            for speed in SPEEDS:
                for size in SIZES:
                    row = world(strategy, speed, size)
                    if change is not None:
                        change(strategy, speed, size, row)
                    noise = 1.0 + 0.001 * generator.standard_normal(len(row))
                    noisy = {name: value * each for (name, value), each in zip(row.items(), noise, strict=True)}
                    rows.append({"run": 0, "strategy": strategy, "seed": seed, SPEED: speed, IMAGE: size} | noisy)
    options = {SPEED: Option(SPEED, SPEEDS, 50.0), IMAGE: Option(IMAGE, SIZES, 1000.0)}
    return Results((Path("made"),), (), 0, pd.DataFrame(rows), options)
