#!/usr/bin/env python3
"""How fast the engine is alone, its decisions given: vehicle-variant-steps a second on one core, and bytes a vehicle-variant.

    python scripts/benchmark_engine.py [overrides of msmf-traci] > table.md

Drives one pass (from the cache's recording if there is one), keeps what the strategies decided, and gives it to the engine again and
again: the whole pass, and its first frames with more and more copies of all its vehicles. A vehicle-variant-step is one frame of one
vehicle under one variant. Shared links put all copies on the same servers, so that they crowd.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from msmf_traci.config.compose import read_request
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.preparation import draw_trips, judge_files, read_city
from msmf_traci.migration.container import CONTAINER
from msmf_traci.migration.course import Course
from msmf_traci.migration.engine import Engine
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.workload import Containers

DEFAULTS = ("scenario=beijing", "variants.workload.image_mb=[100,500,1000,1500,2000]")
COPIES = (1, 10, 100, 1_000)
FRAMES_AT_ONCE = 128
# frames that every number of vehicles is driven through, from the first departure on
FRAMES = {False: 384, True: 128}
# the sizes that every number of vehicles is driven with
SIZES = {False: (0, 1, 2, 3, 4), True: (2,)}
ALL_SIZES = (0, 1, 2, 3, 4)
REPEATS = 3


@dataclass
class Told:
    """What the engine was told in one batch, for one group of variants."""

    course: Course
    variants: np.ndarray


class Listening(Drive):
    """A pass that keeps what it tells the engine."""

    def __init__(self, *words: object) -> None:
        super().__init__(*words)  # type: ignore[arg-type]
        self.told: list[list[Told]] = []
        run = self.engine.run

        def listen(course: Course, variants: np.ndarray, *, trace: bool = False) -> object:
            self.told[-1].append(Told(course, variants))
            return run(course, variants, trace=trace)

        self.engine.run = listen  # type: ignore[method-assign, assignment]

    def take(self, tracks: object) -> None:
        """Keep what belongs to one batch together."""
        self.told.append([])
        super().take(tracks)  # type: ignore[arg-type]


def copies(course: Course, of_vehicles: int, times: int) -> Course:
    """A batch with each of its vehicles several times over."""
    n, sizes = len(course.time_s), np.diff(course.start)
    columns = {name: np.tile(getattr(course, name), times) for name in Course._fields}
    columns |= {
        "start": np.concatenate([[0], np.cumsum(np.tile(sizes, times))]),
        "vehicle": np.concatenate([course.vehicle + k * of_vehicles for k in range(times)]),
        "track": np.repeat(np.arange(len(sizes) * times), np.tile(sizes, times)),
        "change_start": np.concatenate([[0], np.cumsum(np.tile(np.diff(course.change_start), times))]),
        "change": np.concatenate([course.change + k * n for k in range(times)]),
    }
    return Course(**columns)


def cut(course: Course, frames: int) -> list[Course]:
    """A batch in pieces of some frames."""
    last = int(course.frame.max(initial=-1)) + 1
    return [piece(course, begin, begin + frames) for begin in range(0, last, frames)]


def piece(course: Course, begin: int, end: int) -> Course:
    """The frames from `begin` to `end` - 1 of a batch."""
    samples = np.flatnonzero((course.frame >= begin) & (course.frame < end))
    tracks, start = np.unique(course.track[samples], return_index=True)
    place = np.full(len(course.time_s), -1)
    place[samples] = np.arange(len(samples))
    change = place[course.change]
    change = change[change >= 0]
    starts = np.append(start, len(samples))
    previous = samples[start] - 1
    known = previous >= course.start[tracks]
    columns = {name: getattr(course, name)[samples] for name in Course._fields if len(getattr(course, name)) == len(course.time_s)}
    columns |= {
        "start": starts,
        "vehicle": course.vehicle[tracks],
        "before_x_m": np.where(known, course.x_m[previous], course.before_x_m[tracks]),
        "before_y_m": np.where(known, course.y_m[previous], course.before_y_m[tracks]),
        "track": np.repeat(np.arange(len(tracks)), np.diff(starts)),
        "frame": course.frame[samples] - begin,
        "change_start": np.searchsorted(change, starts),
        "change": change,
    }
    return Course(**columns)


def measure(drive: Listening, times: int, frames: int, sizes: tuple[int, ...], *, shared: bool) -> tuple[float, int, int]:
    """Seconds (the best of some), vehicle-variant-steps, and variants of so many copies of all vehicles."""
    of_vehicles, variants = len(drive.roster.vehicles), drive.variants.variants
    chosen = [v for v, each in enumerate(variants) if each.workload in sizes]
    servers = drive.servers
    policies = drive.variants.policies()
    policies["shared"] = shared
    tasks = [tiled(task, times) for task in drive.tasks]
    best, steps = np.inf, 0
    for _ in range(REPEATS if times < max(COPIES) else 1):
        engine = Engine(policies, servers, Ledger())
        engine.admit([tasks[each.workload] for each in variants])
        seconds, steps = 0.0, 0
        pieces_left = -(-frames // FRAMES_AT_ONCE)
        for batch in drive.told:
            parts = [cut(told.course, FRAMES_AT_ONCE)[:pieces_left] for told in batch]
            pieces_left -= len(parts[0])
            for k in range(len(parts[0])):
                for part, told in zip(parts, batch, strict=True):
                    some = np.array([v for v in told.variants if v in chosen])
                    course = copies(part[k], of_vehicles, times)
                    begin = time.perf_counter()
                    engine.run(course, some)
                    seconds += time.perf_counter() - begin
                    steps += len(course.time_s) * len(some)
        best = min(best, seconds)
    return best, steps, len(chosen)


def tiled(task: Containers, times: int) -> Containers:
    """The containers of several copies of the vehicles."""
    names = ("image_bytes", "memory_bytes", "latency_level_ms", "start_s")
    return replace(task, **{name: np.tile(getattr(task, name), times) for name in names})


def row(*cells: object) -> None:
    """Print a row of the table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def main() -> None:
    """Print the table."""
    words = [*DEFAULTS, *sys.argv[1:]]
    config = read_request(words).points[0].config
    inputs = judge_files(config)
    city = read_city(config, inputs.network.ensure())
    drive = Listening(config, inputs, city, draw_trips(config, inputs, city), Path())
    drive.through()
    row("links", "frames", "vehicles", "variants", "vehicle-variant-steps", "seconds", "million steps a second", "ns a step")
    row(*["---"] * 8)
    vehicles = len(drive.roster.vehicles)
    whole = sum(int(batch[0].course.frame.max(initial=-1)) + 1 for batch in drive.told)
    cases = [(shared, 1, whole, ALL_SIZES) for shared in (False, True)]
    cases += [(shared, times, FRAMES[shared], SIZES[shared]) for shared in (False, True) for times in COPIES]
    for shared, times, frames, sizes in cases:
        seconds, steps, variants = measure(drive, times, frames, sizes, shared=shared)
        name, rate = "shared" if shared else "dedicated", steps / seconds
        row(name, frames, vehicles * times, variants, f"{steps:,}", f"{seconds:.3f}", f"{rate / 1e6:.1f}", f"{1e9 / rate:.1f}")
    print(
        f"\nA container under one variant takes {CONTAINER.itemsize} bytes, however long the simulated time; "
        "the ledger grows with transfers."
    )


if __name__ == "__main__":
    main()
