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
def before_difference_s(c: Container, policy: Policy) -> float:
    """Seconds before the bytes that a later snapshot adds flow: it is taken, and compared with the one that the target holds."""
    return float(before_snapshot_s(c, policy) + (policy.processing.comparison_s + policy.processing.comparison_s_per_byte * c.memory_bytes))


@compiled
def before_rest_s(c: Container, policy: Policy) -> float:
    """Seconds before the bytes of the snapshot of a container that stops flow: its first one, or one more."""
    return float(before_snapshot_s(c, policy) if np.isnan(c.dirty_base_s) else before_difference_s(c, policy))


@compiled
def before_state_s(c: Container, policy: Policy) -> float:
    """Seconds before the bytes of the state of execution flow: a snapshot without memory is taken."""
    return float(policy.processing.checkpoint_s + c.answers_s)


@compiled
def restoring_s(c: Container, is_pulled: bool, policy: Policy) -> float:
    """Seconds that restoring takes beside the start time; without memory that is pulled afterwards."""
    memory_bytes = 0.0 if is_pulled else c.memory_bytes
    return float(policy.processing.restore_s + policy.processing.restore_s_per_byte * memory_bytes)
