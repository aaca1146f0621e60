"""One container's transfer: its stages in continuous time, and the bytes each sends. Model, section 7.

What a transfer is for, and when one starts or stops, is decided in `machine.py`.
"""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import find_copy, is_coming, is_listed
from msmf_traci.migration.fetching import end_layer, go_on, leave_image, take_from
from msmf_traci.migration.flow import begin_flow, change_rate, sent_at, sent_bytes, wait
from msmf_traci.migration.images import answers_s, want_image
from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.migration.links import TRANSFERS
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.processing import before_difference_s, before_image_s, before_snapshot_s, restoring_s
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.service import begin_outage
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER

# plain numbers, which compile to constants
NONE, IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = (int(stage) for stage in Stage)
_SENDING = (IMAGE, MEMORY, ROUND, FINAL)
COMPLETED, MISPREDICTED, USER_LEFT, UNFINISHED, REFUSED = (int(outcome) for outcome in Outcome)


@compiled
def start(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Start a transfer: with the image, or with the memory where the image is there."""
    _open(c, t_s, target, scene)
    _begin(c, t_s, IMAGE)
    c.ready_s = t_s + before_image_s(c)
    if not _bring_image(c, t_s, scene):
        _begin_memory(c, t_s, scene)


@compiled
def start_stopped(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Start the transfer of a stopped container, whose snapshot is there: what is missing of the image, and memory, at once (rule 4)."""
    _open(c, t_s, target, scene)
    c.handoff_s = t_s
    c.stop_s = t_s
    _begin_final(c, t_s, before_image_s(c), scene)


@compiled
def finish_stage(c: Container, scene: Scene) -> bool:
    """End what is sent at its `done_s`, and begin what follows; True after RESTORE, which nothing follows."""
    at_s, stage, policy = c.done_s, c.stage, scene.policy
    if c.layer >= 0:
        c.stage_bytes += end_layer(c, c, c.target, at_s, scene)
        if waits_for_image(c):
            go_on_with_image(c, at_s, scene)
            return False
        c.to_send_bytes = 0.0
    _book_stage(c, at_s, c.to_send_bytes, scene)
    if stage in (MEMORY, ROUND):
        dirty = dirty_bytes(c, at_s)
        if dirty >= policy.links.dirty_threshold_bytes:
            _begin_round(c, policy, at_s, dirty)
        else:
            _begin_idle(c, policy, at_s)
        if c.pending:
            stop(c, at_s, scene)
    elif stage == IDLE:
        _begin_round(c, policy, at_s, policy.links.dirty_threshold_bytes)
    elif stage == FINAL:
        _begin(c, at_s, RESTORE)
        c.done_s = at_s + c.start_s + policy.links.switch_s + restoring_s(c, policy)
    else:
        c.stage = NONE
        c.done_s = np.inf
        return True
    return False


@compiled
def waits_for_image(c: Container) -> bool:
    """Whether the transfer still lacks something of the image at its target, whoever brings it."""
    return bool(c.stage == IMAGE or (c.stage == FINAL and c.then_bytes > 0))


@compiled
def go_on_with_image(c: Container, t_s: float, scene: Scene) -> None:
    """Bring what is missing of the image, or, where nothing is, go on with the memory."""
    if _bring_image(c, t_s, scene):
        if c.stage == FINAL and c.layer >= 0 and c.image < 0 and c.source == c.host:  # one layer, which nobody else waits for
            begin_flow(c, c.since_s, c.to_send_bytes + c.then_bytes)
            c.then_bytes = 0.0
    elif c.stage == IMAGE:
        _book_stage(c, t_s, 0.0, scene)
        _begin_memory(c, t_s, scene)
    else:
        _send_memory_in_final(c, t_s, scene)


@compiled
def stop(c: Container, t_s: float, scene: Scene) -> None:
    """The container stops: FINAL sends what is missing."""
    c.pending = False
    policy = scene.policy
    c.stop_s = t_s
    if c.stage == IMAGE:
        _book_stage(c, t_s, end_layer(c, c, c.target, t_s, scene), scene)
        _begin_final(c, t_s, before_snapshot_s(c, policy), scene)
    else:
        sent = sent_bytes(c, t_s)
        _book_stage(c, t_s, sent, scene)
        missing = dirty_bytes(c, t_s) if c.stage == IDLE else c.to_send_bytes - sent + dirty_bytes(c, t_s)
        _begin(c, t_s, FINAL)
        begin_flow(c, t_s + before_difference_s(c, policy), min(c.memory_bytes, missing))
    begin_outage(c, t_s)


@compiled
def end(c: Container, t_s: float, outcome: int, scene: Scene) -> None:
    """End the transfer, whatever its stage, and book it."""
    target = c.target
    if c.layer >= 0:
        _book_stage(c, t_s, end_layer(c, c, target, t_s, scene), scene)
    elif c.stage != NONE:
        _book_stage(c, t_s, sent_bytes(c, t_s), scene)
    sent = c.image_sent_bytes, c.memory_sent_bytes, c.dirty_sent_bytes, c.final_sent_bytes, c.host_bytes, c.cloud_bytes, c.other_bytes
    scene.books.transfers.append(
        (
            (c.vehicle, c.variant, c.transfer, c.host, target, outcome, c.rounds),
            (c.opened_s, c.handoff_s, c.stop_s, t_s, *sent, c.x_m, c.y_m),
        )
    )
    c.target = NO_SERVER
    c.stage = NONE
    c.done_s = np.inf
    c.then_bytes = 0.0
    if outcome != COMPLETED and find_copy(c, target, scene.state.images) < 0:
        if is_listed(c, target):
            c.left_at = target  # `obey_prefetch` goes on with it
        else:
            leave_image(c, target, t_s, scene)


@compiled
def abandon(c: Container, t_s: float, scene: Scene) -> None:
    """Give the transfer up: the user left if there was a handoff, else the prediction was wrong."""
    end(c, t_s, MISPREDICTED if np.isnan(c.handoff_s) else USER_LEFT, scene)


@compiled
def refuse(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Book a transfer that a full server has refused."""
    scene.books.transfers.append(
        (
            (c.vehicle, c.variant, c.transfers, c.host, target, REFUSED, 0),
            (t_s, np.nan, np.nan, t_s, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, c.x_m, c.y_m),
        )
    )
    c.transfers += 1


@compiled
def set_rate(c: Container, t_s: float, rate: float) -> None:
    """From now on the transfer gets this rate, in bytes per second."""
    if c.rate_bytes_per_s == rate:
        return
    change_rate(c, t_s, rate, is_sending(c, t_s))
    if c.stage in _SENDING:
        c.done_s = sent_at(c)


@compiled
def is_sending(c: Container, t_s: float) -> bool:
    """Whether the transfer has bytes to send at an instant: its stage is one that sends, and its processing is done."""
    return bool(c.stage in _SENDING and c.to_send_bytes > 0 and c.since_s <= t_s)


@compiled
def is_waiting(c: Container, t_s: float) -> bool:
    """Whether the transfer has no bytes to send yet, but may before the next frame: in IDLE, or while its stage is in processing."""
    return bool(c.stage == IDLE or (c.stage in _SENDING and c.since_s > t_s))


@compiled
def may_send_later(c: Container, t_s: float) -> bool:
    """Whether the transfer has bytes to send once its processing is done."""
    return bool(c.stage in _SENDING and t_s < c.since_s < np.inf)


@compiled
def sent_in_stages(containers: Records, t_s: float) -> FloatArray:
    """Bytes that the open stages of some containers have sent, shape (n,); 0 of those without a transfer."""
    found = np.zeros(len(containers))
    for i in range(len(containers)):
        if containers[i].stage != NONE:
            found[i] = containers[i].stage_bytes + sent_bytes(containers[i], t_s)
    return found


@compiled
def dirty_bytes(c: Container, t_s: float) -> float:
    """Dirty memory at an instant: grows by a share of the memory per second, capped at the memory."""
    return float(min(c.memory_bytes, c.dirty_share_per_s * c.memory_bytes * (t_s - c.dirty_base_s)))


@compiled
def _open(c: Container, t_s: float, target: int, scene: Scene) -> None:
    c.target = target
    c.transfer = c.transfers
    c.transfers += 1
    c.rounds = 0
    c.opened_s = t_s
    c.handoff_s = np.nan
    c.stop_s = np.nan
    c.image_sent_bytes = c.memory_sent_bytes = c.dirty_sent_bytes = c.final_sent_bytes = 0.0
    c.host_bytes = c.cloud_bytes = c.other_bytes = 0.0
    c.answers_s = answers_s(c, target, scene)
    c.source = NO_SERVER
    take_from(c, TRANSFERS, c.host, target, scene)
    if find_copy(c, target, scene.state.images) < 0:
        want_image(c, target, t_s, scene)


@compiled
def _begin(c: Container, t_s: float, stage: int) -> None:
    """A stage that sends nothing yet."""
    c.stage = stage
    c.begin_s = t_s
    c.then_bytes = c.stage_bytes = 0.0
    begin_flow(c, t_s, 0.0)


@compiled
def _bring_image(c: Container, t_s: float, scene: Scene) -> bool:
    """Begin with the next layer that is missing, or wait for those that others or a copy bring; False where nothing is missing."""
    place = find_copy(c, c.target, scene.state.images)
    if place < 0:
        return go_on(c, TRANSFERS, c, c.target, t_s, scene)
    wait(c)
    return is_coming(scene.state.images.copies[c.copies][place])


@compiled
def _begin_memory(c: Container, t_s: float, scene: Scene) -> None:
    take_from(c, TRANSFERS, c.host, c.target, scene)
    _begin(c, t_s, MEMORY)
    begin_flow(c, t_s + before_snapshot_s(c, scene.policy), c.memory_bytes)
    c.dirty_base_s = t_s


@compiled
def _begin_final(c: Container, t_s: float, processing_s: float, scene: Scene) -> None:
    """FINAL of a container whose memory has not been sent: what is missing of the image, and the memory."""
    _begin(c, t_s, FINAL)
    c.ready_s = t_s + processing_s
    c.then_bytes = c.memory_bytes
    go_on_with_image(c, t_s, scene)


@compiled
def _send_memory_in_final(c: Container, t_s: float, scene: Scene) -> None:
    """The image is there: what is left of FINAL is the memory."""
    take_from(c, TRANSFERS, c.host, c.target, scene)
    begin_flow(c, max(t_s, c.ready_s), c.then_bytes)
    c.then_bytes = 0.0


@compiled
def _begin_round(c: Container, policy: Policy, t_s: float, dirty: float) -> None:
    _begin(c, t_s, ROUND)
    begin_flow(c, t_s + before_difference_s(c, policy), dirty)
    c.dirty_base_s = t_s
    c.rounds += 1


@compiled
def _begin_idle(c: Container, policy: Policy, t_s: float) -> None:
    _begin(c, t_s, IDLE)
    rate, threshold = c.dirty_share_per_s * c.memory_bytes, policy.links.dirty_threshold_bytes
    c.done_s = c.dirty_base_s + threshold / rate if rate > 0 and c.memory_bytes >= threshold else np.inf


@compiled
def _book_stage(c: Container, t_s: float, sent: float, scene: Scene) -> None:
    """A stage has sent so much since its last layer, or since its begin."""
    stage = c.stage
    sent += c.stage_bytes
    if stage == IMAGE:
        c.image_sent_bytes += sent
    elif stage == MEMORY:
        c.memory_sent_bytes += sent
    elif stage == ROUND:
        c.dirty_sent_bytes += sent
    elif stage == FINAL:
        c.final_sent_bytes += sent
    if scene.books.keep_stages:
        scene.books.stages.append(((c.vehicle, c.variant, c.transfer, int(stage)), (c.begin_s, t_s, sent)))
