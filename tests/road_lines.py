"""Roads for tests, written down as lines."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from msmf_traci.roads.roads import Roads

Point = tuple[float, float]


def make_roads(lines: Sequence[Sequence[Point]], lengths: Sequence[float] | None = None, successor: Sequence[int] | None = None) -> Roads:
    """Roads by their centre lines; as long as these unless told otherwise, dead ends unless told otherwise.

    Lines that end where others begin are connected; back along the same points is a turnaround.
    """
    nodes = {point: i for i, point in enumerate(sorted({end for line in lines for end in (line[0], line[-1])}))}
    reached = [[j for j, other in enumerate(lines) if other[0] == line[-1]] for line in lines]
    measured = [sum(math.dist(a, b) for a, b in pairwise(line)) for line in lines]
    points = np.array([point for line in lines for point in line], dtype=np.float64)
    return Roads(
        ids=[f"e{i}" for i in range(len(lines))],
        names=[""] * len(lines),
        classes=[""] * len(lines),
        length_m=np.array(measured if lengths is None else lengths, dtype=np.float64),
        line_start=np.cumsum([0, *(len(line) for line in lines)]),
        line_x_m=points[:, 0].copy(),
        line_y_m=points[:, 1].copy(),
        successor=np.array([-1] * len(lines) if successor is None else successor, dtype=np.int64),
        from_node=np.array([nodes[line[0]] for line in lines], dtype=np.int64),
        to_node=np.array([nodes[line[-1]] for line in lines], dtype=np.int64),
        follower_start=np.cumsum([0, *(len(followers) for followers in reached)]),
        follower=np.array([j for followers in reached for j in followers], dtype=np.int64),
        turnaround=np.array(
            [list(lines[j]) == list(lines[i])[::-1] for i, followers in enumerate(reached) for j in followers], dtype=np.bool_
        ),
        boundary_m=(0.0, 0.0, 1.0, 1.0),
        projection=None,
        net_offset_m=(0.0, 0.0),
    )
