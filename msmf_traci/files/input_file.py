"""Whether a file or folder that the user names is there and can be read; where it is not, one sentence that names the option."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NoReturn

from msmf_traci.errors import InputError

_ABSENT = (FileNotFoundError, NotADirectoryError)


def input_file(name: str | Path, option: str) -> Path:
    """The path of a regular file that is there, may be read and is not empty.

    A pipe or a device is refused before it is opened, since whoever opens one may wait for ever.

    Parameters
    ----------
    name
        What the user wrote; `~` is the home folder.
    option
        The option that it was written for, for the sentence: `option=name: ...`.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    path, status = _looked_up(name, option)
    if status is None:
        _refuse(name, option, "there is no such file; check the path")
    if stat.S_ISDIR(status.st_mode):
        _refuse(name, option, "is a folder; give a file")
    if not stat.S_ISREG(status.st_mode):
        _refuse(name, option, "is a pipe or a device; write its content to a file, and give that")
    try:
        path.open("rb").close()
    except OSError as error:
        _refuse_error(name, option, error)
    if status.st_size == 0:
        _refuse(name, option, "is empty; give another file")
    return path


def input_folder(name: str | Path, option: str) -> Path:
    """The path of a folder that is there and whose files can be listed and entered.

    Parameters
    ----------
    name, option
        As for `input_file`.

    Raises
    ------
    InputError
        If there is no such folder, or it cannot be read.
    """
    path, status = _looked_up(name, option)
    if status is None:
        _refuse(name, option, "there is no such folder; check the path")
    if not stat.S_ISDIR(status.st_mode):
        _refuse(name, option, "is not a folder; give a folder")
    try:
        os.scandir(path).close()
        (path / os.curdir).stat()  # listed and not entered: no file in it could be opened
    except OSError as error:
        _refuse_error(name, option, error)
    return path


def is_input_folder(name: str | Path, option: str) -> bool:
    """Whether the name is that of a folder; whatever else is there, or nothing, is none.

    Parameters
    ----------
    name, option
        As for `input_file`.

    Raises
    ------
    InputError
        If that cannot be found out.
    """
    _, status = _looked_up(name, option)
    return status is not None and stat.S_ISDIR(status.st_mode)


def is_there(name: str | Path, option: str) -> bool:
    """Whether there is anything of that name.

    Parameters
    ----------
    name, option
        As for `input_file`.

    Raises
    ------
    InputError
        If that cannot be found out, as below a folder that may not be entered.
    """
    return _looked_up(name, option)[1] is not None


def _looked_up(name: str | Path, option: str) -> tuple[Path, os.stat_result | None]:
    """Path and status; no status where there is nothing."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        _refuse(name, option, "there is no such home folder; write the path in full")
    try:
        return path, path.stat()
    except _ABSENT:
        return path, None
    except ValueError:  # a zero byte in the name
        _refuse(name, option, "there is no such file; check the path")
    except OSError as error:
        _refuse_error(name, option, error)


def _refuse_error(name: str | Path, option: str, error: OSError) -> NoReturn:
    advice = "its permissions, and those of the folders above it" if isinstance(error, PermissionError) else "the path"
    _refuse(name, option, f"cannot be read ({error.strerror}); check {advice}")


def _refuse(name: str | Path, option: str, reason: str) -> NoReturn:
    raise InputError(f"{option}={name}{':' if reason.startswith('there') else ''} {reason}")
