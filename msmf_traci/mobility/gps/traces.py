"""From files of GPS points to traces: read, clean, cut, choose. No roads and no frames; these are for the map matcher."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from msmf_traci.arrays import FloatArray
from msmf_traci.errors import InputError
from msmf_traci.mobility.gps.choosing import Box, Selection, check_users, choose, keep_on_map
from msmf_traci.mobility.gps.cleaning import clean
from msmf_traci.mobility.gps.csv_file import CsvReader
from msmf_traci.mobility.gps.files import find_files
from msmf_traci.mobility.gps.geolife import read_geolife
from msmf_traci.mobility.gps.gpx_file import read_gpx
from msmf_traci.mobility.gps.omissions import Omissions
from msmf_traci.mobility.gps.pieces import Pieces, cut
from msmf_traci.mobility.gps.points import Gathering, Points


@dataclass(frozen=True)
class Trace:
    """One person or vehicle on one way, arrays of shape (n,), n at least 2.

    Attributes
    ----------
    name
        Unique in a run.
    user, mode
        Whose it is, and the mode of transport; "" where unknown.
    time_s
        POSIX seconds, strictly increasing.
    lon, lat
        Degrees (WGS 84).
    """

    name: str
    user: str
    mode: str
    time_s: FloatArray
    lon: FloatArray
    lat: FloatArray


@dataclass(frozen=True)
class Cleaning:
    """What cuts a trace, and what leaves points and pieces of it out.

    Attributes
    ----------
    max_gap_s
        A longer time between points cuts.
    max_mps
        A point faster than this from both neighbours is left out; what is still faster is cut.
    min_duration_s, min_length_m
        Shorter pieces are left out.
    """

    max_gap_s: float = 60.0
    max_mps: float = 250 / 3.6
    min_duration_s: float = 60.0
    min_length_m: float = 0.0


def read_traces(
    path: str,
    selection: Selection,
    cleaning: Cleaning,
    seed: int,
    *,
    place: Box | None = None,
    time_zone: str = "UTC",
    max_points: int = 20_000_000,
) -> tuple[list[Trace], Omissions]:
    """Read traces, in the order of their names.

    Parameters
    ----------
    path
        A file, or a folder that is searched downwards.
    selection, cleaning
        Which traces, and what is wrong with one.
    seed
        Draws the traces where there are more than asked for.
    place
        The map's extent: traces without a point there (or within a margin of it) are left out. None: traces of anywhere.
    time_zone
        IANA name of the zone of times that name no offset; GeoLife's are UTC.
    max_points
        More points are refused.

    Raises
    ------
    InputError
        One sentence on the first thing that is wrong, or if no trace is left.
    """
    omissions = Omissions()
    points = _gathered(path, selection, time_zone, max_points, omissions)
    clean(points, cleaning.max_mps, omissions)
    pieces = cut(points, cleaning.max_gap_s, cleaning.max_mps, omissions)
    pieces.leave_out("one_point", pieces.end - pieces.first == 1, omissions)
    pieces.leave_out("too_brief", pieces.duration_s < cleaning.min_duration_s, omissions)
    pieces.leave_out("too_short", pieces.length_m < cleaning.min_length_m, omissions)
    _refuse_none(path, pieces, omissions)
    if place is not None:
        keep_on_map(pieces, place, omissions)
    choose(pieces, selection, seed, omissions)
    _refuse_none(path, pieces, omissions)
    for name, times in Counter(pieces.names).most_common(1):
        if times > 1:
            raise InputError(
                f"mobility.gps.path={path}: two traces would be called {name}, one of them a piece of a longer one; give them other ids"
            )
    return sorted(_traces(pieces), key=lambda trace: trace.name), omissions


def _gathered(path: str, selection: Selection, time_zone: str, max_points: int, omissions: Omissions) -> Points:
    gathering = Gathering(path, max_points, selection.begin_s, selection.end_s, omissions)
    files = find_files(path)
    read_geolife([file.path for file in files if file.format == "geolife"], selection.users, gathering)
    tables = CsvReader(time_zone, selection.users, gathering)
    for file in files:
        if file.format == "csv":
            tables.read(file.path)
        elif file.format == "gpx":
            read_gpx(file.path, time_zone, selection.users, gathering)
    check_users(selection.users, gathering.users_seen)
    return gathering.joined()


def _refuse_none(path: str, pieces: Pieces, omissions: Omissions) -> None:
    if not len(pieces):
        said = "; ".join(sentence.removeprefix("GPS: ") for sentence in omissions.sentences())
        raise InputError(f"mobility.gps.path={path}: no trace is left ({said}); correct the files, or loosen what mobility.gps asks for")


def _traces(pieces: Pieces) -> list[Trace]:
    """Traces of pieces, with arrays of their own, so that the table can go."""
    points = pieces.points
    rows = zip(pieces.names, pieces.users, pieces.modes, pieces.first.tolist(), pieces.end.tolist(), strict=True)
    return [
        Trace(name, user, mode, *(column[first:end].copy() for column in (points.time_s, points.lon, points.lat)))
        for name, user, mode, first, end in rows
    ]
