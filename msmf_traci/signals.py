"""Requests to end: a closed terminal or a scheduler's time limit clean up as Ctrl-C does."""

from __future__ import annotations

import signal
import threading

SIGNALLED = 128  # plus the signal's number, as shells report it


def end_cleanly_on_signals() -> None:
    """Turn the first request to end into a KeyboardInterrupt that carries the signal's number; the same request again is heard no more.

    It would interrupt the cleaning up. And it does come again: the kernel tells a child of its parent's death once for every thread of
    the parent that has been its parent for a moment.
    """

    def interrupt(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), interrupt)
