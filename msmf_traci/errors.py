"""The package's errors: each text is one sentence for the user, so that the command line can show it as it is."""

from __future__ import annotations

import errno


class MsmfError(Exception):
    """An error whose text is one sentence for the user: what is wrong, where, and what to do."""


class InputError(MsmfError):
    """The user's input is wrong; no results have been written."""


class ToolError(MsmfError):
    """SUMO, or another tool that was called, failed; the text quotes its last lines."""


def sentence_of(error: BaseException) -> str | None:
    """One sentence on what the user or the system has to mend; None where the fault is the package's own.

    Parameters
    ----------
    error
        Whatever a command or a run has ended with.
    """
    if isinstance(error, MsmfError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"there is not enough memory{_detail(error)}; free some memory, allow more of it (ulimit -v), or make the run smaller"
    if isinstance(error, RuntimeError) and "home directory" in str(error):  # pathlib's, of `~` and `~user`
        return "there is no home folder for ~; write the path in full, or set HOME"
    if not isinstance(error, OSError) or error.errno is None:
        return None
    if error.errno == errno.ENOENT and error.filename is None:
        return f"{error.strerror}: the working folder, or the folder of temporary files, is gone; go to another folder, or set TMPDIR"
    where = "" if error.filename is None else f"{error.filename}: "
    return f"{where}the system refuses this ({error.strerror}); {_ADVICE.get(error.errno, 'check the path')}"


_PERMISSIONS = "check its permissions, and those of the folders above it"
_ADVICE = {
    errno.EACCES: _PERMISSIONS,
    errno.EPERM: _PERMISSIONS,
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "allow more open files (ulimit -n)",
    errno.ENOMEM: "free some memory, or allow more of it (ulimit -v)",
    errno.EAGAIN: "free some memory, or allow more processes (ulimit -u)",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
}


def _detail(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f" ({text})" if text else ""
