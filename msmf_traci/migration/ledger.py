"""The ledger: one entry a transfer, one a copy and, on request, one a stage, in the order in which they end. Model, section 9."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.typed import Dict, List
from numpy.typing import NDArray

from msmf_traci.compiled import compiled


class Outcome(IntEnum):
    """How a transfer ended."""

    COMPLETED = 0
    MISPREDICTED = 1
    USER_LEFT = 2
    UNFINISHED = 3
    REFUSED = 4


class CopyOutcome(IntEnum):
    """How a copy of an image ended."""

    USED = 0
    UNUSED = 1
    UNFINISHED = 2
    REFUSED = 3


class Stage(IntEnum):
    """What a transfer is doing."""

    NONE = 0
    IMAGE = 1
    MEMORY = 2
    ROUND = 3
    IDLE = 4
    FINAL = 5
    RESTORE = 6
    PULL = 7
    REPLAY = 8


OUTCOME_NAMES = tuple(outcome.name.lower() for outcome in Outcome)
COPY_OUTCOME_NAMES = tuple(outcome.name.lower() for outcome in CopyOutcome)
STAGE_NAMES = tuple(stage.name for stage in Stage)
BYTE_KINDS = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes")
IMAGE_SOURCES = ("host_bytes", "cloud_bytes", "other_bytes")

_TRANSFER_INTEGERS = ("vehicle", "variant", "transfer", "source", "target", "outcome", "rounds")
_TRANSFER_FLOATS = ("t_start_s", "t_handoff_s", "t_stop_s", "t_run_s", "t_end_s", *BYTE_KINDS, *IMAGE_SOURCES, "x_m", "y_m")
_COPY_INTEGERS = ("vehicle", "variant", "copy", "server", "outcome")
_COPY_FLOATS = ("t_start_s", "t_complete_s", "t_end_s", *IMAGE_SOURCES, "missing_bytes", "x_m", "y_m")
_STAGE_INTEGERS = ("vehicle", "variant", "transfer", "stage")
_STAGE_FLOATS = ("t_begin_s", "t_end_s", "bytes")


def _entry_type(integers: int, floats: int) -> Any:
    """Type of an entry of a book: a tuple of integers and one of floats."""
    numbers: Any = types
    return numbers.Tuple((numbers.UniTuple(numbers.int64, integers), numbers.UniTuple(numbers.float64, floats)))


def _clock_key() -> Any:
    """Type of a key of the running clock: vehicle, variant, latency."""
    numbers: Any = types
    return numbers.Tuple((numbers.int64, numbers.int64, numbers.float64))


_CLOCK_KEY = _clock_key()
_TRANSFER_TYPE = _entry_type(len(_TRANSFER_INTEGERS), len(_TRANSFER_FLOATS))
_COPY_TYPE = _entry_type(len(_COPY_INTEGERS), len(_COPY_FLOATS))
_STAGE_TYPE = _entry_type(len(_STAGE_INTEGERS), len(_STAGE_FLOATS))

Columns = dict[str, NDArray[Any]]


class Books(NamedTuple):
    """What compiled loops write to.

    Attributes
    ----------
    transfers, copies, stages
        An entry for each that has ended.
    keep_stages
        Whether stages are kept.
    running_s
        Seconds that containers ran, by vehicle, variant and the latency of requests in milliseconds.
    """

    transfers: list[tuple[tuple[int, ...], tuple[float, ...]]]
    copies: list[tuple[tuple[int, ...], tuple[float, ...]]]
    stages: list[tuple[tuple[int, ...], tuple[float, ...]]]
    keep_stages: bool
    running_s: dict[tuple[int, int, float], float]


class Ledger:
    """What has been booked so far, in `books`.

    Parameters
    ----------
    keep_stages
        Whether stages are kept too.
    """

    def __init__(self, *, keep_stages: bool = False) -> None:
        self.books = Books(_new_transfer_book(), _new_copy_book(), _new_stage_book(), keep_stages, _new_clock())

    def transfers(self, since: int = 0) -> Columns:
        """Columns of the transfers, from a number on: vehicle, variant, transfer, source, target, outcome, rounds (integers); times in
        seconds (NaN: none), bytes by kind, those of the image by source, and where the vehicle was at the end."""
        integers, floats = _as_arrays(self.books.transfers, since, len(_TRANSFER_INTEGERS), len(_TRANSFER_FLOATS))
        return _columns(integers, _TRANSFER_INTEGERS, floats, _TRANSFER_FLOATS)

    def copies(self) -> Columns:
        """Columns of the copies: vehicle, variant, copy, server, outcome; times in seconds, bytes sent by source, bytes missing at the
        begin, and where the vehicle was at the end."""
        integers, floats = _as_arrays(self.books.copies, 0, len(_COPY_INTEGERS), len(_COPY_FLOATS))
        return _columns(integers, _COPY_INTEGERS, floats, _COPY_FLOATS)

    def stages(self) -> Columns:
        """Columns of the stages: vehicle, variant, transfer, stage; begin, end and bytes sent."""
        integers, floats = _as_arrays(self.books.stages, 0, len(_STAGE_INTEGERS), len(_STAGE_FLOATS))
        return _columns(integers, _STAGE_INTEGERS, floats, _STAGE_FLOATS)

    def running(self) -> Columns:
        """Columns of the seconds that containers ran with each latency of requests: vehicle, variant, latency_ms, running_s; ascending."""
        vehicle, variant, latency_ms, running_s = _as_columns(self.books.running_s)
        order = np.lexsort((latency_ms, variant, vehicle))
        columns = {"vehicle": vehicle, "variant": variant, "latency_ms": latency_ms, "running_s": running_s}
        return {name: column[order] for name, column in columns.items()}


def _columns(integers: NDArray[Any], integer_names: tuple[str, ...], floats: NDArray[Any], float_names: tuple[str, ...]) -> Columns:
    return dict(zip(integer_names, integers.T, strict=True)) | dict(zip(float_names, floats.T, strict=True))


@compiled
def _new_transfer_book() -> Any:
    return List.empty_list(_TRANSFER_TYPE)


@compiled
def _new_copy_book() -> Any:
    return List.empty_list(_COPY_TYPE)


@compiled
def _new_stage_book() -> Any:
    return List.empty_list(_STAGE_TYPE)


@compiled
def _new_clock() -> Any:
    return Dict.empty(_CLOCK_KEY, types.float64)


@compiled
def _as_columns(clock: Any) -> Any:
    vehicle, variant = np.empty(len(clock), dtype=np.int64), np.empty(len(clock), dtype=np.int64)
    latency_ms, running_s = np.empty(len(clock)), np.empty(len(clock))
    for k, key in enumerate(clock):
        vehicle[k], variant[k], latency_ms[k], running_s[k] = key[0], key[1], key[2], clock[key]
    return vehicle, variant, latency_ms, running_s


@compiled
def _as_arrays(book: Any, since: int, n_integers: int, n_floats: int) -> Any:
    integers = np.empty((len(book) - since, n_integers), dtype=np.int64)
    floats = np.empty((len(book) - since, n_floats), dtype=np.float64)
    for i in range(len(book) - since):
        entry = book[since + i]
        for k in range(n_integers):
            integers[i, k] = entry[0][k]
        for k in range(n_floats):
            floats[i, k] = entry[1][k]
    return integers, floats
