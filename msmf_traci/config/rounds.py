"""Configurations under which pre-copy would make rounds without number, refused: each is a row of a trace, and work for nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msmf_traci.config.applications import parts_of
from msmf_traci.config.schema import Config

MOST_ROUNDS_PER_S = 1000
_MBIT_PER_MB = 8
_WITHOUT_ROUNDS = ("cold", "postcopy", "hybrid", "replay")


def shortest_cycle_s(*, threshold_mb: float, bandwidth_mb_per_s: float, dirty_mb_per_s: float, processing_s: float = 0.0) -> float:
    """The shortest time between the beginnings of two rounds of one transfer; infinite where nothing gets dirty.

    On paper (model, section 7): a round that begins at t sends d >= M_d, the threshold. It is in processing for p and sends at most at the
    bandwidth W, so that it ends at t + p + d/W at the earliest, and the next one begins no earlier: p + M_d/W. What gets dirty is counted
    from t on at the rate r, and the next round waits for M_d of it: M_d/r. Both bounds hold, so the longer one counts. They are reached:
    for r <= W without processing a round sends M_d exactly, and the next one begins M_d/r later. For r > W rounds grow up to the cap.

    Parameters
    ----------
    threshold_mb, bandwidth_mb_per_s, dirty_mb_per_s, processing_s
        M_d, W, r and p.
    """
    of_dirtying_s = threshold_mb / dirty_mb_per_s if dirty_mb_per_s > 0 else math.inf
    return max(processing_s + threshold_mb / bandwidth_mb_per_s, of_dirtying_s)


def refuse_rounds_without_number(configs: Iterable[Config]) -> None:
    """Refuse configurations in which a container could make more than 1,000 rounds a second.

    Raises
    ------
    ValueError
        One sentence on the first of them.
    """
    for config, workload in ((each, part.workload) for each in configs for part in parts_of(each)):
        if config.handoff.plan in _WITHOUT_ROUNDS:
            continue
        costs = config.migration.processing
        memory = workload.memory_mb if isinstance(workload.memory_mb, list) else [workload.memory_mb, workload.memory_mb]
        least_mb, most_mb = memory
        threshold_mb = workload.dirty_threshold_mbit / _MBIT_PER_MB
        if threshold_mb > most_mb * workload.dirty_cap_percent / 100:
            continue  # never reached: no container has so much memory that changes
        bandwidth = config.links.bandwidth_mbps * costs.transport_efficiency / _MBIT_PER_MB / (costs.memory_sent_percent / 100)
        dirty = workload.dirty_percent_per_s / 100 * most_mb
        waiting_s = costs.round_trips * config.links.round_trip_ms / 1000
        later_s = costs.checkpoint_s if costs.later_s is None else costs.later_s
        later_s_per_mb = costs.checkpoint_s_per_mb if costs.later_s_per_mb is None else costs.later_s_per_mb
        processing_s = later_s + costs.round_s + (later_s_per_mb + costs.round_s_per_mb) * least_mb + waiting_s
        cycle_s = shortest_cycle_s(threshold_mb=threshold_mb, bandwidth_mb_per_s=bandwidth, dirty_mb_per_s=dirty, processing_s=processing_s)
        if cycle_s * MOST_ROUNDS_PER_S < 1 - 1e-9:
            enough_mbit = _MBIT_PER_MB * min(bandwidth * (1 / MOST_ROUNDS_PER_S - processing_s), dirty / MOST_ROUNDS_PER_S)
            raise ValueError(
                f"workload.dirty_threshold_mbit={workload.dirty_threshold_mbit:g}: a container of {most_mb:g} MB could make "
                f"{1 / cycle_s:,.0f} rounds a second, more than {MOST_ROUNDS_PER_S:,}; raise it to {_rounded_up(enough_mbit):g} or more, "
                "or lower workload.dirty_percent_per_s"
            )


def _rounded_up(number: float) -> float:
    """A number in three digits that is not less."""
    unit = 10.0 ** (math.floor(math.log10(number)) - 2)
    return math.ceil(number / unit) * unit
