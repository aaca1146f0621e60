"""A file of named columns of integers, compressed and hashed; it knows nothing of vehicles.

A file may come from a stranger: it is data and nothing else, and every length, type and hash is checked before it is used.

Layout: MAGIC, the columns one after another, a header in JSON, and at the very end where the header begins, how long it is and its
SHA-256. A column is the least signed integer type that holds its values, its bytes ordered by their place (all lowest bytes first, which
compresses better), in zlib's format.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.errors import InputError

MAGIC = b"msmf-traci columns 1\n"
MOST_VALUES = 1 << 24  # in one column: 128 MiB in memory
_END = struct.Struct("<QQ32s")
_LEVEL = 1  # what is left of coordinates compresses no better for more effort
_TYPES: dict[str, type[np.signedinteger[Any]]] = {"i1": np.int8, "i2": np.int16, "i4": np.int32, "i8": np.int64}


class ColumnsWriter:
    """Collects columns, compressed, until they are written as one file."""

    def __init__(self) -> None:
        self._blobs: list[bytes] = []
        self._columns: list[dict[str, Any]] = []

    def add(self, name: str, values: IntArray) -> None:
        """Add a column of at most MOST_VALUES integers."""
        kind = _least_type(values)
        plain = np.ascontiguousarray(values.astype(f"<{kind}"))
        places = plain.view(np.uint8).reshape(len(values), plain.itemsize)
        blob = zlib.compress(np.ascontiguousarray(places.T).tobytes(), _LEVEL)
        self._blobs.append(blob)
        self._columns.append(
            {"name": name, "type": kind, "values": len(values), "bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()}
        )

    def write(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write the columns and, beside them in the header, what they are about."""
        header = json.dumps({"about": dict(about), "columns": self._columns}, allow_nan=False).encode()
        with path.open("wb") as file:
            file.write(MAGIC)
            file.writelines(self._blobs)
            begin = file.tell()
            file.write(header)
            file.write(_END.pack(begin, len(header), hashlib.sha256(header).digest()))


class ColumnsFile:
    """A file of columns, checked as a whole when it is opened.

    Parameters
    ----------
    path
        The file.
    what
        What it is called in sentences.

    Raises
    ------
    InputError
        One sentence on the first thing that is wrong with it.
    """

    def __init__(self, path: Path, what: str = "recording") -> None:
        self.path = path
        self._what = what
        self._columns: dict[str, tuple[str, int, int, int, str]] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"{what} {path} cannot be read ({error.strerror}); check the path") from None
        try:
            self.about = self._read_header()
            for name in self._columns:
                self._stored(name)
        except OSError as error:
            self._file.close()
            raise InputError(f"{what} {path} cannot be read ({error.strerror}); copy it again") from None
        except InputError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, name: str) -> IntArray:
        """A column, as 64-bit integers.

        Raises
        ------
        InputError
            If it is not there or damaged.
        """
        blob = self._stored(name)
        kind, values, *_ = self._columns[name]
        dtype = np.dtype(_TYPES[kind]).newbyteorder("<")
        wanted = values * dtype.itemsize
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(blob, wanted + 1)
        except zlib.error:
            self.refuse(f"its column {name} does not unpack")
        if len(plain) != wanted or not unpacker.eof or unpacker.unused_data:
            self.refuse(f"its column {name} has another length than its header declares")
        places = np.frombuffer(plain, dtype=np.uint8).reshape(dtype.itemsize, values)
        return np.ascontiguousarray(places.T).view(dtype).reshape(values).astype(np.int64)

    def refuse(self, reason: str) -> NoReturn:
        """Raise the sentence on a damaged file."""
        raise InputError(
            f"{self._what} {self.path} is damaged, or is not a {self._what} of msmf-traci ({reason}); copy it again, or make it again"
        )

    def _stored(self, name: str) -> bytes:
        """The bytes of a column as they are in the file, their hash checked."""
        if name not in self._columns:
            self.refuse(f"it has no column {name}")
        _, _, offset, stored, digest = self._columns[name]
        self._file.seek(offset)
        blob = self._file.read(stored)
        if hashlib.sha256(blob).hexdigest() != digest:
            self.refuse(f"its column {name} does not match its hash")
        return blob

    def _read_header(self) -> dict[str, Any]:
        size = self._file.seek(0, 2)
        self._file.seek(0)
        if self._file.read(len(MAGIC)) != MAGIC:
            self.refuse(f"it does not begin as a {self._what} does")
        if size < len(MAGIC) + _END.size:
            self.refuse("it is truncated")
        self._file.seek(size - _END.size)
        begin, length, digest = _END.unpack(self._file.read(_END.size))
        if begin < len(MAGIC) or begin + length + _END.size != size:
            self.refuse("it is truncated")
        self._file.seek(begin)
        text = self._file.read(length)
        if hashlib.sha256(text).digest() != digest:
            self.refuse("its header does not match its hash")
        try:
            header = json.loads(text)
            about, columns = header["about"], header["columns"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self.refuse("its header cannot be read")
        if not isinstance(about, dict) or not isinstance(columns, list):
            self.refuse("its header cannot be read")
        self._place(columns, begin)
        return about

    def _place(self, columns: list[Any], end: int) -> None:
        """Find where each column lies, its declared sizes checked before anything is unpacked."""
        offset = len(MAGIC)
        for column in columns:
            match column:
                case {"name": str(name), "type": str(kind), "values": int(values), "bytes": int(stored), "sha256": str(digest)} if (
                    kind in _TYPES and 0 <= values <= MOST_VALUES and 0 < stored <= end - offset and name not in self._columns
                ):
                    self._columns[name] = kind, values, offset, stored, digest
                    offset += stored
                case _:
                    self.refuse("its header declares an impossible column")
        if offset != end:
            self.refuse("its columns have another length than its header declares")


def _least_type(values: IntArray) -> str:
    """The least signed integer type that holds the values."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    return next(kind for kind, number in _TYPES.items() if np.iinfo(number).min <= low and high <= np.iinfo(number).max)
