"""What was built once is found again by the hash of everything that went into it; complete or not there at all."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msmf_traci.errors import InputError
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def content_key(**ingredients: Any) -> str:
    """Short hash of everything that determines a product; ingredients must be expressible in JSON."""
    return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode()).hexdigest()[:20]


def cached_folder(kind: str, key: str) -> Path:
    """Where the product of that key is, or will be."""
    return cache_folder() / kind / key


def build_once(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """Folder of the product with that key, built now if it is not in the cache.

    Parameters
    ----------
    kind
        What it is: a folder of the cache.
    key
        `content_key` of its ingredients.
    build
        Makes the product in the empty folder it is given.

    Raises
    ------
    InputError
        If the cache folder cannot be written.
    """
    target = cached_folder(kind, key)
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{key}-", dir=target.parent, ignore_cleanup_errors=True) as name:
            scratch = Path(name) / key
            scratch.mkdir()
            build(scratch)
            _settle(scratch, target)
    except OSError as error:
        where = error.filename or target.parent
        raise InputError(
            f"the cache cannot be written at {where} ({error.strerror}); free some space, or set {CACHE_VARIABLE} to another folder"
        ) from None
    return target


def _settle(scratch: Path, target: Path) -> None:
    """Put the product in its place; where another process has put the same meanwhile, that one serves as well."""
    try:
        scratch.rename(target)
    except OSError:
        if not target.is_dir():
            raise
