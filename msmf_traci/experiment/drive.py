"""One mobility pass: batch by batch, attach every vehicle, let every variant decide, and migrate every container."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from msmf_traci.arrays import BoolArray, IntArray
from msmf_traci.config.schema import Config
from msmf_traci.control.decisions import Decisions
from msmf_traci.control.plane import ControlPlane, Council, View
from msmf_traci.errors import MsmfError
from msmf_traci.experiment.mobility_source import open_source
from msmf_traci.experiment.preparation import City, Inputs
from msmf_traci.experiment.variants import make_variants
from msmf_traci.migration.course import Course
from msmf_traci.migration.engine import Engine
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.workload import draw_uniforms, joined, make_containers
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.mobility.tracks import Follower, Tracks
from msmf_traci.mobility.trip_log import TripLog
from msmf_traci.results.console import ProgressDisplay
from msmf_traci.results.keys import Names
from msmf_traci.results.trace import Trace
from msmf_traci.sentinels import KEEP, NO_SERVER


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
        self.origin = open_source(config, inputs, city, trip_file, self._show, scratch)
        self.source = self.origin.source
        self.roster = self.source.roster
        self.servers = [city.layout.servers(each.config) for each in self.variants.variants]
        self.plane = ControlPlane(self.variants.rulings(self.servers), roads, cells, city.coverage, self.roster.routes)
        self.ledger = Ledger(keep_stages=config.output.trace)
        self.engine = Engine(self.variants.policies(), self.servers, self.ledger)
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
        expected = None if self.config.scenario.has_own_routes else self.config.mobility.vehicles
        with ProgressDisplay(expected) as self._display, closing(self.source.frames()) as batches:
            for frames in batches:
                self._admit()
                self.take(self.follower.follow(frames))
        if not self.roster.vehicles:
            counts = self.roster.counts
            raise MsmfError(
                f"no vehicle was followed: {counts.left_out} left out because their routes leave the roads open to passenger cars, "
                f"{counts.not_inserted} not inserted; check the routes and mobility.max_duration_s"
            )
        if self.trace is not None:
            self.trace.close()

    def take(self, tracks: Tracks) -> None:
        """One batch: attach, decide, migrate."""
        if not len(tracks):
            return
        containing, outside = self.cells.cell_of(tracks.x_m, tracks.y_m)
        self.trips.observe(tracks, outside)
        view = self.plane.look(tracks, containing)
        shown = _Shown(len(tracks), len(self.variants)) if self.trace is not None else None
        for council in self.plane.councils:
            if council.planner is not None:
                self._take_planned(council, view, shown)
            else:
                self._take_asked(council, view, shown)
        if self.trace is not None and shown is not None:
            samples = {name: getattr(tracks, name) for name in ("x_m", "y_m", "speed_mps", "edge", "position_m")}
            if self.config.mobility.source == "gps":
                samples["position_m"] = np.where(tracks.edge == NO_EDGE, np.nan, tracks.position_m)
            vehicle = tracks.vehicle[tracks.track]
            self.trace.record(tracks.time_s, vehicle, {**samples, "cell": containing}, shown.columns())

    def _admit(self) -> None:
        """Welcome vehicles that have appeared on the roster: draw their containers and make room for them everywhere."""
        new = self.roster.vehicles[len(self.tasks[0]) :]
        if not new:
            return
        uniform = draw_uniforms(new, self.config.seed)
        drawn = [make_containers(uniform, workload) for workload in self.variants.workloads]
        self.tasks = [joined(old, more) for old, more in zip(self.tasks, drawn, strict=True)]
        self.engine.admit([drawn[each.workload] for each in self.variants.variants])
        self.plane.admit([task.latency_level_ms for task in drawn])
        self.trips.admit(len(new))
        self.follower.admit(len(new))

    def _take_planned(self, council: Council, view: View, shown: _Shown | None) -> None:
        """A whole batch at once."""
        decisions = self.plane.plan(council, view)
        start, change = council.changes.find(view.tracks, decisions, every=shown is not None)
        seen = self.engine.run(course_of(view.tracks, decisions, start, change), council.variants, trace=shown is not None)
        if shown is not None:
            shown.take(np.arange(len(view.tracks)), council.variants, decisions, seen)

    def _take_asked(self, council: Council, view: View, shown: _Shown | None) -> None:
        """Frame by frame: what a strategy of anybody's decides may depend on where its containers are."""
        for tracks, samples in view.tracks.frame_by_frame():
            host = self.engine.hosts(tracks.vehicle, int(council.variants[0]), float(tracks.time_s[0]))
            decisions = self.plane.ask(council, view, samples, host)
            start, change = np.arange(len(samples) + 1), np.arange(len(samples))
            seen = self.engine.run(course_of(tracks, decisions, start, change), council.variants, trace=shown is not None)
            if shown is not None:
                shown.take(samples, council.variants, decisions, seen)

    def _show(self, time_s: float, on_road: int, expected: int) -> None:
        if self._display is not None:
            self._display(time_s, on_road, expected, self.roster.counts.arrived)


class _Shown:
    """What the trace shows of a batch, arrays of shape (samples, variants)."""

    def __init__(self, samples: int, variants: int) -> None:
        self._home: IntArray = np.full((samples, variants), KEEP, dtype=np.int64)
        self._target: IntArray = np.full((samples, variants), NO_SERVER, dtype=np.int64)
        self._host: IntArray = np.full((samples, variants), NO_SERVER, dtype=np.int64)
        self._running: BoolArray = np.zeros((samples, variants), dtype=bool)

    def take(self, samples: IntArray, variants: IntArray, decisions: Decisions, seen: Any) -> None:
        """Some samples under some variants."""
        for variant in variants:
            self._home[samples, variant] = decisions.home
            self._target[samples, variant] = seen.target[:, variant]
            self._host[samples, variant] = seen.host[:, variant]
            self._running[samples, variant] = seen.running[:, variant]

    def columns(self) -> dict[str, IntArray | BoolArray]:
        """As the trace takes them."""
        return {"home": self._home, "target": self._target, "host": self._host, "running": self._running}


def course_of(tracks: Tracks, decisions: Decisions, change_start: IntArray, change: IntArray) -> Course:
    """A batch as the engine takes it."""
    d, t = decisions, tracks
    return Course(
        start=t.start,
        vehicle=t.vehicle,
        before_x_m=t.before_x_m,
        before_y_m=t.before_y_m,
        time_s=t.time_s,
        x_m=t.x_m,
        y_m=t.y_m,
        first=t.first,
        last=t.last,
        track=t.track,
        frame=t.frame,
        cell=d.cell,
        home=d.home,
        target=d.target,
        alternative=d.alternative,
        entry=d.entry,
        alternative_entry=d.alternative_entry,
        change_start=change_start,
        change=change,
    )
