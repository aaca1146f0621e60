"""How compiled loops call a strategy: through a pointer to machine code of one signature, so that they are compiled once for all."""

from __future__ import annotations

import functools
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numba

from msmf_traci.arrays import ByteArray, FloatArray, IntArray
from msmf_traci.compiled import compiled_pointer
from msmf_traci.control.look import Look, Road
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.errors import InputError
from msmf_traci.migration.container import Container
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.scene import Free
from msmf_traci.sentinels import KEEP, NO_SERVER


class Now(NamedTuple):
    """What a kernel sees of one vehicle at one frame.

    Attributes
    ----------
    look, road
        What is known of the vehicle, and the stretches of road that it speaks of.
    server_map, free
        Cells, servers, and the hops between them; and how much room servers had when the frame began.
    container, policy
        Its container, as it is when the frame begins, and the rules; to be read only.
    options, memory
        The strategy's own, as bytes: `now.options.view(dtype_of(Options))[0]` is the record. What is written to the memory is there at
        the vehicle's next frame.
    prefetch
        Where the kernel puts servers on which the image is wanted, in their order and at most 8, with NO_SERVER behind the last one. It
        begins with NO_SERVER.
    missing_bytes
        What of the image is missing at each server of the list before, `container.prefetch`, and behind them at `container.target`.
    """

    look: Look
    road: Road
    server_map: ServerMap
    free: Free
    container: Container
    policy: Policy
    options: ByteArray
    memory: ByteArray
    prefetch: IntArray
    missing_bytes: FloatArray


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
Kernel = Callable[[Now], tuple[int, int]]


def pointer_to(kernel: Kernel, example: Now, name: str) -> Kernel:
    """A kernel as compiled loops take it, for what has the types of an example.

    Raises
    ------
    InputError
        If the strategy of this name has a kernel that cannot be compiled.
    """
    numbers: Any = numba.types
    type_of: Any = numba.typeof
    try:
        return _pointer(kernel, numbers.UniTuple(numbers.int64, 2)(type_of(example)))
    except Exception as error:  # of names that it does not know numba raises what its code happens upon
        lines = [line.strip() for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()]
        said = [line for line in lines if not line.startswith("Failed in nopython")]
        place = next((f" ({line.rstrip(':')})" for line in said if line.startswith("File ")), "")
        raise InputError(
            f"strategy {name}: its kernel cannot be compiled: {type(error).__name__}: {said[0] if said else ''}{place}; correct it there"
        ) from None


@contextmanager
def failures_raised(name: str) -> Iterator[None]:
    """Raise what a kernel has raised: machine code that is called through a pointer cannot pass it on.

    Raises
    ------
    InputError
        If the kernel of the strategy of this name has failed.
    """
    raised: list[object] = []
    before, here = sys.unraisablehook, threading.get_ident()

    def note(found: Any) -> None:
        if threading.get_ident() != here:
            before(found)
        elif not raised:
            raised.append(found.exc_value)

    sys.unraisablehook = note
    try:
        yield
    finally:
        sys.unraisablehook = before
    if raised:
        raise InputError(f"strategy {name} failed in its kernel: {type(raised[0]).__name__}: {raised[0]}; correct it there")


@functools.cache
def _pointer(kernel: Kernel, signature: Any) -> Kernel:
    return compiled_pointer(kernel, signature)


def keep(now: Now) -> tuple[int, int]:  # noqa: ARG001
    """Keep, copy nothing: `never`, and what is there, but not called, where decisions are given."""
    return KEEP, NO_SERVER
