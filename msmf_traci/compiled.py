"""Compilation of the hot loops to machine code, kept in the cache from one process to the next."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from msmf_traci.errors import InputError
from msmf_traci.scenario.cache_folder import cache_folder
from msmf_traci.scratch import refusal

_PACKAGE = Path(__file__).parent
_config: Any = numba.config  # its attributes are filled in at import
if _config.DISABLE_JIT:  # records' fields are known to compiled functions alone
    raise InputError("NUMBA_DISABLE_JIT is set, but the engine runs as compiled code only; unset NUMBA_DISABLE_JIT")
# where compiled functions are, and what they take in from others
_SOURCES = (
    "arrays.py",
    "compiled.py",
    "records.py",
    "references.py",
    "sentinels.py",
    "deployment/server_map.py",
    "deployment/backhaul.py",
    *(f"{folder}/*.py" for folder in ("migration", "control", "strategies", "mobility", "mobility/*")),
)
_KIND = "compiled"  # of what the cache holds
_OWN = "msmf-traci"  # our folder where numba's own variable names one for everybody
_KEY = re.compile(r"[0-9a-f]{20}")
_MOST_KEPT = 4  # of other sources than these: of an earlier version, of another environment

Loop = TypeVar("Loop", bound=Callable[..., Any])


def _folder_by_sources() -> Path:
    """Folder for machine code, named by the sources of all compiled functions.

    numba looks only at the file that a function is written in, and would go on using what it took in from another one before an edit.
    NUMBA_CACHE_DIR, numba's own variable, names another folder than the cache.
    """
    digest = hashlib.sha256(f"{_PACKAGE}\0{numba.__version__}\0{sys.version}".encode())  # numba keeps these apart, too
    for path in sorted(path for pattern in _SOURCES for path in _PACKAGE.glob(pattern)):
        digest.update(path.read_bytes())
    kept = Path(_config.CACHE_DIR) / _OWN if _config.CACHE_DIR else cache_folder() / _KIND
    folder = kept / digest.hexdigest()[:20]
    others = sorted((other for other in kept.glob("*") if _KEY.fullmatch(other.name) and other != folder), key=_last_written_s)
    for other in others[:-_MOST_KEPT]:
        shutil.rmtree(other, ignore_errors=True)
    return folder


def _last_written_s(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0  # another process has just removed it


_FOLDER = _folder_by_sources()


def compiled(function: Loop) -> Loop:
    """Compile a function of numbers and arrays at its first call; floating-point results are those of numpy."""
    with _own_folder():
        try:
            fast = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
        except RuntimeError:  # the cache cannot be written: compile in every process
            fast = numba.njit(nogil=True, error_model="numpy")(function)
        else:
            _keep_if_possible(fast)
    return cast(Loop, fast)


def inlined(function: Loop) -> Loop:
    """A function of few lines that compiled loops take in where they call it, so that nothing is handed over."""
    return cast(Loop, numba.njit(inline="always", nogil=True, error_model="numpy")(function))


def compiled_pointer(function: Loop, signature: Any) -> Loop:
    """Compile a function for one signature, so that compiled loops can call it through a pointer; kept in the cache if it is ours."""
    with _own_folder():
        if function.__module__.partition(".")[0] == _PACKAGE.name:
            try:
                return cast(Loop, numba.cfunc(signature, cache=True, error_model="numpy")(function))
            except (RuntimeError, OSError):  # the cache cannot be written
                pass
        else:
            _refuse_fractions(function, signature)
        return cast(Loop, numba.cfunc(signature, error_model="numpy")(function))


def _refuse_fractions(function: Callable[..., Any], signature: Any) -> None:
    """Refuse a function whose numbers would be cut to whole ones."""
    fast: Any = numba.njit(error_model="numpy")(function)
    fast.compile(signature.args)
    found = next(iter(fast.overloads.values())).signature.return_type
    if any("float" in str(each) for each in getattr(found, "types", [found])):
        raise TypeError(f"it returns {found}, but whole numbers are asked for")


@contextmanager
def _own_folder() -> Iterator[None]:
    """numba looks for its folder while it decorates; the functions of a calling program keep their own place."""
    theirs, _config.CACHE_DIR = _config.CACHE_DIR, str(_FOLDER)
    try:
        yield
    finally:
        _config.CACHE_DIR = theirs


def _keep_if_possible(fast: Any) -> None:
    """Say that a function is being compiled, and let it run where the disk has no room for its machine code: numba would raise."""
    cache = fast._cache
    load, save = cache.load_overload, cache.save_overload

    def load_or_say(signature: Any, target_context: Any) -> Any:
        found = load(signature, target_context)
        if found is None:
            _say_once("compiling the engine, which takes one to two minutes (kept in the cache)")
        return found

    def save_if_possible(signature: Any, compiled_code: Any) -> None:
        try:
            save(signature, compiled_code)
        except OSError as error:
            _say_once(f"the compiled engine is not kept for the next run: {refusal(error, '', _FOLDER, 'make room there')}")

    cache.load_overload, cache.save_overload = load_or_say, save_if_possible


@functools.cache
def _say_once(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
