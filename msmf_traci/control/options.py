"""What knowledge of a vehicle depends on, and what tasks tolerate."""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.control.reports import ReportOptions
from msmf_traci.deployment.server_map import RequestLatency


@dataclass(frozen=True)
class ControlOptions:
    """Everything that knowledge depends on, beside the strategy's predictor and the latency levels."""

    hysteresis_m: float
    reports: ReportOptions
    latency: RequestLatency
    min_speed_mps: float
    horizon_m: float
    slack_m: float
