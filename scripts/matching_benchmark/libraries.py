"""Other map matchers on the same roads, by their documented parameters; each is imported only when it is asked for.

fastmm: https://github.com/kodonnell/fastmm, which follows C. Yang, G. Gidofalvi: Fast map matching, IJGIS 32(3), 2018.
LeuvenMapMatching: https://github.com/wannesm/LeuvenMapMatching, W. Meert, M. Verbeke: HMM with non-emitting states for map matching, 2018.

Both know roads as a graph of nodes. To let them know which turns are allowed every edge has nodes of its own, and every allowed turn is a
connection between two of them; a place on a connection counts as the begin of the next edge, as in a recording.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from msmf_traci.roads.roads import Roads

from .matchers import Compared, sigma_across
from .measuring import Measured, Receiver
from .scores import Answer, Pieces

MODULES = {"fastmm": "fastmm", "leuven": "leuvenmapmatching"}
CANDIDATES = 16
RADIUS_IN_SIGMA, LEAST_RADIUS_M = 4.0, 50.0
CITY_MPS = 50 / 3.6
LEAST_SHIFT_M = 0.05  # connections between points nearer than this are drawn so long: no library takes lines of no length


def installed() -> list[str]:
    """Names of the libraries that are there."""
    return [name for name, module in MODULES.items() if find_spec(module) is not None]


def radius_m(sigma_m: float) -> float:
    """How far away roads are looked for."""
    return max(RADIUS_IN_SIGMA * sigma_m, LEAST_RADIUS_M)


@contextmanager
def _silence() -> Iterator[None]:
    """What a library prints by itself does not get into the table."""
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class FastmmRoads:
    """The roads as fastmm takes them, and its table of shortest ways.

    Parameters
    ----------
    roads
        The map.
    reach_m
        So far ways are looked for.
    knows_turns
        Whether edges have nodes of their own, and allowed turns are connections; otherwise nodes are junctions, and every turn is allowed.
    cache
        Folder where the library keeps its table.
    """

    def __init__(self, roads: Roads, reach_m: float, *, knows_turns: bool, cache: Path) -> None:
        import fastmm

        self.about = "turns as connections" if knows_turns else "junctions as nodes"
        self.module, self._edges = fastmm, len(roads)
        self._length_m = roads.length_m.tolist()
        self._source = np.repeat(np.arange(len(roads)), np.diff(roads.follower_start)).tolist() if knows_turns else []
        self._follower = roads.follower.tolist() if knows_turns else []
        lines = [list(zip(*_points(roads, edge), strict=True)) for edge in range(len(roads))]
        lines += [_across(roads, source, follower) for source, follower in zip(self._source, self._follower, strict=True)]
        self.drawn_m = [sum(math.dist(a, b) for a, b in pairwise(line)) for line in lines]
        if knows_turns:
            begins = [2 * edge for edge in range(len(roads))] + [2 * edge + 1 for edge in self._source]
            ends = [2 * edge + 1 for edge in range(len(roads))] + [2 * edge for edge in self._follower]
        else:
            begins, ends = roads.from_node.tolist(), roads.to_node.tolist()
        with _silence():
            self._network = fastmm.Network()  # the matcher does not keep it alive
        for number, (line, begin, end) in enumerate(zip(lines, begins, ends, strict=True)):
            self._network.add_edge(number, source=begin, target=end, geom=line)
        with _silence():
            self._network.finalize()
            shortest = fastmm.TransitionMode.SHORTEST
            self.matcher = fastmm.FastMapMatch(self._network, shortest, max_distance_between_candidates=reach_m, cache_dir=cache)

    def is_edge(self, number: int) -> bool:
        """Whether the library's edge is one of ours, and not a connection."""
        return number < self._edges

    def place(self, number: int, offset_m: float) -> tuple[int, float]:
        """Our edge and position for an edge of the library's and a distance on its line."""
        if not self.is_edge(number):
            return self._follower[number - self._edges], 0.0
        return number, offset_m * self._length_m[number] / self.drawn_m[number]


class Fastmm:
    """The matcher of fastmm.

    Parameters
    ----------
    roads
        The map.
    receiver
        How positions are measured.
    gps_error_m, reverse_tolerance_m
        The library's parameters.
    """

    def __init__(self, roads: FastmmRoads, receiver: Receiver, gps_error_m: float, reverse_tolerance_m: float) -> None:
        self.name = "fastmm"
        self.about = f"gps_error {gps_error_m:.1f} m, reverse_tolerance {reverse_tolerance_m:g} m, {roads.about}"
        self._roads = roads
        self._options = {
            "max_candidates": CANDIDATES,
            "candidate_search_radius": radius_m(receiver.sigma_m),
            "gps_error": gps_error_m,
            "reverse_tolerance": reverse_tolerance_m,
        }

    def match(self, measured: Measured) -> Any:
        """Match one journey."""
        points = list(zip(measured.x_m.tolist(), measured.y_m.tolist(), strict=True))
        return self._roads.matcher.match(self._roads.module.Trajectory.from_xy_tuples(points), **self._options)

    def answer(self, measured: Measured, found: Any) -> Answer:
        """The candidates that its segments end at, and all edges of its segments."""
        roads, n = self._roads, len(measured.x_m)
        edge, position_m = np.full(n, -1, dtype=np.int64), np.zeros(n)
        pieces: list[tuple[int, float, float]] = []
        for part in found.subtrajectories:
            if part.error_code != roads.module.MatchErrorCode.SUCCESS:
                continue
            for segment in part.segments:
                numbers = [each.edge_id for each in segment.edges]
                begin_m, end_m = (place.offset_from_start_of_edge for place in (segment.p0, segment.p1))
                for place, number, offset_m in ((segment.p0, numbers[0], begin_m), (segment.p1, numbers[-1], end_m)):
                    edge[place.trajectory_index], position_m[place.trajectory_index] = roads.place(number, offset_m)
                from_m, to_m = [begin_m, *([0.0] * (len(numbers) - 1))], [*(roads.drawn_m[number] for number in numbers[:-1]), end_m]
                for number, one_m, other_m in zip(numbers, from_m, to_m, strict=True):
                    if roads.is_edge(number):
                        pieces.append((number, *sorted(roads.place(number, offset_m)[1] for offset_m in (one_m, other_m))))
        return _answer(edge, position_m, pieces)


class Leuven:
    """The DistanceMatcher of LeuvenMapMatching, on straight pieces: every point of a centre line is a node.

    Parameters
    ----------
    roads
        The map.
    receiver
        How positions are measured.
    obs_noise_m, dist_noise_m
        The library's parameters.
    """

    def __init__(self, roads: Roads, receiver: Receiver, obs_noise_m: float, dist_noise_m: float) -> None:
        from leuvenmapmatching.map.inmem import InMemMap
        from leuvenmapmatching.matcher.distance import DistanceMatcher

        self.name = "LeuvenMapMatching"
        self.about = f"obs_noise {obs_noise_m:.1f} m, dist_noise {dist_noise_m:.1f} m"
        self._roads, self._make = roads, DistanceMatcher
        self._map = InMemMap("roads", use_latlon=False, use_rtree=True, index_edges=True, graph=_graph(roads))
        self._edge_of_point = np.repeat(np.arange(len(roads)), np.diff(roads.line_start))
        self._options = {
            "obs_noise": obs_noise_m,
            "dist_noise": dist_noise_m,
            "max_dist": radius_m(receiver.sigma_m),
            "max_lattice_width": CANDIDATES,
            "non_emitting_states": True,
        }

    def match(self, measured: Measured) -> list[tuple[int, list[Any]]]:
        """Match one journey; where the library gives up it is started again at the next position."""
        path = list(zip(measured.y_m.tolist(), measured.x_m.tolist(), strict=True))
        found, begin = [], 0
        while begin < len(path):
            matcher = self._make(self._map, **self._options)
            _, last = matcher.match(path[begin:])
            if matcher.lattice_best:
                found.append((begin, matcher.lattice_best))
            begin += last + 1
        return found

    def answer(self, measured: Measured, found: Any) -> Answer:
        """Places of the states that belong to positions, and the straight pieces of all states."""
        n = len(measured.x_m)
        edge, position_m = np.full(n, -1, dtype=np.int64), np.zeros(n)
        pieces: list[tuple[int, float, float]] = []
        for begin, states in found:
            before: tuple[int, float] | None = None
            for state in states:
                at, along_m, is_across = self._place(state.edge_m)
                if state.obs_ne == 0:
                    edge[begin + state.obs], position_m[begin + state.obs] = at, along_m
                if not is_across and before is not None and before[0] == at:
                    pieces.append((at, min(before[1], along_m), max(before[1], along_m)))
                elif before is not None and before[0] != at:
                    pieces += [(before[0], before[1], float(self._roads.length_m[before[0]])), (at, 0.0, along_m)]
                before = at, along_m
        return _answer(edge, position_m, pieces)

    def _place(self, segment: Any) -> tuple[int, float, bool]:
        """Edge and position of a place on a straight piece, and whether it lies between edges."""
        begin, end = int(segment.l1), int(segment.l2)
        edge = int(self._edge_of_point[begin])
        if edge != self._edge_of_point[end] or end != begin + 1:
            return int(self._edge_of_point[end]), 0.0, True
        x_m, y_m = self._roads.line(edge)
        steps_m = np.hypot(np.diff(x_m), np.diff(y_m))
        piece = begin - int(self._roads.line_start[edge])
        drawn_m = steps_m[:piece].sum() + segment.ti * steps_m[piece]
        return edge, float(drawn_m * self._roads.length_m[edge] / steps_m.sum()), False


def choices(name: str, roads: Roads, receiver: Receiver, cache: Path) -> Iterator[Compared]:
    """A library with reasonable parameters, one choice after another."""
    sigma_m, wide_m = receiver.sigma_m, sigma_across(receiver.sigma_m)
    if name == "fastmm":
        # README: two or three times what is expected between two positions
        reach_m = max(300.0, 3 * CITY_MPS * receiver.interval_s + RADIUS_IN_SIGMA * sigma_m)
        for knows_turns in (True, False):
            known = FastmmRoads(roads, reach_m, knows_turns=knows_turns, cache=cache)
            yield Fastmm(known, receiver, sigma_m, 0.0)
            for times in (1, 2, 4, 8):
                yield Fastmm(known, receiver, times * wide_m, 6 * sigma_m)
    else:
        for obs_m, dist_m in ((sigma_m, sigma_m), (wide_m, 2 * wide_m), (wide_m, 4 * wide_m)):
            yield Leuven(roads, receiver, obs_m, dist_m)


def _answer(edge: Any, position_m: Any, pieces: list[tuple[int, float, float]]) -> Answer:
    columns = np.array(pieces, dtype=np.float64).reshape(-1, 3)
    way = Pieces(columns[:, 0].astype(np.int64), columns[:, 1], columns[:, 2])
    return Answer(edge, position_m, way, way)


def _points(roads: Roads, edge: int) -> tuple[list[float], list[float]]:
    x_m, y_m = roads.line(edge)
    return x_m.tolist(), y_m.tolist()


def _across(roads: Roads, source: int, follower: int) -> list[tuple[float, float]]:
    """Straight across a junction."""
    (x_m, y_m), (next_x_m, next_y_m) = roads.line(source), roads.line(follower)
    begin, end = (float(x_m[-1]), float(y_m[-1])), (float(next_x_m[0]), float(next_y_m[0]))
    is_short = np.hypot(end[0] - begin[0], end[1] - begin[1]) < LEAST_SHIFT_M
    return [begin, (begin[0] + LEAST_SHIFT_M, begin[1]) if is_short else end]


def _graph(roads: Roads) -> dict[int, tuple[tuple[float, float], list[int]]]:
    """Nodes with place (y, x) and neighbours."""
    graph: dict[int, tuple[tuple[float, float], list[int]]] = {}
    for edge in range(len(roads)):
        begin, end = int(roads.line_start[edge]), int(roads.line_start[edge + 1])
        followers = roads.follower[roads.follower_start[edge] : roads.follower_start[edge + 1]]
        for point in range(begin, end):
            after = [point + 1] if point + 1 < end else roads.line_start[followers].tolist()
            graph[point] = (float(roads.line_y_m[point]), float(roads.line_x_m[point])), after
    return graph
