"""The one data type that flows from a mobility source to the control plane, and what a source offers. Model, section 4.

Frames flow in batches of consecutive ones: migration never feeds back into traffic, so nothing has to be decided while SUMO steps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Generator
from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, read_only

DECIMALS = 6
NO_EDGE = -1
LONGEST_NAME = 1000
_NOT_IN_TABLES = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of characters, ends of lines and paragraphs


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


@dataclass(frozen=True)
class AsMatched:
    """What a source that finds roads by matching says beside, shape (n,): its `edge` and `position_m` are what is known by then.

    Attributes
    ----------
    known_mps
        Speed that is known by then.
    since_m
        How far the vehicle has come since it was at the known position, if it has gone on at this speed.
    route_m
        Position on the edge that `route_index` names, which is where the vehicle really was; `route_index` is -1 off the roads.
    """

    known_mps: FloatArray
    since_m: FloatArray
    route_m: FloatArray

    def __post_init__(self) -> None:
        read_only(self.known_mps, self.since_m, self.route_m)


@dataclass(frozen=True)
class Frames:
    """Consecutive frames: arrays over their samples, shape (n,), and over the frames, shape (f,).

    Attributes
    ----------
    times_s
        Simulated time of each frame, shape (f,).
    start
        Samples of frame k are `start[k]` to `start[k + 1]`, shape (f + 1,), in the order of vehicle numbers.
    vehicle, x_m, y_m, speed_mps, edge, position_m, route, route_index, first, last
        As in `Frame`, for every sample.
    as_matched
        None where roads are not found by matching: everything is known at once.
    """

    times_s: FloatArray
    start: IntArray
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
    as_matched: AsMatched | None = None

    def __post_init__(self) -> None:
        read_only(*(getattr(self, field.name) for field in fields(self) if field.name != "as_matched"))

    def __len__(self) -> int:
        return len(self.times_s)

    def frame(self, k: int) -> Frame:
        """The k-th frame, as views."""
        samples = slice(int(self.start[k]), int(self.start[k + 1]))
        return Frame(float(self.times_s[k]), *(getattr(self, name)[samples] for name in SAMPLE_COLUMNS))


SAMPLE_COLUMNS = tuple(field.name for field in fields(Frame) if field.name != "time_s")


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
    """Vehicles and routes as they become known; vehicle and route numbers are positions in these lists.

    `modes` are the vehicles' means of transport (`walk`, `bus`; empty where unknown), in the order of `vehicles`; none at all where the
    source tells no modes. `begin_s` is the simulated time one step before the first frame.
    """

    vehicles: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    routes: list[IntArray] = field(default_factory=list)
    counts: TrafficCounts = field(default_factory=TrafficCounts)
    begin_s: float = 0.0


class MobilitySource(Protocol):
    """Anything that yields frames; `roster` grows ahead of the frames that need it.

    Vehicles that appear in the same frame are numbered in the order of their ids.
    """

    roster: Roster

    def frames(self) -> Generator[Frames, None, None]:
        """Frames in the order of time, some at a time."""
        ...


def rounded(values: FloatArray) -> FloatArray:
    """Round as frames are rounded where they enter: to 6 decimals, half to even; zero has no sign."""
    return np.asarray(np.round(values, DECIMALS) + 0.0, dtype=np.float64)


def why_no_name(name: str) -> str | None:
    """Why a text cannot be the id of a vehicle, or a mode: tables would not give it back as it is. None if it can."""
    if not name:
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters ({name[:20]!a}...)"
    if not name.isprintable() and any(unicodedata.category(character) in _NOT_IN_TABLES for character in name):
        return f"has a character that no table holds ({name!a})"
    return None
