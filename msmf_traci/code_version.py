"""Which code makes what: for each product a hash of its modules and of all that they import.

A version number stays while code changes. Modules are read as text and never imported. Comments, docstrings and layout do not count.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec, PathFinder
from pathlib import Path

_PACKAGE = "msmf_traci"
# The modules that make a product; what they import is found in their text.
PRODUCTS = {
    "synthetic network": (f"{_PACKAGE}.scenario.synthetic",),
    "osm network": (f"{_PACKAGE}.scenario.osm_build",),
    "trips": (f"{_PACKAGE}.scenario.trips",),
    "roads": (f"{_PACKAGE}.experiment.road_store",),
    "pass": tuple(f"{_PACKAGE}.mobility.{module}" for module in ("sumo", "traci_reader", "libsumo_reader", "recording")),
    "tables": (f"{_PACKAGE}.experiment.experiment",),
}
# What makes products imports these too, but they have no say in the content: they find, fetch, keep, lock and print.
_WITHOUT_A_SAY = frozenset(
    f"{_PACKAGE}.{module}"
    for module in (
        "code_version",
        "errors",
        "locks",
        "orphans",
        "results.console",
        "scenario.cache_folder",
        "scenario.content_cache",
        "scenario.fetch",
        "scenario.fetched",
        "scenario.osm",
        "scratch",
    )
)
# Fields of a syntax tree that follow from the others, or that Python does not look at.
_SAYS_NOTHING = frozenset(("ctx", "kind", "type_comment", "type_ignores"))


@functools.cache
def code_hash(product: str) -> str:
    """Hash of the code that makes a product of this package, one of `PRODUCTS`."""
    return _hash_of(modules_of(product))


def modules_of(product: str) -> dict[str, str]:
    """The modules that make a product of this package, and the hash of each."""
    return _closure(PRODUCTS[product], lambda name, _: _is_within(name, _PACKAGE))


@functools.cache
def user_code_hash(module: str) -> str:
    """Hash of a user's module and of all modules that it imports, but for Python's own and installed ones.

    Modules of the same package count even where that package is installed.
    """
    own = module.partition(".")[0]
    return _hash_of(_closure((module,), lambda name, path: _is_within(name, own) or _is_within(name, _PACKAGE) or not _is_installed(path)))


def is_users(module: str) -> bool:
    """Whether a module is the user's own: no part of this package, of Python, or of an installed package; one without a file is.

    So is the main one, whatever program has begun: users type their classes into consoles and notebooks that are installed themselves.
    """
    if module == "__main__":
        return True
    if _is_within(module, _PACKAGE) or module in sys.builtin_module_names:
        return False
    path = _file_of(module)
    return path is None or not _is_installed(path)


@dataclass(frozen=True)
class _Module:
    """What a module's text says: a hash of its statements, and the names that it may import."""

    digest: str
    imports: frozenset[str]


def _hash_of(modules: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(modules.items())).encode()).hexdigest()[:16]


def _closure(entries: tuple[str, ...], is_followed: Callable[[str, Path], bool]) -> dict[str, str]:
    """Modules and what they import, directly or not, as far as it is to be followed; the hash of each."""
    found: dict[str, str] = {}
    seen = set(entries)
    todo = list(entries)
    while todo:
        name = todo.pop()
        path = _file_of(name)
        if path is None or name in _WITHOUT_A_SAY or not (name in entries or is_followed(name, path)):
            continue
        module = _read(name, path)
        found[name] = module.digest
        new = module.imports - seen
        seen |= new
        todo += new
    return found


@functools.cache
def _read(name: str, path: Path) -> _Module:
    content = path.read_bytes()
    try:
        tree = ast.parse(content) if path.suffix in SOURCE_SUFFIXES else None
    except (SyntaxError, ValueError):
        tree = None  # of another Python, and not for this one to run
    if tree is None:
        return _Module(hashlib.sha256(content).hexdigest(), frozenset())
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    pieces, imports = list[str](), set[str]()
    _take_down(tree, package, pieces, imports)
    return _Module(hashlib.sha256("\0".join(pieces).encode("utf-8", "surrogatepass")).hexdigest(), frozenset(imports))


def _take_down(node: ast.AST, package: str, pieces: list[str], imports: set[str]) -> None:
    """Write down a syntax tree and collect what it imports.

    Empty fields are left out, which one release of Python has and another has not.
    """
    kind = type(node)
    if isinstance(node, ast.If) and _is_for_type_checkers(node.test):
        for statement in node.orelse:
            _take_down(statement, package, pieces, imports)
        return
    if isinstance(node, ast.Import | ast.ImportFrom):
        imports.update(_imported(node, package))
    pieces.append(kind.__name__)
    fields = node.__dict__
    for name in kind._fields:
        if name in _SAYS_NOTHING:
            continue
        value = fields.get(name)
        if isinstance(value, ast.AST):
            pieces.append(name)
            _take_down(value, package, pieces, imports)
        elif type(value) is list:
            if name == "body" and value and _is_text(value[0]):
                value = value[1:]  # the docstring
            if value:
                pieces.append(f"{name}{len(value)}")
                for item in value:
                    if isinstance(item, ast.AST):
                        _take_down(item, package, pieces, imports)
                    else:
                        pieces.append(repr(item))
        elif value is not None:
            pieces.append(f"{name}={value!r}")


def _is_text(statement: ast.AST) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def _is_for_type_checkers(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING")


def _imported(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """Modules that a statement imports; of `from a import b` both, since `b` may be one."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield from _with_parents(alias.name)
        return
    base = statement.module or ""
    if statement.level:
        above = package.split(".")
        base = ".".join([*above[: len(above) - statement.level + 1], *([base] if base else [])])
    yield from _with_parents(base)
    for alias in statement.names:
        yield f"{base}.{alias.name}"


def _with_parents(name: str) -> Iterator[str]:
    """A module and, in a user's package, its packages, whose text runs first; in ours they only hand on names."""
    yield name
    while not _is_within(name, _PACKAGE) and "." in name:
        name = name.rpartition(".")[0]
        yield name


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _is_installed(path: Path) -> bool:
    return any(folder in path.parents for folder in _installed_folders())


@functools.cache
def _installed_folders() -> frozenset[Path]:
    paths = sysconfig.get_paths()
    names = [*(paths[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib")), *site.getsitepackages(), site.getusersitepackages()]
    return frozenset(Path(name).resolve() for name in names)


def _file_of(name: str) -> Path | None:
    """The file of a module; None where there is no such module, or it has no file."""
    spec = _spec_of(name)
    if spec is None or not spec.has_location or spec.origin is None:
        return None
    path = Path(spec.origin).resolve()
    return path if path.is_file() else None


@functools.cache
def _spec_of(name: str) -> ModuleSpec | None:
    """How Python would find a module, without importing it or its packages."""
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__spec__", None) is not None:
        return loaded.__spec__
    parent, _, _ = name.rpartition(".")
    if not parent:
        try:
            return importlib.util.find_spec(name) if name not in sys.builtin_module_names else None
        except (ImportError, ValueError):
            return None
    above = _spec_of(parent)
    if above is None or above.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, list(above.submodule_search_locations))
