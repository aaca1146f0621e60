"""What a person sees while a run goes on: lines on stderr, and progress."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from tqdm import TqdmWarning

with warnings.catch_warnings():  # a notebook without ipywidgets shows a line in place of a bar
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

LOG_EVERY_S = 10.0
_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)


class ProgressDisplay:
    """Shows simulated time, vehicles on the road and time left: a bar on a terminal or in a notebook, a line now and then elsewhere.

    Parameters
    ----------
    vehicles
        Vehicles that will drive, if known.
    """

    def __init__(self, vehicles: int | None) -> None:
        self._vehicles = vehicles
        self._bar: tqdm[Any] | None = None
        self._begin_s = time.monotonic()
        self._shown_s = self._begin_s

    def __enter__(self) -> Self:
        if sys.stderr.isatty() or "ipykernel" in sys.modules:
            self._bar = tqdm(total=self._vehicles, unit="vehicle", desc="starting", leave=False, dynamic_ncols=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, time_s: float, on_road: int, expected: int, arrived: int) -> None:
        """Show the state after a step."""
        now_s = time.monotonic()
        if self._bar is not None:
            self._bar.set_description(f"{time_s:.0f} s simulated, {on_road} on the road", refresh=False)
            if self._vehicles is None:
                self._bar.total = arrived + expected
            self._bar.update(arrived - self._bar.n)
        elif now_s - self._shown_s >= LOG_EVERY_S:
            self._shown_s = now_s
            total = arrived + expected if self._vehicles is None else self._vehicles
            # whoever is on the road has driven half of the way, on average
            done = arrived + on_road / 2
            left = f", about {(now_s - self._begin_s) / done * (total - done):.0f} s left" if arrived else ""
            say(f"{time_s:.0f} s simulated, {counted(on_road, 'vehicle')} on the road, {arrived} of {total} arrived{left}")


def counted(number: int, thing: str) -> str:
    """A number of things: `1 run`, `2 runs`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def say(text: str) -> None:
    """A line of what is going on, on stderr."""
    if not _is_quiet.get():
        print(text, file=sys.stderr, flush=True)


@contextmanager
def quietly() -> Iterator[None]:
    """Say nothing of what is going on: it is done twice, and said the other time."""
    before = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(before)
