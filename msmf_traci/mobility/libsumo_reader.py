"""Reads SUMO as a library in this process (libsumo): plain getters, no socket; one simulation at a time."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from msmf_traci.errors import InputError, ToolError
from msmf_traci.mobility.following import NOT_ON_ROAD, Reading
from msmf_traci.mobility.sumo import Events, Session
from msmf_traci.mobility.sumo_command import Command, Load, configure, last_words, routes_are_fixed, why_not_started, why_stopped
from msmf_traci.scenario.sumo_tools import Sumo, warnings_in
from msmf_traci.scratch import temporary_folder
from msmf_traci.sumo_python import sumo_package

HOW_TO_INSTALL = "pip install 'msmf-traci[libsumo]'"
_CONSOLE = (1, 2)  # file descriptors that SUMO's library prints to


# a vehicle of which SUMO says nothing
_ABSENT = Reading([(0.0, 0.0)], [0.0], [NOT_ON_ROAD], [0.0], [""])


class LibsumoReader:
    """The simulation in this process."""

    def __init__(self, libsumo: Any, console: _Console, *, reads_routes: bool) -> None:
        self.simulation = libsumo.simulation
        self.vehicle = libsumo.vehicle
        self._step = libsumo.simulation.step
        self._console = console
        self.reads_routes = reads_routes
        self._unknown = libsumo.TraCIException
        self._names: Sequence[str] = ()

    def step(self) -> Events:
        """Drive one step."""
        self._console.take()
        try:
            self._step()
        finally:
            self._console.give_back()
        now = self.simulation
        return Events(
            now.getTime(),
            now.getDepartedIDList(),
            now.getArrivedIDList(),
            now.getMinExpectedNumber(),
            now.getStartingTeleportNumber(),
            now.getCollidingVehiclesIDList(),
        )

    def follow(self, name: str) -> None:
        """Read this vehicle from now on: nothing has to be asked for."""

    def read(self, names: Sequence[str]) -> Reading:
        """Read all followed vehicles."""
        self._names = names
        vehicle = self.vehicle
        position, speed, road, lane_position = vehicle.getPosition, vehicle.getSpeed, vehicle.getRoadID, vehicle.getLanePosition
        try:
            return Reading(
                [position(name) for name in names],
                [speed(name) for name in names],
                [road(name) for name in names],
                [lane_position(name) for name in names],
                [vehicle.getRouteID(name) for name in names] if self.reads_routes else None,
            )
        except self._unknown:
            left = self._read_what_is_left(names)
            self._names = names
            return left

    def _read_what_is_left(self, names: Sequence[str]) -> Reading:
        """Read vehicles some of which SUMO has taken away without their arrival."""
        left = set(self.vehicle.getLoadedIDList())
        rows = [self.read([name]) if name in left else _ABSENT for name in names]
        return Reading(
            [row.xy_m[0] for row in rows],
            [row.speed_mps[0] for row in rows],
            [row.road[0] for row in rows],
            [row.position_m[0] for row in rows],
            [row.route_id[0] if row.route_id else "" for row in rows] if self.reads_routes else None,
        )

    def route_index(self, k: int) -> int:
        """Index on its route of the k-th vehicle read."""
        return int(self.vehicle.getRouteIndex(self._names[k]))


class _Console:
    """Leads what SUMO's library prints, below Python, from the terminal to a log."""

    def __init__(self, log: int) -> None:
        self._log = log
        self._kept = [os.dup(number) for number in _CONSOLE]

    def take(self) -> None:
        """From now on the log."""
        for number in _CONSOLE:
            os.dup2(self._log, number)

    def give_back(self) -> None:
        """From now on the terminal again."""
        for number, kept in zip(_CONSOLE, self._kept, strict=True):
            os.dup2(kept, number)

    def close(self) -> None:
        """Let go of what was kept."""
        for kept in self._kept:
            os.close(kept)


@contextmanager
def running_libsumo(sumo: Sumo, load: Load, command: Command, session: Session) -> Iterator[LibsumoReader]:
    """Load the simulation into this process and give a reader; it is unloaded afterwards, whatever happens.

    Parameters
    ----------
    sumo, load, command
        The installation, what it loads and how it is run.
    session
        Where outputs go; told the warnings at the end.

    Raises
    ------
    InputError
        If libsumo is missing or of another release.
    ToolError
        If SUMO does not start or ends before its time; the text quotes its last lines.
    """
    with temporary_folder() as folder, _environment_of(sumo):
        libsumo = import_libsumo()
        failures = (libsumo.TraCIException, libsumo.FatalTraCIError)
        configuration = configure(load, command, folder, session.outputs)
        log = folder / "sumo.log"
        with log.open("ab", buffering=0) as output, contextlib.closing(_Console(output.fileno())) as console:
            sys.stdout.flush()
            sys.stderr.flush()
            console.take()
            try:
                libsumo.simulation.start(["sumo", "--configuration-file", str(configuration)])
            except failures as error:
                _note(output, error)
                raise ToolError(why_not_started(command, last_words(log, error))) from None
            finally:
                console.give_back()
            try:
                yield LibsumoReader(libsumo, console, reads_routes=not routes_are_fixed(load, command))
            except failures as error:
                _note(output, error)
                raise ToolError(why_stopped(session.time_s, last_words(log, error))) from None
            finally:
                console.take()
                try:
                    libsumo.simulation.close()
                finally:
                    console.give_back()
        with log.open(encoding="utf-8", errors="replace") as lines:
            session.warnings = warnings_in(lines)


def _note(log: IO[bytes], error: Exception) -> None:
    """Add an error to the log, as SUMO's own program does where the library raises."""
    log.write(f"Error: {' '.join(str(error).split())}\n".encode())


def import_libsumo() -> Any:
    """The library, imported the first time it is needed.

    Raises
    ------
    InputError
        If it is missing, cannot be loaded or is of another release than SUMO.
    """
    try:
        # it prints a doubt about pyarrow, which it does not use for anything that is asked of it here
        with contextlib.redirect_stdout(io.StringIO()):
            libsumo = sumo_package("libsumo")
    except ImportError as error:
        raise InputError(f"libsumo cannot be loaded ({error}); run: {HOW_TO_INSTALL}, or set mobility.source=traci") from None
    return libsumo


@contextmanager
def _environment_of(sumo: Sumo) -> Iterator[None]:
    """Let the library find the data of its own release."""
    before = dict(os.environ)
    os.environ.update({name: sumo.environment[name] for name in ("SUMO_HOME", "PROJ_LIB", "PROJ_DATA")})
    try:
        yield
    finally:
        for name in ("SUMO_HOME", "PROJ_LIB", "PROJ_DATA"):
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)
