"""Status reports: what the control plane knows of a vehicle is what its user equipment said last. MSMF, section 3.3.1; model, section 8."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray, extended
from msmf_traci.compiled import compiled
from msmf_traci.mobility.tracks import Tracks


@dataclass(frozen=True)
class ReportOptions:
    """When the user equipment reports: when it has moved, turned or changed its speed by more than this since its last report.

    A criterion of 0 is not looked at; with all three 0 there is a report in every frame.
    """

    distance_m: float
    heading_deg: float
    speed_mps: float

    @property
    def each_frame(self) -> bool:
        """Whether there is a report in every frame."""
        return self.distance_m == 0 and self.heading_deg == 0 and self.speed_mps == 0


@dataclass(frozen=True)
class Knowledge:
    """What the control plane knows at each sample of some tracks, arrays of shape (n,).

    Attributes
    ----------
    x_m, y_m, speed_mps, edge, position_m, route, route_index
        As the last report said.
    dx_m, dy_m
        Displacement from the report before to the last one; NaN at a vehicle's first.
    since_m
        How far it has come since the known position, by the known speed, while its road was being matched.
    route_m
        Position on the edge that `route_index` names: only for who knows the route.
    """

    x_m: FloatArray
    y_m: FloatArray
    speed_mps: FloatArray
    edge: IntArray
    position_m: FloatArray
    route: IntArray
    route_index: IntArray
    dx_m: FloatArray
    dy_m: FloatArray
    since_m: FloatArray
    route_m: FloatArray


# columns of a vehicle's last report
_X, _Y, _SPEED, _POSITION, _SINCE, _ROUTE_M, _DX, _DY, _HEADING, _MOVING = range(10)
_EDGE, _ROUTE, _INDEX = range(3)


class Reports:
    """The reports of all vehicles under one set of thresholds.

    Parameters
    ----------
    options
        The thresholds.
    """

    def __init__(self, options: ReportOptions) -> None:
        self._options = options
        self.sent: IntArray = np.zeros(0, dtype=np.int64)
        """Reports of each vehicle so far."""
        self._floats = np.zeros((0, 10))
        self._integers: IntArray = np.zeros((0, 3), dtype=np.int64)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self.sent = extended(self.sent, n, 0)
        self._floats = np.concatenate([self._floats, np.full((n, 10), np.nan)])
        self._integers = np.concatenate([self._integers, np.zeros((n, 3), dtype=np.int64)])

    def read(self, tracks: Tracks) -> Knowledge:
        """What is known at each sample."""
        return self._read_each_frame(tracks) if self._options.each_frame else self._read_reports(tracks)

    def _read_each_frame(self, tracks: Tracks) -> Knowledge:
        self.sent[tracks.vehicle] += np.diff(tracks.start)
        begins = tracks.start[:-1]
        dx_m, dy_m = np.diff(tracks.x_m, prepend=np.nan), np.diff(tracks.y_m, prepend=np.nan)
        dx_m[begins], dy_m[begins] = tracks.x_m[begins] - tracks.before_x_m, tracks.y_m[begins] - tracks.before_y_m
        as_it_is = tracks.x_m, tracks.y_m, tracks.known_mps, tracks.edge, tracks.position_m, tracks.route, tracks.route_index
        return Knowledge(*as_it_is, dx_m, dy_m, tracks.since_m, tracks.route_m)

    def _read_reports(self, tracks: Tracks) -> Knowledge:
        floats: FloatArray = np.empty((_DY + 1, len(tracks)))
        integers: IntArray = np.empty((_INDEX + 1, len(tracks)), dtype=np.int64)
        before = np.column_stack([tracks.before_x_m, tracks.before_y_m])
        now = np.stack([tracks.x_m, tracks.y_m, tracks.known_mps, tracks.position_m, tracks.since_m, tracks.route_m])
        road = np.stack([tracks.edge, tracks.route, tracks.route_index])
        thresholds = self._options.distance_m, float(np.radians(self._options.heading_deg)), self._options.speed_mps
        _listen(tracks.start, tracks.vehicle, before, now, road, thresholds, self._floats, self._integers, self.sent, floats, integers)
        return Knowledge(
            *(floats[_X], floats[_Y], floats[_SPEED], integers[_EDGE], floats[_POSITION]),
            *(integers[_ROUTE], integers[_INDEX], floats[_DX], floats[_DY], floats[_SINCE], floats[_ROUTE_M]),
        )


@compiled
def _listen(
    start: IntArray,
    vehicle: IntArray,
    before: FloatArray,
    now: FloatArray,
    road: IntArray,
    thresholds: tuple[float, float, float],
    floats: FloatArray,
    integers: IntArray,
    sent: IntArray,
    known: FloatArray,
    known_road: IntArray,
) -> None:
    """Send a report where something has changed enough, and write down what is known at every sample."""
    for i in range(len(vehicle)):
        last, last_road = floats[vehicle[i]], integers[vehicle[i]]
        x_m, y_m = before[i, 0], before[i, 1]
        for s in range(start[i], start[i + 1]):
            is_first = np.isnan(x_m)
            step_x, step_y = now[_X, s] - x_m, now[_Y, s] - y_m
            x_m, y_m = now[_X, s], now[_Y, s]
            if not is_first and (step_x != 0 or step_y != 0):
                last[_MOVING] = np.arctan2(step_y, step_x)  # it keeps its heading while it stands
            if is_first or _has_changed(last, now[:, s], thresholds):
                sent[vehicle[i]] += 1
                last[_DX], last[_DY] = x_m - last[_X], y_m - last[_Y]
                last[_X : _ROUTE_M + 1] = now[:, s]
                last[_HEADING] = last[_MOVING]
                last_road[:] = road[:, s]
            known[:, s] = last[: _DY + 1]
            known_road[:, s] = last_road


@compiled
def _has_changed(last: FloatArray, now: FloatArray, thresholds: tuple[float, float, float]) -> bool:
    distance_m, heading_rad, speed_mps = thresholds
    if distance_m > 0 and np.hypot(now[_X] - last[_X], now[_Y] - last[_Y]) > distance_m:
        return True
    if speed_mps > 0 and abs(now[_SPEED] - last[_SPEED]) > speed_mps:
        return True
    if heading_rad > 0 and not np.isnan(last[_MOVING]):
        if np.isnan(last[_HEADING]):
            return True  # it has begun to move
        turned = abs(last[_MOVING] - last[_HEADING])
        return bool(min(turned, 2 * np.pi - turned) > heading_rad)
    return False
