"""What is mounted on this machine."""

from __future__ import annotations

import re
from pathlib import Path

_TABLE = Path("/proc/self/mounts")


def mounts() -> list[tuple[Path, str]]:
    """Where something is mounted, and of what kind it is."""
    lines = [line.split() for line in _TABLE.read_text(encoding="utf-8").splitlines()]
    # the kernel writes spaces and the like as octal numbers
    return [(Path(re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), where)), kind) for _, where, kind, *_ in lines]
