"""From a scenario's description to a network that SUMO can load, built once and cached by everything that went into it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zlib
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import yaml

from msmf_traci.code_version import code_hash
from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file
from msmf_traci.scenario import osm, osm_build, synthetic
from msmf_traci.scenario.cache_folder import cache_folder
from msmf_traci.scenario.content_cache import cached_folder, content_key, file_hash, use
from msmf_traci.scenario.network_source import KIND, NET_FILE, NetworkSource
from msmf_traci.scenario.sumo_files import opened
from msmf_traci.scenario.sumo_options import options_of_file
from msmf_traci.scenario.sumo_tools import Sumo, check_path
from msmf_traci.scenario.synthetic import CityParameters


def synthetic_network(sumo: Sumo, parameters_file: str | None) -> NetworkSource:
    """The synthetic city, from the packaged parameters or a file of the user's own."""
    if parameters_file is None:
        with as_file(files("msmf_traci.scenarios").joinpath("synthetic.yaml")) as packaged:
            path, text = packaged, packaged.read_text(encoding="utf-8")
    else:
        path = _existing(parameters_file, "scenario.parameters_file")
        text = path.read_text(encoding="utf-8", errors="replace")
    parameters = _city_parameters(text, path)

    key = content_key(parameters=repr(parameters), sumo=sumo.version, code=code_hash("synthetic network"))
    net_file = cached_folder(KIND, key) / NET_FILE
    return NetworkSource(key, net_file, path, lambda folder: synthetic.build_network(sumo, parameters, folder / NET_FILE))


def osm_network(sumo: Sumo, map_file: str | None, bbox: Sequence[float] | None, *, is_beijing: bool, left_hand: bool) -> NetworkSource:
    """A city from an OpenStreetMap file; Beijing's is looked for where it is fetched to."""
    if map_file is not None:
        path = Path(map_file).expanduser()
    elif is_beijing:
        path = osm.find_beijing_map()
    else:
        raise InputError("scenario=osm needs a map: scenario.map_file=CITY.osm.pbf (or .osm, .osm.gz)")
    check_path(path, "scenario.map_file")
    if cache_folder() in path.absolute().parents:
        use(path)
    osm.check_map(path)
    box = list(bbox) if bbox is not None else None
    key = content_key(map=file_hash(path), bbox=box, left_hand=left_hand, sumo=sumo.version, code=code_hash("osm network"))
    net_file = cached_folder(KIND, key) / NET_FILE

    def build(folder: Path) -> None:
        osm_build.build_network(sumo, path, bbox, folder / NET_FILE, left_hand=left_hand)

    return NetworkSource(key, net_file, path, build)


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
        raise InputError(f"scenario.parameters_file={path} is not valid YAML; compare it with scenarios/synthetic.yaml") from None
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
    except (ET.ParseError, StopIteration, OSError, EOFError, zlib.error):
        raise InputError(f"{option}={path} is not {wanted}; give another file") from None
    except (LookupError, ValueError) as error:
        raise InputError(f"{option}={path} is in an encoding that cannot be read ({error}); save it in UTF-8") from None
    if element.tag != root and not (root == "routes" and element.tag in ("additional", "trips")):
        raise InputError(f"{option}={path} is not {wanted} but <{element.tag}>; give another file")
