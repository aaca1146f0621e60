"""A slow, plain second implementation of model.md (container migration between MEC servers), written from the text alone.

    recompute(run_dir, net_file, route_file) -> Recomputed

Standard library only. Every function names the section of model.md that it implements. Metres, seconds, bytes inside; conversion in `Options`.
Not covered: links.mode=shared, capacities, report thresholds, variants (an option that asks for one of them is refused).
"""

from __future__ import annotations

import csv
import gzip
import json
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar, cast
from xml.etree import ElementTree

Cell = tuple[int, int]
Point = tuple[float, float]
Row = dict[str, Any]
Stretch = tuple[Cell, float, float]  # cell, distance to entry, distance to exit

NEIGHBOURS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
LOCAL, REGIONAL = "local", "regional"
SLIVER_M = 1e-9  # shorter pieces of a centre line are rounding errors
TURN_DECIMALS = 9  # turns (degrees) that agree to this many decimals are ties


class Server(NamedTuple):
    """A server: the local one of a cell, or the regional one of a cluster (section 2)."""

    tier: str
    q: int
    r: int

    @property
    def name(self) -> str:
        """The server's name in tables (section 2, last bullet)."""
        return f"{'L' if self.tier == LOCAL else 'R'}:{self.q},{self.r}"


HomeStretch = tuple[Server, float, float]  # the same, merged by home


# ---------------------------------------------------------------------------------------------------------------- options


@dataclass(frozen=True)
class Options:
    """The options of section 12, converted once (section 0)."""

    hysteresis_m: float
    regional_rings: int
    latency_ms: dict[str, float]
    compute_ms: float
    hop_latency_ms: float
    min_speed_mps: float
    horizon_m: float
    slack_m: float
    trigger_m: float
    min_m: float
    min_dwell_s: float
    unsynced: str
    user_left: str
    switch_s: float
    bytes_per_s: float
    dirty_per_s: float
    threshold_bytes: float
    start_ms: tuple[float, float]
    strategies: tuple[str, ...]

    @staticmethod
    def read(config: dict[str, Any]) -> Options:
        """Take what this implementation needs from run.json's config; refuse what it does not model."""
        if config["links"].get("mode", "dedicated") != "dedicated":
            raise NotImplementedError("links.mode: only dedicated")
        if any(value is not None for value in (config.get("capacity") or {}).values()):
            raise NotImplementedError("capacity: only unlimited")
        reports = config.get("reports") or {}
        if any(reports.get(name) for name in ("distance_m", "heading_deg", "speed_mps")):
            raise NotImplementedError("reports: only a report at each frame")
        tiers, work, handoff = config["tiers"], config["workload"], config["handoff"]
        threshold = float(work["dirty_threshold_mbit"]) * 1e6 / 8
        if threshold <= 0:
            raise ValueError("workload.dirty_threshold_mbit must be positive (rounds would never end)")
        if handoff["unsynced"] not in ("stop", "relay") or handoff["user_left"] not in ("abandon", "finish"):
            raise ValueError(f"handoff: {handoff}")
        return Options(
            hysteresis_m=float(config["attachment"]["hysteresis_m"]),
            regional_rings=int(tiers["regional_rings"]),
            latency_ms={LOCAL: float(tiers["local_latency_ms"]), REGIONAL: float(tiers["regional_latency_ms"])},
            compute_ms=float(tiers["compute_ms"]),
            hop_latency_ms=float(tiers["hop_latency_ms"]),
            min_speed_mps=float(tiers["min_speed_kmh"]) / 3.6,
            horizon_m=float(config["prediction"]["horizon_m"]),
            slack_m=float(config["prediction"]["slack_m"]),
            trigger_m=float(config["nearest"]["trigger_m"]),
            min_m=float(config["coverage_filter"]["min_m"]),
            min_dwell_s=float(config["coverage_filter"]["min_dwell_s"]),
            unsynced=str(handoff["unsynced"]),
            user_left=str(handoff["user_left"]),
            switch_s=float(handoff["switch_ms"]) / 1e3,
            bytes_per_s=float(config["links"]["bandwidth_mbps"]) * 1e6 / 8,
            dirty_per_s=float(work["dirty_percent_per_s"]) / 100,
            threshold_bytes=threshold,
            start_ms=(float(work["start_ms"][0]), float(work["start_ms"][1])),
            strategies=tuple(str(name) for name in config["strategies"]),
        )

    def start_s(self, image_bytes: float) -> float:
        """Start time of a container (section 5): linear between 100 MB and 2000 MB, clamped."""
        share = min(1.0, max(0.0, (image_bytes / 1e6 - 100) / 1900))
        return (self.start_ms[0] + share * (self.start_ms[1] - self.start_ms[0])) / 1e3

    def tier(self, tiers: Sequence[str], level_ms: float, speed_mps: float) -> str:
        """Tier choice (section 2): the highest tier that meets the level, the lowest of these below min_speed, else the lowest of all."""
        eligible = [tier for tier in tiers if self.latency_ms[tier] + self.compute_ms <= level_ms]
        if not eligible:
            return tiers[0]
        return eligible[0] if speed_mps < self.min_speed_mps else eligible[-1]


# ------------------------------------------------------------------------------------------------------ cells and servers


def hex_distance(a: Cell, b: Cell) -> int:
    """Steps between two cells (axial coordinates)."""
    dq, dr = a[0] - b[0], a[1] - b[1]
    return max(abs(dq), abs(dr), abs(dq + dr))


def cube_round(q: float, r: float) -> Cell:
    """Cube rounding (section 1)."""
    s = -q - r
    rounded_q, rounded_r, rounded_s = round(q), round(r), round(s)
    error_q, error_r, error_s = abs(rounded_q - q), abs(rounded_r - r), abs(rounded_s - s)
    if error_q > error_r and error_q > error_s:
        rounded_q = -rounded_r - rounded_s
    elif error_r > error_s:
        rounded_r = -rounded_q - rounded_s
    return rounded_q, rounded_r


class Lattice:
    """The cells (section 1) and the clusters and servers over them (section 2)."""

    def __init__(self, rings: int, spacing_m: float, orientation: str, center: Point, regional_rings: int) -> None:
        if orientation not in ("flat", "pointy"):
            raise ValueError(f"orientation: {orientation}")
        self.rings, self.spacing_m, self.flat, self.center, self.k = rings, spacing_m, orientation == "flat", center, regional_rings
        span = range(-rings, rings + 1)
        self.cells = [(q, r) for q in span for r in span if self.deployed((q, r))]
        self.border = [cell for cell in self.cells if hex_distance(cell, (0, 0)) == rings]
        self.members: dict[Cell, list[Cell]] = defaultdict(list)
        for cell in self.cells:
            self.members[self.region_of(cell)].append(cell)
        self._hops: dict[tuple[Cell, Server], int] = {}
        self._servers: dict[tuple[str, Cell], Server] = {}

    def deployed(self, cell: Cell) -> bool:
        """Whether a cell of the infinite lattice lies in the hexagon of R rings (section 1)."""
        return hex_distance(cell, (0, 0)) <= self.rings

    def centre(self, cell: Cell) -> Point:
        """Centre of a cell in network coordinates (section 1)."""
        q, r = cell
        wide = math.sqrt(3) / 2 * self.spacing_m
        if self.flat:
            return self.center[0] + wide * q, self.center[1] + self.spacing_m * (r + q / 2)
        return self.center[0] + self.spacing_m * (q + r / 2), self.center[1] + wide * r

    def lattice_cell(self, point: Point) -> Cell:
        """The cell of the infinite lattice that contains a point: cube rounding (section 1)."""
        x, y = point[0] - self.center[0], point[1] - self.center[1]
        wide = math.sqrt(3) / 2 * self.spacing_m
        if self.flat:
            q = x / wide
            return cube_round(q, y / self.spacing_m - q / 2)
        r = y / wide
        return cube_round(x / self.spacing_m - r / 2, r)

    def cell_of(self, point: Point) -> Cell:
        """The cell of a point; outside the deployment, the nearest deployed one (section 1, reading 13)."""
        cell = self.lattice_cell(point)
        if self.deployed(cell):
            return cell
        return min(self.border, key=lambda other: square_distance(point, self.centre(other)))

    def neighbours(self, cell: Cell) -> Iterator[Cell]:
        """The deployed neighbours of a cell."""
        for dq, dr in NEIGHBOURS:
            other = (cell[0] + dq, cell[1] + dr)
            if self.deployed(other):
                yield other

    def region_of(self, cell: Cell) -> Cell:
        """Centre of the cluster of a cell (section 2): the point of the sublattice at most k steps away."""
        k, (q, r) = self.k, cell
        size = 3 * k * k + 3 * k + 1
        i = ((k + 1) * q - k * r) // size  # cell = i (2k+1, -k) + j (k, k+1), solved for real i, j
        j = (k * q + (2 * k + 1) * r) // size
        for a in range(i - 1, i + 3):
            for b in range(j - 1, j + 3):
                centre = (a * (2 * k + 1) + b * k, -a * k + b * (k + 1))
                if hex_distance(cell, centre) <= k:
                    return centre
        raise AssertionError(f"no cluster for {cell}")

    def server(self, tier: str, cell: Cell) -> Server:
        """The server of a tier that covers a cell: home (section 2)."""
        server = self._servers.get((tier, cell))
        if server is None:
            server = Server(tier, *(cell if tier == LOCAL else self.region_of(cell)))
            self._servers[tier, cell] = server
        return server

    def hops(self, cell: Cell, server: Server) -> int:
        """Hex distance from a cell to the nearest (deployed) cell of a server's area (section 2)."""
        hops = self._hops.get((cell, server))
        if hops is None:
            centre = (server.q, server.r)
            area = [centre] if server.tier == LOCAL else self.members[centre]
            hops = self._hops[cell, server] = min(hex_distance(cell, other) for other in area)
        return hops


def square_distance(a: Point, b: Point) -> float:
    """|a - b|^2."""
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


# ------------------------------------------------------------------------------------------------------------ the network


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
        self._chains: dict[tuple[str, str], list[HomeStretch]] = {}

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

    def line_up(self, edge_ids: Iterable[str], tier: str) -> list[HomeStretch]:
        """The stretches of successive whole edges, until the horizon beyond the first one's end is covered, merged by home (sections 3, 6)."""
        chain: list[HomeStretch] = []
        offset, enough = 0.0, math.inf
        for edge_id in edge_ids:
            if offset >= enough or edge_id not in self.edges:
                break
            chain += [(self.lattice.server(tier, cell), offset + begin, offset + end) for cell, begin, end in self.stretches(edge_id)]
            offset += self.edges[edge_id].length
            enough = min(enough, offset + self.horizon_m)
        return merged(chain)

    def chain(self, edge_id: str, tier: str) -> list[HomeStretch]:
        """The look-ahead chain of an edge, merged by home (sections 3, 6)."""
        if (edge_id, tier) not in self._chains:
            self._chains[edge_id, tier] = self.line_up(self.straight_on(edge_id), tier)
        return self._chains[edge_id, tier]


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


# -------------------------------------------------------------------------------------------------------------- the frames


@dataclass(frozen=True)
class Frame:
    """A vehicle at one frame (section 4), with its attachment (section 1)."""

    t_s: float
    point: Point
    speed_mps: float
    edge: str
    position_m: float
    attached: Cell
    outside: bool


def attach(lattice: Lattice, point: Point, previous: Cell | None, hysteresis_m: float) -> Cell:
    """The attached cell of a point (section 1): the previous one until its centre is farther than the new one's by more than the hysteresis."""
    cell = lattice.cell_of(point)
    if previous is None or cell == previous or hysteresis_m <= 0:
        return cell
    farther = math.dist(point, lattice.centre(previous)) - math.dist(point, lattice.centre(cell))
    return cell if farther > hysteresis_m else previous


def read_frames(path: Path, lattice: Lattice, hysteresis_m: float) -> tuple[dict[str, list[Frame]], list[Row]]:
    """Each vehicle's frames in time order, and the rows whose cell column is neither the point's own cell nor the attached one."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["vehicle"]].append(row)
    frames: dict[str, list[Frame]] = {}
    mismatches: list[Row] = []
    for vehicle, own in rows.items():
        own.sort(key=lambda row: float(row["t_s"]))
        frames[vehicle] = []
        attached: Cell | None = None
        for row in own:
            point = float(row["x_m"]), float(row["y_m"])
            attached = attach(lattice, point, attached, hysteresis_m)
            if row.get("cell"):
                q, r = (int(part) for part in row["cell"].split(","))
                if (q, r) not in (attached, lattice.cell_of(point)):
                    mismatches.append({**row, "expected": f"{attached[0]},{attached[1]}"})
            outside = not lattice.deployed(lattice.lattice_cell(point))
            position = float(row["position_m"]) if row["position_m"] else 0.0
            frames[vehicle].append(Frame(float(row["t_s"]), point, float(row["speed_mps"]), row["edge"], position, attached, outside))
    return frames, mismatches


# ------------------------------------------------------------------------------------------------------------- strategies


class Kind(NamedTuple):
    """What tells the strategies of section 6 apart."""

    tiers: tuple[str, ...]
    look: str  # "border", "chain", "route", "" (no target)
    passes_short: bool
    keeps: bool


STRATEGIES = {
    "nearest": Kind((LOCAL,), "border", False, False),
    "pm": Kind((LOCAL,), "chain", False, False),
    "pm_op": Kind((LOCAL,), "chain", True, False),
    "pm_tier": Kind((LOCAL, REGIONAL), "chain", False, False),
    "pm_op_tier": Kind((LOCAL, REGIONAL), "chain", True, False),
    "never": Kind((LOCAL,), "", False, True),
    "oracle": Kind((LOCAL,), "route", False, False),
    "oracle_tier": Kind((LOCAL, REGIONAL), "route", False, False),
}


class Decision(NamedTuple):
    """home (None: KEEP) and target (None: NONE) of section 6."""

    home: Server | None
    target: Server | None


def seen_from(chain: list[HomeStretch], position_m: float, horizon_m: float) -> list[HomeStretch]:
    """The stretches that end beyond the position and begin less than the horizon ahead, the last one cut there (section 3)."""
    limit = position_m + horizon_m
    return [(home, begin, min(end, limit)) for home, begin, end in chain if end > position_m and begin < limit]


class Strategist:
    """One strategy for one vehicle: home and target at each frame (section 6)."""

    def __init__(self, kind: Kind, options: Options, roads: RoadMap, route: list[str], level_ms: float) -> None:
        self.kind, self.options, self.roads, self.lattice, self.route, self.level_ms = kind, options, roads, roads.lattice, route, level_ms
        self.route_index = 0
        self.route_chains: dict[tuple[int, str], list[HomeStretch]] = {}
        self.previous: Frame | None = None
        self.area: Server | None = None
        self.short = False

    def home_of(self, frame: Frame) -> Server:
        """The attached home: the server of the chosen tier that covers the attached cell (section 2)."""
        return self.lattice.server(self.options.tier(self.kind.tiers, self.level_ms, frame.speed_mps), frame.attached)

    def decide(self, frame: Frame, host: Server) -> Decision:
        """Both answers at a frame, the host being the one after the advance (section 6, readings 2 and 3)."""
        home = self.home_of(frame)
        view = self.view(frame, home.tier)
        own = self.own_stretch(view, frame, home)
        if self.kind.passes_short:
            self.judge(frame, home, view, own)
        keep = self.previous is not None and (self.kind.keeps or self.short)
        target = self.next_border(frame) if self.kind.look == "border" else self.next_home(view, own, frame, home, host)
        self.previous = frame
        return Decision(None if keep else home, None if target == host else target)

    def view(self, frame: Frame, tier: str) -> list[HomeStretch]:
        """What the strategy sees of the road ahead: the look-ahead chain, or for the oracles the rest of the route (sections 3, 6)."""
        if self.kind.look not in ("chain", "route") or frame.edge not in self.roads.edges:
            return []
        chain = self.roads.chain(frame.edge, tier) if self.kind.look == "chain" else self.route_chain(frame.edge, tier)
        return seen_from(chain, frame.position_m, self.options.horizon_m)

    def route_chain(self, edge: str, tier: str) -> list[HomeStretch]:
        """The rest of the vehicle's route as a chain (section 6; reading 10 for the place on the route)."""
        try:
            self.route_index = self.route.index(edge, self.route_index)
        except ValueError:
            return []
        key = self.route_index, tier
        if key not in self.route_chains:
            self.route_chains[key] = self.roads.line_up((self.route[i] for i in range(self.route_index, len(self.route))), tier)
        return self.route_chains[key]

    def own_stretch(self, view: list[HomeStretch], frame: Frame, home: Server) -> int | None:
        """Where the vehicle is on the chain: the first stretch of the attached home that begins at most slack_m ahead (section 6)."""
        for index, (where, begin, _) in enumerate(view):
            if where == home and begin <= frame.position_m + self.options.slack_m:
                return index
        return None

    def is_short(self, coverage_m: float, speed_mps: float) -> bool:
        """The two thresholds of OP (section 6)."""
        if coverage_m < self.options.min_m:
            return True
        return speed_mps > 0 and coverage_m / speed_mps < self.options.min_dwell_s

    def judge(self, frame: Frame, home: Server, view: list[HomeStretch], own: int | None) -> None:
        """OP's verdict on the attached home's area: on entering, and while it is short whenever the edge changes (section 6)."""
        entered = home != self.area
        turned = self.short and self.previous is not None and frame.edge != self.previous.edge
        if entered or turned:
            ends_inside = own is None or own == len(view) - 1
            self.short = not ends_inside and own is not None and self.is_short(view[own][2] - frame.position_m, frame.speed_mps)
        self.area = home

    def next_home(self, view: list[HomeStretch], own: int | None, frame: Frame, home: Server, host: Server) -> Server | None:
        """The next home on the chain, short ones passed over where the strategy does (section 6)."""
        for index in range(0 if own is None else own + 1, len(view)):
            where, begin, end = view[index]
            if where in (home, host):
                continue
            if self.kind.passes_short and index < len(view) - 1 and self.is_short(end - begin, frame.speed_mps):
                continue
            return where
        return None

    def next_border(self, frame: Frame) -> Server | None:
        """`nearest`: the neighbour with the nearest border within the trigger, towards which the vehicle moves (section 6)."""
        if self.previous is None:
            return None
        dx, dy = frame.point[0] - self.previous.point[0], frame.point[1] - self.previous.point[1]
        own = self.lattice.centre(frame.attached)
        found: list[tuple[float, Cell]] = []
        for cell in self.lattice.neighbours(frame.attached):
            centre = self.lattice.centre(cell)
            border = (square_distance(frame.point, centre) - square_distance(frame.point, own)) / (2 * self.lattice.spacing_m)
            if border < self.options.trigger_m and dx * (centre[0] - own[0]) + dy * (centre[1] - own[1]) > 0:
                found.append((border, cell))
        return self.lattice.server(LOCAL, min(found)[1]) if found else None


# --------------------------------------------------------------------------------------------------------- state machine

IMAGE, MEMORY, ROUND, IDLE, FINAL, RESTORE = "IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE"
KINDS = {IMAGE: "image_bytes", MEMORY: "memory_bytes", ROUND: "dirty_bytes", FINAL: "final_bytes"}


@dataclass
class Transfer:
    """A transfer (section 7): its stage, begun at t_begin with `amount` bytes to send and `dirty_begin` dirty bytes."""

    number: int
    source: Server
    target: Server
    t_start: float
    stage: str
    t_begin: float
    amount: float
    dirty_begin: float = 0.0
    t_handoff: float | None = None
    t_stop: float | None = None
    rounds: int = 0
    sent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS.values(), 0.0))


@dataclass
class Load:
    """A vehicle's container and latency level (section 5)."""

    image: float
    memory: float
    level_ms: float


class Container:
    """One container under one strategy: the state machine of section 7 and what section 9 books about it."""

    def __init__(self, options: Options, lattice: Lattice, load: Load, host: Server, t_s: float) -> None:
        self.options, self.lattice, self.load, self.host, self.now = options, lattice, load, host, t_s
        self.transfer: Transfer | None = None
        self.pending = False
        self.out_since: float | None = None  # the container is STOPPED since
        self.transfers: list[Row] = []
        self.outages: list[float] = []
        self.started = self.handoffs = self.censored = 0
        self.relayed_s = self.late_s = self.satisfied_s = 0.0

    @property
    def running(self) -> bool:
        """RUNNING or STOPPED."""
        return self.out_since is None

    # -- continuous time

    def advance(self, t_s: float, attached: Cell) -> None:
        """Let time pass up to t, t included: stage changes happen at their exact instants (section 7, reading 1)."""
        while (due := self.due()) <= t_s:
            self.book(due, attached)
            self.change_stage(due)
        self.book(t_s, attached)

    def due(self) -> float:
        """When the stage of the transfer ends by itself."""
        transfer, options = self.transfer, self.options
        if transfer is None:
            return math.inf
        if transfer.stage == RESTORE:
            return transfer.t_begin + options.start_s(self.load.image) + options.switch_s
        if transfer.stage == IDLE:
            rate = options.dirty_per_s * self.load.memory
            if rate <= 0 or self.load.memory < options.threshold_bytes:
                return math.inf
            return transfer.t_begin + (options.threshold_bytes - transfer.dirty_begin) / rate
        return transfer.t_begin + transfer.amount / options.bytes_per_s

    def book(self, t_s: float, attached: Cell) -> None:
        """Book the seconds up to t with the state as it is (section 9, reading 6)."""
        seconds = t_s - self.now
        self.now = t_s
        if not self.running:
            return
        hops = self.lattice.hops(attached, self.host)
        latency_ms = self.options.latency_ms[self.host.tier] + self.options.compute_ms + self.options.hop_latency_ms * hops
        if hops > 0:
            self.relayed_s += seconds
        if latency_ms > self.load.level_ms:
            self.late_s += seconds
        else:
            self.satisfied_s += seconds

    def dirty(self, t_s: float) -> float:
        """Dirty bytes at an instant of MEMORY, ROUND or IDLE (section 7)."""
        assert self.transfer is not None
        grown = self.options.dirty_per_s * self.load.memory * (t_s - self.transfer.t_begin)
        return min(self.load.memory, self.transfer.dirty_begin + grown)

    def change_stage(self, t_s: float) -> None:
        """The stage has ended by itself: enter the next one (section 7)."""
        transfer = self.transfer
        assert transfer is not None
        if transfer.stage in KINDS:
            transfer.sent[KINDS[transfer.stage]] += transfer.amount
        if transfer.stage == IMAGE:
            self.enter(MEMORY, t_s, self.load.memory)
        elif transfer.stage in (MEMORY, ROUND):
            dirty = self.dirty(t_s)
            if dirty >= self.options.threshold_bytes:
                transfer.rounds += 1
                self.enter(ROUND, t_s, dirty)
            else:
                self.enter(IDLE, t_s, 0.0, dirty)
            if self.pending:
                self.stop(t_s)
        elif transfer.stage == IDLE:
            transfer.rounds += 1
            self.enter(ROUND, t_s, self.options.threshold_bytes)
        elif transfer.stage == FINAL:
            self.enter(RESTORE, t_s, 0.0)
        else:
            self.end_transfer(t_s, "completed")
            self.host = transfer.target
            self.resume(t_s)

    def enter(self, stage: str, t_s: float, amount: float, dirty_begin: float = 0.0) -> None:
        """Begin a stage of the open transfer."""
        assert self.transfer is not None
        self.transfer.stage, self.transfer.t_begin, self.transfer.amount, self.transfer.dirty_begin = stage, t_s, amount, dirty_begin

    def sent_in_stage(self, t_s: float) -> float:
        """Bytes that the current stage has sent so far."""
        assert self.transfer is not None
        return min(self.transfer.amount, self.options.bytes_per_s * (t_s - self.transfer.t_begin))

    def stop(self, t_s: float) -> None:
        """The container stops and FINAL begins with what is missing (section 7)."""
        transfer, memory = self.transfer, self.load.memory
        assert transfer is not None and self.running
        sent, dirty = self.sent_in_stage(t_s), 0.0 if transfer.stage == IMAGE else self.dirty(t_s)
        rest = transfer.amount - sent
        missing = {IMAGE: rest + memory, MEMORY: min(memory, rest + dirty), ROUND: min(memory, rest + dirty), IDLE: dirty}[transfer.stage]
        if transfer.stage in KINDS:
            transfer.sent[KINDS[transfer.stage]] += sent
        self.pending = False
        self.out_since = transfer.t_stop = t_s
        self.enter(FINAL, t_s, missing)

    def resume(self, t_s: float) -> None:
        """The container runs again: an outage ends."""
        assert self.out_since is not None
        self.outages.append(t_s - self.out_since)
        self.out_since = None

    # -- the rules at a frame

    def rules(self, t_s: float, home: Server | None, target: Server | None) -> None:
        """Rules 2, 3 and 4 of section 7 at a frame time (home None: KEEP; target None: NONE)."""
        if not self.running:
            self.stopped(t_s, home)
        elif home is None or home == self.host:
            self.pending = False
            if target is not None:
                self.drop_unless(t_s, target)
                if self.transfer is None:
                    self.start(t_s, target)
        else:
            self.hand_off(t_s, home)

    def hand_off(self, t_s: float, home: Server) -> None:
        """Rule 3."""
        self.drop_unless(t_s, home)
        transfer = self.transfer or self.start(t_s, home)
        if transfer.t_handoff is None:
            transfer.t_handoff = t_s
            self.handoffs += 1
        if self.options.unsynced == "stop" or transfer.stage in (IDLE, ROUND):
            self.stop(t_s)
        else:
            self.pending = True

    def stopped(self, t_s: float, home: Server | None) -> None:
        """Rule 4."""
        transfer = self.transfer
        assert transfer is not None
        if home is None or home == transfer.target or transfer.stage == RESTORE or self.options.user_left == "finish":
            return
        self.abandon(t_s)
        self.handoffs += 1
        if home == self.host:
            self.resume(t_s)
        else:
            following = self.start(t_s, home)
            following.t_handoff = following.t_stop = t_s
            self.enter(FINAL, t_s, self.load.image + self.load.memory)

    def start(self, t_s: float, target: Server) -> Transfer:
        """A transfer starts with IMAGE."""
        self.transfer = Transfer(self.started, self.host, target, t_s, IMAGE, t_s, self.load.image)
        self.started += 1
        return self.transfer

    def drop_unless(self, t_s: float, target: Server) -> None:
        """A transfer to another server than this one is abandoned."""
        if self.transfer is not None and self.transfer.target != target:
            self.abandon(t_s)

    def abandon(self, t_s: float) -> None:
        """Give the transfer up: user_left if it has a t_handoff, else mispredicted (section 7)."""
        assert self.transfer is not None
        self.pending = False
        self.end_transfer(t_s, "mispredicted" if self.transfer.t_handoff is None else "user_left", cut=True)

    def end_transfer(self, t_s: float, outcome: str, cut: bool = False) -> None:
        """Book a transfer (section 9); `cut`: it ends inside a stage."""
        transfer = self.transfer
        assert transfer is not None
        if cut and transfer.stage in KINDS:
            transfer.sent[KINDS[transfer.stage]] += self.sent_in_stage(t_s)
        self.transfers.append(
            {
                "transfer": transfer.number,
                "tier": transfer.target.tier,
                "source": transfer.source.name,
                "target": transfer.target.name,
                "t_start_s": transfer.t_start,
                "t_handoff_s": transfer.t_handoff,
                "t_stop_s": transfer.t_stop,
                "t_end_s": t_s,
                "outcome": outcome,
                **transfer.sent,
                "rounds": transfer.rounds,
                "lead_s": None if transfer.t_handoff is None else transfer.t_handoff - transfer.t_start,
                "downtime_s": 0.0 if transfer.t_stop is None else t_s - transfer.t_stop,
            }
        )
        self.transfer = None

    def arrive(self, t_s: float) -> None:
        """Rule 5, at the vehicle's last frame."""
        if self.transfer is not None:
            self.end_transfer(t_s, "unfinished", cut=True)
        if not self.running:
            self.resume(t_s)
            self.censored = 1


# ------------------------------------------------------------------------------------------------------- prediction hits


class Stays:
    """Prediction hits (section 6, reading 4)."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("entry_hits", "entry_misses", "handoff_hits", "handoff_misses"), 0)
        self.first: Server | None = None
        self.newest: Server | None = None
        self.begun = False
        self.written: Server | None = None

    def frame(self, decision: Decision, host: Server) -> None:
        """A frame other than the vehicle's last, before the rules."""
        home, target = decision
        if home is not None and (not self.begun or home != self.written):
            if self.begun and home != host:
                self.compare("entry", self.first, home)
                self.compare("handoff", self.newest, home)
            self.begun, self.first, self.newest = True, None, None
        self.written = home
        if target is not None:
            self.first = self.first or target
            self.newest = target

    def compare(self, kind: str, target: Server | None, home: Server) -> None:
        """Count a hit or a miss; a stay without a target counts as neither."""
        if target is not None:
            self.counts[f"{kind}_{'hits' if target == home else 'misses'}"] += 1


# -------------------------------------------------------------------------------------------------------- the whole thing


@dataclass
class Recomputed:
    """What this implementation says the tables hold; cell_mismatches: rows of frames.csv whose cell is not ours."""

    decisions: list[Row] = field(default_factory=list)
    migrations: list[Row] = field(default_factory=list)
    vehicles: dict[tuple[str, str], Row] = field(default_factory=dict)
    cell_mismatches: list[Row] = field(default_factory=list)


def name_of(server: Server | None, otherwise: str) -> str:
    """A server's name, or KEEP or NONE."""
    return otherwise if server is None else server.name


def drive(frames: Sequence[Frame], strategist: Strategist, container: Container) -> tuple[list[Row], Stays]:
    """One vehicle under one strategy, frame by frame (section 7, reading 2); returns its rows of decisions.csv and its stays."""
    rows: list[Row] = []
    stays = Stays()
    for index, frame in enumerate(frames):
        if index > 0:
            container.advance(frame.t_s, frames[index - 1].attached)
        decision = strategist.decide(frame, container.host)
        if index < len(frames) - 1:
            stays.frame(decision, container.host)
            container.rules(frame.t_s, decision.home, decision.target)
        rows.append(
            {
                "t_s": frame.t_s,
                "home": name_of(decision.home, "KEEP"),
                "target": name_of(decision.target, "NONE"),
                "host": container.host.name,
                "running": int(container.running),
            }
        )
    container.arrive(frames[-1].t_s)
    return rows, stays


def vehicle_row(frames: Sequence[Frame], container: Container, stays: Stays) -> Row:
    """A vehicle's row of the table of vehicles (section 9, readings 6 to 8)."""
    transfers, steps = container.transfers, list(pairwise(frames))
    bytes_of = [sum(row[kind] for kind in KINDS.values()) for row in transfers]
    outcomes = [row["outcome"] for row in transfers]
    return {
        "handoffs": container.handoffs,
        **{outcome: outcomes.count(outcome) for outcome in ("completed", "mispredicted", "user_left", "unfinished")},
        "traffic_bytes": math.fsum(bytes_of),
        "wasted_bytes": math.fsum(sent for sent, outcome in zip(bytes_of, outcomes, strict=True) if outcome != "completed"),
        "outages": len(container.outages),
        "outage_s": math.fsum(container.outages),
        "longest_outage_s": max(container.outages, default=0.0),
        "censored": container.censored,
        "relayed_s": container.relayed_s,
        "late_s": container.late_s,
        "satisfied_s": container.satisfied_s,
        "outside_s": math.fsum(after.t_s - before.t_s for before, after in steps if before.outside),
        **stays.counts,
        "road_s": frames[-1].t_s - frames[0].t_s,
        "distance_m": math.fsum(after.speed_mps * (after.t_s - before.t_s) for before, after in steps),
    }


def read_loads(path: Path) -> dict[tuple[str, str], Load]:
    """Image, memory and latency level of each strategy and vehicle, from vehicles.csv."""
    loads: dict[tuple[str, str], Load] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = row["strategy"], row["vehicle"]
            if key in loads:
                raise ValueError(f"{path}: {key} twice (variants are not supported)")
            loads[key] = Load(float(row["image_bytes"]), float(row["memory_capacity_bytes"]), float(row["latency_level_ms"]))
    return loads


def edges_seen(frames: Sequence[Frame]) -> list[str]:
    """The edges that a vehicle is seen on, where its route is not known (section 6)."""
    return [frame.edge for i, frame in enumerate(frames) if frame.edge and (i == 0 or frame.edge != frames[i - 1].edge)]


def recompute(run_dir: str | Path, net_file: str | Path, route_file: str | Path | None) -> Recomputed:
    """Recompute decisions, transfers and vehicle totals of a run from its network, its routes and its trace alone."""
    run_dir = Path(run_dir)
    run = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
    options, place = Options.read(run["config"]), run["deployment"]
    center = float(place["center_xy_m"][0]), float(place["center_xy_m"][1])
    lattice = Lattice(int(place["rings"]), float(place["spacing_m"]), place["orientation"], center, options.regional_rings)
    roads = RoadMap(read_network(net_file), lattice, options.horizon_m)
    routes = read_routes(route_file) if route_file is not None else {}
    loads = read_loads(run_dir / "vehicles.csv")
    traces, mismatches = read_frames(run_dir / "frames.csv", lattice, options.hysteresis_m)
    result = Recomputed(cell_mismatches=mismatches)
    for strategy in options.strategies:
        for vehicle, frames in sorted(traces.items()):
            load = loads[strategy, vehicle]
            strategist = Strategist(STRATEGIES[strategy], options, roads, routes.get(vehicle) or edges_seen(frames), load.level_ms)
            container = Container(options, lattice, load, strategist.home_of(frames[0]), frames[0].t_s)
            key: Row = {"strategy": strategy, "vehicle": vehicle}
            rows, stays = drive(frames, strategist, container)
            result.decisions += [{**key, **row} for row in rows]
            times = [frame.t_s for frame in frames]
            for row in container.transfers:
                x_m, y_m = frames[bisect_right(times, row["t_end_s"]) - 1].point
                result.migrations.append({**key, **row, "x_m": x_m, "y_m": y_m})
            result.vehicles[strategy, vehicle] = vehicle_row(frames, container, stays)
    result.decisions.sort(key=lambda row: (row["t_s"], row["strategy"], row["vehicle"]))
    result.migrations.sort(key=lambda row: (row["strategy"], row["vehicle"], row["transfer"]))
    return result
