"""What a migration does before the bytes of a stage flow, and to restore: model, section 7. Nothing in the paper's model.

`c` is a container's record, whose transfer is open, `p` its variant's policy.
"""

from __future__ import annotations

from typing import Any

from msmf_traci.compiled import compiled


@compiled
def before_image_s(c: Any) -> float:
    """Seconds before the bytes of an image, or of what a stopped container sends anew, flow: the target's answers."""
    return float(c.answers)


@compiled
def before_snapshot_s(c: Any, p: Any) -> float:
    """Seconds before the bytes of a first snapshot of the memory flow: it is taken."""
    return float(p.checkpoint + p.checkpoint_per_byte * c.memory + c.answers)


@compiled
def before_difference_s(c: Any, p: Any) -> float:
    """Seconds before the bytes that a later snapshot adds flow: it is taken, and compared with the one that the target holds."""
    return float(before_snapshot_s(c, p) + (p.comparison + p.comparison_per_byte * c.memory))


@compiled
def restoring_s(c: Any, p: Any) -> float:
    """Seconds that restoring takes beside the start time."""
    return float(p.restoring + p.restoring_per_byte * c.memory)
