"""Empties the cache folder: what this package has put there and nothing else, and not what a live process is building."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msmf_traci.errors import InputError
from msmf_traci.locks import is_held
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder
from msmf_traci.scenario.content_cache import remove_built
from msmf_traci.scratch import LOCK_ENDING, OWNER_FILE, parts_in, remove_traces_of_the_dead

MAPS = "maps"
_KEY = re.compile(r"[0-9a-f]{20}")  # content_key


def clear_cache() -> str:
    """Empty the cache folder; returns a line on what was done.

    Raises
    ------
    InputError
        If something lies there that the package does not put there: then it is no cache of ours, and nothing is removed.
    """
    cache = cache_folder()
    if not cache.is_dir():
        return f"cache {cache}: empty already"
    products = list(_products(cache))
    for product in products:
        remove_built(product)
    busy = 0
    for kind in sorted(cache.iterdir()):
        remove_traces_of_the_dead(kind)
        busy += sum(is_held(part / OWNER_FILE) for part in parts_in(kind))
        if not any(kind.iterdir()):
            kind.rmdir()
    left = f"; {busy} being built by a live process left alone" if busy else ""
    return f"cache {cache}: {len(products)} removed{left}"


def _products(cache: Path) -> Iterator[Path]:
    """What lies in the cache, all of it judged before anything is removed."""
    found = []
    for kind in sorted(cache.iterdir()):
        if kind.is_symlink() or not kind.is_dir():
            raise _foreign(cache, kind)
        parts = set(parts_in(kind))
        for path in sorted(kind.iterdir()):
            if path in parts or path.name.endswith(LOCK_ENDING):
                continue
            is_product = path.is_dir() and _KEY.fullmatch(path.name) if kind.name != MAPS else path.is_file()
            if path.is_symlink() or not is_product:
                raise _foreign(cache, path)
            found.append(path)
    yield from found


def _foreign(cache: Path, path: Path) -> InputError:
    return InputError(
        f"{cache} does not look like a cache of msmf-traci: {path.relative_to(cache)} is none of its own; "
        f"nothing was removed, check {CACHE_VARIABLE}"
    )
