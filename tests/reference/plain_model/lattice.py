"""Cells, areas and servers (sections 1 and 2)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

Cell = tuple[int, int]
Point = tuple[float, float]

NEIGHBOURS: tuple[Cell, ...] = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
PREFIXES = {"local": "L", "regional": "R"}


class Server(NamedTuple):
    """A server of a tier, by the middle of its area; None: it covers all cells (section 2)."""

    tier: str
    middle: Cell | None

    @property
    def name(self) -> str:
        """The server's name in tables (section 2, last paragraph)."""
        area = "all" if self.middle is None else f"{self.middle[0]},{self.middle[1]}"
        return f"{PREFIXES.get(self.tier, self.tier)}:{area}"


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
    """The cells (section 1) and the areas of servers over them (section 2): the rings of each tier's areas, None for one of all cells."""

    def __init__(self, rings: int, spacing_m: float, orientation: str, center: Point, areas: Mapping[str, int | None]) -> None:
        if orientation not in ("flat", "pointy"):
            raise ValueError(f"orientation: {orientation}")
        self.rings, self.spacing_m, self.flat, self.center, self.areas = rings, spacing_m, orientation == "flat", center, areas
        span = range(-rings, rings + 1)
        self.cells = [(q, r) for q in span for r in span if self.deployed((q, r))]
        self.border = [cell for cell in self.cells if hex_distance(cell, (0, 0)) == rings]
        self._hops: dict[tuple[Cell, Server], int] = {}
        self._between: dict[tuple[Server, Server], int] = {}
        self._servers: dict[tuple[str, Cell], Server] = {}
        self.members: dict[Server, list[Cell]] = defaultdict(list)
        for tier in areas:
            for cell in self.cells:
                self.members[self.server(tier, cell)].append(cell)

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

    @staticmethod
    def region_of(cell: Cell, k: int) -> Cell:
        """Centre of the region of k rings of a cell (section 2): the point of the sublattice at most k steps away."""
        q, r = cell
        size = 3 * k * k + 3 * k + 1
        i = ((k + 1) * q - k * r) // size  # cell = i (2k+1, -k) + j (k, k+1), solved for real i, j
        j = (k * q + (2 * k + 1) * r) // size
        for a in range(i - 1, i + 3):
            for b in range(j - 1, j + 3):
                centre = (a * (2 * k + 1) + b * k, -a * k + b * (k + 1))
                if hex_distance(cell, centre) <= k:
                    return centre
        raise AssertionError(f"no region for {cell}")

    def server(self, tier: str, cell: Cell) -> Server:
        """The server of a tier that covers a cell: home (section 2)."""
        server = self._servers.get((tier, cell))
        if server is None:
            rings = self.areas[tier]
            server = self._servers[tier, cell] = Server(tier, None if rings is None else self.region_of(cell, rings))
        return server

    def hops(self, cell: Cell, server: Server) -> int:
        """Hex distance from a cell to the nearest (deployed) cell of a server's area (section 2)."""
        hops = self._hops.get((cell, server))
        if hops is None:
            hops = self._hops[cell, server] = min(hex_distance(cell, other) for other in self.members[server])
        return hops

    def hops_between(self, a: Server, b: Server) -> int:
        """Hops between two servers: the fewest between cells of their areas (section 7: sources)."""
        hops = self._between.get((a, b))
        if hops is None:
            hops = self._between[a, b] = min(self.hops(cell, b) for cell in self.members[a])
        return hops


def square_distance(a: Point, b: Point) -> float:
    """|a - b|^2."""
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2
