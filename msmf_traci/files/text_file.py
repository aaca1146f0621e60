"""Text files as programs leave them: packed or not, in the encoding that their first bytes tell, and never longer than can be held."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PACKED = (".gz", ".xz")
READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError)
MOST_UNPACKED = 250  # times its packed size: positions of a vehicle that stands still for a day unpack to some 30 times
ALWAYS_UNPACKED = 64 << 20  # bytes
LONGEST_QUOTED = 200  # characters
LONGEST_LINE = 1 << 20  # characters
LINES_OF_A_ROW, MORE_LINES = 4, 10_000  # texts of several lines, and empty lines, are in few rows
NO_TEXT = "is no text in UTF-8 or UTF-16; save it in one of these"
_READ_AT_ONCE = 1 << 18
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class DamagedFileError(Exception):
    """A file is not what it should be; the text ends a sentence that begins with the file's name."""


def unpacked_name(path: Path) -> str:
    """A file's name without the ending that says how it is packed."""
    return path.name[: -len(path.suffix)] if path.suffix.lower() in PACKED else path.name


def opened(path: Path) -> io.BufferedReader:
    """The bytes of a file, unpacked where its name says that it is packed (.gz, .xz).

    Raises
    ------
    DamagedFileError
        On reading, if it unpacks to more than any real file would.
    """
    ending = path.suffix.lower()
    if ending not in PACKED:
        return path.open("rb")
    unpacked: IO[bytes] = gzip.GzipFile(path) if ending == ".gz" else lzma.LZMAFile(path)  # type: ignore[assignment]  # noqa: SIM115
    return io.BufferedReader(_Unpacked(unpacked, path.stat().st_size), _READ_AT_ONCE)


def check_unpacked(unpacked: int, packed: int) -> None:
    """Check that a file is no bomb: so many bytes that unpack to so many.

    Raises
    ------
    DamagedFileError
        If it is one.
    """
    if unpacked > max(ALWAYS_UNPACKED, MOST_UNPACKED * packed):
        raise DamagedFileError(f"unpacks to more than {MOST_UNPACKED} times its size; unpack it yourself if you trust it")


def read_text(path: Path) -> str:
    """The whole text of a file of moderate size.

    Raises
    ------
    DamagedFileError
        If it cannot be read, is no text, or has a line without an end.
    """
    try:
        with Lines(path) as lines:
            return "".join(iter(lines.read, ""))
    except UnicodeDecodeError:
        raise DamagedFileError(NO_TEXT) from None
    except READ_ERRORS as error:
        raise DamagedFileError(f"is damaged or cannot be read ({said(error)}); write it again") from None


def said(error: Exception) -> str:
    """An error's text in one line."""
    return shortened(" ".join(str(error).split())) or type(error).__name__


def shortened(text: str) -> str:
    """What stands in a file, as far as a sentence can hold it."""
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}..."


class _Unpacked(io.RawIOBase):
    """Unpacked bytes, as many as a file of that size may hold."""

    def __init__(self, file: IO[bytes], packed: int) -> None:
        self._file = file
        self._packed = packed
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        piece = self._file.read(len(view))
        view[: len(piece)] = piece
        self._unpacked += len(piece)
        check_unpacked(self._unpacked, self._packed)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


class Lines:
    """The text of a file for whoever reads it line by line; a line or a quotation without an end is found while reading.

    Parameters
    ----------
    path
        The file, in UTF-8 or UTF-16.

    Raises
    ------
    DamagedFileError
        On reading, if a line is longer than `LONGEST_LINE`, or a quotation does not end.
    """

    def __init__(self, path: Path) -> None:
        file = opened(path)
        self._text = io.TextIOWrapper(file, encoding=encoding_of(file.peek(4)[:4]), newline="")
        self._before = ""
        self._since_end = 0  # characters since the last end of a line
        self._handed_out, self._most_lines = 0, math.inf
        self.ends_within_line = False
        """Whether what was read so far ends within a line."""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        self._text.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self.readline, "")

    def readline(self) -> str:
        """The next line, with its end."""
        line = self._text.readline(LONGEST_LINE + 1)
        self._watch(line)
        return line

    def expect(self, rows: int) -> None:
        """From here on, so many rows are to be read: many times as many lines for them are a quotation without an end."""
        self._handed_out, self._most_lines = 0, LINES_OF_A_ROW * rows + MORE_LINES

    def put_before(self, line: str) -> None:
        """Have this line read next, before those of the file."""
        self._before = line

    def read(self, size: int = -1) -> str:
        """The next characters, one at least where there is one."""
        if self._before:
            before, self._before = self._before, ""
            return before
        piece = self._text.read(_READ_AT_ONCE if size < 0 else size)
        self._watch(piece)
        return piece

    def _watch(self, piece: str) -> None:
        end = max(piece.rfind("\n"), piece.rfind("\r"))
        self._since_end = self._since_end + len(piece) if end < 0 else len(piece) - end - 1
        self.ends_within_line = self._since_end > 0
        if self._since_end > LONGEST_LINE:
            raise DamagedFileError(f"has a line longer than {LONGEST_LINE:,} characters; write it again")
        self._handed_out += piece.count("\n")
        if self._handed_out > self._most_lines:
            raise DamagedFileError("has a quotation mark that is never closed; write it again")


def encoding_of(begin: bytes) -> str:
    """Encoding of a text by its first bytes: a byte order mark, or the zero bytes that UTF-16 gives Latin letters."""
    for mark, name in _BYTE_ORDER_MARKS.items():
        if begin.startswith(mark):
            return name
    if len(begin) >= 2 and 0 in begin[:2] and begin[:2] != b"\0\0":
        return "utf-16-be" if begin[0] == 0 else "utf-16-le"
    return "utf-8"
