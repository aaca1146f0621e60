"""Cleaning and cutting: closed-form cases, and what holds for any points whatever."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msmf_traci.mobility.gps.choosing import Selection, choose
from msmf_traci.mobility.gps.cleaning import clean
from msmf_traci.mobility.gps.great_circle import EARTH_RADIUS_M, distance_m
from msmf_traci.mobility.gps.omissions import NOTES, POINT_REASONS, TRACE_REASONS, Omissions
from msmf_traci.mobility.gps.pieces import Pieces, cut
from msmf_traci.mobility.gps.points import Gathering, Points

FAST_MPS = 70.0
M_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180


def gathered(time_s: list[float], north_m: list[float], trace: list[int] | None = None, part: list[int] | None = None) -> Gathering:
    """Points on one meridian."""
    n = len(time_s)
    gathering = Gathering("here", 1000, -math.inf, math.inf, Omissions())
    gathering.names, gathering.users, gathering.modes = ["a", "b", "c"], ["", "", ""], ["", "walk"]
    codes = (np.array(codes or [0] * n, dtype=np.int32) for codes in (trace, part))
    gathering.add(*codes, np.array(time_s, dtype=float), np.full(n, 116.3), 39.9 + np.array(north_m, dtype=float) / M_PER_DEGREE)
    return gathering


def cleaned(gathering: Gathering) -> tuple[Points, Omissions]:
    points = gathering.joined()
    clean(points, FAST_MPS, gathering.omissions)
    return points, gathering.omissions


def metres(points: Points) -> list[int]:
    return np.rint((points.lat - 39.9) * M_PER_DEGREE).astype(int).tolist()


def test_a_quarter_of_a_meridian_and_of_the_equator_are_equally_long() -> None:
    assert distance_m(10.0, 0.0, 10.0, 90.0) == pytest.approx(math.pi / 2 * EARTH_RADIUS_M)
    assert distance_m(-170.0, 0.0, 100.0, 0.0) == pytest.approx(math.pi / 2 * EARTH_RADIUS_M)


@pytest.mark.parametrize(
    ("north_m", "left", "jumps"),
    [
        ([0, 10, 20, 30], [0, 10, 20, 30], 0),
        ([0, 10, 5000, 30, 40], [0, 10, 30, 40], 0),  # one point elsewhere
        ([0, 10, 5000, -5000, 40], [0, 10, 40], 0),  # two, each elsewhere
        ([0, 10, 5000, 20, 5000, 30], [0, 10, 20, 30], 0),  # a receiver between two minds
        ([0, 10, 5000, 5010, 40, 50], [0, 10, 5000, 5010, 40, 50], 2),  # a run elsewhere
        ([5000, 10, 20, 30], [5000, 10, 20, 30], 1),  # the first point has one neighbour only
        ([0, 10, 20, 5000], [0, 10, 20, 5000], 1),
        ([0, 70], [0, 70], 0),  # as fast as may be
    ],
)
def test_what_is_too_fast_from_both_neighbours_goes_and_a_run_is_cut(north_m: list[float], left: list[int], jumps: int) -> None:
    points, omissions = cleaned(gathered(list(range(len(north_m))), north_m))
    assert metres(points) == left
    assert omissions.points == ({"impossible_speed": len(north_m) - len(left)} if len(left) < len(north_m) else {})
    cut(points, 60, FAST_MPS * (1 + 1e-9), omissions)
    assert omissions.notes["jumps"] == jumps


def test_points_are_put_into_order_and_the_first_of_two_at_one_time_stays() -> None:
    points, omissions = cleaned(gathered([0, 2, 1, 2, 3], [0, 20, 10, 25, 30]))
    assert points.time_s.tolist() == [0, 1, 2, 3]
    assert metres(points) == [0, 10, 20, 30]
    assert omissions.notes == {"misplaced": 1}
    assert omissions.points == {"same_time": 1}


def test_traces_mixed_in_a_file_are_told_apart() -> None:
    points, omissions = cleaned(gathered([0, 0, 1, 1], [0, 5000, 10, 5010], trace=[0, 1, 0, 1]))
    assert points.trace.tolist() == [0, 0, 1, 1]
    assert not omissions.notes
    assert not omissions.points


def test_a_point_that_is_wrong_by_itself_is_counted_under_one_reason() -> None:
    gathering = Gathering("here", 1000, 0.0, 100.0, Omissions())
    gathering.new_trace("a", "")
    gathering.new_part("")
    rows = [(math.nan, 0, 0), (1, math.nan, 1), (2, 0, 0), (3, 181, 1), (4, 1, -91), (101, 1, 1), (-1, 1, 1), (5, 1, 1)]
    time_s, lon, lat = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    zeros = np.zeros(len(rows), dtype=np.int32)
    gathering.add(zeros, zeros, time_s, lon, lat)
    assert gathering.joined().time_s.tolist() == [5]
    assert gathering.omissions.points == {"no_time": 1, "no_position": 1, "null_island": 1, "impossible_coordinates": 2, "other_times": 2}


def test_a_gap_is_longer_than_the_longest_and_pieces_are_numbered() -> None:
    points, omissions = cleaned(gathered([0, 60, 120, 181, 200], [0, 1, 2, 3, 5]))
    pieces = cut(points, 60, FAST_MPS, omissions)
    assert pieces.names == ["a-1", "a-2"]
    assert pieces.duration_s.tolist() == [120, 19]
    assert pieces.length_m == pytest.approx([2, 2], abs=1e-6)
    assert omissions.notes == {"gaps": 1}


# -------------------------------------------------------------------------------------------------------------------- for any points

POINT = st.tuples(
    st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 1]),
    st.integers(0, 300) | st.just(math.nan),
    st.integers(-100, 100) | st.integers(4900, 5100) | st.just(math.nan),
)


def pieces_of(rows: list[tuple[int, int, float, float]], max_gap_s: float) -> tuple[Pieces, Omissions] | None:
    trace, part, time_s, north_m = (list(column) for column in zip(*rows, strict=True))
    gathering = gathered(time_s, north_m, trace, part)
    if gathering.omissions.points.total() == len(rows):
        return None
    points, omissions = cleaned(gathering)
    return cut(points, max_gap_s, FAST_MPS, omissions), omissions


@given(st.lists(POINT, min_size=1, max_size=40), st.sampled_from([5.0, 30.0, 1000.0]))
def test_pieces_are_made_of_points_read_in_order_without_gap_or_jump_and_all_is_counted(rows, max_gap_s: float) -> None:
    found = pieces_of(rows, max_gap_s)
    if found is None:
        return
    pieces, omissions = found
    points = pieces.points
    read = {(trace, part, time, 39.9 + north / M_PER_DEGREE) for trace, part, time, north in rows}
    columns = (points.trace.tolist(), points.part.tolist(), points.time_s.tolist(), points.lat.tolist())
    assert set(zip(*columns, strict=True)) <= read
    assert omissions.points_read == len(rows) == len(points) + omissions.points.total()
    assert omissions.traces_cut == len(pieces)
    assert len(set(pieces.names)) == len(pieces)
    assert np.array_equal(pieces.first[1:], pieces.end[:-1])
    for first, end in zip(pieces.first, pieces.end, strict=True):
        inside = slice(first, end)
        assert len(set(points.trace[inside])) == len(set(points.part[inside])) == 1
        passed_s = np.diff(points.time_s[inside])
        assert (passed_s > 0).all()
        assert (passed_s <= max_gap_s).all()
        steps_m = np.abs(np.diff(points.lat[inside])) * M_PER_DEGREE
        assert (steps_m <= FAST_MPS * passed_s * (1 + 1e-6)).all()


@given(st.lists(POINT, min_size=1, max_size=40), st.integers(0, 5), st.integers(1, 4))
def test_what_is_drawn_and_what_is_left_out_add_up_and_follow_from_the_seed(rows, seed: int, number: int) -> None:
    found, again = pieces_of(rows, 30.0), pieces_of(rows, 30.0)
    if found is None or again is None:
        return
    (pieces, omissions), (others, _) = found, again
    made = len(pieces)
    choose(pieces, Selection(number=number), seed, omissions)
    choose(others, Selection(number=number), seed, Omissions())
    assert pieces.names == others.names
    assert len(pieces) == min(made, number) == omissions.traces_kept
    assert omissions.fewer == max(0, number - made)
    assert omissions.points_kept == int((pieces.end - pieces.first).sum())


def test_a_trace_is_drawn_or_not_whatever_else_there_is() -> None:
    rows = [(trace, 0, float(t), 0.0) for trace in range(3) for t in range(3)]
    for seed in range(20):
        everyone, omissions = pieces_of(rows, 30.0)
        choose(everyone, Selection(number=1), seed, omissions)
        without = {row[0] for row in rows} - {["a", "b", "c"].index(everyone.names[0])}
        left_out = max(without)
        fewer, omissions = pieces_of([row for row in rows if row[0] != left_out], 30.0)
        choose(fewer, Selection(number=1), seed, omissions)
        assert fewer.names == everyone.names


def test_every_count_has_words() -> None:
    omissions = Omissions(points_read=10, traces_cut=4, fewer=2)
    for reason in POINT_REASONS:
        omissions.leave_out_points(reason, 1)
    for reason in TRACE_REASONS:
        omissions.leave_out_traces(reason, 1, 2)
    for what in NOTES:
        omissions.note(what, 3)
    text = " ".join(omissions.sentences())
    assert all(words in text for words in (*POINT_REASONS.values(), *TRACE_REASONS.values(), *NOTES.values()))
    assert omissions.facts()["points_left_out"] == dict.fromkeys(sorted(POINT_REASONS), 1)
