"""The per-user folder for files that can be fetched or computed again; not for results."""

import os
import sys
from pathlib import Path

from msmf_traci.errors import InputError

CACHE_VARIABLE = "MSMF_CACHE_DIR"
_FOLDER_NAME = "msmf-traci"


def cache_folder() -> Path:
    """Return the user's cache folder of msmf-traci, which need not exist yet.

    Returns
    -------
    MSMF_CACHE_DIR if that is set, else the operating system's usual place for caches.

    Raises
    ------
    InputError
        If it would lie in a home folder that is not known.
    """
    try:
        return _cache_folder()
    except RuntimeError:  # HOME is not set, or names another user
        raise InputError(f"there is no home folder for the cache; set {CACHE_VARIABLE} to a folder") from None


def _cache_folder() -> Path:
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    # A variable, because mypy would take a direct comparison of sys.platform for the platform it runs on.
    platform: str = sys.platform
    if platform == "win32":
        local_data = os.environ.get("LOCALAPPDATA")
        base = Path(local_data) if local_data else Path.home() / "AppData" / "Local"
        return base / _FOLDER_NAME
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / _FOLDER_NAME
    return Path.home() / ".cache" / _FOLDER_NAME
