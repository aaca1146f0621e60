"""What a run stands on: SUMO, the network, roads, cells and routes; the user's files are judged here before anything long starts."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from msmf_traci.code_version import code_hash
from msmf_traci.config.mobility_schema import Mobility
from msmf_traci.config.schema import Config
from msmf_traci.config.variants import combinations
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.link_file import read_links
from msmf_traci.errors import InputError
from msmf_traci.experiment.laying import Layout, inside, lay_cells, sites_words
from msmf_traci.experiment.options import sumo_words
from msmf_traci.experiment.plan_file import NAMES, read_plan
from msmf_traci.experiment.road_store import roads_of
from msmf_traci.files.catalogue_file import read_catalogue
from msmf_traci.files.columns_file import ColumnsFile
from msmf_traci.files.input_file import input_file
from msmf_traci.mobility.gps.files import files_key, find_files
from msmf_traci.mobility.pass_key import what_is_said
from msmf_traci.results.console import say
from msmf_traci.roads.both_ways import open_both_ways
from msmf_traci.roads.coverage import EdgeCoverage, cover_edges
from msmf_traci.roads.projection import Projection, projection_of
from msmf_traci.roads.roads import Roads
from msmf_traci.scenario.build import osm_network, own_configuration, own_network, synthetic_network
from msmf_traci.scenario.cache_folder import cache_folder
from msmf_traci.scenario.content_cache import check_cache, file_hash
from msmf_traci.scenario.network_source import NetworkSource
from msmf_traci.scenario.sumo_files import files_of
from msmf_traci.scenario.sumo_options import Options, is_on, options_of_words
from msmf_traci.scenario.sumo_tools import Sumo, check_path, find_sumo, unstarted_sumo
from msmf_traci.scenario.trips import TripOptions, make_routes
from msmf_traci.strategies.plugins import check_made, load_strategies, source_hash
from msmf_traci.strategies.strategy import Strategy

SHARE_OF_EXTENT = 1 / 3  # longest beeline that is asked of every trip, of the smaller extent


@dataclass(frozen=True)
class Inputs:
    """The user's input, judged: it exists, it can be read, and it fits together."""

    sumo: Sumo
    network: NetworkSource
    strategies: list[type[Strategy]]
    positions_file: Path | None = None
    traces_path: str | None = None
    sites_file: Path | None = None
    link_files: tuple[Path, ...] = ()
    catalogue_files: tuple[Path, ...] = ()
    plan_files: tuple[Path, ...] = ()
    sumo_options: Options = field(default_factory=dict)

    @property
    def own_options(self) -> Options:
        """Options of SUMO that are the user's own: those of a .sumocfg, or the routes, and what `mobility.sumo_args` says."""
        routes = ",".join(str(path.absolute()) for path in self.network.route_files)
        return {**(self.network.options or {"route-files": routes}), **self.sumo_options}

    def fingerprint(self) -> dict[str, Any]:
        """What, beside the configuration, a run's tables follow from: content of files and strategies, versions."""
        positions = {} if self.positions_file is None else {"positions": file_hash(self.positions_file)}
        sumocfg = self.network.sumocfg_file
        if self.traces_path is not None:
            positions = {"positions": files_key(self.traces_path)}
        return {
            "network": self.network.key,
            "files": [*files_of(self.own_options).hashes, *([file_hash(sumocfg)] if sumocfg is not None else [])],
            "sumo_options": what_is_said(self.own_options),
            **positions,
            **({} if self.sites_file is None else {"sites": file_hash(self.sites_file)}),
            **({"links": [file_hash(path) for path in self.link_files]} if self.link_files else {}),
            **({"catalogues": [file_hash(path) for path in self.catalogue_files]} if self.catalogue_files else {}),
            **({"plans": [file_hash(path) for path in self.plan_files]} if self.plan_files else {}),
            "strategies": {strategy.name: source_hash(strategy) for strategy in self.strategies},
            "versions": {"msmf-traci": code_hash("tables"), "sumo": self.sumo.version},
        }


def judge_files(config: Config) -> Inputs:
    """Find SUMO, the map or network and the strategies; nothing is built.

    Raises
    ------
    InputError
        One sentence on the first thing that is missing or wrong.
    """
    strategies = load_strategies(config.strategies)
    check_made(strategies)
    if config.output.format == "parquet":
        _need_pyarrow("output.format=parquet")
    if config.mobility.gui and sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise InputError("mobility.gui=true needs a screen, and DISPLAY is not set; leave it out, or run under xvfb-run")
    check_path(cache_folder(), "the cache folder")
    if config.mobility.drives_sumo:
        check_path(Path(tempfile.gettempdir()), "the folder of temporary files (TMPDIR)")
    positions_file = _judge_positions(config.mobility)
    traces_path = config.mobility.gps.path
    if traces_path is not None:
        find_files(traces_path)
    sumo = find_sumo(config.mobility.sumo_home) if config.mobility.drives_sumo else unstarted_sumo()
    network = choose_network(sumo, config)
    if not network.is_built:
        check_cache()
    sites_file = None if config.deployment.file is None else input_file(config.deployment.file, "deployment.file")
    link_files = _named_files(config, "links.file")
    for path in link_files:
        read_links(path)
    catalogue_files = _named_files(config, "workload.catalogue")
    for path in catalogue_files:
        read_catalogue(path)
    plan_files = _judge_plans(config)
    options = options_of_words(sumo, sumo_words(config))
    inputs = Inputs(sumo, network, strategies, positions_file, traces_path, sites_file, link_files, catalogue_files, plan_files, options)
    if is_on(inputs.own_options, "mesosim"):
        raise InputError(
            "SUMO's option mesosim (mesoscopic) moves vehicles in jumps of some 100 m, which is too coarse for cells and handoffs; "
            "leave that option out"
        )
    files_of(inputs.own_options)  # what it reads is there, and what it writes are files
    return inputs


def _named_files(config: Config, option: str) -> tuple[Path, ...]:
    """The files that an option names, in any combination of varied options."""
    read = attrgetter(option)
    named = dict.fromkeys(read(each.config) for each in combinations(config))
    return tuple(input_file(name, option) for name in named if name is not None)


def _judge_plans(config: Config) -> tuple[Path, ...]:
    """Files of plans, which can be read, in any combination of varied options; ours are none."""
    named = dict.fromkeys(each.config.handoff.plan for each in combinations(config))
    for name in named:
        read_plan(name)
    return tuple(input_file(name, "handoff.plan") for name in named if name not in NAMES)


def _judge_positions(mobility: Mobility) -> Path | None:
    """The user's file of positions, which is there and can be read."""
    if mobility.recording_file is not None:
        path = input_file(mobility.recording_file, "mobility.recording_file")
        ColumnsFile(path).close()
        return path
    if mobility.fcd_file is not None:
        path = input_file(mobility.fcd_file, "mobility.fcd_file")
        if path.suffix.lower() == ".parquet":
            _need_pyarrow(f"mobility.fcd_file={mobility.fcd_file}")
        return path
    return None


def choose_network(sumo: Sumo, config: Config) -> NetworkSource:
    """The network that the scenario describes."""
    scenario = config.scenario
    if scenario.kind == "synthetic":
        return synthetic_network(sumo, scenario.parameters_file)
    if scenario.kind == "osm":
        is_beijing = scenario.name == "beijing"
        return osm_network(sumo, scenario.map_file, scenario.bbox, is_beijing=is_beijing, left_hand=scenario.left_hand)
    if scenario.sumocfg_file is not None:
        return own_configuration(sumo, scenario.sumocfg_file)
    return own_network(str(scenario.net_file), scenario.route_file)


@dataclass(frozen=True)
class City:
    """What does not move: the network's roads, the deployment on them, and which road passes through which cell.

    Attributes
    ----------
    net_file
        The network.
    roads
        Its roads; where people on foot may be on them, with both directions of every street.
    driven
        The roads as cars drive them: the first ones of `roads`.
    cells, coverage
        The deployment.
    layout
        The servers on it.
    projection
        None where the network has none.
    """

    net_file: Path
    roads: Roads
    driven: Roads
    cells: Cells
    coverage: EdgeCoverage
    layout: Layout
    projection: Projection | None


def read_city(config: Config, net_file: Path) -> City:
    """Read the roads, lay the cells and map roads to cells.

    Raises
    ------
    InputError
        If the network is damaged or does not fit the deployment.
    """
    driven = roads_of(net_file)
    cells = lay_cells(config, driven, net_file)
    layout = Layout(cells)
    for each in (config, *(each.config for each in combinations(config))):
        layout.servers(each)  # that all of them fit is known before anything drives
    for line in sites_words(cells):
        say(line)
    is_walked = config.mobility.source == "gps" and bool(config.matching.against_oneway)
    roads = open_both_ways(driven) if is_walked else driven
    return City(net_file, roads, driven, cells, cover_edges(roads, cells), layout, projection_of(driven))


def draw_trips(config: Config, inputs: Inputs, city: City) -> Path:
    """Random trips of ours, from the cache if they were made before.

    Raises
    ------
    InputError
        If so many trips cannot be made.
    """
    edges, lengths_m = trip_ends(city.roads, city.cells)
    options = trip_options(config, city.roads, city.cells)
    return make_routes(inputs.sumo, city.net_file, inputs.network.key, edges, lengths_m, options)


def trip_options(config: Config, roads: Roads, cells: Cells) -> TripOptions:
    """Trips of ours: the least beeline is capped at a third of the smaller extent of network and deployment."""
    left, bottom, right, top = roads.boundary_m
    extent_m = min(right - left, top - bottom, *cells.extent_m)
    mobility = config.mobility
    min_trip_m = min(mobility.min_trip_m, extent_m * SHARE_OF_EXTENT)
    return TripOptions(mobility.vehicles, mobility.depart_window_s, round(float(min_trip_m), 3), config.seed, mobility.routing)


def trip_ends(roads: Roads, cells: Cells) -> tuple[list[str], list[float]]:
    """Edges where trips of ours may begin and end, and their lengths."""
    edges = np.flatnonzero(inside(cells, roads))
    return [roads.ids[edge] for edge in edges], [float(roads.length_m[edge]) for edge in edges]


def _need_pyarrow(what: str) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise InputError(f"{what} needs pyarrow; run: pip install 'msmf-traci[parquet]'") from None
