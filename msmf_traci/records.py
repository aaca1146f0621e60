"""Records that compiled loops read and write, each declared once as a class: its fields, their types, what they are at first.

    class Point:
        x_m: float
        server: Int32 = NO_SERVER

    points = new_records(Point, 10)     # a structured array, of which compiled code reads points[3].server

mypy takes a record for an object of its class; compiled code knows the fields from the array's dtype.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from msmf_traci.sentinels import MOST_PREFETCHED, MOST_TIERS

Records = NDArray[np.void]
Int8 = Annotated[int, np.int8]
Int32 = Annotated[int, np.int32]
ListOfNumbers = Annotated[NDArray[np.float64], (np.float64, (MOST_PREFETCHED,))]
ListOfServers = Annotated[NDArray[np.int32], (np.int32, (MOST_PREFETCHED,))]


@cache
def dtype_of(kind: type) -> np.dtype[np.void]:
    """The dtype of a class: a field of another class is a record within the record, a tuple has room for a number a tier.

    Of several texts to choose from (`Literal`) the place is kept, from 0 on; fields of other texts are left out.
    """
    hints = get_type_hints(kind, include_extras=True).items()
    return np.dtype([(name, *_type_of(hint)) for name, hint in hints if _is_number(hint)], align=True)


def _is_number(hint: Any) -> bool:
    is_class_of_fields = isinstance(hint, type) and hint.__module__ != "builtins"
    return hint in (float, int, bool) or get_origin(hint) in (Annotated, Literal, tuple) or is_class_of_fields


def _type_of(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        kind = get_args(hint)[1]
        return kind if isinstance(kind, tuple) else (kind,)
    if get_origin(hint) is Literal:
        return (np.int8,)
    if get_origin(hint) is tuple:
        return _type_of(get_args(hint)[0])[0], (MOST_TIERS,)
    if hint in (float, int, bool):
        return ({float: np.float64, int: np.int64, bool: np.bool_}[hint],)
    return (dtype_of(hint),)


def new_records(kind: type, shape: int | tuple[int, ...]) -> Records:
    """Records of a class with what its fields are at first, 0 where the class does not say."""
    records: Records = np.zeros(shape, dtype=dtype_of(kind))
    for name in dtype_of(kind).names or ():
        if hasattr(kind, name):
            records[name] = getattr(kind, name)
    return records


def record_of(value: Any) -> Records:
    """An object of a dataclass as a record, shape (); the numbers of a tuple are those of the tiers, from the lowest."""
    kind: type = type(value)
    record: Records = np.zeros((), dtype=dtype_of(kind))
    hints = get_type_hints(kind)
    for each in fields(value):
        if each.name not in (record.dtype.names or ()):
            continue
        part = getattr(value, each.name)
        if isinstance(part, tuple):
            record[each.name][: len(part)] = part
        elif get_origin(hints[each.name]) is Literal:
            record[each.name] = get_args(hints[each.name]).index(part)
        else:
            record[each.name] = record_of(part) if is_dataclass(part) else part
    return record
