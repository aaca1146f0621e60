"""What the testbed needs of a machine: what is there, what is not, and what to do about it. Looking leaves nothing behind."""

from __future__ import annotations

import math
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.errors import InputError
from msmf_traci.testbed.mounts import mounts
from msmf_traci.testbed.programs import last_line

CRIU_LEAST = (4, 2)
# where scripts/setup_testbed.sh puts a CRIU of its own
OWN_FOLDER = Path("/opt/msmf-testbed/bin")

LINUX = "Linux"
ROOT = "root"
RUNC = "runc"
CRIU = "criu"
RSYNC = "rsync"
IP = "ip"
TC = "tc"
NAMESPACES = "network namespaces"
LINKS = "veth and bridge"
TBF = "tbf"
NETEM = "netem"
TUN = "/dev/net/tun"
DIRTY_TRACKING = "soft-dirty tracking"
CGROUPS = "cgroups"

_TUN_DEVICE = Path("/dev/net/tun")
_MEMORY = Path("/proc/meminfo")
_SET_UP = "run sudo scripts/setup_testbed.sh"
_OTHER_KERNEL = "take a machine whose kernel has it"
_NOT_TRIED = "not tried, since that takes root"
_BE_ROOT = "run as root"
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Part:
    """Something that the testbed needs or can use.

    Attributes
    ----------
    name
        What it is called.
    found
        Version and place, or why it does not count.
    is_there
        Whether it can be used.
    is_needed
        Whether there is no testbed without it.
    remedy
        What to do where it is needed and not there; what is done instead where it is not needed.
    """

    name: str
    found: str
    is_there: bool
    is_needed: bool = True
    remedy: str = _SET_UP


@dataclass(frozen=True)
class Parts:
    """A machine on which the testbed can run.

    Attributes
    ----------
    parts
        All that was looked at.
    criu_folder
        Folder to put first in PATH, since runc finds CRIU there only.
    """

    parts: tuple[Part, ...]
    criu_folder: Path

    @property
    def has_netem(self) -> bool:
        """Whether the kernel delays packets by itself."""
        return _is_there(self.parts, NETEM)

    @property
    def has_dirty_tracking(self) -> bool:
        """Whether a snapshot can leave out what has not changed since the one before."""
        return _is_there(self.parts, DIRTY_TRACKING)


def require() -> Parts:
    """Everything that is needed.

    Raises
    ------
    InputError
        If something is missing: the first that is.
    """
    parts, folder = _look()
    for part in parts:
        if part.is_needed and not part.is_there:
            raise InputError(f"the testbed needs {part.name}: {part.found}; {part.remedy}")
    assert folder is not None  # CRIU is needed
    return Parts(parts, folder)


def examine() -> tuple[Part, ...]:
    """Look at everything, in the order in which it has to be put right."""
    return _look()[0]


def available_memory_bytes() -> float:
    """Memory that the kernel can give to a program now; infinite where it does not say."""
    try:
        said = re.search(r"^MemAvailable:\s*(\d+) kB", _MEMORY.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return math.inf
    return float(said[1]) * 1024 if said is not None else math.inf


def check_lines() -> list[str]:
    """What there is and what there is not, a line each, and whether that is enough."""
    parts = examine()
    width = max(len(part.name) for part in parts)
    lines = []
    for part in parts:
        state = "ok" if part.is_there else "missing" if part.is_needed else "absent"
        lines.append(f"{state:<7}  {part.name:<{width}}  {part.found}" + ("" if part.is_there else f"; {part.remedy}"))
    if all(part.is_there for part in parts if part.is_needed):
        lines.append("the testbed can run here")
    return lines


def _look() -> tuple[tuple[Part, ...], Path | None]:
    """Everything, and the folder of CRIU."""
    system, release = platform.system(), platform.release()
    linux = Part(LINUX, f"{system} {release}", system == "Linux", remedy="take a machine, real or virtual, with Linux")
    if not linux.is_there:
        return (linux,), None
    criu, folder = _criu()
    netem = _qdisc(NETEM, "delay", "1ms", is_needed=False, remedy="a relay in user space delays packets instead")
    parts = (
        linux,
        Part(ROOT, f"user {os.geteuid()}", _is_root(), remedy=_BE_ROOT),
        _program(RUNC, "--version"),
        criu,
        _program(RSYNC, "--version"),
        _program(IP, "-V"),
        _program(TC, "-V"),
        _trial(NAMESPACES, ["true"], remedy=_OTHER_KERNEL),
        _links(),
        _qdisc(TBF, "rate", "1mbit", "burst", "32kbit", "latency", "50ms", is_needed=True, remedy=_OTHER_KERNEL),
        netem,
        _tun(is_needed=not netem.is_there),
        _dirty_tracking(folder),
        _cgroups(),
    )
    return parts, folder


def _criu() -> tuple[Part, Path | None]:
    """The first CRIU that will do, the one in PATH before our own; why the others will not."""
    least = ".".join(map(str, CRIU_LEAST))
    in_path = shutil.which(CRIU)
    candidates = dict.fromkeys([*([Path(in_path)] if in_path else []), OWN_FOLDER / CRIU])
    reasons = []
    for program in candidates:
        if not program.is_file():
            continue
        said = _run([str(program), "--version"])[1]
        version = re.search(r"Version:\s*(\d+(?:\.\d+)*)", said)
        if version is None:
            reasons.append(f"{program} does not tell its version ({_reason(said)})")
        elif tuple(map(int, version[1].split("."))) < CRIU_LEAST:
            reasons.append(f"{program} is {version[1]}, which is older than {least}")
        elif not _is_root():
            reasons.append(f"{program} is {version[1]}, {_NOT_TRIED}")
        else:
            works, said = _run([str(program), "check"])
            if works:
                return Part(CRIU, "; ".join([f"{version[1]}, {program}", *reasons]), True), program.parent
            reasons.append(f"{program} is {version[1]}, but criu check fails ({_reason(said)})")
    remedy = _SET_UP if _is_root() or not reasons else _BE_ROOT
    return Part(CRIU, "; ".join(reasons) or f"neither in PATH nor in {OWN_FOLDER}", False, remedy=remedy), None


def _program(name: str, option: str) -> Part:
    """A program in PATH that tells its version."""
    path = shutil.which(name)
    if path is None:
        return Part(name, "not in PATH", False)
    works, said = _run([path, option])
    if not works:
        return Part(name, f"{path} does not run ({_reason(said)})", False)
    version = re.search(r"\d+(?:\.\d+)+\S*", said)
    return Part(name, f"{version[0].rstrip(',') if version else 'version unknown'}, {path}", True)


def _trial(name: str, words: list[str], is_needed: bool = True, remedy: str = _SET_UP) -> Part:
    """Try a command in a network namespace that ends with it."""
    if not _is_root():
        return Part(name, _NOT_TRIED, False, is_needed, _BE_ROOT)
    works, said = _run(["unshare", "--net", *words])
    return Part(name, "works" if works else f"does not work ({_reason(said)})", works, is_needed, remedy)


def _links() -> Part:
    veth = _trial(LINKS, ["ip", "link", "add", "name", "one", "type", "veth", "peer", "name", "other"], remedy=_OTHER_KERNEL)
    return _trial(LINKS, ["ip", "link", "add", "name", "one", "type", "bridge"], remedy=_OTHER_KERNEL) if veth.is_there else veth


def _qdisc(kind: str, *settings: str, is_needed: bool, remedy: str) -> Part:
    return _trial(kind, ["tc", "qdisc", "add", "dev", "lo", "root", kind, *settings], is_needed, remedy)


def _tun(is_needed: bool) -> Part:
    """The device by which a relay gets at packets; opened only, which makes no interface."""
    remedy = "run modprobe tun, or take a kernel with netem" if is_needed else "not needed where netem is"
    try:
        os.close(os.open(_TUN_DEVICE, os.O_RDWR))
    except OSError as error:
        return Part(TUN, f"cannot be opened ({error.strerror})", False, is_needed, remedy if _is_root() else _BE_ROOT)
    return Part(TUN, "can be opened", True, is_needed, remedy)


def _dirty_tracking(folder: Path | None) -> Part:
    remedy = "every snapshot holds the whole memory instead"
    if folder is None:
        return Part(DIRTY_TRACKING, "not tried without criu", False, False, remedy)
    works = _run([str(folder / CRIU), "check", "--feature", "mem_dirty_track"])[0]
    return Part(DIRTY_TRACKING, "works" if works else "the kernel does not have it", works, False, remedy)


def _cgroups() -> Part:
    kinds = {kind for _, kind in mounts()}
    versions = [name for kind, name in (("cgroup", "v1"), ("cgroup2", "v2")) if kind in kinds]
    return Part(CGROUPS, " and ".join(versions) or "not mounted", bool(versions), remedy="mount them at /sys/fs/cgroup")


def _is_root() -> bool:
    return os.geteuid() == 0


def _is_there(parts: tuple[Part, ...], name: str) -> bool:
    return any(part.name == name and part.is_there for part in parts)


def _run(words: list[str]) -> tuple[bool, str]:
    """Whether a command does its work, and what it says."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, timeout=_PATIENCE_S
        )
    except FileNotFoundError:
        return False, f"{words[0]} is not in PATH"
    except OSError as error:
        return False, error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return False, f"no end after {_PATIENCE_S:g} s"
    return done.returncode == 0, f"{done.stdout}\n{done.stderr}".strip()


def _reason(said: str) -> str:
    """The last thing that a program said, without where in its sources."""
    return re.sub(r"^(?:Error|Warn)\s*(?:\([^)]*\))?:?\s*", "", last_line(said)).rstrip(".")
