"""What is remembered of one container under one variant, and what a variant prescribes: plain records that compiled loops read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msmf_traci.deployment.servers import RequestLatency
from msmf_traci.sentinels import MOST_TIERS, NO_SERVER

Records = NDArray[np.void]

# One container: where it is, its transfer, the service its user gets, and how its predictions fared. Times in seconds, sizes in bytes.
CONTAINER = np.dtype(
    [
        # its task
        ("image", np.float64),
        ("memory", np.float64),
        ("start_up", np.float64),
        ("level_ms", np.float64),
        # its transfer: target NO_SERVER where there is none; the stage ends by itself at `next`
        ("next", np.float64),
        ("begin", np.float64),
        ("to_send", np.float64),
        ("rate", np.float64),
        ("sent_before", np.float64),  # bytes of this stage sent before `since`, at another rate
        ("since", np.float64),  # before it, its stage is in processing and sends nothing
        ("dirty_base", np.float64),
        ("answers", np.float64),  # of its target, which each sending waits for
        ("start", np.float64),
        ("handoff", np.float64),
        ("stop", np.float64),
        ("image_sent", np.float64),
        ("memory_sent", np.float64),
        ("dirty_sent", np.float64),
        ("final_sent", np.float64),
        # its service
        ("clock", np.float64),
        ("outage_begin", np.float64),
        ("relayed_s", np.float64),
        ("late_s", np.float64),
        ("satisfied_s", np.float64),
        ("crowd_ms", np.float64),  # what others on its host add to computing
        ("outage_s", np.float64),
        ("longest_outage_s", np.float64),
        ("host", np.int32),
        ("cell", np.int32),
        ("target", np.int32),
        ("number", np.int32),  # of the open transfer
        ("numbered", np.int32),  # transfers so far, refused ones included
        ("rounds", np.int32),
        ("handoffs", np.int32),
        ("outages", np.int32),
        ("decided", np.int32),
        ("first_target", np.int32),
        ("newest_target", np.int32),
        ("entry_hits", np.int32),
        ("entry_misses", np.int32),
        ("handoff_hits", np.int32),
        ("handoff_misses", np.int32),
        ("asked_home", np.int32),
        ("given_home", np.int32),
        ("asked_target", np.int32),
        ("given_target", np.int32),
        ("place", np.int32),  # in its variant's list of open transfers, where rates are shared
        ("stage", np.int8),
        ("running", np.bool_),
        ("pending", np.bool_),
        ("relayed", np.bool_),
        ("late", np.bool_),
        ("censored", np.bool_),
        ("anew", np.bool_),  # its host or its state has changed: decide anew at its next frame
    ],
    align=True,
)
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("next",), np.inf),
    **dict.fromkeys(("begin", "to_send", "since", "dirty_base", "start", "handoff", "stop", "outage_begin"), np.nan),
    **dict.fromkeys(("host", "cell", "target", "decided", "first_target", "newest_target"), NO_SERVER),
    **dict.fromkeys(("asked_home", "given_home", "asked_target", "given_target"), NO_SERVER),
    **dict.fromkeys(("number", "place"), -1),
}

# One variant's rules, in SI units.
POLICY = np.dtype(
    [
        ("bandwidth", np.float64, (MOST_TIERS,)),  # bytes of images and memories per second, of each server of a tier
        ("efficiency", np.float64),  # share of any other bandwidth that carries them
        ("dirty_share", np.float64),
        ("dirty_threshold", np.float64),
        ("switch", np.float64),
        ("checkpoint", np.float64),
        ("checkpoint_per_byte", np.float64),
        ("comparison", np.float64),
        ("comparison_per_byte", np.float64),
        ("restoring", np.float64),
        ("restoring_per_byte", np.float64),
        ("answers", np.float64),
        ("round_trips", np.float64),  # of a path between servers, beside the answers
        ("tier_ms", np.float64, (MOST_TIERS,)),  # of a request that a server of each tier answers without a relay
        ("hop_ms", np.float64),
        ("per_container_ms", np.float64, (MOST_TIERS,)),
        ("room", np.int64, (MOST_TIERS,)),  # of each server of a tier
        ("tiers", np.int64),
        ("relay", np.bool_),
        ("finish", np.bool_),
        ("shared", np.bool_),
    ],
    align=True,
)
UNLIMITED = 2**62


@dataclass(frozen=True)
class LinkOptions:
    """How bytes travel, when dirty memory is sent, and what the servers of each tier can hold and send.

    Attributes
    ----------
    bandwidth_bytes_per_s
        Of images and memories: what transport adds to them is taken off before.
    room_by_tier
        Containers that a server of each tier can hold; None, or no number: any.
    bandwidth_by_tier
        Bandwidth of a server of each tier; None, or no number: the one above.
    efficiency
        Share of a bandwidth that carries images and memories, for those that servers or links have of their own.
    """

    bandwidth_bytes_per_s: float
    dirty_share_per_s: float
    dirty_threshold_bytes: float
    switch_s: float
    is_shared: bool = False
    room_by_tier: tuple[int | None, ...] = ()
    bandwidth_by_tier: tuple[float | None, ...] = ()
    efficiency: float = 1.0


@dataclass(frozen=True)
class HandoffPolicy:
    """What happens to containers that are not synchronised at the handoff, and to users who leave meanwhile."""

    relay_unsynced: bool
    finish_user_left: bool


@dataclass(frozen=True)
class Processing:
    """What a migration does beside sending bytes, in seconds and in seconds per byte of memory; nothing in the paper's model.

    Attributes
    ----------
    checkpoint_s, checkpoint_s_per_byte
        A snapshot of the memory.
    comparison_s, comparison_s_per_byte
        Comparing a snapshot with the one that the target holds.
    restore_s, restore_s_per_byte
        Restoring, beside the start time.
    answers_s
        What each sending waits for the target's answers.
    round_trips
        Round trips on the path to the target that each sending waits for beside that, where links say how long they take.
    """

    checkpoint_s: float = 0.0
    checkpoint_s_per_byte: float = 0.0
    comparison_s: float = 0.0
    comparison_s_per_byte: float = 0.0
    restore_s: float = 0.0
    restore_s_per_byte: float = 0.0
    answers_s: float = 0.0
    round_trips: float = 0.0


NO_PROCESSING = Processing()


def policy(
    links: LinkOptions,
    handoff: HandoffPolicy,
    latency: RequestLatency,
    tiers: int | None,
    processing: Processing = NO_PROCESSING,
) -> Records:
    """One variant's record, shape (); `tiers` says how many the strategy uses, None: all."""
    record = np.zeros((), dtype=POLICY)
    record["bandwidth"], record["efficiency"] = links.bandwidth_bytes_per_s, links.efficiency
    for tier, bandwidth in enumerate(links.bandwidth_by_tier):
        record["bandwidth"][tier] = links.bandwidth_bytes_per_s if bandwidth is None else bandwidth
    record["dirty_share"] = links.dirty_share_per_s
    record["dirty_threshold"] = links.dirty_threshold_bytes
    record["switch"] = links.switch_s
    record["checkpoint"], record["checkpoint_per_byte"] = processing.checkpoint_s, processing.checkpoint_s_per_byte
    record["comparison"], record["comparison_per_byte"] = processing.comparison_s, processing.comparison_s_per_byte
    record["restoring"], record["restoring_per_byte"] = processing.restore_s, processing.restore_s_per_byte
    record["answers"], record["round_trips"] = processing.answers_s, processing.round_trips
    record["tier_ms"][: len(latency.by_tier_ms)], record["hop_ms"] = latency.by_tier_ms, latency.hop_ms
    record["per_container_ms"][: len(latency.per_container_ms)] = latency.per_container_ms
    record["room"] = UNLIMITED
    for tier, room in enumerate(links.room_by_tier):
        record["room"][tier] = UNLIMITED if room is None else room
    record["tiers"] = min(tiers or MOST_TIERS, len(latency.by_tier_ms))
    record["relay"], record["finish"], record["shared"] = handoff.relay_unsynced, handoff.finish_user_left, links.is_shared
    return record


def new_containers(vehicles: int, variants: int) -> Records:
    """Containers of vehicles that are not yet on the road, shape (vehicles, variants)."""
    records = np.zeros((vehicles, variants), dtype=CONTAINER)
    for name, value in _EMPTY.items():
        records[name] = value
    return records
