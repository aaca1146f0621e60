"""Reads what SUMO wrote with --fcd-output (XML, CSV, Parquet) into arrays, piece by piece: rows as they are in the file, no frames yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.files.csv_table import CsvTable
from msmf_traci.files.text_file import NO_TEXT, READ_ERRORS, DamagedFileError, check_unpacked, said, unpacked_name
from msmf_traci.files.xml_file import read_xml
from msmf_traci.mobility.frame import DECIMALS, why_no_name

ROWS_AT_ONCE = 200_000
NOBODY = -1  # the vehicle of a row that only says that a step took place
_COLUMNS = ("frame", "vehicle", "road", "x_m", "y_m", "speed_mps", "position_m")
_NUMBERS = ("x", "y", "speed", "pos")
_TEXT = ("id", "lane", "edge")
_WANTED = ("time", "id", *_NUMBERS, "lane")
_ATTRIBUTES = "--fcd-output.attributes id,x,y,speed,pos,lane"
_EMPTY = "holds no vehicles; give another file"
_NO_NUMBER = "has something other than a number where one belongs; write it again"
_NO_LANE = (
    "holds no vehicle on a lane: it holds persons only, or was written with --mesosim, which moves vehicles in jumps of some 100 m; "
    "write it again without --mesosim"
)
MOST = 2.0**53 * 10.0**-DECIMALS  # up to here a float holds every millionth

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
        match Path(unpacked_name(path)).suffix.lower():
            case ".parquet":
                _read_parquet(path, rows)
            case ".csv":
                _read_csv(path, rows)
            case _:
                _read_xml(path, rows)
    except DamagedFileError as error:
        rows.refuse(str(error))
    except UnicodeDecodeError:
        rows.refuse(NO_TEXT)
    except (*READ_ERRORS, pd.errors.ParserError) as error:
        rows.refuse(f"is damaged or cannot be read ({said(error)}); write it again")
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
        self._has_others = False
        self._has_edges = False

    def refuse(self, reason: str) -> NoReturn:
        """Raise the sentence on this file."""
        raise InputError(f"mobility.fcd_file={self._path} {reason}")

    def refuse_without(self, attribute: str) -> NoReturn:
        """Raise the sentence on something that the file lacks."""
        self.refuse(f"lacks each vehicle's {attribute}; write it with {_ATTRIBUTES}, or without that option")

    def vehicle(self, name: str) -> int:
        """Number of a vehicle id."""
        if name not in self._vehicles and (reason := why_no_name(name)) is not None:
            self.refuse(f"has a vehicle whose id {reason}; rename it")
        return self._vehicles.setdefault(name, len(self._vehicles))

    def road_of(self, lane: str) -> int:
        """Number of the edge of a lane: the lanes of EDGE are EDGE_0, EDGE_1, ..."""
        return self._roads.setdefault(lane.rpartition("_")[0], len(self._roads))

    def pass_over(self, edge: str) -> None:
        """Take note of what has no lane, and perhaps an edge."""
        self._has_others = True
        self._has_edges |= edge != ""

    def add(self, time_s: FloatArray, vehicle: IntArray, road: IntArray, numbers: Sequence[FloatArray]) -> None:
        """Add rows in the order of the file; rows of NOBODY tell of a step in which nobody drove."""
        if not len(time_s):
            return
        before_s = np.concatenate([[self._last_s], time_s[:-1]])
        passed_s = time_s - before_s
        if not np.isfinite(time_s).all():
            self.refuse("has a row without a time; write it again")
        if time_s.min() < 0 or time_s.max() >= MOST:
            self.refuse(
                f"has a row at {float(time_s.min() if time_s.min() < 0 else time_s.max()):g} s, "
                "a time that no simulation has; write it again"
            )
        if (passed_s < 0).any():
            self.refuse(f"goes back in time after {float(before_s[np.argmax(passed_s < 0)]):g} s; give the file of one run")
        begins = passed_s > 0
        frame = self._steps - 1 + np.cumsum(begins)
        self._times_s.append(time_s[begins])
        self._steps = int(frame[-1]) + 1
        self._last_s = float(time_s[-1])
        is_vehicle = vehicle != NOBODY
        columns = [column[is_vehicle] for column in numbers]
        if not all(np.isfinite(column).all() for column in columns):
            self.refuse("has a vehicle without a number for x, y, speed or pos; write it again")
        if (columns[_NUMBERS.index("speed")] < 0).any():
            self.refuse("has a vehicle with a negative speed; write it again")
        if any((np.abs(column) >= MOST).any() for column in columns):
            self.refuse(f"has a vehicle with an x, y, speed or pos beyond {MOST:g}, where no road is; write it again")
        codes = (frame[is_vehicle].astype(np.int32), vehicle[is_vehicle].astype(np.int32), road[is_vehicle].astype(np.int32))
        self._parts.append((*codes, *columns))

    def joined(self) -> FcdRows:
        """All rows."""
        if not any(len(part[0]) for part in self._parts):
            if self._has_others and not self._has_edges:
                self.refuse_without("lane")
            self.refuse(_NO_LANE if self._has_others else _EMPTY)
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

    def take(tag: str, said: dict[str, str]) -> None:
        nonlocal time_s, is_fcd
        if tag == "vehicle":
            if not said.get("lane"):
                rows.pass_over(said.get("edge", ""))
                return
            times_s.append(time_s)
            x_m.append(float(said["x"]))
            y_m.append(float(said["y"]))
            speed_mps.append(float(said["speed"]))
            position_m.append(float(said["pos"]))
            vehicles.append(rows.vehicle(said["id"]))
            roads.append(rows.road_of(said["lane"]))
        elif tag == "timestep":
            time_s = float(said["time"])
            if len(times_s) >= ROWS_AT_ONCE:
                hand_over()
            times_s.append(time_s)
            vehicles.append(NOBODY)
            for column in (roads, *numbers):
                column.append(0)
        elif not is_fcd and tag != "fcd-export":
            rows.refuse(f"is not an FCD file (it begins with <{tag[:100]}>); write it with SUMO's --fcd-output")
        is_fcd = True

    def begin(tag: str, said: dict[str, str]) -> None:
        try:
            take(tag, said)
        except KeyError as missing:
            rows.refuse_without(str(missing.args[0]))
        except ValueError:
            rows.refuse(_NO_NUMBER)

    read_xml(path, begin)
    hand_over()


def _read_csv(path: Path, rows: _Rows) -> None:
    table = CsvTable(path)
    if table.columns == ["timestep_time"]:  # SUMO writes no other column where nobody drives
        rows.refuse(_EMPTY)
    place = _places(table.columns, rows)
    numbers = ("time", *_NUMBERS)
    try:
        for piece in table.pieces(place, numbers, {}, ROWS_AT_ONCE, must_end=True):
            _add_table(piece, rows)
    except (UnicodeDecodeError, pd.errors.ParserError):
        raise
    except ValueError as error:
        rows.refuse(f"{_NO_NUMBER} ({said(error)})")


def _read_parquet(path: Path, rows: _Rows) -> None:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            place = _places(names, rows)
            check_unpacked(8 * len(place) * file.metadata.num_rows, path.stat().st_size)
            kinds = {what: pyarrow.string() if what in _TEXT else pyarrow.float64() for what in place}
            for piece in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=[names[column] for column in place.values()]):
                columns = {what: piece.column(names[column]).cast(kinds[what]) for what, column in place.items()}
                _add_table(pd.DataFrame({what: column.to_pandas() for what, column in columns.items()}), rows)
    except (pyarrow.ArrowException, KeyError, OverflowError) as error:
        rows.refuse(f"is damaged or no Parquet file ({said(error)}); write it again")


def _places(columns: Sequence[str], rows: _Rows) -> dict[str, int]:
    """Place of each attribute's column; SUMO's columns are called by element and attribute, or by attribute alone."""
    called = [column.removeprefix("vehicle_").removeprefix("timestep_") for column in columns]
    for attribute in _WANTED:
        if called.count(attribute) > 1:
            rows.refuse(f"has two columns for each vehicle's {attribute}; leave out one of them")
        if attribute not in called:
            if attribute == "time" and "id" not in called:
                rows.refuse("has no columns of an FCD file; write it with SUMO's --fcd-output")
            if attribute == "lane" and "edge" in called:
                rows.refuse(_NO_LANE)
            rows.refuse_without(attribute)
    return {attribute: called.index(attribute) for attribute in (*_WANTED, "edge") if attribute in called}


def _add_table(table: pd.DataFrame, rows: _Rows) -> None:
    """Add rows; of those with an id only the vehicles' have a lane, since SUMO writes persons into the same columns, with an edge alone."""
    has_id, has_lane = (_is_said(table[name]) for name in ("id", "lane"))
    is_vehicle = has_id & has_lane
    others = has_id & ~has_lane
    if others.any():
        rows.pass_over(str(table["edge"][others].iloc[0]) if "edge" in table and _is_said(table["edge"])[others].all() else "")
    vehicle = _numbered(table["id"], is_vehicle, rows.vehicle)
    road = _numbered(table["lane"], is_vehicle, rows.road_of)
    rows.add(table["time"].to_numpy(dtype=np.float64), vehicle, road, [table[name].to_numpy(dtype=np.float64) for name in _NUMBERS])


def _is_said(column: pd.Series[str]) -> BoolArray:
    return column.notna().to_numpy(bool) & (column != "").to_numpy(bool, na_value=False)


def _numbered(names: pd.Series[str], where: BoolArray, number: Callable[[str], int]) -> IntArray:
    """Numbers of names, NOBODY elsewhere."""
    numbers = np.full(len(names), NOBODY, dtype=np.int64)
    codes, different = pd.factorize(names[where])
    known = np.array([number(str(name)) for name in different], dtype=np.int64)
    numbers[where] = known[codes] if len(known) else 0
    return numbers
