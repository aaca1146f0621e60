"""What run.json says of a run: everything that made it, and what happened on the road."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from msmf_traci.config.schema import Config
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.laying import inside
from msmf_traci.experiment.preparation import City, Inputs
from msmf_traci.mobility.frame import DECIMALS
from msmf_traci.scenario.content_cache import file_hash
from msmf_traci.version import VERSION

# what a lattice says and sites do not, or the other way round
_OF_NO_SUCH_DEPLOYMENT = dict.fromkeys(("rings", "spacing_m", "orientation", "center_xy_m", "sites", "max_radius_m"))


def run_facts(
    config: Config, overrides: Sequence[str], inputs: Inputs, city: City, drive: Drive, map_folder: str, wall_s: Mapping[str, float]
) -> dict[str, Any]:
    """The content of run.json, ready for JSON."""
    return {
        "config": config.model_dump(),
        "overrides": list(overrides),
        "strategies": [strategy.name for strategy in inputs.strategies],
        "predictors": {strategy.name: strategy.predictor for strategy in inputs.strategies},
        "key_columns": drive.names.columns,
        "seed": config.seed,
        "fingerprint": inputs.fingerprint(),
        "versions": {
            "msmf-traci": VERSION,
            "sumo": inputs.sumo.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        **_input_facts(inputs, city, drive),
        "mobility": drive.origin.facts,
        "map_folder": map_folder,
        **_city_facts(config, city),
        **_road_facts(config, drive),
        "wall_s": dict(wall_s),
    }


def _input_facts(inputs: Inputs, city: City, drive: Drive) -> dict[str, Any]:
    """The files that went into the run."""
    trip_file = drive.trip_file
    routes = inputs.network.route_files if trip_file is None else (trip_file,)
    source = inputs.network.source_file
    return {
        "network": _file_facts(city.net_file),
        "routes": [_file_facts(path) for path in routes],
        "source_map": None if source is None else _file_facts(source),
        "sites_file": None if inputs.sites_file is None else _file_facts(inputs.sites_file),
        "link_files": [_file_facts(path) for path in inputs.link_files],
        "catalogue_files": [_file_facts(path) for path in inputs.catalogue_files],
        "plan_files": [_file_facts(path) for path in inputs.plan_files],
    }


def _file_facts(path: Path) -> dict[str, Any]:
    return {"file": str(path), "sha256": file_hash(path), "bytes": path.stat().st_size}


def _city_facts(config: Config, city: City) -> dict[str, Any]:
    """Cells, servers and roads."""
    cells, servers = city.cells, city.layout.servers(config)
    return {
        "deployment": {**_OF_NO_SUCH_DEPLOYMENT, **cells.facts, "area_km2": round(cells.area_m2 / 1e6, 3)},
        "cells": len(cells),
        "cells_with_roads": len(np.unique(city.coverage.cell)),
        "servers": len(servers),
        "servers_with_own": {
            "capacity": int((servers.room >= 0).sum()),
            "store": int((servers.store >= 0).sum()),
            "bandwidth": int((servers.bandwidth > 0).sum()),
        },
        "servers_by_tier": dict(zip(servers.tiers, np.diff(servers.first).tolist(), strict=True)),
        "edges": len(city.roads),
        "edges_in_deployment": int(inside(cells, city.roads).sum()),
    }


def _road_facts(config: Config, drive: Drive) -> dict[str, Any]:
    """What happened on the road."""
    counts, trips = drive.roster.counts, drive.trips
    not_inserted = counts.not_inserted
    if not config.scenario.has_own_routes and not config.mobility.is_from_file:
        not_inserted = config.mobility.vehicles - counts.inserted - counts.left_out
    road_s = float(trips.road_s.sum())
    # whoever is on the road at the end of a run that was cut off has not come to the end of the trip
    has_arrived = (trips.last_s < counts.end_s) | (counts.arrived == counts.inserted)
    return {
        "vehicles": {
            "inserted": counts.inserted,
            "arrived": counts.arrived,
            "not_inserted": not_inserted,
            "left_out": counts.left_out,
        },
        "teleports": counts.teleports,
        "collisions": counts.collisions,
        "outside_share": float(trips.outside_s.sum()) / road_s if road_s > 0 else None,
        "unmatched_share": float(trips.unmatched_s.sum()) / road_s if road_s > 0 else None,
        "mean_trip_m": float(trips.distance_m[has_arrived].mean()) if has_arrived.any() else None,
        "simulated_s": round(counts.end_s - drive.roster.begin_s, DECIMALS),
    }
