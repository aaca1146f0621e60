"""Reads what SUMO wrote with --fcd-output (XML, CSV, Parquet) into arrays, piece by piece: rows as they are in the file, no frames yet."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn
from xml.parsers import expat

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.errors import InputError

ROWS_AT_ONCE = 200_000
NOBODY = -1  # the vehicle of a row that only says that a step took place
_COLUMNS = ("frame", "vehicle", "road", "x_m", "y_m", "speed_mps", "position_m")
_NUMBERS = ("x", "y", "speed", "pos")
_ATTRIBUTES = "--fcd-output.attributes id,x,y,speed,pos,lane"

Codes = NDArray[np.int32]


@dataclass
class FcdRows:
    """Rows of a file in its order, arrays of shape (n,); and its steps, shape (f,).

    Attributes
    ----------
    times_s
        Time of each step, as the file says.
    frame
        Step of each row.
    vehicle, road
        Which of `vehicles`, of `roads`: vehicle ids, and ids of edges.
    x_m, y_m, speed_mps, position_m
        As in the file.
    """

    times_s: FloatArray
    frame: Codes
    vehicle: Codes
    road: Codes
    x_m: FloatArray
    y_m: FloatArray
    speed_mps: FloatArray
    position_m: FloatArray
    vehicles: list[str]
    roads: list[str]

    def reorder(self, order: IntArray) -> None:
        """Take only these rows, in this order; column by column, so that no second copy of all is needed."""
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[order])


def read_fcd(path: Path) -> FcdRows:
    """Read an FCD file.

    Raises
    ------
    InputError
        One sentence on a file that is damaged, empty, or lacks what is needed.
    """
    rows = _Rows(path)
    try:
        if path.name.endswith(".parquet"):
            _read_parquet(path, rows)
        elif path.name.endswith((".csv", ".csv.gz")):
            _read_csv(path, rows)
        else:
            _read_xml(path, rows)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, pd.errors.ParserError) as error:
        rows.refuse(f"is damaged or cannot be read ({' '.join(str(error).split()) or type(error).__name__}); write it again")
    return rows.joined()


class _Rows:
    """Collects rows, ids turned into numbers at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._times_s: list[FloatArray] = []
        self._last_s = -np.inf
        self._steps = 0
        self._parts: list[tuple[NDArray[Any], ...]] = []
        self._vehicles: dict[str, int] = {}
        self._roads: dict[str, int] = {}

    def refuse(self, reason: str) -> NoReturn:
        """Raise the sentence on this file."""
        raise InputError(f"mobility.fcd_file={self._path} {reason}")

    def refuse_without(self, attribute: str) -> NoReturn:
        """Raise the sentence on something that the file lacks."""
        self.refuse(f"lacks each vehicle's {attribute}; write it with {_ATTRIBUTES}, or without that option")

    def vehicle(self, name: str) -> int:
        """Number of a vehicle id."""
        return self._vehicles.setdefault(name, len(self._vehicles))

    def road(self, edge: str) -> int:
        """Number of an edge's id."""
        return self._roads.setdefault(edge, len(self._roads))

    def road_of(self, lane: str) -> int:
        """Number of the edge of a lane: the lanes of EDGE are EDGE_0, EDGE_1, ..."""
        return self.road(lane.rpartition("_")[0])

    def add(self, time_s: FloatArray, vehicle: IntArray, road: IntArray, numbers: Sequence[FloatArray]) -> None:
        """Add rows in the order of the file; rows of NOBODY tell of a step in which nobody drove."""
        if not len(time_s):
            return
        passed_s = np.diff(time_s, prepend=self._last_s)
        if not np.isfinite(time_s).all():
            self.refuse("has a row without a time; write it again")
        if (passed_s < 0).any():
            self.refuse(f"goes back in time after {float(time_s[np.argmax(passed_s < 0) - 1]):g} s; give the file of one run")
        begins = passed_s > 0
        frame = self._steps - 1 + np.cumsum(begins)
        self._times_s.append(time_s[begins])
        self._steps = int(frame[-1]) + 1
        self._last_s = float(time_s[-1])
        is_vehicle = vehicle != NOBODY
        columns = [column[is_vehicle] for column in numbers]
        if not all(np.isfinite(column).all() for column in columns):
            self.refuse("has a vehicle without a number for x, y, speed or pos; write it again")
        codes = (frame[is_vehicle].astype(np.int32), vehicle[is_vehicle].astype(np.int32), road[is_vehicle].astype(np.int32))
        self._parts.append((*codes, *columns))

    def joined(self) -> FcdRows:
        """All rows."""
        if not any(len(part[0]) for part in self._parts):
            self.refuse("holds no vehicles; give another file")
        columns: list[Any] = []
        parts = [list(column) for column in zip(*self._parts, strict=True)]
        self._parts = []
        while parts:
            columns.append(np.concatenate(parts.pop(0)))
        return FcdRows(
            times_s=np.concatenate(self._times_s),
            **dict(zip(_COLUMNS, columns, strict=True)),
            vehicles=list(self._vehicles),
            roads=list(self._roads),
        )


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _read_xml(path: Path, rows: _Rows) -> None:
    """Read XML element by element; nothing is kept but rows of numbers."""
    time_s = np.nan
    got: list[list[Any]] = [[] for _ in range(3 + len(_NUMBERS))]
    times_s, vehicles, roads, *numbers = got
    x_m, y_m, speed_mps, position_m = numbers
    is_fcd = False

    def hand_over() -> None:
        rows.add(
            np.array(times_s, dtype=np.float64),
            np.array(vehicles, dtype=np.int64),
            np.array(roads, dtype=np.int64),
            [np.array(column, dtype=np.float64) for column in numbers],
        )
        for column in got:
            column.clear()

    def begin(tag: str, said: dict[str, str]) -> None:
        nonlocal time_s, is_fcd
        if tag == "vehicle":
            times_s.append(time_s)
            x_m.append(float(said["x"]))
            y_m.append(float(said["y"]))
            speed_mps.append(float(said["speed"]))
            position_m.append(float(said["pos"]))
            vehicles.append(rows.vehicle(said["id"]))
            roads.append(rows.road_of(said["lane"]) if "lane" in said else rows.road(said["edge"]))
        elif tag == "timestep":
            time_s = float(said["time"])
            if len(times_s) >= ROWS_AT_ONCE:
                hand_over()
            times_s.append(time_s)
            vehicles.append(NOBODY)
            for column in (roads, *numbers):
                column.append(0)
        elif not is_fcd and tag != "fcd-export":
            rows.refuse(f"is no FCD file but <{tag}>; write it with SUMO's --fcd-output")
        is_fcd = True

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    try:
        with _opened(path) as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        rows.refuse(f"is damaged or truncated ({error}); write it again")
    except KeyError as missing:
        rows.refuse_without("lane" if missing.args[0] == "edge" else str(missing.args[0]))
    except ValueError:
        rows.refuse("has something other than a number where one belongs; write it again")
    hand_over()


def _read_csv(path: Path, rows: _Rows) -> None:
    with _opened(path) as file:
        header = file.readline().decode("utf-8", errors="replace").strip()
        if header and path.suffix != ".gz":
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                rows.refuse("is truncated, it ends within a line; write it again")
    separator = next((mark for mark in (";", ",", "\t") if mark in header), ";")
    names = _column_names(header.split(separator), rows)
    try:
        pieces = pd.read_csv(
            path,
            sep=separator,
            usecols=list(names.values()),
            dtype={name: "str" if attribute in ("id", "lane", "edge") else "float64" for attribute, name in names.items()},
            chunksize=ROWS_AT_ONCE,
            keep_default_na=False,
            na_values={name: [""] for name in names.values()},
        )
        for piece in pieces:
            _add_table(piece, names, rows)
    except ValueError as error:
        rows.refuse(f"has something other than a number where one belongs ({error}); write it again")


def _read_parquet(path: Path, rows: _Rows) -> None:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = _column_names(file.schema_arrow.names, rows)
            for piece in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(names.values())):
                _add_table(piece.to_pandas(), names, rows)
    except pyarrow.ArrowException as error:
        rows.refuse(f"is damaged or no Parquet file ({' '.join(str(error).split())}); write it again")


def _column_names(columns: Sequence[str], rows: _Rows) -> dict[str, str]:
    """Column of each attribute; SUMO's columns are called by element and attribute, or by attribute alone."""
    by_attribute = {column.removeprefix("vehicle_").removeprefix("timestep_"): column for column in columns}
    for attribute in ("time", "id", *_NUMBERS):
        if attribute not in by_attribute:
            if attribute == "time" and "id" not in by_attribute:
                rows.refuse("has no columns of an FCD file; write it with SUMO's --fcd-output")
            rows.refuse_without(attribute)
    if "lane" not in by_attribute and "edge" not in by_attribute:
        rows.refuse_without("lane")
    return {attribute: by_attribute[attribute] for attribute in ("time", "id", *_NUMBERS, "lane", "edge") if attribute in by_attribute}


def _add_table(table: pd.DataFrame, names: dict[str, str], rows: _Rows) -> None:
    is_vehicle = table[names["id"]].notna().to_numpy() & (table[names["id"]] != "").to_numpy()
    vehicle = _numbered(table[names["id"]], is_vehicle, rows.vehicle)
    road = np.full(len(table), NOBODY, dtype=np.int64)
    for attribute, number in (("lane", rows.road_of), ("edge", rows.road)):
        if attribute in names:
            column = table[names[attribute]]
            is_said = is_vehicle & (road == NOBODY) & column.notna().to_numpy() & (column != "").to_numpy()
            road = np.where(is_said, _numbered(column, is_said, number), road)
    if (is_vehicle & (road == NOBODY)).any():
        rows.refuse_without("lane")
    numbers = [table[names[attribute]].to_numpy(dtype=np.float64) for attribute in _NUMBERS]
    rows.add(table[names["time"]].to_numpy(dtype=np.float64), vehicle, road, numbers)


def _numbered(names: pd.Series[str], where: NDArray[np.bool_], number: Callable[[str], int]) -> IntArray:
    """Numbers of names, NOBODY elsewhere."""
    numbers = np.full(len(names), NOBODY, dtype=np.int64)
    codes, different = pd.factorize(names[where])
    known = np.array([number(str(name)) for name in different], dtype=np.int64)
    numbers[where] = known[codes] if len(known) else 0
    return numbers
