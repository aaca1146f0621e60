"""A batch of frames vehicle by vehicle: compiled loops follow one vehicle through the batch, then the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended
from msmf_traci.mobility.frame import Frames


@dataclass(frozen=True)
class Tracks:
    """Samples of a batch, sorted by vehicle and time; shapes: (t,) tracks, one a vehicle, and (n,) samples.

    Attributes
    ----------
    vehicle
        Number of each vehicle, ascending, shape (t,).
    start
        Samples of the i-th vehicle are `start[i]` to `start[i + 1]`, shape (t + 1,).
    before_s, before_x_m, before_y_m
        Time and place of each vehicle's last frame before the batch, NaN where there is none, shape (t,).
    track, frame
        Vehicle (its place in `vehicle`) and frame of the batch of each sample, shape (n,).
    order
        Place of each sample in the batch, shape (n,).
    time_s, x_m, y_m, speed_mps, edge, position_m, route, route_index, first, last
        As in `Frame`, shape (n,).
    known_mps, since_m, route_m
        As in `AsMatched`; where nothing is matched the speed, 0, and the position on the edge.
    """

    vehicle: IntArray
    start: IntArray
    before_s: FloatArray
    before_x_m: FloatArray
    before_y_m: FloatArray
    track: IntArray
    frame: IntArray
    order: IntArray
    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    speed_mps: FloatArray
    edge: IntArray
    position_m: FloatArray
    route: IntArray
    route_index: IntArray
    first: BoolArray
    last: BoolArray
    known_mps: FloatArray
    since_m: FloatArray
    route_m: FloatArray

    def __len__(self) -> int:
        return len(self.time_s)


class Follower:
    """Turns batches into tracks, remembering where each vehicle was at the end of the batch before."""

    def __init__(self) -> None:
        self._last_s = np.zeros(0)
        self._x_m = np.zeros(0)
        self._y_m = np.zeros(0)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        for name in ("_last_s", "_x_m", "_y_m"):
            setattr(self, name, extended(getattr(self, name), n, np.nan))

    def follow(self, frames: Frames) -> Tracks:
        """The tracks of a batch."""
        order = np.argsort(frames.vehicle, kind="stable")
        of_sample = frames.vehicle[order]
        begins = np.flatnonzero(np.diff(of_sample, prepend=-1))
        start = np.append(begins, len(order))
        vehicle = of_sample[begins]
        track = np.repeat(np.arange(len(vehicle)), np.diff(start))
        frame = np.repeat(np.arange(len(frames)), np.diff(frames.start))[order]
        speed_mps, position_m, matched = frames.speed_mps[order], frames.position_m[order], frames.as_matched
        tracks = Tracks(
            vehicle=vehicle,
            start=start,
            before_s=self._last_s[vehicle],
            before_x_m=self._x_m[vehicle],
            before_y_m=self._y_m[vehicle],
            track=track,
            frame=frame,
            order=order,
            time_s=frames.times_s[frame],
            x_m=frames.x_m[order],
            y_m=frames.y_m[order],
            speed_mps=speed_mps,
            edge=frames.edge[order],
            position_m=position_m,
            route=frames.route[order],
            route_index=frames.route_index[order],
            first=frames.first[order],
            last=frames.last[order],
            known_mps=speed_mps if matched is None else matched.known_mps[order],
            since_m=np.zeros(len(order)) if matched is None else matched.since_m[order],
            route_m=position_m if matched is None else matched.route_m[order],
        )
        ends = start[1:] - 1
        self._last_s[vehicle], self._x_m[vehicle], self._y_m[vehicle] = tracks.time_s[ends], tracks.x_m[ends], tracks.y_m[ends]
        return tracks
