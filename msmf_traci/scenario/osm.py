"""OpenStreetMap files: where they are, and whether a file is one; not what becomes of them."""

from __future__ import annotations

import functools
import gzip
import os
import zlib
from pathlib import Path

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file, is_there
from msmf_traci.scenario.cache_folder import cache_folder
from msmf_traci.scenario.fetch import DATA_VARIABLE, DEFAULT_NAME
from msmf_traci.scenario.fetched import Origin, origin_of, record_of
from msmf_traci.scenario.osm_check import AnswerError, OsmCheck, TruncatedError

ENDINGS = (".osm", ".osm.gz", ".osm.xml", ".osm.pbf")


def find_beijing_map() -> Path:
    """The map of central Beijing that was fetched, or the one in $MSMF_DATA_DIR.

    Raises
    ------
    InputError
        If there is none; says how to get one.
    """
    candidates = [cache_folder() / "maps" / DEFAULT_NAME]
    if data := os.environ.get(DATA_VARIABLE):
        folder = Path(data).expanduser() / "beijing"
        candidates = [folder / "beijing_central.osm.pbf", folder / DEFAULT_NAME, *candidates]
    for candidate in candidates:
        if is_there(candidate, "the map of Beijing"):
            return candidate
    raise InputError(
        "scenario=beijing needs the map of Beijing: run msmf-traci fetch, set MSMF_DATA_DIR, "
        "or name a map with scenario.map_file=FILE.osm.pbf"
    )


@functools.cache
def check_map(path: Path) -> None:
    """Check that a file is a complete OpenStreetMap file with roads.

    Raises
    ------
    InputError
        If it is missing, empty, truncated, a web page or something else.
    """
    input_file(path, "scenario.map_file")
    if origin_of(path) is Origin.CHANGED:
        raise InputError(
            f"map file {path} has changed since it was fetched (its hash is not the one in {record_of(path).name}); fetch it again "
            f"(msmf-traci fetch --force --out {path}, and its --bbox), or remove {record_of(path).name} if the map is your own"
        )
    if not path.name.lower().endswith(ENDINGS):
        raise InputError(f"map file {path}: its name must end in {', '.join(ENDINGS)}; rename or convert it")
    try:
        if path.name.lower().endswith(".pbf"):
            _check_pbf(path)
        else:
            _check_xml(path)
    except PermissionError:
        raise InputError(f"map file {path} cannot be read; check its permissions") from None


def _check_xml(path: Path) -> None:
    check = OsmCheck()
    try:
        with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as file:
            while block := file.read(1 << 20):
                check.feed(block)
        check.finish()
    except (EOFError, TruncatedError):
        raise InputError(f"map file {path} is truncated; fetch it again (msmf-traci fetch)") from None
    except (gzip.BadGzipFile, zlib.error):
        raise InputError(f"map file {path} is not compressed with gzip as its name says; fetch it again, or rename it") from None
    except AnswerError as error:
        raise InputError(
            f"map file {path} is no usable OpenStreetMap file: {str(error).replace('the answer', 'it')}; fetch another"
        ) from None


def _check_pbf(path: Path) -> None:
    import osmium

    try:
        found = any("highway" in item.tags for item in osmium.FileProcessor(str(path), osmium.osm.WAY))
        for _ in osmium.FileProcessor(str(path), osmium.osm.NODE):
            pass
    except RuntimeError as error:
        raise InputError(f"map file {path} is truncated or no .osm.pbf file ({error}); fetch another") from None
    if not found:
        raise InputError(f"map file {path} has no roads (no way with a highway tag); fetch another")
