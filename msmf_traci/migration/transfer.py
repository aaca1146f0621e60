"""One container's transfer: its stages in continuous time, and the bytes each sends. Model, section 7.

What a transfer is for, and when one starts or stops, is decided in `machine.py`.
"""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import COMING, NOWHERE, THERE, find_copy
from msmf_traci.migration.flow import begin_flow, change_rate, sent_at, sent_bytes
from msmf_traci.migration.images import answers_s, by_source, image_at, image_rate, leave_image
from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.migration.links import rate_between
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
    image = _open(c, t_s, target, scene)
    if image == THERE:
        _begin_memory(c, t_s, scene.policy)
    elif image == COMING:
        _begin(c, t_s, IMAGE, 0.0, np.inf)
    else:
        _use_rate_of_image(c, scene)
        _begin(c, t_s, IMAGE, c.image_bytes, before_image_s(c))
        c.image_part_bytes = c.image_bytes


@compiled
def start_stopped(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Start the transfer of a stopped container, whose snapshot is there: what is missing of the image, and memory, at once (rule 4)."""
    image = _open(c, t_s, target, scene)
    c.handoff_s = t_s
    c.stop_s = t_s
    _begin_final(c, t_s, c.image_bytes if image == NOWHERE else 0.0, before_image_s(c), image == COMING, scene)


@compiled
def finish_stage(c: Container, scene: Scene) -> bool:
    """End the stage at its `done_s` and begin the following one; True after RESTORE, which nothing follows."""
    at_s, stage, policy = c.done_s, c.stage, scene.policy
    if c.then_bytes > 0:
        _send_the_rest(c, at_s, policy)
        return False
    _book_stage(c, at_s, c.to_send_bytes, scene)
    if stage == IMAGE:
        _begin_memory(c, at_s, policy)
    elif stage in (MEMORY, ROUND):
        dirty = dirty_bytes(c, policy, at_s)
        if dirty >= policy.links.dirty_threshold_bytes:
            _begin_round(c, policy, at_s, dirty)
        else:
            _begin_idle(c, policy, at_s)
        if c.pending:
            stop(c, at_s, scene)
    elif stage == IDLE:
        _begin_round(c, policy, at_s, policy.links.dirty_threshold_bytes)
    elif stage == FINAL:
        _begin(c, at_s, RESTORE, 0.0, 0.0)
        c.done_s = at_s + c.start_s + policy.links.switch_s + restoring_s(c, policy)
    else:
        c.stage = NONE
        c.done_s = np.inf
        return True
    return False


@compiled
def image_has_come(c: Container, t_s: float, scene: Scene) -> None:
    """The copy that the transfer waits for is complete."""
    if c.stage == IMAGE:
        c.done_s = t_s
        finish_stage(c, scene)
    elif c.stage == FINAL:
        c.since_s = max(t_s, c.ready_s)
        c.done_s = sent_at(c)


@compiled
def stop(c: Container, t_s: float, scene: Scene) -> None:
    """The container stops: FINAL sends what is missing."""
    c.pending = False
    policy = scene.policy
    sent = sent_bytes(c, t_s)
    _book_stage(c, t_s, sent, scene)
    c.stop_s = t_s
    if c.stage == IMAGE:
        waits = c.since_s == np.inf
        _begin_final(c, t_s, c.to_send_bytes - sent, before_snapshot_s(c, policy), waits, scene)
    else:
        missing = dirty_bytes(c, policy, t_s) if c.stage == IDLE else c.to_send_bytes - sent + dirty_bytes(c, policy, t_s)
        _begin(c, t_s, FINAL, min(c.memory_bytes, missing), before_difference_s(c, policy))
    begin_outage(c, t_s)


@compiled
def end(c: Container, t_s: float, outcome: int, scene: Scene) -> None:
    """End the transfer, whatever its stage, and book it."""
    left_bytes, target = 0.0, c.target
    if c.stage != NONE:
        sent = sent_bytes(c, t_s)
        left_bytes = max(0.0, c.image_part_bytes - sent)
        _book_stage(c, t_s, sent, scene)
    from_host, from_cloud = by_source(c.image_from_source_bytes, scene)
    image, memory, dirty, final = c.image_sent_bytes, c.memory_sent_bytes, c.dirty_sent_bytes, c.final_sent_bytes
    scene.books.transfers.append(
        (
            (c.vehicle, c.variant, c.transfer, c.host, c.target, outcome, c.rounds),
            (c.opened_s, c.handoff_s, c.stop_s, t_s, image, memory, dirty, final, from_host, from_cloud, c.x_m, c.y_m),
        )
    )
    c.target = NO_SERVER
    c.stage = NONE
    c.done_s = np.inf
    c.image_part_bytes = c.then_bytes = 0.0
    if outcome != COMPLETED:
        leave_image(c, target, left_bytes, t_s, scene)


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
            (t_s, np.nan, np.nan, t_s, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, c.x_m, c.y_m),
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
def sends_image_from_elsewhere(c: Container, policy: Policy) -> bool:
    """Whether what the transfer sends is an image that does not come from the host."""
    return bool(policy.images.is_from_cloud and (c.then_bytes > 0 or (c.stage == IMAGE and c.to_send_bytes > 0)))


@compiled
def sent_in_stages(containers: Records, t_s: float) -> FloatArray:
    """The same of some containers, shape (n,); 0 of those without a transfer."""
    found = np.zeros(len(containers))
    for i in range(len(containers)):
        if containers[i].stage != NONE:
            found[i] = sent_bytes(containers[i], t_s)
    return found


@compiled
def dirty_bytes(c: Container, policy: Policy, t_s: float) -> float:
    """Dirty memory at an instant: grows by a share of the memory per second, capped at the memory."""
    return float(min(c.memory_bytes, policy.links.dirty_share_per_s * c.memory_bytes * (t_s - c.dirty_base_s)))


@compiled
def _open(c: Container, t_s: float, target: int, scene: Scene) -> int:
    """Open a transfer; where the image is, seen from the target."""
    image = image_at(c, target, t_s, scene)
    c.target = target
    c.transfer = c.transfers
    c.transfers += 1
    c.rounds = 0
    c.opened_s = t_s
    c.handoff_s = np.nan
    c.stop_s = np.nan
    c.image_sent_bytes = c.memory_sent_bytes = c.dirty_sent_bytes = c.final_sent_bytes = c.image_from_source_bytes = 0.0
    c.rate_bytes_per_s = 0.0 if scene.policy.links.is_shared else rate_between(c.host, target, scene.policy, scene.server_map)
    c.rate_after_bytes_per_s = c.rate_bytes_per_s
    c.answers_s = answers_s(c, target, scene)
    if find_copy(c, target, scene.state.images) < 0:
        c.needed_bytes += c.image_bytes
        c.found_bytes += c.image_bytes if image == THERE else 0.0
    return image


@compiled
def _begin(c: Container, t_s: float, stage: int, to_send: float, processing_s: float) -> None:
    c.stage = stage
    c.begin_s = t_s
    c.image_part_bytes = c.then_bytes = 0.0
    begin_flow(c, t_s, to_send, processing_s)


@compiled
def _use_rate_of_image(c: Container, scene: Scene) -> None:
    """An image is about to be sent, from wherever it comes."""
    if scene.policy.images.is_from_cloud and not scene.policy.links.is_shared:
        c.rate_bytes_per_s = image_rate(c, c.target, scene)


@compiled
def _use_rate_from_host(c: Container, policy: Policy) -> None:
    """The image has been sent; what follows comes from the host."""
    if policy.images.is_from_cloud:
        c.rate_bytes_per_s = c.rate_after_bytes_per_s


@compiled
def _send_the_rest(c: Container, t_s: float, policy: Policy) -> None:
    """FINAL has sent the image from elsewhere, and goes on with the memory from the host."""
    _use_rate_from_host(c, policy)
    c.sent_before_bytes = c.to_send_bytes
    c.to_send_bytes += c.then_bytes
    c.then_bytes = 0.0
    c.since_s = t_s
    c.done_s = sent_at(c)


@compiled
def _begin_memory(c: Container, t_s: float, policy: Policy) -> None:
    _use_rate_from_host(c, policy)
    _begin(c, t_s, MEMORY, c.memory_bytes, before_snapshot_s(c, policy))
    c.dirty_base_s = t_s


@compiled
def _begin_final(c: Container, t_s: float, image_bytes: float, processing_s: float, waits: bool, scene: Scene) -> None:
    """FINAL of a container whose memory has not been sent: what is missing of the image, and the memory."""
    if waits:
        _begin(c, t_s, FINAL, c.memory_bytes, np.inf)
        c.ready_s = t_s + processing_s
    elif scene.policy.images.is_from_cloud and image_bytes > 0:
        _use_rate_of_image(c, scene)
        _begin(c, t_s, FINAL, image_bytes, processing_s)
        c.then_bytes = c.memory_bytes
    else:
        _begin(c, t_s, FINAL, image_bytes + c.memory_bytes, processing_s)
    c.image_part_bytes = image_bytes


@compiled
def _begin_round(c: Container, policy: Policy, t_s: float, dirty: float) -> None:
    _begin(c, t_s, ROUND, dirty, before_difference_s(c, policy))
    c.dirty_base_s = t_s
    c.rounds += 1


@compiled
def _begin_idle(c: Container, policy: Policy, t_s: float) -> None:
    _begin(c, t_s, IDLE, 0.0, 0.0)
    rate, threshold = policy.links.dirty_share_per_s * c.memory_bytes, policy.links.dirty_threshold_bytes
    c.done_s = c.dirty_base_s + threshold / rate if rate > 0 and c.memory_bytes >= threshold else np.inf


@compiled
def _book_stage(c: Container, t_s: float, sent: float, scene: Scene) -> None:
    stage = c.stage
    if stage == IMAGE:
        c.image_sent_bytes += sent
    elif stage == MEMORY:
        c.memory_sent_bytes += sent
    elif stage == ROUND:
        c.dirty_sent_bytes += sent
    elif stage == FINAL:
        c.final_sent_bytes += sent
    c.image_from_source_bytes += min(sent, c.image_part_bytes)
    if scene.books.keep_stages:
        scene.books.stages.append(((c.vehicle, c.variant, c.transfer, int(stage)), (c.begin_s, t_s, sent)))
