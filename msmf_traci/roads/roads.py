"""The road map: edges open to passenger cars, their centre lines, lengths, names, connections and straight-on successors.

Read with sumolib from a network of SUMO. Model, section 3.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.sax import SAXException

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.sumo_python import sumo_package

VEHICLE_CLASS = "passenger"
TURNAROUNDS = ("t", "T")
SAME_NAME_TURN_DEG = 60.0


@dataclass(frozen=True)
class Roads:
    """Directed road edges as arrays; an edge is a number here and an id at the borders of the program.

    Attributes
    ----------
    ids, names, classes
        SUMO's edge id, the street's name and its class, one each an edge.
    length_m
        Driven length of each edge.
    line_start
        Points of edge e are `line_start[e]` to `line_start[e + 1]` in `line_x_m`, `line_y_m`.
    line_x_m, line_y_m
        Centre lines: the shape of lane n // 2 of n.
    successor
        Straight-on successor of each edge, or -1.
    from_node, to_node
        Number of the junction where each edge begins, and where it ends.
    follower_start
        Edges that a passenger car may go on to from edge e are `follower_start[e]` to `follower_start[e + 1]` in `follower`.
    follower, turnaround
        These edges, ascending, and whether each is reached by turning round only.
    boundary_m
        SUMO's convBoundary: x and y of the lower left, then of the upper right corner.
    projection
        PROJ string of the network, or None where it has none.
    net_offset_m
        SUMO's netOffset, added to projected coordinates.
    """

    ids: list[str]
    names: list[str]
    classes: list[str]
    length_m: FloatArray
    line_start: IntArray
    line_x_m: FloatArray
    line_y_m: FloatArray
    successor: IntArray
    from_node: IntArray
    to_node: IntArray
    follower_start: IntArray
    follower: IntArray
    turnaround: BoolArray
    boundary_m: tuple[float, float, float, float]
    projection: str | None
    net_offset_m: tuple[float, float]

    def __len__(self) -> int:
        return len(self.ids)

    def digest(self) -> str:
        """Hash of everything that matters here: ids, lines, lengths and successors."""
        digest = hashlib.sha256("\n".join(self.ids).encode())
        for array in (self.length_m, self.line_start, self.line_x_m, self.line_y_m, self.successor):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def line(self, edge: int) -> tuple[FloatArray, FloatArray]:
        """Centre line of one edge: x and y of its points."""
        points = slice(self.line_start[edge], self.line_start[edge + 1])
        return self.line_x_m[points], self.line_y_m[points]

    @cached_property
    def middles(self) -> tuple[FloatArray, FloatArray]:
        """Middle of every centre line: x and y, shape (edges,)."""
        x_m, y_m = np.empty(len(self)), np.empty(len(self))
        for edge in range(len(self)):
            x, y = self.line(edge)
            along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
            x_m[edge], y_m[edge] = np.interp(along[-1] / 2, along, x), np.interp(along[-1] / 2, along, y)
        return x_m, y_m


def read_roads(net_file: Path) -> Roads:
    """Read the roads of a network of SUMO (.net.xml or .net.xml.gz); edges in the order of their ids.

    Raises
    ------
    InputError
        If the file is damaged or no network.
    """
    sumolib = sumo_package("sumolib")
    try:
        net = sumolib.net.readNet(str(net_file), withInternal=False)
        boundary_m, offset_m = tuple(net.getBoundary()), tuple(net.getLocationOffset())
    except (SAXException, KeyError, ValueError, AttributeError, TypeError, EOFError, OSError, zlib.error) as error:
        raise InputError(f"network {net_file} is damaged or no network of SUMO ({type(error).__name__}: {error}); make it again") from None
    edges = sorted((edge for edge in net.getEdges(withInternal=False) if _is_road(edge)), key=lambda edge: str(edge.getID()))
    number = {edge.getID(): i for i, edge in enumerate(edges)}
    lines = [np.array(_center_lane(edge).getShape(), dtype=np.float64)[:, :2] for edge in edges]
    sizes = [len(line) for line in lines]
    points = np.concatenate(lines) if lines else np.zeros((0, 2))
    ids = [str(edge.getID()) for edge in edges]
    names = [edge.getName() or "" for edge in edges]
    classes = [edge.getType() or "" for edge in edges]
    projection = net._location.get("projParameter", "!")
    reached = [_reached(edge, number) for edge in edges]
    nodes = {name: i for i, name in enumerate(sorted({str(node.getID()) for node in net.getNodes()}))}
    return Roads(
        ids=ids,
        names=names,
        classes=classes,
        length_m=np.array([edge.getLength() for edge in edges], dtype=np.float64),
        line_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        line_x_m=points[:, 0].copy(),
        line_y_m=points[:, 1].copy(),
        successor=straight_on(ids, reached, lines, names, classes),
        from_node=np.array([nodes[edge.getFromNode().getID()] for edge in edges], dtype=np.int64),
        to_node=np.array([nodes[edge.getToNode().getID()] for edge in edges], dtype=np.int64),
        follower_start=np.concatenate([[0], np.cumsum([len(followers) for followers in reached])]).astype(np.int64),
        follower=np.array([follower for followers in reached for follower in followers], dtype=np.int64),
        turnaround=np.array([turnaround for followers in reached for turnaround in followers.values()], dtype=np.bool_),
        boundary_m=boundary_m,
        projection=None if projection in ("", "!") else projection,
        net_offset_m=offset_m,
    )


def _is_road(edge: Any) -> bool:
    return edge.getFunction() in ("", "normal") and edge.allows(VEHICLE_CLASS)


def _center_lane(edge: Any) -> Any:
    return edge.getLane(edge.getLaneNumber() // 2)


def straight_on(
    ids: Sequence[str], reached: Sequence[Mapping[int, bool]], lines: Sequence[FloatArray], names: Sequence[str], classes: Sequence[str]
) -> IntArray:
    """Straight-on successor of every edge, or -1: same name under 60 degrees, else the smallest turn; ties by class, then id.

    Parameters
    ----------
    ids, lines, names, classes
        Of the edges.
    reached
        Edges that each edge leads to, and whether by turning round only.
    """
    headings = [_end_headings(line) for line in lines]
    successor = np.full(len(ids), -1, dtype=np.int64)
    for i, followers in enumerate(reached):
        choices = []
        for j in (follower for follower, turnaround in followers.items() if not turnaround):
            turn = _turn_deg(headings[i][0], headings[j][1])
            same_name = names[i] != "" and names[i] == names[j] and turn < SAME_NAME_TURN_DEG
            choices.append((not same_name, turn, classes[i] != classes[j], ids[j], j))
        if choices:
            successor[i] = min(choices)[-1]
    return successor


def _reached(edge: Any, number: dict[str, int]) -> dict[int, bool]:
    """Edges reached by a connection open to passenger cars, ascending, and whether by turning round only."""
    reached: dict[int, bool] = {}
    for following, connections in edge.getOutgoing().items():
        turns = [connection.getDirection() in TURNAROUNDS for connection in connections if _is_open(connection)]
        if turns and following.getID() in number:
            reached[number[following.getID()]] = all(turns)
    return dict(sorted(reached.items()))


def _is_open(connection: Any) -> bool:
    return bool(
        connection.getFromLane().allows(VEHICLE_CLASS) and connection.getToLane().allows(VEHICLE_CLASS) and connection.allows(VEHICLE_CLASS)
    )


def _end_headings(line: FloatArray) -> tuple[float, float]:
    """Headings of the last and of the first segment of a line in degrees; repeated points are no segments."""
    steps = np.diff(line, axis=0)
    steps = steps[(steps != 0).any(axis=1)]
    if not len(steps):
        return 0.0, 0.0
    last, first = (float(np.degrees(np.arctan2(step[1], step[0]))) for step in (steps[-1], steps[0]))
    return last, first


def _turn_deg(before: float, after: float) -> float:
    """Angle of a turn, rounded so that equal turns are ties whatever their arithmetic."""
    return round(abs((after - before + 180.0) % 360.0 - 180.0), 9)
