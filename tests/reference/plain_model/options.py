"""The options of section 12 that the model needs, converted once (section 0)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .plans import Plan, read_plan


def exact(value: float) -> Fraction:
    """A number as it is written, so that sums that are equal compare equal."""
    return Fraction(str(value))


def area_rings(tier: dict[str, Any]) -> int | None:
    """The areas of a tier (section 2) by the rings around their middle: 0 of them are a cell; None: all cells."""
    area, rings = tier["area"], tier["rings"]
    if area == "rings" and rings is not None:
        return int(rings)
    if area not in ("cell", "all"):
        raise ValueError(f"area: {tier}")
    return 0 if area == "cell" else None


# What an older run's configuration may lack (section 12)
PROCESSING = {
    "prepare_s": 0,
    "later_s": None,
    "later_s_per_mb": None,
    "later_s_per_changed_mb": 0,
    "final_s": None,
    "final_s_per_mb": None,
    "final_s_per_changed_mb": None,
    "memory_sent_percent": 100,
    "image_sent_percent": 100,
}
POSTCOPY = {"state_mb": 1, "faults_per_mb": 7}
REPLAY = {"base_s": 0, "arriving_per_s": 10, "served_per_s": 80, "limit_s": 120}


@dataclass(frozen=True)
class Cost:
    """A term of the processing (reading 39): seconds, and what each byte of the memory adds, and each byte that has changed.

    Bytes are those before compression.
    """

    fixed_s: float
    s_per_byte: float
    s_per_changed_byte: float = 0.0

    def lasts(self, memory: float, changed: float = 0.0) -> float:
        """Seconds that it takes."""
        return self.fixed_s + self.s_per_byte * memory + self.s_per_changed_byte * changed


def read_cost(processing: dict[str, Any], name: str, otherwise: Cost | None = None) -> Cost:
    """A term of the processing; each part of it that is null is that of another term."""

    def part(unit: str, null: float) -> float:
        value = processing.get(f"{name}_s{unit}")
        return null if value is None else float(value) / (1e6 if unit else 1)

    if otherwise is None:
        otherwise = Cost(0.0, 0.0)
    return Cost(
        part("", otherwise.fixed_s),
        part("_per_mb", otherwise.s_per_byte),
        part("_per_changed_mb", otherwise.s_per_changed_byte),
    )


@dataclass(frozen=True)
class Processing:
    """What a migration does beside sending bytes (reading 39)."""

    prepare_s: float
    first: Cost  # snapshots
    later: Cost
    last: Cost  # that of a container that stops, with one before
    only: Cost  # the same, with none before
    state_s: float
    comparison: Cost
    restore: Cost
    round_trips: float

    @staticmethod
    def read(processing: dict[str, Any]) -> Processing:
        """Nulls are filled: "that of a later one, or of the first one where none was taken before"; for the state checkpoint_s."""
        first = read_cost(processing, "checkpoint")
        later = read_cost(processing, "later", first)
        only = read_cost(processing, "final", first)
        return Processing(
            prepare_s=float(processing["prepare_s"]),
            first=first,
            later=later,
            last=read_cost(processing, "final", later),
            only=only,
            state_s=only.fixed_s,
            comparison=read_cost(processing, "round"),
            restore=read_cost(processing, "restore"),
            round_trips=float(processing["round_trips"]),
        )


@dataclass(frozen=True)
class Replay:
    """Messages that are logged and replayed (section 7: REPLAY)."""

    base_s: float
    arriving_per_s: float
    served_per_s: float
    limit_s: float

    def lasts(self, since_s: float) -> float:
        """Seconds of REPLAY, with so many from the snapshot to its begin."""
        if self.arriving_per_s == 0:
            return 0.0
        if self.served_per_s <= self.arriving_per_s:
            return self.limit_s
        return min(self.limit_s, self.arriving_per_s * since_s / (self.served_per_s - self.arriving_per_s))


def bytes_per_s(mbps: float, efficiency: float) -> float:
    """What images and memories get of a bandwidth: "the share transport_efficiency" (section 8)."""
    return mbps * efficiency * 1e6 / 8


@dataclass(frozen=True)
class Tier:
    """The options of one tier of servers."""

    rings: int | None  # around the middle of an area; 0: it is a cell; None: all cells
    latency_ms: Fraction
    compute_ms: Fraction
    compute_ms_per_container: Fraction
    capacity: float
    bytes_per_s: float
    store_bytes: float = math.inf


@dataclass(frozen=True)
class Ahead:
    """What pm and its kin copy ahead, and when (images ahead: pm and its kin)."""

    prefetch: int = 1
    just_in_time: bool = False
    margin: float = 1.3


# "null: what `pm` has. `oracle_tier` takes them from `oracle`, `pm_op_tier` from `pm_op` (and those from `pm`)"
TAKES_FROM = {"pm_tier": "pm", "pm_op": "pm", "oracle": "pm", "oracle_tier": "oracle", "pm_op_tier": "pm_op"}
SOURCES = ("host", "cloud", "other")


def option_of(strategies: dict[str, Any], strategy: str, option: str, default: Any) -> Any:
    """An option of a strategy: its own, or that of the one it takes its options from, and so on."""
    value = (strategies.get(strategy) or {}).get(option)
    if value is not None:
        return value
    return option_of(strategies, TAKES_FROM[strategy], option, default) if strategy in TAKES_FROM else default


def read_ahead(strategies: dict[str, Any], strategy: str) -> Ahead:
    """What a strategy copies ahead; the defaults where its options are absent."""
    memory = option_of(strategies, strategy, "memory", "at_once")
    if memory not in ("at_once", "just_in_time"):
        raise ValueError(f"memory: {memory}")
    prefetch, margin = option_of(strategies, strategy, "prefetch", Ahead.prefetch), option_of(strategies, strategy, "margin", Ahead.margin)
    return Ahead(int(prefetch), memory == "just_in_time", float(margin))


@dataclass(frozen=True)
class Options:
    """The options of section 12, converted once (section 0)."""

    hysteresis_m: float
    tiers: dict[str, Tier]  # the lowest first
    hop_latency_ms: Fraction
    min_speed_mps: float
    horizon_m: float
    slack_m: float
    trigger_m: float
    min_m: float
    min_dwell_s: float
    unsynced: str
    user_left: str
    switch_s: float
    plan: Plan
    state_bytes: float
    faults_per_byte: float  # of missing memory, before compression
    replay: Replay
    processing: Processing
    round_trip_s: float
    efficiency: float
    memory_share: float  # that compression leaves
    image_share: float
    threshold_bytes: float  # after compression
    cap_share: float  # of the memory, that can be dirty
    start_ms: tuple[float, float]
    shared: bool
    links_file: str | None
    report_distance_m: float
    report_heading_deg: float
    report_speed_mps: float
    report_bytes: float
    strategies: tuple[str, ...]
    source: str  # of images: host, cloud or nearest
    retain_s: float
    cloud_bytes_per_s: float
    copies_last: bool  # on shared links: they get what transfers leave
    request_bytes_per_s: float
    ahead: dict[str, Ahead]  # of pm and its kin

    @staticmethod
    def read(config: dict[str, Any]) -> Options:
        """Take what this implementation needs from run.json's config; refuse what it does not model."""
        if config["links"]["mode"] not in ("dedicated", "shared"):
            raise ValueError(f"links: {config['links']}")
        reports, work, handoff = config["reports"], config["workload"], config["handoff"]
        processing = PROCESSING | config["migration"]["processing"]
        postcopy, replay = POSTCOPY | handoff.get("postcopy", {}), REPLAY | handoff.get("replay", {})
        memory_share = float(processing["memory_sent_percent"]) / 100
        links, efficiency = config["links"], float(processing["transport_efficiency"])
        threshold = float(work["dirty_threshold_mbit"]) * 1e6 / 8
        if threshold <= 0:
            raise ValueError("workload.dirty_threshold_mbit must be positive (rounds would never end)")
        if handoff["unsynced"] not in ("stop", "relay") or handoff["user_left"] not in ("abandon", "finish"):
            raise ValueError(f"handoff: {handoff}")
        images = {"source": "host", "retain_s": 0, "cloud_uplink_mbps": None, "prefetch_when": "always"} | config.get("images", {})
        if images["source"] not in ("host", "cloud", "nearest") or images["prefetch_when"] not in ("always", "idle"):
            raise ValueError(f"images: {images}")
        cloud_mbps, retain_s = images["cloud_uplink_mbps"], images["retain_s"]
        tiers: dict[str, Tier] = {}
        for name in config["tiers"]["order"]:
            tier = config["tiers"][name]
            mbps = links["bandwidth_mbps"] if tier["bandwidth_mbps"] is None else tier["bandwidth_mbps"]
            tiers[str(name)] = Tier(
                rings=area_rings(tier),
                latency_ms=exact(tier["latency_ms"]),
                compute_ms=exact(tier["compute_ms"]),
                compute_ms_per_container=exact(tier["compute_ms_per_container"]),
                capacity=math.inf if tier["capacity"] is None else float(tier["capacity"]),
                bytes_per_s=bytes_per_s(float(mbps), efficiency),
                store_bytes=math.inf if tier.get("store_gb") is None else float(tier["store_gb"]) * 1e9,
            )
        return Options(
            hysteresis_m=float(config["attachment"]["hysteresis_m"]),
            tiers=tiers,
            hop_latency_ms=exact(links["hop_latency_ms"]),
            min_speed_mps=float(config["tier_choice"]["min_speed_kmh"]) / 3.6,
            horizon_m=float(config["prediction"]["horizon_m"]),
            slack_m=float(config["prediction"]["slack_m"]),
            trigger_m=float(config["strategy"]["nearest"]["trigger_m"]),
            min_m=float(config["strategy"]["pm_op"]["min_m"]),
            min_dwell_s=float(config["strategy"]["pm_op"]["min_dwell_s"]),
            unsynced=str(handoff["unsynced"]),
            user_left=str(handoff["user_left"]),
            switch_s=float(handoff["switch_ms"]) / 1e3,
            plan=read_plan(str(handoff.get("plan", "precopy"))),
            state_bytes=float(postcopy["state_mb"]) * 1e6,
            faults_per_byte=float(postcopy["faults_per_mb"]) / 1e6,
            replay=Replay(**{name: float(replay[name]) for name in REPLAY}),
            processing=Processing.read(processing),
            round_trip_s=float(links["round_trip_ms"]) / 1e3,
            efficiency=efficiency,
            memory_share=memory_share,
            image_share=float(processing["image_sent_percent"]) / 100,
            threshold_bytes=threshold * memory_share,
            cap_share=float(work.get("dirty_cap_percent", 100)) / 100,
            start_ms=(float(work["start_ms"][0]), float(work["start_ms"][1])),
            shared=links["mode"] == "shared",
            links_file=links["file"],
            report_distance_m=float(reports["distance_m"]),
            report_heading_deg=float(reports["heading_deg"]),
            report_speed_mps=float(reports["speed_mps"]),
            report_bytes=float(reports["bytes"]),
            strategies=tuple(str(name) for name in config["strategies"]),
            source=str(images["source"]),
            retain_s=math.inf if retain_s is None else float(retain_s),
            cloud_bytes_per_s=math.inf if cloud_mbps is None else bytes_per_s(float(cloud_mbps), efficiency),
            copies_last=images["prefetch_when"] == "idle",
            request_bytes_per_s=float(work.get("request_mbps", 0)) * 125_000,
            ahead={strategy: read_ahead(config["strategy"], strategy) for strategy in ("pm", *TAKES_FROM)},
        )

    def start_s(self, image_bytes: float) -> float:
        """Start time of a container (section 5): linear between 100 MB and 2000 MB, which count before compression, clamped."""
        share = min(1.0, max(0.0, (image_bytes / self.image_share / 1e6 - 100) / 1900))
        return (self.start_ms[0] + share * (self.start_ms[1] - self.start_ms[0])) / 1e3

    @property
    def lowest(self) -> str:
        """The lowest tier."""
        return next(iter(self.tiers))
