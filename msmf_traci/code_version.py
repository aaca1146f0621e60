"""Which code this is: a hash of the package's own files, since a version number stays while code changes.

Not of all: a run's configuration is compared in full, whatever files it was composed of, and a report or a testbed changes no table.
"""

from __future__ import annotations

import functools
import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

# an installed package holds these folders, an editable one does not: one is read by its own name, the other not at all
_MAPPED = ("msmf_traci.conf", "msmf_traci.scenarios")
_NO_PART_OF_A_RUN = ("msmf_traci/report/", "msmf_traci/testbed", "msmf_traci/config/testbed_")
_ENDINGS = (".py", ".yaml")


@functools.cache
def code_hash() -> str:
    """Hash of every source file that a run's tables follow from."""
    digest = hashlib.sha256()
    for package in ("msmf_traci", "msmf_traci.scenarios"):
        for name, content in sorted(_contents(files(package))):
            if f"{package}.{name.partition('/')[0]}" in _MAPPED or f"{package}/{name}".startswith(_NO_PART_OF_A_RUN):
                continue
            digest.update(f"{package}/{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def _contents(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.name.startswith((".", "__pycache__")):
            found += _contents(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_ENDINGS):
            found.append((prefix + entry.name, entry.read_bytes()))
    return found
