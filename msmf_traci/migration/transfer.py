"""One container's transfer: its stages in continuous time, and the bytes each sends. Model, section 7.

What a transfer is for, and when one starts or stops, is decided in `machine.py`.
"""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap, path_ms
from msmf_traci.migration.container import Container
from msmf_traci.migration.ledger import Books, Outcome, Stage
from msmf_traci.migration.links import rate_between
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.processing import before_difference_s, before_image_s, before_snapshot_s, restoring_s
from msmf_traci.migration.service import begin_outage
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.units import S_PER_MS

# plain numbers, which compile to constants
NONE, IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = (int(stage) for stage in Stage)
_SENDING = (IMAGE, MEMORY, ROUND, FINAL)
COMPLETED, MISPREDICTED, USER_LEFT, UNFINISHED, REFUSED = (int(outcome) for outcome in Outcome)


@compiled
def start(c: Container, policy: Policy, server_map: ServerMap, t_s: float, target: int) -> None:
    """Start a transfer with the image."""
    _open(c, policy, server_map, t_s, target)
    _begin(c, t_s, IMAGE, c.image_bytes, before_image_s(c))


@compiled
def start_stopped(c: Container, policy: Policy, server_map: ServerMap, t_s: float, target: int) -> None:
    """Start the transfer of a stopped container, whose snapshot is there: image and memory are sent at once (rule 4)."""
    _open(c, policy, server_map, t_s, target)
    c.handoff_s = t_s
    c.stop_s = t_s
    _begin(c, t_s, FINAL, c.image_bytes + c.memory_bytes, before_image_s(c))


@compiled
def finish_stage(c: Container, policy: Policy, books: Books) -> bool:
    """End the stage at its `next` and begin the following one; True after RESTORE, which nothing follows."""
    at_s, stage = c.next_s, c.stage
    _book_stage(c, at_s, c.to_send_bytes, books)
    if stage == IMAGE:
        _begin(c, at_s, MEMORY, c.memory_bytes, before_snapshot_s(c, policy))
        c.dirty_base_s = at_s
    elif stage in (MEMORY, ROUND):
        dirty = dirty_bytes(c, policy, at_s)
        if dirty >= policy.links.dirty_threshold_bytes:
            _begin_round(c, policy, at_s, dirty)
        else:
            _begin_idle(c, policy, at_s)
        if c.pending:
            stop(c, policy, at_s, books)
    elif stage == IDLE:
        _begin_round(c, policy, at_s, policy.links.dirty_threshold_bytes)
    elif stage == FINAL:
        _begin(c, at_s, RESTORE, 0.0, 0.0)
        c.next_s = at_s + c.start_s + policy.links.switch_s + restoring_s(c, policy)
    else:
        c.stage = NONE
        c.next_s = np.inf
        return True
    return False


@compiled
def stop(c: Container, policy: Policy, t_s: float, books: Books) -> None:
    """The container stops: FINAL sends what is missing."""
    c.pending = False
    sent = sent_in_stage(c, t_s)
    processing_s = before_difference_s(c, policy)
    if c.stage == IMAGE:
        processing_s = before_snapshot_s(c, policy)
        missing = c.to_send_bytes - sent + c.memory_bytes
    elif c.stage == IDLE:
        missing = min(c.memory_bytes, dirty_bytes(c, policy, t_s))
    else:
        missing = min(c.memory_bytes, c.to_send_bytes - sent + dirty_bytes(c, policy, t_s))
    _book_stage(c, t_s, sent, books)
    c.stop_s = t_s
    _begin(c, t_s, FINAL, missing, processing_s)
    begin_outage(c, t_s)


@compiled
def end(c: Container, t_s: float, outcome: int, books: Books) -> None:
    """End the transfer, whatever its stage, and book it."""
    if c.stage != NONE:
        _book_stage(c, t_s, sent_in_stage(c, t_s), books)
    image, memory, dirty, final = c.image_sent_bytes, c.memory_sent_bytes, c.dirty_sent_bytes, c.final_sent_bytes
    books.transfers.append(
        (
            (c.vehicle, c.variant, c.transfer, c.host, c.target, outcome, c.rounds),
            (c.opened_s, c.handoff_s, c.stop_s, t_s, image, memory, dirty, final, c.x_m, c.y_m),
        )
    )
    c.target = NO_SERVER
    c.stage = NONE
    c.next_s = np.inf


@compiled
def abandon(c: Container, t_s: float, books: Books) -> None:
    """Give the transfer up: the user left if there was a handoff, else the prediction was wrong."""
    end(c, t_s, MISPREDICTED if np.isnan(c.handoff_s) else USER_LEFT, books)


@compiled
def refuse(c: Container, t_s: float, target: int, books: Books) -> None:
    """Book a transfer that a full server has refused."""
    books.transfers.append(
        (
            (c.vehicle, c.variant, c.transfers, c.host, target, REFUSED, 0),
            (t_s, np.nan, np.nan, t_s, 0.0, 0.0, 0.0, 0.0, c.x_m, c.y_m),
        )
    )
    c.transfers += 1


@compiled
def set_rate(c: Container, t_s: float, rate: float) -> None:
    """From now on the transfer gets this rate, in bytes per second."""
    if c.rate_bytes_per_s == rate:
        return
    if is_sending(c, t_s):
        c.sent_before_bytes = sent_in_stage(c, t_s)
        c.since_s = t_s
    c.rate_bytes_per_s = rate
    if c.stage in _SENDING:
        c.next_s = _sent_at(c)


@compiled
def is_sending(c: Container, t_s: float) -> bool:
    """Whether the transfer has bytes to send at an instant: its stage is one that sends, and its processing is done."""
    return bool(c.stage in _SENDING and c.to_send_bytes > 0 and c.since_s <= t_s)


@compiled
def is_waiting(c: Container, t_s: float) -> bool:
    """Whether the transfer has no bytes to send yet, but may before the next frame: in IDLE, or while its stage is in processing."""
    return bool(c.stage == IDLE or (c.stage in _SENDING and c.since_s > t_s))


@compiled
def sent_in_stage(c: Container, t_s: float) -> float:
    """Bytes that the present stage has sent by an instant."""
    if c.to_send_bytes == 0 or c.since_s > t_s:
        return 0.0
    return float(min(c.to_send_bytes, c.sent_before_bytes + c.rate_bytes_per_s * (t_s - c.since_s)))


@compiled
def sent_in_stages(containers: Records, t_s: float) -> FloatArray:
    """The same of some containers, shape (n,); 0 of those without a transfer."""
    found = np.zeros(len(containers))
    for i in range(len(containers)):
        if containers[i].stage != NONE:
            found[i] = sent_in_stage(containers[i], t_s)
    return found


@compiled
def dirty_bytes(c: Container, policy: Policy, t_s: float) -> float:
    """Dirty memory at an instant: grows by a share of the memory per second, capped at the memory."""
    return float(min(c.memory_bytes, policy.links.dirty_share_per_s * c.memory_bytes * (t_s - c.dirty_base_s)))


@compiled
def _open(c: Container, policy: Policy, server_map: ServerMap, t_s: float, target: int) -> None:
    c.target = target
    c.transfer = c.transfers
    c.transfers += 1
    c.rounds = 0
    c.opened_s = t_s
    c.handoff_s = np.nan
    c.stop_s = np.nan
    c.image_sent_bytes = c.memory_sent_bytes = c.dirty_sent_bytes = c.final_sent_bytes = 0.0
    c.rate_bytes_per_s = 0.0 if policy.links.is_shared else rate_between(c.host, target, policy, server_map)
    c.answers_s = policy.processing.answers_s + policy.processing.round_trips * 2 * path_ms(c.host, target, server_map) * S_PER_MS


@compiled
def _begin(c: Container, t_s: float, stage: int, to_send: float, processing_s: float) -> None:
    c.stage = stage
    c.begin_s = t_s
    c.to_send_bytes = to_send
    c.sent_before_bytes = 0.0
    c.since_s = t_s + processing_s
    c.next_s = _sent_at(c)


@compiled
def _sent_at(c: Container) -> float:
    """When the present stage has sent everything, its processing done."""
    missing = c.to_send_bytes - c.sent_before_bytes
    if missing <= 0:
        return float(c.since_s)
    return float(c.since_s + missing / c.rate_bytes_per_s) if c.rate_bytes_per_s > 0 else np.inf


@compiled
def _begin_round(c: Container, policy: Policy, t_s: float, dirty: float) -> None:
    _begin(c, t_s, ROUND, dirty, before_difference_s(c, policy))
    c.dirty_base_s = t_s
    c.rounds += 1


@compiled
def _begin_idle(c: Container, policy: Policy, t_s: float) -> None:
    _begin(c, t_s, IDLE, 0.0, 0.0)
    rate, threshold = policy.links.dirty_share_per_s * c.memory_bytes, policy.links.dirty_threshold_bytes
    c.next_s = c.dirty_base_s + threshold / rate if rate > 0 and c.memory_bytes >= threshold else np.inf


@compiled
def _book_stage(c: Container, t_s: float, sent: float, books: Books) -> None:
    stage = c.stage
    if stage == IMAGE:
        c.image_sent_bytes += sent
    elif stage == MEMORY:
        c.memory_sent_bytes += sent
    elif stage == ROUND:
        c.dirty_sent_bytes += sent
    elif stage == FINAL:
        c.final_sent_bytes += sent
    if books.keep_stages:
        books.stages.append(((c.vehicle, c.variant, c.transfer, int(stage)), (c.begin_s, t_s, sent)))
