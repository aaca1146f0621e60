"""Copies that bring a container's image to servers ahead of time. Model, section 7.

A container has a few places for copies, which are found when it first needs one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba.typed import List

from msmf_traci.compiled import compiled
from msmf_traci.migration.catalogue import Catalogue
from msmf_traci.migration.container import Container
from msmf_traci.migration.flow import Flow
from msmf_traci.migration.store import Store, new_store
from msmf_traci.records import Int32, Records, dtype_of
from msmf_traci.sentinels import MOST_PREFETCHED, NO_SERVER

PLACES = MOST_PREFETCHED + 1  # as many servers as can be wanted at once: those of a list, and that of a transfer


class Copy(Flow):
    """One copy, or an image that was there already and is wanted (`number` -1), or one for which there is no room (`refused`).

    A place without one has no server.
    """

    server: Int32 = NO_SERVER
    number: Int32
    opened_s: float
    complete_s: float
    missing_bytes: float
    refused: bool


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
    store
        What servers hold.
    catalogue
        Which layers images have.
    """

    copies: list[Records]
    free: list[int]
    store: Store
    catalogue: Catalogue


def new_images(servers: int, catalogue: Catalogue) -> Images:
    """No images on so many servers."""
    copies, free = _new_copies()
    return Images(copies, free, new_store(servers), catalogue)


@compiled
def _new_copies() -> Any:
    return List.empty_list(_PLACES_TYPE), List.empty_list(_numbers.int64)


@compiled
def find_copy(c: Container, server: int, images: Images) -> int:
    """Place of a container's copy at a server, or -1; a refused one is none."""
    place = _find_place(c, server, images)
    return -1 if place >= 0 and images.copies[c.copies][place].refused else place


@compiled
def _find_place(c: Container, server: int, images: Images) -> int:
    if c.copies >= 0:
        copies = images.copies[c.copies]
        for k in range(PLACES):
            if copies[k].server == server:
                return k
    return -1


@compiled
def new_copy(c: Container, server: int, t_s: float, missing_bytes: float, images: Images) -> Copy:
    """A copy that opens; at a server that refused one before in its place."""
    if c.copies < 0:
        if len(images.free) > 0:
            c.copies = images.free.pop()
        else:
            c.copies = len(images.copies)
            places = np.zeros(PLACES, dtype=_dtype)
            for k in range(PLACES):
                places[k].server = NO_SERVER
            images.copies.append(places)
    place = _find_place(c, server, images)
    copy: Copy = images.copies[c.copies][place if place >= 0 else _find_place(c, NO_SERVER, images)]
    copy.server = server
    copy.number = -1
    copy.opened_s = t_s
    copy.ready_s = t_s
    copy.complete_s = np.nan
    copy.missing_bytes = missing_bytes
    copy.refused = False
    copy.source = NO_SERVER
    copy.layer = copy.lender = -1
    copy.host_bytes = copy.cloud_bytes = copy.other_bytes = 0.0
    return copy


@compiled
def was_refused(c: Container, server: int, images: Images) -> bool:
    """Whether a server has refused the copy that is wanted there."""
    place = _find_place(c, server, images)
    return bool(place >= 0 and images.copies[c.copies][place].refused)


@compiled
def is_coming(copy: Copy) -> bool:
    """Whether there is a copy that is not complete."""
    return bool(copy.server != NO_SERVER and not copy.refused and np.isnan(copy.complete_s))


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
