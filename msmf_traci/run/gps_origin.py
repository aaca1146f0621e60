"""From the user's GPS traces to a source of frames: read them, put them on the plane of the network, match them to its roads."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from msmf_traci.arrays import BoolArray
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.mobility.gps.choosing import Box
from msmf_traci.mobility.gps.traces import Trace, read_traces
from msmf_traci.mobility.gps_source import GpsSource, MatchedTrace
from msmf_traci.mobility.matching.estimation import estimate_sigma_m
from msmf_traci.mobility.matching.matcher import Matcher, MatchingOptions
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.results.console import counted, say
from msmf_traci.run.options import trace_cleaning, trace_selection
from msmf_traci.run.preparation import City
from msmf_traci.world.projection import Projection
from msmf_traci.world.roads import Roads


def open_traces(config: Config, city: City) -> tuple[GpsSource, dict[str, Any]]:
    """The source, and what run.json says of it.

    Raises
    ------
    InputError
        If the network has no projection, or nothing is left of the traces.
    """
    if city.projection is None:
        raise InputError(f"mobility.source=gps needs a network with a projection, and {city.net_file} has none; choose another scenario")
    gps = config.mobility.gps
    traces, omissions = read_traces(
        str(gps.path),
        trace_selection(config),
        trace_cleaning(config),
        config.seed,
        place=_place(city.driven, city.projection),
        time_zone=gps.time_zone,
        max_points=gps.max_points,
    )
    for sentence in omissions.sentences():
        say(sentence)
    matched, matching = _match(traces, config, city)
    source = GpsSource(matched, city.roads.length_m, float(config.mobility.step_s or 1.0), config.mobility.max_duration_s)
    if source.cut or source.roster.counts.left_out:
        late = counted(source.roster.counts.left_out, "trace")
        say(f"{counted(source.cut, 'trace')} cut at mobility.max_duration_s={config.mobility.max_duration_s:g}, {late} left out after it")
    facts = {
        "source": "gps",
        "traces": omissions.facts(),
        "matching": matching,
        "cut": source.cut,
        "modes": {mode: source.roster.modes.count(mode) for mode in sorted(set(source.roster.modes))},
    }
    return source, facts


def _place(roads: Roads, projection: Projection) -> Box:
    """The network's extent in degrees."""
    left, bottom, right, top = roads.boundary_m
    corners = np.array([[left, bottom], [left, top], [right, bottom], [right, top]])
    lon, lat = projection.to_lon_lat(corners[:, 0], corners[:, 1])
    return Box(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))


def _match(traces: Sequence[Trace], config: Config, city: City) -> tuple[list[MatchedTrace], dict[str, Any]]:
    """Match who drives to the roads as cars drive them, and who may go against one-way streets to all."""
    matched: dict[str, MatchedTrace] = {}
    facts: dict[str, Any] = {}
    assert city.projection is not None
    positions = {trace.name: city.projection.to_x_y(trace.lon, trace.lat) for trace in traces}
    earliest_s = min(trace.time_s[0] for trace in traces)
    recorded = config.mobility.gps.clock == "recorded"
    with tqdm(total=len(traces), desc="matching", unit="trace", leave=False, disable=not sys.stderr.isatty()) as bar:
        for drives, roads, some in _by_roads(traces, config, city):
            index = RoadIndex(roads)
            courses = [(trace.time_s - trace.time_s[0], *positions[trace.name]) for trace in some]
            options = _matching_options(config, roads, index, courses, drives=drives)
            matcher = Matcher(roads, index, options)
            for trace, course in zip(some, courses, strict=True):
                begin_s = trace.time_s[0] - earliest_s if recorded else 0.0
                matched[trace.name] = MatchedTrace(trace.name, trace.mode, begin_s, *course, matcher.match(*course), options.lag_s)
                bar.update()
            facts["driving" if drives else "both_ways"] = {
                "sigma_m": options.sigma_m,
                "beta_m": matcher.noise.beta_m,
                "off_road_m": matcher.off_road_m,
                **_outcome([matched[trace.name] for trace in some]),
            }
    for kind, fact in facts.items():
        share = fact["points_off_road"] / fact["points"]
        say(
            f"GPS: {counted(fact['traces'], 'trace')} matched to roads ({kind.replace('_', ' ')}): {share:.1%} of points off the roads, "
            f"{counted(fact['ways_broken'], 'way')} broken there; sigma {fact['sigma_m']:.1f} m"
        )
    return [matched[trace.name] for trace in traces], facts


def _by_roads(traces: Sequence[Trace], config: Config, city: City) -> Iterator[tuple[bool, Roads, list[Trace]]]:
    """Whether they drive, on which roads, and which traces."""
    free = set(config.matching.against_oneway)
    driving, others = [each for each in traces if each.mode not in free], [each for each in traces if each.mode in free]
    if driving:
        yield True, city.driven, driving
    if others:
        yield False, city.roads, others


def _matching_options(
    config: Config, roads: Roads, index: RoadIndex, courses: Sequence[tuple[Any, Any, Any]], *, drives: bool
) -> MatchingOptions:
    matching = config.matching
    sigma_m = matching.sigma_m if matching.sigma_m is not None else estimate_sigma_m(roads, index, courses, drives=drives)
    return MatchingOptions(sigma_m, matching.lag_s, matching.beta_m, matching.off_road_m, drives)


def _outcome(matched: Sequence[MatchedTrace]) -> dict[str, Any]:
    """How well the traces lie on roads: by whole ways, as they are known in the end."""
    distance_m = np.concatenate([trace.matched.decided.distance_m for trace in matched])
    on_road = [trace.matched.route_index >= 0 for trace in matched]
    broken = sum(_breaks(each) for each in on_road)
    return {
        "traces": len(matched),
        "points": len(distance_m),
        "points_off_road": int(sum((~each).sum() for each in on_road)),
        "points_decided_off_road": int(sum((trace.matched.decided.edge == NO_EDGE).sum() for trace in matched)),
        "median_distance_m": None if np.isnan(distance_m).all() else round(float(np.nanmedian(distance_m)), 3),
        "ways_broken": broken,
    }


def _breaks(on_road: BoolArray) -> int:
    """How often a way goes on after a stretch off the roads, where its next edge need not be joined to its last one."""
    begins = np.flatnonzero(np.diff(on_road.astype(np.int64), prepend=0) == 1)
    return max(len(begins) - 1, 0)
