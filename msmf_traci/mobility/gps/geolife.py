"""Reads GeoLife trajectories (.plt, Microsoft Research Asia, user guide 1.3) with the labels of their users. Their times are UTC."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray
from msmf_traci.errors import InputError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.files.text_file import DamagedFileError, read_text, shortened
from msmf_traci.mobility.gps.files import LABELS, plain_name, user_folder
from msmf_traci.mobility.gps.points import Gathering
from msmf_traci.mobility.gps.times import posix_of_local

HEADER_LINES = 6
UNKNOWN_ALTITUDE = -777  # of GeoLife
_COLUMNS = ("lat", "lon", "zero", "altitude_feet", "days", "date", "time")
_TEXT = ("date", "time")
_NUMBERS = ("lat", "lon", "altitude_feet")


@dataclass(frozen=True)
class _Labels:
    """Times at which a user changed the mode of transport, arrays of shape (n,), and the part that begins with each label."""

    begin_s: FloatArray
    end_s: FloatArray
    part: list[int]


def read_geolife(paths: Sequence[Path], users: Collection[str] | None, gathering: Gathering) -> None:
    """Gather trajectories; those of other users than the given are not opened.

    Raises
    ------
    InputError
        One sentence on the first file that is damaged, or two that are called the same.
    """
    labels: dict[Path, _Labels] = {}
    unlabelled = gathering.new_part("")
    seen: dict[str, Path] = {}
    for path in paths:
        folder = user_folder(path)
        gathering.users_seen.add(folder.name)
        if users is not None and folder.name not in users:
            continue
        name = f"{folder.name}-{plain_name(path)}"
        if name in seen:
            raise InputError(
                f"mobility.gps.path: {seen[name]} and {path} are both called {name}; give a folder that holds one of them only"
            )
        seen[name] = path
        if folder not in labels:
            labels[folder] = _read_labels(folder / LABELS, gathering)
        _read_trajectory(path, gathering.new_trace(name, folder.name), labels[folder], unlabelled, gathering)


def _read_trajectory(path: Path, trace: int, labels: _Labels, unlabelled: int, gathering: Gathering) -> None:
    content = _text_of(path)
    if not content.startswith("Geolife trajectory"):
        _refuse(path, "is no GeoLife trajectory: its first line is not 'Geolife trajectory'; give another file")
    try:
        table = _table(content, dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_TEXT, "str"))
    except ValueError:
        _refuse_number(path, content)
    if table.empty:
        _refuse(path, "holds no points; remove it, or give another")
    moments_said = table["date"] + " " + table["time"]
    moments = pd.to_datetime(moments_said, format="%Y-%m-%d %H:%M:%S", errors="coerce")
    if moments.isna().any():
        row = int(np.argmax(moments.isna().to_numpy()))
        _refuse(
            path,
            f"line {row + HEADER_LINES + 1}: '{shortened(str(moments_said.iloc[row]))}' is no date and time; correct or remove the line",
        )
    time_s = posix_of_local(pd.DatetimeIndex(moments), "UTC")
    lat, lon, altitude_feet = (table[name].to_numpy() for name in _NUMBERS)
    gathering.omissions.note("no_altitude", int((altitude_feet == UNKNOWN_ALTITUDE).sum()))
    part = np.full(len(time_s), unlabelled, dtype=np.int32)
    for label in np.flatnonzero((labels.begin_s <= time_s.max()) & (labels.end_s >= time_s.min())):
        part[(time_s >= labels.begin_s[label]) & (time_s <= labels.end_s[label])] = labels.part[label]
    gathering.add(np.full(len(time_s), trace, dtype=np.int32), part, time_s, lon, lat)


def _table(content: str, types: dict[str, str]) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_csv(
        StringIO(content),
        skiprows=HEADER_LINES,
        header=None,
        names=list(_COLUMNS),
        index_col=False,
        usecols=list(types),
        dtype=types,
        keep_default_na=False,
        na_values={name: ["", "NaN", "nan"] for name in _NUMBERS},
        **EXACT,
    )
    return table


def _refuse_number(path: Path, content: str) -> NoReturn:
    """Say in which line something other than a number stands."""
    try:
        table = _table(content, dict.fromkeys((*_NUMBERS, *_TEXT), "str"))
    except ValueError:
        _refuse(path, "is damaged: its lines are not those of a GeoLife trajectory; copy it again")
    for name in _NUMBERS:
        is_wrong = (pd.to_numeric(table[name], errors="coerce").isna() & table[name].notna()).to_numpy()
        if is_wrong.any():
            row = int(np.argmax(is_wrong))
            _refuse(
                path,
                f"line {row + HEADER_LINES + 1}: '{shortened(str(table[name].iloc[row]))}' is no number for {name}; "
                "correct or remove the line",
            )
    _refuse(path, "is damaged: its lines are not those of a GeoLife trajectory; copy it again")


def _read_labels(path: Path, gathering: Gathering) -> _Labels:
    """Labels of a user in the order of their beginnings; none where the user has none. Where two overlap, the later counts."""
    rows = []
    lines = _text_of(path).splitlines() if path.is_file() else []
    for number, line in enumerate(lines[1:], start=2):
        words = [word.strip() for word in line.split("\t")]
        if not line.strip():
            continue
        try:
            begin, end, mode = words
            rows.append((_label_s(begin), _label_s(end), mode))
        except ValueError:
            _refuse(
                path,
                f"line {number}: '{shortened(' '.join(words))}' is no label: "
                "write begin, end (2008/10/27 13:44:06) and mode, separated by tabs",
            )
    rows.sort(key=lambda row: row[:2])
    begin_s, end_s = (np.array([row[i] for row in rows], dtype=np.float64) for i in (0, 1))
    return _Labels(begin_s, end_s, [gathering.new_part(mode) for _, _, mode in rows])


def _label_s(text: str) -> float:
    return datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()


def _text_of(path: Path) -> str:
    try:
        return read_text(path)
    except DamagedFileError as error:
        _refuse(path, str(error))


def _refuse(path: Path, reason: str) -> NoReturn:
    raise InputError(f"mobility.gps.path: {path} {reason}")
