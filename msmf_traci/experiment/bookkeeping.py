"""From what a pass has booked to the tables that it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.experiment.bounds import bounds_table
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.options import request_bytes_per_s, weights
from msmf_traci.migration.workload import Containers, WorkloadOptions
from msmf_traci.results.cost import TRAFFIC_FACTORS, valued, with_bounds
from msmf_traci.results.latencies import latencies_of
from msmf_traci.results.store import write_table
from msmf_traci.results.summary import STORES, band_table, summary_table, with_stores
from msmf_traci.results.tables import copies_table, migrations_table, stages_table, vehicles_table

_BOOKED = (
    *("handoffs", "outages", "outage_s", "longest_outage_s", "relayed_s", "late_s", "degraded_s", "satisfied_s"),
    *("entry_hits", "entry_misses", "handoff_hits", "handoff_misses"),
)


def write_tables(drive: Drive, folder: Path) -> pd.DataFrame:
    """Write the tables of a pass that has been driven; returns the summary."""
    tables = tables_of(drive)
    for name, table in tables.items():
        write_table(folder, name, table, drive.config.output.format)
    return tables["summary"]


def tables_of(drive: Drive) -> dict[str, pd.DataFrame]:
    """The tables of a pass, by their names."""
    config, names, transfers, copies = drive.config, drive.names, drive.ledger.transfers(), drive.ledger.copies()
    migrations = migrations_table(transfers, names)
    latencies = latencies_of(drive.ledger.running(), names)
    vehicles = vehicles_table(names, transfers, copies, latencies, _of_trips(drive), _of_containers(drive))
    summary = with_stores(summary_table(vehicles, migrations, latencies, config.seed, names.columns), _of_stores(drive))
    at = weights(config)
    summary = valued(summary, at)
    bounds = None
    if config.output.bounds:
        stays = {hysteresis_m: log.stays() for hysteresis_m, log in drive.world.observer.stays.items()}
        at_all = [at.with_traffic(factor) for factor in TRAFFIC_FACTORS.values()]
        bounds = bounds_table(drive.variants, drive.servers, stays, drive.tasks, names, at_all)
        summary = with_bounds(summary, bounds, at)
    by_band = band_table(vehicles, migrations, latencies, config.seed, config.output.speed_bands_kmh, names.columns)
    tables = {"vehicles": vehicles, "summary": summary, "summary_by_band": by_band}
    if bounds is not None:
        tables["bounds"] = bounds
    if config.output.migrations:
        tables |= {"migrations": migrations, "copies": copies_table(copies, names)}
    if config.output.trace:
        tables["stages"] = stages_table(drive.ledger.stages(), names)
    return tables


def _of_stores(drive: Drive) -> pd.DataFrame:
    """What servers held under each variant, from the first frame of the pass to its last one; one row a variant."""
    numbers, engine, span_s = np.arange(len(drive.variants)), drive.world.engine, drive.trips.span_s
    rows = [(*engine.held(v, *span_s), engine.evicted(v)) for v in range(len(drive.variants))]
    return pd.DataFrame({**drive.names.variant_keys(numbers), **pd.DataFrame(rows, columns=list(STORES))})


def _of_trips(drive: Drive) -> dict[str, Any]:
    """Columns of vehicles.csv that are the same under every variant, shape (vehicles,)."""
    speed_kmh = drive.origin.commanded_kmh
    return {
        "commanded_kmh": np.full(len(drive.roster.vehicles), np.nan if speed_kmh is None else speed_kmh),
        **{name: getattr(drive.trips, name) for name in ("road_s", "distance_m", "outside_s", "unmatched_s")},
    }


def _of_containers(drive: Drive) -> dict[str, Any]:
    """The others, shape (vehicles, variants)."""
    variants, viewpoints, containers = drive.variants.variants, drive.world.viewpoints, drive.world.engine.containers
    levels = [drive.tasks[each.workload].latency_level_ms for each in variants]
    choices = [each.tier_choice for each in viewpoints]
    cells = containers["cell"].T  # where links decide on the tier, it is that of the cell attached last
    tier = np.column_stack([choice.choose(level, cell=cell) for choice, level, cell in zip(choices, levels, cells, strict=True)])
    met = np.column_stack([choice.eligible(level, cell).any(axis=1) for choice, level, cell in zip(choices, levels, cells, strict=True)])
    reports = np.column_stack([drive.world.observer.reports[each.options.reports].sent for each in viewpoints])
    return {
        "image": np.column_stack([_image_names(drive.variants.workloads[each.workload], drive.tasks[each.workload]) for each in variants]),
        "image_bytes": containers["image_bytes"],
        "deployment_bytes": containers["deployed_bytes"],
        "memory_capacity_bytes": containers["memory_bytes"],
        "latency_level_ms": np.column_stack(levels),
        "tier": np.array(drive.servers[0].tiers, dtype=object)[tier],
        "level_met": met.astype(np.int64),
        "censored": containers["censored"].astype(np.int64),
        "reports": reports,
        "image_needed_bytes": containers["needed_bytes"],
        "image_found_bytes": containers["found_bytes"],
        "relayed_byte_hops": containers["relayed_hops_s"] * np.array([request_bytes_per_s(each.config) for each in variants]),
        "report_bytes": reports * np.array([each.config.reports.bytes for each in variants]),
        **{name: containers[name] for name in _BOOKED},
    }


def _image_names(workload: WorkloadOptions, containers: Containers) -> NDArray[np.object_]:
    """Application of each container, or its image in a catalogue."""
    return np.array([kind.name or None for kind in workload.kinds], dtype=object)[containers.kind]
