"""Small made-up cities and vehicles that drive in them, for tests of matching."""

import math
from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.roads.roads import Roads
from tests.road_lines import Point, make_roads

ASIDE_M = 4.0  # a street bends so far to the right of the straight line between its ends


def make_grid(seed: int, size: int = 3, spacing_m: float = 120.0) -> Roads:
    """A crooked grid of two-way streets, some of them missing in one direction."""
    generator = np.random.default_rng(seed)
    nodes = {
        (i, j): (i * spacing_m + generator.uniform(-25, 25), j * spacing_m + generator.uniform(-25, 25))
        for i in range(size)
        for j in range(size)
    }
    lines: list[list[Point]] = []
    for (i, j), begin in nodes.items():
        for other in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
            if other in nodes and generator.random() < 0.9:
                lines.append([begin, _aside(begin, nodes[other]), nodes[other]])
    return make_roads(lines, successor=straight_on(lines))


def _aside(begin: Point, end: Point) -> Point:
    length_m = math.dist(begin, end)
    right = (end[1] - begin[1]) / length_m, (begin[0] - end[0]) / length_m
    return (begin[0] + end[0]) / 2 + ASIDE_M * right[0], (begin[1] + end[1]) / 2 + ASIDE_M * right[1]


def straight_on(lines: list[list[Point]]) -> list[int]:
    """The follower of each line that turns least, back to where it comes from excepted; -1 where there is none."""
    successor = []
    for line in lines:
        followers = [j for j, other in enumerate(lines) if other[0] == line[-1] and other[-1] != line[0]]
        successor.append(min(followers, key=lambda j: _turn(line, lines[j])) if followers else -1)
    return successor


def _turn(line: list[Point], other: list[Point]) -> float:
    headings = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in ((line[-2], line[-1]), (other[0], other[1]))]
    return abs((headings[1] - headings[0] + math.pi) % (2 * math.pi) - math.pi)


@dataclass(frozen=True)
class Driven:
    """A vehicle's positions, shape (n,), its true edges and positions on them, and its route."""

    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    edge: IntArray
    position_m: FloatArray
    route: IntArray


def drive(roads: Roads, generator: np.random.Generator, *, samples: int, interval_s: float = 1.0, sigma_m: float = 5.0) -> Driven:
    """A random way along followers, at a speed that changes from second to second, measured with noise."""
    speed_mps = np.clip(12.0 + np.cumsum(generator.normal(0.0, 1.0, samples)), 0.0, 20.0)
    along_m = np.concatenate([[0.0], np.cumsum(speed_mps[1:] * interval_s)])
    route = [int(generator.choice(np.flatnonzero(np.diff(roads.follower_start))))]
    while roads.length_m[route].sum() <= along_m[-1]:
        followers = slice(roads.follower_start[route[-1]], roads.follower_start[route[-1] + 1])
        onward = roads.follower[followers][~roads.turnaround[followers]]
        choice = onward if len(onward) else roads.follower[followers]
        if not len(choice):
            along_m = np.minimum(along_m, roads.length_m[route].sum() - 1e-3)
            break
        route.append(int(generator.choice(choice)))
    ends_m = np.concatenate([[0.0], np.cumsum(roads.length_m[route])])
    index = np.searchsorted(ends_m, along_m, side="right") - 1
    edge, position_m = np.array(route)[index], along_m - ends_m[index]
    x_m, y_m = np.transpose([place_on(roads, int(e), float(p)) for e, p in zip(edge, position_m, strict=True)])
    x_m, y_m = (values + generator.normal(0.0, sigma_m, samples) for values in (x_m, y_m))
    return Driven(interval_s * np.arange(samples, dtype=np.float64), x_m, y_m, edge, position_m, np.array(route)[: index[-1] + 1])


def place_on(roads: Roads, edge: int, position_m: float) -> Point:
    """Point at a driven distance from the begin of an edge."""
    x_m, y_m = roads.line(edge)
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x_m), np.diff(y_m)))])
    drawn_m = position_m * along_m[-1] / roads.length_m[edge]
    return float(np.interp(drawn_m, along_m, x_m)), float(np.interp(drawn_m, along_m, y_m))
