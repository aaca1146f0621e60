"""Drives SUMO over TraCI and turns every simulation step into a frame. Model, section 4.

Vehicles are read by subscriptions: one answer a step for all of them. A vehicle that SUMO is teleporting stays in the frames where
it was last seen, so that its life on the road has no holes.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import traci
import traci.constants as tc

from msmf_traci.errors import InputError, ToolError
from msmf_traci.mobility.frame import NO_EDGE, Frame, IntArray, Roster, rounded
from msmf_traci.scenario.build import NetworkSource
from msmf_traci.scenario.sumo_tools import Sumo, last_lines
from msmf_traci.scenario.trips import VEHICLE_TYPE

VEHICLE_VARIABLES = (tc.VAR_POSITION, tc.VAR_SPEED, tc.VAR_ROAD_ID, tc.VAR_LANEPOSITION, tc.VAR_ROUTE_INDEX, tc.VAR_ROUTE_ID)
SIMULATION_VARIABLES = (
    tc.VAR_TIME,
    tc.VAR_DEPARTED_VEHICLES_IDS,
    tc.VAR_ARRIVED_VEHICLES_IDS,
    tc.VAR_MIN_EXPECTED_VEHICLES,
    tc.VAR_TELEPORT_STARTING_VEHICLES_NUMBER,
    tc.VAR_COLLIDING_VEHICLES_IDS,
)
FREE_SPEED_FACTOR = 10.0  # lifts every speed limit above the commanded speed and keeps the junction rules
NO_CHECKS = 32  # speed mode of `forced`
CONNECT_WAIT_S = 0.05
CONNECT_TRIES = 12_000

Progress = Callable[[float, int, int], None]


@dataclass(frozen=True)
class Command:
    """How SUMO is to be run.

    Attributes
    ----------
    speed_mps
        Commanded speed; None: as the routes say.
    mode
        `free`, `legal` or `forced`.
    step_s
        Simulation step; None: as the .sumocfg says.
    max_duration_s
        The run ends here at the latest.
    seed
        SUMO's seed.
    gui
        Whether to show sumo-gui.
    extra
        More of SUMO's own options.
    """

    speed_mps: float | None
    mode: str
    step_s: float | None
    max_duration_s: float
    seed: int
    gui: bool = False
    extra: Sequence[str] = ()


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
    columns: list[tuple[int, float, float, float, int, float, int, int, bool]] = field(default_factory=list)


class TraciSource:
    """Frames from a running SUMO.

    Parameters
    ----------
    sumo, network, route_file, command
        The installation, what it loads and how.
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
        network: NetworkSource,
        route_file: Path | None,
        command: Command,
        edges: Mapping[str, int],
        length_m: np.ndarray[Any, np.dtype[np.float64]],
        progress: Progress,
    ) -> None:
        self.roster = Roster()
        self._sumo = sumo
        self._network = network
        self._route_file = route_file
        self._command = command
        self._edges = edges
        self._length_m = length_m
        self._progress = progress
        self._followed: dict[str, _Vehicle] = {}
        self._colliding: set[str] = set()
        self._own_trips = route_file is not None and not network.route_files

    def frames(self) -> Iterator[Frame]:
        """Start SUMO, yield a frame a step until all vehicles have arrived or time is up, and end SUMO.

        Raises
        ------
        ToolError
            If SUMO ends before its time; the text quotes its last lines.
        """
        with tempfile.TemporaryDirectory(prefix="msmf-traci-") as name:
            folder = Path(name)
            log = folder / "sumo.log"
            with log.open("wb") as output:
                self._time_s = 0.0
                process, connection = self._start(folder, output, log)
                try:
                    yield from self._drive(connection)
                    connection.close()
                except (traci.TraCIException, traci.FatalTraCIError, OSError) as error:
                    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
                        raise
                    raise ToolError(
                        f"SUMO stopped at {self._time_s:g} s of simulated time: {self._reason(log, error)}; no tables were written"
                    ) from None
                finally:
                    process.kill()
                    process.wait()

    def _start(self, folder: Path, output: Any, log: Path) -> tuple[subprocess.Popen[bytes], Any]:
        from sumolib.miscutils import getFreeSocketPort

        port = getFreeSocketPort()
        command = [*self._arguments(folder), "--remote-port", str(port)]
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self._sumo.environment, start_new_session=True
        )
        try:
            # the client prints each of its attempts
            with contextlib.redirect_stdout(io.StringIO()):
                return process, traci.connect(port, CONNECT_TRIES, "localhost", process, CONNECT_WAIT_S)
        except (traci.TraCIException, traci.FatalTraCIError, OSError) as error:
            process.kill()
            process.wait()
            raise ToolError(f"SUMO did not start: {self._reason(log, error)}; no tables were written") from None
        except BaseException:
            process.kill()
            process.wait()
            raise

    def _arguments(self, folder: Path) -> list[str]:
        command = self._command
        arguments = [self._sumo.program("sumo-gui" if command.gui else "sumo")]
        options = {"--no-step-log": "true", "--duration-log.disable": "true", "--seed": str(command.seed)}
        if self._network.sumocfg_file is not None:
            options["--configuration-file"] = str(self._network.sumocfg_file)
        else:
            options["--net-file"] = str(self._network.net_file)
            options["--time-to-teleport"] = "-1"
            options["--collision.action"] = "warn"
            routes = [self._route_file] if self._own_trips else list(self._network.route_files)
            options["--route-files"] = ",".join(str(path) for path in routes)
        if self._own_trips:
            types = folder / "types.add.xml"
            types.write_text(self._vehicle_type(), encoding="utf-8")
            options["--additional-files"] = str(types)
        if command.step_s is not None:
            options["--step-length"] = repr(command.step_s)
        if command.gui:
            options |= {"--start": "true", "--quit-on-end": "true"}
        given = {word.split("=")[0] for word in command.extra}
        for name, value in options.items():
            if name not in given:
                arguments += [name, value]
        return [*arguments, *command.extra]

    def _vehicle_type(self) -> str:
        factor = FREE_SPEED_FACTOR if self._command.mode != "legal" else 1.0
        speed = f'maxSpeed="{self._command.speed_mps!r}" ' if self._command.speed_mps is not None else ""
        return (
            f'<additional>\n  <vType id="{VEHICLE_TYPE}" vClass="passenger" {speed}speedFactor="{factor!r}" speedDev="0"/>\n</additional>\n'
        )

    def _drive(self, connection: Any) -> Iterator[Frame]:
        connection.simulation.subscribe(SIMULATION_VARIABLES)
        end_s = connection.simulation.getTime() + self._command.max_duration_s
        configured_end_s = connection.simulation.getEndTime()
        if configured_end_s >= 0:
            end_s = min(end_s, configured_end_s)
        before: _Step | None = None
        while True:
            connection.simulationStep()
            seen = connection.simulation.getSubscriptionResults()
            self._time_s = round(seen[tc.VAR_TIME], 6)
            arrived = set(seen[tc.VAR_ARRIVED_VEHICLES_IDS])
            self._count(seen)
            if before is not None:
                yield self._frame(before, arrived)
            for name in arrived & self._followed.keys():
                del self._followed[name]
                self.roster.counts.arrived += 1
            self._admit(connection, [name for name in seen[tc.VAR_DEPARTED_VEHICLES_IDS] if name not in arrived])
            before = self._read(connection)
            self._progress(self._time_s, len(before.names), seen[tc.VAR_MIN_EXPECTED_VEHICLES])
            if seen[tc.VAR_MIN_EXPECTED_VEHICLES] == 0 or self._time_s >= end_s:
                break
        yield self._frame(before, set(before.names))
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
            self._followed[name] = _Vehicle(len(self.roster.vehicles), connection.vehicle.getRouteID(name), len(self.roster.routes))
            self.roster.vehicles.append(name)
            self.roster.routes.append(route)
            self.roster.counts.inserted += 1

    def _command_speed(self, connection: Any, name: str) -> None:
        speed_mps = self._command.speed_mps
        if speed_mps is None:
            return
        if not self._own_trips:
            connection.vehicle.setMaxSpeed(name, speed_mps)
            connection.vehicle.setSpeedFactor(name, 1.0 if self._command.mode == "legal" else FREE_SPEED_FACTOR)
        if self._command.mode == "forced":
            connection.vehicle.setSpeedMode(name, NO_CHECKS)
            connection.vehicle.setSpeed(name, speed_mps)

    def _edge_numbers(self, names: Sequence[str]) -> IntArray:
        return np.array([self._edges.get(name, NO_EDGE) for name in names], dtype=np.int64)

    def _read(self, connection: Any) -> _Step:
        results = connection.vehicle.getAllSubscriptionResults()
        step = _Step(self._time_s, list(self._followed))
        for name, vehicle in self._followed.items():
            seen = results.get(name)
            if seen is None or seen[tc.VAR_ROAD_ID] == "":
                vehicle.speed_mps = 0.0  # being teleported
            else:
                self._update(connection, name, vehicle, seen)
            step.columns.append(
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
            vehicle.route = len(self.roster.routes)
            self.roster.routes.append(self._edge_numbers(connection.vehicle.getRoute(name)))
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

    def _frame(self, step: _Step, arrived: set[str]) -> Frame:
        number, x, y, speed, edge, position, route, index, new = zip(*step.columns, strict=True) if step.columns else ((),) * 9
        return Frame(
            time_s=step.time_s,
            vehicle=np.array(number, dtype=np.int64),
            x_m=rounded(list(x)),
            y_m=rounded(list(y)),
            speed_mps=rounded(list(speed)),
            edge=np.array(edge, dtype=np.int64),
            position_m=rounded(list(position)),
            route=np.array(route, dtype=np.int64),
            route_index=np.array(index, dtype=np.int64),
            first=np.array(new, dtype=bool),
            last=np.array([name in arrived for name in step.names], dtype=bool),
        )

    def _reason(self, log: Path, error: Exception) -> str:
        text = log.read_text(encoding="utf-8", errors="replace")
        return last_lines(text) if text.strip() else str(error)


def check_extra_arguments(extra: Sequence[str]) -> None:
    """Refuse what would break the reading of SUMO.

    Raises
    ------
    InputError
        If an argument is no option or value of one.
    """
    if extra and not extra[0].startswith("-"):
        raise InputError(
            f"mobility.sumo_args: {extra[0]} is no option of SUMO; begin with one, e.g. mobility.sumo_args=[--step-method.ballistic]"
        )
