"""The options of section 12 that the model needs, converted once (section 0)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .lattice import LOCAL, REGIONAL


def seconds(processing: dict[str, Any], name: str) -> tuple[float, float]:
    """A term of the processing (section 7): its constant part, and what each byte of the memory adds."""
    return float(processing[f"{name}_s"]), float(processing[f"{name}_s_per_mb"]) / 1e6


@dataclass(frozen=True)
class Options:
    """The options of section 12, converted once (section 0)."""

    hysteresis_m: float
    regional_rings: int
    latency_ms: dict[str, float]
    compute_ms: dict[str, float]
    hop_latency_ms: float
    min_speed_mps: float
    horizon_m: float
    slack_m: float
    trigger_m: float
    min_m: float
    min_dwell_s: float
    unsynced: str
    user_left: str
    switch_s: float
    checkpoint: tuple[float, float]  # seconds, and seconds for each byte of the memory
    comparison: tuple[float, float]
    restore: tuple[float, float]
    answers_s: float
    bytes_per_s: float
    dirty_per_s: float
    threshold_bytes: float
    start_ms: tuple[float, float]
    shared: bool
    capacity: dict[str, float]
    report_distance_m: float
    report_heading_deg: float
    report_speed_mps: float
    report_bytes: float
    strategies: tuple[str, ...]

    @staticmethod
    def read(config: dict[str, Any]) -> Options:
        """Take what this implementation needs from run.json's config; refuse what it does not model."""
        if config["links"]["mode"] not in ("dedicated", "shared"):
            raise ValueError(f"links: {config['links']}")
        reports = config["reports"]
        tiers, work, handoff, processing = config["tiers"], config["workload"], config["handoff"], config["migration"]["processing"]
        threshold = float(work["dirty_threshold_mbit"]) * 1e6 / 8
        if threshold <= 0:
            raise ValueError("workload.dirty_threshold_mbit must be positive (rounds would never end)")
        if handoff["unsynced"] not in ("stop", "relay") or handoff["user_left"] not in ("abandon", "finish"):
            raise ValueError(f"handoff: {handoff}")
        return Options(
            hysteresis_m=float(config["attachment"]["hysteresis_m"]),
            regional_rings=int(tiers["regional"]["rings"]),
            latency_ms={tier: float(tiers[tier]["latency_ms"]) for tier in (LOCAL, REGIONAL)},
            compute_ms={tier: float(tiers[tier]["compute_ms"]) for tier in (LOCAL, REGIONAL)},
            hop_latency_ms=float(config["links"]["hop_latency_ms"]),
            min_speed_mps=float(config["tier_choice"]["min_speed_kmh"]) / 3.6,
            horizon_m=float(config["prediction"]["horizon_m"]),
            slack_m=float(config["prediction"]["slack_m"]),
            trigger_m=float(config["nearest"]["trigger_m"]),
            min_m=float(config["coverage_filter"]["min_m"]),
            min_dwell_s=float(config["coverage_filter"]["min_dwell_s"]),
            unsynced=str(handoff["unsynced"]),
            user_left=str(handoff["user_left"]),
            switch_s=float(handoff["switch_ms"]) / 1e3,
            checkpoint=seconds(processing, "checkpoint"),
            comparison=seconds(processing, "round"),
            restore=seconds(processing, "restore"),
            answers_s=float(processing["round_trips"]) * float(config["links"]["round_trip_ms"]) / 1e3,
            bytes_per_s=float(config["links"]["bandwidth_mbps"]) * float(processing["transport_efficiency"]) * 1e6 / 8,
            dirty_per_s=float(work["dirty_percent_per_s"]) / 100,
            threshold_bytes=threshold,
            start_ms=(float(work["start_ms"][0]), float(work["start_ms"][1])),
            shared=config["links"]["mode"] == "shared",
            capacity={tier: math.inf if (most := tiers[tier]["capacity"]) is None else float(most) for tier in (LOCAL, REGIONAL)},
            report_distance_m=float(reports["distance_m"]),
            report_heading_deg=float(reports["heading_deg"]),
            report_speed_mps=float(reports["speed_mps"]),
            report_bytes=float(reports["bytes"]),
            strategies=tuple(str(name) for name in config["strategies"]),
        )

    def start_s(self, image_bytes: float) -> float:
        """Start time of a container (section 5): linear between 100 MB and 2000 MB, clamped."""
        share = min(1.0, max(0.0, (image_bytes / 1e6 - 100) / 1900))
        return (self.start_ms[0] + share * (self.start_ms[1] - self.start_ms[0])) / 1e3

    def meets(self, tier: str, level_ms: float) -> bool:
        """Whether a tier meets a latency level (section 2): d_tier + d_p <= L."""
        return self.latency_ms[tier] + self.compute_ms[tier] <= level_ms

    def tier(self, tiers: Sequence[str], level_ms: float, speed_mps: float) -> str:
        """Tier choice (section 2): the highest tier that meets the level, the lowest of these below min_speed, else the lowest of all."""
        eligible = [tier for tier in tiers if self.meets(tier, level_ms)]
        if not eligible:
            return tiers[0]
        return eligible[0] if speed_mps < self.min_speed_mps else eligible[-1]
