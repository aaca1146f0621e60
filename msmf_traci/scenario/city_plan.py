"""Where the streets of the synthetic city run, from its parameters and a seed; not how they are written for SUMO."""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from itertools import pairwise

from msmf_traci.errors import InputError

RING, AVENUE, SECONDARY, RESIDENTIAL = "highway.trunk", "highway.primary", "highway.secondary", "highway.residential"
MOST_SPACINGS = 30
LIGHT_TYPES = ("actuated", "static")
_MIN_SPACING_M = 200.0
_HALF_ROAD_M = 20.0  # half of the widest road with its junction; keeps lanes inside the outline

Node = tuple[int, int]  # lines of the grid, counted from the centre: (east, north)
Arc = tuple[Node, Node]


@dataclass(frozen=True)
class CityParameters:
    """The synthetic city's measures; the defaults are those of scenarios/synthetic.yaml.

    Speeds are limits in km/h, lanes are per direction, and ``_lines`` counts lines of the street grid.
    ``ring_offsets_lines`` holds half the width of the square of Ring 2, Ring 3, and so on.

    Raises
    ------
    InputError
        If a value is out of range or the rings do not fit into the outline.
    """

    outline_radius_m: float = 5400.0
    street_spacing_m: float = 400.0
    node_jitter_m: float = 15.0
    secondary_every_lines: int = 3
    ring_offsets_lines: tuple[int, ...] = (2, 4, 6, 8)
    left_out_share: float = 0.2
    one_way_share: float = 0.1
    ring_speed_kmh: float = 80.0
    ring_lanes: int = 3
    avenue_speed_kmh: float = 70.0
    avenue_lanes: int = 2
    secondary_speed_kmh: float = 60.0
    secondary_lanes: int = 2
    residential_speed_kmh: float = 40.0
    residential_lanes: int = 1
    traffic_light_type: str = "actuated"

    def __post_init__(self) -> None:
        """Check the values, so that a wrong one is named here and not by netconvert."""
        # YAML has lists only; a tuple keeps the dataclass hashable.
        if not isinstance(self.ring_offsets_lines, list | tuple):
            raise _wrong("ring_offsets_lines", self.ring_offsets_lines, "a list of whole numbers")
        object.__setattr__(self, "ring_offsets_lines", tuple(self.ring_offsets_lines))
        for field in fields(self):
            if isinstance(field.default, int | float):
                _check_number(field.name, getattr(self, field.name), whole=isinstance(field.default, int))
        if self.street_spacing_m < _MIN_SPACING_M:
            raise _wrong("street_spacing_m", self.street_spacing_m, f"at least {_MIN_SPACING_M:g}")
        if self.outline_radius_m > MOST_SPACINGS * self.street_spacing_m:
            raise _wrong(
                "outline_radius_m",
                self.outline_radius_m,
                f"at most {MOST_SPACINGS} times street_spacing_m, since planning takes longer and longer",
            )
        if self.node_jitter_m > self.street_spacing_m / 8:
            raise _wrong("node_jitter_m", self.node_jitter_m, "at most an eighth of street_spacing_m")
        if self.traffic_light_type not in LIGHT_TYPES:
            raise _wrong("traffic_light_type", self.traffic_light_type, " or ".join(LIGHT_TYPES))
        rings = self.ring_offsets_lines
        whole = all(type(ring) is int for ring in rings)
        if not (rings and whole and rings[0] > 0 and list(rings) == sorted(set(rings))):
            raise _wrong("ring_offsets_lines", rings, "one or more increasing whole numbers above 0")
        if rings[-1] >= _top_line(self, rings[-1]):
            raise _wrong("ring_offsets_lines", rings, "small enough for the outline (outline_radius_m)")


@dataclass(frozen=True)
class Street:
    """A piece of street from one crossing to the next."""

    start: Node
    end: Node
    kind: str
    name: str
    one_way: bool = False

    def arcs(self) -> list[Arc]:
        """Return the directions in which it can be driven."""
        there, back = (self.start, self.end), (self.end, self.start)
        return [there] if self.one_way else [there, back]


@dataclass(frozen=True)
class CityPlan:
    """Crossings with their x (east) and y (north) from the centre, in metres, and the streets between them."""

    positions_m: dict[Node, tuple[float, float]]
    streets: list[Street]


def plan_city(parameters: CityParameters, seed: int) -> CityPlan:
    """Lay out the crossings and the streets; equal arguments give an equal plan.

    Parameters
    ----------
    parameters
        The city's measures.
    seed
        Decides the jitter of the crossings, the streets left out and the one-way streets.

    Returns
    -------
    The plan, in which every direction of every street can be reached from every other one without a U-turn.
    """
    rng = random.Random(seed)
    positions_m = _positions_m(parameters, rng)
    streets = _streets(parameters, positions_m)
    streets = _change_share(streets, parameters.left_out_share, rng, lambda _: None)
    streets = _change_share(streets, parameters.one_way_share, rng, lambda street: _made_one_way(street, rng))
    used = {node for street in streets for node in (street.start, street.end)}
    return CityPlan({node: at_m for node, at_m in positions_m.items() if node in used}, streets)


def _wrong(name: str, value: object, wanted: str) -> InputError:
    return InputError(f"{name} of the synthetic city is {value!r}; it must be {wanted}")


def _check_number(name: str, value: object, *, whole: bool) -> None:
    """Check one number by the unit that its name ends in."""
    if not isinstance(value, int if whole else int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong(name, value, "a whole number" if whole else "a finite number")
    if name.endswith(("_kmh", "_lanes", "_lines")) and value <= 0:
        raise _wrong(name, value, "above 0")
    if value < 0 or (name.endswith("_share") and value > 1):
        raise _wrong(name, value, "between 0 and 1" if name.endswith("_share") else "0 or more")


def _inner_radius_m(parameters: CityParameters) -> float:
    """Circumradius of the outer road: the outline, less the jitter and half a road's width."""
    margin_m = _HALF_ROAD_M + math.sqrt(2) * parameters.node_jitter_m
    return parameters.outline_radius_m - margin_m / math.cos(math.pi / 6)


def _last_column(parameters: CityParameters) -> int:
    return round(_inner_radius_m(parameters) * math.cos(math.pi / 6) / parameters.street_spacing_m)


def _column_x_m(parameters: CityParameters, east: int) -> float:
    """X of a north-south line; the outermost ones lie on the hexagon's vertical sides."""
    if abs(east) == _last_column(parameters):
        return math.copysign(_inner_radius_m(parameters) * math.cos(math.pi / 6), east)
    return east * parameters.street_spacing_m


def _top_y_m(parameters: CityParameters, east: int) -> float:
    """Y where a north-south line meets the hexagon's slanted side, which falls by tan 30 degrees."""
    return _inner_radius_m(parameters) - abs(_column_x_m(parameters, east)) * math.tan(math.pi / 6)


def _top_line(parameters: CityParameters, east: int) -> int:
    """Northernmost line that crosses the given one; -1 outside the city."""
    if abs(east) > _last_column(parameters):
        return -1
    return round(_top_y_m(parameters, east) / parameters.street_spacing_m)


def _positions_m(parameters: CityParameters, rng: random.Random) -> dict[Node, tuple[float, float]]:
    """Place the crossings: a square grid whose outermost crossings are moved onto the hexagon."""
    positions = {}
    jitter_m = parameters.node_jitter_m
    last = _last_column(parameters)
    for east in range(-last, last + 1):
        top = _top_line(parameters, east)
        for north in range(-top, top + 1):
            y_m = north * parameters.street_spacing_m
            if abs(north) == top:
                y_m = math.copysign(_top_y_m(parameters, east), north)
            x_m = _column_x_m(parameters, east)
            positions[east, north] = (x_m + rng.uniform(-jitter_m, jitter_m), y_m + rng.uniform(-jitter_m, jitter_m))
    return positions


def _streets(parameters: CityParameters, positions: Iterable[Node]) -> list[Street]:
    """Every street of the full city: grid lines, diagonals, outer road; the most important one where two coincide."""
    nodes = set(positions)
    streets = {}
    for start in positions:
        for step in ((1, 0), (0, 1)):
            end = (start[0] + step[0], start[1] + step[1])
            if end in nodes:
                streets[start, end] = _grid_street(parameters, start, end)
    for start, end in _outer_arcs(parameters):
        streets[start, end] = Street(start, end, SECONDARY, "Outer Road")
    for east, north, name in ((1, 1, "Northeast"), (1, -1, "Southeast"), (-1, -1, "Southwest"), (-1, 1, "Northwest")):
        line = parameters.ring_offsets_lines[0]
        while (east * (line + 1), north * (line + 1)) in nodes:
            start, end = (east * line, north * line), (east * (line + 1), north * (line + 1))
            streets[start, end] = Street(start, end, AVENUE, f"{name} Avenue")
            line += 1
    return list(streets.values())


def _outer_arcs(parameters: CityParameters) -> list[Arc]:
    """Follow the hexagon; eastward and northward, as the grid's streets are keyed."""
    last = _last_column(parameters)
    arcs: list[Arc] = []
    for side in (1, -1):
        tops = [(east, side * _top_line(parameters, east)) for east in range(-last, last + 1)]
        arcs += pairwise(tops)
        half_height = _top_line(parameters, last)
        verticals = [(side * last, north) for north in range(-half_height, half_height + 1)]
        arcs += pairwise(verticals)
    return arcs


def _grid_street(parameters: CityParameters, start: Node, end: Node) -> Street:
    """Class and name of a piece of a grid line: ring road, axis, secondary or residential street."""
    runs_north = start[0] == end[0]
    line = start[0] if runs_north else start[1]
    # How far from the centre it comes along its line: a ring takes the line over between its own corners.
    reach = max(abs(start[1]), abs(end[1])) if runs_north else max(abs(start[0]), abs(end[0]))
    if abs(line) in parameters.ring_offsets_lines and reach <= abs(line):
        return Street(start, end, RING, f"Ring {parameters.ring_offsets_lines.index(abs(line)) + 2}")
    if line == 0:
        return Street(start, end, AVENUE, "Central Axis Avenue" if runs_north else "East-West Avenue")
    kind = RESIDENTIAL if line % parameters.secondary_every_lines else SECONDARY
    side = ("East" if line > 0 else "West") if runs_north else ("North" if line > 0 else "South")
    return Street(start, end, kind, f"{side} {_ordinal(abs(line))} {'Road' if runs_north else 'Street'}")


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _made_one_way(street: Street, rng: random.Random) -> Street:
    start, end = (street.start, street.end) if rng.random() < 0.5 else (street.end, street.start)
    return replace(street, start=start, end=end, one_way=True)


def _change_share(streets: list[Street], share: float, rng: random.Random, change: Callable[[Street], Street | None]) -> list[Street]:
    """Change (or leave out, if ``change`` gives None) a share of the residential streets that keeps all reachable.

    Streets are tried in random order; fewer than the share are changed if no more can be.
    """
    kept: dict[Arc, Street] = {(street.start, street.end): street for street in streets}
    candidates = [key for key, street in kept.items() if street.kind == RESIDENTIAL]
    wanted = round(share * len(candidates))
    # Sorting by random() gives the same order in every version of Python, which shuffle() does not promise.
    for key in sorted(candidates, key=lambda _: rng.random()):
        if wanted == 0:
            break
        street = kept[key]
        changed = change(street)
        trial = {**kept, key: changed} if changed else {other: kept[other] for other in kept if other != key}
        if _all_reach_all(trial.values()):
            kept = trial
            wanted -= 1
    return list(kept.values())


def _all_reach_all(streets: Iterable[Street]) -> bool:
    """Whether every lane direction can be reached from every other one without a U-turn."""
    arcs = [arc for street in streets for arc in street.arcs()]
    leaving: defaultdict[Node, list[Arc]] = defaultdict(list)
    entering: defaultdict[Node, list[Arc]] = defaultdict(list)
    for arc in arcs:
        leaving[arc[0]].append(arc)
        entering[arc[1]].append(arc)
    onward = {arc: [after for after in leaving[arc[1]] if after[1] != arc[0]] for arc in arcs}
    backward = {arc: [before for before in entering[arc[0]] if before[0] != arc[1]] for arc in arcs}
    return all(_count_reached(arcs[0], neighbours) == len(arcs) for neighbours in (onward, backward))


def _count_reached(first: Arc, neighbours: dict[Arc, list[Arc]]) -> int:
    reached = {first}
    stack = [first]
    while stack:
        new = [arc for arc in neighbours[stack.pop()] if arc not in reached]
        reached.update(new)
        stack += new
    return len(reached)
