"""Cleans a table of points: into the order of time, one point at a time, none where nobody can have been. Nothing is moved or invented."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray
from msmf_traci.compiled import compiled
from msmf_traci.mobility.gps.great_circle import distance_m
from msmf_traci.mobility.gps.omissions import Omissions
from msmf_traci.mobility.gps.points import Codes, Points


def clean(points: Points, max_mps: float, omissions: Omissions) -> None:
    """Bring points into the order of trace and time, and leave out what cannot be, in place.

    Parameters
    ----------
    points
        In the order of the files; changed.
    max_mps
        A point faster than this from both its neighbours is left out.
    omissions
        Counts what is left out.
    """
    _put_in_order(points, omissions)
    is_again = np.zeros(len(points), dtype=bool)
    is_again[1:] = (np.diff(points.trace) == 0) & (np.diff(points.time_s) == 0)
    if is_again.any():
        points.take(~is_again)
        omissions.leave_out_points("same_time", int(is_again.sum()))
    is_possible = np.ones(len(points), dtype=bool)
    _judge_speeds(points.trace, points.time_s, points.lon, points.lat, max_mps, is_possible)
    if not is_possible.all():
        points.take(is_possible)
        omissions.leave_out_points("impossible_speed", int((~is_possible).sum()))


def _put_in_order(points: Points, omissions: Omissions) -> None:
    """Sort by trace, then time; of points at the same time the first in the file stays first."""
    if (np.diff(points.trace) < 0).any():
        points.take(np.argsort(points.trace, kind="stable"))
    goes_back = (np.diff(points.trace) == 0) & (np.diff(points.time_s) < 0)
    if goes_back.any():
        omissions.note("misplaced", int(goes_back.sum()))
        points.take(np.lexsort((points.time_s, points.trace)))


@compiled
def _judge_speeds(trace: Codes, time_s: FloatArray, lon: FloatArray, lat: FloatArray, max_mps: float, is_possible: BoolArray) -> None:
    """Mark each point as impossible that is too fast from the last possible one and to the next one.

    A run of points that fit each other and not the last one is kept: which of the two is wrong cannot be told, and the trace is cut there.
    """
    n = len(trace)
    last = 0
    for i in range(1, n):
        if trace[i] == trace[last] and i + 1 < n and trace[i + 1] == trace[i]:
            from_last = distance_m(lon[last], lat[last], lon[i], lat[i]) > max_mps * (time_s[i] - time_s[last])
            if from_last and distance_m(lon[i], lat[i], lon[i + 1], lat[i + 1]) > max_mps * (time_s[i + 1] - time_s[i]):
                is_possible[i] = False
                continue
        last = i
