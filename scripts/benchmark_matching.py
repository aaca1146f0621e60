#!/usr/bin/env python3
"""How right map matching is, and what it costs: ours, and other libraries', on the journeys of a pass whose roads are known.

    python scripts/benchmark_matching.py [options] [overrides of msmf-traci] > table.md

A pass of Beijing at 50 km/h, from its recording or driven, is measured by a receiver with noise, and matched again. All matchers get the
same measurements on the same roads. Without options three receivers of reference are compared, with libraries as far as they are installed
(`pip install fastmm leuvenmapmatching rtree`); a library's parameters are the best of a few reasonable ones, by its mismatch on the first
seed. `--sweep` measures ours over a wide range of receivers, `--maps` on parts of the city of different size, and `--prediction` says what
a prediction from matched roads loses.

- mismatch: length wrongly added and length missed, over the length driven. The way of a matcher with a lag leads through the places as they
  were decided, joined along the roads where 40 m/s can have driven it; *unbroken*: joined at any length, even around the block.
- right edge: share of positions on the right directed edge, of those on a road proper and of all; a recording puts a vehicle inside
  a junction at the begin of the next edge, so the edge of these is a matter of definition.
- error: distance along the true way, of places on it. delay: from measurement to decision, while positions come in one by one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matching_benchmark.libraries import MODULES, choices, installed
from matching_benchmark.maps import points_per_second_by_size
from matching_benchmark.matchers import Compared, Ours
from matching_benchmark.measuring import Measured, Receiver
from matching_benchmark.prediction import hit_rates
from matching_benchmark.scores import Score
from matching_benchmark.truth import Pass, read_pass

from msmf_traci.mobility.matching.road_index import RoadIndex

REFERENCE = {Receiver(5.0, 1.0): (np.inf, 5.0, 15.0), Receiver(10.0, 10.0): (np.inf, 30.0), Receiver(20.0, 30.0): (np.inf, 60.0)}
SWEPT = (
    *(Receiver(sigma_m, 1.0) for sigma_m in (2.0, 5.0, 10.0, 20.0, 30.0)),
    *(Receiver(5.0, interval_s) for interval_s in (2.0, 5.0, 10.0, 30.0, 60.0)),
    *(Receiver(sigma_m, interval_s) for sigma_m, interval_s in ((10.0, 10.0), (20.0, 30.0), (30.0, 60.0))),
    *(Receiver(sigma_m, 1.0, drift_s=drift_s) for sigma_m in (5.0, 10.0) for drift_s in (10.0, 60.0)),
    *(Receiver(5.0, 1.0, outage_share=share, outage_s=outage_s) for share, outage_s in ((0.1, 30.0), (0.1, 120.0), (0.3, 60.0))),
)
SWEPT_LAGS_S = (np.inf, 60.0, 15.0, 5.0)
FEW_VEHICLES = 5
COLUMNS = {
    "mismatch": ("mismatch", "{:.2%}"),
    "unbroken_mismatch": ("unbroken", "{:.1%}"),
    "right_on_road": ("right edge, on road", "{:.2%}"),
    "right": ("right edge, all", "{:.2%}"),
    "mean_error_m": ("mean error m", "{:.1f}"),
    "p95_error_m": ("95 % error m", "{:.1f}"),
    "unmatched": ("unmatched", "{:.2%}"),
    "points_per_s": ("positions a second", "{:,.0f}"),
    "mean_delay_s": ("mean delay s", "{:.1f}"),
    "most_delay_s": ("most delay s", "{:.0f}"),
}


class Comparison:
    """Scores of matchers on one pass.

    Parameters
    ----------
    recorded
        The pass.
    seeds
        Draws of the noise.
    """

    def __init__(self, recorded: Pass, seeds: int) -> None:
        self.recorded = recorded
        self.roads = recorded.city.roads
        self.index = RoadIndex(self.roads)
        self.seeds = range(seeds)
        self.rows: list[dict[str, Any]] = []

    def measured(self, receiver: Receiver, seed: int, vehicles: int) -> list[Measured]:
        """The journeys of the first vehicles; each has its own noise, whoever else is measured."""
        journeys = self.recorded.journeys[:vehicles]
        return [receiver.measure(journey, np.random.default_rng((seed, number))) for number, journey in enumerate(journeys)]

    def ours(self, receiver: Receiver, lags_s: Sequence[float], vehicles: int, *, with_delays: bool = True) -> None:
        """Measure our matcher with some lags."""
        for lag_s in lags_s:
            matcher = Ours(self.roads, self.index, receiver.sigma_m, lag_s)
            for seed in self.seeds:
                measured = self.measured(receiver, seed, vehicles)
                score = self.score(matcher, measured)
                if with_delays and np.isfinite(lag_s):
                    score.delays_s = [matcher.delays_s(each) for each in measured]
                self.note(matcher, receiver, seed, len(measured), score)

    def library(self, name: str, receiver: Receiver, vehicles: int, cache: Path) -> None:
        """Measure a library with the best of its parameters."""
        tried = [
            (self.score(matcher, self.measured(receiver, 0, vehicles)), matcher) for matcher in choices(name, self.roads, receiver, cache)
        ]
        _, best = min(tried, key=lambda each: each[0].shares()["mismatch"])
        for seed in self.seeds:
            measured = self.measured(receiver, seed, vehicles)
            self.note(best, receiver, seed, len(measured), self.score(best, measured))

    def score(self, matcher: Compared, measured: Sequence[Measured]) -> Score:
        """Match and score some journeys; the first one warms up."""
        matcher.match(measured[0])
        score = Score()
        for each in measured:
            begin_s = time.perf_counter()
            found = matcher.match(each)
            score.took_s += time.perf_counter() - begin_s
            score.add(each.truth, matcher.answer(each, found), self.roads.length_m)
        return score

    def note(self, matcher: Compared, receiver: Receiver, seed: int, vehicles: int, score: Score) -> None:
        """Keep a row."""
        who = {"receiver": told(receiver), "matcher": matcher.name, "parameters": getattr(matcher, "about", ""), "vehicles": vehicles}
        self.rows.append({**who, "seed": seed, "positions": score.samples, **score.shares()})


def told(receiver: Receiver) -> str:
    """A receiver in words."""
    words = [f"{receiver.sigma_m:g} m", f"{receiver.interval_s:g} s"]
    words += [f"drift {receiver.drift_s:g} s"] if receiver.drift_s else []
    words += [f"{receiver.outage_share:.0%} out for {receiver.outage_s:g} s"] if receiver.outage_share else []
    return ", ".join(words)


def table_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A Markdown table of means over seeds."""
    table = pd.DataFrame(rows)
    keys = ["receiver", "vehicles", "matcher", "parameters"]
    means = table.groupby(keys, sort=False)[list(COLUMNS)].mean().reset_index()
    yield "| receiver | vehicles | matcher | " + " | ".join(title for title, _ in COLUMNS.values()) + " |"
    yield "| --- " * (3 + len(COLUMNS)) + "|"
    for row in means.to_dict("records"):
        cells = ["" if np.isnan(row[name]) else form.format(row[name]) for name, (_, form) in COLUMNS.items()]
        matcher = row["matcher"] + (f" ({row['parameters']})" if row["parameters"] else "")
        yield f"| {row['receiver']} | {row['vehicles']} | {matcher} | " + " | ".join(cells) + " |"


def outage(text: str) -> tuple[float, float]:
    """Share and mean length in seconds: 0.1/60."""
    share, _, length_s = text.partition("/")
    return float(share), float(length_s or 60.0)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sigma", type=float, metavar="M", help="standard deviation of the noise on each axis")
    parser.add_argument("--interval", type=float, default=1.0, metavar="S", help="from one position to the next (with --sigma)")
    parser.add_argument("--lag", type=float, action="append", metavar="S", help="decide so late (with --sigma; may be repeated)")
    parser.add_argument("--drift", type=float, default=0.0, metavar="S", help="correlation time of the noise (with --sigma)")
    parser.add_argument("--outage", type=outage, default=(0.0, 60.0), metavar="SHARE/S", help="times without positions (with --sigma)")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="draws of the noise")
    parser.add_argument("--vehicles", type=int, default=100, metavar="N", help="the first vehicles of the pass")
    parser.add_argument("--libraries", nargs="*", choices=list(MODULES), help="compare these (default: all that are installed)")
    parser.add_argument("--sweep", action="store_true", help="ours over a wide range of receivers")
    parser.add_argument("--maps", action="store_true", help="ours on parts of the city of different size")
    parser.add_argument("--prediction", action="store_true", help="hit rates of predictions from matched roads")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write every row to a CSV file")
    arguments, words = parser.parse_known_intermixed_args()
    recorded = read_pass(["scenario=beijing", *words])
    comparison = Comparison(recorded, arguments.seeds)
    if arguments.maps:
        print("\n".join(points_per_second_by_size(recorded)))
    elif arguments.prediction:
        print("\n".join(hit_rates(recorded, range(arguments.seeds))))
    elif arguments.sweep:
        for receiver in SWEPT:
            comparison.ours(receiver, SWEPT_LAGS_S, arguments.vehicles, with_delays=False)
    else:
        receivers = dict(REFERENCE)
        if arguments.sigma is not None:
            share, length_s = arguments.outage
            receiver = Receiver(arguments.sigma, arguments.interval, arguments.drift, share, length_s)
            receivers = {receiver: (np.inf, *(arguments.lag or ()))}
        compare(comparison, receivers, arguments.libraries, arguments.vehicles)
    if comparison.rows:
        print(f"means of {arguments.seeds} draws of the noise\n")
        print("\n".join(table_lines(comparison.rows)))
        if arguments.out is not None:
            pd.DataFrame(comparison.rows).to_csv(arguments.out, index=False)


def compare(comparison: Comparison, receivers: dict[Receiver, tuple[float, ...]], libraries: list[str] | None, vehicles: int) -> None:
    """Ours and the libraries; the slow one on few vehicles, where the others are measured again."""
    wanted = list(MODULES) if libraries is None else libraries
    for name in sorted(set(wanted) - set(installed())):
        print(f"{name} is not installed and is left out (pip install {MODULES[name]})\n")
    names = [name for name in wanted if name in installed()]
    few = min(FEW_VEHICLES, vehicles)
    with tempfile.TemporaryDirectory() as cache:
        for receiver, lags_s in receivers.items():
            comparison.ours(receiver, lags_s, vehicles)
            if "fastmm" in names:
                comparison.library("fastmm", receiver, vehicles, Path(cache))
            if "leuven" in names:
                comparison.ours(receiver, (np.inf,), few)
                for name in names:
                    comparison.library(name, receiver, few, Path(cache))
    if "leuven" in names:
        print(f"LeuvenMapMatching is slow: it, and all that it is compared with, match the first {few} vehicles\n")


if __name__ == "__main__":
    main()
