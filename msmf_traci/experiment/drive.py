"""One mobility pass: what flows from a source of mobility to the world, and what is kept of it beside the containers."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.config.schema import Config
from msmf_traci.errors import MsmfError
from msmf_traci.experiment.foreknowledge import expected_vehicles, foreknowledge
from msmf_traci.experiment.mobility_source import open_source
from msmf_traci.experiment.preparation import City, Inputs
from msmf_traci.experiment.variants import make_variants
from msmf_traci.experiment.world import Observed, World
from msmf_traci.migration.course import Seen
from msmf_traci.migration.engine import room_to_see
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.workload import draw_uniforms, joined, make_containers
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.mobility.tracks import Follower, Tracks
from msmf_traci.mobility.trip_log import TripLog
from msmf_traci.results.console import ProgressDisplay
from msmf_traci.results.keys import Names
from msmf_traci.results.trace import Trace
from msmf_traci.strategies.asking import ask


class Drive:
    """One mobility pass with all variants side by side.

    Parameters
    ----------
    config, inputs, city
        The configuration and what it stands on.
    trip_file
        Random trips of ours; None where the routes are the user's own.
    scratch
        Where the trace is written as the pass goes on.
    """

    def __init__(self, config: Config, inputs: Inputs, city: City, trip_file: Path | None, scratch: Path) -> None:
        roads, cells = city.roads, city.cells
        self.config = config
        self.trip_file = trip_file
        self.variants = make_variants(config, inputs.strategies)
        self.servers = [city.layout.servers(each.config) for each in self.variants.variants]
        known = foreknowledge(config, inputs, city, trip_file, self.variants, self.servers)
        self.origin = open_source(config, inputs, city, trip_file, self._show, scratch)
        self.source = self.origin.source
        self.roster = self.source.roster
        self.ledger = Ledger(keep_stages=config.output.trace)
        self.world = World(self.variants, self.servers, city, self.roster.routes, self.ledger, known)
        self.cells = cells
        self.follower = Follower()
        self.trips = TripLog()
        self.tasks = [make_containers(draw_uniforms([], config.seed), workload) for workload in self.variants.workloads]
        self.names = Names(
            self.roster.vehicles,
            [each.keys for each in self.variants.variants],
            [(each.names, each.tier_names) for each in self.servers],
            self.roster.modes,
        )
        self.trace: Trace | None = None
        if config.output.trace:
            self.trace = Trace(scratch, config.output.format, self.names, np.array(roads.ids, dtype=object), cells.names)
        self._display: ProgressDisplay | None = None

    def through(self) -> None:
        """Drive all vehicles from their first frame to their last.

        Raises
        ------
        MsmfError
            If SUMO fails, or there was no vehicle to follow.
        """
        with ProgressDisplay(expected_vehicles(self.config)) as self._display, closing(self.batches()) as batches:
            situations = self.world.begin(batches)
            while situations:
                situations = self.world.step({v: ask(self.world.strategies[v], now) for v, now in situations.items()})
        if not self.roster.vehicles:
            counts = self.roster.counts
            raise MsmfError(
                f"no vehicle was followed: {counts.left_out} left out because their routes leave the roads open to passenger cars, "
                f"{counts.not_inserted} not inserted; check the routes and mobility.max_duration_s"
            )
        if self.trace is not None:
            self.trace.close()

    def batches(self) -> Generator[Observed]:
        """What flows from the source to the world."""
        with closing(self.source.frames()) as batches:
            for frames in batches:
                self._admit()
                tracks = self.follower.follow(frames)
                if not len(tracks):
                    continue
                containing, outside = self.cells.cell_of(tracks.x_m, tracks.y_m)
                self.trips.observe(tracks, outside)
                seen = room_to_see(len(tracks) if self.trace is not None else 0, len(self.variants))
                yield Observed(tracks, containing, seen)
                if self.trace is not None:
                    self._record(self.trace, tracks, containing, seen)

    def _record(self, trace: Trace, tracks: Tracks, containing: IntArray, seen: Seen) -> None:
        """Write a batch to the trace."""
        samples = {name: getattr(tracks, name) for name in ("x_m", "y_m", "speed_mps", "edge", "position_m")}
        if self.config.mobility.source == "gps":
            samples["position_m"] = np.where(tracks.edge == NO_EDGE, np.nan, tracks.position_m)
        trace.record(tracks.time_s, tracks.vehicle[tracks.track], {**samples, "cell": containing}, seen._asdict())

    def _admit(self) -> None:
        """Welcome vehicles that have appeared on the roster: draw their containers and make room for them everywhere."""
        new = self.roster.vehicles[len(self.tasks[0]) :]
        if not new:
            return
        uniform = draw_uniforms(new, self.config.seed)
        drawn = [make_containers(uniform, workload) for workload in self.variants.workloads]
        self.tasks = [joined(old, more) for old, more in zip(self.tasks, drawn, strict=True)]
        self.world.admit(drawn)
        self.trips.admit(len(new))
        self.follower.admit(len(new))

    def _show(self, time_s: float, on_road: int, expected: int) -> None:
        if self._display is not None:
            self._display(time_s, on_road, expected, self.roster.counts.arrived)
