#!/usr/bin/env python3
"""What reading SUMO costs: wall time of the frame loop, loading not counted, of one pass driven in several ways.

    python scripts/benchmark_reading.py [--repeats N] [overrides of msmf-traci] > table.md

- stepping: SUMO's own program by itself (its own figure), and a client that only steps;
- reading: a client that reads what we read (position, speed, road, position on the lane of every vehicle, who departed, arrived, teleports
  and collides) in the backend's fastest way, and throws it away: one subscription a vehicle over TraCI, plain getters in libsumo;
- ours: the frame loop of msmf-traci with every strategy and variant, recording included; and the replay of that recording;
- getters: a client that calls getters for every vehicle, as everybody writes it; over TraCI only its first steps, against reading's.

Every case runs in a process of its own, in turns, so that a slow moment of the machine hits all of them. Ratios are those of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libsumo
import traci
import traci.constants as tc
from sumolib.miscutils import getFreeSocketPort

from msmf_traci.config.compose import read_request
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.mobility_source import RECORDINGS
from msmf_traci.experiment.options import command_options
from msmf_traci.experiment.preparation import draw_trips, judge_files, read_city
from msmf_traci.mobility.pass_key import pass_key
from msmf_traci.mobility.sumo_command import Load, configure
from msmf_traci.scenario.content_cache import cached_folder
from msmf_traci.scratch import temporary_folder

DEFAULTS = ("scenario=beijing", "variants.workload.image_mb=[100,500,1000,1500,2000]")
FIRST_STEPS = 300
CASES = {
    "bare SUMO": "stepping, SUMO's own figure",
    "traci stepping": "stepping only",
    "traci reading": "subscriptions, read and thrown away",
    "traci ours": "msmf-traci",
    "traci getters": "getters, as everybody writes them",
    "libsumo stepping": "stepping only",
    "libsumo reading": "getters, read and thrown away",
    "libsumo ours": "msmf-traci",
    "replay": "msmf-traci from the recording",
    "replay, first": "the same, first in its process: compiled code is loaded",
}
VEHICLE_VARIABLES = (tc.VAR_POSITION, tc.VAR_SPEED, tc.VAR_ROAD_ID, tc.VAR_LANEPOSITION, tc.VAR_ROUTE_INDEX)
SIMULATION_VARIABLES = (
    *(tc.VAR_TIME, tc.VAR_DEPARTED_VEHICLES_IDS, tc.VAR_ARRIVED_VEHICLES_IDS, tc.VAR_MIN_EXPECTED_VEHICLES),
    *(tc.VAR_TELEPORT_STARTING_VEHICLES_NUMBER, tc.VAR_COLLIDING_VEHICLES_IDS),
)


class Pass:
    """The pass that every case drives."""

    def __init__(self, words: list[str]) -> None:
        self.config = read_request(words).points[0].config
        self.inputs = judge_files(self.config)
        self.net_file = self.inputs.network.ensure()
        self.words = words

    def load(self, folder: Path) -> tuple[list[str], dict[str, str]]:
        """SUMO's command line, and the environment of its program."""
        trip_file = draw_trips(self.config, self.inputs, read_city(self.config, self.net_file))
        load, command = Load(self.inputs.network, trip_file), command_options(self.config, self.inputs.sumo_options)
        return ["--configuration-file", str(configure(load, command, folder, folder / "sumo"))], self.inputs.sumo.environment


class Clock:
    """Seconds since the first step, and how many of them the first steps took."""

    def __init__(self) -> None:
        self._begin_s = 0.0
        self.steps = 0
        self.first_s = 0.0

    def tick(self) -> None:
        """A step has been done."""
        self._begin_s = self._begin_s or time.perf_counter()
        self.steps += 1
        if self.steps == FIRST_STEPS:
            self.first_s = self.seconds

    @property
    def seconds(self) -> float:
        """Since the first step."""
        return time.perf_counter() - self._begin_s


def step_only(client: Any, step: Callable[[], Any], _: int) -> Clock:
    """Step to the end."""
    clock = Clock()
    while True:
        step()
        clock.tick()
        if client.simulation.getMinExpectedNumber() == 0:
            return clock


def read_by_subscription(client: Any, step: Callable[[], Any], most_steps: int) -> Clock:
    """One subscription for each vehicle; one answer a step for all."""
    client.simulation.subscribe(SIMULATION_VARIABLES)
    clock = Clock()
    while True:
        step()
        clock.tick()
        seen = client.simulation.getSubscriptionResults()
        for name in seen[tc.VAR_DEPARTED_VEHICLES_IDS]:
            client.vehicle.subscribe(name, VEHICLE_VARIABLES)
        client.vehicle.getAllSubscriptionResults()
        if seen[tc.VAR_MIN_EXPECTED_VEHICLES] == 0 or clock.steps == most_steps:
            return clock


def read_by_getters(client: Any, step: Callable[[], Any], most_steps: int) -> Clock:
    """Getters for every vehicle that is on the road."""
    vehicle, simulation = client.vehicle, client.simulation
    clock = Clock()
    while True:
        step()
        clock.tick()
        simulation.getTime(), simulation.getDepartedIDList(), simulation.getArrivedIDList()
        simulation.getStartingTeleportNumber(), simulation.getCollidingVehiclesIDList()
        for name in vehicle.getIDList():
            vehicle.getPosition(name), vehicle.getSpeed(name), vehicle.getRoadID(name), vehicle.getLanePosition(name)
        if simulation.getMinExpectedNumber() == 0 or clock.steps == most_steps:
            return clock


WAYS = {"stepping": step_only, "reading": read_by_getters, "getters": read_by_getters}


def run_case(case: str, the_pass: Pass) -> tuple[float, int, float]:
    """Seconds of the frame loop, its steps, and seconds of its first ones."""
    backend, _, way = case.partition(" ")
    if case.startswith("replay"):
        first = run_ours(the_pass, "recording")
        return first if case == "replay, first" else run_ours(the_pass, "recording")
    if way == "ours":
        return run_ours(the_pass, backend)
    with temporary_folder() as folder:
        options, environment = the_pass.load(folder)
        program = the_pass.inputs.sumo.program("sumo")
        if case == "bare SUMO":
            quiet = options.index("--duration-log.disable")
            words = [program, *options[:quiet], *options[quiet + 2 :], "--duration-log.statistics", "true"]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
            text = done.stdout + done.stderr
            return float(re.findall(r"Duration: ([\d.]+)\s*s", text)[-1]), int(re.findall(r"ended at time: (\d+)", text)[0]), 0.0
        if backend == "libsumo":
            os.environ.update({name: environment[name] for name in ("SUMO_HOME", "PROJ_LIB", "PROJ_DATA") if name in environment})
            libsumo.simulation.start(["sumo", *options])
            clock = WAYS[way](libsumo, libsumo.simulation.step, -1)
            return clock.seconds, clock.steps, clock.first_s
        port = getFreeSocketPort()
        with subprocess.Popen([program, *options, "--remote-port", str(port)], env=environment, stdout=subprocess.DEVNULL) as process:
            client = traci.connect(port, 1200, "localhost", process, 0.05)
            way_of_traci = read_by_subscription if way == "reading" else WAYS[way]
            clock = way_of_traci(client, client.simulationStep, FIRST_STEPS if way == "getters" else -1)
            seconds = clock.seconds
            process.kill()
        return seconds, clock.steps, clock.first_s


class Timed(Drive):
    """A pass that notes when its first step was done, how many there were, and when the last batch was decided and migrated."""

    begin_s = 0.0
    end_s = 0.0
    steps = 0

    def _show(self, *state: Any) -> None:
        self.begin_s = self.begin_s or time.perf_counter()
        self.steps += 1
        super()._show(*state)

    def take(self, tracks: Any) -> None:
        """SUMO takes a second to end after the last one, which is not part of the loop."""
        super().take(tracks)
        self.end_s = time.perf_counter()


def run_ours(the_pass: Pass, source: str) -> tuple[float, int, float]:
    """Our frame loop, recording included: from the first step to the last decision; tables are not part of it."""
    config = read_request([*the_pass.words, f"mobility.source={source}"]).points[0].config
    city = read_city(config, the_pass.net_file)
    trip_file = draw_trips(config, the_pass.inputs, city)
    if source != "recording":
        key = pass_key(the_pass.inputs.sumo.version, Load(the_pass.inputs.network, trip_file), command_options(config)).key
        shutil.rmtree(cached_folder(RECORDINGS, str(key)), ignore_errors=True)
    with temporary_folder() as folder:
        drive = Timed(config, the_pass.inputs, city, trip_file, folder)
        began_s = time.perf_counter()
        drive.through()
    return drive.end_s - (drive.begin_s or began_s), drive.steps, 0.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--case", choices=list(CASES), help=argparse.SUPPRESS)
    typed, words = parser.parse_known_args()
    words = words if any(word.startswith("scenario") for word in words) else [*DEFAULTS, *words]
    if typed.case is not None:
        print(json.dumps(run_case(typed.case, Pass(words))), file=sys.stderr)
        return
    seconds: dict[str, list[float]] = {case: [] for case in CASES}
    first: dict[str, list[float]] = {case: [] for case in CASES}
    steps = 0
    for _ in range(typed.repeats):
        for case in CASES:
            call = [sys.executable, __file__, "--case", case, *words]
            done = subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            loop_s, counted, first_s = json.loads(done.stderr.splitlines()[-1])
            steps = max(steps, counted)
            seconds[case].append(loop_s)
            first[case].append(first_s)
    print(f"{' '.join(words)}: {steps} steps; medians of {typed.repeats}, the least and the most in brackets\n")
    print("| way | what | seconds | ms a step | over reading alone, same backend |")
    print("| --- | --- | --- | --- | --- |")
    for case, what in CASES.items():
        reading = f"{case.split(' ')[0]} reading"
        found, n, base = seconds[case], steps, seconds
        if case == "traci getters":
            found, n, base = first[case], FIRST_STEPS, first
            what += f" (first {FIRST_STEPS} steps)"
        median = statistics.median(found)
        ratio = f"{median / statistics.median(base[reading]):.2f}" if reading in CASES else ""
        print(f"| {case} | {what} | {median:.2f} [{min(found):.2f}, {max(found):.2f}] | {median / n * 1e3:.3f} | {ratio} |")
    replay_s = statistics.median(seconds["replay"])
    for stepping in ("bare SUMO", "libsumo stepping"):
        print(f"\nReplay is {statistics.median(seconds[stepping]) / replay_s:.0f} times faster than SUMO's own stepping ({stepping}).")


if __name__ == "__main__":
    main()
