"""What a testbed leaves on the machine, and how it is found and removed: at its own end, and after a kill by whoever cleans up.

A testbed writes down its name and folder before it makes anything. Everything else can be told by the name: network namespaces and
control groups begin with it, programs carry it in their environment.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msmf_traci.errors import MsmfError
from msmf_traci.locks import is_surely_dead, try_lock
from msmf_traci.results.console import counted, say
from msmf_traci.results.store import read_json
from msmf_traci.scratch import folders_to_make, remove_empty, remove_traces_of_the_dead
from msmf_traci.signals import undisturbed
from msmf_traci.testbed.mounts import mounts
from msmf_traci.testbed.namespaces import NAMES
from msmf_traci.testbed.programs import MARK

RECORDS = Path("/run/msmf-traci-testbed")
_PREFIX = "msmf-"
_LOCK, _RECORD = "owner.lock", "testbed.json"
_KILLS_TAKE_S = 10.0
# what to do where the folder is to blame
_REMEDIES = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "; free some space, or set folder=FOLDER") | dict.fromkeys(
    (errno.EACCES, errno.EROFS, errno.ENOTDIR), "; set folder=FOLDER to another one"
)


@contextmanager
def recorded(place: Path, results: Path | None = None) -> Iterator[tuple[str, Path]]:
    """A name and an empty folder in `place` for a testbed of this process; at the end everything that bears the name is removed.

    Parameters
    ----------
    place
        Where the folder is made.
    results
        Where something may lie half-written if this process is killed.

    Raises
    ------
    MsmfError
        If the folder or the record cannot be written, or something could not be removed at the end.
    """
    name = f"{_PREFIX}{secrets.token_hex(3)}"
    record, folder = RECORDS / name, place.expanduser().absolute() / name
    if folder.exists():
        raise MsmfError(f"{folder} exists already; give the same command again")
    try:
        record.mkdir(parents=True)
    except OSError as error:
        raise MsmfError(
            f"{RECORDS} cannot be written ({error.strerror}); make it writable, since the testbed notes there what it makes"
        ) from None
    lock = None
    made = folders_to_make(folder.parent)
    try:
        lock = try_lock(record / _LOCK)
        noted: dict[str, Any] = {"folder": str(folder), "made": [*map(str, made)]}
        if results is not None:
            noted |= {"results": str(results.absolute()), "results_made": [*map(str, folders_to_make(results.absolute()))]}
        (record / _RECORD).write_text(json.dumps(noted), encoding="utf-8")
        folder.mkdir(parents=True)
        yield name, folder
    except OSError as error:
        if error.filename is None and error.errno not in _REMEDIES:
            raise
        raise MsmfError(f"{error.filename or folder}: {error.strerror or error}{_REMEDIES.get(error.errno or 0, '')}") from error
    finally:
        failure = sys.exception()
        try:
            with undisturbed():
                clear(name, folder)
                remove_empty(made)
                _forget(record)
        except MsmfError as left:
            if failure is None:
                raise
            say(str(left))  # beside what went wrong before
        finally:
            if lock is not None:
                lock.close()


def clean() -> tuple[list[str], list[str]]:
    """Remove what killed testbeds have left.

    Returns
    -------
    A sentence about each testbed that was found, and one about each of which something could not be removed.
    """
    done, failures = [], []
    made: set[Path] = set()
    for record in sorted(RECORDS.glob(f"{_PREFIX}*")):
        if not is_surely_dead(record / _LOCK):
            done.append(f"{record.name}: in use, left alone")
            continue
        noted = _noted(record)
        try:
            found = clear(record.name, _folder_of(record.name, noted))
        except MsmfError as error:
            failures.append(f"{error}")
            continue
        _remove_half_written(noted)
        made |= {Path(folder) for folder in (*noted.get("made", ()), *noted.get("results_made", ()))}
        _forget(record)
        done.append(f"{record.name}: removed {', '.join(found) if found else 'its record; nothing else was left'}")
    # one testbed's folder may lie in what was made for another's
    remove_empty(sorted(made, key=lambda folder: len(folder.parts), reverse=True))
    return done, failures


def clear(name: str, folder: Path | None) -> list[str]:
    """Remove everything of one testbed; what was found.

    Raises
    ------
    MsmfError
        If a program does not end, or something is still there afterwards.
    """
    found = []
    if killed := _kill_programs(name):
        found.append(counted(killed, "program"))
    namespaces = _namespaces(name)
    for namespace in namespaces:
        subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True, check=False)
    if namespaces:
        found.append(counted(len(namespaces), "network namespace"))
    if groups := _remove_groups(name):
        found.append(counted(groups, "control group"))
    if folder is not None and folder.exists():
        for mount in _mounts_below(folder):
            subprocess.run(["umount", "-l", str(mount)], capture_output=True, check=False)
        if not _mounts_below(folder):  # else it would remove what is mounted there
            shutil.rmtree(folder, ignore_errors=True)
        found.append(f"folder {folder}")
    left = [str(path) for path in (*_namespaces(name), *_groups(name), *([folder] if folder is not None and folder.exists() else []))]
    if left:
        raise MsmfError(
            f"testbed {name}: {', '.join(left)} could not be removed; run msmf-traci testbed clean when nothing uses them any more"
        )
    return found


def _namespaces(name: str) -> list[Path]:
    return sorted(NAMES.glob(f"{name}-*"))


def _noted(record: Path) -> dict[str, Any]:
    """What a testbed wrote down, if it got as far as that."""
    return read_json(record / _RECORD) or {}


def _folder_of(name: str, noted: Mapping[str, Any]) -> Path | None:
    folder = Path(noted.get("folder", ""))
    return folder if folder.name == name else None


def _remove_half_written(noted: Mapping[str, Any]) -> None:
    """Remove what lies half-written among results."""
    if "results" in noted:
        remove_traces_of_the_dead(Path(noted["results"]))


def _forget(record: Path) -> None:
    """Remove a record, the name of its owner last: who is killed here leaves one that can be told for dead."""
    with suppress(OSError):
        (record / _RECORD).unlink()
    with suppress(OSError):
        (record / _LOCK).unlink()
    with suppress(OSError):
        record.rmdir()
    with suppress(OSError):
        RECORDS.rmdir()


def _kill_programs(name: str) -> int:
    """Kill every program of a testbed, how many there were; a frozen one is thawed, or it could not die."""
    seen: set[int] = set()
    deadline_s = time.monotonic() + _KILLS_TAKE_S
    while processes := _processes_of(name):
        if time.monotonic() > deadline_s:
            raise MsmfError(f"programs of testbed {name} do not end: {', '.join(map(str, sorted(processes)))}; look at them with ps")
        _thaw(name)
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        seen |= processes
        time.sleep(0.01)
    return len(seen)


def _processes_of(name: str) -> set[int]:
    """Live processes that carry the testbed's mark, or live in one of its namespaces or control groups."""
    found = {int(line) for group in _groups(name) for line in _lines(group / "cgroup.procs")}
    networks = {_identity(namespace) for namespace in _namespaces(name)}
    mark = f"{MARK}={name}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_ours = mark in (process / "environ").read_bytes().split(b"\0") or _identity(process / "ns" / "net") in networks
            if is_ours and int(process.name) != os.getpid():
                found.add(int(process.name))
    return {process for process in found if _is_alive(process)}


def _identity(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_dev, about.st_ino


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def _groups(name: str) -> list[Path]:
    """Control groups of a testbed in every hierarchy, the inner ones first."""
    tops = [mount / name for mount, kind in mounts() if kind.startswith("cgroup")]
    return [
        group for top in tops if top.is_dir() for group in sorted((top, *(path for path in top.rglob("*") if path.is_dir())), reverse=True)
    ]


def _thaw(name: str) -> None:
    for group in _groups(name):
        for switch, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            with suppress(OSError):
                if (group / switch).exists():
                    (group / switch).write_text(word)


def _remove_groups(name: str) -> int:
    groups = _groups(name)
    for group in groups:
        deadline_s = time.monotonic() + 1
        while group.is_dir() and time.monotonic() < deadline_s:  # busy until the kernel has seen its last process off
            with suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.01)
    return len(groups)


def _mounts_below(folder: Path) -> list[Path]:
    return sorted((mount for mount, _ in mounts() if mount.is_relative_to(folder)), reverse=True)
