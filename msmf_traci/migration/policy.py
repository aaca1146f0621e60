"""One variant's rules, in SI units: what the engine must know of the options, under one name from here to the compiled loops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from msmf_traci.deployment.server_map import RequestLatency


@dataclass(frozen=True)
class LinkOptions:
    """How bytes travel, when dirty memory is sent, and what the servers of each tier can hold and send.

    Attributes
    ----------
    bandwidth_bytes_per_s
        Of images and memories: what transport adds to them is taken off before.
    dirty_cap_share
        Most of the memory that can be dirty at once.
    room_by_tier
        Containers that a server of each tier can hold; 0, or no number: any.
    bandwidth_by_tier
        Bandwidth of a server of each tier; 0, or no number: the one above.
    efficiency
        Share of a bandwidth that carries images and memories, for those that servers or links have of their own.
    """

    bandwidth_bytes_per_s: float
    dirty_threshold_bytes: float
    switch_s: float
    dirty_cap_share: float = 1.0
    is_shared: bool = False
    room_by_tier: tuple[int, ...] = ()
    bandwidth_by_tier: tuple[float, ...] = ()
    efficiency: float = 1.0


class Source(IntEnum):
    """Where images come from: the container's host, the cloud's image set, or the nearest server that has them."""

    HOST = 0
    CLOUD = 1
    NEAREST = 2


HOST_IS_SOURCE, CLOUD_IS_SOURCE, NEAREST_IS_SOURCE = (int(source) for source in Source)  # plain numbers, which compile to constants


@dataclass(frozen=True)
class ImageOptions:
    """Where images come from, how long servers keep them, and which copies may be sent.

    Attributes
    ----------
    source
        Where images come from, a number of `Source`.
    retain_s
        How long a server keeps a layer that is not in use.
    cloud_bytes_per_s
        What the cloud's link carries of images.
    only_idle
        Whether copies get only what transfers leave of links.
    are_shared
        Whether containers may have layers in common.
    store_by_tier
        Bytes of images that a server of each tier can hold; 0, or no number: any.
    """

    source: int = HOST_IS_SOURCE
    retain_s: float = 0.0
    cloud_bytes_per_s: float = math.inf
    only_idle: bool = False
    are_shared: bool = False
    store_by_tier: tuple[float, ...] = ()


AS_IN_THE_PAPER = ImageOptions()


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
    prepare_s
        Before anything is sent.
    checkpoint_s, checkpoint_s_per_byte
        A snapshot of the memory.
    later_s, later_s_per_byte, later_s_per_changed_byte
        A later snapshot, and each byte that has changed since the one before; NaN: as the first one.
    final_s, final_s_per_byte, final_s_per_changed_byte
        The snapshot of a container that stops; NaN: as a later one, or as the first where there was none.
    comparison_s, comparison_s_per_byte
        Comparing a snapshot with the one that the target holds.
    restore_s, restore_s_per_byte
        Restoring, beside the start time.
    answers_s
        What each sending waits for the target's answers.
    round_trips
        Round trips on the path to the target that each sending waits for beside that, where links say how long they take.
    """

    prepare_s: float = 0.0
    checkpoint_s: float = 0.0
    checkpoint_s_per_byte: float = 0.0
    later_s: float = math.nan
    later_s_per_byte: float = math.nan
    later_s_per_changed_byte: float = 0.0
    final_s: float = math.nan
    final_s_per_byte: float = math.nan
    final_s_per_changed_byte: float = math.nan
    comparison_s: float = 0.0
    comparison_s_per_byte: float = 0.0
    restore_s: float = 0.0
    restore_s_per_byte: float = 0.0
    answers_s: float = 0.0
    round_trips: float = 0.0


NO_PROCESSING = Processing()


@dataclass(frozen=True)
class PostCopy:
    """What post-copy takes: the state of execution, and misses of memory that has not come yet, each for a round trip."""

    state_bytes: float = 0.0
    faults_per_byte: float = 0.0
    round_trip_s: float = 0.0


NO_POSTCOPY = PostCopy()


@dataclass(frozen=True)
class Replay:
    """What it takes to bring a snapshot up to date from a log of messages.

    Attributes
    ----------
    base_s
        Before the first message is replayed, beside restoring.
    arriving_per_s, served_per_s
        Messages that arrive, and that the restored container can serve.
    limit_s
        After which replaying is cut off.
    """

    base_s: float = 0.0
    arriving_per_s: float = 0.0
    served_per_s: float = 0.0
    limit_s: float = 0.0


NO_REPLAY = Replay()


@dataclass(frozen=True)
class Policy:
    """The rules of one variant; `tiers` says how many its strategy uses, counted from the lowest."""

    links: LinkOptions
    handoff: HandoffPolicy
    latency: RequestLatency
    tiers: int
    processing: Processing = NO_PROCESSING
    images: ImageOptions = AS_IN_THE_PAPER
    postcopy: PostCopy = NO_POSTCOPY
    replay: Replay = NO_REPLAY
