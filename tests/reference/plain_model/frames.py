"""What is known of a vehicle: its frames (section 4), its attachment (section 1) and its reports (section 8)."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .lattice import Cell, Lattice, Point
from .options import Options

Row = dict[str, Any]

MEAN_S = 60.0


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


def angle_deg(a: Point, b: Point) -> float:
    """The angle between two directions."""
    return abs(math.degrees(math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1])))


@dataclass(frozen=True)
class Known:
    """What the control plane knows of a vehicle at a frame (section 8, reading 25).

    "The control plane takes edge, position on it, x, y, speed and (the oracles) place on the route from the last report; `nearest` takes the
    displacement from the report before to the last one. Attached cell and home follow the vehicle at every frame."
    """

    attached: Cell  # as it is at this frame; all else as it was when last reported
    point: Point
    speed_mps: float
    edge: str
    position_m: float
    place: int | None  # on the route; None: not on it
    moved: Point | None  # from the report before to the last one; None: there was none before
    reports: int  # sent so far, the one of this frame included
    mean_mps: float = 0.0  # of the speeds known at its frames in the last minute


def places_on_route(frames: Sequence[Frame], route: Sequence[str]) -> list[int | None]:
    """At each frame, which edge of its route a vehicle is on (section 6; the next one of that name from the last known place on)."""
    places: list[int | None] = []
    last = 0
    for frame in frames:
        found = [index for index in range(last, len(route)) if route[index] == frame.edge]
        last = found[0] if found else last
        places.append(last if found else None)
    return places


def report_due(options: Options, reported: Frame, heading_then: Point | None, now: Frame, heading_now: Point | None) -> bool:
    """Whether a vehicle reports at a frame that is not its first (section 8, reading 25)."""
    distance_m, heading_deg, speed_mps = options.report_distance_m, options.report_heading_deg, options.report_speed_mps
    if distance_m == heading_deg == speed_mps == 0:
        return True  # "with all three 0 there is a report in every frame"
    if distance_m > 0 and math.dist(now.point, reported.point) > distance_m:
        return True  # "moved" is the straight distance from the place last reported
    if speed_mps > 0 and abs(now.speed_mps - reported.speed_mps) > speed_mps:
        return True
    if heading_deg > 0 and heading_now is not None:  # "turned" is the angle between the headings now and then
        return heading_then is None or angle_deg(heading_then, heading_now) > heading_deg
    return False


def known_at(frames: Sequence[Frame], route: Sequence[str], options: Options) -> list[Known]:
    """What the control plane knows of a vehicle at each of its frames."""
    result: list[Known] = []
    heading: Point | None = None  # "the direction of the last step in which the vehicle moved (none before)"
    reported, heading_then = frames[0], heading
    for index, (frame, place) in enumerate(zip(frames, places_on_route(frames, route), strict=True)):
        if index > 0 and frame.point != frames[index - 1].point:
            before = frames[index - 1].point
            heading = frame.point[0] - before[0], frame.point[1] - before[1]
        if index == 0:  # "a report is sent at the first frame"
            result.append(Known(frame.attached, frame.point, frame.speed_mps, frame.edge, frame.position_m, place, None, 1))
        elif report_due(options, reported, heading_then, frame, heading):
            moved = frame.point[0] - reported.point[0], frame.point[1] - reported.point[1]
            count = result[-1].reports + 1
            result.append(Known(frame.attached, frame.point, frame.speed_mps, frame.edge, frame.position_m, place, moved, count))
            reported, heading_then = frame, heading
        else:
            result.append(replace(result[-1], attached=frame.attached))
    return [replace(known, mean_mps=mean) for known, mean in zip(result, mean_speeds(frames, result), strict=True)]


def mean_speeds(frames: Sequence[Frame], known: Sequence[Known]) -> list[float]:
    """At each frame, the mean of the speeds known at the frames in (now - 60 s, now] (images ahead: pm and its kin)."""
    means, first = list[float](), 0
    for index, frame in enumerate(frames):
        while frames[first].t_s <= frame.t_s - MEAN_S:
            first += 1
        means.append(math.fsum(now.speed_mps for now in known[first : index + 1]) / (index + 1 - first))
    return means


def edges_seen(frames: Sequence[Frame]) -> list[str]:
    """The edges that a vehicle is seen on, where its route is not known (section 6)."""
    return [frame.edge for i, frame in enumerate(frames) if frame.edge and (i == 0 or frame.edge != frames[i - 1].edge)]
