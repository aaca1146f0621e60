"""From a scenario's description to a network that SUMO can load, built once and cached by everything that went into it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import yaml

from msmf_traci.errors import InputError
from msmf_traci.input_file import input_file
from msmf_traci.scenario import osm
from msmf_traci.scenario.content_cache import build_once, cached_folder, content_key, file_hash
from msmf_traci.scenario.sumo_files import opened
from msmf_traci.scenario.sumo_options import Options, options_of_file
from msmf_traci.scenario.sumo_tools import Sumo, check_path, run_tool
from msmf_traci.scenario.synthetic import NETCONVERT_OPTIONS, CityParameters, write_city

NET_FILE = "network.net.xml"
CITY_SEED = 0  # the synthetic city is one city; what varies with a run's seed are its trips


@dataclass(frozen=True)
class NetworkSource:
    """A network that is there or can be built.

    Attributes
    ----------
    key
        Hash of everything that determines the network.
    net_file
        Where it is, or will be.
    source_file
        The map or parameters file it comes from, if any.
    build
        Makes it in an empty folder; None for a network of the user's own.
    route_files
        The user's own routes.
    sumocfg_file, options
        The user's own configuration of SUMO, and the options that it sets.
    """

    key: str
    net_file: Path
    source_file: Path | None = None
    build: Callable[[Path], None] | None = None
    route_files: tuple[Path, ...] = ()
    sumocfg_file: Path | None = None
    options: Options | None = None

    @property
    def is_built(self) -> bool:
        """Whether nothing has to be built."""
        return self.build is None or self.net_file.is_file()

    def ensure(self) -> Path:
        """The network's file, built now if need be."""
        return self.net_file if self.build is None else build_once("networks", self.key, NET_FILE, self.build) / NET_FILE


def synthetic_network(sumo: Sumo, parameters_file: str | None) -> NetworkSource:
    """The synthetic city, from the packaged parameters or a file of the user's own."""
    if parameters_file is None:
        with as_file(files("msmf_traci.scenarios").joinpath("synthetic.yaml")) as packaged:
            path, text = packaged, packaged.read_text(encoding="utf-8")
    else:
        path = _existing(parameters_file, "scenario.parameters_file")
        text = path.read_text(encoding="utf-8", errors="replace")
    parameters = _city_parameters(text, path)

    def build(folder: Path) -> None:
        city = write_city(parameters, CITY_SEED, folder)
        inputs = ["--node-files", str(city.nodes), "--edge-files", str(city.edges), "--type-files", str(city.types)]
        run_tool(sumo, [sumo.program("netconvert"), *inputs, "--output-file", str(folder / NET_FILE), *NETCONVERT_OPTIONS], folder=folder)
        for made in (city.nodes, city.edges, city.types):
            made.unlink()

    key = content_key(parameters=repr(parameters), seed=CITY_SEED, options=NETCONVERT_OPTIONS, sumo=sumo.version, format=1)
    return NetworkSource(key, cached_folder("networks", key) / NET_FILE, path, build)


def osm_network(sumo: Sumo, map_file: str | None, bbox: Sequence[float] | None, *, is_beijing: bool) -> NetworkSource:
    """A city from an OpenStreetMap file; Beijing's is looked for where it is fetched to."""
    if map_file is not None:
        path = Path(map_file).expanduser()
    elif is_beijing:
        path = osm.find_beijing_map()
    else:
        raise InputError("scenario=osm needs a map: scenario.map_file=CITY.osm.pbf (or .osm, .osm.gz)")
    check_path(path, "scenario.map_file")
    osm.check_map(path)
    key = content_key(
        map=file_hash(path), bbox=list(bbox) if bbox is not None else None, options=osm.NETCONVERT_OPTIONS, sumo=sumo.version, format=1
    )
    net_file = cached_folder("networks", key) / NET_FILE
    return NetworkSource(key, net_file, path, lambda folder: osm.build_network(sumo, path, bbox, folder / NET_FILE))


def own_network(net_file: str, route_file: str | None) -> NetworkSource:
    """A network of the user's own, with or without routes."""
    path = _existing(net_file, "scenario.net_file")
    _check_root(path, "net", "scenario.net_file", "a network of SUMO (.net.xml)")
    routes: tuple[Path, ...] = ()
    if route_file is not None:
        routes = (_existing(route_file, "scenario.route_file"),)
        _check_root(routes[0], "routes", "scenario.route_file", "a route file of SUMO (.rou.xml)")
    return NetworkSource(content_key(network=file_hash(path)), path.resolve(), route_files=routes)


def own_configuration(sumo: Sumo, sumocfg_file: str) -> NetworkSource:
    """Network and routes of a .sumocfg of the user's own, as SUMO understands it."""
    path = input_file(sumocfg_file, "scenario.sumocfg_file")
    check_path(path, "scenario.sumocfg_file")
    options = options_of_file(sumo, path)
    if not options.get("net-file"):
        raise InputError(f"scenario.sumocfg_file={sumocfg_file}: it names no net-file; add one to its <input>")
    net_path = _existing(options["net-file"], f"the net-file of {sumocfg_file}")
    _check_root(net_path, "net", f"the net-file of {sumocfg_file}", "a network of SUMO (.net.xml)")
    routes = [name for name in options.get("route-files", "").split(",") if name]
    route_paths = tuple(_existing(name, f"a route file of {sumocfg_file}") for name in routes)
    key = content_key(network=file_hash(net_path))
    return NetworkSource(key, net_path, path.resolve(), route_files=route_paths, sumocfg_file=path.resolve(), options=options)


def _city_parameters(text: str, path: Path) -> CityParameters:
    try:
        values: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InputError(f"scenario.parameters_file={path} is no YAML; compare it with scenarios/synthetic.yaml") from None
    if not isinstance(values, dict):
        raise InputError(f"scenario.parameters_file={path} holds no parameters; compare it with scenarios/synthetic.yaml")
    unknown = sorted(set(map(str, values)) - set(CityParameters.__dataclass_fields__))
    if unknown:
        raise InputError(f"scenario.parameters_file={path}: there is no parameter {unknown[0]}; see scenarios/synthetic.yaml")
    try:
        return CityParameters(**values)
    except TypeError as error:
        raise InputError(
            f"scenario.parameters_file={path}: a value is of the wrong type ({error}); compare it with scenarios/synthetic.yaml"
        ) from None


def _existing(name: str, option: str) -> Path:
    path = input_file(name, option)
    check_path(path, option)
    return path


def _check_root(path: Path, root: str, option: str, wanted: str) -> None:
    """Check that the first element of an XML file is `root`."""
    try:
        with opened(path) as file:
            element: ET.Element = next(iter(ET.iterparse(file, events=("start",))))[1]
    except (ET.ParseError, StopIteration, OSError, EOFError):
        raise InputError(f"{option}={path} is not {wanted}; give another file") from None
    if element.tag != root and not (root == "routes" and element.tag in ("additional", "trips")):
        raise InputError(f"{option}={path} is not {wanted} but <{element.tag}>; give another file")
