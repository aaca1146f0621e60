"""Types of arrays, and how they grow by the vehicles that appear while a run goes on."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]

Number = TypeVar("Number", bound=np.generic)


def extended(values: NDArray[Number], n: int, fill: Any) -> NDArray[Number]:
    """The values, followed by n times `fill`, of the same type."""
    return np.concatenate([values, np.full(n, fill, dtype=values.dtype)])


def read_only(*arrays: NDArray[Any]) -> None:
    """Protect arrays that many share from being changed by one."""
    for array in arrays:
        array.flags.writeable = False
