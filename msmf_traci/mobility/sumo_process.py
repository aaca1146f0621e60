"""A SUMO process under TraCI's control: how it is called, connected to, and ended, with its failure turned into a sentence."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import traci
from sumolib.miscutils import getFreeSocketPort

from msmf_traci.errors import ToolError
from msmf_traci.orphans import end_with_parent
from msmf_traci.scenario.build import NetworkSource
from msmf_traci.scenario.sumo_tools import Sumo, last_lines
from msmf_traci.scenario.trips import VEHICLE_TYPE
from msmf_traci.scratch import temporary_folder

FREE_SPEED_FACTOR = 10.0  # lifts every speed limit above the commanded speed and keeps the junction rules
CONNECT_WAIT_S = 0.05
CONNECT_TRIES = 12_000


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


@dataclass(frozen=True)
class Load:
    """What SUMO loads.

    Attributes
    ----------
    network
        The network, with routes or a .sumocfg of the user's own.
    trip_file
        Random trips of ours; None where routes are the user's own.
    """

    network: NetworkSource
    trip_file: Path | None


@contextmanager
def running_sumo(sumo: Sumo, load: Load, command: Command, clock: list[float]) -> Iterator[Any]:
    """Start SUMO and give the TraCI connection; SUMO is gone afterwards, whatever happens.

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
            process = subprocess.Popen(
                [*_arguments(sumo, load, command, folder), "--remote-port", str(port)],
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
                    yield connection
                    connection.close()
                except (traci.TraCIException, traci.FatalTraCIError, ConnectionError) as error:
                    raise ToolError(
                        f"SUMO stopped at {clock[0]:g} s of simulated time: {_reason(log, error, process)}; no tables were written"
                    ) from None
            finally:
                process.kill()
                process.wait()


def _connect(port: int, process: subprocess.Popen[bytes], log: Path, command: Command) -> Any:
    try:
        # the client prints each of its attempts
        with contextlib.redirect_stdout(io.StringIO()):
            return traci.connect(port, CONNECT_TRIES, "localhost", process, CONNECT_WAIT_S)
    except (traci.TraCIException, traci.FatalTraCIError, OSError) as error:
        doubt = f" (mobility.sumo_args={list(command.extra)})" if command.extra else ""
        raise ToolError(f"SUMO did not start{doubt}: {_reason(log, error, process)}; no tables were written") from None


def _arguments(sumo: Sumo, load: Load, command: Command, folder: Path) -> list[str]:
    """SUMO's command line; the user's own options take the place of ours."""
    options = {"--no-step-log": "true", "--duration-log.disable": "true", "--seed": str(command.seed)}
    if load.network.sumocfg_file is not None:
        options["--configuration-file"] = str(load.network.sumocfg_file)
    else:
        routes = list(load.network.route_files)
        if load.trip_file is not None:
            types = folder / "types.rou.xml"
            types.write_text(_vehicle_type(command), encoding="utf-8")
            routes = [types, load.trip_file]
        options["--net-file"] = str(load.network.net_file)
        options["--route-files"] = ",".join(str(path) for path in routes)
        options["--time-to-teleport"] = "-1"
        options["--collision.action"] = "warn"
    if command.step_s is not None:
        options["--step-length"] = repr(command.step_s)
    if command.gui:
        options |= {"--start": "true", "--quit-on-end": "true"}
    given = {word.split("=")[0] for word in command.extra}
    ours = [word for name, value in options.items() if name not in given for word in (name, value)]
    return [sumo.program("sumo-gui" if command.gui else "sumo"), *ours, *command.extra]


def _vehicle_type(command: Command) -> str:
    """The type of our trips' vehicles: their commanded speed, and whether speed limits bind."""
    factor = FREE_SPEED_FACTOR if command.mode != "legal" else 1.0
    speed = f'maxSpeed="{command.speed_mps!r}" ' if command.speed_mps is not None else ""
    return f'<routes>\n  <vType id="{VEHICLE_TYPE}" vClass="passenger" {speed}speedFactor="{factor!r}" speedDev="0"/>\n</routes>\n'


def _reason(log: Path, error: Exception, process: subprocess.Popen[bytes]) -> str:
    """Why SUMO has gone: its last words, else the signal that ended it, else what the client saw."""
    text = log.read_text(encoding="utf-8", errors="replace")
    if text.strip():
        return last_lines(text)
    ended = process.poll()
    if ended is None:
        return str(error)
    return f"it was ended by {signal.Signals(-ended).name}" if ended < 0 else f"it ended with exit code {ended} and said nothing"
