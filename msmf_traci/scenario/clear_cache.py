"""Empties the cache folder: what this package has put there and nothing else, and not what a live process builds or uses."""

from __future__ import annotations

import re
from pathlib import Path

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import is_input_folder
from msmf_traci.locks import is_held, take_unused
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder
from msmf_traci.scenario.content_cache import SEAL, remove_built
from msmf_traci.scenario.fetched import RECORD_ENDING, Origin, origin_of, record_of
from msmf_traci.scratch import LOCK_ENDING, OWNER_FILE, parts_in, refusal, remove_traces_of_the_dead

MAPS = "maps"
_KEY = re.compile(r"[0-9a-f]{20}")  # content_key


def clear_cache() -> str:
    """Empty the cache folder; returns a line on what was done.

    What a live process builds or uses stays, and maps that msmf-traci fetch has not fetched.

    Raises
    ------
    InputError
        If something lies there that the package does not put there: then it is no cache of ours, and nothing is removed.
    """
    cache = cache_folder()
    if not is_input_folder(cache, CACHE_VARIABLE):
        return f"cache {cache}: empty already"
    products, own = _contents(cache)
    try:
        removed = sum(_remove_unused(product) for product in products)
        busy = 0
        for kind in sorted(cache.iterdir()):
            remove_traces_of_the_dead(kind)
            busy += sum(is_held(part / OWNER_FILE) for part in parts_in(kind))
            if not any(kind.iterdir()):
                kind.rmdir()
    except OSError as error:
        raise InputError(refusal(error, "the cache", cache, "ask its owner")) from None
    used = len(products) - removed
    left = [
        *([f"kept {busy} that a running process is building"] if busy else []),
        *([f"kept {used} that a running process uses"] if used else []),
        *([f"kept what msmf-traci fetch has not fetched: {', '.join(str(path.relative_to(cache)) for path in own)}"] if own else []),
    ]
    return "; ".join([f"cache {cache}: {removed} removed", *left])


def _contents(cache: Path) -> tuple[list[Path], list[Path]]:
    """Products and fetched maps, and maps of the user's own: all of it judged before anything is removed."""
    products, own = list[Path](), list[Path]()
    for kind in sorted(cache.iterdir()):
        if kind.is_symlink() or not kind.is_dir():
            raise _foreign(cache, kind)
        parts = set(parts_in(kind))
        for path in sorted(kind.iterdir()):
            if path in parts or path.name.endswith((LOCK_ENDING, RECORD_ENDING)):
                continue
            is_product = path.is_dir() and _KEY.fullmatch(path.name) if kind.name != MAPS else path.is_file()
            if path.is_symlink() or not is_product:
                raise _foreign(cache, path)
            (own if kind.name == MAPS and origin_of(path) is not Origin.AS_FETCHED else products).append(path)
    return products, own


def _remove_unused(product: Path) -> bool:
    """Remove a product or a fetched map unless a live process uses it."""
    held_by = product / SEAL if product.is_dir() else product
    lock = take_unused(held_by)
    if lock is None and held_by.exists():
        return False
    try:
        remove_built(product)
        if product == held_by:
            record_of(product).unlink(missing_ok=True)
        return True
    finally:
        if lock is not None:
            lock.close()


def _foreign(cache: Path, path: Path) -> InputError:
    return InputError(
        f"{cache} does not look like a cache of msmf-traci: {path.relative_to(cache)} is not one of its files; "
        f"nothing was removed; check {CACHE_VARIABLE}"
    )
