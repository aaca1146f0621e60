"""Frames of matched traces: where they stand on the grid of time, and what is known in each of where a vehicle is."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.mobility import gps_source
from msmf_traci.mobility.frame import NO_EDGE, SAMPLE_COLUMNS, AsMatched, Frames
from msmf_traci.mobility.gps_source import GpsSource, MatchedTrace
from msmf_traci.mobility.matching.following import Places
from msmf_traci.mobility.matching.matcher import Matched
from msmf_traci.mobility.tracks import Follower
from msmf_traci.mobility.trip_log import TripLog
from tests.road_lines import make_roads

# eastward along y = 0: edges of 100, 50, 20 and 230 m
ENDS_M = (0.0, 100.0, 150.0, 170.0, 400.0)
ROADS = make_roads([[(a, 0.0), (b, 0.0)] for a, b in pairwise(ENDS_M)])


def along_road(
    time_s: Sequence[float],
    along_m: Sequence[float | None],
    *,
    lag_s: float = 0.0,
    begin_s: float = 0.0,
    name: str = "a",
    speed_mps: Sequence[float] | None = None,
) -> MatchedTrace:
    """A trace along the road; None is a position 30 m beside it, off the roads."""
    on_road = np.array([each is not None for each in along_m])
    x_m = np.array([0.0 if each is None else each for each in along_m])
    edge = np.minimum(np.searchsorted(ENDS_M, x_m, side="right") - 1, len(ROADS) - 1)
    position_m = np.where(on_road, x_m - np.array(ENDS_M)[edge], 0.0)
    speeds = np.full(len(x_m), np.nan) if speed_mps is None else np.array(speed_mps)
    decided = Places(np.where(on_road, edge, NO_EDGE), position_m, speeds, np.where(on_road, 0.0, np.nan))
    matched = Matched(decided, np.arange(len(ROADS)), np.where(on_road, edge, -1), position_m)
    return MatchedTrace(name, "walk", begin_s, np.array(time_s, dtype=np.float64), x_m, np.where(on_road, 0.0, 30.0), matched, lag_s)


def source_of(*traces: MatchedTrace, step_s: float = 1.0, max_duration_s: float = 36_000.0) -> GpsSource:
    return GpsSource(traces, ROADS.length_m, step_s, max_duration_s)


def columns_of(source: GpsSource) -> dict[str, np.ndarray]:
    """All frames as one table, after checking that every batch is well-formed."""
    batches = list(source.frames())
    for batch in batches:
        check_batch(batch)
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in SAMPLE_COLUMNS}
    columns |= {each.name: np.concatenate([getattr(batch.as_matched, each.name) for batch in batches]) for each in fields(AsMatched)}
    columns["time_s"] = np.concatenate([np.repeat(batch.times_s, np.diff(batch.start)) for batch in batches])
    return columns


def check_batch(batch: Frames) -> None:
    """Every frame has somebody, each vehicle once, in the order of their numbers."""
    assert (np.diff(batch.times_s) > 0).all()
    assert batch.start[0] == 0 and batch.start[-1] == len(batch.vehicle) and (np.diff(batch.start) > 0).all()
    for k in range(len(batch)):
        assert (np.diff(batch.frame(k).vehicle) > 0).all()


# ---------------------------------------------------------------------------------------------------------------- time and place


def test_a_trace_is_resampled_to_the_grid_on_straight_lines() -> None:
    # 10 m in 4 s, then 60 m in 6 s: at 0, 3, 6 and 9 s there are 0, 7.5, 30 and 60 m
    seen = columns_of(source_of(along_road([0, 4, 10], [0, 10, 70]), step_s=3.0))
    assert seen["time_s"].tolist() == [0, 3, 6, 9]
    assert seen["x_m"].tolist() == [0, 7.5, 30, 60]
    assert seen["y_m"].tolist() == [0, 0, 0, 0]
    # displacement since the frame before; at the first frame to the next
    assert seen["speed_mps"].tolist() == [2.5, 2.5, 7.5, 10]
    assert seen["first"].tolist() == [True, False, False, False]
    assert seen["last"].tolist() == [False, False, False, True]


def test_a_trace_that_begins_between_frames_is_first_seen_in_the_next() -> None:
    # 10 m/s from 0.4 to 3.4 s
    seen = columns_of(source_of(along_road([0, 3], [0, 30], begin_s=0.4)))
    assert seen["time_s"].tolist() == [1, 2, 3]
    assert seen["x_m"].tolist() == pytest.approx([6, 16, 26])


@pytest.mark.parametrize("step_s", [0.1, 0.7, 1.0, 2.5])
def test_a_trace_as_long_as_some_steps_is_seen_at_both_its_ends(step_s: float) -> None:
    # 70 steps of 0.1 s are not 7.0 s in binary numbers
    seen = columns_of(source_of(along_road([0, 35 * step_s], [0, 350], begin_s=70 * step_s), step_s=step_s))
    assert len(seen["time_s"]) == 36
    assert seen["x_m"][[0, -1]].tolist() == pytest.approx([0, 350], abs=1e-6)
    assert seen["time_s"][0] == pytest.approx(70 * step_s, abs=1e-9)


def test_the_distance_of_a_trip_is_the_length_of_the_resampled_line() -> None:
    # there and back between frames: 0 m, 5 m, and 8 m at 2 s are seen, the turn at 11 m and 1.5 s is not
    source = source_of(along_road([0, 1, 1.5, 2], [0, 5, 11, 8]))
    trips, follower = TripLog(), Follower()
    trips.admit(1)
    follower.admit(1)
    for batch in source.frames():
        trips.observe(follower.follow(batch), np.zeros(len(batch.vehicle), dtype=bool))
    assert trips.distance_m.tolist() == [8.0]
    assert trips.road_s.tolist() == [2.0]


def test_who_is_seen_once_does_not_move() -> None:
    seen = columns_of(source_of(along_road([0, 0.5], [0, 20], begin_s=0.8)))
    assert seen["time_s"].tolist() == [1.0]
    assert seen["speed_mps"].tolist() == [0.0]
    assert seen["first"].all() and seen["last"].all()


def test_a_trace_between_two_frames_is_left_out_and_counted() -> None:
    source = source_of(along_road([0, 0.5], [0, 20], begin_s=0.2), along_road([0, 2], [0, 2], name="b"))
    assert source.roster.vehicles == ["b"]
    assert (source.roster.counts.left_out, source.between_frames, source.too_late) == (1, 1, 0)
    assert columns_of(source)["vehicle"].tolist() == [0, 0, 0]


def test_vehicles_are_numbered_by_their_first_frame_and_then_by_name() -> None:
    late, second, first = (along_road([0, 3], [0, 3], begin_s=begin_s, name=name) for begin_s, name in ((1, "a"), (0, "c"), (0, "b")))
    source = source_of(late, second, first)
    assert source.roster.vehicles == ["b", "c", "a"]
    assert source.roster.modes == ["walk"] * 3
    seen = columns_of(source)
    assert seen["time_s"].tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    assert seen["vehicle"].tolist() == [0, 1, 0, 1, 2, 0, 1, 2, 0, 1, 2, 2]
    assert (seen["route"] == seen["vehicle"]).all()


def test_there_are_no_frames_while_nobody_is_on_the_road() -> None:
    morning, noon, evening = (along_road([0, 2], [0, 2], begin_s=begin_s, name=name) for begin_s, name in ((0, "a"), (2, "b"), (9000, "c")))
    source = source_of(evening, morning, noon)
    assert columns_of(source)["time_s"].tolist() == [0, 1, 2, 2, 3, 4, 9000, 9001, 9002]
    assert source.roster.counts.end_s == 9002.0


def test_what_comes_after_the_end_is_cut_and_counted() -> None:
    traces = [along_road([0, 9], [0, 9], begin_s=begin_s, name=f"at {begin_s}") for begin_s in (0, 2, 5, 6, 40)]
    source = source_of(*traces, max_duration_s=5.5)
    counts = source.roster.counts
    assert source.roster.vehicles == ["at 0", "at 2", "at 5"]
    assert (counts.inserted, counts.arrived, counts.left_out, source.cut, source.too_late) == (3, 0, 2, 3, 2)
    seen = columns_of(source)
    assert seen["time_s"].max() == counts.end_s == 5.0
    assert seen["last"].sum() == 3  # trips that are cut end too


def test_a_trace_that_ends_with_the_run_has_arrived() -> None:
    source = source_of(along_road([0, 5], [0, 5]), max_duration_s=5.0)
    assert (source.roster.counts.arrived, source.cut) == (1, 0)


# --------------------------------------------------------------------------------------------------------- what is known by then


def test_nothing_is_known_before_the_lag_is_over_and_then_the_newest_decided_position() -> None:
    # positions at 0, 2, 4, 6 s are decided 3 s later
    seen = columns_of(source_of(along_road([0, 2, 4, 6, 8], [90, 110, 130, 155, 175], lag_s=3.0, speed_mps=[9, 10, 11, 12, 13])))
    assert seen["edge"].tolist() == [NO_EDGE] * 3 + [0, 0, 1, 1, 1, 1]
    assert seen["position_m"].tolist() == [0, 0, 0, 90, 90, 10, 10, 30, 30]
    # before, its speed is all that is known; then how far it has come by the known speed
    assert seen["known_mps"].tolist() == [10, 10, 10, 9, 9, 10, 10, 11, 11]
    assert seen["since_m"].tolist() == [0, 0, 0, 27, 36, 30, 40, 33, 44]


def test_without_a_lag_a_position_is_known_as_it_is_measured() -> None:
    seen = columns_of(source_of(along_road([0, 2, 4], [90, 110, 160])))
    assert seen["edge"].tolist() == [0, 0, 1, 1, 2]
    assert seen["position_m"].tolist() == [90, 90, 10, 10, 10]
    # no decided speed: that of the last two positions, of the next one at the first
    assert seen["known_mps"].tolist() == [10, 10, 10, 10, 25]
    assert seen["since_m"].tolist() == [0, 10, 0, 10, 0]


def test_nobody_is_known_to_be_much_faster_than_was_ever_measured() -> None:
    # 10 m/s measured, then 20: a way around the block makes 150 of them
    seen = columns_of(source_of(along_road([0, 2, 4], [90, 110, 150], speed_mps=[10, 150, 150])))
    assert seen["known_mps"].tolist() == [10, 10, 15, 15, 30]


def test_nobody_is_known_to_drive_backwards() -> None:
    seen = columns_of(source_of(along_road([0, 1], [20, 19], speed_mps=[-0.5, -0.5])))
    assert seen["known_mps"].tolist() == [0, 0]
    assert seen["since_m"].tolist() == [0, 0]
    assert seen["speed_mps"].tolist() == [1, 1]


def test_with_an_infinite_lag_the_way_itself_is_known_without_delay() -> None:
    # 40 m/s from 90 m: edges end at 100, 150 and 170 m
    seen = columns_of(source_of(along_road([0, 3], [90, 210], lag_s=np.inf)))
    assert seen["edge"].tolist() == [0, 1, 3, 3]
    assert seen["position_m"].tolist() == [90, 30, 0, 40]
    assert seen["since_m"].tolist() == [0, 0, 0, 0]
    assert (seen["edge"] == seen["route_index"]).all() and (seen["position_m"] == seen["route_m"]).all()


@pytest.mark.parametrize("lag_s", [0.0, 4.0, np.inf])
def test_the_way_is_gone_evenly_between_positions_whatever_the_lag(lag_s: float) -> None:
    # from 80 to 200 m in 6 s: 80, 100, 120, 140, 160, 180, 200
    seen = columns_of(source_of(along_road([0, 6], [80, 200], lag_s=lag_s)))
    assert seen["route_index"].tolist() == [0, 1, 1, 1, 2, 3, 3]
    assert seen["route_m"].tolist() == [80, 0, 20, 40, 10, 10, 30]


def test_off_the_roads_there_is_no_place_on_the_way() -> None:
    # at 2 and 3 s it is off them; between a position on a road and one off them too
    seen = columns_of(source_of(along_road([0, 2, 3, 5, 6], [10, None, None, 110, 120])))
    assert seen["route_index"].tolist() == [0, -1, -1, -1, -1, 1, 1]
    assert seen["route_m"].tolist() == [10, 0, 0, 0, 0, 10, 20]
    assert seen["edge"].tolist() == [0, 0, NO_EDGE, NO_EDGE, NO_EDGE, 1, 1]
    late = columns_of(source_of(along_road([0, 2, 3, 5, 6], [10, None, None, 110, 120], lag_s=np.inf)))
    assert late["edge"].tolist() == [0, NO_EDGE, NO_EDGE, NO_EDGE, NO_EDGE, 1, 1]


def test_a_way_that_passes_an_edge_twice_is_followed_in_its_order() -> None:
    # a loop of one edge of 100 m, driven two and a half times
    decided = Places(np.zeros(2, dtype=np.int64), np.array([0.0, 50.0]), np.full(2, np.nan), np.zeros(2))
    matched = Matched(decided, np.array([0, 0, 0]), np.array([0, 2]), np.array([0.0, 50.0]))
    trace = MatchedTrace("a", "", 0.0, np.array([0.0, 5.0]), np.zeros(2), np.array([0.0, 1.0]), matched, np.inf)
    seen = columns_of(source_of(trace))
    assert seen["route_index"].tolist() == [0, 0, 1, 1, 2, 2]
    assert seen["route_m"].tolist() == [0, 50, 0, 50, 0, 50]


# -------------------------------------------------------------------------------------------------------------------- properties


@st.composite
def traces(draw: st.DrawFn, name: str = "a") -> MatchedTrace:
    n = draw(st.integers(2, 12))
    steps_s = draw(st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0, 7.3]), min_size=n - 1, max_size=n - 1))
    along_m = sorted(draw(st.lists(st.floats(0, 399), min_size=n, max_size=n)))
    off_road = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return along_road(
        np.cumsum([0.0, *steps_s]).tolist(),
        [None if off else along for along, off in zip(along_m, off_road, strict=True)],
        lag_s=draw(st.sampled_from([0.0, 1.5, 5.0, np.inf])),
        begin_s=draw(st.sampled_from([0.0, 0.4, 3.0, 50.0])),
        name=name,
    )


@settings(max_examples=150, deadline=None)
@given(traces(), st.sampled_from([0.5, 1.0, 3.0]))
def test_the_way_never_goes_back_and_what_is_known_was_measured_a_lag_ago(trace: MatchedTrace, step_s: float) -> None:
    source = source_of(trace, step_s=step_s)
    if not source.roster.vehicles:
        return
    seen = columns_of(source)
    since_s = seen["time_s"] - trace.begin_s
    on_road = seen["route_index"] >= 0
    way_m = np.array(ENDS_M)[np.maximum(seen["route_index"], 0)] + seen["route_m"]
    assert (np.diff(way_m[on_road]) >= -1e-6).all()
    assert (seen["route_m"] <= ROADS.length_m[np.maximum(seen["route_index"], 0)]).all()
    # on the road it is where it was measured, between measurements on the straight line
    assert way_m[on_road] == pytest.approx(seen["x_m"][on_road], abs=1e-5)
    if np.isfinite(trace.lag_s):
        for at_s, edge, position_m in zip(since_s, seen["edge"], seen["position_m"], strict=True):
            decided = np.flatnonzero(trace.time_s + trace.lag_s <= at_s + 1e-6 * step_s)
            places = trace.matched.decided
            expected = (places.edge[decided[-1]], places.position_m[decided[-1]]) if len(decided) else (NO_EDGE, 0.0)
            assert (edge, position_m) == (expected[0], pytest.approx(expected[1], abs=1e-6))


@settings(max_examples=60, deadline=None)
@given(st.tuples(traces("a"), traces("b"), traces("c")), st.sampled_from([1, 7, 40]))
def test_frames_are_the_same_however_many_are_made_at_once(some: tuple[MatchedTrace, ...], at_once: int) -> None:
    source = source_of(*some)
    with pytest.MonkeyPatch.context() as patch:
        expected = columns_of(source) if source.roster.vehicles else {}
        patch.setattr(gps_source, "SAMPLES_AT_ONCE", at_once)
        found = columns_of(source) if source.roster.vehicles else {}
    for name, values in expected.items():
        assert (found[name] == values).all(), name
