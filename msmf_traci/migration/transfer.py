"""One container's transfer: its stages in continuous time, and the bytes each sends. Model, section 7.

What a transfer is for, and when one starts or stops, is decided in `machine.py`. `c` is a container's record, `p` its variant's policy,
`key` says whose it is (vehicle, variant), `books` are the ledger's (transfers, stages; whether stages are kept).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import ServerMap, path_ms
from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.migration.links import rate_between
from msmf_traci.migration.processing import before_difference_s, before_image_s, before_snapshot_s, restoring_s
from msmf_traci.migration.service import begin_outage
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.units import S_PER_MS

# plain numbers, which compile to constants
NONE, IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = (int(stage) for stage in Stage)
_SENDING = (IMAGE, MEMORY, ROUND, FINAL)
COMPLETED, MISPREDICTED, USER_LEFT, UNFINISHED, REFUSED = (int(outcome) for outcome in Outcome)


@compiled
def start(c: Any, p: Any, server_map: ServerMap, t_s: float, target: int) -> None:
    """Start a transfer with the image."""
    _open(c, p, server_map, t_s, target)
    _begin(c, t_s, IMAGE, c.image, before_image_s(c))


@compiled
def start_stopped(c: Any, p: Any, server_map: ServerMap, t_s: float, target: int) -> None:
    """Start the transfer of a stopped container, whose snapshot is there: image and memory are sent at once (rule 4)."""
    _open(c, p, server_map, t_s, target)
    c.handoff = t_s
    c.stop = t_s
    _begin(c, t_s, FINAL, c.image + c.memory, before_image_s(c))


@compiled
def finish_stage(c: Any, p: Any, key: tuple[int, int], books: Any) -> bool:
    """End the stage at its `next` and begin the following one; True after RESTORE, which nothing follows."""
    at_s, stage = c.next, c.stage
    _book_stage(c, at_s, c.to_send, key, books)
    if stage == IMAGE:
        _begin(c, at_s, MEMORY, c.memory, before_snapshot_s(c, p))
        c.dirty_base = at_s
    elif stage in (MEMORY, ROUND):
        dirty = dirty_bytes(c, p, at_s)
        if dirty >= p.dirty_threshold:
            _begin_round(c, p, at_s, dirty)
        else:
            _begin_idle(c, p, at_s)
        if c.pending:
            stop(c, p, at_s, key, books)
    elif stage == IDLE:
        _begin_round(c, p, at_s, p.dirty_threshold)
    elif stage == FINAL:
        _begin(c, at_s, RESTORE, 0.0, 0.0)
        c.next = at_s + c.start_up + p.switch + restoring_s(c, p)
    else:
        c.stage = NONE
        c.next = np.inf
        return True
    return False


@compiled
def stop(c: Any, p: Any, t_s: float, key: tuple[int, int], books: Any) -> None:
    """The container stops: FINAL sends what is missing."""
    c.pending = False
    sent = sent_in_stage(c, t_s)
    processing_s = before_difference_s(c, p)
    if c.stage == IMAGE:
        processing_s = before_snapshot_s(c, p)
        missing = c.to_send - sent + c.memory
    elif c.stage == IDLE:
        missing = min(c.memory, dirty_bytes(c, p, t_s))
    else:
        missing = min(c.memory, c.to_send - sent + dirty_bytes(c, p, t_s))
    _book_stage(c, t_s, sent, key, books)
    c.stop = t_s
    _begin(c, t_s, FINAL, missing, processing_s)
    begin_outage(c, t_s)


@compiled
def end(c: Any, t_s: float, outcome: int, x_m: float, y_m: float, key: tuple[int, int], books: Any) -> None:
    """End the transfer, whatever its stage, and book it."""
    if c.stage != NONE:
        _book_stage(c, t_s, sent_in_stage(c, t_s), key, books)
    books[0].append(
        (
            (key[0], key[1], c.number, c.host, c.target, outcome, c.rounds),
            (c.start, c.handoff, c.stop, t_s, c.image_sent, c.memory_sent, c.dirty_sent, c.final_sent, x_m, y_m),
        )
    )
    c.target = NO_SERVER
    c.stage = NONE
    c.next = np.inf


@compiled
def abandon(c: Any, t_s: float, x_m: float, y_m: float, key: tuple[int, int], books: Any) -> None:
    """Give the transfer up: the user left if there was a handoff, else the prediction was wrong."""
    end(c, t_s, MISPREDICTED if np.isnan(c.handoff) else USER_LEFT, x_m, y_m, key, books)


@compiled
def refuse(c: Any, t_s: float, target: int, x_m: float, y_m: float, key: tuple[int, int], books: Any) -> None:
    """Book a transfer that a full server has refused."""
    books[0].append(
        (
            (key[0], key[1], c.numbered, c.host, target, REFUSED, 0),
            (t_s, np.nan, np.nan, t_s, 0.0, 0.0, 0.0, 0.0, x_m, y_m),
        )
    )
    c.numbered += 1


@compiled
def set_rate(c: Any, t_s: float, rate: float) -> None:
    """From now on the transfer gets this rate, in bytes per second."""
    if c.rate == rate:
        return
    if is_sending(c, t_s):
        c.sent_before = sent_in_stage(c, t_s)
        c.since = t_s
    c.rate = rate
    if c.stage in _SENDING:
        c.next = _sent_at(c)


@compiled
def is_sending(c: Any, t_s: float) -> bool:
    """Whether the transfer has bytes to send at an instant: its stage is one that sends, and its processing is done."""
    return bool(c.stage in _SENDING and c.to_send > 0 and c.since <= t_s)


@compiled
def is_waiting(c: Any, t_s: float) -> bool:
    """Whether the transfer has no bytes to send yet, but may before the next frame: in IDLE, or while its stage is in processing."""
    return bool(c.stage == IDLE or (c.stage in _SENDING and c.since > t_s))


@compiled
def sent_in_stage(c: Any, t_s: float) -> float:
    """Bytes that the present stage has sent by an instant."""
    if c.to_send == 0 or c.since > t_s:
        return 0.0
    return float(min(c.to_send, c.sent_before + c.rate * (t_s - c.since)))


@compiled
def dirty_bytes(c: Any, p: Any, t_s: float) -> float:
    """Dirty memory at an instant: grows by a share of the memory per second, capped at the memory."""
    return float(min(c.memory, p.dirty_share * c.memory * (t_s - c.dirty_base)))


@compiled
def _open(c: Any, p: Any, server_map: ServerMap, t_s: float, target: int) -> None:
    c.target = target
    c.number = c.numbered
    c.numbered += 1
    c.rounds = 0
    c.start = t_s
    c.handoff = np.nan
    c.stop = np.nan
    c.image_sent = c.memory_sent = c.dirty_sent = c.final_sent = 0.0
    c.rate = 0.0 if p.shared else rate_between(c.host, target, p, server_map)
    c.answers = p.answers + p.round_trips * 2 * path_ms(c.host, target, server_map) * S_PER_MS


@compiled
def _begin(c: Any, t_s: float, stage: int, to_send: float, processing_s: float) -> None:
    c.stage = stage
    c.begin = t_s
    c.to_send = to_send
    c.sent_before = 0.0
    c.since = t_s + processing_s
    c.next = _sent_at(c)


@compiled
def _sent_at(c: Any) -> float:
    """When the present stage has sent everything, its processing done."""
    missing = c.to_send - c.sent_before
    if missing <= 0:
        return float(c.since)
    return float(c.since + missing / c.rate) if c.rate > 0 else np.inf


@compiled
def _begin_round(c: Any, p: Any, t_s: float, dirty: float) -> None:
    _begin(c, t_s, ROUND, dirty, before_difference_s(c, p))
    c.dirty_base = t_s
    c.rounds += 1


@compiled
def _begin_idle(c: Any, p: Any, t_s: float) -> None:
    _begin(c, t_s, IDLE, 0.0, 0.0)
    rate = p.dirty_share * c.memory
    c.next = c.dirty_base + p.dirty_threshold / rate if rate > 0 and c.memory >= p.dirty_threshold else np.inf


@compiled
def _book_stage(c: Any, t_s: float, sent: float, key: tuple[int, int], books: Any) -> None:
    stage = c.stage
    if stage == IMAGE:
        c.image_sent += sent
    elif stage == MEMORY:
        c.memory_sent += sent
    elif stage == ROUND:
        c.dirty_sent += sent
    elif stage == FINAL:
        c.final_sent += sent
    if books[2]:
        books[1].append(((key[0], key[1], c.number, int(stage)), (c.begin, t_s, sent)))
