"""Says where a run leaves the ranges in which the costs of its preset were measured."""

from __future__ import annotations

from collections.abc import Iterable

from msmf_traci.config.applications import parts_of
from msmf_traci.config.schema import Config


def beyond_measured(configs: Iterable[Config]) -> list[str]:
    """One sentence for each measure of some variants that lies outside; none where a preset says nothing of where it was measured."""
    found: dict[str, None] = {}
    for config in configs:
        measured = config.migration.measured
        if measured is None:
            continue
        memory_mb = [size for part in parts_of(config) for size in _both(part.workload.memory_mb)]
        of_tiers = [tier.bandwidth_mbps for tier in config.tiers.in_use.values() if tier.bandwidth_mbps is not None]
        round_trips_ms = [] if config.links.file else [config.links.round_trip_ms]
        for name, values, (low, high) in (
            ("workload.memory_mb", memory_mb, measured.memory_mb),
            ("links.bandwidth_mbps", [config.links.bandwidth_mbps, *of_tiers], measured.bandwidth_mbps),
            ("links.round_trip_ms", round_trips_ms, measured.round_trip_ms),
        ):
            strange = [value for value in values if not low <= value <= high]
            if strange:
                there = f"from {low:g} to {high:g}" if low < high else f"of {low:g}"
                found[f"{name}={strange[0]:g}: this migration's costs were measured at values {there}; beyond them they are a guess"] = None
        if config.handoff.plan not in measured.plans:
            plans = ", ".join(measured.plans)
            found[f"handoff.plan={config.handoff.plan}: this migration's costs were measured with {plans}; otherwise they are a guess"] = (
                None
            )
    return list(found)


def _both(size: float | list[float]) -> list[float]:
    return list(size) if isinstance(size, list) else [size]
