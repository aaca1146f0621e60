"""Scratch folders: locked while they are written, on disk before they get their name, removed when their owner is dead."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msmf_traci.errors import MsmfError
from msmf_traci.locks import is_surely_dead, try_lock

LOCK_ENDING = ".lock"
OWNER_FILE = "owner.lock"
CONTENT = "content"
_MARK = ".part-"
_TEMPORARY = "msmf-traci-"
# How a system says that it does not write there, or no more
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EIO)


@contextmanager
def owned_scratch(folder: Path) -> Iterator[Path]:
    """Make a scratch folder for this process and give an empty folder in it, which may be renamed away; the rest goes at the end.

    The lock lies beside what is written and not in it, so that a rename takes nothing along that is not content.
    """
    folder.mkdir(parents=True)
    lock = None
    try:
        lock = try_lock(folder / OWNER_FILE)
        content = folder / CONTENT
        content.mkdir()
        yield content
    finally:
        _remove(folder)
        if lock is not None:
            lock.close()


def show_life(content: Path) -> None:
    """Tell machines that cannot see this process's locks that the owner of a scratch folder is alive."""
    with suppress(OSError):
        os.utime(content.parent / OWNER_FILE)


def part_of(target: Path) -> Path:
    """Name of a scratch folder for what will become `target`, beside it, so that a rename is one step."""
    return target.with_name(f".{target.name}{_MARK}{os.getpid()}-{secrets.token_hex(3)}")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder of this process in the system's place for temporary files.

    Raises
    ------
    MsmfError
        If it cannot be written.
    """
    try:
        place = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise MsmfError(f"{error.strerror}; set TMPDIR to a folder that can be written") from None
    own = place / f"{_TEMPORARY}{os.getpid()}-{secrets.token_hex(3)}"
    try:
        with owned_scratch(own) as folder:
            yield folder
    except OSError as error:
        if error.errno not in _OF_THE_DISK or (error.filename is not None and not Path(error.filename).is_relative_to(own)):
            raise
        raise MsmfError(refusal(error, "the folder of temporary files", place, "set TMPDIR to another folder")) from None


def refusal(error: OSError, what: str, place: Path, way_out: str) -> str:
    """One sentence on what the system has refused.

    Parameters
    ----------
    error
        Its refusal; the place that it names is told, not the one that was expected.
    what, place
        What was being written (empty: say the place alone), and where, if the refusal names no place.
    way_out
        What the user can do where that place cannot be written.
    """
    where, reason = error.filename or place, error.strerror or str(error)
    at = f"{what} cannot be written at {where}" if what else f"{where} cannot be written"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{at} ({reason}); allow more open files (ulimit -n)"
    if error.errno in (errno.ENOMEM, errno.EAGAIN):
        return f"{at} ({reason}); free some memory, or allow more of it (ulimit -v)"
    return f"{at} ({reason}); free some space, or {way_out}"


def target_of(part: Path) -> str:
    """What a scratch folder was to be called."""
    return part.name.removeprefix(".").rpartition(_MARK)[0]


def parts_in(folder: Path) -> list[Path]:
    """Scratch folders beside results or in the cache, of the living and the dead."""
    return sorted(path for path in folder.glob(f".*{_MARK}*") if path.is_dir() and not path.is_symlink())


def remove_traces_of_the_dead(folder: Path) -> None:
    """Remove what killed processes have left half-written or locked in a folder of results or of the cache."""
    for part in parts_in(folder):
        _remove_if_dead(part)
    for path in folder.glob(f".*{LOCK_ENDING}"):
        # taken before it is removed, since somebody may be taking it over right now
        if is_surely_dead(path) and (lock := try_lock(path)) is not None:
            lock.release()


def remove_temporary_folders_of_the_dead() -> None:
    """Remove what killed processes have left in the system's place for temporary files."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        try:
            if (folder / OWNER_FILE).is_file() and not folder.is_symlink():
                _remove_if_dead(folder)
        except PermissionError:
            continue  # another user's


def settle(content: Path, target: Path) -> None:
    """Give a complete folder its name: there whole or not at all, after power loss too.

    Raises
    ------
    OSError
        If that name is taken, or the disk refuses.
    """
    for path in (*content.rglob("*"), content):
        _flush(path)
    content.rename(target)
    _flush(target.parent)


def folders_to_make(folder: Path) -> list[Path]:
    """A folder and its parents as far as they are not there, the innermost first."""
    return [each for each in (folder, *folder.parents) if not each.exists()]


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, given the innermost first, as far as they are empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all; it takes the place of an earlier one."""
    with owned_scratch(part_of(path)) as content:
        written = content / path.name
        written.write_text(text, encoding="utf-8")
        _flush(written)
        written.replace(path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_if_dead(folder: Path) -> None:
    if is_surely_dead(folder / OWNER_FILE):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a scratch folder, its owner's name last: who is killed here leaves one that can be told for dead."""
    shutil.rmtree(folder / CONTENT, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
