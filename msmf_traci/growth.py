"""Arrays that grow by the vehicles that appear while a run goes on; shared by control, mobility and migration."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


def extended(values: NDArray[Number], n: int, fill: Any) -> NDArray[Number]:
    """The values, followed by n times `fill`, of the same type."""
    return np.concatenate([values, np.full(n, fill, dtype=values.dtype)])
