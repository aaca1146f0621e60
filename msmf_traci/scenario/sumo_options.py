"""What SUMO is told to do, as SUMO itself reads it: synonyms, short forms and the forms of a .sumocfg are its own affair.

SUMO writes down what it has understood (`--save-configuration`); everything that is judged, changed or hashed is judged there, under one
name an option.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from msmf_traci.errors import InputError
from msmf_traci.scenario.content_cache import file_hash
from msmf_traci.scenario.sumo_tools import Sumo, last_lines
from msmf_traci.scratch import temporary_folder

Options = Mapping[str, str]

# Options that name files: those that SUMO reads ...
READ = frozenset(
    {
        *("net-file", "route-files", "additional-files", "weight-files", "load-state", "fcd-output.filter-edges.input-file"),
        *("device.ssm.filter-edges.input-file", "astar.all-distances", "astar.landmark-distances", "device.fcd-replay.files"),
        *("phemlight-path", "gui-settings-file", "edgedata-files", "alternative-net-file", "selection-file"),
    }
)
# ... and those that it writes
WRITTEN = frozenset(
    {
        *("netstate-dump", "emission-output", "battery-output", "elechybrid-output", "chargingstations-output"),
        *("overheadwiresegments-output", "substations-output", "fcd-output", "person-fcd-output", "full-output", "queue-output"),
        *("vtk-output", "amitran-output", "summary-output", "person-summary-output", "tripinfo-output", "personinfo-output"),
        *("vehroute-output", "personroute-output", "link-output", "railsignal-block-output", "railsignal-vehicle-output", "bt-output"),
        *("lanechange-output", "stop-output", "collision-output", "edgedata-output", "lanedata-output", "statistic-output"),
        *("deadlock-output", "save-state.prefix", "save-state.files", "pedestrian.jupedsim.wkt", "pedestrian.jupedsim.py"),
        *("device.rerouting.output", "log", "message-log", "error-log", "device.taxi.dispatch-algorithm.output"),
        *("device.taxi.idle-algorithm.output", "gui-testing.setting-output"),
    }
)
# options that write where SUMO takes the name for a plain text
WRITTEN_AS_TEXT = frozenset({"device.ssm.file", "device.toc.file"})
# options that make SUMO write something about itself, and no simulation
ABOUT_ITSELF = frozenset({"configuration-file", "save-configuration", "save-template", "save-schema"})
# what the command of msmf-traci decides, by SUMO's names
OURS = frozenset({"net-file", "route-files", "remote-port", "num-clients", "seed", "step-length", "begin"})
_OF_A_CONNECTION = ("remote-port", "num-clients")
_SUMO_FILLS_IN = frozenset({"SUMO_LOGO", "EPOCH", "LOCALTIME", "UTC", "PID"})
_YES = frozenset({"true", "1", "yes", "on", "t", "x"})


def options_of_file(sumo: Sumo, path: Path) -> dict[str, str]:
    """Every option that a .sumocfg sets, paths absolute, without those that make SUMO wait for clients.

    Raises
    ------
    InputError
        If SUMO cannot read it; the sentence quotes SUMO.
    """
    options = _understood(sumo, (), path.resolve(), path.resolve().parent, file_hash(path))
    return {name: value for name, value in options.items() if name not in _OF_A_CONNECTION}


def options_of_words(sumo: Sumo, words: Sequence[str]) -> dict[str, str]:
    """Every option that words of a command line set, paths absolute.

    Raises
    ------
    InputError
        If SUMO does not know them, or msmf-traci sets one of them itself.
    """
    if not words:
        return {}
    options = _understood(sumo, tuple(words), None, Path.cwd(), "")
    ours = sorted(OURS & options.keys())
    if ours:
        raise InputError(f"mobility.sumo_args: --{ours[0]} is set by msmf-traci: use the option for it (msmf-traci --help)")
    return options


def is_on(options: Options, name: str) -> bool:
    """Whether a switch of SUMO is on."""
    return is_yes(options.get(name, "false"))


def is_yes(value: str) -> bool:
    """Whether SUMO takes a value for yes."""
    return value.lower() in _YES


def write_configuration(options: Options, path: Path) -> None:
    """Write options as a .sumocfg that SUMO reads alike."""
    lines = [f"  <{name} value={quoteattr(_quoted(name, value))}/>\n" for name, value in options.items()]
    path.write_text("<configuration>\n" + "".join(lines) + "</configuration>\n", encoding="utf-8")


@functools.lru_cache(maxsize=256)
def _understood(sumo: Sumo, words: tuple[str, ...], file: Path | None, folder: Path, _content: str) -> dict[str, str]:
    """What SUMO understands of a .sumocfg, or of words typed in a folder."""
    what = f"scenario.sumocfg_file={file}" if file is not None else f"mobility.sumo_args={list(words)}"
    with temporary_folder() as scratch:
        written = scratch.resolve() / "understood.sumocfg"
        configuration = file
        if configuration is None:  # SUMO takes only one: so words can name none
            configuration = scratch / "none.sumocfg"
            configuration.write_text("<configuration/>", encoding="utf-8")
        command = [sumo.program("sumo"), "--configuration-file", os.path.relpath(configuration, folder), *words]
        result = subprocess.run(
            [*command, "--save-configuration", str(written)],
            cwd=folder,
            env=sumo.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if result.returncode != 0:
            raise InputError(f"{what}: SUMO cannot read this: {last_lines(result.stdout)}")
        if not written.is_file():
            raise InputError(f"{what}: with this, SUMO only prints something about itself and simulates nothing; leave it out")
        return {
            element.tag: _value(element.tag, element.get("value", ""), written.parent, folder, is_from_file=file is not None)
            for element in ET.parse(written).getroot().iter()
            if element.get("value") is not None and element.tag not in ABOUT_ITSELF
        }


def _value(name: str, value: str, written_in: Path, folder: Path, *, is_from_file: bool) -> str:
    """A value as it is meant: variables of the environment filled in, paths absolute."""
    if name in WRITTEN_AS_TEXT:
        return ",".join(_absolute(_filled_in(part.strip()), folder) for part in value.split(","))
    if name not in READ | WRITTEN:
        return _filled_in(value)
    return ",".join(_path(part, written_in, folder, is_from_file=is_from_file) for part in value.split(",") if part)


def _path(part: str, written_in: Path, folder: Path, *, is_from_file: bool) -> str:
    """One name of a file: SUMO wrote it relative to the file that it wrote, unless it begins with a variable.

    SUMO left a blank before a name where it found it, and took %20 for a blank in a .sumocfg only when it used the name.
    """
    name = unquote(part).strip()
    beside = f"{os.path.relpath(folder, written_in)}/"
    base = folder if name.startswith((beside, "${")) else written_in
    name = name.removeprefix(beside).strip()
    return _absolute(_filled_in(unquote(name) if is_from_file else name), base)


def _filled_in(value: str) -> str:
    """A value with the variables of the environment that SUMO fills in; one that is not set is empty, SUMO's own it fills in later."""

    def meant(found: re.Match[str]) -> str:
        return found.group() if found.group(1) in _SUMO_FILLS_IN else os.environ.get(found.group(1), "")

    return re.sub(r"\$\{(.+?)\}", meant, value)


def _absolute(path: str, folder: Path) -> str:
    """An absolute path; what is no path of a file stays."""
    return path if is_no_file(path) or ":" in path else os.path.normpath(folder / path)


def is_no_file(value: str) -> bool:
    """Whether an output of that name goes to no file of its own: nowhere, or to what SUMO prints."""
    return value in ("", "NUL", "nul", "/dev/null", "stdout", "stderr", "-")


def _quoted(name: str, value: str) -> str:
    """A value as SUMO reads it again: in names of files it takes %20 for a blank."""
    if name not in READ | WRITTEN:
        return value
    return value.replace("%", "%25").replace(" ", "%20").replace(";", "%3b")
