"""From the user's GPS traces to a source of frames: read them, put them on the plane of the network, match them to its roads."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from msmf_traci.arrays import BoolArray, FloatArray
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.experiment.options import trace_cleaning, trace_selection
from msmf_traci.experiment.preparation import City
from msmf_traci.mobility.frame import DECIMALS, NO_EDGE
from msmf_traci.mobility.gps.choosing import Box
from msmf_traci.mobility.gps.traces import Trace, read_traces
from msmf_traci.mobility.gps_source import GpsSource, MatchedTrace
from msmf_traci.mobility.matching.estimation import FIRST_SIGMA_M, estimate_sigma_m
from msmf_traci.mobility.matching.matcher import Matcher, MatchingOptions
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.results.console import counted, say
from msmf_traci.roads.projection import Projection
from msmf_traci.roads.roads import Roads

SEEN_AHEAD_S = 600.0


def open_traces(config: Config, city: City) -> tuple[GpsSource, dict[str, Any]]:
    """The source, and what run.json says of it.

    Raises
    ------
    InputError
        If the network has no projection, or nothing is left of the traces.
    """
    mobility = config.mobility
    assert mobility.step_s is not None  # the schema sees to it
    if city.projection is None:
        raise InputError(f"mobility.source=gps needs a network with a projection, and {city.net_file} has none; choose another scenario")
    gps = mobility.gps
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
    matched, matching = _match(_driven(traces, config), config, city, city.projection)
    source = GpsSource(matched, city.roads.length_m, mobility.step_s, mobility.max_duration_s)
    if source.cut or source.too_late:
        late = counted(source.too_late, "trace")
        say(f"{counted(source.cut, 'trace')} cut at mobility.max_duration_s={mobility.max_duration_s:g}, {late} left out that begin later")
    if source.between_frames:
        say(
            f"{counted(source.between_frames, 'trace')} left out that lie between two frames: "
            f"shorter than mobility.step_s={mobility.step_s:g}"
        )
    facts = {
        "source": "gps",
        "traces": omissions.facts(),
        "matching": matching,
        "cut": source.cut,
        "too_late": source.too_late,
        "between_frames": source.between_frames,
        "modes": {mode: source.roster.modes.count(mode) for mode in sorted(set(source.roster.modes))},
    }
    return source, facts


def _place(roads: Roads, projection: Projection) -> Box:
    """The network's extent in degrees."""
    left, bottom, right, top = roads.boundary_m
    corners = np.array([[left, bottom], [left, top], [right, bottom], [right, top]])
    lon, lat = projection.to_lon_lat(corners[:, 0], corners[:, 1])
    return Box(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))


def _driven(traces: Sequence[Trace], config: Config) -> list[Trace]:
    """The traces as far as they are driven, and a little farther: who knows the way looks ahead at the end too."""
    begins_s = _begins_s(traces, config)
    ends_s = config.mobility.max_duration_s + SEEN_AHEAD_S - begins_s
    return [_up_to(trace, end_s) for trace, end_s in zip(traces, ends_s.tolist(), strict=True)]


def _up_to(trace: Trace, end_s: float) -> Trace:
    """The trace up to its first position at or after a time since its begin; two at least, and arrays of its own."""
    end = max(int(np.searchsorted(trace.time_s, trace.time_s[0] + end_s)) + 1, 2)
    if end >= len(trace.time_s):
        return trace
    return replace(trace, **{name: getattr(trace, name)[:end].copy() for name in ("time_s", "lon", "lat")})


def _begins_s(traces: Sequence[Trace], config: Config) -> FloatArray:
    """When each trace begins in the run, shape (traces,)."""
    recorded_s = np.array([trace.time_s[0] for trace in traces])
    return _since(recorded_s, recorded_s.min()) if config.mobility.gps.clock == "recorded" else np.zeros(len(traces))


def _since(time_s: FloatArray, first_s: float) -> FloatArray:
    """Seconds passed, rounded to those microseconds that POSIX seconds have: tenths of a second are to meet the frames."""
    return np.asarray(np.round(time_s - first_s, DECIMALS), dtype=np.float64)


@dataclass(frozen=True)
class _Group:
    """Traces that are matched to the same roads; who drives obeys one-way streets and prefers main roads."""

    drives: bool
    roads: Roads
    index: RoadIndex
    traces: list[Trace]
    begins_s: list[float]
    courses: list[tuple[FloatArray, FloatArray, FloatArray]]


def _groups(traces: Sequence[Trace], config: Config, city: City, projection: Projection) -> list[_Group]:
    """Who drives, and who may go against one-way streets; times since the first position, and positions on the network's plane."""
    free = set(config.matching.against_oneway)
    begins_s = _begins_s(traces, config)
    groups = []
    for drives, roads in ((True, city.driven), (False, city.roads)):
        which = [i for i, each in enumerate(traces) if (each.mode not in free) == drives]
        some = [traces[i] for i in which]
        if some:
            courses = [(_since(each.time_s, each.time_s[0]), *projection.to_x_y(each.lon, each.lat)) for each in some]
            groups.append(_Group(drives, roads, RoadIndex(roads), some, begins_s[which].tolist(), courses))
    return groups


def _estimated_sigma_m(groups: Sequence[_Group]) -> float:
    """Noise of the positions: who drives tells it, if anybody does on roads; who walks does so beside roads, which is no noise."""
    for group in groups:
        sigma_m = estimate_sigma_m(group.roads, group.index, group.courses, drives=group.drives)
        if sigma_m is not None:
            return sigma_m
    say(f"GPS: too few positions lie on roads to estimate their noise: {FIRST_SIGMA_M:g} m is assumed; set matching.sigma_m if you know it")
    return FIRST_SIGMA_M


def _match(traces: Sequence[Trace], config: Config, city: City, projection: Projection) -> tuple[list[MatchedTrace], dict[str, Any]]:
    """Match every trace, and say how it went."""
    groups = _groups(traces, config, city, projection)
    sigma_m = _estimated_sigma_m(groups) if config.matching.sigma_m is None else config.matching.sigma_m
    matched: list[MatchedTrace] = []
    facts: dict[str, Any] = {"sigma_m": sigma_m}
    with tqdm(total=len(traces), desc="matching", unit="trace", leave=False, disable=not sys.stderr.isatty()) as bar:
        for group in groups:
            options = MatchingOptions(sigma_m, config.matching.lag_s, config.matching.beta_m, config.matching.off_road_m, group.drives)
            matcher = Matcher(group.roads, group.index, options)
            done = []
            for trace, begin_s, course in zip(group.traces, group.begins_s, group.courses, strict=True):
                done.append(MatchedTrace(trace.name, trace.mode, begin_s, *course, matcher.match(*course), options.lag_s))
                bar.update()
            facts["driving" if group.drives else "both_ways"] = fact = _outcome(done)
            which = "roads as cars drive them" if group.drives else "roads in both directions"
            share = fact["points_off_road"] / fact["points"]
            say(
                f"GPS: {counted(len(done), 'trace')} matched to {which}, "
                f"noise {sigma_m:.1f} m (sigma_m): {share:.1%} of points off the roads, {counted(fact['ways_broken'], 'way')} broken there"
            )
            matched += done
    return matched, facts


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
