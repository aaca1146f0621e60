"""The configuration's options as each floor of the house takes them, in SI units: the one place of conversion."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from msmf_traci.config.applications import Part, parts_of
from msmf_traci.config.mobility_schema import posix_s
from msmf_traci.config.schema import Config
from msmf_traci.config.strategy_schema import taken_from
from msmf_traci.control.options import ControlOptions
from msmf_traci.control.reports import ReportOptions
from msmf_traci.deployment.areas import TierPlan
from msmf_traci.deployment.server_map import RequestLatency
from msmf_traci.experiment.plan_file import read_plan
from msmf_traci.files.catalogue_file import read_catalogue
from msmf_traci.files.input_file import input_file
from msmf_traci.migration.plan import Plan
from msmf_traci.migration.policy import HandoffPolicy, ImageOptions, LinkOptions, PostCopy, Processing, Replay, Source
from msmf_traci.migration.workload import Kind, WorkloadOptions
from msmf_traci.mobility.gps.choosing import Box, Selection
from msmf_traci.mobility.gps.traces import Cleaning
from msmf_traci.mobility.sumo_command import Command
from msmf_traci.scenario.sumo_options import Options
from msmf_traci.strategies.strategy import Strategy
from msmf_traci.units import BYTES_PER_GB, BYTES_PER_MB, BYTES_PER_MBIT, MPS_PER_KMH, S_PER_MS
from msmf_traci.weights import Weights


def command_options(config: Config, extra: Options) -> Command:
    """How SUMO is to be run, with more options of its own."""
    mobility = config.mobility
    return Command(
        speed_mps=None if mobility.speed_kmh is None else mobility.speed_kmh * MPS_PER_KMH,
        mode=mobility.speed_mode,
        step_s=mobility.step_s,
        max_duration_s=mobility.max_duration_s,
        seed=config.seed,
        gui=mobility.gui,
        extra=extra,
    )


def sumo_words(config: Config) -> list[str]:
    """The words of `mobility.sumo_args`, spelt as SUMO spells them."""
    return [_word(word) for word in config.mobility.sumo_args]


def trace_selection(config: Config) -> Selection:
    """Which GPS traces are asked for."""
    gps = config.mobility.gps
    return Selection(
        modes=None if gps.mode is None else tuple(gps.mode),
        users=None if gps.user is None else tuple(gps.user),
        begin_s=-math.inf if gps.begin is None else posix_s(gps.begin, gps.time_zone),
        end_s=math.inf if gps.end is None else posix_s(gps.end, gps.time_zone),
        box=None if gps.bbox is None else Box(*gps.bbox),
        number=gps.number,
        per_mode=gps.per_mode,
    )


def trace_cleaning(config: Config) -> Cleaning:
    """What is left out of GPS traces, and what cuts them."""
    gps = config.mobility.gps
    return Cleaning(gps.max_gap_s, gps.max_kmh * MPS_PER_KMH, gps.min_duration_s, gps.min_length_m)


def tier_plans(config: Config) -> tuple[TierPlan, ...]:
    """What the servers of each tier cover."""
    return tuple(TierPlan(name, tier.area, tier.rings, tier.clusters, tier.column) for name, tier in config.tiers.in_use.items())


def request_latency(config: Config) -> RequestLatency:
    """Latencies of requests. With a file of links the way to any server begins at the lowest tier, whose latency is that of access."""
    tiers = list(config.tiers.in_use.values())
    has_links = config.links.file is not None
    return RequestLatency(
        by_tier_ms=tuple((tiers[0] if has_links else tier).latency_ms + tier.compute_ms for tier in tiers),
        hop_ms=config.links.hop_latency_ms,
        per_container_ms=tuple(tier.compute_ms_per_container for tier in tiers),
    )


def control_options(config: Config, strategy: type[Strategy]) -> ControlOptions:
    """Everything that decisions depend on; a strategy with an option `horizon_m` sees that far."""
    reports, own = config.reports, strategy_options(config, strategy)
    return ControlOptions(
        hysteresis_m=config.attachment.hysteresis_m,
        reports=ReportOptions(reports.distance_m, reports.heading_deg, reports.speed_mps),
        latency=request_latency(config),
        min_speed_mps=config.tier_choice.min_speed_kmh * MPS_PER_KMH,
        horizon_m=getattr(own, "horizon_m", config.prediction.horizon_m),
        slack_m=config.prediction.slack_m,
    )


def strategy_options(config: Config, strategy: type[Strategy]) -> Any:
    """Options of a strategy: an object of its class `Options`; what one of ours has none of its own of it takes from another."""
    sections = config.strategy.model_dump()
    values: dict[str, Any] = {}
    for name in reversed(taken_from(strategy.name)):
        values |= {option: value for option, value in sections.get(name, {}).items() if value is not None or option not in values}
    return strategy.Options(**{each.name: values[each.name] for each in fields(strategy.Options) if each.name in values})


def workload_options(config: Config) -> WorkloadOptions:
    """What containers are drawn from."""
    if config.workload.catalogue is None:
        parts = parts_of(config)
    else:
        images = read_catalogue(input_file(config.workload.catalogue, "workload.catalogue"))
        parts = [Part(each.name, each.weight, config.workload, each.layers) for each in images]
    shares = sent_shares(config)
    kinds = tuple(_kind(part, *shares) for part in parts)
    return WorkloadOptions(kinds, _ends(config.workload.start_ms, S_PER_MS), image_share=shares[0])


def _kind(part: Part, image_share: float, memory_share: float) -> Kind:
    workload, image_mb = part.workload, sum(part.layers.values()) if part.layers else part.workload.image_mb
    return Kind(
        name=part.application,
        weight=part.weight,
        image_bytes=_ends(image_mb, BYTES_PER_MB * image_share),
        memory_bytes=_ends(workload.memory_mb, BYTES_PER_MB * memory_share),
        dirty_share_per_s=workload.dirty_percent_per_s / 100,
        latency_levels_ms=tuple(workload.latency_levels_ms),
        latency_weights=tuple(workload.latency_weights),
        layers=tuple((name, size_mb * BYTES_PER_MB * image_share) for name, size_mb in part.layers.items()),
    )


def sent_shares(config: Config) -> tuple[float, float]:
    """Shares of images, and of memories, that are sent once they are compressed: what the engine takes for their sizes."""
    return config.migration.processing.image_sent_percent / 100, config.migration.processing.memory_sent_percent / 100


def link_options(config: Config) -> LinkOptions:
    """How bytes travel, when dirty memory is sent, and how many containers servers can hold."""
    tiers = list(config.tiers.in_use.values())
    efficiency = config.migration.processing.transport_efficiency
    return LinkOptions(
        bandwidth_bytes_per_s=config.links.bandwidth_mbps * BYTES_PER_MBIT * efficiency,
        dirty_threshold_bytes=config.workload.dirty_threshold_mbit * BYTES_PER_MBIT * sent_shares(config)[1],
        switch_s=config.handoff.switch_ms * S_PER_MS,
        dirty_cap_share=config.workload.dirty_cap_percent / 100,
        is_shared=config.links.mode == "shared",
        room_by_tier=tuple(tier.capacity or 0 for tier in tiers),
        bandwidth_by_tier=tuple((tier.bandwidth_mbps or 0) * BYTES_PER_MBIT * efficiency for tier in tiers),
        efficiency=efficiency,
    )


def processing_options(config: Config) -> Processing:
    """What a migration does beside sending bytes."""
    costs = config.migration.processing
    bytes_per_mb = BYTES_PER_MB * sent_shares(config)[1]

    def own(value: float | None, unit: float = 1.0) -> float:
        return math.nan if value is None else value / unit

    return Processing(
        prepare_s=costs.prepare_s,
        checkpoint_s=costs.checkpoint_s,
        checkpoint_s_per_byte=costs.checkpoint_s_per_mb / bytes_per_mb,
        later_s=own(costs.later_s),
        later_s_per_byte=own(costs.later_s_per_mb, bytes_per_mb),
        later_s_per_changed_byte=costs.later_s_per_changed_mb / bytes_per_mb,
        final_s=own(costs.final_s),
        final_s_per_byte=own(costs.final_s_per_mb, bytes_per_mb),
        final_s_per_changed_byte=own(costs.final_s_per_changed_mb, bytes_per_mb),
        comparison_s=costs.round_s,
        comparison_s_per_byte=costs.round_s_per_mb / bytes_per_mb,
        restore_s=costs.restore_s,
        restore_s_per_byte=costs.restore_s_per_mb / bytes_per_mb,
        answers_s=costs.round_trips * config.links.round_trip_ms * S_PER_MS,
        round_trips=costs.round_trips,
    )


def image_options(config: Config) -> ImageOptions:
    """Where images come from, who has the same ones, and how long and where they stay."""
    images, workload = config.images, config.workload
    uplink = images.cloud_uplink_mbps
    return ImageOptions(
        source=Source[images.source.upper()],
        retain_s=math.inf if images.retain_s is None else images.retain_s,
        cloud_bytes_per_s=math.inf if uplink is None else uplink * BYTES_PER_MBIT * config.migration.processing.transport_efficiency,
        only_idle=images.prefetch_when == "idle",
        are_shared=workload.catalogue is not None or any(part.layers for part in parts_of(config)),
        store_by_tier=tuple(round((tier.store_gb or 0) * BYTES_PER_GB) for tier in config.tiers.in_use.values()),
    )


def request_bytes_per_s(config: Config) -> float:
    """The user's data."""
    return config.workload.request_mbps * BYTES_PER_MBIT


def weights(config: Config) -> Weights:
    """What the cost of a trip is made of."""
    return Weights(**config.cost.model_dump())


def handoff_policy(config: Config) -> HandoffPolicy:
    """What happens at a handoff."""
    return HandoffPolicy(relay_unsynced=config.handoff.unsynced == "relay", finish_user_left=config.handoff.user_left == "finish")


def plan(config: Config) -> Plan:
    """What a migration does."""
    return read_plan(config.handoff.plan)


def postcopy_options(config: Config) -> PostCopy:
    """What a container takes along that runs before its memory is there."""
    options = config.handoff.postcopy
    round_trip_s = config.links.round_trip_ms * S_PER_MS
    return PostCopy(options.state_mb * BYTES_PER_MB, options.faults_per_mb / (BYTES_PER_MB * sent_shares(config)[1]), round_trip_s)


def replay_options(config: Config) -> Replay:
    """How a container that starts from a snapshot catches up with logged messages."""
    options = config.handoff.replay
    return Replay(options.base_s, options.arriving_per_s, options.served_per_s, options.limit_s)


def _word(value: str | float | bool) -> str:
    """A word of a command line, spelt as SUMO spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ends(value: float | list[float], factor: float) -> tuple[float, float]:
    low, high = value if isinstance(value, list) else (value, value)
    return low * factor, high * factor
