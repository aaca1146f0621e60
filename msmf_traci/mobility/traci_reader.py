"""Reads SUMO over TraCI: a process of its own that answers a subscription a step, one answer for all vehicles."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import traci
import traci.constants as tc
from sumolib.miscutils import getFreeSocketPort

from msmf_traci.errors import ToolError
from msmf_traci.mobility.following import NOT_ON_ROAD, Reading
from msmf_traci.mobility.sumo import Events
from msmf_traci.mobility.sumo_command import Command, Load, command_line, last_words, routes_are_fixed, why_not_started, why_stopped
from msmf_traci.orphans import end_with_parent
from msmf_traci.scenario.sumo_tools import Sumo
from msmf_traci.scratch import temporary_folder

CONNECT_WAIT_S = 0.05
CONNECT_TRIES = 12_000
VEHICLE_VARIABLES = (tc.VAR_POSITION, tc.VAR_SPEED, tc.VAR_ROAD_ID, tc.VAR_LANEPOSITION, tc.VAR_ROUTE_INDEX)
SIMULATION_VARIABLES = (
    tc.VAR_TIME,
    tc.VAR_DEPARTED_VEHICLES_IDS,
    tc.VAR_ARRIVED_VEHICLES_IDS,
    tc.VAR_MIN_EXPECTED_VEHICLES,
    tc.VAR_TELEPORT_STARTING_VEHICLES_NUMBER,
    tc.VAR_COLLIDING_VEHICLES_IDS,
)
# a vehicle of which SUMO says nothing
_ABSENT = {
    tc.VAR_POSITION: (0.0, 0.0),
    tc.VAR_SPEED: 0.0,
    tc.VAR_ROAD_ID: NOT_ON_ROAD,
    tc.VAR_LANEPOSITION: 0.0,
    tc.VAR_ROUTE_INDEX: 0,
    tc.VAR_ROUTE_ID: "",
}


class TraciReader:
    """One connection to a running SUMO."""

    def __init__(self, connection: Any, *, reads_routes: bool) -> None:
        self.simulation = connection.simulation
        self.vehicle = connection.vehicle
        self._step = connection.simulationStep
        self.reads_routes = reads_routes
        self._variables = (*VEHICLE_VARIABLES, tc.VAR_ROUTE_ID) if reads_routes else VEHICLE_VARIABLES
        self._rows: list[dict[int, Any]] = []
        self.simulation.subscribe(SIMULATION_VARIABLES)

    def step(self) -> Events:
        """Drive one step."""
        self._step()
        seen = self.simulation.getSubscriptionResults()
        return Events(*(seen[variable] for variable in SIMULATION_VARIABLES))

    def follow(self, name: str) -> None:
        """Read this vehicle from now on."""
        self.vehicle.subscribe(name, self._variables)

    def read(self, names: Sequence[str]) -> Reading:
        """Read all followed vehicles."""
        results = self.vehicle.getAllSubscriptionResults()
        rows = self._rows = [results.get(name, _ABSENT) for name in names]
        return Reading(
            [row[tc.VAR_POSITION] for row in rows],
            [row[tc.VAR_SPEED] for row in rows],
            [row[tc.VAR_ROAD_ID] for row in rows],
            [row[tc.VAR_LANEPOSITION] for row in rows],
            [row[tc.VAR_ROUTE_ID] for row in rows] if self.reads_routes else None,
        )

    def route_index(self, k: int) -> int:
        """Index on its route of the k-th vehicle read."""
        return int(self._rows[k][tc.VAR_ROUTE_INDEX])


@contextmanager
def running_traci(sumo: Sumo, load: Load, command: Command, clock: list[float]) -> Iterator[TraciReader]:
    """Start SUMO and give a reader; SUMO is gone afterwards, whatever happens.

    Parameters
    ----------
    sumo, load, command
        The installation, what it loads and how it is run.
    clock
        One number: the simulated time reached, for the text of a failure.

    Raises
    ------
    ToolError
        If SUMO does not start or ends before its time; the text quotes its last lines.
    """
    with temporary_folder() as folder:
        log = folder / "sumo.log"
        with log.open("wb") as output:
            port = getFreeSocketPort()
            program = sumo.program("sumo-gui" if command.gui else "sumo")
            process = subprocess.Popen(
                [program, *command_line(load, command, folder), "--remote-port", str(port)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=sumo.environment,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
            try:
                connection = _connect(port, process, log, command)
                try:
                    yield TraciReader(connection, reads_routes=not routes_are_fixed(load, command))
                    connection.close()
                except (traci.TraCIException, traci.FatalTraCIError, ConnectionError) as error:
                    raise ToolError(why_stopped(clock[0], _last_words(log, error, process))) from None
            finally:
                process.kill()
                process.wait()


def _connect(port: int, process: subprocess.Popen[bytes], log: Path, command: Command) -> Any:
    try:
        # the client prints each of its attempts
        with contextlib.redirect_stdout(io.StringIO()):
            return traci.connect(port, CONNECT_TRIES, "localhost", process, CONNECT_WAIT_S)
    except (traci.TraCIException, traci.FatalTraCIError, OSError) as error:
        raise ToolError(why_not_started(command, _last_words(log, error, process))) from None


def _last_words(log: Path, error: Exception, process: subprocess.Popen[bytes]) -> str:
    """What SUMO said last; where it ended without a word, what ended it."""
    ended = process.poll()
    if log.read_bytes().strip() or ended is None:
        return last_words(log, error)
    return f"it was ended by {signal.Signals(-ended).name}" if ended < 0 else f"it ended with exit code {ended} and said nothing"
