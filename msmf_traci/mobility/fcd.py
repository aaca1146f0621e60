"""Frames from a file that SUMO wrote with --fcd-output, equal to those of the live run where the file has six decimals and routes.

A row of time t shows what a live run shows at t + one step. A vehicle that is missing from some steps was being teleported and is held,
as live; where the routes say that its id departs again, it is another vehicle. Model, sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NoReturn

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.mobility.fcd_file import Codes, FcdRows, read_fcd
from msmf_traci.mobility.following import INTERNAL
from msmf_traci.mobility.frame import NO_EDGE, Frames, Roster, rounded
from msmf_traci.mobility.route_file import Departure
from msmf_traci.mobility.trace_roads import Place, Visit, along_route, as_seen

SAMPLES_AT_ONCE = 250_000
BACK_M = 1.0  # a vehicle that is so much farther back on its edge has come to the edge again
OUTSIDE_M = 200.0
GEO_SHARE = 0.01  # of the way that the speeds make: coordinates in degrees give less, coordinates in metres much more


@dataclass(frozen=True)
class TraceMap:
    """What of a network is needed to place a trace on it.

    Attributes
    ----------
    edges
        Number of each road edge by id.
    length_m
        Length of each road edge.
    after_junction
        Id of the edge that follows each internal edge.
    boundary_m
        x and y of the lower left, then of the upper right corner.
    name
        What to call it.
    """

    edges: Mapping[str, int]
    length_m: FloatArray
    after_junction: Mapping[str, str]
    boundary_m: tuple[float, float, float, float]
    name: str


@dataclass
class _Samples:
    """Rows on their way to frames, shape (n,), by life and frame; a life is a vehicle from its first row to its last."""

    frame: Codes
    life: Codes
    x_m: FloatArray
    y_m: FloatArray
    speed_mps: FloatArray
    edge: Codes
    position_m: FloatArray
    route_index: Codes

    def reorder(self, order: IntArray) -> None:
        """Take these samples in this order; column by column, so that no second copy of all is needed."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name)[order])


class FcdSource:
    """Frames from an FCD file, which is read and judged at once.

    Parameters
    ----------
    path
        The file.
    trace_map
        The network.
    departures
        Vehicles with routes, by id; None where there are none.
    step_s
        Simulation step of the run that wrote the file; None: the time from one row to the next.
    max_duration_s
        What comes later is left out.

    Raises
    ------
    InputError
        One sentence on a file that is damaged, in degrees, or of another network.
    """

    def __init__(
        self,
        path: Path,
        trace_map: TraceMap,
        departures: Mapping[str, Sequence[Departure]] | None,
        step_s: float | None,
        max_duration_s: float,
    ) -> None:
        self.roster = Roster()
        self._path = path
        self._map = trace_map
        self._departures = departures
        rows = read_fcd(path)
        self._times_s = self._live_times(rows.times_s, step_s, max_duration_s)
        self.decimals, self.is_single_precision = _precision(rows)
        for column in (rows.x_m, rows.y_m, rows.speed_mps, rows.position_m):
            column[:] = rounded(column)
        self.off_route = 0
        self._place(rows)

    def frames(self) -> Generator[Frames, None, None]:
        """The frames, in large batches."""
        samples, start = self._samples, self._start
        begin = 0
        while begin < len(self._times_s):
            end = int(np.searchsorted(start, start[begin] + SAMPLES_AT_ONCE, side="right")) - 1
            end = max(end, begin + 1)
            part = slice(int(start[begin]), int(start[end]))
            yield Frames(
                times_s=self._times_s[begin:end],
                start=start[begin : end + 1] - start[begin],
                vehicle=self._vehicle_of_life[samples.life[part]],
                x_m=samples.x_m[part],
                y_m=samples.y_m[part],
                speed_mps=samples.speed_mps[part],
                edge=samples.edge[part].astype(np.int64),
                position_m=samples.position_m[part],
                route=self._route_of_life[samples.life[part]],
                route_index=samples.route_index[part].astype(np.int64),
                first=self._first[part],
                last=self._last[part],
            )
            begin = end

    def _refuse(self, reason: str) -> NoReturn:
        raise InputError(f"mobility.fcd_file={self._path} {reason}")

    def _live_times(self, times_s: FloatArray, step_s: float | None, max_duration_s: float) -> FloatArray:
        """Time of each frame as a live run has it."""
        least_s = float(np.diff(times_s).min()) if len(times_s) > 1 else step_s
        if least_s is None:
            self._refuse("holds one step only; set mobility.step_s to its length")
        if step_s is not None and abs(least_s - step_s) > 1e-6:
            self._refuse(f"has steps of {least_s:g} s; set mobility.step_s={least_s:g}")
        self._step_s = least_s if step_s is None else step_s
        live_s = rounded(times_s + self._step_s)
        return live_s[: 1 + int(np.searchsorted(live_s, times_s[0] + max_duration_s))]

    def _place(self, rows: FcdRows) -> None:
        """Find out who drives where: all that the frames need."""
        rows.reorder(np.lexsort((rows.frame, rows.vehicle)))
        rows.reorder(np.flatnonzero(rows.frame < len(self._times_s)))
        frame, vehicle, road = rows.frame, rows.vehicle, rows.road
        x_m, y_m, speed_mps, position_m = rows.x_m, rows.y_m, rows.speed_mps, rows.position_m
        is_new = np.diff(vehicle, prepend=-1) != 0
        missing = np.where(is_new, 0, np.diff(frame, prepend=0) - 1)
        if (missing < 0).any():
            at = int(np.argmax(missing < 0))
            self._refuse(f"has vehicle {rows.vehicles[vehicle[at]]} twice at {rows.times_s[frame[at]]:g} s; give the file of one run")
        self._check_places(x_m, y_m, speed_mps, ~is_new & (missing == 0), frame)
        is_new |= self._departs_again(rows, vehicle, frame, missing)
        missing[is_new] = 0
        self._check_steps(rows, vehicle, frame, is_new, missing)
        life = _number_of(is_new)
        same_road = np.diff(road, prepend=-1) == 0
        back = same_road & (np.diff(position_m, prepend=0.0) < -BACK_M)
        begins = is_new | ~same_road | back | (missing > 0)
        places = self._find_places(rows, vehicle[is_new], frame[is_new], life[begins], road[begins], back[begins])
        visit = _number_of(begins)
        edges, indices, fixed_m = (np.array(column) for column in zip(*places, strict=True))
        is_fixed = ~np.isnan(fixed_m)[visit]
        position_m[is_fixed] = rounded(fixed_m)[visit[is_fixed]]
        edge, route_index = edges.astype(np.int32)[visit], indices.astype(np.int32)[visit]
        samples = _Samples(frame, life, x_m, y_m, speed_mps, edge, position_m, route_index)
        self.roster.counts.teleports = int((missing > 0).sum())
        self._finish(samples, missing)

    def _check_places(self, x_m: FloatArray, y_m: FloatArray, speed_mps: FloatArray, follows: BoolArray, frame: Codes) -> None:
        """Refuse coordinates that are not this network's."""
        passed_s = np.diff(self._times_s[frame], prepend=0.0)[follows]
        way_m = np.hypot(np.diff(x_m, prepend=0.0)[follows], np.diff(y_m, prepend=0.0)[follows]).sum()
        if way_m < GEO_SHARE * (speed_mps[follows] * passed_s).sum():
            self._refuse("holds longitudes and latitudes; write it without --fcd-output.geo")
        left, bottom, right, top = self._map.boundary_m
        near = (x_m > left - OUTSIDE_M) & (x_m < right + OUTSIDE_M) & (y_m > bottom - OUTSIDE_M) & (y_m < top + OUTSIDE_M)
        if near.mean() < 0.5:
            self._refuse(
                f"has most of its places outside the network {self._map.name}; give the file of that network, without --fcd-output.utm"
            )

    def _check_steps(self, rows: FcdRows, vehicle: Codes, frame: Codes, is_new: BoolArray, missing: IntArray) -> None:
        """Refuse vehicles that are written now and then only, and steps that are not in the file while somebody drives."""
        passed = np.diff(self._times_s[frame], prepend=0.0) / self._step_s  # since the vehicle's row before, in steps
        passed[is_new] = np.inf
        begins = np.flatnonzero(is_new)
        least = np.minimum.reduceat(passed, begins)
        # a teleported vehicle is missing once, and is there in steps that follow each other before or after that
        is_rare = (np.diff(begins, append=len(frame)) > 2) & (least > 1.5)
        if is_rare.any():
            at = int(np.argmax(is_rare))
            self._refuse(
                f"has vehicle {rows.vehicles[vehicle[begins[at]]]} every {least[at] * self._step_s:g} s only and others every "
                f"{self._step_s:g} s; write every vehicle in every step"
            )
        lacks = ~is_new & (passed > missing + 1.5)
        if lacks.any():
            at = int(np.argmax(lacks))
            self._refuse(
                f"lacks steps between {rows.times_s[frame[at - 1]]:g} s and {rows.times_s[frame[at]]:g} s, when vehicle "
                f"{rows.vehicles[vehicle[at]]} was on the road; write it again with all steps, also those in which nobody drives"
            )

    def _departs_again(self, rows: FcdRows, vehicle: Codes, frame: Codes, missing: IntArray) -> BoolArray:
        """Where, after a gap, the routes have the same id depart once more."""
        again = np.zeros(len(vehicle), dtype=bool)
        several = {name: [each.depart_s for each in known[1:]] for name, known in (self._departures or {}).items() if len(known) > 1}
        if several:
            for row in np.flatnonzero(missing > 0):
                later = several.get(rows.vehicles[vehicle[row]])
                if later and rows.times_s[frame[row]] >= later[0]:
                    again[row] = True
                    later.pop(0)
        return again

    def _find_places(
        self, rows: FcdRows, vehicle: Codes, first_frame: IntArray, visit_life: Codes, visit_road: Codes, visit_back: BoolArray
    ) -> list[Place]:
        """Place of each visit; numbers vehicles and routes, and says who is followed."""
        edges, after = self._map.edges, self._map.after_junction
        is_inside = [name.startswith(INTERNAL) for name in rows.roads]
        edge_of = [edges.get(after.get(name, "") if inside else name, NO_EDGE) for name, inside in zip(rows.roads, is_inside, strict=True)]
        if all(edge == NO_EDGE for edge in edge_of):
            self._refuse(
                f"is of another network than {self._map.name}: none of its edges is a road there; choose the network that SUMO drove on"
            )
        places: list[Place] = []
        self._route_of_life = np.zeros(len(vehicle), dtype=np.int64)
        is_followed = np.zeros(len(vehicle), dtype=bool)
        numbers: dict[bytes, int] = {}
        uses: dict[int, int] = {}
        ends = np.append(np.flatnonzero(np.diff(visit_life)) + 1, len(visit_life))
        begin = 0
        for life, end in enumerate(ends.tolist()):
            roads, back = visit_road[begin:end].tolist(), visit_back[begin:end].tolist()
            visits = [Visit(edge_of[road], is_inside[road], again) for road, again in zip(roads, back, strict=True)]
            begin = end
            code = int(vehicle[life])
            use = uses[code] = uses.get(code, -1) + 1
            known = (self._departures or {}).get(rows.vehicles[code], ())
            route = known[use].route if use < len(known) else None
            found = None if route is None else along_route(visits, route)
            if found is None:
                self.off_route += self._departures is not None
                found, seen = as_seen(visits, self._map.length_m)
                route = seen if route is None or (route != NO_EDGE).all() else route
            places += found
            is_followed[life] = route is not None and bool((route != NO_EDGE).all())
            key = np.asarray(route).tobytes()
            if is_followed[life] and key not in numbers:
                numbers[key] = len(self.roster.routes)
                self.roster.routes.append(np.asarray(route))
            self._route_of_life[life] = numbers.get(key, 0)
        self._number_vehicles(rows, vehicle, first_frame, is_followed)
        return places

    def _number_vehicles(self, rows: FcdRows, vehicle: Codes, first_frame: IntArray, is_followed: BoolArray) -> None:
        """Number vehicles as a live run does: as they appear, and by their ids within a frame."""
        names = [rows.vehicles[code] for code in vehicle.tolist()]
        followed = sorted(np.flatnonzero(is_followed).tolist(), key=lambda life: (first_frame[life], names[life]))
        self._vehicle_of_life = np.full(len(names), -1, dtype=np.int64)
        self._vehicle_of_life[followed] = np.arange(len(followed))
        uses: dict[str, int] = {}
        for life in followed:
            use = uses[names[life]] = uses.get(names[life], 0) + 1
            self.roster.vehicles.append(names[life] if use == 1 else f"{names[life]}#{use}")
        self.roster.counts.inserted = len(followed)
        self.roster.counts.left_out = len(names) - len(followed)

    def _finish(self, samples: _Samples, missing: IntArray) -> None:
        """Hold vehicles over their gaps, leave out who is not followed, and order the samples by frame."""
        before = np.flatnonzero(missing > 0) - 1
        gaps = missing[before + 1]
        held = np.repeat(before, gaps)
        if len(held):
            n = len(samples.frame)
            samples.reorder(np.concatenate([np.arange(n), held]))
            samples.frame[n:] += (1 + np.arange(len(held)) - np.repeat(np.cumsum(gaps) - gaps, gaps)).astype(np.int32)
            samples.speed_mps[n:] = 0.0
        samples.reorder(np.flatnonzero(self._vehicle_of_life[samples.life] >= 0))
        samples.reorder(np.lexsort((self._vehicle_of_life[samples.life], samples.frame)))
        self._samples = samples
        frame, life = self._samples.frame, self._samples.life
        first_frame, last_frame = np.full(len(self._vehicle_of_life), len(self._times_s)), np.full(len(self._vehicle_of_life), -1)
        np.minimum.at(first_frame, life, frame)
        np.maximum.at(last_frame, life, frame)
        self._first, self._last = frame == first_frame[life], frame == last_frame[life]
        self._start = np.searchsorted(frame, np.arange(len(self._times_s) + 1))
        counts = self.roster.counts
        counts.arrived = int((self._last & (frame < len(self._times_s) - 1)).sum())
        counts.end_s = float(self._times_s[-1])
        self.roster.begin_s = float(rounded(self._times_s[0] - self._step_s))


def _number_of(begins: BoolArray) -> Codes:
    """Which run of rows each row is in, by where runs begin."""
    return (np.cumsum(begins) - 1).astype(np.int32)


def _precision(rows: FcdRows) -> tuple[int, bool]:
    """Decimals that the values have, at most six, and whether they are 32-bit floats."""
    columns = (rows.x_m, rows.y_m, rows.speed_mps, rows.position_m)
    common = int(np.gcd.reduce([np.gcd.reduce(np.rint(column * 1e6).astype(np.int64)) for column in columns]))
    decimals = next((decimals for decimals in range(6) if common % 10 ** (6 - decimals) == 0), 6)
    is_single = decimals == 6 and bool((rows.speed_mps.astype(np.float32) == rows.speed_mps).all())
    return decimals, is_single
