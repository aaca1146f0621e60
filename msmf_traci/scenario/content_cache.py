"""What was built once is found again by the hash of everything that went into it; whole and as it was built, or not there at all.

Beside a product lie the size and hash of each of its files. They are checked when it is taken, since another network, route or recording
than the one that was built would give other results without a word.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import is_there
from msmf_traci.locks import Lock, share, try_lock
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder
from msmf_traci.scratch import LOCK_ENDING, owned_scratch, part_of, refusal, remove_traces_of_the_dead, settle

SEAL = "contents.json"
_WAIT_S = 0.2
_WAY_OUT = f"set {CACHE_VARIABLE} to another folder"
_ATTEMPTS = 3  # another process may clear the cache between building and use
_hashes: dict[tuple[int, int, int, int], str] = {}
_used: dict[Path, Lock] = {}


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read once a process as long as the file stays what it is: a sweep asks for the same map at every point."""
    state = path.stat()
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    if key not in _hashes:
        with path.open("rb") as file:
            _hashes[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _hashes[key]


def content_key(**ingredients: Any) -> str:
    """Short hash of everything that determines a product; ingredients must be expressible in JSON."""
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()[:20]


def cached_folder(kind: str, key: str) -> Path:
    """Where the product of that key is, or will be."""
    return cache_folder() / kind / key


def check_cache() -> None:
    """Check, without leaving anything behind, that something can be kept in the cache.

    Raises
    ------
    InputError
        If not.
    """
    existing = cache_folder()
    while not is_there(existing, CACHE_VARIABLE) and existing != existing.parent:
        existing = existing.parent
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise InputError(f"the cache cannot be written at {cache_folder()}; {_WAY_OUT}")


def has_built(kind: str, key: str) -> bool:
    """Whether the cache has the product with that key as it was built; it may be gone a moment later."""
    return _is_as_built(cached_folder(kind, key))


def find_built(kind: str, key: str) -> Path | None:
    """Folder of the product with that key, in use from now on, if the cache has it as it was built.

    Parameters
    ----------
    kind, key
        A folder of the cache, and `content_key` of the product's ingredients.
    """
    target = cached_folder(kind, key)
    return target if use(target / SEAL) and _is_as_built(target) else None


def build_once(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """Folder of the product with that key, in use from now on, built now if it is not in the cache as it was built.

    Parameters
    ----------
    kind, key
        A folder of the cache, and `content_key` of the product's ingredients.
    build
        Makes the product in the empty folder it is given.

    Raises
    ------
    InputError
        If the cache folder cannot be written, or does not keep what is written there.
    """
    target = cached_folder(kind, key)
    try:
        for _ in range(_ATTEMPTS):
            found = find_built(kind, key)
            if found is not None:
                return found
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = _wait_for_turn(target)
            try:
                if not has_built(kind, key):
                    with suppress(FileNotFoundError):  # there is nothing of that name, or it was removed this moment
                        remove_built(target)
                    with owned_scratch(part_of(target)) as content:
                        build(content)
                        _seal(content)
                        _settle(content, target)
            finally:
                lock.release()
    except OSError as error:
        raise InputError(refusal(error, "the cache", target.parent, _WAY_OUT)) from None
    raise InputError(f"the cache does not keep what is written at {target}; check its disk, or {_WAY_OUT}")


def remove_built(target: Path) -> None:
    """Remove a product in one step: it is there whole, or not at all, for others that look for it meanwhile.

    Raises
    ------
    OSError
        If it is not there, or the cache cannot be written.
    """
    with owned_scratch(part_of(target)) as content:
        target.rename(content / target.name)


def use(path: Path) -> bool:
    """Keep a file of the cache, or the product that it seals, from being cleared away while this process uses it.

    Returns
    -------
    Whether it is there.
    """
    held = _used.pop(path, None)
    if held is not None:
        if held.is_in_place():
            _used[path] = held
            return True
        held.close()
    lock = share(path)
    if lock is not None:
        _used[path] = lock
    return lock is not None


@contextmanager
def used_until_the_end() -> Iterator[None]:
    """Let go at the end of what was taken into use meanwhile."""
    before = set(_used)
    try:
        yield
    finally:
        for path in set(_used) - before:
            _used.pop(path).close()


def remove_unfinished() -> None:
    """Remove what killed processes have left unfinished in the cache."""
    for kind in cache_folder().glob("*/"):
        remove_traces_of_the_dead(kind)


def _seal(folder: Path) -> None:
    """Put down what was built."""
    files = {path.name: {"bytes": path.stat().st_size, "sha256": file_hash(path)} for path in sorted(folder.iterdir())}
    (folder / SEAL).write_text(json.dumps(files, indent=1) + "\n", encoding="utf-8")


def _is_as_built(target: Path) -> bool:
    """Whether a product is there as it was built; one that is there and is not is said."""
    fault = _fault_of(target) if target.is_dir() else ""
    if fault:
        _say_once(f"{target} in the cache has changed since it was built ({fault}); it is not used, and is built again when it is needed")
    return fault is None


def _fault_of(folder: Path) -> str | None:
    """In what a product differs from what was built; None where in nothing."""
    try:
        files = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        if not files:
            return f"{SEAL} names no file"
        for name, built in files.items():
            path = folder / name
            if path.stat().st_size != built["bytes"]:
                return f"{name} has another size"
            if file_hash(path) != built["sha256"]:
                return f"{name} has another hash"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{SEAL} cannot be read"
    return None


def _wait_for_turn(target: Path) -> Lock:
    """Wait for whoever is building the same: eight workers that begin together need one network, not eight at once."""
    while (lock := try_lock(target.with_name(f".{target.name}{LOCK_ENDING}"))) is None:
        time.sleep(_WAIT_S)
    return lock


def _settle(content: Path, target: Path) -> None:
    """Put the product in its place; where another process has put the same meanwhile, that one serves as well."""
    try:
        settle(content, target)
    except OSError:
        if not target.is_dir():
            raise


@functools.cache
def _say_once(text: str) -> None:
    from msmf_traci.results.console import say  # heavy, and seldom needed

    say(text)
