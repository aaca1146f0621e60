"""The record beside a map that msmf-traci fetch has downloaded: its hash, in the format of sha256sum."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from msmf_traci.scenario.content_cache import file_hash
from msmf_traci.scratch import write_whole

RECORD_ENDING = ".sha256"


class Origin(Enum):
    """What a map's record says of it."""

    AS_FETCHED = "as it was fetched"
    CHANGED = "another file than was fetched"
    OWN = "not fetched by us"


def record_of(map_file: Path) -> Path:
    """Where a map's record is, or would be."""
    return map_file.with_name(map_file.name + RECORD_ENDING)


def note_fetched(map_file: Path) -> None:
    """Write down what was fetched."""
    write_whole(record_of(map_file), f"{file_hash(map_file)}  {map_file.name}\n")


def origin_of(map_file: Path) -> Origin:
    """Whether a map is one that was fetched, and still is what was fetched."""
    try:
        recorded = record_of(map_file).read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return Origin.OWN
    return Origin.AS_FETCHED if recorded[:1] == [file_hash(map_file)] else Origin.CHANGED
