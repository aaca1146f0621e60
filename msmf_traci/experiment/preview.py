"""What a run would do, said without doing it (`dry_run=true`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from msmf_traci.config.schema import Config
from msmf_traci.config.variants import combinations, varied_options
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.servers import Servers
from msmf_traci.experiment.laying import Layout, lay_cells, sites_words
from msmf_traci.experiment.mobility_source import SUMO_FOLDER
from msmf_traci.experiment.preparation import judge_files, trip_ends, trip_options
from msmf_traci.experiment.road_store import roads_of
from msmf_traci.scenario.content_cache import has_built
from msmf_traci.scenario.sumo_files import files_of, places_of
from msmf_traci.scenario.trips import ROUTES, routes_key

# Measured with 100 vehicles on Beijing and libsumo; what containers cost is little beside it
START_S = 12.0
WALL_S_PER_VEHICLE_FRAME = 6e-5
WALL_S_PER_CONTAINER = 4e-4
TRACE_BYTES_PER_FRAME = 80
TRACE_BYTES_PER_DECISION = 50
TABLE_BYTES_PER_CONTAINER = 300
TRANSFER_BYTES_PER_CONTAINER = 4_200
CITY_SPEED_KMH = 38.0  # junctions leave no more of 50 km/h
# Trips between random places: their beeline as a share of the deployment's extent, and the way as a multiple of the beeline
MEAN_TRIP_SHARE = 0.55
DETOUR = 1.3


def preview(configs: Sequence[Config]) -> list[str]:
    """Lines that say what a run, or a sweep, would do: cells, edges, SUMO runs, what is cached, rough time and disk.

    Of a sweep the first run is described in full, and the rough cost is that of all runs.
    """
    config = configs[0]
    inputs, *_ = [judge_files(each) for each in configs]
    network = inputs.network
    passes = len({_what_moves_vehicles(each) for each in configs})
    many = f"{passes} mobility pass{'es' if passes > 1 else ''}"
    runs = "one run, one mobility pass" if len(configs) == 1 else f"a sweep of {len(configs)} runs, {many}; the first"
    combinations_of = f" x {len(combinations(config))} combinations" if varied_options(config) else ""
    outputs = files_of(inputs.own_options).outputs
    lines = [f"{runs}: scenario {config.scenario.name}, seed {config.seed}, {len(config.strategies)} strategies{combinations_of}"]
    if outputs:
        names = places_of(outputs)
        led = [f"{output.what} {output.path} -> {SUMO_FOLDER}/{names[output.path]}" for output in outputs]
        lines.append(f"SUMO writes, in the run's folder: {'; '.join(led)}")
    if not network.is_built:
        lines.append("network: not in the cache, would be built (seconds to a minute); edges and routes are known then")
        if config.mobility.is_from_file:
            return [*lines, _positions_line(config)]
        if config.deployment.kind == "sites" or config.deployment.rings is None:
            return lines
        lattice = HexCells(config.deployment.rings, config.deployment.spacing_m, config.deployment.orientation)
        return [*lines, _cells_line(lattice), *_cost_line(configs, lattice)]
    roads = roads_of(network.net_file)
    cells = lay_cells(config, roads, network.net_file)
    kept = "your own file" if network.build is None else "in the cache"
    lines.append(f"network: {len(roads)} edges open to passenger cars, {kept} ({network.net_file})")
    layout = Layout(cells)
    for each in combinations(config):
        layout.servers(each.config)
    lines += [_cells_line(cells), *sites_words(cells), _servers_line(layout.servers(config))]
    if config.mobility.is_from_file:
        return [*lines, _positions_line(config)]
    if config.scenario.has_own_routes:
        return [*lines, "routes: your own"]
    options = trip_options(config, roads, cells)
    key = routes_key(inputs.sumo, network.key, trip_ends(roads, cells)[0], options)
    state = "in the cache" if has_built(ROUTES, key) else "not in the cache, would be made"
    lines.append(f"routes: {options.vehicles} random trips of at least {options.min_trip_m:g} m by beeline, {state}")
    return [*lines, *_cost_line(configs, cells)]


def _what_moves_vehicles(config: Config) -> str:
    """Everything that a mobility pass follows from."""
    plain = config.model_dump()
    matched = ["matching"] if config.mobility.source == "gps" else []
    return repr([plain[section] for section in ("scenario", "deployment", "mobility", "seed", *matched)])


def _positions_line(config: Config) -> str:
    mobility = config.mobility
    return f"positions: from {mobility.recording_file or mobility.fcd_file or mobility.gps.path}"


def _servers_line(servers: Servers) -> str:
    many = zip(np.diff(servers.first), servers.tiers, strict=True)
    return f"servers: {', '.join(f'{each} {tier}' for each, tier in many)}"


def _cells_line(cells: Cells) -> str:
    return f"cells: {len(cells)}, {cells.area_m2 / 1e6:.1f} km2"


def _cost_line(configs: Sequence[Config], cells: Cells) -> list[str]:
    """Rough time and disk of runs with trips of ours in a deployment of this size."""
    frames, wall_s, disk_bytes = (sum(column) for column in zip(*(_cost(config, cells) for config in configs), strict=True))
    return [f"roughly: {frames:,.0f} vehicle-frames, {wall_s:.0f} s, {disk_bytes / 1e6:.0f} MB of tables"]


def _cost(config: Config, cells: Cells) -> tuple[float, float, float]:
    """Vehicle-frames, wall seconds and bytes of tables of one run."""
    mobility = config.mobility
    speed_kmh = min(mobility.speed_kmh or CITY_SPEED_KMH, CITY_SPEED_KMH)
    trip_m = max(MEAN_TRIP_SHARE * min(cells.extent_m), mobility.min_trip_m) * DETOUR
    frames = mobility.vehicles * min(trip_m / (speed_kmh / 3.6), mobility.max_duration_s) / (mobility.step_s or 1.0)
    variants = len(config.strategies) * len(combinations(config))
    wall_s = START_S + frames * WALL_S_PER_VEHICLE_FRAME + mobility.vehicles * variants * WALL_S_PER_CONTAINER
    per_container = TABLE_BYTES_PER_CONTAINER + (TRANSFER_BYTES_PER_CONTAINER if config.output.migrations else 0)
    disk_bytes: float = mobility.vehicles * variants * per_container
    if config.output.trace:
        disk_bytes += frames * (TRACE_BYTES_PER_FRAME + TRACE_BYTES_PER_DECISION * variants)
    return frames, wall_s, disk_bytes
