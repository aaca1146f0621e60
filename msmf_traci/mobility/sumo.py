"""Drives SUMO over TraCI and turns every simulation step into a frame. Model, section 4.

Vehicles are read by subscriptions: one answer a step for all of them. A vehicle that SUMO is teleporting stays in the frames where
it was last seen, so that its life on the road has no holes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import traci.constants as tc

from msmf_traci.arrays import IntArray
from msmf_traci.mobility.frame import NO_EDGE, Frames, Roster, rounded
from msmf_traci.mobility.sumo_process import FREE_SPEED_FACTOR, Command, Load, running_sumo
from msmf_traci.scenario.sumo_tools import Sumo

VEHICLE_VARIABLES = (tc.VAR_POSITION, tc.VAR_SPEED, tc.VAR_ROAD_ID, tc.VAR_LANEPOSITION, tc.VAR_ROUTE_INDEX, tc.VAR_ROUTE_ID)
SIMULATION_VARIABLES = (
    tc.VAR_TIME,
    tc.VAR_DEPARTED_VEHICLES_IDS,
    tc.VAR_ARRIVED_VEHICLES_IDS,
    tc.VAR_MIN_EXPECTED_VEHICLES,
    tc.VAR_TELEPORT_STARTING_VEHICLES_NUMBER,
    tc.VAR_COLLIDING_VEHICLES_IDS,
)
NO_CHECKS = 32  # speed mode of `forced`
SAMPLES_AT_ONCE = 20_000

Progress = Callable[[float, int, int], None]


@dataclass
class _Vehicle:
    """A followed vehicle and what was last read of it."""

    number: int
    route_id: str
    route: int
    edge: int = NO_EDGE
    position_m: float = 0.0
    route_index: int = 0
    x_m: float = 0.0
    y_m: float = 0.0
    speed_mps: float = 0.0
    is_new: bool = True


@dataclass
class _Step:
    """One step's reading: everything of a frame but who has driven its last."""

    time_s: float
    names: list[str]
    samples: list[tuple[int, float, float, float, int, float, int, int, bool]] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)


class TraciSource:
    """Frames from a running SUMO.

    Parameters
    ----------
    sumo, load, command
        The installation, what it loads and how it is run.
    edges
        Number of each road edge by id.
    length_m
        Length of each road edge.
    progress
        Called at each step with simulated time, vehicles on the road and vehicles still expected.
    """

    def __init__(
        self,
        sumo: Sumo,
        load: Load,
        command: Command,
        edges: Mapping[str, int],
        length_m: np.ndarray[Any, np.dtype[np.float64]],
        progress: Progress,
    ) -> None:
        self.roster = Roster()
        self._sumo = sumo
        self._load = load
        self._command = command
        self._edges = edges
        self._length_m = length_m
        self._progress = progress
        self._followed: dict[str, _Vehicle] = {}
        self._colliding: set[str] = set()
        self._uses: dict[str, int] = {}
        self._route_numbers: dict[bytes, int] = {}
        self._clock = [0.0]

    def frames(self) -> Generator[Frames, None, None]:
        """Start SUMO, yield a frame for each step until all vehicles have arrived or time is up, and end SUMO.

        Raises
        ------
        ToolError
            If SUMO ends before its time; the text quotes its last lines.
        """
        with running_sumo(self._sumo, self._load, self._command, self._clock) as connection:
            yield from self._drive(connection)

    def _drive(self, connection: Any) -> Iterator[Frames]:
        connection.simulation.subscribe(SIMULATION_VARIABLES)
        end_s = connection.simulation.getTime() + self._command.max_duration_s
        configured_end_s = connection.simulation.getEndTime()
        if configured_end_s >= 0:
            end_s = min(end_s, configured_end_s)
        self._admit(connection, sorted(connection.vehicle.getIDList()))  # a state that the user's configuration loads
        steps: list[_Step] = []
        samples = 0
        while True:
            connection.simulationStep()
            seen = connection.simulation.getSubscriptionResults()
            self._clock[0] = round(seen[tc.VAR_TIME], 6)
            arrived = set(seen[tc.VAR_ARRIVED_VEHICLES_IDS])
            self._count(seen)
            if steps:
                steps[-1].arrived = arrived
            if samples >= SAMPLES_AT_ONCE:
                yield _batch(steps)
                steps, samples = [], 0
            for name in arrived & self._followed.keys():
                del self._followed[name]
                self.roster.counts.arrived += 1
            self._admit(connection, sorted(name for name in seen[tc.VAR_DEPARTED_VEHICLES_IDS] if name not in arrived))
            steps.append(self._read(connection))
            samples += len(steps[-1].names)
            self._progress(self._clock[0], len(steps[-1].names), seen[tc.VAR_MIN_EXPECTED_VEHICLES])
            if seen[tc.VAR_MIN_EXPECTED_VEHICLES] == 0 or self._clock[0] >= end_s:
                break
        self.roster.counts.end_s = self._clock[0]
        steps[-1].arrived = set(steps[-1].names)
        yield _batch(steps)
        self.roster.counts.not_inserted = len(connection.simulation.getPendingVehicles())

    def _count(self, seen: Mapping[int, Any]) -> None:
        counts = self.roster.counts
        counts.teleports += seen[tc.VAR_TELEPORT_STARTING_VEHICLES_NUMBER]
        colliding = set(seen[tc.VAR_COLLIDING_VEHICLES_IDS])
        counts.collisions += len(colliding - self._colliding)
        self._colliding = colliding

    def _admit(self, connection: Any, departed: Sequence[str]) -> None:
        """Follow vehicles whose whole route runs on roads; count the others."""
        for name in departed:
            route = self._edge_numbers(connection.vehicle.getRoute(name))
            if (route == NO_EDGE).any():
                self.roster.counts.left_out += 1
                continue
            connection.vehicle.subscribe(name, VEHICLE_VARIABLES)
            self._command_speed(connection, name)
            route_id = connection.vehicle.getRouteID(name)
            self._followed[name] = _Vehicle(len(self.roster.vehicles), route_id, self._route_number(route))
            self.roster.vehicles.append(self._unique(name))
            self.roster.counts.inserted += 1

    def _unique(self, name: str) -> str:
        """Name of a vehicle in tables: SUMO lets an id be used again after its holder has left; the second is `ID#2`."""
        self._uses[name] = self._uses.get(name, 0) + 1
        return name if self._uses[name] == 1 else f"{name}#{self._uses[name]}"

    def _route_number(self, route: IntArray) -> int:
        """Number of a route; vehicles of one route share it."""
        key = route.tobytes()
        if key not in self._route_numbers:
            self._route_numbers[key] = len(self.roster.routes)
            self.roster.routes.append(route)
        return self._route_numbers[key]

    def _command_speed(self, connection: Any, name: str) -> None:
        speed_mps = self._command.speed_mps
        if speed_mps is None:
            return
        if self._load.trip_file is None:
            connection.vehicle.setMaxSpeed(name, speed_mps)
            connection.vehicle.setSpeedFactor(name, 1.0 if self._command.mode == "legal" else FREE_SPEED_FACTOR)
        if self._command.mode == "forced":
            connection.vehicle.setSpeedMode(name, NO_CHECKS)
            connection.vehicle.setSpeed(name, speed_mps)

    def _edge_numbers(self, names: Sequence[str]) -> IntArray:
        return np.array([self._edges.get(name, NO_EDGE) for name in names], dtype=np.int64)

    def _read(self, connection: Any) -> _Step:
        results = connection.vehicle.getAllSubscriptionResults()
        step = _Step(self._clock[0], list(self._followed))
        for name, vehicle in self._followed.items():
            seen = results.get(name)
            if seen is None or seen[tc.VAR_ROAD_ID] == "":
                vehicle.speed_mps = 0.0  # being teleported
            else:
                self._update(connection, name, vehicle, seen)
            step.samples.append(
                (
                    vehicle.number,
                    vehicle.x_m,
                    vehicle.y_m,
                    vehicle.speed_mps,
                    vehicle.edge,
                    vehicle.position_m,
                    vehicle.route,
                    vehicle.route_index,
                    vehicle.is_new,
                )
            )
            vehicle.is_new = False
        return step

    def _update(self, connection: Any, name: str, vehicle: _Vehicle, seen: Mapping[int, Any]) -> None:
        if seen[tc.VAR_ROUTE_ID] != vehicle.route_id:
            vehicle.route_id = seen[tc.VAR_ROUTE_ID]
            vehicle.route = self._route_number(self._edge_numbers(connection.vehicle.getRoute(name)))
        route = self.roster.routes[vehicle.route]
        vehicle.x_m, vehicle.y_m = seen[tc.VAR_POSITION]
        vehicle.speed_mps = seen[tc.VAR_SPEED]
        index = max(seen[tc.VAR_ROUTE_INDEX], 0)
        if not seen[tc.VAR_ROAD_ID].startswith(":"):
            vehicle.edge, vehicle.position_m = self._edges.get(seen[tc.VAR_ROAD_ID], NO_EDGE), seen[tc.VAR_LANEPOSITION]
        elif index + 1 < len(route):
            index += 1
            vehicle.edge, vehicle.position_m = int(route[index]), 0.0
        else:
            vehicle.edge = int(route[-1])
            vehicle.position_m = float(self._length_m[vehicle.edge]) if vehicle.edge != NO_EDGE else 0.0
        vehicle.route_index = index


def _batch(steps: Sequence[_Step]) -> Frames:
    """The frames of steps of which it is known who has arrived."""
    samples = [sample for step in steps for sample in step.samples]
    number, x, y, speed, edge, position, route, index, new = zip(*samples, strict=True) if samples else ((),) * 9
    return Frames(
        times_s=np.array([step.time_s for step in steps], dtype=np.float64),
        start=np.cumsum([0, *(len(step.samples) for step in steps)], dtype=np.int64),
        vehicle=np.array(number, dtype=np.int64),
        x_m=rounded(list(x)),
        y_m=rounded(list(y)),
        speed_mps=rounded(list(speed)),
        edge=np.array(edge, dtype=np.int64),
        position_m=rounded(list(position)),
        route=np.array(route, dtype=np.int64),
        route_index=np.array(index, dtype=np.int64),
        first=np.array(new, dtype=bool),
        last=np.array([name in step.arrived for step in steps for name in step.names], dtype=bool),
    )
