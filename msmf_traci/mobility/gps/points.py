"""Points as they come out of files, gathered into one table; each is judged here by itself, before anything is kept in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray
from msmf_traci.errors import InputError
from msmf_traci.mobility.frame import why_no_name
from msmf_traci.mobility.gps.omissions import Omissions

Codes = NDArray[np.int32]
EVERY_MODE = "all"  # what tables call all modes together
_COLUMNS = ("trace", "part", "time_s", "lon", "lat")


@dataclass
class Points:
    """A table of points, arrays of shape (n,), and what its numbers stand for.

    Attributes
    ----------
    trace
        Which of `names` and `users` a point belongs to.
    part
        Which of `modes`: where it changes along a trace, the trace is cut.
    time_s
        POSIX seconds.
    lon, lat
        Degrees.
    names, users
        Of each trace as it was recorded, before it is cut.
    modes
        Mode of transport of each part; "" where unknown.
    """

    trace: Codes
    part: Codes
    time_s: FloatArray
    lon: FloatArray
    lat: FloatArray
    names: list[str]
    users: list[str]
    modes: list[str]

    def __len__(self) -> int:
        return len(self.time_s)

    def take(self, rows: NDArray[np.int64] | BoolArray) -> None:
        """Keep only these rows, in this order; column by column, so that no second copy of all is needed."""
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[rows])


@dataclass
class Gathering:
    """Collects the points of many files.

    Attributes
    ----------
    source
        What the user called the traces, for errors.
    max_points
        More points than this are refused.
    begin_s, end_s
        Points before and after these are left out.
    omissions
        Counts what is left out.
    """

    source: str
    max_points: int
    begin_s: float
    end_s: float
    omissions: Omissions
    names: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    users_seen: set[str] = field(default_factory=set)
    _n: int = 0
    _swapped: int = 0
    _parts: list[tuple[NDArray[np.float64] | Codes, ...]] = field(default_factory=list)

    def new_trace(self, name: str, user: str) -> int:
        """Number of a new trace.

        Raises
        ------
        InputError
            If tables cannot hold its name.
        """
        self._check_name("trace", name)
        self.names.append(name)
        self.users.append(user)
        self.users_seen.add(user)
        return len(self.names) - 1

    def new_part(self, mode: str) -> int:
        """Number of a new part of traces.

        Raises
        ------
        InputError
            If its mode would be taken for all modes, or tables cannot hold it.
        """
        if mode:
            self._check_name("mode", mode)
        if mode == EVERY_MODE:
            raise InputError(
                f"mobility.gps.path={self.source}: there is a mode '{mode}', which means all modes in tables; give it another name"
            )
        self.modes.append(mode)
        return len(self.modes) - 1

    def _check_name(self, what: str, name: str) -> None:
        if (reason := why_no_name(name)) is not None:
            raise InputError(f"mobility.gps.path={self.source}: there is a {what} whose name {reason}; give it another name")

    def add(self, trace: Codes, part: Codes, time_s: FloatArray, lon: FloatArray, lat: FloatArray) -> None:
        """Add points in the order of a file; what is wrong with a single point leaves it out.

        Raises
        ------
        InputError
            If there are too many.
        """
        self.omissions.points_read += len(time_s)
        size_lon, size_lat = np.abs(lon), np.abs(lat)
        is_impossible = (size_lon > 180) | (size_lat > 90)
        self._swapped += int((is_impossible & (size_lon <= 90) & (size_lat <= 180)).sum())
        is_kept = np.ones(len(time_s), dtype=bool)
        for reason, is_wrong in (
            ("no_time", ~np.isfinite(time_s)),
            ("no_position", np.isnan(lon) | np.isnan(lat)),
            ("impossible_coordinates", is_impossible),
            ("null_island", (lon == 0) & (lat == 0)),
            ("other_times", (time_s < self.begin_s) | (time_s > self.end_s)),
        ):
            self.omissions.leave_out_points(reason, int((is_wrong & is_kept).sum()))
            is_kept &= ~is_wrong
        columns = (trace, part, time_s, lon, lat)
        self._parts.append(columns if is_kept.all() else tuple(column[is_kept] for column in columns))
        self._n += int(is_kept.sum())
        if self._n > self.max_points:
            raise InputError(
                f"mobility.gps.path={self.source} holds more than {self.max_points} points (mobility.gps.max_points): "
                "set mobility.gps.begin and mobility.gps.end, give fewer files, or raise the limit"
            )

    def joined(self) -> Points:
        """All points.

        Raises
        ------
        InputError
            If none is left.
        """
        if not self._n:
            raise InputError(f"mobility.gps.path={self.source}: {self._why_none()}")
        columns = [list(column) for column in zip(*self._parts, strict=True)]
        self._parts = []
        trace, part, time_s, lon, lat = (np.concatenate(columns.pop(0)) for _ in _COLUMNS)
        return Points(trace.astype(np.int32), part.astype(np.int32), time_s, lon, lat, self.names, self.users, self.modes)

    def _why_none(self) -> str:
        if not self.omissions.points_read:
            return "it holds no points; check the path"
        if self._swapped == self.omissions.points["impossible_coordinates"] > 0:
            return "latitudes and longitudes look swapped: no point has a latitude within 90 degrees; exchange the columns"
        said = "; ".join(self.omissions.sentences()[1:]).replace("GPS: points left out: ", "")
        return f"none of {self.omissions.points_read} points is left ({said}); correct the files, or select more"
