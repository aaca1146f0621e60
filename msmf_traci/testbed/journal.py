"""What a testbed's clock saw: each step of the workflow of section 3.4, with its begin and end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STEPS = {
    "s1": "send status data",
    "s2": "send the target server",
    "s3": "send the image",
    "s4": "snapshot the memory",
    "s5": "send the snapshot",
    "s6": "send changed memory",
    "s7": "handoff signal",
    "s8": "stop the container",
    "s9": "send the remaining data",
    "s10": "restore the container",
    "s11": "delete the container",
}
RESUME = "resume"  # the part of s10 that restores a stopped container where it was


@dataclass
class Step:
    """One step as it was carried out.

    Attributes
    ----------
    step
        `s1` to `s11`.
    transfer
        Number of the transfer that it belongs to.
    part
        What of it: `dump` or `send` where a step has both, RESUME where a container goes on where it was stopped, else empty.
    begin_s, end_s
        Seconds of the monotonic clock.
    memory_bytes
        Size of a snapshot.
    payload_bytes
        Content that had to be sent; None where it was broken off, or nothing is sent.
    link_bytes
        What left the source's link meanwhile, with all headers.
    """

    step: str
    transfer: int
    part: str = ""
    begin_s: float = 0.0
    end_s: float = 0.0
    memory_bytes: int | None = None
    payload_bytes: int | None = None
    link_bytes: int | None = None


@dataclass
class Journal:
    """The steps in the order in which they ended; written to by several threads."""

    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def timed(self, step: str, transfer: int, part: str = "") -> Iterator[Step]:
        """Time a step; it is entered however it ends."""
        entry = Step(step, transfer, part, time.monotonic())
        try:
            yield entry
        finally:
            self.enter(entry)

    def enter(self, entry: Step) -> None:
        """Enter a step that ends now."""
        entry.end_s = time.monotonic()
        self.steps.append(entry)
