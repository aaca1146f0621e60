"""Where vehicles of a recorded pass really were: what matchers are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.config.compose import read_request
from msmf_traci.config.schema import Config
from msmf_traci.mobility.frame import Frames, MobilitySource
from msmf_traci.run.mobility_source import open_source
from msmf_traci.run.preparation import City, Inputs, draw_trips, judge_files, read_city


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
        columns = (self.time_s, self.x_m, self.y_m, self.edge, self.position_m, self.route_index)
        return Journey(*(column[samples] for column in columns), self.route)


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
    names = ("x_m", "y_m", "edge", "position_m", "route_index")
    columns = [time_s[order], *(np.concatenate([getattr(batch, name) for batch in batches])[order] for name in names)]
    route = np.concatenate([batch.route for batch in batches])[order]
    ends = np.searchsorted(vehicle[order], np.arange(int(vehicle.max()) + 2))
    spans = [slice(int(begin), int(end)) for begin, end in pairwise(ends)]
    return [Journey(*(column[span] for column in columns), routes[int(route[span.start])]) for span in spans]
