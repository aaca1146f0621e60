"""The one data type that flows from a mobility source to the control plane, and what a source offers. Model, section 4."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, read_only

DECIMALS = 6
NO_EDGE = -1


@dataclass(frozen=True)
class Frame:
    """All vehicles on the road at one instant, arrays of shape (n,).

    Attributes
    ----------
    time_s
        Simulated time.
    vehicle
        Number of each vehicle, in the order in which vehicles appeared.
    x_m, y_m, speed_mps, position_m
        Position, speed and position on the edge, rounded to 6 decimals.
    edge
        Number of the road edge; NO_EDGE where it is no road.
    route
        Number of the vehicle's route in `Roster.routes`.
    route_index
        Index on that route of the edge.
    first, last
        Whether this is the vehicle's first, its last frame.
    """

    time_s: float
    vehicle: IntArray
    x_m: FloatArray
    y_m: FloatArray
    speed_mps: FloatArray
    edge: IntArray
    position_m: FloatArray
    route: IntArray
    route_index: IntArray
    first: BoolArray
    last: BoolArray

    def __post_init__(self) -> None:
        # every strategy sees the same arrays
        read_only(
            self.vehicle,
            self.x_m,
            self.y_m,
            self.speed_mps,
            self.edge,
            self.position_m,
            self.route,
            self.route_index,
            self.first,
            self.last,
        )

    def __len__(self) -> int:
        return len(self.vehicle)


@dataclass
class TrafficCounts:
    """What happened on the road, for `run.json`."""

    inserted: int = 0
    arrived: int = 0
    left_out: int = 0
    not_inserted: int = 0
    teleports: int = 0
    collisions: int = 0
    end_s: float = 0.0


@dataclass
class Roster:
    """Vehicles and routes as they become known; vehicle and route numbers are positions in these lists."""

    vehicles: list[str] = field(default_factory=list)
    routes: list[IntArray] = field(default_factory=list)
    counts: TrafficCounts = field(default_factory=TrafficCounts)


class MobilitySource(Protocol):
    """Anything that yields frames; `roster` grows ahead of the frames that need it."""

    roster: Roster

    def frames(self) -> Generator[Frame, None, None]:
        """Frames in the order of time."""
        ...


def rounded(values: list[float]) -> FloatArray:
    """Round as frames are rounded where they enter: to 6 decimals, half to even."""
    return np.asarray(np.round(np.array(values, dtype=np.float64), DECIMALS), dtype=np.float64)
