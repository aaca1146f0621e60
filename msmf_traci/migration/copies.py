"""Images on servers that are not the container's host: copies that bring them ahead of time, and what servers keep. Model, section 7.

A container has a few places for copies, which are found when it first needs one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba.typed import Dict, List

from msmf_traci.compiled import compiled
from msmf_traci.migration.container import Container
from msmf_traci.migration.flow import Flow
from msmf_traci.records import Int32, Records, dtype_of
from msmf_traci.sentinels import MOST_PREFETCHED, NO_SERVER

NOWHERE, COMING, THERE = range(3)  # where the image of a container is, seen from a server
PLACES = MOST_PREFETCHED + 1  # as many servers as can be wanted at once: those of a list, and that of a transfer


class Copy(Flow):
    """One copy, or an image that was there already and is wanted (`number` -1); a place without one has no server."""

    server: Int32 = NO_SERVER
    number: Int32
    opened_s: float
    complete_s: float
    missing_bytes: float
    rate_after_bytes_per_s: float  # from the server that the container is moving to


_dtype = dtype_of(Copy)
_numbers: Any = numba.types
_PLACES_TYPE = _numbers.Array(numba.from_dtype(_dtype), 1, "C")


class Images(NamedTuple):
    """Images of one variant's containers.

    Attributes
    ----------
    copies
        Places for copies of some containers (`Container.copies`), each an array of records.
    free
        Those of containers that have left.
    kept_s
        Since when a server keeps a complete image that is not in use, by vehicle x servers + server.
    """

    copies: list[Records]
    free: list[int]
    kept_s: dict[int, float]


def new_images() -> Images:
    """No images."""
    return Images(*_new_images())


@compiled
def _new_images() -> Any:
    return (
        List.empty_list(_PLACES_TYPE),
        List.empty_list(_numbers.int64),
        Dict.empty(_numbers.int64, _numbers.float64),
    )


@compiled
def find_copy(c: Container, server: int, images: Images) -> int:
    """Place of a container's copy at a server, or -1."""
    if c.copies >= 0:
        copies = images.copies[c.copies]
        for k in range(PLACES):
            if copies[k].server == server:
                return k
    return -1


@compiled
def new_copy(c: Container, server: int, t_s: float, missing_bytes: float, images: Images) -> Copy:
    """A copy that opens."""
    if c.copies < 0:
        if len(images.free) > 0:
            c.copies = images.free.pop()
        else:
            c.copies = len(images.copies)
            places = np.zeros(PLACES, dtype=_dtype)
            for k in range(PLACES):
                places[k].server = NO_SERVER
            images.copies.append(places)
    copy: Copy = images.copies[c.copies][find_copy(c, NO_SERVER, images)]
    copy.server = server
    copy.number = -1
    copy.opened_s = t_s
    copy.complete_s = np.nan
    copy.missing_bytes = missing_bytes
    return copy


@compiled
def is_coming(copy: Copy) -> bool:
    """Whether there is a copy that is not complete."""
    return bool(copy.server != NO_SERVER and np.isnan(copy.complete_s))


@compiled
def has_copies_coming(c: Container, images: Images) -> bool:
    """Whether a container has one."""
    if c.copies >= 0:
        for copy in images.copies[c.copies]:
            if is_coming(copy):
                return True
    return False


@compiled
def is_listed(c: Container, server: int) -> bool:
    """Whether the image is wanted on a server that is not the host."""
    for listed in c.prefetch:
        if listed == NO_SERVER:
            return False
        if listed == server:
            return server != c.host
    return False
