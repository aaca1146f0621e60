"""Whether matching costs more on a larger map: the same positions on parts of the city of different size."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np

from msmf_traci.config.compose import read_request
from msmf_traci.experiment.preparation import judge_files, read_city
from msmf_traci.mobility.matching.matcher import Matcher, MatchingOptions
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.roads.roads import Roads

from .matchers import sigma_across
from .measuring import Measured, Receiver
from .truth import Pass

CENTER_LON, CENTER_LAT = 116.375, 39.898
KM_A_DEGREE_LAT, KM_A_DEGREE_LON = 111.1, 85.3
SIZES_KM = (5, 10, 21)
MARGIN_M = 300.0  # positions nearer than this to the border of the smallest part are left out
LEAST_POSITIONS = 100
RECEIVER, LAG_S = Receiver(5.0, 1.0), 5.0
REPEATS = 7


def points_per_second_by_size(recorded: Pass) -> Iterator[str]:
    """A Markdown table; the maps take turns, so that a slow moment of the machine hits all of them."""
    maps = {size_km: read_part(size_km) for size_km in SIZES_KM}
    smallest = maps[SIZES_KM[0]]
    pieces = pieces_inside(recorded, smallest)
    positions = sum(len(piece.x_m) for piece in pieces)
    matchers = {
        size: Matcher(roads, RoadIndex(roads), MatchingOptions(sigma_across(RECEIVER.sigma_m), LAG_S)) for size, roads in maps.items()
    }
    rates: dict[int, list[float]] = {size: [] for size in SIZES_KM}
    for repeat in range(-1, REPEATS):
        for size, matcher in matchers.items():
            shift_x_m, shift_y_m = shift_m(recorded.city.roads, maps[size])
            begin_s = time.perf_counter()
            for piece in pieces:
                matcher.match(piece.truth.time_s, piece.x_m + shift_x_m, piece.y_m + shift_y_m)
            if repeat >= 0:  # the first warms up
                rates[size].append(positions / (time.perf_counter() - begin_s))
    yield f"{positions:,} positions of {len(pieces)} pieces; medians of {REPEATS}, the least and the most in brackets\n"
    yield "| map | edges | positions a second |\n| --- | --- | --- |"
    for size, each in rates.items():
        yield f"| {size:g} km | {len(maps[size]):,} | {statistics.median(each):,.0f} [{min(each):,.0f}, {max(each):,.0f}] |"


def read_part(size_km: float) -> Roads:
    """Build, or take from the cache, a square of central Beijing."""
    half_lon, half_lat = size_km / 2 / KM_A_DEGREE_LON, size_km / 2 / KM_A_DEGREE_LAT
    bbox = [CENTER_LON - half_lon, CENTER_LAT - half_lat, CENTER_LON + half_lon, CENTER_LAT + half_lat]
    words = ["scenario=beijing", f"scenario.bbox={[round(value, 4) for value in bbox]}", "deployment.rings=null"]
    config = read_request(words).points[0].config
    return read_city(config, judge_files(config).network.ensure()).roads


def shift_m(one: Roads, other: Roads) -> tuple[float, float]:
    """From the plane of one map to that of another one of the same projection."""
    return other.net_offset_m[0] - one.net_offset_m[0], other.net_offset_m[1] - one.net_offset_m[1]


def pieces_inside(recorded: Pass, roads: Roads) -> list[Measured]:
    """Measured pieces of journeys that lie inside a map and not near its border, on the plane of the pass."""
    shift_x_m, shift_y_m = shift_m(recorded.city.roads, roads)
    left_m, bottom_m, right_m, top_m = roads.boundary_m
    pieces = []
    for number, journey in enumerate(recorded.journeys):
        x_m, y_m = journey.x_m + shift_x_m, journey.y_m + shift_y_m
        is_inside = (x_m > left_m + MARGIN_M) & (x_m < right_m - MARGIN_M) & (y_m > bottom_m + MARGIN_M) & (y_m < top_m - MARGIN_M)
        for samples in np.split(np.arange(len(journey)), np.flatnonzero(np.diff(is_inside)) + 1):
            if is_inside[samples[0]] and len(samples) >= LEAST_POSITIONS:
                pieces.append(RECEIVER.measure(journey.at(samples), np.random.default_rng(number)))
    return pieces
