"""One mobility pass: frame by frame, attach every vehicle, let every strategy decide, and migrate every container."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.config.schema import Config
from msmf_traci.control.attachment import Attachment
from msmf_traci.control.plane import ControlPlane
from msmf_traci.control.prediction import MapPredictor, RoutePredictor
from msmf_traci.control.stays import Stays
from msmf_traci.errors import MsmfError
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.precopy import Precopy
from msmf_traci.migration.workload import Containers, draw_containers
from msmf_traci.mobility.frame import Frame
from msmf_traci.mobility.trip_log import TripLog
from msmf_traci.results.console import ProgressDisplay
from msmf_traci.results.store import write_table
from msmf_traci.results.summary import summary_table
from msmf_traci.results.tables import Names, migrations_table, stages_table, vehicles_table
from msmf_traci.results.trace import Trace
from msmf_traci.run.mobility_source import open_source
from msmf_traci.run.options import (
    fixed_image_mb,
    handoff_policy,
    link_options,
    tier_choices,
    tier_latency,
    workload_options,
)
from msmf_traci.run.preparation import City, Inputs
from msmf_traci.world.servers import TIER_NAMES


class Drive:
    """One mobility pass with all strategies side by side.

    Parameters
    ----------
    config, inputs, city
        The configuration and what it stands on.
    trip_file
        Random trips of ours; None where the routes are the user's own.
    scratch
        Where the trace is written as the pass goes on.
    """

    def __init__(
        self,
        config: Config,
        inputs: Inputs,
        city: City,
        trip_file: Path | None,
        scratch: Path,
    ) -> None:
        roads, cells, coverage, servers = city.roads, city.cells, city.coverage, city.servers
        self.config = config
        self.servers = servers
        self.trip_file = trip_file
        self.latency = tier_latency(config)
        self.strategies = inputs.strategies
        self.tier_choices = tier_choices(config)
        self.origin = open_source(config, inputs, city, trip_file, self._show)
        self.source = self.origin.source
        self.roster = self.source.roster
        prediction = config.prediction
        self.plane = ControlPlane(
            self.strategies,
            servers,
            {
                "map": MapPredictor(roads, coverage, servers.server_of, prediction.horizon_m, prediction.slack_m),
                "route": RoutePredictor(self.roster.routes, roads, coverage, servers.server_of, prediction.horizon_m, prediction.slack_m),
            },
            self.tier_choices,
        )
        self.attachment = Attachment(cells, config.attachment.hysteresis_m)
        self.ledger = Ledger(keep_stages=config.output.trace)
        self.engine = Precopy(len(self.strategies), link_options(config), handoff_policy(config), self._request_latency, self.ledger)
        self.trips = TripLog()
        self.stays = Stays()
        self.containers = draw_containers([], config.seed, workload_options(config))
        self.names = Names(
            strategies=[strategy.name for strategy in self.strategies],
            vehicles=self.roster.vehicles,
            servers=np.array([servers.name(server) for server in range(len(servers))], dtype=object),
            server_tiers=np.array(TIER_NAMES, dtype=object)[servers.tier(np.arange(len(servers)))],
            image_mb=fixed_image_mb(config),
        )
        self.trace: Trace | None = None
        if config.output.trace:
            cell_names = np.array([cells.name(cell) for cell in range(len(cells))], dtype=object)
            self.trace = Trace(scratch, config.output.format, self.names, np.array(roads.ids, dtype=object), cell_names)
        self._display: ProgressDisplay | None = None

    def through(self) -> None:
        """Drive all vehicles from their first frame to their last.

        Raises
        ------
        MsmfError
            If SUMO fails, or there was no vehicle to follow.
        """
        expected = None if self.config.scenario.has_own_routes else self.config.mobility.vehicles
        with ProgressDisplay(expected) as self._display, closing(self.source.frames()) as frames:
            for batch in frames:
                self._admit()
                for k in range(len(batch)):
                    self.take(batch.frame(k))
        if not self.roster.vehicles:
            counts = self.roster.counts
            raise MsmfError(
                f"no vehicle was followed: {counts.left_out} left out because their routes leave the roads open to passenger cars, "
                f"{counts.not_inserted} not inserted; check the routes and mobility.max_duration_s"
            )
        if self.trace is not None:
            self.trace.close()

    def take(self, frame: Frame) -> None:
        """One frame: advance the transfers, attach, decide, migrate."""
        t_s, vehicle = frame.time_s, frame.vehicle
        cell, containing, outside = self.attachment.attach(frame)
        self.trips.observe(frame, outside)
        self.engine.advance(t_s, vehicle, frame.x_m, frame.y_m)
        container = self.engine.containers_of(vehicle)
        home, target = self.plane.decide(frame, cell, self.containers.latency_level_ms[vehicle], self.engine.host[container])
        self.engine.deploy(t_s, vehicle[frame.first], home[frame.first])
        self.engine.attach(t_s, vehicle, cell)
        on = ~frame.last
        self.stays.observe(container[on].ravel(), home[on].ravel(), target[on].ravel(), self.engine.host[container[on]].ravel())
        self.engine.apply(t_s, vehicle[on], home[on], target[on])
        if self.trace is not None:
            self._record(frame, containing, home, target)
        self.engine.arrive(t_s, vehicle[frame.last])

    def write_tables(self, folder: Path) -> pd.DataFrame:
        """Write the tables of the pass; returns the summary."""
        format = self.config.output.format
        migrations = migrations_table(self.ledger, self.names)
        vehicles = vehicles_table(self.names, migrations, self._trip_columns(), self._container_columns())
        summary = summary_table(vehicles, migrations, self.config.seed, self.config.output.speed_bands_kmh)
        write_table(folder, "migrations", migrations, format)
        write_table(folder, "vehicles", vehicles, format)
        write_table(folder, "summary", summary, format)
        if self.config.output.trace:
            write_table(folder, "stages", stages_table(self.ledger, self.names), format)
        return summary

    def _admit(self) -> None:
        """Welcome vehicles that have appeared on the roster: draw their containers and make room for them everywhere."""
        known = len(self.containers)
        new = self.roster.vehicles[known:]
        if not new:
            return
        drawn = draw_containers(new, self.config.seed, workload_options(self.config))
        old = self.containers
        self.containers = Containers(
            *(
                np.concatenate([getattr(old, name), getattr(drawn, name)])
                for name in ("image_bytes", "memory_bytes", "latency_level_ms", "start_s")
            )
        )
        self.engine.admit(drawn)
        self.plane.admit(len(new))
        self.trips.admit(len(new))
        self.stays.admit(len(new) * len(self.strategies))

    def _request_latency(self, server: IntArray, cell: IntArray) -> tuple[FloatArray, IntArray]:
        hops = self.servers.hops(server, cell)
        return self.latency.by_tier_ms[self.servers.tier(server)] + self.latency.hop_ms * hops, hops

    def _show(self, time_s: float, on_road: int, expected: int) -> None:
        if self._display is not None:
            self._display(time_s, on_road, expected, self.roster.counts.arrived)

    def _record(self, frame: Frame, cell: IntArray, home: IntArray, target: IntArray) -> None:
        assert self.trace is not None
        container = self.engine.containers_of(frame.vehicle)
        columns = {
            "t_s": np.full(len(frame), frame.time_s),
            "vehicle": frame.vehicle,
            "x_m": frame.x_m,
            "y_m": frame.y_m,
            "speed_mps": frame.speed_mps,
            "edge": frame.edge,
            "position_m": frame.position_m,
            "cell": cell,
        }
        self.trace.record(columns, home, target, self.engine.host[container], self.engine.service.running[container])

    def _trip_columns(self) -> dict[str, Any]:
        speed_kmh = self.origin.commanded_kmh
        return {
            "commanded_kmh": np.full(len(self.containers), np.nan if speed_kmh is None else speed_kmh),
            "road_s": self.trips.road_s,
            "distance_m": self.trips.distance_m,
            "outside_s": self.trips.outside_s,
            "unmatched_s": self.trips.unmatched_s,
            "frames": self.trips.frames,
            "image_bytes": self.containers.image_bytes,
            "memory_capacity_bytes": self.containers.memory_bytes,
            "latency_level_ms": self.containers.latency_level_ms,
        }

    def _container_columns(self) -> dict[str, Any]:
        level_ms = self.containers.latency_level_ms
        tier = np.column_stack([self.tier_choices[strategy.tiers].choose(level_ms) for strategy in self.strategies])
        met = np.column_stack([self.tier_choices[strategy.tiers].eligible(level_ms).any(axis=1) for strategy in self.strategies])
        service = self.engine.service
        return {
            "tier": np.array(TIER_NAMES, dtype=object)[tier.ravel()],
            "level_met": met.ravel().astype(np.int64),
            "handoffs": self.engine.handoffs,
            "outages": service.outages,
            "outage_s": service.outage_s,
            "longest_outage_s": service.longest_outage_s,
            "censored": service.censored.astype(np.int64),
            "relayed_s": service.relayed_s,
            "late_s": service.late_s,
            "satisfied_s": service.satisfied_s,
            "entry_hits": self.stays.entry_hits,
            "entry_misses": self.stays.entry_misses,
            "handoff_hits": self.stays.handoff_hits,
            "handoff_misses": self.stays.handoff_misses,
        }
