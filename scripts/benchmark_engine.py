#!/usr/bin/env python3
"""How fast the engine is, strategies included: vehicle-variant-steps a second on one core, and bytes a vehicle-variant.

    python scripts/benchmark_engine.py [overrides of msmf-traci] > table.md

Drives one pass (from the cache's recording if there is one), keeps what was known at each sample, and gives it to the engine again and
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
from msmf_traci.control.look import Outlook
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.preparation import draw_trips, judge_files, read_city
from msmf_traci.experiment.world import deciders_of
from msmf_traci.migration.container import Container
from msmf_traci.migration.course import Batch, Seen
from msmf_traci.migration.engine import Engine, room_to_see
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.workload import Containers
from msmf_traci.records import dtype_of

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
class Known:
    """What the engine was given in one batch: the batch, and by variant what was known and the road that this speaks of."""

    batch: Batch
    outlooks: dict[int, Outlook]


def drive_and_listen(drive: Drive) -> list[Known]:
    """Drive a pass, and keep what the engine is given."""
    given: list[Known] = []
    run = drive.world.engine.run

    def listen(v: int, batch: Batch, outlook: Outlook, seen: Seen) -> None:
        if not given or given[-1].batch is not batch:
            given.append(Known(batch, {}))
        given[-1].outlooks[v] = outlook
        run(v, batch, outlook, seen)

    drive.world.engine.run = listen  # type: ignore[method-assign]
    drive.through()
    return given


def piece(batch: Batch, begin: int, end: int) -> tuple[Batch, np.ndarray]:
    """The frames from `begin` to `end` - 1 of a batch, and which samples they are."""
    chosen = np.sort(batch.by_frame[batch.frame_start[begin] : batch.frame_start[end]])
    place = np.full(len(batch.time_s), -1)
    place[chosen] = np.arange(len(chosen))
    of_vehicle = batch.of_vehicle[chosen]
    start = np.flatnonzero(np.diff(of_vehicle, prepend=-1))
    by_frame = place[batch.by_frame[batch.frame_start[begin] : batch.frame_start[end]]]
    frame_start = batch.frame_start[begin : end + 1] - batch.frame_start[begin]
    columns = batch.time_s[chosen], batch.x_m[chosen], batch.y_m[chosen], of_vehicle
    return Batch(np.append(start, len(chosen)), of_vehicle[start], *columns, frame_start, by_frame), chosen


def copies(batch: Batch, of_vehicles: int, times: int) -> Batch:
    """A batch with each of its vehicles several times over."""
    n, frames = len(batch.time_s), len(batch.frame_start) - 1
    each_frame = [batch.by_frame[batch.frame_start[f] : batch.frame_start[f + 1]] for f in range(frames)]
    return Batch(
        start=np.concatenate([[0], np.cumsum(np.tile(np.diff(batch.start), times))]),
        vehicle=np.concatenate([batch.vehicle + k * of_vehicles for k in range(times)]),
        time_s=np.tile(batch.time_s, times),
        x_m=np.tile(batch.x_m, times),
        y_m=np.tile(batch.y_m, times),
        of_vehicle=np.concatenate([batch.of_vehicle + k * of_vehicles for k in range(times)]),
        frame_start=batch.frame_start * times,
        by_frame=np.concatenate([frame + k * n for frame in each_frame for k in range(times)]),
    )


def measure(drive: Drive, given: list[Known], times: int, frames: int, sizes: tuple[int, ...], *, shared: bool) -> tuple[float, int, int]:
    """Seconds (the best of some), vehicle-variant-steps, and variants of so many copies of all vehicles."""
    of_vehicles, variants = len(drive.roster.vehicles), drive.variants.variants
    chosen = [v for v, each in enumerate(variants) if each.workload in sizes]
    policies = [replace(policy, links=replace(policy.links, is_shared=shared)) for policy in drive.variants.policies()]
    tasks = [tiled(task, times) for task in drive.tasks]
    best, steps = np.inf, 0
    for _ in range(REPEATS if times < max(COPIES) else 1):
        engine = Engine(policies, deciders_of(drive.variants.strategies()), drive.servers, Ledger())
        engine.admit([tasks[each.workload] for each in variants])
        seconds, steps, left = 0.0, 0, frames
        for known in given:
            in_batch = min(left, len(known.batch.frame_start) - 1)
            left -= in_batch
            for begin in range(0, in_batch, FRAMES_AT_ONCE):
                batch, samples = piece(known.batch, begin, min(begin + FRAMES_AT_ONCE, in_batch))
                batch = copies(batch, of_vehicles, times)
                for v in chosen:
                    whole = known.outlooks[v]
                    outlook = Outlook(np.tile(whole.looks[samples], times), np.tile(whole.is_new[samples], times), whole.road)
                    began = time.perf_counter()
                    engine.run(v, batch, outlook, room_to_see(0, len(variants)))
                    seconds += time.perf_counter() - began
                    steps += len(batch.time_s)
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
    drive = Drive(config, inputs, city, draw_trips(config, inputs, city), Path())
    given = drive_and_listen(drive)
    row("links", "frames", "vehicles", "variants", "vehicle-variant-steps", "seconds", "million steps a second", "ns a step")
    row(*["---"] * 8)
    vehicles = len(drive.roster.vehicles)
    whole = sum(len(known.batch.frame_start) - 1 for known in given)
    cases = [(shared, 1, whole, ALL_SIZES) for shared in (False, True)]
    cases += [(shared, times, FRAMES[shared], SIZES[shared]) for shared in (False, True) for times in COPIES]
    for shared, times, frames, sizes in cases:
        seconds, steps, variants = measure(drive, given, times, frames, sizes, shared=shared)
        name, rate = "shared" if shared else "dedicated", steps / seconds
        row(name, frames, vehicles * times, variants, f"{steps:,}", f"{seconds:.3f}", f"{rate / 1e6:.1f}", f"{1e9 / rate:.1f}")
    print(
        f"\nA container under one variant takes {dtype_of(Container).itemsize} bytes, however long the simulated time; "
        "the ledger grows with transfers."
    )


if __name__ == "__main__":
    main()
