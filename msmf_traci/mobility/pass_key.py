"""What a pass follows from: the key under which its recording is found again, or why it has none."""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from msmf_traci.code_version import code_hash
from msmf_traci.mobility.sumo_command import Command, Load
from msmf_traci.scenario.content_cache import content_key, file_hash

# SUMO's options that name files it reads, by their long and their short names
_READ = {"net-file", "n", "route-files", "r", "additional-files", "a", "weight-files", "w", "load-state", "edgedata-files", "data-files"}
_READ |= {"net", "routes", "route", "additional", "weights", "edgedata", "data"}
_LOGS = {"log", "l", "message-log", "error-log"}
# elements of additional files whose `file` is written
_DETECTORS = {
    *("inductionLoop", "e1Detector", "instantInductionLoop", "laneAreaDetector", "e2Detector", "entryExitDetector", "e3Detector"),
    *("edgeData", "laneData", "routeProbe", "timedEvent"),
}


@dataclass
class PassKey:
    """Identity of a pass.

    Attributes
    ----------
    key
        Hash of everything that determines the frames; None if that cannot be known.
    why_none
        Why there is no key.
    writes
        Whether SUMO writes files of its own in this pass, which a replay would not.
    """

    key: str | None = None
    why_none: str | None = None
    writes: bool = False


def pass_key(sumo_version: str, load: Load, command: Command) -> PassKey:
    """Key of the pass that SUMO would drive.

    Parameters
    ----------
    sumo_version
        SUMO's release.
    load, command
        What it loads and how it is run.
    """
    if command.gui:
        return PassKey(why_none="a person can change it in sumo-gui")
    read = _Inputs()
    words = [str(word) for word in command.extra]
    try:
        trips = () if load.trip_file is None else (load.trip_file,)
        read.take_all((*load.network.route_files, *trips), load.network.sumocfg_file, words)
    except _UnknownInputError as unknown:
        return PassKey(why_none=str(unknown), writes=read.writes)
    key = content_key(
        network=load.network.key,
        files=read.hashes,
        speed_mps=command.speed_mps,
        mode=command.mode,
        step_s=command.step_s,
        max_duration_s=command.max_duration_s,
        seed=command.seed,
        extra=words,
        sumo=sumo_version,
        code=code_hash("pass"),
    )
    return PassKey(key, writes=read.writes)


def files_read(route_files: Sequence[Path], sumocfg_file: Path | None, words: Sequence[str]) -> list[str]:
    """Hashes of the user's own files that SUMO reads, those that they name included, as far as they can be known."""
    read = _Inputs()
    with suppress(_UnknownInputError):  # SUMO will say what is wrong with it, or take it from elsewhere each time
        read.take_all(route_files, sumocfg_file, words)
    return read.hashes


class _UnknownInputError(Exception):
    """Something goes into the pass that cannot be hashed."""


@dataclass
class _Inputs:
    """Files that SUMO reads, as hashes in the order in which they are named."""

    hashes: list[str] = field(default_factory=list)
    writes: bool = False
    _seen: set[Path] = field(default_factory=set)

    def take_all(self, route_files: Sequence[Path], sumocfg_file: Path | None, words: Sequence[str]) -> None:
        """Hash routes, a .sumocfg and the files that options of a command line name."""
        for path in route_files:
            self.take(path)
        if sumocfg_file is not None:
            self.take_configuration(sumocfg_file)
        for option, value in _pairs(words):
            self.take_option(option, value, Path())

    def take(self, path: Path) -> None:
        """Hash a file and what it names."""
        path = path.resolve()
        if path in self._seen:
            return
        self._seen.add(path)
        try:
            self.hashes.append(file_hash(path))
            if _is_xml(path):
                self._take_named(path)
        except (OSError, EOFError, ET.ParseError):
            raise _UnknownInputError(f"{path} cannot be read") from None

    def take_configuration(self, path: Path) -> None:
        """Hash a .sumocfg and every file that it names."""
        self.hashes.append(file_hash(path))
        try:
            with _opened(path) as file:
                root = ET.parse(file).getroot()
        except (OSError, EOFError, ET.ParseError):
            raise _UnknownInputError(f"{path} cannot be read") from None
        for element in root.iter():
            value = element.get("value") or element.get("v")
            if value is not None:
                self.take_option(element.tag, value, path.parent)

    def take_option(self, option: str, value: str, folder: Path) -> None:
        """Hash the files that one of SUMO's options names."""
        if "${" in value:
            raise _UnknownInputError(f"{option} names a variable of the environment")
        if option == "random" and value not in ("false", "0", "no", "off"):
            raise _UnknownInputError("SUMO draws another seed each time (random)")
        if "output" in option or option.startswith(("save-", "netstate", "ndump")) or option.endswith("ssm.file") or option in _LOGS:
            self.writes = True
            return
        for name in (word.strip() for word in value.split(",")):
            path = folder / name
            if name and (option in _READ or path.is_file()):
                self.take(path)

    def _take_named(self, path: Path) -> None:
        """Hash the files that elements of an XML file name."""
        with _opened(path) as file:
            if not any(b"file" in line or b"href" in line or b"output" in line for line in file):
                return
        with _opened(path) as file:
            for _, element in ET.iterparse(file, events=("start",)):
                name = element.get("file") or element.get("href")
                if element.tag in _DETECTORS or element.get("output") is not None:
                    self.writes = True
                elif name is not None:
                    self.take(path.parent / name)


def _is_xml(path: Path) -> bool:
    """Whether a file's first text is a tag, whatever its name."""
    with _opened(path) as file:
        return file.read(200).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options of a command line with their values; one without a value is true."""
    for i, word in enumerate(words):
        if word.startswith("-"):
            option, given, value = word.lstrip("-").partition("=")
            following = words[i + 1] if i + 1 < len(words) and not words[i + 1].startswith("-") else "true"
            yield option, value if given else following
