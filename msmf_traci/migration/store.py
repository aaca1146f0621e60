"""What servers hold: layers of images, each with its bytes, who uses it, and how long it has not been used. Model, section 7.

A row is a layer on a server. Rows are found by layer and server, and chained by server and by layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numba.typed import Dict, List

from msmf_traci.arrays import IntArray
from msmf_traci.compiled import compiled
from msmf_traci.records import Int32, Records, dtype_of

NOBODY = -1
_NONE = -1
_ROWS = 256  # of one array of the list


class Held:
    """A layer on a server, or the part of it that has come; a layer that nobody uses is complete."""

    server: int
    layer: int
    bytes: float
    missing_bytes: float  # without what is being sent at the moment
    unused_since_s: float
    receiver: int  # vehicle whose container brings it, or NOBODY
    users: Int32  # containers that use it, and flows that read it
    is_complete: bool
    next_here: Int32
    before_here: Int32
    next_alike: Int32
    before_alike: Int32


class Store(NamedTuple):
    """The layers on all servers.

    Attributes
    ----------
    rows
        Arrays of records.
    place
        Number of a row, by layer x servers + server.
    first_here
        First row of each server, or -1, shape (servers,).
    first_alike
        First row of each layer.
    n
        Rows that there have been, the first one to be used again (or -1), and layers that went to make room; shape (3,).
    held, in_use
        Whole bytes on each server, those included that are still to come; and those of layers that somebody uses; shape (servers,).
    log
        What was added to a server's bytes, and when; for bytes held over time.
    changed
        Rows that others wait for, and that are complete now, or that nobody brings any more.
    """

    rows: list[Records]
    place: dict[int, int]
    first_here: IntArray
    first_alike: dict[int, int]
    n: IntArray
    held: IntArray
    in_use: IntArray
    log: list[tuple[float, int, int]]
    changed: list[int]


_dtype = dtype_of(Held)
_numbers: Any = numba.types
_ROWS_TYPE = _numbers.Array(numba.from_dtype(_dtype), 1, "C")
_LOG_TYPE = _numbers.Tuple((_numbers.float64, _numbers.int64, _numbers.int64))


def new_store(servers: int) -> Store:
    """Servers that hold nothing."""
    rows, place, first_alike, log, changed = _new_store()
    none: IntArray = np.full(servers, _NONE)
    held, in_use = (np.zeros(servers, dtype=np.int64) for _ in range(2))
    return Store(rows, place, none, first_alike, np.array([0, _NONE, 0]), held, in_use, log, changed)


@compiled
def _new_store() -> Any:
    return (
        List.empty_list(_ROWS_TYPE),
        Dict.empty(_numbers.int64, _numbers.int64),
        Dict.empty(_numbers.int64, _numbers.int64),
        List.empty_list(_LOG_TYPE),
        List.empty_list(_numbers.int64),
    )


@compiled
def row(store: Store, number: int) -> Held:
    """A row by its number."""
    held: Held = store.rows[number // _ROWS][number % _ROWS]
    return held


@compiled
def whole(size_bytes: float) -> int:
    """Bytes of a layer where rooms are reckoned: whole ones."""
    return int(np.rint(size_bytes))


@compiled
def find(store: Store, server: int, layer: int, t_s: float, retain_s: float) -> int:
    """Number of a layer's row on a server, or -1; one that nobody has used for so long is gone."""
    number = store.place.get(layer * len(store.first_here) + server, _NONE)
    if number >= 0:
        held = row(store, number)
        if held.users == 0 and t_s - held.unused_since_s >= retain_s:
            forget(store, number, held.unused_since_s + retain_s)
            return _NONE
    return int(number)


@compiled
def use(store: Store, number: int) -> None:
    """One user more of a row."""
    held = row(store, number)
    held.users += 1
    if held.users == 1:
        store.in_use[held.server] += whole(held.bytes)


@compiled
def leave_alone(store: Store, number: int, t_s: float) -> bool:
    """One user fewer; whether nobody uses it any more."""
    held = row(store, number)
    held.users -= 1
    if held.users > 0:
        return False
    held.unused_since_s = t_s
    store.in_use[held.server] -= whole(held.bytes)
    return True


@compiled
def add(store: Store, server: int, layer: int, size_bytes: float, receiver: int, t_s: float) -> int:
    """A layer that somebody begins to bring to a server, by its number; its room is taken."""
    number = store.n[1]
    if number >= 0:
        store.n[1] = row(store, number).next_here
    else:
        number = store.n[0]
        store.n[0] += 1
        if number // _ROWS == len(store.rows):
            store.rows.append(np.zeros(_ROWS, dtype=_dtype))
    held = row(store, number)
    held.server, held.layer, held.bytes, held.missing_bytes = server, layer, size_bytes, size_bytes
    held.receiver, held.users, held.is_complete = receiver, 0, False
    store.place[layer * len(store.first_here) + server] = number
    held.before_here, held.next_here = _NONE, store.first_here[server]
    held.before_alike, held.next_alike = _NONE, store.first_alike.get(layer, _NONE)
    if held.next_here >= 0:
        row(store, held.next_here).before_here = number
    if held.next_alike >= 0:
        row(store, held.next_alike).before_alike = number
    store.first_here[server] = number
    store.first_alike[layer] = number
    _count(store, server, whole(size_bytes), t_s)
    return int(number)


@compiled
def forget(store: Store, number: int, t_s: float) -> None:
    """A layer goes from a server."""
    held = row(store, number)
    del store.place[held.layer * len(store.first_here) + held.server]
    if held.before_here >= 0:
        row(store, held.before_here).next_here = held.next_here
    else:
        store.first_here[held.server] = held.next_here
    if held.next_here >= 0:
        row(store, held.next_here).before_here = held.before_here
    if held.before_alike >= 0:
        row(store, held.before_alike).next_alike = held.next_alike
    elif held.next_alike >= 0:
        store.first_alike[held.layer] = held.next_alike
    else:
        del store.first_alike[held.layer]
    if held.next_alike >= 0:
        row(store, held.next_alike).before_alike = held.before_alike
    _count(store, held.server, -whole(held.bytes), t_s)
    held.next_here = store.n[1]
    store.n[1] = number


@compiled
def _count(store: Store, server: int, more: int, t_s: float) -> None:
    store.held[server] += more
    store.log.append((t_s, server, more))


@compiled
def drop_expired(store: Store, server: int, t_s: float, retain_s: float) -> None:
    """Forget what a server need not keep any longer."""
    number = store.first_here[server]
    while number >= 0:
        held = row(store, number)
        following = held.next_here
        if held.users == 0 and t_s - held.unused_since_s >= retain_s:
            forget(store, number, held.unused_since_s + retain_s)
        number = following


@compiled
def make_room(store: Store, server: int, needed: int, most: float, t_s: float) -> None:
    """Forget layers that nobody uses until so many bytes fit: the least recently used first, then the larger, then by name."""
    while store.held[server] + needed > most:
        oldest, number = _NONE, store.first_here[server]
        while number >= 0:
            if row(store, number).users == 0 and (oldest < 0 or _goes_before(row(store, number), row(store, oldest))):
                oldest = number
            number = row(store, number).next_here
        if oldest < 0:
            return
        forget(store, oldest, t_s)
        store.n[2] += 1


@compiled
def _goes_before(one: Held, other: Held) -> bool:
    if one.unused_since_s != other.unused_since_s:
        return bool(one.unused_since_s < other.unused_since_s)
    if one.bytes != other.bytes:
        return bool(one.bytes > other.bytes)
    return bool(one.layer < other.layer)


@compiled
def close_store(store: Store, t_s: float, retain_s: float) -> None:
    """Forget what need not be kept at an instant."""
    for server in range(len(store.first_here)):
        drop_expired(store, server, t_s, retain_s)


@compiled
def _log(store: Store) -> Any:
    n = len(store.log)
    t_s, server, more = np.empty(n), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for i in range(n):
        t_s[i], server[i], more[i] = store.log[i]
    return t_s, server, more


def held_over_time(store: Store, begin_s: float, end_s: float) -> tuple[float, float]:
    """Bytes that a server has held in the mean between two instants, over all servers, and the most that one has held."""
    if len(store.log) == 0 or end_s <= begin_s:
        return 0.0, 0.0
    t_s, server, more = _log(store)
    order = np.lexsort((more, t_s, server))  # what goes at an instant goes before what comes
    t_s, server, more = t_s[order], server[order], more[order]
    mean = float((more * (end_s - np.minimum(t_s, end_s))).sum()) / (end_s - begin_s) / len(store.held)
    level = np.cumsum(more)
    begin = np.flatnonzero(np.diff(server, prepend=-1))
    before = np.repeat(level[begin] - more[begin], np.diff(np.append(begin, len(server))))
    return mean, float((level - before).max())
