"""Named tuples behind a reference: compiled functions read the same fields, but are handed one word in place of them all.

    scene = by_reference(Scene(...))    # compiled code reads scene.state.held either way

Without it each call copies every number of a tuple of arrays, and counts a reference for each array. Here nothing is counted: what Python
holds (`Referred`) keeps everything in place.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.core import cgutils, extending, imputils
from numba.core.datamodel import models
from numba.core.typing import templates

from msmf_traci.compiled import compiled

Fields = TypeVar("Fields", bound=tuple[Any, ...])

_code: Any = cgutils  # numba has no types of its own
_extending: Any = extending
_numba: Any = numba
_numbers: Any = numba.types
_templates: Any = templates


class Reference(_numbers.Type):  # type: ignore[misc]
    """numba's type of a reference to a named tuple."""

    def __init__(self, fields: Any) -> None:
        self.fields = fields
        self.names = tuple(zip(fields.fields, map(str, fields), strict=True))
        super().__init__(f"Reference({hashlib.sha256(f'{fields}{self.names}'.encode()).hexdigest()[:20]})")


class Referred:
    """What Python holds of a reference: the named tuple, whose fields it reads, and a copy that compiled functions read."""

    def __init__(self, value: tuple[Any, ...]) -> None:
        self._value = value
        self._numba_type_ = Reference(_numba.typeof(value))
        self._copy = np.zeros(_size(value), dtype=np.uint8)
        self._address = self._copy.ctypes.data
        _put(value, self._address)

    def __getattr__(self, name: str) -> Any:
        if name == "_value":  # of what is being copied
            raise AttributeError(name)
        return getattr(self._value, name)


def by_reference(value: Fields) -> Fields:
    """A named tuple with its fields, and those of tuples within it, behind references; itself if it is that already."""
    if isinstance(value, Referred):
        return value
    parts = (by_reference(part) if isinstance(part, tuple) and hasattr(part, "_fields") else part for part in value)
    return cast(Fields, Referred(type(value)(*parts)))


class _Attributes(_templates.AttributeTemplate):  # type: ignore[misc]
    """Types of the fields."""

    key = Reference

    def generic_resolve(self, kind: Any, name: str) -> Any:
        names = kind.fields.fields
        return kind.fields[names.index(name)] if name in names else None


def _load(context: Any, builder: Any, kind: Any, address: Any, name: str) -> Any:
    """Read a field."""
    place = kind.fields.fields.index(name)
    copy = builder.bitcast(address, context.get_value_type(kind.fields).as_pointer())
    field = builder.load(_code.gep_inbounds(builder, copy, 0, place))
    borrowed: Any = imputils.impl_ret_borrowed
    return borrowed(context, builder, kind.fields[place], field)


def _unbox(_kind: Any, referred: Any, c: Any) -> Any:
    """The address, as compiled functions take it."""
    number = c.pyapi.object_getattr_string(referred, "_address")
    address = c.pyapi.long_as_voidptr(number)
    c.pyapi.decref(number)
    return _extending.NativeValue(address)


def _size_of(_context: Any, fields: Any) -> Any:
    """Bytes of a copy of a named tuple."""

    def generate(context: Any, _builder: Any, _called: Any, _words: Any) -> Any:
        return context.get_constant(_numbers.int64, context.get_abi_sizeof(context.get_value_type(fields)))

    return _numbers.int64(fields), generate


def _store(_context: Any, fields: Any, address: Any) -> Any:
    """Put a copy of a named tuple where an address says, its arrays as what nobody counts."""
    for kind in fields:
        if isinstance(kind, _numbers.BaseTuple):
            raise TypeError(f"a reference cannot hold {kind}: its arrays would be freed")

    def generate(context: Any, builder: Any, _called: Any, words: Any) -> Any:
        value, number = words
        for place, kind in enumerate(fields):
            if isinstance(kind, _numbers.Array):
                array = context.make_array(kind)(context, builder, builder.extract_value(value, place))
                array.meminfo, array.parent = (_code.get_null_value(part.type) for part in (array.meminfo, array.parent))
                value = builder.insert_value(value, array._getvalue(), place)
        builder.store(value, builder.inttoptr(number, context.get_value_type(fields).as_pointer()))
        return context.get_dummy_value()

    return _numbers.none(fields, address), generate


_extending.register_model(Reference)(models.OpaqueModel)
_extending.infer_getattr(_Attributes)
_extending.lower_getattr_generic(Reference)(_load)
_extending.unbox(Reference)(_unbox)
_compiled_size: Any = _extending.intrinsic(_size_of)
_compiled_store: Any = _extending.intrinsic(_store)


@compiled
def _size(fields: Any) -> Any:
    return _compiled_size(fields)


@compiled
def _put(fields: Any, address: int) -> None:
    _compiled_store(fields, address)
