"""SUMO's programs: where they are, which release they are, and running one of them with its failure turned into a sentence."""

from __future__ import annotations

import errno
import functools
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.parsers.expat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from msmf_traci.errors import InputError, ToolError
from msmf_traci.files.input_file import is_input_folder, is_there
from msmf_traci.orphans import end_with_parent

QUOTED_LINES = 3
_WARNING = "Warning:"
_ERROR = "Error:"
_PARTING = "Quitting (on error)."
_NO_ROOM_BYTES = 1 << 16  # what a file system that is full may still call free
SYSTEM_PACKAGES = "libx11-6 libxext6 libxrender1 libgl1 libatomic1"


@dataclass(frozen=True)
class Sumo:
    """An installation of SUMO.

    Attributes
    ----------
    home
        Its SUMO_HOME.
    version
        Its release.
    """

    home: Path
    version: str

    def program(self, name: str) -> str:
        """Path of one of its programs."""
        found = shutil.which(name, path=str(self.home / "bin"))
        if found is None:
            raise InputError(
                f"SUMO in {self.home} has no program {name}; reinstall the package eclipse-sumo, or leave out mobility.sumo_home"
            )
        return found

    def tool(self, name: str) -> list[str]:
        """Command that runs one of its Python tools."""
        return [sys.executable, "-P", str(Path(__file__).with_name("tool_runner.py")), str(self.home / "tools" / name)]

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which its programs find their own data, whatever else is installed."""
        return {
            **os.environ,
            "SUMO_HOME": str(self.home),
            "PROJ_LIB": str(self.home / "data" / "proj"),
            "PROJ_DATA": str(self.home / "data" / "proj"),
            "PYTHONPATH": str(self.home / "tools"),  # its tools use the sumolib beside them
        }


@functools.cache
def find_sumo(home: str | None = None) -> Sumo:
    """The SUMO of the installed wheel, or the one in `home`, checked to start and to be the release this package is made for.

    Raises
    ------
    InputError
        If it is missing, does not start, or is of another release.
    """
    if home is not None:
        is_there(home, "mobility.sumo_home")  # refuses a home folder that is not there, before it is expanded
    folder = Path(home).expanduser().resolve() if home is not None else _wheel_home()
    wanted = version("eclipse-sumo")
    if not is_input_folder(folder / "bin", "mobility.sumo_home"):
        raise InputError(
            f"there is no SUMO in {folder}; "
            "set mobility.sumo_home to the folder that holds SUMO's bin, or leave it out for the installed SUMO"
        )
    sumo = Sumo(folder, wanted)
    result = subprocess.run([sumo.program("sumo"), "--version"], capture_output=True, text=True, check=False, env=sumo.environment)
    if result.returncode != 0:
        raise InputError(_why_not_started(sumo, result.stderr))
    found = re.search(r"\d+\.\d+\.\d+", result.stdout)
    if found is None or found.group() != wanted:
        said = found.group() if found else "an unknown release"
        raise InputError(
            f"SUMO in {folder} is {said}, but msmf-traci is made for {wanted}; install that release, or leave out mobility.sumo_home"
        )
    return sumo


def unstarted_sumo() -> Sumo:
    """The SUMO of this release where none has to be started; it need not be installed."""
    spec = importlib.util.find_spec("sumo")
    home = Path(next(iter(spec.submodule_search_locations))) if spec is not None and spec.submodule_search_locations else Path("sumo")
    return Sumo(home, version("sumolib"))


def check_path(path: Path, what: str) -> None:
    """Refuse paths that SUMO's programs cannot take: a comma parts lists of files, a colon hosts from ports, a dollar names variables.

    Raises
    ------
    InputError
        Names the character and the path.
    """
    path = path.absolute()
    for character in ",:$":
        if character in str(path.relative_to(path.anchor)):
            raise InputError(f"{what} {path}: SUMO cannot take a {character!r} in a path; move or rename it")


def run_tool(sumo: Sumo, command: Sequence[str], *, folder: Path, makes: Path | None = None) -> str:
    """Run a program or tool of SUMO to its end and return what it printed.

    Parameters
    ----------
    sumo, command
        The installation, and the program with its words.
    folder
        Where it works and writes.
    makes
        The XML file that it is to make. It has to be whole: netconvert and duarouter end with code 0 where the disk is full.

    Raises
    ------
    ToolError
        If it fails; the text quotes its last lines.
    OSError
        If there was no room for what it writes.
    """
    process = subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=sumo.environment,
        cwd=folder,
        start_new_session=True,
        preexec_fn=end_with_parent(signal.SIGTERM if command[0] == sys.executable else signal.SIGKILL),
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        _end_with_children(process)
        raise
    name = Path(command[3] if command[0] == sys.executable else command[0]).name
    if process.returncode == 0 and (makes is None or _is_whole(makes)):
        return output
    if hasattr(signal, "SIGXFSZ") and process.returncode == -signal.SIGXFSZ:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(folder))
    if os.strerror(errno.ENOSPC) in output or shutil.disk_usage(folder).free < _NO_ROOM_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if process.returncode < 0:
        raise ToolError(f"{name} was ended by {signal.Signals(-process.returncode).name}: {last_lines(output)}")
    if process.returncode > 0:
        raise ToolError(f"{name} failed (exit code {process.returncode}): {last_lines(output)}")
    raise ToolError(f"{name} did not write a whole {makes.name if makes is not None else 'file'}: {last_lines(output)}")


def _end_with_children(process: subprocess.Popen[str]) -> None:
    """End a tool and what it has started (randomTrips.py starts duarouter)."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _is_whole(path: Path) -> bool:
    """Whether there is an XML file to its end."""
    try:
        with path.open("rb") as file:
            xml.parsers.expat.ParserCreate().ParseFile(file)
    except (FileNotFoundError, xml.parsers.expat.ExpatError):
        return False
    return True


def last_lines(text: str) -> str:
    """The last messages of a program's output, errors preferred, as one line."""
    messages = [message for message in messages_in(text.splitlines()) if not message.startswith(_PARTING)]
    errors = [message for message in messages if "error" in message.lower()]
    return " | ".join((errors or messages)[-QUOTED_LINES:]) or "it printed nothing"


def messages_in(lines: Iterable[str]) -> Iterator[str]:
    """What a program of SUMO has said, a line a message.

    A message may go on in the next lines, which say where something is wrong or what to do: indented, or after an error until the next one.
    """
    message = ""
    for line in lines:
        said = line.strip()
        goes_on = line.startswith(" ") or (message.startswith(_ERROR) and not said.startswith((_ERROR, _WARNING, _PARTING)))
        if message and goes_on:
            message += f" {said}" if said else ""
            continue
        if message:
            yield message
        message = said
    if message:
        yield message


@dataclass
class Warned:
    """Warnings of one kind: how many, and the first of them."""

    number: int
    first: str


def warnings_in(lines: Iterable[str]) -> list[Warned]:
    """SUMO's warnings by kind, the most frequent first; warnings that differ in names and numbers only are of one kind."""
    kinds: dict[str, Warned] = {}
    for message in messages_in(lines):
        if message.startswith(_WARNING):
            said = message.removeprefix(_WARNING).strip()
            kind = kinds.setdefault(re.sub(r"'[^']*'|[\d.:]+", "", said), Warned(0, said))
            kind.number += 1
    return sorted(kinds.values(), key=lambda warned: -warned.number)


def _wheel_home() -> Path:
    spec = importlib.util.find_spec("sumo")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("SUMO is not installed; run: pip install eclipse-sumo")
    return Path(next(iter(spec.submodule_search_locations)))


def _why_not_started(sumo: Sumo, output: str) -> str:
    if "shared librar" in output:
        return (
            f"SUMO does not start, since libraries of the system are missing ({last_lines(output)}); "
            f"on Debian or Ubuntu type: sudo apt-get install {SYSTEM_PACKAGES}"
        )
    return f"SUMO in {sumo.home} does not start ({last_lines(output)}); reinstall the package eclipse-sumo"
