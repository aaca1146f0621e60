"""Requests to end: a closed terminal or a scheduler's time limit clean up as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALLED = 128  # plus the signal's number, as shells report it
# as far as the system has them
_REQUESTS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def ending_cleanly_on_signals(*, is_whole_process: bool) -> Iterator[None]:
    """Turn the first request to end, Ctrl-C too, into a KeyboardInterrupt that carries the signal's number; none is heard after it.

    Another would interrupt the cleaning up. And it does come again: Ctrl-C from an impatient user, and the kernel tells a child of its
    parent's death once for every thread of the parent that has been its parent for a moment.

    Parameters
    ----------
    is_whole_process
        Whether the process ends with this. If a Python program goes on after it, handlers are as they were.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # what whoever started it ignores remains ignored: nohup's hang-up, Ctrl-C for what a shell's script leaves behind
    requests = [each for each in (*_REQUESTS, signal.SIGINT) if signal.getsignal(each) is not signal.SIG_IGN]

    def interrupt(number: int, _: object) -> None:
        for request in requests:
            signal.signal(request, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    before = {request: signal.signal(request, interrupt) for request in requests}
    try:
        yield
    finally:
        if not is_whole_process:
            for request, handler in before.items():
                signal.signal(request, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold requests to end back, Ctrl-C too, until something is done; in the main thread, which alone hears them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {request: signal.signal(request, lambda number, _: came.append(number)) for request in (signal.SIGINT, *_REQUESTS)}
    try:
        yield
    finally:
        for request, handler in before.items():
            signal.signal(request, handler)
        if came:
            signal.raise_signal(came[0])
