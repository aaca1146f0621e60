"""Which files a path to GPS traces stands for, and in which format each is; nothing is read here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file, is_input_folder
from msmf_traci.files.text_file import unpacked_name
from msmf_traci.scenario.content_cache import content_key, file_hash

Format = Literal["geolife", "csv", "gpx"]
_FORMATS: dict[str, Format] = {".plt": "geolife", ".csv": "csv", ".gpx": "gpx"}
_KNOWN = "GeoLife (.plt), CSV (.csv) and GPX (.gpx), each also packed (.gz, .xz)"
LABELS = "labels.txt"
OPTION = "mobility.gps.path"


@dataclass(frozen=True)
class TraceFile:
    """One file of traces."""

    path: Path
    format: Format


def find_files(path: str) -> list[TraceFile]:
    """The files that a path stands for, in the order of their names.

    A folder is searched downwards; names that begin with a dot are passed over, since systems call their own files so. Where it holds
    GeoLife trajectories these are what is meant, and tables beside them are not read.

    Raises
    ------
    InputError
        If there are none, or one cannot be read.
    """
    root = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - the names of links are the user's own
    if is_input_folder(path, OPTION):
        found = _files_below(root)
        if not found:
            raise InputError(f"{OPTION}={path}: the folder holds no GPS traces; give {_KNOWN}")
        for file in found:
            input_file(file.path, OPTION)
        return found
    input_file(path, OPTION)
    kind = _format_of(root.name)
    if kind is None:
        raise InputError(f"{OPTION}={path} is of no known format; give {_KNOWN}, or a folder of these")
    return [TraceFile(root, kind)]


def files_key(path: str) -> str:
    """Hash of what traces are called after and of the content of all files that would be read, labels included.

    Raises
    ------
    InputError
        If there are none, or one cannot be read.
    """
    files = find_files(path)
    named = {file.path: file.path.name for file in files if file.format != "geolife"}
    for file in files:
        if file.format == "geolife":
            user = user_folder(file.path)
            named |= {each: f"{user.name}/{each.name}" for each in (file.path, user / LABELS) if each.is_file()}
    try:
        return content_key(files=[[name, file_hash(file)] for file, name in named.items()])
    except OSError as error:
        raise InputError(f"{OPTION}={path}: {error.filename} cannot be read ({error.strerror}); check its permissions") from None


def user_folder(trajectory: Path) -> Path:
    """Folder of the user whose trajectory it is: USER/Trajectory/FILE.plt, or USER/FILE.plt."""
    return trajectory.parent.parent if trajectory.parent.name == "Trajectory" else trajectory.parent


def plain_name(path: Path) -> str:
    """A file's name without endings."""
    return Path(unpacked_name(path)).stem


def _format_of(name: str) -> Format | None:
    return _FORMATS.get(Path(unpacked_name(Path(name))).suffix.lower())


def _files_below(root: Path) -> list[TraceFile]:
    found = []
    for folder, inner, names in os.walk(root, onerror=_refuse_folder):
        inner[:] = [name for name in inner if not name.startswith(".")]  # the walk does not enter the others
        shown = [name for name in names if not name.startswith(".")]
        found += [TraceFile(Path(folder) / name, kind) for name in shown if (kind := _format_of(name)) is not None]
    if any(file.format == "geolife" for file in found):
        found = [file for file in found if file.format == "geolife"]
    return sorted(found, key=lambda file: file.path)


def _refuse_folder(error: OSError) -> NoReturn:
    raise InputError(f"{OPTION}: the folder {error.filename} cannot be read ({error.strerror}); check its permissions")
