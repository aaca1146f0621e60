"""What a migration does before the bytes of a stage flow, and to restore: model, section 7. Nothing in the paper's model."""

from __future__ import annotations

import numpy as np

from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container
from msmf_traci.migration.policy import Policy


@compiled
def before_image_s(c: Container) -> float:
    """Seconds before the bytes of an image, or of what a stopped container sends anew, flow: the target's answers."""
    return float(c.answers_s)


@compiled
def before_snapshot_s(c: Container, policy: Policy) -> float:
    """Seconds before the bytes of a first snapshot of the memory flow: it is taken."""
    return float(policy.processing.checkpoint_s + policy.processing.checkpoint_s_per_byte * c.memory_bytes + c.answers_s)


@compiled
def before_difference_s(c: Container, changed_bytes: float, policy: Policy) -> float:
    """Seconds before the bytes that a later snapshot adds flow: it is taken, and compared with the one that the target holds."""
    costs = policy.processing
    taken_s = _or(costs.later_s, costs.checkpoint_s) + _or(costs.later_s_per_byte, costs.checkpoint_s_per_byte) * c.memory_bytes
    return float(taken_s + c.answers_s + _comparison_s(c, policy) + costs.later_s_per_changed_byte * changed_bytes)


@compiled
def before_rest_s(c: Container, changed_bytes: float, policy: Policy) -> float:
    """Seconds before the bytes of the snapshot of a container that stops flow: its first one, or one more."""
    costs = policy.processing
    s, s_per_byte, s_per_changed_byte, comparison_s = costs.checkpoint_s, costs.checkpoint_s_per_byte, 0.0, 0.0
    if not np.isnan(c.dirty_base_s):
        s, s_per_byte = _or(costs.later_s, s), _or(costs.later_s_per_byte, s_per_byte)
        s_per_changed_byte, comparison_s = costs.later_s_per_changed_byte, _comparison_s(c, policy)
    taken_s = _or(costs.final_s, s) + _or(costs.final_s_per_byte, s_per_byte) * c.memory_bytes
    return float(taken_s + c.answers_s + comparison_s + _or(costs.final_s_per_changed_byte, s_per_changed_byte) * changed_bytes)


@compiled
def before_state_s(c: Container, policy: Policy) -> float:
    """Seconds before the bytes of the state of execution flow: a snapshot without memory is taken."""
    return float(_or(policy.processing.final_s, policy.processing.checkpoint_s) + c.answers_s)


@compiled
def restoring_s(c: Container, is_pulled: bool, policy: Policy) -> float:
    """Seconds that restoring takes beside the start time; without memory that is pulled afterwards."""
    memory_bytes = 0.0 if is_pulled else c.memory_bytes
    return float(policy.processing.restore_s + policy.processing.restore_s_per_byte * memory_bytes)


@compiled
def replaying_s(seconds: float, policy: Policy) -> float:
    """Seconds that it takes to catch up with the messages of so many seconds; until the limit where that takes longer, or for ever."""
    replay = policy.replay
    backlog, spare = replay.arriving_per_s * seconds, replay.served_per_s - replay.arriving_per_s
    if backlog == 0:
        return 0.0
    return float(min(replay.limit_s, backlog / spare) if spare > 0 else replay.limit_s)


@compiled
def _comparison_s(c: Container, policy: Policy) -> float:
    return float(policy.processing.comparison_s + policy.processing.comparison_s_per_byte * c.memory_bytes)


@compiled
def _or(own: float, other: float) -> float:
    """A cost of its own, or where there is none another one."""
    return other if np.isnan(own) else own
