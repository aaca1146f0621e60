"""Reads the tracks of GPX files; a track's `type` is its mode of transport, and each of its segments was recorded without a break."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

import gpxpy
import gpxpy.gpx
import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray
from msmf_traci.errors import InputError
from msmf_traci.files.text_file import DamagedFileError, said
from msmf_traci.files.xml_file import xml_text
from msmf_traci.mobility.gps.files import plain_name
from msmf_traci.mobility.gps.points import Gathering
from msmf_traci.mobility.gps.times import posix_of_local


def read_gpx(path: Path, time_zone: str, users: Collection[str] | None, gathering: Gathering) -> None:
    """Gather the tracks of a file: called by the file if there is one, else by file and track.

    Parameters
    ----------
    path
        The file.
    time_zone
        Zone of times that name no offset.
    users
        Only points of these, and nobody knows whose those of a GPX file are: they are user ""; None: all.
    gathering
        Takes the points.

    Raises
    ------
    InputError
        If the file is damaged or holds no track.
    """
    try:
        gpx = gpxpy.parse(xml_text(path))
    except DamagedFileError as error:
        _refuse(path, str(error))
    except (gpxpy.gpx.GPXException, ValueError) as error:
        _refuse(path, f"is damaged or no GPX file ({said(error)}); write it again")
    if not gpx.tracks:
        _refuse(path, "holds no track, and routes and waypoints do not say when somebody was where; give a file with tracks")
    gathering.users_seen.add("")
    if users is not None and "" not in users:
        points = sum(len(segment.points) for track in gpx.tracks for segment in track.segments)
        gathering.omissions.points_read += points
        gathering.omissions.leave_out_points("other_users", points)
        return
    for number, track in enumerate(gpx.tracks, start=1):
        name = plain_name(path) if len(gpx.tracks) == 1 else f"{plain_name(path)}-{_in_one_line(track.name) or number}"
        trace = gathering.new_trace(_unused(name, gathering.names), "")
        for segment in track.segments:
            _add_segment(segment, trace, gathering.new_part(_in_one_line(track.type)), time_zone, gathering)


def _add_segment(segment: gpxpy.gpx.GPXTrackSegment, trace: int, part: int, time_zone: str, gathering: Gathering) -> None:
    points = segment.points
    time_s = np.full(len(points), np.nan)
    local: list[int] = []
    for i, point in enumerate(points):
        if point.time is not None and point.time.tzinfo is not None:
            time_s[i] = point.time.timestamp()
        elif point.time is not None:
            local.append(i)
    if local:
        time_s[local] = posix_of_local(pd.DatetimeIndex([points[i].time for i in local]), time_zone)
    lon, lat = (_numbers([getattr(point, name) for point in points]) for name in ("longitude", "latitude"))
    gathering.add(np.full(len(points), trace, dtype=np.int32), np.full(len(points), part, dtype=np.int32), time_s, lon, lat)


def _in_one_line(text: str | None) -> str:
    """A name or a type without the ends of lines that indented XML puts in."""
    return " ".join(line.strip() for line in (text or "").splitlines()).strip()


def _numbers(values: list[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _unused(name: str, taken: list[str]) -> str:
    """The name, or that with the first number that makes it one of its own."""
    number, unused = 1, name
    while unused in taken:
        number += 1
        unused = f"{name}-{number}"
    return unused


def _refuse(path: Path, reason: str) -> NoReturn:
    raise InputError(f"mobility.gps.path: {path} {reason}")
