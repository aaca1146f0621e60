"""Requests to end: a closed terminal or a scheduler's time limit clean up as Ctrl-C does."""

from __future__ import annotations

import signal
import threading

SIGNALLED = 128  # plus the signal's number, as shells report it


def end_cleanly_on_signals() -> None:
    """Turn requests to end into a KeyboardInterrupt that carries the signal's number."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), interrupt)
