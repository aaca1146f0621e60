"""What a run would do, said without doing it (`dry_run=true`)."""

from __future__ import annotations

from msmf_traci.config.schema import Config
from msmf_traci.run.preparation import judge_files, lay_cells, trip_ends, trip_options
from msmf_traci.scenario.trips import routes_folder
from msmf_traci.world.cells import HexCells
from msmf_traci.world.roads import read_roads

# Measured on two cores with 100 vehicles: wall seconds a simulated vehicle-second with eight strategies, and bytes of its trace.
WALL_S_PER_VEHICLE_S = 1.2e-4
TRACE_BYTES_PER_VEHICLE_FRAME = 110
TRACE_BYTES_PER_DECISION = 60
TABLE_BYTES_PER_VEHICLE_STRATEGY = 6_000
MEAN_TRIP_SHARE = 0.55  # of the deployment's extent, at random


def preview(config: Config) -> list[str]:
    """Lines that say what a run would do: cells, edges, SUMO runs, what is cached, rough time and disk."""
    inputs = judge_files(config)
    network = inputs.network
    lines = [f"scenario {config.scenario.name}, seed {config.seed}, {len(config.strategies)} strategies, one SUMO run"]
    if not network.is_built:
        lines.append("network: not in the cache, would be built (seconds to a minute); edges and routes are known then")
        if config.deployment.rings is not None:
            cells = HexCells(config.deployment.rings, config.deployment.spacing_m, config.deployment.orientation)
            lines.append(_cells_line(cells))
            lines += _cost_lines(config, cells)
        return lines
    roads = read_roads(network.net_file)
    cells = lay_cells(config.deployment, roads, network.net_file)
    kept = "your own file" if network.build is None else "in the cache"
    lines.append(f"network: {len(roads)} edges open to passenger cars, {kept} ({network.net_file})")
    lines.append(_cells_line(cells))
    if config.scenario.has_own_routes:
        lines.append("routes: your own")
        return lines
    options = trip_options(config, roads, cells)
    _, folder = routes_folder(inputs.sumo, network.key, trip_ends(roads, cells)[0], options)
    state = "in the cache" if folder.is_dir() else "not in the cache, would be made"
    lines.append(f"routes: {options.vehicles} random trips of at least {options.min_trip_m:g} m by beeline, {state}")
    return lines + _cost_lines(config, cells)


def _cells_line(cells: HexCells) -> str:
    return f"cells: {len(cells)}, {cells.area_m2 / 1e6:.1f} km2"


def _cost_lines(config: Config, cells: HexCells) -> list[str]:
    """Rough time and disk of a run with trips of ours."""
    mobility = config.mobility
    if mobility.speed_kmh is None:
        return []
    trip_s = max(MEAN_TRIP_SHARE * min(cells.extent_m), mobility.min_trip_m) * 1.3 / (min(mobility.speed_kmh, 35.0) / 3.6)
    vehicle_s = mobility.vehicles * min(trip_s, mobility.max_duration_s)
    frames = vehicle_s / (mobility.step_s or 1.0)
    wall_s = 15 + frames * WALL_S_PER_VEHICLE_S * len(config.strategies) / 8
    disk: float = mobility.vehicles * len(config.strategies) * TABLE_BYTES_PER_VEHICLE_STRATEGY
    if config.output.trace:
        disk += frames * (TRACE_BYTES_PER_VEHICLE_FRAME + TRACE_BYTES_PER_DECISION * len(config.strategies))
    return [f"roughly: {frames:,.0f} vehicle-frames, {wall_s:.0f} s, {disk / 1e6:.0f} MB of tables"]
