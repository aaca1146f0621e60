"""The road network and the map of roads and servers (section 3)."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, TypeVar, cast
from xml.etree import ElementTree

from .lattice import Cell, Lattice, Point, Server, square_distance

Stretch = tuple[Cell, float, float]  # cell, distance to entry, distance to exit
HomeStretch = tuple[Server, float, float]  # the same, merged by home

SLIVER_M = 1e-9  # shorter pieces of a centre line are rounding errors
TURN_DECIMALS = 9  # turns (degrees) that agree to this many decimals are ties


@dataclass
class Edge:
    """A road edge open to passenger cars (section 3)."""

    id: str
    name: str
    road_class: str
    length: float
    shape: list[Point]
    lanes_open: list[bool]
    next_edges: list[str] = field(default_factory=list)


def open_to_cars(attributes: dict[str, str]) -> bool:
    """Whether allow/disallow, as SUMO defines them, let passenger cars in."""
    allow, disallow = attributes.get("allow", "").split(), attributes.get("disallow", "").split()
    if allow:
        return "passenger" in allow or "all" in allow
    return "passenger" not in disallow and "all" not in disallow


def open_file(path: str | Path) -> IO[bytes]:
    """Open a plain or gzipped file."""
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb") if zipped else open(path, "rb"))


def top_elements(path: str | Path) -> Iterator[ElementTree.Element]:
    """The children of a document's root, one by one, each freed after use."""
    with open_file(path) as file:
        depth, root = 0, None
        for event, element in ElementTree.iterparse(file, events=("start", "end")):
            if event == "start":
                depth += 1
                root = element if root is None else root
            else:
                depth -= 1
                if depth == 1 and root is not None:
                    yield element
                    root.clear()


def read_edge(element: ElementTree.Element) -> Edge | None:
    """One <edge>; None if it is internal or closed to passenger cars (section 3)."""
    if element.get("function") in ("internal", "connector", "crossing", "walkingarea"):
        return None
    lanes = sorted(element.findall("lane"), key=lambda lane: int(lane.get("index", "0")))
    lanes_open = [open_to_cars(lane.attrib) for lane in lanes]
    if not any(lanes_open):
        return None
    middle = lanes[len(lanes) // 2]
    shape = [(float(x), float(y)) for x, y, *_ in (point.split(",") for point in middle.attrib["shape"].split())]
    distinct = shape[:1] + [b for a, b in pairwise(shape) if a != b]
    return Edge(
        element.attrib["id"], element.get("name", ""), element.get("type", ""), float(lanes[0].attrib["length"]), distinct, lanes_open
    )


def read_network(path: str | Path) -> dict[str, Edge]:
    """All road edges with the edges reachable from each by a connection open to passenger cars, turnarounds left out (section 3)."""
    edges: dict[str, Edge] = {}
    connections: list[tuple[str, int, str, int]] = []
    for element in top_elements(path):
        if element.tag == "edge":
            edge = read_edge(element)
            if edge is not None:
                edges[edge.id] = edge
        elif element.tag == "connection" and element.get("dir") not in ("t", "T") and open_to_cars(element.attrib):
            get = element.attrib
            connections.append((get["from"], int(get["fromLane"]), get["to"], int(get["toLane"])))
    for origin, from_lane, destination, to_lane in connections:
        if origin in edges and destination in edges:
            a, b = edges[origin], edges[destination]
            if a.lanes_open[from_lane] and b.lanes_open[to_lane] and destination not in a.next_edges:
                a.next_edges.append(destination)
    return edges


def read_routes(path: str | Path) -> dict[str, list[str]]:
    """The edges of each vehicle's route, embedded or referred to by id."""
    routes: dict[str, list[str]] = {}
    named: dict[str, list[str]] = {}
    for element in top_elements(path):
        if element.tag == "route":
            named[element.get("id", "")] = element.get("edges", "").split()
        elif element.tag == "vehicle":
            inner = element.find("route")
            if inner is not None:
                routes[element.attrib["id"]] = inner.get("edges", "").split()
            elif element.get("route") in named:
                routes[element.attrib["id"]] = named[element.attrib["route"]]
    return routes


def turn_deg(a: Edge, b: Edge) -> float:
    """The turn from one edge to another (section 3): angle between the last segment of a and the first one of b."""
    if len(a.shape) < 2 or len(b.shape) < 2:
        return 0.0
    (ax, ay), (bx, by) = a.shape[-2:]
    (cx, cy), (dx, dy) = b.shape[:2]
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    return abs(math.degrees(math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)))


class RoadMap:
    """Roads and servers, MRmap (section 3): stretches, successors and chains, each computed when first asked for."""

    def __init__(self, edges: dict[str, Edge], lattice: Lattice, horizon_m: float) -> None:
        self.edges, self.lattice, self.horizon_m = edges, lattice, horizon_m
        self._stretches: dict[str, list[Stretch]] = {}
        self._chains: dict[str, list[Stretch]] = {}

    def stretches(self, edge_id: str) -> list[Stretch]:
        """An edge's centre line cut at the cell borders (section 3)."""
        if edge_id not in self._stretches:
            edge = self.edges[edge_id]
            self._stretches[edge_id] = self.cut(edge.shape, edge.length)
        return self._stretches[edge_id]

    def cut(self, shape: Sequence[Point], length: float) -> list[Stretch]:
        """Cut a line, scaled to a length, where it leaves one (Voronoi) cell of the deployed centres for a neighbouring one."""
        total = sum(math.dist(a, b) for a, b in pairwise(shape))
        scale = length / total if total > 0 else 0.0
        pieces: list[Stretch] = []
        cell, begin, walked = self.lattice.cell_of(shape[0]), 0.0, 0.0
        for a, b in pairwise(shape):
            segment, share = math.dist(a, b), 0.0
            while (crossing := self.first_crossing(cell, a, b, share)) is not None:
                share, other = crossing
                at = (walked + share * segment) * scale
                if at - begin > SLIVER_M:
                    pieces.append((cell, begin, at))
                    begin = at
                cell = other
            walked += segment
        if length - begin > SLIVER_M or not pieces:
            pieces.append((cell, begin, length))
        else:
            pieces[-1] = (pieces[-1][0], pieces[-1][1], length)
        return merged(pieces)

    def first_crossing(self, cell: Cell, a: Point, b: Point, share: float) -> tuple[float, Cell] | None:
        """Where (as a share of a-b, not before `share`) the segment first gets nearer to another centre than to the cell's, and whose."""
        best: tuple[float, Cell] | None = None
        own = self.lattice.centre(cell)
        for other in self.lattice.neighbours(cell):
            centre = self.lattice.centre(other)
            at_a = square_distance(a, own) - square_distance(a, centre)  # linear along the segment; positive: nearer to the other
            at_b = square_distance(b, own) - square_distance(b, centre)
            if at_b > 0 and at_b > at_a:
                crossing = max(share, -at_a / (at_b - at_a))
                if best is None or crossing < best[0]:
                    best = crossing, other
        return best

    def successor(self, edge_id: str) -> str | None:
        """The straight-on successor of an edge (section 3)."""
        edge = self.edges[edge_id]
        others = [(round(turn_deg(edge, other), TURN_DECIMALS), other) for other in (self.edges[name] for name in edge.next_edges)]
        street = [(turn, other) for turn, other in others if edge.name and other.name == edge.name and turn < 60]
        ranked = [(turn, other.road_class != edge.road_class, other.id) for turn, other in street or others]
        return min(ranked)[2] if ranked else None

    def straight_on(self, edge_id: str) -> Iterator[str]:
        """The edge, its successor, and so on, until a dead end or an edge already passed (section 3)."""
        passed: set[str] = set()
        following: str | None = edge_id
        while following is not None and following not in passed:
            passed.add(following)
            yield following
            following = self.successor(following)

    def line_up(self, edge_ids: Iterable[str]) -> list[Stretch]:
        """The stretches of successive whole edges, until the horizon beyond the first one's end is covered (sections 3, 6)."""
        chain: list[Stretch] = []
        offset, enough = 0.0, math.inf
        for edge_id in edge_ids:
            if offset >= enough or edge_id not in self.edges:
                break
            chain += [(cell, offset + begin, offset + end) for cell, begin, end in self.stretches(edge_id)]
            offset += self.edges[edge_id].length
            enough = min(enough, offset + self.horizon_m)
        return merged(chain)

    def chain(self, edge_id: str) -> list[Stretch]:
        """The look-ahead chain of an edge (section 3)."""
        if edge_id not in self._chains:
            self._chains[edge_id] = self.line_up(self.straight_on(edge_id))
        return self._chains[edge_id]

    def by_home(self, chain: list[Stretch], tier: str) -> list[HomeStretch]:
        """A chain merged by home (section 6)."""
        return merged([(self.lattice.server(tier, cell), begin, end) for cell, begin, end in chain])


Where = TypeVar("Where", Cell, Server)


def merged(pieces: list[tuple[Where, float, float]]) -> list[tuple[Where, float, float]]:
    """Merge adjacent stretches of the same cell or home (section 3)."""
    result: list[tuple[Where, float, float]] = []
    for where, begin, end in pieces:
        if result and result[-1][0] == where:
            result[-1] = (where, result[-1][1], end)
        else:
            result.append((where, begin, end))
    return result
