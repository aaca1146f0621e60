"""Where vehicles of a recorded pass really were: what matchers are judged by."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.config.compose import read_request
from msmf_traci.config.schema import Config
from msmf_traci.experiment.mobility_source import open_source
from msmf_traci.experiment.preparation import City, Inputs, draw_trips, judge_files, read_city
from msmf_traci.mobility.frame import Frames, MobilitySource


@dataclass(frozen=True)
class Journey:
    """One vehicle of a pass, arrays of shape (n,).

    Attributes
    ----------
    time_s, x_m, y_m
        When and where.
    edge, position_m
        On which edge, and how far along it; a vehicle inside a junction is at position 0 of the next edge.
    route_index
        Index of this edge on the route.
    route
        All edges of the route, one after another.
    """

    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    edge: IntArray
    position_m: FloatArray
    route_index: IntArray
    route: IntArray

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def is_on_road(self) -> BoolArray:
        """Whether each sample is on a road proper, not inside a junction."""
        return self.position_m > 0

    def at(self, samples: IntArray | BoolArray) -> Journey:
        """Some samples of it."""
        return Journey(
            time_s=self.time_s[samples],
            x_m=self.x_m[samples],
            y_m=self.y_m[samples],
            edge=self.edge[samples],
            position_m=self.position_m[samples],
            route_index=self.route_index[samples],
            route=self.route,
        )


@dataclass(frozen=True)
class Pass:
    """A recorded pass: its configuration, what it stands on, its frames and every vehicle's journey."""

    config: Config
    inputs: Inputs
    city: City
    source: MobilitySource
    batches: list[Frames]
    journeys: list[Journey]


def read_pass(words: list[str]) -> Pass:
    """Replay a pass from its recording; it is driven, and recorded, where there is none."""
    config = read_request(words).points[0].config
    inputs = judge_files(config)
    city = read_city(config, inputs.network.ensure())
    source = open_source(config, inputs, city, draw_trips(config, inputs, city), lambda *_: None).source
    batches = list(source.frames())
    return Pass(config, inputs, city, source, batches, _journeys(batches, source.roster.routes))


def _journeys(batches: list[Frames], routes: list[IntArray]) -> list[Journey]:
    vehicle = np.concatenate([batch.vehicle for batch in batches])
    time_s = np.concatenate([np.repeat(batch.times_s, np.diff(batch.start)) for batch in batches])
    order = np.lexsort((time_s, vehicle))
    route = np.concatenate([batch.route for batch in batches])[order]
    everything = Journey(
        time_s=time_s[order],
        x_m=np.concatenate([batch.x_m for batch in batches])[order],
        y_m=np.concatenate([batch.y_m for batch in batches])[order],
        edge=np.concatenate([batch.edge for batch in batches])[order],
        position_m=np.concatenate([batch.position_m for batch in batches])[order],
        route_index=np.concatenate([batch.route_index for batch in batches])[order],
        route=np.zeros(0, dtype=np.int64),
    )
    ends = np.searchsorted(vehicle[order], np.arange(int(vehicle.max()) + 2))
    return [
        dataclasses.replace(everything.at(np.arange(begin, end)), route=routes[int(route[begin])]) for begin, end in pairwise(ends.tolist())
    ]
