"""What decisions depend on beside the strategy, and what tasks tolerate."""

from __future__ import annotations

from dataclasses import dataclass

from msmf_traci.control.reports import ReportOptions
from msmf_traci.control.strategies import StrategyOptions
from msmf_traci.deployment.servers import RequestLatency


@dataclass(frozen=True)
class ControlOptions:
    """Everything, beside the strategy and the latency levels, that decisions depend on."""

    hysteresis_m: float
    reports: ReportOptions
    latency: RequestLatency
    min_speed_mps: float
    horizon_m: float
    slack_m: float
    strategy: StrategyOptions
