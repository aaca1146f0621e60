"""How noisy positions are, from the positions themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.mobility.matching.matcher import Matcher, MatchingOptions
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.roads.roads import Roads

FIRST_SIGMA_M = 10.0
LEAST_SIGMA_M, MOST_SIGMA_M = 2.0, 30.0
MEDIAN_OF_NORMAL = 0.6745  # of the distance from the mean, in standard deviations
ROUNDS = 2
OFF_ROAD_M = 50.0  # if this grew with sigma, sigma would grow with it
ENOUGH_POINTS = 50_000
LEAST_ON_ROAD = 0.25


def estimate_sigma_m(
    roads: Roads, index: RoadIndex, traces: Sequence[tuple[FloatArray, FloatArray, FloatArray]], *, drives: bool
) -> float | None:
    """Standard deviation of positions across the road: the median distance to the matched road tells it (Newson and Krumm, 2009).

    Parameters
    ----------
    roads, index
        The map.
    traces
        Times and positions of each; the first points are looked at, until there are enough.
    drives
        As in `MatchingOptions`.

    Returns
    -------
    Between 2 and 30 m; None where too few positions are on roads to tell.
    """
    before = np.cumsum([0, *(len(trace[0]) for trace in traces)]).tolist()
    some = [tuple(column[: ENOUGH_POINTS - n] for column in trace) for trace, n in zip(traces, before, strict=False) if n < ENOUGH_POINTS]
    sigma_m = FIRST_SIGMA_M
    for _ in range(ROUNDS):
        matcher = Matcher(roads, index, MatchingOptions(sigma_m, np.inf, off_road_m=OFF_ROAD_M, drives=drives))
        distance_m = np.concatenate([matcher.match(*trace).decided.distance_m for trace in some])
        if np.isnan(distance_m).mean() > 1 - LEAST_ON_ROAD:
            return None
        sigma_m = float(np.clip(np.nanmedian(distance_m) / MEDIAN_OF_NORMAL, LEAST_SIGMA_M, MOST_SIGMA_M))
    return sigma_m
