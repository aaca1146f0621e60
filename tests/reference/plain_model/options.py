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


def seconds(processing: dict[str, Any], name: str, bytes_per_mb: float) -> tuple[float, float]:
    """A term of the processing (section 7): its constant part, and what each byte of the memory adds."""
    return float(processing[f"{name}_s"]), float(processing[f"{name}_s_per_mb"]) / bytes_per_mb


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot takes (reading 39): seconds, for each byte of the memory, and for each that has changed; None: not its own."""

    s: float | None
    per_byte: float | None
    per_changed_byte: float | None

    def otherwise(self, other: Snapshot) -> Snapshot:
        """With the costs of another one where it has none of its own."""
        pairs = (self.s, other.s), (self.per_byte, other.per_byte), (self.per_changed_byte, other.per_changed_byte)
        return Snapshot(*(theirs if own is None else own for own, theirs in pairs))

    def lasts(self, memory: float, changed: float) -> float:
        """Seconds for so much memory, of which so much has changed."""
        assert self.s is not None and self.per_byte is not None and self.per_changed_byte is not None
        return self.s + self.per_byte * memory + self.per_changed_byte * changed


def snapshot(processing: dict[str, Any], name: str, bytes_per_mb: float) -> Snapshot:
    """The costs of a kind of snapshots; older runs know that of the first ones alone."""

    def term(option: str) -> float | None:
        value = processing.get(option)
        return None if value is None else float(value)

    s, per_mb, per_changed_mb = term(f"{name}_s"), term(f"{name}_s_per_mb"), term(f"{name}_s_per_changed_mb")
    return Snapshot(s, None if per_mb is None else per_mb / bytes_per_mb, None if per_changed_mb is None else per_changed_mb / bytes_per_mb)


@dataclass(frozen=True)
class Replay:
    """`handoff.replay`."""

    base_s: float
    arriving_per_s: float
    served_per_s: float
    limit_s: float

    def lasts(self, x_s: float) -> float:
        """Seconds of REPLAY after x seconds (section 7)."""
        if self.arriving_per_s * x_s == 0:
            return 0.0
        gain = self.served_per_s - self.arriving_per_s
        return self.limit_s if gain <= 0 else min(self.limit_s, self.arriving_per_s * x_s / gain)


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
    dirty_cap: float  # share of the memory
    state_bytes: float
    faults_per_byte: float
    replay: Replay
    prepare_s: float
    first: Snapshot
    later: Snapshot
    final: Snapshot
    comparison: tuple[float, float]  # seconds, and seconds for each byte of the memory
    restore: tuple[float, float]
    image_share: float  # of images, what compression has left
    round_trips: float
    round_trip_s: float
    efficiency: float
    threshold_bytes: float
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
        reports, work, handoff, processing = config["reports"], config["workload"], config["handoff"], config["migration"]["processing"]
        links, efficiency = config["links"], float(processing["transport_efficiency"])
        image_share, memory_share = (float(processing.get(f"{what}_sent_percent", 100)) / 100 for what in ("image", "memory"))
        mb = 1e6 * memory_share  # of what was a megabyte before it was compressed
        postcopy = handoff.get("postcopy", {"state_mb": 1, "faults_per_mb": 7})
        replay = handoff.get("replay", {"base_s": 0, "arriving_per_s": 10, "served_per_s": 80, "limit_s": 120})
        threshold = float(work["dirty_threshold_mbit"]) * mb / 8
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
            dirty_cap=float(work.get("dirty_cap_percent", 100)) / 100,
            state_bytes=float(postcopy["state_mb"]) * 1e6,
            faults_per_byte=float(postcopy["faults_per_mb"]) / mb,
            replay=Replay(**{name: float(value) for name, value in replay.items()}),
            prepare_s=float(processing.get("prepare_s", 0)),
            first=snapshot(processing, "checkpoint", mb).otherwise(Snapshot(0.0, 0.0, 0.0)),
            later=snapshot(processing, "later", mb),
            final=snapshot(processing, "final", mb),
            comparison=seconds(processing, "round", mb),
            restore=seconds(processing, "restore", mb),
            image_share=image_share,
            round_trips=float(processing["round_trips"]),
            round_trip_s=float(links["round_trip_ms"]) / 1e3,
            efficiency=efficiency,
            threshold_bytes=threshold,
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
        """Start time of a container (section 5): linear between 100 MB and 2000 MB, clamped."""
        share = min(1.0, max(0.0, (image_bytes / self.image_share / 1e6 - 100) / 1900))
        return (self.start_ms[0] + share * (self.start_ms[1] - self.start_ms[0])) / 1e3

    @property
    def lowest(self) -> str:
        """The lowest tier."""
        return next(iter(self.tiers))
