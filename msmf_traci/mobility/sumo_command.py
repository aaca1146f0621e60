"""How SUMO is called: what it loads, how it is run, and the words of its command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.scenario.network_source import NetworkSource
from msmf_traci.scenario.sumo_tools import last_lines
from msmf_traci.scenario.trips import VEHICLE_TYPE

FREE_SPEED_FACTOR = 10.0  # lifts every speed limit above the commanded speed and keeps the junction rules


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


def routes_are_fixed(load: Load, command: Command) -> bool:
    """Whether every vehicle surely keeps its route: trips of ours, and no option that could reroute them."""
    return load.trip_file is not None and not command.extra


def command_line(load: Load, command: Command, folder: Path) -> list[str]:
    """SUMO's options; the user's own take the place of ours.

    Parameters
    ----------
    load, command
        What is loaded and how it is run.
    folder
        Where to write what only this run needs.
    """
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
    return [*ours, *command.extra]


def why_not_started(command: Command, reason: str) -> str:
    """The sentence on a SUMO that did not start."""
    doubt = f" (mobility.sumo_args={list(command.extra)})" if command.extra else ""
    return f"SUMO did not start{doubt}: {reason}; no tables were written"


def why_stopped(time_s: float, reason: str) -> str:
    """The sentence on a SUMO that ended before its time."""
    return f"SUMO stopped at {time_s:g} s of simulated time: {reason}; no tables were written"


def last_words(log: Path, error: Exception) -> str:
    """What SUMO said last, in its log or in the error that it raised."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return last_lines(text) if text.strip() else " ".join(str(error).split())


def _vehicle_type(command: Command) -> str:
    """The type of our trips' vehicles: their commanded speed, and whether speed limits bind."""
    factor = FREE_SPEED_FACTOR if command.mode != "legal" else 1.0
    speed = f'maxSpeed="{command.speed_mps!r}" ' if command.speed_mps is not None else ""
    return f'<routes>\n  <vType id="{VEHICLE_TYPE}" vClass="passenger" {speed}speedFactor="{factor!r}" speedDev="0"/>\n</routes>\n'
