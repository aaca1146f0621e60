"""Where a run's frames come from: a recording that fits, SUMO in this process, SUMO over TraCI, or a file of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.experiment.gps_origin import open_traces
from msmf_traci.experiment.options import command_options
from msmf_traci.experiment.preparation import City, Inputs
from msmf_traci.mobility.fcd import FcdSource, TraceMap
from msmf_traci.mobility.frame import DECIMALS, MobilitySource
from msmf_traci.mobility.junctions import edges_after_junctions
from msmf_traci.mobility.pass_key import PassKey, pass_key
from msmf_traci.mobility.recording import RecordedNetwork, Recorder, RecordingSource
from msmf_traci.mobility.route_file import read_routes
from msmf_traci.mobility.sumo import Progress, Running, SumoSource
from msmf_traci.mobility.sumo_command import Command, Load, files_asked_for
from msmf_traci.results.console import counted, say
from msmf_traci.scenario.content_cache import build_once, file_hash, find_built
from msmf_traci.scenario.sumo_files import places_of
from msmf_traci.scenario.sumo_tools import Warned
from msmf_traci.sumo_python import has_sumo_package
from msmf_traci.version import VERSION

RECORDINGS = "recordings"
RECORDING_FILE = "pass.msmf"
SUMO_FOLDER = "sumo"  # of a run: what SUMO itself was asked to write
KINDS_SHOWN = 3


@dataclass
class Origin:
    """Where frames come from.

    Attributes
    ----------
    source
        Yields them.
    facts
        What run.json says of it.
    commanded_kmh
        Commanded speed of the vehicles; None where nobody commands it.
    """

    source: MobilitySource
    facts: dict[str, Any] = field(default_factory=dict)
    commanded_kmh: float | None = None


def open_source(config: Config, inputs: Inputs, city: City, trip_file: Path | None, progress: Progress, scratch: Path) -> Origin:
    """The source that `mobility.source` asks for; with `auto` a recording if one fits, else SUMO.

    Parameters
    ----------
    config, inputs, city
        The configuration and what it stands on.
    trip_file
        Random trips of ours; None where the routes are the user's own.
    progress
        Called at each step of SUMO.
    scratch
        The run's folder, where SUMO writes what it is asked to write.

    Raises
    ------
    InputError
        If the recording asked for is not there, is damaged, or does not fit.
    """
    mobility = config.mobility
    if mobility.source == "gps":
        return Origin(*open_traces(config, city))
    network = RecordedNetwork(city.roads.digest(), {name: number for number, name in enumerate(city.roads.ids)}, str(city.net_file))
    if mobility.recording_file is not None:
        return _replay(Path(mobility.recording_file).expanduser(), network)
    if mobility.fcd_file is not None:
        return _read_trace(Path(mobility.fcd_file).expanduser(), config, inputs, city, network)
    load, command = Load(inputs.network, trip_file), command_options(config, inputs.sumo_options)
    identity = pass_key(inputs.sumo.version, load, command)
    if mobility.source == "recording":
        return _replay(_recorded(identity), network)
    if mobility.source == "auto" and identity.key is not None and not identity.writes:
        folder = find_built(RECORDINGS, identity.key)
        if folder is not None:
            return _replay(folder / RECORDING_FILE, network)
    return _drive(config, inputs, city, network, load, command, identity, progress, scratch / SUMO_FOLDER)


def _drive(
    config: Config,
    inputs: Inputs,
    city: City,
    network: RecordedNetwork,
    load: Load,
    command: Command,
    identity: PassKey,
    progress: Progress,
    outputs: Path,
) -> Origin:
    """Frames of a running SUMO, recorded where it is known what they follow from."""
    name, running = _live(config)
    facts: dict[str, Any] = {"source": name, "recording": None, **_said_beforehand(load, command)}
    made: dict[str, Any] = {
        "msmf-traci": VERSION,
        "sumo": inputs.sumo.version,
        "source": name,
        "seed": config.seed,
        **{option: getattr(config.mobility, option) for option in ("speed_kmh", "speed_mode", "step_s", "max_duration_s")},
    }

    def warned(warnings: Sequence[Warned]) -> None:
        facts["sumo_warnings"] = [asdict(each) for each in warnings]
        if warnings:
            made["sumo_warnings"] = _warnings_line(warnings)
            say(made["sumo_warnings"])

    live = SumoSource(running, inputs.sumo, load, command, network.edges, city.roads.length_m, progress, outputs, warned)
    if identity.key is None:
        facts["not_recorded"] = identity.why_none
        return Origin(live, facts, config.mobility.speed_kmh)
    about = {"key": identity.key, "roads": network.digest, "made": made}
    recorder = Recorder(live, city.roads.ids, about, partial(_keep, identity.key, facts))
    return Origin(recorder, facts, config.mobility.speed_kmh)


def _said_beforehand(load: Load, command: Command) -> dict[str, Any]:
    """What is done with the user's files, said; the places of SUMO's outputs, for run.json."""
    asked = files_asked_for(load, command)
    for path in asked.unsorted:
        say(f"{path} is not in the order of departure, so all its vehicles are loaded before SUMO begins")
    if not asked.outputs:
        return {}
    names = places_of(asked.outputs)
    say(f"SUMO writes to the folder {SUMO_FOLDER} of the run: {', '.join(sorted(set(names.values())))}")
    return {"sumo_outputs": {f"{SUMO_FOLDER}/{names[output.path]}": f"{output.what} {output.path}" for output in asked.outputs}}


def _warnings_line(warnings: Sequence[Warned]) -> str:
    """A line on what SUMO warned of."""
    number = sum(each.number for each in warnings)
    kinds = [each.first if each.number == 1 else f"{each.first} (and {each.number - 1} more like it)" for each in warnings[:KINDS_SHOWN]]
    rest = len(warnings) - len(kinds)
    more = f"; {counted(rest, 'other kind')} in run.json" if rest else ""
    return f"SUMO gave {counted(number, 'warning')}: {'; '.join(kinds)}{more}"


def _live(config: Config) -> tuple[str, Running]:
    """Name of the way in which SUMO is driven, and how; each is imported only when it is needed."""
    from msmf_traci.mobility.libsumo_reader import running_libsumo
    from msmf_traci.mobility.traci_reader import running_traci

    mobility = config.mobility
    fits_libsumo = not mobility.gui and mobility.sumo_home is None and has_sumo_package("libsumo")
    if mobility.source == "libsumo" or (mobility.source == "auto" and fits_libsumo):
        return "libsumo", running_libsumo
    return "traci", running_traci


def _recorded(identity: PassKey) -> Path:
    if identity.key is None:
        raise InputError(
            f"mobility.source=recording: a pass like this one is never recorded ({identity.why_none}); "
            "give mobility.recording_file, or set mobility.source=auto"
        )
    folder = find_built(RECORDINGS, identity.key)
    if folder is None:
        raise InputError(
            "mobility.source=recording: there is no recording of this pass yet (with the same network, routes, seed, speed and so on); "
            "run it once with mobility.source=auto, or give mobility.recording_file"
        )
    return folder / RECORDING_FILE


def _replay(path: Path, network: RecordedNetwork) -> Origin:
    source = RecordingSource(path, network)
    if source.made.get("sumo_warnings"):
        say(f"when this pass was recorded, {source.made['sumo_warnings']}")
    facts = {"source": "recording", "recording": _file_facts(path), "recorded_with": dict(source.made)}
    return Origin(source, facts, source.commanded_kmh)


def _read_trace(path: Path, config: Config, inputs: Inputs, city: City, network: RecordedNetwork) -> Origin:
    """Frames of an FCD file; what is coarser than a live run is said."""
    trace_map = TraceMap(network.edges, city.roads.length_m, edges_after_junctions(city.net_file), city.roads.boundary_m, network.name)
    route_files = inputs.network.route_files
    departures = read_routes(route_files, network.edges) if route_files else None
    source = FcdSource(path, trace_map, departures, config.mobility.step_s, config.mobility.max_duration_s)
    coarser = []
    if source.decimals < DECIMALS:
        coarser.append(f"it has {source.decimals} decimals (write it with --precision {DECIMALS})")
    if source.is_single_precision:
        coarser.append("its speeds and positions are 32-bit floats (write CSV or XML)")
    if departures is None:
        coarser.append("without scenario.route_file, the edges that a vehicle is seen on count as its route")
    elif source.off_route:
        coarser.append(
            f"{counted(source.off_route, 'vehicle')} had no route, or left it: the edges that they are seen on count as their routes"
        )
    for reason in coarser:
        say(f"{path.name} is coarser than a live run: {reason}")
    facts = {"source": "fcd", "fcd": _file_facts(path), "decimals": source.decimals, "coarser": coarser}
    return Origin(source, facts, config.mobility.speed_kmh)


def _keep(key: str, facts: dict[str, Any], write: Callable[[Path], None]) -> None:
    """Put a recording into the cache; a cache that cannot be written loses the recording and not the run."""
    try:
        folder = build_once(RECORDINGS, key, lambda folder: write(folder / RECORDING_FILE))
        facts["recording"] = _file_facts(folder / RECORDING_FILE)
    except InputError as error:
        say(f"this pass is not recorded: {error}")
        facts["not_recorded"] = str(error)


def _file_facts(path: Path) -> Mapping[str, Any]:
    return {"file": str(path), "sha256": file_hash(path), "bytes": path.stat().st_size}
