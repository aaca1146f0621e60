"""The ledger: one entry a transfer and, on request, one a stage; running totals of each container beside them. Model, section 9."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Outcome(IntEnum):
    """How a transfer ended."""

    COMPLETED = 0
    MISPREDICTED = 1
    USER_LEFT = 2
    UNFINISHED = 3
    REFUSED = 4


class Stage(IntEnum):
    """What a transfer is doing."""

    NONE = 0
    IMAGE = 1
    MEMORY = 2
    ROUND = 3
    IDLE = 4
    FINAL = 5
    RESTORE = 6


OUTCOME_NAMES = tuple(outcome.name.lower() for outcome in Outcome)
STAGE_NAMES = tuple(stage.name for stage in Stage)
BYTE_KINDS = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes")


@dataclass
class Ledger:
    """Columns of equal length, appended to in the order in which transfers and stages end.

    Attributes
    ----------
    transfers
        One array of each column for each batch of transfers that ended together; times in seconds (NaN: none), bytes in bytes.
    stages
        The same for stages, kept only with `keep_stages`.
    """

    keep_stages: bool = False
    transfers: dict[str, list[NDArray[np.generic]]] = field(default_factory=dict)
    stages: dict[str, list[NDArray[np.generic]]] = field(default_factory=dict)

    def book_transfers(self, **columns: NDArray[np.generic]) -> None:
        """Add transfers that ended."""
        _append(self.transfers, columns)

    def book_stages(self, **columns: NDArray[np.generic]) -> None:
        """Add stages that ended, if stages are kept."""
        if self.keep_stages:
            _append(self.stages, columns)


def _append(table: dict[str, list[NDArray[np.generic]]], columns: dict[str, NDArray[np.generic]]) -> None:
    for name, values in columns.items():
        table.setdefault(name, []).append(values)
