"""Arrays as text inside a page: whole numbers, differences where neighbours are alike, compressed all together."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msmf_traci.errors import InputError


@dataclass(frozen=True)
class Packed:
    """Arrays ready for a page.

    Attributes
    ----------
    lengths
        How many numbers each array has, in their order.
    text
        All of them in base64: deflated (zlib), each as differences of 32-bit integers that wrap, the lowest bytes of all its numbers first,
        then the next ones.
    """

    lengths: dict[str, int]
    text: str


def pack(arrays: Mapping[str, NDArray[np.int64]]) -> Packed:
    """Pack arrays of whole numbers.

    Raises
    ------
    InputError
        If a number is too large for a page: a place or time far beyond any city or day.
    """
    squeeze = zlib.compressobj(6)
    parts = []
    for name, values in arrays.items():
        if len(values) and max(abs(int(values.min())), abs(int(values.max()))) >= 2**31:
            raise InputError(f"the replay cannot show the run: {name} goes beyond {2**31}; copy the run again, or make a shorter one")
        steps = np.diff(values.ravel(), prepend=0).astype("<i4", casting="unsafe")
        parts.append(squeeze.compress(steps.view(np.uint8).reshape(-1, 4).T.tobytes()))
    parts.append(squeeze.flush())
    return Packed({name: int(values.size) for name, values in arrays.items()}, base64.b64encode(b"".join(parts)).decode("ascii"))
