"""Compilation of the hot loops to machine code, kept in the cache from one process to the next."""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import sys
from collections.abc import Callable
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
    "sentinels.py",
    "deployment/server_map.py",
    *(f"{folder}/*.py" for folder in ("migration", "control", "mobility", "mobility/*")),
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
    how: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    # numba looks there while it decorates; the functions of a calling program keep their own place
    theirs, _config.CACHE_DIR = _config.CACHE_DIR, str(_FOLDER)
    try:
        fast = numba.njit(cache=True, **how)(function)
    except RuntimeError:  # the cache cannot be written: compile in every process
        fast = numba.njit(**how)(function)
    else:
        _keep_if_possible(fast)
    finally:
        _config.CACHE_DIR = theirs
    return cast(Loop, fast)


def _keep_if_possible(fast: Any) -> None:
    """Say that a function is being compiled, and let it run where the disk has no room for its machine code: numba would raise."""
    cache = fast._cache
    load, save = cache.load_overload, cache.save_overload

    def load_or_say(signature: Any, target_context: Any) -> Any:
        found = load(signature, target_context)
        if found is None:
            _say_once("compiling the engine, which takes up to half a minute (kept in the cache)")
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
