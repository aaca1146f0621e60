"""Drives SUMO and turns every simulation step into a frame, whichever way SUMO is read. Model, section 4."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msmf_traci.arrays import FloatArray
from msmf_traci.mobility.following import Following, FramesInMaking, Reading
from msmf_traci.mobility.frame import Frames, Roster
from msmf_traci.mobility.sumo_command import FREE_SPEED_FACTOR, Command, Load
from msmf_traci.scenario.sumo_tools import Sumo, Warned

NO_CHECKS = 32  # speed mode of `forced`
SAMPLES_AT_ONCE = 50_000
_STATES = ("loaded", "inserted", "waiting")
FRAMES_AT_ONCE = 20_000  # however few vehicles there are

Progress = Callable[[float, int, int], None]


class Events(NamedTuple):
    """What happened in a step: simulated time, who departed and arrived, and counts."""

    time_s: float
    departed: Sequence[str]
    arrived: Sequence[str]
    expected: int
    teleports: int
    colliding: Sequence[str]


class Reader(Protocol):
    """One way of driving and reading SUMO; `simulation` and `vehicle` are SUMO's domains.

    `reads_routes` is whether ids of routes are read at each step, because routes may change.
    """

    simulation: Any
    vehicle: Any
    reads_routes: bool

    def step(self) -> Events:
        """Drive one step."""
        ...

    def follow(self, name: str) -> None:
        """Read this vehicle from now on."""
        ...

    def read(self, names: Sequence[str]) -> Reading:
        """Read all followed vehicles."""
        ...

    def route_index(self, k: int) -> int:
        """Index on its route of the k-th vehicle read."""
        ...


@dataclass
class Session:
    """A running SUMO beside its vehicles.

    Attributes
    ----------
    outputs
        Folder for what SUMO itself is asked to write.
    time_s
        Simulated time reached.
    warnings
        What SUMO warned of, known once it has ended.
    """

    outputs: Path
    time_s: float = 0.0
    warnings: list[Warned] = field(default_factory=list)


Running = Callable[[Sumo, Load, Command, Session], AbstractContextManager[Reader]]


class SumoSource:
    """Frames from a running SUMO.

    Parameters
    ----------
    running
        How SUMO is started and read.
    sumo, load, command
        The installation, what it loads and how it is run.
    edges
        Number of each road edge by id.
    length_m
        Length of each road edge.
    progress
        Called at each step with simulated time, vehicles on the road and vehicles still expected.
    outputs
        Folder for what SUMO itself is asked to write; made if there is anything.
    warned
        Called with what SUMO warned of, once it has ended.
    """

    def __init__(
        self,
        running: Running,
        sumo: Sumo,
        load: Load,
        command: Command,
        edges: Mapping[str, int],
        length_m: FloatArray,
        progress: Progress,
        outputs: Path,
        warned: Callable[[Sequence[Warned]], None],
    ) -> None:
        self.roster = Roster()
        self._session = Session(outputs)
        self._warned = warned
        self._running = running
        self._sumo = sumo
        self._load = load
        self._command = command
        self._progress = progress
        self._following = Following(self.roster, edges, length_m)
        self._colliding: set[str] = set()

    def frames(self) -> Generator[Frames, None, None]:
        """Start SUMO, yield a frame for each step until all vehicles have arrived or time is up, and end SUMO.

        Raises
        ------
        ToolError
            If SUMO ends before its time; the text quotes its last lines.
        """
        with self._running(self._sumo, self._load, self._command, self._session) as reader:
            yield from self._drive(reader)
        self._warned(self._session.warnings)

    def _drive(self, reader: Reader) -> Iterator[Frames]:
        self.roster.begin_s = round(reader.simulation.getTime(), 6)
        end_s = reader.simulation.getTime() + self._command.max_duration_s
        configured_end_s = reader.simulation.getEndTime()
        if configured_end_s >= 0:
            end_s = min(end_s, configured_end_s)
        following, made = self._following, FramesInMaking()
        present = sorted(reader.vehicle.getIDList())  # of a state that the user's configuration loads
        while True:
            events = reader.step()
            time_s = self._session.time_s = round(events.time_s, 6)
            self._count(events)
            arrived = set(events.arrived)
            made.end(following.dismiss(arrived))  # only now is it known whose last frame the newest one was
            if len(made) >= SAMPLES_AT_ONCE or made.frames >= FRAMES_AT_ONCE:
                yield made.batch()
                made = FramesInMaking()
            new = self._admit(reader, [name for name in (*present, *sorted(events.departed)) if name not in arrived])
            present = []
            following.observe(reader.read(following.names), reader.route_index, reader.vehicle.getRoute)
            made.add(time_s, following, new)
            self._progress(time_s, len(following), events.expected)
            if events.expected == 0 or time_s >= end_s:
                break
        self.roster.counts.end_s = time_s
        made.end(range(len(following)))
        yield made.batch()
        self.roster.counts.not_inserted = len(reader.simulation.getPendingVehicles()) + self._lost(reader)

    def _lost(self, reader: Reader) -> int:
        """Vehicles that SUMO has read and thrown away, as those without a valid route under --ignore-route-errors."""
        loaded, inserted, waiting = (int(reader.simulation.getParameter("", f"stats.vehicles.{name}")) for name in _STATES)
        return max(0, loaded - inserted - waiting)

    def _count(self, events: Events) -> None:
        counts = self.roster.counts
        counts.teleports += events.teleports
        colliding = set(events.colliding)
        counts.collisions += len(colliding - self._colliding)
        self._colliding = colliding

    def _admit(self, reader: Reader, departed: Sequence[str]) -> int:
        """Follow vehicles whose whole route runs on roads, as many as are returned; the others are counted."""
        admitted = 0
        for name in departed:
            route_id = reader.vehicle.getRouteID(name) if reader.reads_routes else ""
            if self._following.admit(name, reader.vehicle.getRoute(name), route_id):
                reader.follow(name)
                self._command_speed(reader, name)
                admitted += 1
        return admitted

    def _command_speed(self, reader: Reader, name: str) -> None:
        speed_mps = self._command.speed_mps
        if speed_mps is None:
            return
        if self._load.trip_file is None:
            reader.vehicle.setMaxSpeed(name, speed_mps)
            reader.vehicle.setSpeedFactor(name, 1.0 if self._command.mode == "legal" else FREE_SPEED_FACTOR)
        if self._command.mode == "forced":
            reader.vehicle.setSpeedMode(name, NO_CHECKS)
            reader.vehicle.setSpeed(name, speed_mps)
