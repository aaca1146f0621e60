"""What is remembered of one container under one variant."""

from __future__ import annotations

import numpy as np

from msmf_traci.migration.flow import Flow
from msmf_traci.records import Int8, Int32, ListOfServers
from msmf_traci.sentinels import NO_SERVER


class Container(Flow):
    """One container: its task, where it is, its transfer, the service that its user gets, and how its predictions fared.

    Compiled loops see it as a record (`records.py`), one a vehicle and variant. The flow is that of its transfer's stage.
    """

    next_s: float = np.inf  # when something happens to it by itself
    # whose it is
    vehicle: int
    variant: int
    # its task
    image: Int32 = -1  # number of its image in the catalogue, or -1: a private one
    image_bytes: float
    memory_bytes: float
    dirty_share_per_s: float
    start_s: float
    latency_level_ms: float
    # where its vehicle was at its last frame so far
    x_m: float = np.nan
    y_m: float = np.nan
    # its transfer: target NO_SERVER where there is none
    begin_s: float = np.nan
    stage_bytes: float  # what its stage has sent before the flow
    then_bytes: float = np.nan  # what FINAL sends after what is missing of the image; NaN: it is not at the image
    rest_bytes: float  # of the memory, missing at the target when the container stopped
    dirty_base_s: float = np.nan
    answers_s: float  # of its target, which each sending waits for
    opened_s: float = np.nan
    handoff_s: float = np.nan
    stop_s: float = np.nan
    run_s: float = np.nan  # since when it runs on the target
    image_sent_bytes: float
    memory_sent_bytes: float
    dirty_sent_bytes: float
    final_sent_bytes: float
    # its service
    clock_s: float
    outage_begin_s: float = np.nan
    relayed_s: float
    relayed_hops_s: float  # seconds times hops
    late_s: float
    satisfied_s: float
    degraded_s: float
    crowd_ms: float  # what others on its host add to computing
    request_ms: float = np.nan  # latency of its requests, and how long it has run with it since that was booked
    request_s: float
    outage_s: float
    longest_outage_s: float
    host: int = NO_SERVER
    cell: int = NO_SERVER
    hops: int  # between the two
    target: int = NO_SERVER
    pulls_from: int = NO_SERVER  # its host before, while memory comes from there to the target, on which it runs
    transfer: Int32 = -1  # number of the open one
    transfers: Int32  # so far, refused ones included
    rounds: Int32
    handoffs: Int32
    outages: Int32
    # what was decided last, and what was granted
    decided_home: int = NO_SERVER
    decided_target: int = NO_SERVER
    asked_home: int = NO_SERVER
    given_home: int = NO_SERVER
    asked_target: int = NO_SERVER
    given_target: int = NO_SERVER
    prefetch: ListOfServers = NO_SERVER  # type: ignore[assignment]  # each of them
    # its copies: the number of its places for them, or -1; how many it has had
    copies: Int32 = -1
    copied: Int32
    left_at: int = NO_SERVER  # where a transfer that was given up at this frame has left an image that is wanted
    needed_bytes: float  # of images, at servers where one was wanted; what of it was there
    found_bytes: float
    deployed_bytes: float  # of the image, at its first deployment
    # how predictions fared
    first_target: int = NO_SERVER
    newest_target: int = NO_SERVER
    entry_hits: Int32
    entry_misses: Int32
    handoff_hits: Int32
    handoff_misses: Int32
    place: Int32 = -1  # in its variant's list of open transfers
    stage: Int8
    step: Int8  # of the plan
    running: bool
    pending: bool
    late: bool
    censored: bool
    needs_decision: bool  # its host, its state or what it was granted has changed, or may change, by itself
