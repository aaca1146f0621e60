"""Identity of a class that lives in memory only, such as one that a notebook defines: a hash of what it does and of what it uses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import CodeType, FunctionType, ModuleType

from msmf_traci.code_version import user_code_hash

_SAYS_NOTHING = frozenset(("__doc__", "__dict__", "__weakref__", "__module__", "__firstlineno__", "__static_attributes__"))
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def living_code_hash(kind: type, base: type) -> str:
    """Hash of a class: its methods and attributes, and the functions, classes and values of its module that these use.

    Parameters
    ----------
    kind
        The class.
    base
        The class of this package that it derives from, which does not count.
    """
    reader = _Reader(kind.__module__, base)
    reader.read(kind)
    return hashlib.sha256("\0".join(reader.pieces).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Reader:
    """Writes down a class of a module, and whatever of that module it uses."""

    def __init__(self, module: str, base: type) -> None:
        self.pieces: list[str] = []
        self._module = module
        self._base = base
        self._seen: set[int] = set()

    def read(self, value: object) -> None:
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, staticmethod | classmethod):
            self.read(value.__func__)
        elif isinstance(value, property):
            for part in (value.fget, value.fset):
                self.read(part)
        elif isinstance(value, ModuleType):
            self.pieces.append(f"module {value.__name__} {user_code_hash(value.__name__)}")
        elif isinstance(value, type | FunctionType) and value.__module__ != self._module:
            self.pieces.append(f"{value.__module__}.{value.__qualname__} {user_code_hash(value.__module__)}")
        elif isinstance(value, type):
            self._read_class(value)
        elif isinstance(value, FunctionType):
            self._read_code(value.__code__, value.__globals__)
            for part in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *_surroundings(value)):
                self.read(part)
        else:
            self.pieces.append(_ADDRESS.sub("", repr(value)))

    def _read_class(self, kind: type) -> None:
        self.pieces.append(f"class {kind.__qualname__}")
        for parent in kind.__mro__[1:]:
            if parent not in (object, self._base):
                self.read(parent)
        for name, attribute in sorted(vars(kind).items()):
            if name not in _SAYS_NOTHING:
                self.pieces.append(name)
                self.read(attribute)

    def _read_code(self, code: CodeType, names: Mapping[str, object]) -> None:
        """Write down what a function does, without the numbers of its lines."""
        self.pieces += [code.co_code.hex(), *code.co_names, *code.co_varnames]
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._read_code(constant, names)
            else:
                self.pieces.append(repr(constant))
        for name in code.co_names:
            if name in names:
                self.read(names[name])


def _surroundings(function: FunctionType) -> Iterator[object]:
    """The values of enclosing functions that a function uses."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # not filled yet
            yield cell.cell_contents
