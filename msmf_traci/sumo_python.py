"""SUMO's Python packages `sumolib`, `traci` and `libsumo` as this package was installed with them.

A folder of an older SUMO in PYTHONPATH, or LIBSUMO_AS_TRACI in the environment, would otherwise bring others under these names.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions, version
from pathlib import Path
from types import ModuleType

from msmf_traci.errors import InputError

_OTHERS = ("LIBSUMO_AS_TRACI", "LIBTRACI_AS_TRACI")


def sumo_package(name: str) -> ModuleType:
    """A Python package of SUMO, of the release of the installed programs.

    Raises
    ------
    InputError
        If it is not installed in that release.
    ImportError
        If it is, and cannot be loaded.
    """
    if name not in sys.modules:
        wanted = version("eclipse-sumo")
        found = {each.version: each for each in distributions(name=name)}
        if wanted not in found:
            there = f"{', '.join(sorted(found))} is installed" if found else "it is not installed"
            raise InputError(f"msmf-traci needs {name} {wanted}, but {there}; run: pip install {name}=={wanted}")
        with _only_this_traci():
            _load(name, Path(str(found[wanted].locate_file(name))))
    return sys.modules[name]


def has_sumo_package(name: str) -> bool:
    """Whether a Python package of SUMO is installed, in whatever release; it is not imported."""
    return any(distributions(name=name))


def _load(name: str, folder: Path) -> None:
    """Import a package from the folder that it is installed in, wherever else the name is found."""
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


@contextmanager
def _only_this_traci() -> Iterator[None]:
    """Hide the variables that let `traci` be another package."""
    hidden = {name: os.environ.pop(name) for name in _OTHERS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)
