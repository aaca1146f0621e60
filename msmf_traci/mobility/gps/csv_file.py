"""Reads tables of GPS points (CSV), piece by piece: one row a point, with the id of its trace, a time, a latitude and a longitude."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.files.csv_table import CsvTable
from msmf_traci.files.text_file import NO_TEXT, READ_ERRORS, DamagedFileError, said, shortened
from msmf_traci.mobility.gps.points import Codes, Gathering
from msmf_traci.mobility.gps.times import posix_of, posix_of_local

ROWS_AT_ONCE = 500_000
# names of columns, in small letters, by what they hold; those of the first two rows are needed
COLUMNS = {
    **{"id": ("id", "seg", "trace", "trip"), "t": ("t", "t_utc", "time", "timestamp")},
    **{"lat": ("lat", "latitude"), "lon": ("lon", "lng", "longitude")},
    **{"user": ("user",), "mode": ("mode",)},
}
_OPTIONAL = ("user", "mode")
_MISSING = ("nan", "NaN", "NA", "null")
_WITHOUT_OFFSET = r"[\d-]+(?:[T ] *[\d:.]+)?"
_WITH_OFFSET = r"[\d-]+[T ] *[\d:.]+ *(?:Z|[+-]\d\d(?::?\d\d)?)"
_LATEST_S = 1e11  # the year 5138: what is later counts milliseconds


class CsvReader:
    """Gathers tables. An id is one trace in all of them.

    Parameters
    ----------
    time_zone
        Zone of times that name no offset.
    users
        Only points of these; None: all.
    gathering
        Takes the points.
    """

    def __init__(self, time_zone: str, users: Collection[str] | None, gathering: Gathering) -> None:
        self._time_zone = time_zone
        self._users = users
        self._gathering = gathering
        self._traces: dict[str, int] = {}
        self._parts: dict[str, int] = {}

    def read(self, path: Path) -> None:
        """Gather one table.

        Raises
        ------
        InputError
            One sentence on a file that is damaged, lacks a column, or has something else where a number or a time belongs.
        """
        try:
            self._read(_opened_table(path))
        except DamagedFileError as error:
            _refuse(path, str(error))
        except UnicodeDecodeError:
            _refuse(path, NO_TEXT)
        except (*READ_ERRORS, pd.errors.ParserError) as error:
            _refuse(path, f"is damaged or cannot be read ({said(error)}); write it again")

    def _read(self, table: _Table) -> None:
        times = next(_pieces(table, ()), pd.DataFrame({"t": []}))["t"].dropna()
        is_posix = len(times) > 0 and bool(pd.to_numeric(times.iloc[:1], errors="coerce").notna().all())
        numbers = ["lat", "lon", *(["t"] if is_posix else [])]
        line = table.csv.first_row
        try:
            for piece in _pieces(table, numbers):
                self._add(table, piece, is_posix, line)
                line += len(piece)
        except (UnicodeDecodeError, pd.errors.ParserError):
            raise
        except ValueError:
            _refuse_number(table, numbers)

    def _add(self, table: _Table, piece: pd.DataFrame, is_posix: bool, line: int) -> None:
        time_s = piece["t"].to_numpy() if is_posix else self._posix_s(table, piece["t"], line)
        if is_posix and (time_s > _LATEST_S).any():
            row = line + int(np.argmax(time_s > _LATEST_S))
            _refuse(table.path, f"line {row}: column {table.names['t']} is too large for seconds since 1970; write those, or ISO 8601")
        ids, users, modes = (piece[what].fillna("") if what in piece else _no_text(len(piece)) for what in ("id", "user", "mode"))
        has_id = (ids != "").to_numpy()
        self._gathering.users_seen.update(str(user) for user in users.unique())
        is_theirs = np.ones(len(piece), dtype=bool) if self._users is None else users.isin(list(self._users)).to_numpy()
        omissions, is_kept = self._gathering.omissions, has_id & is_theirs
        omissions.points_read += int((~is_kept).sum())
        omissions.leave_out_points("no_id", int((~has_id).sum()))
        omissions.leave_out_points("other_users", int((has_id & ~is_theirs).sum()))
        trace = self._numbered_traces(table.path, ids[is_kept], users[is_kept])
        codes, different = pd.factorize(modes[is_kept])
        part = _decoded(codes, [self._part(str(mode)) for mode in different])
        self._gathering.add(trace, part, time_s[is_kept], *(piece[name].to_numpy()[is_kept] for name in ("lon", "lat")))

    def _numbered_traces(self, path: Path, ids: pd.Series[str], users: pd.Series[str]) -> Codes:
        codes, different = pd.factorize(ids)
        user_codes, different_users = pd.factorize(users)
        first = np.zeros(len(different), dtype=np.int64)
        first[codes[::-1]] = user_codes[::-1]
        traces = []
        for i, name in enumerate(map(str, different)):
            user = str(different_users[first[i]])
            if name not in self._traces:
                self._traces[name] = self._gathering.new_trace(name, user)
            traces.append(self._traces[name])
            if self._gathering.users[traces[-1]] != user:
                self._refuse_users(path, name, self._gathering.users[traces[-1]], user)
        if (mixed := user_codes != first[codes]).any():
            row = int(np.argmax(mixed))
            self._refuse_users(path, str(ids.iloc[row]), str(different_users[first[codes[row]]]), str(users.iloc[row]))
        return _decoded(codes, traces)

    def _refuse_users(self, path: Path, name: str, one: str, other: str) -> NoReturn:
        one, other, name = shortened(one), shortened(other), shortened(name)
        _refuse(path, f"uses the id {name} for traces of two users, '{one}' and '{other}'; give every trace an id of its own")

    def _part(self, mode: str) -> int:
        if mode not in self._parts:
            self._parts[mode] = self._gathering.new_part(mode)
        return self._parts[mode]

    def _posix_s(self, table: _Table, texts: pd.Series[str], line: int) -> FloatArray:
        """POSIX seconds of times in ISO 8601; a column called t_utc says its zone."""
        column = table.names["t"]
        zone = "UTC" if column.lower().endswith("_utc") else self._time_zone
        time_s = np.full(len(texts), np.nan)
        there = np.flatnonzero(texts.notna())
        words = texts.iloc[there].str.strip()
        has_offset = words.str.fullmatch(_WITH_OFFSET).to_numpy(bool)
        is_time = has_offset | words.str.fullmatch(_WITHOUT_OFFSET).to_numpy(bool)
        # times without an offset are read as if of UTC, and are then those of a clock on the wall in their zone
        moments = pd.DatetimeIndex(pd.to_datetime(words.where(is_time, None), format="ISO8601", errors="coerce", utc=True))
        if moments.isna().any():
            row = int(there[np.argmax(moments.isna())])
            word = shortened(str(texts.iloc[row]))
            _refuse(table.path, f"line {line + row}: '{word}' in column {column} is no time; write seconds since 1970, or ISO 8601")
        time_s[there[has_offset]] = posix_of(moments[has_offset])
        time_s[there[~has_offset]] = posix_of_local(moments[~has_offset].tz_localize(None), zone)
        return time_s


def _no_text(n: int) -> pd.Series[str]:
    return pd.Series([""] * n, dtype="str")


def _decoded(codes: IntArray, values: list[int]) -> Codes:
    """Value of each code; there are none where there is nothing."""
    return np.array([*values, 0], dtype=np.int32)[codes]


@dataclass(frozen=True)
class _Table:
    """A file, the table in it, and which of its columns tells what, with its name."""

    path: Path
    csv: CsvTable
    place: dict[str, int]
    names: dict[str, str]


def _opened_table(path: Path) -> _Table:
    table = CsvTable(path)
    if not table.columns:
        _refuse(path, "is empty; give another")
    small = [name.lower() for name in table.columns]
    place = {what: small.index(known[0]) for what, names in COLUMNS.items() if (known := [name for name in names if name in small])}
    lacking = [what for what in COLUMNS if what not in place and what not in _OPTIONAL]
    if lacking:
        _refuse(path, f"has no column {' and no column '.join(lacking)}; its first line must name id,t,lat,lon (and perhaps user,mode)")
    return _Table(path, table, place, {what: table.columns[i] for what, i in place.items()})


def _pieces(table: _Table, numbers: Collection[str]) -> Iterator[pd.DataFrame]:
    """The rows some at a time, columns called by what they tell, and text but for numbers."""
    return table.csv.pieces(table.place, numbers, dict.fromkeys(("t", "lat", "lon"), _MISSING), ROWS_AT_ONCE)


def _refuse_number(table: _Table, numbers: list[str]) -> NoReturn:
    """Say in which line something other than a number stands."""
    line = table.csv.first_row
    for piece in _pieces(table, ()):
        for name in numbers:
            is_wrong = (pd.to_numeric(piece[name], errors="coerce").isna() & piece[name].notna()).to_numpy()
            if is_wrong.any():
                row = int(np.argmax(is_wrong))
                word = shortened(str(piece[name].iloc[row]))
                _refuse(table.path, f"line {line + row}: '{word}' in column {table.names[name]} is no number; correct or remove the line")
        line += len(piece)
    _refuse(table.path, "is damaged; write it again")


def _refuse(path: Path, reason: str) -> NoReturn:
    raise InputError(f"mobility.gps.path: {path} {reason}")
