"""Locks that say which process is at work on something; they fall with their process, however it ends."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # not on Windows: there nothing is ever known to be dead before it is old
    fcntl = None  # type: ignore[assignment]

# A lock file without a name in it belongs to a process that is just writing it, or died doing so
NAMELESS_S = 600.0
# Locks of another host may not reach this one (NFS with local_lock), so that only age tells
ELSEWHERE_S = 86_400.0


@dataclass(frozen=True)
class Owner:
    """The process that a lock file names."""

    host: str
    pid: int


class Lock:
    """A lock file held by this process until `release`, or until the process ends.

    `flock` rather than a file that merely exists: the kernel lifts it on kill -9 and power loss, and a process number used again
    cannot be taken for the owner.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Remove the file and lift the lock."""
        with suppress(OSError):
            self._path.unlink()
        self.close()

    def is_in_place(self) -> bool:
        """Whether the file still has its name."""
        return _is_same(self._descriptor, self._path)

    def close(self) -> None:
        """Lift the lock and leave the file, whose folder is being removed."""
        os.close(self._descriptor)


def try_lock(path: Path) -> Lock | None:
    """Take the lock of that name, or return None where a live process has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if _flock(descriptor) is False:
                os.close(descriptor)
                return None
            # between opening and locking, the previous owner may have removed the file that was opened
            if _is_same(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode())
                return Lock(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def share(path: Path) -> Lock | None:
    """Hold a file that is in use, together with others that use it; None where it is gone or about to be removed."""
    return _lock_existing(path, is_shared=True)


def take_unused(path: Path) -> Lock | None:
    """Hold a file that nobody uses, so that nobody begins to; None where a live process shares it, or it is gone."""
    return _lock_existing(path, is_shared=False)


def _lock_existing(path: Path, *, is_shared: bool) -> Lock | None:
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if _flock(descriptor, is_shared=is_shared) is False:
            os.close(descriptor)
            return None
        # between opening and locking, the file may have been removed or replaced
        if _is_same(descriptor, path):
            return Lock(path, descriptor)
        os.close(descriptor)


def owner_of(path: Path) -> Owner | None:
    """Who is named in a lock file, dead or alive; None where nobody is."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return Owner(str(content["host"]), int(content["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_held(path: Path) -> bool:
    """Whether a live process has the lock of that name, as far as this host can tell."""
    owner = owner_of(path)
    if owner is None:
        return False
    if owner.host != socket.gethostname() and _age_s(path) < ELSEWHERE_S:
        return True
    return not _is_free(path)


def is_surely_dead(path: Path) -> bool:
    """Whether the process that made a lock file, or died before it could, is surely gone.

    Parameters
    ----------
    path
        The lock file; where there is none, the age of its folder counts.
    """
    owner = owner_of(path)
    if owner is None:
        return _age_s(path if path.exists() else path.parent) > NAMELESS_S
    if owner.host != socket.gethostname() and _age_s(path) < ELSEWHERE_S:
        return False
    return _is_free(path)


def _is_free(path: Path) -> bool:
    if fcntl is None:
        return _age_s(path) > ELSEWHERE_S
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        lifted = _flock(descriptor)
    finally:
        os.close(descriptor)
    return lifted if lifted is not None else _age_s(path) > ELSEWHERE_S


def _flock(descriptor: int, *, is_shared: bool = False) -> bool | None:
    """Lock an open file unless another process has it; None where the file system knows no locks.

    Without them two sweeps may make a run twice at once: the second to finish finds the first's and lets its own go.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
