"""Reads SUMO over TraCI: a process of its own that answers a subscription a step, one answer for all vehicles."""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msmf_traci.errors import ToolError
from msmf_traci.mobility.following import NOT_ON_ROAD, Reading
from msmf_traci.mobility.sumo import Events, Session
from msmf_traci.mobility.sumo_command import Command, Load, configure, last_words, routes_are_fixed, why_not_started, why_stopped
from msmf_traci.mobility.watch import IDLE_S, LOOK_S, ProcessEnded, Watch
from msmf_traci.orphans import end_with_parent
from msmf_traci.scenario.sumo_tools import Sumo, warnings_in
from msmf_traci.scratch import temporary_folder
from msmf_traci.sumo_python import sumo_package

sumo_package("sumolib")  # the client of SUMO needs it
traci = sumo_package("traci")
tc = traci.constants
_Connection: Any = traci.connection.Connection

HOST = "127.0.0.1"  # the address itself: a minimal system may know no name for it
CONNECT_WAIT_S = 0.05
PORTS = 8  # tried one after the other where others take them
_FAILURES = (traci.TraCIException, traci.FatalTraCIError, OSError)
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


class WatchedConnection(_Connection):  # type: ignore[misc]
    """A connection that waits for an answer only as long as SUMO works on it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], watch: Watch) -> None:
        self._watch = watch
        super().__init__(HOST, port, process, None, False)

    def _recvExact(self) -> Any:  # noqa: N802 - the name is the library's
        self._watch.begin()
        while not select.select([self._socket], [], [], LOOK_S)[0]:
            self._watch.look()
        return super()._recvExact()


@contextmanager
def running_traci(sumo: Sumo, load: Load, command: Command, session: Session) -> Iterator[TraciReader]:
    """Start SUMO and give a reader; SUMO is gone afterwards, whatever happens.

    Parameters
    ----------
    sumo, load, command
        The installation, what it loads and how it is run.
    session
        Where outputs go; told the warnings at the end.

    Raises
    ------
    ToolError
        If SUMO does not start, ends before its time, or waits for something; the text quotes its last lines.
    """
    with temporary_folder() as folder:
        configuration = configure(load, command, folder, session.outputs)
        log = folder / "sumo.log"
        process, connection = _start(sumo, command, configuration, log)
        try:
            yield TraciReader(connection, reads_routes=not routes_are_fixed(load, command))
            connection.close(False)
            _wait_for_end(process, command)
        except (*_FAILURES, ProcessEnded) as error:
            raise ToolError(why_stopped(session.time_s, _last_words(log, error, process))) from None
        finally:
            _end(process)
        with log.open(encoding="utf-8", errors="replace") as lines:
            session.warnings = warnings_in(lines)


def _start(sumo: Sumo, command: Command, configuration: Path, log: Path) -> tuple[subprocess.Popen[bytes], WatchedConnection]:
    """Start SUMO on a port that nobody else answers on, and connect to it."""
    program = sumo.program("sumo-gui" if command.gui else "sumo")
    for _ in range(PORTS):
        with _free_port() as port, log.open("wb") as output:
            process = subprocess.Popen(
                [program, "--configuration-file", str(configuration), "--remote-port", str(port)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=sumo.environment,
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
            try:
                connection = _connect(port, process, configuration, _watch(process, command))
                if connection is not None:
                    return process, connection
            except (*_FAILURES, ProcessEnded) as error:
                if not _lost_its_port(process, log):
                    raise ToolError(why_not_started(command, _last_words(log, error, process))) from None
            except BaseException:
                _end(process)
                raise
            _end(process)
    raise ToolError(why_not_started(command, f"{PORTS} ports, one after the other, were taken by other programs; try again"))


def _connect(port: int, process: subprocess.Popen[bytes], configuration: Path, watch: Watch) -> WatchedConnection | None:
    """Connect to SUMO once it listens; None where the SUMO that answers is somebody else's."""
    while True:
        try:
            connection = WatchedConnection(port, process, watch)
            break
        except ConnectionError:
            watch.look()
            time.sleep(CONNECT_WAIT_S)
    if connection.simulation.getOption("configuration-file") == str(configuration):
        return connection
    return None


@contextmanager
def _free_port() -> Iterator[int]:
    """A free port, which no other run is given meanwhile: it is held, in a way that still lets SUMO listen on it."""
    with socket.socket() as holder:
        if os.name == "posix":
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("", 0))
        port = int(holder.getsockname()[1])
        if os.name != "posix":  # there it would keep SUMO out
            holder.close()
        yield port


def _lost_its_port(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether another program has SUMO's port or has connected to it, seen from a connection that failed.

    A SUMO that still goes is not the one that broke the connection off: that was another run's.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(LOOK_S)
    return process.poll() is None or b"tcpip::Socket" in log.read_bytes()


def _watch(process: subprocess.Popen[bytes], command: Command) -> Watch:
    """Watches SUMO; a person in front of sumo-gui may take all the time there is."""
    return Watch(process, math.inf if command.gui else IDLE_S)


def _wait_for_end(process: subprocess.Popen[bytes], command: Command) -> None:
    """Let SUMO write what it was asked to write."""
    watch = _watch(process, command)
    with contextlib.suppress(ProcessEnded):
        while True:
            watch.look()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_S)
    if process.returncode != 0:
        raise ProcessEnded


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _last_words(log: Path, error: Exception, process: subprocess.Popen[bytes]) -> str:
    """What SUMO said last; where it ended without a word, what ended it."""
    ended = process.poll()
    if log.read_bytes().strip() or ended is None:
        return last_words(log, error)
    return f"it was ended by {signal.Signals(-ended).name}" if ended < 0 else f"it ended with exit code {ended} and said nothing"
