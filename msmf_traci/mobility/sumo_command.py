"""How SUMO is called: what it loads, how it is run, and the configuration that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msmf_traci.scenario.network_source import NetworkSource
from msmf_traci.scenario.sumo_files import SumoFiles, files_of, redirected
from msmf_traci.scenario.sumo_options import write_configuration
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
        More of SUMO's own options, by SUMO's names.
    """

    speed_mps: float | None
    mode: str
    step_s: float | None
    max_duration_s: float
    seed: int
    gui: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


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


def options_asked_for(load: Load, command: Command) -> dict[str, str]:
    """What SUMO is told, by its own names, before outputs are led elsewhere: the user's own options take the place of ours."""
    ours = {"no-step-log": "true", "duration-log.disable": "true", "seed": str(command.seed)}
    if load.network.options is not None:
        options = {**load.network.options, **ours}
    else:
        routes = load.network.route_files if load.trip_file is None else (load.trip_file,)
        options = {"net-file": str(load.network.net_file), "route-files": ",".join(str(path.absolute()) for path in routes), **ours}
        options |= {"time-to-teleport": "-1", "collision.action": "warn"}
    if command.step_s is not None:
        options["step-length"] = repr(command.step_s)
    if command.gui:
        options |= {"start": "true", "quit-on-end": "true"}
    return {**options, **command.extra}


def files_asked_for(load: Load, command: Command) -> SumoFiles:
    """What SUMO reads and writes, without a network of ours: its key says what it is, and it names no files."""
    options = options_asked_for(load, command)
    if load.network.build is not None:
        del options["net-file"]
    return files_of(options)


def configure(load: Load, command: Command, folder: Path, outputs: Path) -> Path:
    """Write the .sumocfg of a run, and the files that only this run needs.

    Parameters
    ----------
    load, command
        What is loaded and how it is run.
    folder
        Where to write.
    outputs
        Where SUMO is to write what it was asked for; made if there is anything.

    Returns
    -------
    The configuration; SUMO, asked for its option `configuration-file`, says by it whose it is.
    """
    options = options_asked_for(load, command)
    found = files_asked_for(load, command)
    led_to = folder.resolve() / "outputs"  # its path has no comma, at which SUMO would part it; names of runs may have some
    if found.outputs:
        outputs.mkdir(exist_ok=True)
        led_to.symlink_to(outputs.absolute(), target_is_directory=True)
    if found.unsorted:
        # SUMO leaves out vehicles that come too late in a file, unless it loads all of them before it begins
        options["route-steps"] = "0"
    options = redirected(options, found, folder, led_to)
    if load.trip_file is not None:
        types = folder / "types.rou.xml"
        types.write_text(_vehicle_type(command), encoding="utf-8")
        options["route-files"] = f"{types},{options['route-files']}"
    configuration = folder.resolve() / "run.sumocfg"
    write_configuration(options, configuration)
    return configuration


def why_not_started(command: Command, reason: str) -> str:
    """The sentence on a SUMO that did not start."""
    doubt = f" (with {', '.join(f'--{name} {value}' for name, value in command.extra.items())})" if command.extra else ""
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
