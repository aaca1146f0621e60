"""Programs that end when the process that started them ends, even by kill -9, where the system offers it (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LOOK_S = 0.02


def end_with_parent(number: int = signal.SIGKILL) -> Callable[[], None] | None:
    """What a child has to do before it becomes another program, for `preexec_fn`; None where the system has no such thing.

    The kernel sends the signal when the thread that started the child ends, so that programs are to be started by a thread that
    lives as long as they do: the main thread, everywhere in this package.
    """
    platform: str = sys.platform  # a variable, because mypy would take a direct comparison for the platform it runs on
    if not platform.startswith("linux"):
        return None
    parent = os.getpid()
    prctl = ctypes.CDLL(None).prctl  # found now: between fork and exec as little as possible is to be done

    def ask_for_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent ended before the signal was asked for

    return ask_for_signal


def parent_has_ended(parent: int, within_s: float) -> bool:
    """Whether the process that started this one has ended, or does so within some seconds.

    The signal of :func:`end_with_parent` comes when a thread ends: the parent's other threads, and with them the process, may be
    seen for a moment longer.
    """
    deadline_s = time.monotonic() + within_s
    while os.getppid() == parent:
        if time.monotonic() > deadline_s:
            return False
        time.sleep(_LOOK_S)
    return True
