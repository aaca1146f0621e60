"""What was built once is found again by the hash of everything that went into it; complete or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msmf_traci.errors import InputError
from msmf_traci.locks import Lock, try_lock
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder
from msmf_traci.scratch import LOCK_ENDING, owned_scratch, part_of, remove_traces_of_the_dead, settle

_WAIT_S = 0.2
_hashes: dict[tuple[str, int, int, int, int], str] = {}


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read once a process as long as the file stays what it is: a sweep asks for the same map at every point."""
    state = path.stat()
    key = (str(path.absolute()), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
    if key not in _hashes:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        _hashes[key] = digest.hexdigest()
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
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise InputError(f"the cache cannot be written at {cache_folder()}; set {CACHE_VARIABLE} to another folder")


def build_once(kind: str, key: str, product: str, build: Callable[[Path], None]) -> Path:
    """Folder of the product with that key, built now if it is not in the cache.

    Parameters
    ----------
    kind
        What it is: a folder of the cache.
    key
        `content_key` of its ingredients.
    product
        The file that must be there; a folder without it was emptied by somebody, and is built anew.
    build
        Makes the product in the empty folder it is given.

    Raises
    ------
    InputError
        If the cache folder cannot be written.
    """
    target = cached_folder(kind, key)
    if (target / product).is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _wait_for_turn(target)
        try:
            if not (target / product).is_file():
                shutil.rmtree(target, ignore_errors=True)
                with owned_scratch(part_of(target)) as content:
                    build(content)
                    _settle(content, target)
        finally:
            lock.release()
    except OSError as error:
        where = error.filename or target.parent
        raise InputError(
            f"the cache cannot be written at {where} ({error.strerror}); free some space, or set {CACHE_VARIABLE} to another folder"
        ) from None
    return target


def remove_unfinished() -> None:
    """Remove what killed processes have left unfinished in the cache."""
    for kind in cache_folder().glob("*/"):
        remove_traces_of_the_dead(kind)


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
