"""What a command prints may be lost, and what it does goes on: streams that are closed, full, left by their reader or of few letters."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STANDARD = (0, 1, 2)  # stdin, stdout, stderr


class _Descriptor(io.RawIOBase):
    """Writes to a file descriptor for as long as that takes anything; keeps why it took no more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.refusal: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer) -> int:
        written = memoryview(data).nbytes
        if self.refusal is None:
            try:
                return os.write(self._descriptor, data)
            except OSError as error:
                self.refusal = error
        return written


class Output:
    """Standard output and error of a command, which takes no exception from them."""

    def __init__(self) -> None:
        self._stdout = _Descriptor(1)
        self._stderr = _Descriptor(2)

    @property
    def refusal(self) -> str | None:
        """Why what was printed is not all there; None where it is, or its reader has left."""
        error = self._stdout.refusal
        return None if error is None or isinstance(error, BrokenPipeError) else error.strerror or str(error)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Print there; streams that somebody has put in the place of Python's own are left alone."""
        _open_what_is_closed()
        before = sys.stdout, sys.stderr
        if sys.stdout is sys.__stdout__:
            sys.stdout = _text(self._stdout, sys.stdout)
        if sys.stderr is sys.__stderr__:
            sys.stderr = _text(self._stderr, sys.stderr)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            sys.stdout, sys.stderr = before


def _text(raw: _Descriptor, like: TextIO | None) -> io.TextIOWrapper:
    """A text stream in the encoding of Python's own one; letters that it lacks are written as their codes."""
    encoding = "utf-8" if like is None else like.encoding
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=raw.isatty() or raw.fileno() != 1)


def _open_what_is_closed() -> None:
    """Give standard streams that are closed the null device: the next file opened, a table say, would take their number."""
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
            os.set_inheritable(number, True)  # as programs that are started expect
