"""Map matching in plain Python, slow and short: what `msmf_traci.mobility.matching` decodes, written down a second time from its documentation.

P. Newson, J. Krumm (ACM GIS 2009); C. Goh et al. (IEEE ITSC 2012). Costs are minus the logarithms of likelihoods.
"""

import heapq
import math
from dataclasses import dataclass
from itertools import pairwise

from msmf_traci.roads.roads import Roads

SWITCH_COST, LIKELY_COST, LONGEST_COST = 10.0, 60.0, 30.0
DETOUR_COST, DETOUR_SHARE = 10.0, 0.3
TURN, TURNAROUND = 1.5, 4.0


@dataclass(frozen=True)
class Place:
    """The nearest place on a road."""

    edge: int
    position_m: float
    distance_m: float


OFF_ROAD = None
State = Place | None


def nearest_places(roads: Roads, x_m: float, y_m: float, radius_m: float) -> list[Place]:
    """The nearest place of every road within reach, nearest first; a place in a junction is beyond the end of the road before."""
    places = []
    for edge in range(len(roads)):
        line = [(float(x), float(y)) for x, y in zip(*roads.line(edge), strict=True)]
        scale = float(roads.length_m[edge]) / sum(math.dist(a, b) for a, b in pairwise(line))
        pieces, before_m = [], 0.0
        for a, b in pairwise(line):
            pieces.append((a, b, before_m, scale))
            before_m += math.dist(a, b) * scale
        for i in range(roads.follower_start[edge], roads.follower_start[edge + 1]):
            if not roads.turnaround[i]:
                head = tuple(float(values[0]) for values in roads.line(int(roads.follower[i])))
                pieces.append((line[-1], head, float(roads.length_m[edge]), 1.0))
        best = min((_on_piece(x_m, y_m, *piece) for piece in pieces), key=lambda each: each[0])
        if best[0] <= radius_m:
            places.append(Place(edge, best[1], best[0]))
    return sorted(places, key=lambda place: place.distance_m)


def _on_piece(x_m: float, y_m: float, a: tuple, b: tuple, before_m: float, scale: float) -> tuple[float, float]:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    t = min(max(((x_m - a[0]) * dx + (y_m - a[1]) * dy) / length2, 0.0), 1.0) if length2 else 0.0
    return math.dist((x_m, y_m), (a[0] + t * dx, a[1] + t * dy)), before_m + t * math.sqrt(length2) * scale


@dataclass
class PlainMatching:
    """A map and a noise; main roads are not preferred."""

    roads: Roads
    sigma_m: float
    beta_m: float
    off_road_m: float
    most: int = 16

    def places(self, x_m: float, y_m: float) -> list[Place]:
        """Candidates of a position."""
        return nearest_places(self.roads, x_m, y_m, self.off_road_m)[: self.most]

    def emission(self, state: State) -> float:
        """Cost of being measured where one is."""
        away_m = self.off_road_m if state is OFF_ROAD else state.distance_m
        return 0.5 * (away_m / self.sigma_m) ** 2

    def transition(self, before: State, after: State, beeline_m: float) -> float:
        """Cost of getting from one state to the next."""
        if before is OFF_ROAD or after is OFF_ROAD:
            return 0.0 if before is after else SWITCH_COST
        if before.edge == after.edge and after.position_m > before.position_m - 6 * self.sigma_m:
            return self.way(after.position_m - before.position_m, beeline_m)
        rest_m = float(self.roads.length_m[before.edge]) - before.position_m
        ways = self.ways(before.edge, 2 * beeline_m + LONGEST_COST * self.beta_m - rest_m)
        if after.edge not in ways:
            return math.inf
        cost_m, way_m = ways[after.edge]
        return self.way(rest_m + way_m + after.position_m, beeline_m) + (cost_m - way_m) / self.beta_m

    def way(self, way_m: float, beeline_m: float) -> float:
        """Cost of the length of a way: from some cost on, the longer the beeline is the less."""
        cost = abs(way_m - beeline_m) / self.beta_m
        beyond = max(cost - DETOUR_COST, 0.0)
        return min(cost, DETOUR_COST) + beyond * self.beta_m / (self.beta_m + DETOUR_SHARE * beeline_m)

    def ways(self, edge: int, bound_m: float) -> dict[int, tuple[float, float]]:
        """What the cheapest way to the begin of each edge counts, and how long it is."""
        found: dict[int, tuple[float, float]] = {}
        heap = list(self._steps(edge, 0.0, 0.0, bound_m))
        heapq.heapify(heap)
        while heap:
            cost_m, way_m, at = heapq.heappop(heap)
            if at not in found:
                found[at] = cost_m, way_m
                length_m = float(self.roads.length_m[at])
                for step in self._steps(at, cost_m + length_m, way_m + length_m, bound_m):
                    heapq.heappush(heap, step)
        return found

    def _steps(self, edge: int, cost_m: float, way_m: float, bound_m: float):
        x_m, y_m = self.roads.line(edge)
        for i in range(self.roads.follower_start[edge], self.roads.follower_start[edge + 1]):
            to = int(self.roads.follower[i])
            next_x_m, next_y_m = self.roads.line(to)
            across_m = math.dist((x_m[-1], y_m[-1]), (next_x_m[0], next_y_m[0]))
            turn = TURNAROUND if self.roads.turnaround[i] else TURN if to != self.roads.successor[edge] else 0.0
            if cost_m + across_m + turn * self.beta_m <= bound_m:
                yield cost_m + across_m + turn * self.beta_m, way_m + across_m, to

    def decode(self, points: list[tuple[float, float]]) -> list[dict[State, tuple[float, State]]]:
        """For every position: what the best way to each state costs, and from which state it comes."""
        columns: list[dict[State, tuple[float, State]]] = []
        for k, point in enumerate(points):
            states: list[State] = [*self.places(*point), OFF_ROAD]
            if k == 0:
                columns.append({state: (self.emission(state), OFF_ROAD) for state in states})
                continue
            before, beeline_m = columns[-1], math.dist(points[k - 1], point)
            least = min(cost for cost, _ in before.values())
            column = {}
            for state in states:
                ways = [
                    (cost + self.transition(old, state, beeline_m), old)
                    for old, (cost, _) in before.items()
                    if old is OFF_ROAD or state is OFF_ROAD or cost <= least + LIKELY_COST
                ]
                cost, old = min(ways, key=lambda each: each[0])
                column[state] = cost + self.emission(state), old
            columns.append(column)
        return columns

    def best_states(self, columns: list[dict[State, tuple[float, State]]], last: int) -> list[State]:
        """The states of positions 0 to `last` on the best way that is known when `last` has come in."""
        state = min(columns[last], key=lambda each: columns[last][each][0])
        states = [state]
        for k in range(last, 0, -1):
            state = columns[k][state][1]
            states.append(state)
        return states[::-1]

    def fixed_lag(self, time_s: list[float], columns: list[dict[State, tuple[float, State]]], lag_s: float) -> list[State]:
        """Each position's state as it is decided by all positions up to the lag after it."""
        decided = []
        for k, now_s in enumerate(time_s):
            last = max(j for j, other_s in enumerate(time_s) if other_s <= now_s + lag_s)
            decided.append(self.best_states(columns, last)[k])
        return decided

    def cost_of(self, points: list[tuple[float, float]], states: list[State]) -> float:
        """What a sequence of states costs."""
        cost = sum(self.emission(state) for state in states)
        for k in range(1, len(points)):
            cost += self.transition(states[k - 1], states[k], math.dist(points[k - 1], points[k]))
        return cost
