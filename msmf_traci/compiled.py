"""Compilation of the hot loops to machine code, kept beside the source from one process to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(function: Loop) -> Loop:
    """Compile a function of numbers and arrays at its first call; floating-point results are those of numpy."""
    how: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        fast = numba.njit(cache=True, **how)(function)
    except RuntimeError:  # neither the package's folder nor the user's can be written: compile in every process
        fast = numba.njit(**how)(function)
    return cast(Loop, fast)
