"""What is remembered of one container under one variant."""

from __future__ import annotations

import numpy as np

from msmf_traci.records import Int8, Int32
from msmf_traci.sentinels import NO_SERVER


class Container:
    """One container: its task, where it is, its transfer, the service that its user gets, and how its predictions fared.

    Compiled loops see it as a record (`records.py`), one a vehicle and variant.
    """

    # whose it is
    vehicle: int
    variant: int
    # its task
    image_bytes: float
    memory_bytes: float
    start_s: float
    latency_level_ms: float
    # where its vehicle was at its last frame so far
    x_m: float = np.nan
    y_m: float = np.nan
    # its transfer: target NO_SERVER where there is none; the stage ends by itself at `next_s`
    next_s: float = np.inf
    begin_s: float = np.nan
    to_send_bytes: float = np.nan
    rate_bytes_per_s: float
    sent_before_bytes: float  # of this stage, before `since_s`, at another rate
    since_s: float = np.nan  # before it, its stage is in processing and sends nothing
    dirty_base_s: float = np.nan
    answers_s: float  # of its target, which each sending waits for
    opened_s: float = np.nan
    handoff_s: float = np.nan
    stop_s: float = np.nan
    image_sent_bytes: float
    memory_sent_bytes: float
    dirty_sent_bytes: float
    final_sent_bytes: float
    # its service
    clock_s: float
    outage_begin_s: float = np.nan
    relayed_s: float
    late_s: float
    satisfied_s: float
    crowd_ms: float  # what others on its host add to computing
    outage_s: float
    longest_outage_s: float
    host: int = NO_SERVER
    cell: int = NO_SERVER
    target: int = NO_SERVER
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
    # how predictions fared
    first_target: int = NO_SERVER
    newest_target: int = NO_SERVER
    entry_hits: Int32
    entry_misses: Int32
    handoff_hits: Int32
    handoff_misses: Int32
    place: Int32 = -1  # in its variant's list of open transfers
    stage: Int8
    running: bool
    pending: bool
    relayed: bool
    late: bool
    censored: bool
    needs_decision: bool  # its host, its state or what it was granted has changed, or may change, by itself
