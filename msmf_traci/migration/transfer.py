"""One container's transfer: its stages in continuous time, and the bytes each sends. Model, section 7.

What a transfer is for, and when one starts or stops, is decided in `machine.py`.
"""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.compiled import compiled
from msmf_traci.deployment.server_map import path_ms
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import find_copy, is_coming, is_listed
from msmf_traci.migration.fetching import end_layer, go_on, leave_image, take_from
from msmf_traci.migration.flow import begin_flow, change_rate, sent_at, sent_bytes, wait
from msmf_traci.migration.images import answers_s, want_image
from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.migration.links import TRANSFERS
from msmf_traci.migration.plan import Sends, Until
from msmf_traci.migration.policy import HOST_IS_SOURCE, Policy
from msmf_traci.migration.processing import (
    before_difference_s,
    before_image_s,
    before_rest_s,
    before_snapshot_s,
    before_state_s,
    replaying_s,
    restoring_s,
)
from msmf_traci.migration.scene import Scene
from msmf_traci.migration.service import begin_outage, settle
from msmf_traci.records import Records
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.units import S_PER_MS

# plain numbers, which compile to constants
NONE, IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE, PULL, REPLAY = (int(stage) for stage in Stage)
_SENDING = (IMAGE, MEMORY, ROUND, FINAL, PULL)
_STATE, _SNAPSHOT = int(Sends.STATE), int(Sends.SNAPSHOT)
_SENT, _THRESHOLD, _ROUNDS, _DOWNTIME, _TIME, _HANDOFF = (int(until) for until in Until)
COMPLETED, MISPREDICTED, USER_LEFT, UNFINISHED, REFUSED = (int(outcome) for outcome in Outcome)


@compiled
def start(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Start a transfer: with the image, or with what follows where the image is there."""
    _open(c, t_s, target, scene)
    _go_to(c, 0, t_s, 0.0, scene)


@compiled
def start_stopped(c: Container, t_s: float, target: int, scene: Scene) -> None:
    """Start the transfer of a stopped container, whose snapshot is there: what is missing of the image, and memory, at once (rule 4)."""
    _open(c, t_s, target, scene)
    c.handoff_s = t_s
    c.stop_s = t_s
    c.rest_bytes = c.memory_bytes
    _begin_final(c, t_s, prepared_s(c, t_s, scene) - t_s + before_image_s(c), 0.0, scene)


@compiled
def finish_stage(c: Container, scene: Scene) -> bool:
    """End what is sent at its `done_s`, and begin what follows.

    True after RESTORE, PULL and REPLAY: the container moves, or the transfer ends.
    """
    at_s, stage, policy = c.done_s, c.stage, scene.policy
    if c.layer >= 0:
        c.stage_bytes += end_layer(c, c, c.target, at_s, scene)
        if waits_for_image(c):
            go_on_with_image(c, at_s, scene)
            return False
        c.to_send_bytes = 0.0
    elif stage == IMAGE:  # it has been prepared
        go_on_with_image(c, at_s, scene)
        return False
    _book_stage(c, at_s, c.to_send_bytes, scene)
    if stage in (RESTORE, PULL, REPLAY):
        c.stage = NONE
        c.done_s = np.inf
        return True
    step = scene.plan.steps[c.step]
    if stage == FINAL:
        c.step = step.then
        _begin(c, at_s, RESTORE)
        c.done_s = at_s + c.start_s + policy.links.switch_s + restoring_s(c, _stop_sends(scene) == _STATE, policy)
        if _stop_sends(scene) == _SNAPSHOT:
            c.done_s += policy.replay.base_s
    else:
        dirty = policy.links.dirty_threshold_bytes if step.until == _THRESHOLD else dirty_bytes(c, at_s, policy)
        is_repeated = (step.until == _ROUNDS and c.rounds < step.value) or (
            step.until == _DOWNTIME and dirty > step.value * c.rate_bytes_per_s
        )
        _go_to(c, c.step if is_repeated else step.then, at_s, dirty, scene)
    return False


@compiled
def _go_to(c: Container, number: int, t_s: float, dirty: float, scene: Scene) -> None:
    """Begin a step of the plan while the container runs, or the one that follows where nothing has to be waited for."""
    policy = scene.policy
    while True:
        step = scene.plan.steps[number]
        c.step = number
        if step.stage == MEMORY:
            _begin_memory(c, t_s, scene)
            break
        if step.stage == ROUND:
            _begin_round(c, policy, t_s, dirty)
            break
        if step.stage == IDLE and not (step.until == _THRESHOLD and dirty >= policy.links.dirty_threshold_bytes):
            _begin_idle(c, policy, t_s, step.until, step.value)
            break
        if step.stage == IMAGE:
            _begin(c, t_s, IMAGE)
            c.ready_s = prepared_s(c, t_s, scene) + before_image_s(c)
            if _bring_image(c, t_s, scene) or _waits_until_prepared(c, t_s, scene):
                break
            take_from(c, TRANSFERS, c.host, c.target, scene)
        number = step.then
    if c.pending and may_stop(c, scene):
        stop(c, t_s, scene)


@compiled
def waits_for_image(c: Container) -> bool:
    """Whether the transfer still lacks something of the image at its target, whoever brings it."""
    return bool(c.stage == IMAGE or (c.stage == FINAL and not np.isnan(c.then_bytes)))


@compiled
def go_on_with_image(c: Container, t_s: float, scene: Scene) -> None:
    """Bring what is missing of the image, or, where nothing is, go on with what follows."""
    if c.stage == FINAL:
        _go_on_with_final(c, t_s, scene)
    elif not (_bring_image(c, t_s, scene) or _waits_until_prepared(c, t_s, scene)):
        _book_stage(c, t_s, 0.0, scene)
        take_from(c, TRANSFERS, c.host, c.target, scene)
        _go_to(c, scene.plan.steps[c.step].then, t_s, 0.0, scene)


@compiled
def stop(c: Container, t_s: float, scene: Scene) -> None:
    """The container stops: FINAL sends what is missing, or what it needs to run on the target."""
    c.pending = False
    policy = scene.policy
    c.stop_s = t_s
    sent = sent_bytes(c, t_s)
    _book_stage(c, t_s, sent, scene)
    begin_outage(c, t_s)
    if c.stage == IMAGE:
        c.rest_bytes = c.memory_bytes
        _begin_final(c, t_s, prepared_s(c, t_s, scene) - t_s + _before_final_s(c, c.rest_bytes, scene), sent, scene)
        return
    left = 0.0 if c.stage == IDLE else c.to_send_bytes - sent
    flows_s = max(t_s, c.since_s) if left > 0 else t_s
    if np.isnan(c.dirty_base_s):  # no snapshot was taken before
        c.rest_bytes = c.memory_bytes
        flows_s = t_s + _before_final_s(c, c.rest_bytes, scene)
    elif _stop_sends(scene) == _SNAPSHOT:  # the one under way, which has been taken
        c.rest_bytes = left
    else:
        dirty = dirty_bytes(c, t_s, policy)
        c.rest_bytes = left + dirty * (1 - left / c.memory_bytes)  # what has changed of what is left is not sent twice
        flows_s = t_s + _before_final_s(c, dirty, scene)
    c.step = scene.plan.stops_at
    _begin(c, t_s, FINAL)
    begin_flow(c, flows_s, _of_final(c, scene))


@compiled
def prepared_s(c: Container, t_s: float, scene: Scene) -> float:
    """When the open transfer has been prepared, or now if that is over."""
    return float(max(t_s, c.opened_s + scene.policy.processing.prepare_s))


@compiled
def _waits_until_prepared(c: Container, t_s: float, scene: Scene) -> bool:
    """Whether a transfer that lacks nothing of the image is still being prepared; then IMAGE lasts until it is."""
    at_s = prepared_s(c, t_s, scene)
    if at_s > t_s:
        take_from(c, TRANSFERS, c.host, c.target, scene)
        begin_flow(c, at_s, 0.0)
    return bool(at_s > t_s)


@compiled
def _of_final(c: Container, scene: Scene) -> float:
    """What the container needs before it can run on the target, beside the image."""
    return float(scene.policy.postcopy.state_bytes if _stop_sends(scene) == _STATE else c.rest_bytes)


@compiled
def _before_final_s(c: Container, changed_bytes: float, scene: Scene) -> float:
    """Seconds before the bytes of FINAL flow, where a snapshot is taken for it; so much has changed since the one before."""
    return float(before_state_s(c, scene.policy) if _stop_sends(scene) == _STATE else before_rest_s(c, changed_bytes, scene.policy))


@compiled
def _stop_sends(scene: Scene) -> int:
    """What the plan sends of a container that has stopped."""
    return int(scene.plan.steps[scene.plan.stops_at].sends)


@compiled
def may_stop(c: Container, scene: Scene) -> bool:
    """Whether a handoff need not wait: the step waits, or comes again and again."""
    return bool(scene.plan.steps[c.step].may_stop)


@compiled
def is_degraded(c: Container, scene: Scene) -> bool:
    """Whether something is still missing when the container runs on the target."""
    return bool(scene.plan.steps[c.step].then >= 0)


@compiled
def pull(c: Container, t_s: float, scene: Scene) -> None:
    """The container runs on the target; from now on what is missing comes: memory from its host before, or messages from their log."""
    postcopy = scene.policy.postcopy
    round_trip_s = postcopy.round_trip_s + 2 * path_ms(c.host, c.target, scene.server_map) * S_PER_MS
    c.pulls_from = c.host
    c.step = scene.plan.steps[c.step].then
    stage = scene.plan.steps[c.step].stage
    _begin(c, t_s, stage)
    if stage == REPLAY:
        snapshot_s = c.outage_begin_s if np.isnan(c.dirty_base_s) else c.dirty_base_s
        begin_flow(c, t_s + replaying_s(t_s - snapshot_s, scene.policy), 0.0)
        return
    begin_flow(c, t_s + c.answers_s + postcopy.faults_per_byte * c.rest_bytes * round_trip_s, c.rest_bytes)


@compiled
def end(c: Container, t_s: float, outcome: int, scene: Scene) -> None:
    """End the transfer, whatever its stage, and book it."""
    target = c.target
    if c.layer >= 0:
        _book_stage(c, t_s, end_layer(c, c, target, t_s, scene), scene)
    elif c.stage != NONE:
        _book_stage(c, t_s, sent_bytes(c, t_s), scene)
    sent = c.image_sent_bytes, c.memory_sent_bytes, c.dirty_sent_bytes, c.final_sent_bytes
    of_image = c.host_bytes, c.cloud_bytes, c.other_bytes
    source = c.host if c.pulls_from == NO_SERVER else c.pulls_from
    scene.books.transfers.append(
        (
            (c.vehicle, c.variant, c.transfer, source, target, outcome, c.rounds),
            (c.opened_s, c.handoff_s, c.stop_s, c.run_s, t_s, *sent, *of_image, c.x_m, c.y_m),
        )
    )
    c.target = NO_SERVER
    c.stage = NONE
    c.done_s = np.inf
    c.then_bytes = np.nan
    if c.pulls_from != NO_SERVER:
        settle(c, t_s)
        leave_image(c, c.pulls_from, t_s, scene)
        c.pulls_from = NO_SERVER
    elif outcome != COMPLETED and find_copy(c, target, scene.state.images) < 0:
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
            (t_s, np.nan, np.nan, np.nan, t_s, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, c.x_m, c.y_m),
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
def dirty_bytes(c: Container, t_s: float, policy: Policy) -> float:
    """Dirty memory at an instant: grows by a share of the memory per second, up to the cap."""
    most = policy.links.dirty_cap_share * c.memory_bytes
    return float(min(most, c.dirty_share_per_s * c.memory_bytes * (t_s - c.dirty_base_s)))


@compiled
def _open(c: Container, t_s: float, target: int, scene: Scene) -> None:
    c.target = target
    c.transfer = c.transfers
    c.transfers += 1
    c.rounds = 0
    c.opened_s = t_s
    c.handoff_s = np.nan
    c.stop_s = np.nan
    c.run_s = np.nan
    c.dirty_base_s = np.nan
    c.pending = False
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
    c.stage_bytes = 0.0
    c.then_bytes = np.nan
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
    _begin(c, t_s, MEMORY)
    begin_flow(c, t_s + before_snapshot_s(c, scene.policy), c.memory_bytes)
    c.dirty_base_s = t_s


@compiled
def _begin_final(c: Container, t_s: float, processing_s: float, sent: float, scene: Scene) -> None:
    """FINAL of a container whose memory has not been sent: what is missing of the image, and what it needs to run.

    The layer under way, of which so much has been sent, goes on from where it comes from.
    """
    left = c.to_send_bytes - sent
    c.step = scene.plan.stops_at
    _begin(c, t_s, FINAL)
    c.ready_s = t_s + processing_s
    c.then_bytes = _of_final(c, scene)
    if c.layer >= 0:
        c.layer_before_bytes += sent
        begin_flow(c, c.ready_s, left)
        _join_memory(c, scene)
    else:
        _go_on_with_final(c, t_s, scene)


@compiled
def _go_on_with_final(c: Container, t_s: float, scene: Scene) -> None:
    """Bring what is missing of the image; once nothing is, what is left of FINAL is the memory, or the state."""
    if _bring_image(c, t_s, scene):
        _join_memory(c, scene)
        return
    take_from(c, TRANSFERS, c.host, c.target, scene)
    begin_flow(c, max(t_s, c.ready_s), c.then_bytes)
    c.then_bytes = np.nan


@compiled
def _join_memory(c: Container, scene: Scene) -> None:
    """One layer that nobody waits for, and the memory, go from the host in one flow."""
    if c.layer >= 0 and c.image < 0 and scene.policy.images.source == HOST_IS_SOURCE:
        begin_flow(c, c.since_s, c.to_send_bytes + c.then_bytes)
        c.then_bytes = np.nan


@compiled
def _begin_round(c: Container, policy: Policy, t_s: float, dirty: float) -> None:
    _begin(c, t_s, ROUND)
    begin_flow(c, t_s + before_difference_s(c, dirty, policy), dirty)
    c.dirty_base_s = t_s
    c.rounds += 1


@compiled
def _begin_idle(c: Container, policy: Policy, t_s: float, until: int, value: float) -> None:
    _begin(c, t_s, IDLE)
    if until != _THRESHOLD:
        c.done_s = t_s + value if until == _TIME else np.inf
        return
    rate, threshold = c.dirty_share_per_s * c.memory_bytes, policy.links.dirty_threshold_bytes
    is_reached = rate > 0 and policy.links.dirty_cap_share * c.memory_bytes >= threshold
    c.done_s = c.dirty_base_s + threshold / rate if is_reached else np.inf


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
    elif stage in (FINAL, PULL):
        c.final_sent_bytes += sent
    if scene.books.keep_stages:
        scene.books.stages.append(((c.vehicle, c.variant, c.transfer, int(stage)), (c.begin_s, t_s, sent)))
