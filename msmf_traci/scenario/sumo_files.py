"""The files that SUMO reads and writes in a run: all that options, additional files and routes name, found before SUMO starts.

What SUMO would write over files of the user's own is led into a folder of the run.
"""

from __future__ import annotations

import functools
import gzip
import math
import os
import re
import xml.sax
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat
from xml.sax.saxutils import XMLFilterBase, XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file
from msmf_traci.scenario.content_cache import file_hash
from msmf_traci.scenario.sumo_options import READ, WRITTEN, WRITTEN_AS_TEXT, Options, is_no_file, is_on, is_yes

_GZIP = b"\x1f\x8b"
# elements whose `file` is written; the `file` of any other is read
_WRITERS = frozenset(
    {
        *("inductionLoop", "e1Detector", "instantInductionLoop", "laneAreaDetector", "e2Detector", "entryExitDetector", "e3Detector"),
        *("edgeData", "laneData", "routeProbe", "vTypeProbe"),
    }
)
_DEPARTURES = {"vehicle": "depart", "trip": "depart", "flow": "begin", "person": "depart", "personFlow": "begin"}
_DEPARTURES |= {"container": "depart", "containerFlow": "begin"}
_SECONDS = (1.0, 60.0, 3600.0, 86400.0)
_SSM_FILE = "device.ssm.file"
_STATES = ("save-state.times", "save-state.period")
_STATE_OUTPUT = "<each time>/state"
_NAMES_FILES = re.compile(rb"\b(file|href|output|dest)\s*=|key\s*=\s*[\"'](file|[\w.]+\.files?|has\.ssm\.device)[\"']")
_SSM_OUTPUT = "<each vehicle>/ssm.xml"  # where nobody names a file, SUMO writes one for each vehicle to the working folder


@dataclass(frozen=True)
class Output:
    """A file that SUMO would write: who names it, and the path."""

    what: str
    path: str


@dataclass
class SumoFiles:
    """What a pass reads and writes.

    Attributes
    ----------
    hashes
        Contents of the files read, in the order in which they are named.
    outputs
        Files that SUMO would write.
    rewritten
        Files whose elements name some of these.
    unsorted
        Route files that are not in the order of departure.
    unnamed
        Options for files that SUMO would write and nobody has named, with what stands for their paths in `outputs`.
    unknown
        What goes into the pass and cannot be known, as reasons.
    """

    hashes: list[str] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    rewritten: list[Path] = field(default_factory=list)
    unsorted: list[Path] = field(default_factory=list)
    unnamed: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


def files_of(options: Options) -> SumoFiles:
    """What a pass with these options reads and writes.

    Raises
    ------
    InputError
        If a file that an option names is not there or no file, or SUMO would send something over the network.
    """
    found = SumoFiles()
    if is_on(options, "random"):
        found.unknown.append("SUMO draws another seed each time (random)")
    seen: dict[Path, bool] = {}
    for name in sorted(READ & options.keys()):
        for value in filter(None, options[name].split(",")):
            if name == "phemlight-path":  # a folder of tables about emissions, which move nobody
                continue
            _take(input_file(value, f"SUMO's --{name}"), name, found, seen)
    for name in sorted((WRITTEN | WRITTEN_AS_TEXT) & options.keys()):
        found.outputs += [_output(f"SUMO's --{name}", value) for value in options[name].split(",") if not is_no_file(value)]
    if _SSM_FILE not in options and (_has_ssm_devices(options) or any(output.path == _SSM_OUTPUT for output in found.outputs)):
        found.unnamed[_SSM_FILE] = _SSM_OUTPUT
    if not options.keys().isdisjoint(_STATES) and options.keys().isdisjoint(("save-state.prefix", "save-state.files")):
        found.unnamed["save-state.prefix"] = _STATE_OUTPUT
    found.outputs += [Output(f"SUMO's --{name}", path) for name, path in found.unnamed.items()]
    found.outputs = list(dict.fromkeys(found.outputs))
    return found


def places_of(outputs: Sequence[Output]) -> dict[str, str]:
    """Under which name each output, by the path asked for, is written instead: its own, with a number where several have that."""
    names: dict[str, str] = {}
    for path in dict.fromkeys(output.path for output in outputs):
        plain, number = Path(path).name, 2
        name = plain
        while name in names.values():
            name, number = f"{number}-{plain}", number + 1
        names[path] = name
    return names


def redirected(options: Options, found: SumoFiles, folder: Path, outputs: Path) -> dict[str, str]:
    """The options, with everything that SUMO writes led into a folder.

    Parameters
    ----------
    options, found
        As they were asked for, and what they read and write.
    folder
        Where to put changed copies of files that name outputs.
    outputs
        Where SUMO is to write.
    """
    places = {path: outputs / name for path, name in places_of(found.outputs).items()}
    changed = dict(options)
    for name in (WRITTEN | WRITTEN_AS_TEXT) & options.keys():
        changed[name] = ",".join(value if is_no_file(value) else str(places[value]) for value in options[name].split(","))
    changed |= {name: str(places[path]) for name, path in found.unnamed.items()}
    for name in ("output-prefix", "output-suffix"):  # they may hold folders, and each run has a folder of its own
        changed.pop(name, None)
    copies = {path: folder / f"{number}-{path.name.removesuffix('.gz')}" for number, path in enumerate(found.rewritten)}
    for path, copy in copies.items():
        _rewrite(path, copy, copies, places)
    for name in READ & options.keys():
        changed[name] = ",".join(str(copies.get(Path(value).resolve(), value)) for value in options[name].split(","))
    return changed


@dataclass(frozen=True)
class _Scan:
    """What one XML file names: files it reads and writes, and whether its departures are out of order."""

    reads: tuple[str, ...] = ()
    writes: tuple[Output, ...] = ()
    is_unsorted: bool = False


def _take(path: Path, role: str, found: SumoFiles, seen: dict[Path, bool]) -> bool:
    """Take in a file and what it names; whether it has to be changed, as it names outputs or a file that does."""
    path = path.resolve()
    if path in seen:
        return seen[path]
    seen[path] = False
    digest = file_hash(path)
    found.hashes.append(f"{role}: {digest}")
    try:
        scan = _scan(path, digest, role == "route-files") if _is_xml(path) else _Scan()
    except (OSError, EOFError, zlib.error, expat.ExpatError):
        found.unknown.append(f"{path} cannot be read")
        return False
    except (LookupError, ValueError) as error:  # what it would write cannot be led elsewhere
        raise InputError(f"{path} (a file for SUMO) is in an encoding that cannot be read ({error}); save it in UTF-8") from None
    if scan.is_unsorted:
        found.unsorted.append(path)
    found.outputs += [_output(f"{path}: {output.what}", _beside(path, output.path)) for output in scan.writes]
    is_changed = bool(scan.writes)
    for name in scan.reads:
        named = Path(_beside(path, name))
        if not named.exists():
            found.unknown.append(f"{named} cannot be read")
        else:
            is_changed |= _take(input_file(named, f"a file that {path} names"), "named by another", found, seen)
    if is_changed:
        found.rewritten.append(path)
    seen[path] = is_changed
    return is_changed


def _output(what: str, path: str) -> Output:
    """An output, which must be a file."""
    if ":" in path[2:]:
        raise InputError(f"{what}={path}: SUMO would send that over the network; name a file, or leave it out")
    return Output(what, path)


@functools.lru_cache(maxsize=1024)
def _scan(path: Path, _content: str, is_routes: bool) -> _Scan:
    """Look through an XML file; routes as a whole, others only if they name files."""
    if not is_routes and not _may_name_files(path):
        return _Scan()
    reader = _NamesReader(is_routes=is_routes)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.begin
    with opened(path) as file:
        parser.ParseFile(file)
    return _Scan(tuple(dict.fromkeys(reader.reads)), tuple(dict.fromkeys(reader.writes)), reader.is_unsorted)


class _NamesReader:
    """Collects what elements name, and watches departures."""

    def __init__(self, *, is_routes: bool) -> None:
        self.reads: list[str] = []
        self.writes: list[Output] = []
        self.is_unsorted = False
        self._is_routes = is_routes
        self._departed_s = float("-inf")

    def begin(self, tag: str, said: Mapping[str, str]) -> None:
        for attribute, value in _named_files(tag, said):
            if is_no_file(value):
                continue
            if not _is_written(tag, attribute, said):
                self.reads.append(value)
            else:
                self.writes.append(Output(f"<{tag}> {said.get('id', '')}".strip(), value))
        if tag == "param" and said.get("key") == "has.ssm.device" and is_yes(said.get("value", "")):
            self.writes.append(Output("<param> has.ssm.device", _SSM_OUTPUT))
        if self._is_routes and tag in _DEPARTURES:
            departure_s = seconds_of(said.get(_DEPARTURES[tag], ""))
            if departure_s is not None:
                self.is_unsorted |= departure_s < self._departed_s
                self._departed_s = departure_s


def _named_files(tag: str, said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Attributes of an element that name a file, with their values."""
    if tag == "param":
        key = said.get("key", "")
        if key == "file" or key.endswith((".file", ".files")):
            yield "value", said.get("value", "")
        return
    for attribute in ("file", "href", "output", "dest"):
        if attribute in said and (attribute != "dest" or tag == "timedEvent"):
            yield attribute, said[attribute]


def _is_written(tag: str, attribute: str, said: Mapping[str, str]) -> bool:
    """Whether SUMO writes the file that an attribute names."""
    if tag == "param":
        return not said["key"].startswith("device.fcd-replay")
    return attribute in ("output", "dest") or (attribute == "file" and tag in _WRITERS)


def seconds_of(text: str) -> float | None:
    """A time as SUMO reads it, in seconds or as days:hours:minutes:seconds; None for a word such as `triggered`."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        return None
    seconds = math.fsum(part * unit for part, unit in zip(reversed(parts), _SECONDS, strict=False))
    return seconds if math.isfinite(seconds) else None


class _Rewriter(XMLFilterBase):
    """Passes an XML file on with other names of files."""

    def __init__(self, path: Path, copies: Mapping[Path, Path], places: Mapping[str, Path]) -> None:
        super().__init__(xml.sax.make_parser())
        self._path = path
        self._copies = copies
        self._places = places

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the name is the library's
        said = dict(attrs)
        for attribute, value in _named_files(name, said):
            if is_no_file(value):
                continue
            beside = _beside(self._path, value)
            if _is_written(name, attribute, said):
                said[attribute] = str(self._places[beside])
            else:
                said[attribute] = str(self._copies.get(Path(beside).resolve(), beside))
        super().startElement(name, AttributesImpl(said))


def _rewrite(path: Path, copy: Path, copies: Mapping[Path, Path], places: Mapping[str, Path]) -> None:
    with copy.open("w", encoding="utf-8") as written, opened(path) as file:
        rewriter = _Rewriter(path, copies, places)
        rewriter.setContentHandler(XMLGenerator(written, encoding="utf-8"))
        rewriter.parse(file)


def _beside(path: Path, name: str) -> str:
    """What a name in a file stands for: a path relative to the file."""
    return name if ":" in name[2:] or name == _SSM_OUTPUT else os.path.normpath(path.parent / name)


def _is_xml(path: Path) -> bool:
    """Whether a file's first text is a tag, whatever its name and encoding."""
    with opened(path) as file:
        return file.read(200).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def _may_name_files(path: Path) -> bool:
    """Whether a file has any attribute that names files, in whatever encoding; most networks have none and are large."""
    kept = b""
    with opened(path) as file:
        while block := file.read(1 << 20):
            text = kept + (block.replace(b"\0", b"") if b"\0" in block else block)
            if _NAMES_FILES.search(text):
                return True
            kept = text[-64:]
    return False


def _has_ssm_devices(options: Options) -> bool:
    """Whether options give vehicles a device for safety measures, which writes."""
    return "device.ssm.explicit" in options or float(options.get("device.ssm.probability", "0")) > 0


def opened(path: Path) -> IO[bytes]:
    """A file as SUMO opens it: unpacked if it is packed, whatever its name."""
    with path.open("rb") as file:
        is_packed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if is_packed else path.open("rb")  # type: ignore[return-value]
