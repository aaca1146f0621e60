"""Who is followed and where, the same for every way of reading SUMO: edges of junctions, teleports, routes that change. Model, section 4.

Lists side by side, entry k of each is one vehicle, in the order of numbers: a step reads whole columns, and only vehicles that are on
another road than a step before take a slower way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain, compress
from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.mobility.frame import NO_EDGE, Frames, Roster, rounded

AS_READ = math.nan  # stands for a position on the edge that is the one on the lane
NOT_ON_ROAD = ""
INTERNAL = ":"
_COLUMNS = (
    *("names", "number", "route", "edge", "route_index", "fixed_m", "xy_m", "speed_mps", "position_m"),
    *("_road", "_route_id"),
)


class Reading(NamedTuple):
    """What SUMO says of vehicles in one step, one entry a vehicle.

    Attributes
    ----------
    xy_m
        Position.
    speed_mps
        Speed.
    road
        Id of the edge; NOT_ON_ROAD while SUMO teleports the vehicle.
    position_m
        Position on the lane.
    route_id
        Id of the route; None where no route can change.
    """

    xy_m: list[tuple[float, float]]
    speed_mps: list[float]
    road: list[str]
    position_m: list[float]
    route_id: list[str] | None


class Following:
    """The vehicles on the road that are followed, and what was last read of them.

    Parameters
    ----------
    roster
        Where vehicles and routes are numbered.
    edges
        Number of each road edge by id.
    length_m
        Length of each road edge.
    """

    def __init__(self, roster: Roster, edges: Mapping[str, int], length_m: FloatArray) -> None:
        self._roster = roster
        self._edges = edges
        self._length_m = length_m
        self._uses: dict[str, int] = {}
        self._route_numbers: dict[bytes, int] = {}
        self._repeats: list[bool] = []  # by route: whether it comes to an edge twice
        self._some_repeat = False
        self.names: list[str] = []
        self.number: list[int] = []
        self.route: list[int] = []
        self.edge: list[int] = []
        self.route_index: list[int] = []
        self.fixed_m: list[float] = []
        self.xy_m: list[tuple[float, float]] = []
        self.speed_mps: list[float] = []
        self.position_m: list[float] = []
        self._road: list[str] = []
        self._route_id: list[str] = []

    def __len__(self) -> int:
        return len(self.names)

    def admit(self, name: str, route: Sequence[str], route_id: str) -> bool:
        """Follow a vehicle if its whole route runs on roads, count it otherwise; says whether it is followed."""
        edges = self._edge_numbers(route)
        if (edges == NO_EDGE).any():
            self._roster.counts.left_out += 1
            return False
        self.names.append(name)
        self.number.append(len(self._roster.vehicles))
        self.route.append(self._route_number(edges))
        self.edge.append(NO_EDGE)
        self.route_index.append(0)
        self.fixed_m.append(AS_READ)
        self.xy_m.append((0.0, 0.0))
        self.speed_mps.append(0.0)
        self.position_m.append(0.0)
        self._road.append(NOT_ON_ROAD)
        self._route_id.append(route_id)
        self._roster.vehicles.append(self._unique(name))
        self._roster.counts.inserted += 1
        return True

    def dismiss(self, names: Collection[str]) -> list[int]:
        """Follow these vehicles no longer; returns which entries they were."""
        gone = [k for k, name in enumerate(self.names) if name in names] if names else []
        if gone:
            stays = [name not in names for name in self.names]
            for column in _COLUMNS:
                setattr(self, column, list(compress(getattr(self, column), stays)))
            self._roster.counts.arrived += len(gone)
        return gone

    def observe(self, seen: Reading, route_index_of: Callable[[int], int], route_of: Callable[[str], Sequence[str]]) -> None:
        """Take in what SUMO says of all followed vehicles.

        Parameters
        ----------
        seen
            The reading, entry k of vehicle `names[k]`; its lists become ours.
        route_index_of
            Index on its route of the k-th vehicle.
        route_of
            Edges of the route of a vehicle by its id.
        """
        moved = []
        if seen.route_id is not None:
            moved = self._rerouted(seen.road, seen.route_id, route_of)
        # An edge tells the index on a route, unless the route comes to the edge twice
        moved += [k for k, (now, before) in enumerate(zip(seen.road, self._road, strict=True)) if now != before]
        if self._some_repeat:
            moved += [k for k, route in enumerate(self.route) if self._repeats[route]]
        for k in moved:
            if seen.road[k] != NOT_ON_ROAD:
                self._enter(k, seen.road[k], max(route_index_of(k), 0))
        if NOT_ON_ROAD in seen.road:
            self._hold(seen)
        self.xy_m, self.speed_mps, self._road, self.position_m = seen.xy_m, seen.speed_mps, seen.road, seen.position_m

    def _enter(self, k: int, road: str, index: int) -> None:
        """Find edge and index on the route of a vehicle on a road; inside a junction it is at the begin of the next edge."""
        route = self._roster.routes[self.route[k]]
        self.fixed_m[k] = AS_READ
        if not road.startswith(INTERNAL):
            self.edge[k] = self._edges.get(road, NO_EDGE)
        elif index + 1 < len(route):
            index += 1
            self.edge[k] = int(route[index])
            self.fixed_m[k] = 0.0
        else:
            self.edge[k] = int(route[-1])
            self.fixed_m[k] = float(self._length_m[self.edge[k]]) if self.edge[k] != NO_EDGE else 0.0
        self.route_index[k] = index

    def _rerouted(self, road: Sequence[str], route_id: list[str], route_of: Callable[[str], Sequence[str]]) -> list[int]:
        """Give vehicles on the road their new routes; says whose changed."""
        changed = []
        if route_id != self._route_id:
            for k, (now, before) in enumerate(zip(route_id, self._route_id, strict=True)):
                if now != before and road[k] != NOT_ON_ROAD:
                    self.route[k] = self._route_number(self._edge_numbers(route_of(self.names[k])))
                    self._route_id[k] = now
                    changed.append(k)
        return changed

    def _hold(self, seen: Reading) -> None:
        """Leave vehicles that are being teleported where they were last seen, at speed 0."""
        for k, road in enumerate(seen.road):
            if road == NOT_ON_ROAD:
                seen.xy_m[k], seen.speed_mps[k], seen.position_m[k] = self.xy_m[k], 0.0, self.position_m[k]

    def _unique(self, name: str) -> str:
        """Name of a vehicle in tables: SUMO lets an id be used again after its holder has left; the second is `ID#2`."""
        self._uses[name] = self._uses.get(name, 0) + 1
        return name if self._uses[name] == 1 else f"{name}#{self._uses[name]}"

    def _route_number(self, route: IntArray) -> int:
        """Number of a route; vehicles of one route share it."""
        key = route.tobytes()
        if key not in self._route_numbers:
            self._route_numbers[key] = len(self._roster.routes)
            self._roster.routes.append(route)
            self._repeats.append(len(np.unique(route)) < len(route))
            self._some_repeat |= self._repeats[-1]
        return self._route_numbers[key]

    def _edge_numbers(self, names: Iterable[str]) -> IntArray:
        return np.array([self._edges.get(name, NO_EDGE) for name in names], dtype=np.int64)


class FramesInMaking:
    """Frames that are collected until they are worth a batch."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._start = [0]
        self._first: list[int] = []
        self._last: list[int] = []
        self._number: list[int] = []
        self._xy_m: list[tuple[float, float]] = []
        self._speed_mps: list[float] = []
        self._edge: list[int] = []
        self._position_m: list[float] = []
        self._fixed_m: list[float] = []
        self._route: list[int] = []
        self._route_index: list[int] = []

    def __len__(self) -> int:
        return self._start[-1]

    @property
    def frames(self) -> int:
        """How many frames."""
        return len(self._times_s)

    def add(self, time_s: float, following: Following, new: int) -> None:
        """Add one frame, of which the last `new` vehicles are in it for the first time."""
        self._times_s.append(time_s)
        self._number += following.number
        self._xy_m += following.xy_m
        self._speed_mps += following.speed_mps
        self._edge += following.edge
        self._position_m += following.position_m
        self._fixed_m += following.fixed_m
        self._route += following.route
        self._route_index += following.route_index
        n = len(self._number)
        self._first += range(n - new, n)
        self._start.append(n)

    def end(self, vehicles: Iterable[int]) -> None:
        """Say whose last frame the newest one was, by their entries in it."""
        self._last += [self._start[-2] + k for k in vehicles] if self._times_s else []

    def batch(self) -> Frames:
        """The frames collected."""
        n = len(self)
        xy_m = rounded(np.fromiter(chain.from_iterable(self._xy_m), np.float64, 2 * n))
        fixed_m = np.array(self._fixed_m, dtype=np.float64)
        position_m = np.where(np.isnan(fixed_m), np.array(self._position_m, dtype=np.float64), fixed_m)
        first, last = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        first[self._first] = True
        last[self._last] = True
        return Frames(
            times_s=np.array(self._times_s, dtype=np.float64),
            start=np.array(self._start, dtype=np.int64),
            vehicle=np.array(self._number, dtype=np.int64),
            x_m=xy_m[0::2].copy(),
            y_m=xy_m[1::2].copy(),
            speed_mps=rounded(np.array(self._speed_mps, dtype=np.float64)),
            edge=np.array(self._edge, dtype=np.int64),
            position_m=rounded(position_m),
            route=np.array(self._route, dtype=np.int64),
            route_index=np.array(self._route_index, dtype=np.int64),
            first=first,
            last=last,
        )
