"""Identity of a class that a Python program hands over: a hash of what it does now, and of all of the user's code that it uses.

Text on disk does not tell it: a notebook has none, a module may have been edited since, and a class may have been changed or made by a
function at run time.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from enum import Enum
from functools import cached_property, partial
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np

from msmf_traci.code_version import is_users, user_code_hash

_SAYS_NOTHING = frozenset(
    ("__doc__", "__dict__", "__weakref__", "__module__", "__firstlineno__", "__static_attributes__", "__annotations__")
)
_PLAIN = (int, float, complex, str, bytes, type(None), type(Ellipsis))


def living_code_hash(kind: type, base: type) -> str:
    """Hash of a class: its methods and attributes, and the functions, classes, objects and values that these use.

    Parameters
    ----------
    kind
        The class.
    base
        The class of this package that it derives from, which does not count.
    """
    reader = _Reader(base)
    reader.read(kind)
    return hashlib.sha256("\0".join(reader.pieces).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Reader:
    """Writes down whatever can be reached from a class, as far as it is the user's own."""

    def __init__(self, base: type) -> None:
        self.pieces: list[str] = []
        self._base = base
        self._seen: dict[int, tuple[int, object]] = {}  # by id, with its number; kept alive, so that no other object gets that id

    def read(self, value: object) -> None:
        if isinstance(value, _PLAIN):  # before the others: equal ones are often one object
            self.pieces.append(f"{type(value).__name__} {value!r}")
            return
        if id(value) in self._seen:
            self.pieces.append(f"again {self._seen[id(value)][0]}")
            return
        self._seen[id(value)] = len(self._seen), value
        if isinstance(value, staticmethod | classmethod | MethodType):
            self._read_all("method", [value.__func__, getattr(value, "__self__", None)])
        elif isinstance(value, property | cached_property):
            self._read_all("property", [getattr(value, name, None) for name in ("fget", "fset", "func")])
        elif isinstance(value, partial):
            self._read_all("partial", [value.func, *value.args, value.keywords])
        elif isinstance(value, ModuleType):
            self._read_module(value.__name__)
        elif isinstance(value, type | FunctionType) and not is_users(value.__module__):
            self.pieces.append(f"{value.__module__}.{value.__qualname__}")  # installed ones have versions
        elif isinstance(value, type):
            self._read_class(value)
        elif isinstance(value, FunctionType):
            self._read_code(value.__code__, value.__globals__)
            self._read_all("defaults", [*(value.__defaults__ or ()), value.__kwdefaults__ or {}, *_surroundings(value)])
        elif hasattr(value, "__wrapped__"):  # functools.cache and the like
            self._read_all("wrapped", [value.__wrapped__])
        else:
            self._read_object(value)

    def _read_all(self, what: str, values: list[object]) -> None:
        self.pieces.append(f"{what} {len(values)}")
        for each in values:
            self.read(each)

    def _read_object(self, value: object) -> None:
        if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
            self.pieces.append(f"array {value.dtype} {value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}")
        elif isinstance(value, Enum):
            self.pieces.append(repr(value))
        elif isinstance(value, Mapping):
            self._read_all("mapping", [part for item in value.items() for part in item])
        elif isinstance(value, Set):
            self.pieces.append(f"set {sorted(map(self._told, value))}")  # its own order differs from process to process
        elif isinstance(value, list | tuple):
            self._read_all(type(value).__name__, list(value))
        elif type(value).__module__ == "builtins" and callable(value):
            self.pieces.append(f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', None)}")
        elif hasattr(value, "__dict__") and is_users(type(value).__module__):
            self._read_all("object", [type(value), vars(value)])
        else:
            # nobody knows what it does: like no other, so that nothing made with it is taken for done
            self.pieces.append(f"unknown {uuid.uuid4()}")

    def _told(self, value: object) -> str:
        reader = _Reader(self._base)
        reader.read(value)
        return "\0".join(reader.pieces)

    def _read_module(self, name: str) -> None:
        self.pieces.append(f"module {name} {user_code_hash(name) if is_users(name) else ''}")

    def _read_class(self, kind: type) -> None:
        self.pieces.append(f"class {kind.__qualname__}")
        for parent in kind.__mro__[1:]:
            if parent not in (object, self._base):
                self.read(parent)
        for name, attribute in sorted(vars(kind).items()):
            if name not in _SAYS_NOTHING and type(attribute).__name__ not in ("getset_descriptor", "member_descriptor"):
                self.pieces.append(name)
                self.read(attribute)

    def _read_code(self, code: CodeType, names: Mapping[str, object]) -> None:
        """Write down what a function does, without the numbers of its lines."""
        self.pieces += [code.co_code.hex(), *code.co_names, *code.co_varnames]
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._read_code(constant, names)
            else:
                self.read(constant)
        for name in code.co_names:
            if name in names:
                self.read(names[name])


def _surroundings(function: FunctionType) -> Iterator[object]:
    """The values of enclosing functions that a function uses."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # not filled yet
            yield cell.cell_contents
