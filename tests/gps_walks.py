"""GPS traces for tests: made by going along the roads of a network, with noise of a known kind, and written as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.roads.projection import projection_of
from msmf_traci.roads.roads import Roads

BEGIN_S = 1_224_000_000


@dataclass(frozen=True)
class Walk:
    """Positions on the network's plane, one every second unless told otherwise."""

    name: str
    mode: str
    time_s: FloatArray
    x_m: FloatArray
    y_m: FloatArray


def straight_on(roads: Roads, first: str, edges: int) -> list[int]:
    """So many edges from the one of this id, without turning round."""
    way = [roads.ids.index(first)]
    while len(way) < edges:
        here = slice(roads.follower_start[way[-1]], roads.follower_start[way[-1] + 1])
        onward = roads.follower[here][~roads.turnaround[here]].tolist()
        if not onward:
            break
        way.append(int(roads.successor[way[-1]]) if roads.successor[way[-1]] >= 0 else onward[0])
    return way


def along(roads: Roads, way: Sequence[int], *, backwards: bool = False) -> tuple[FloatArray, FloatArray]:
    """The centre lines of some edges, one after another."""
    x_m, y_m = (np.concatenate(parts) for parts in zip(*(roads.line(edge) for edge in way), strict=True))
    return (x_m[::-1], y_m[::-1]) if backwards else (x_m, y_m)


def walk(
    name: str,
    mode: str,
    line: tuple[FloatArray, FloatArray],
    speed_mps: float,
    *,
    step_s: float = 1.0,
    sigma_m: float = 0.0,
    seed: int = 0,
) -> Walk:
    """A trace along a line at constant speed; its positions are moved by Gaussian noise on both axes."""
    x_m, y_m = line
    along_m = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x_m), np.diff(y_m)))])
    time_s = np.arange(0.0, along_m[-1] / speed_mps, step_s)
    noise = np.random.default_rng(seed).normal(0.0, sigma_m, (2, len(time_s)))
    return Walk(name, mode, time_s, *(np.interp(time_s * speed_mps, along_m, line[axis]) + noise[axis] for axis in (0, 1)))


def write_csv(path: Path, roads: Roads, walks: Sequence[Walk], *, begin_s: Sequence[float] | None = None) -> Path:
    """The walks as a table of positions in degrees."""
    projection = projection_of(roads)
    assert projection is not None
    lines = ["id,t,lat,lon,mode"]
    for each, begin in zip(walks, begin_s or [0.0] * len(walks), strict=True):
        lon, lat = projection.to_lon_lat(each.x_m, each.y_m)
        rows = zip((BEGIN_S + begin + each.time_s).tolist(), lat.tolist(), lon.tolist(), strict=True)
        lines += [f"{each.name},{t:.3f},{y:.8f},{x:.8f},{each.mode}" for t, y, x in rows]
    path.write_text("\n".join(lines) + "\n")
    return path
