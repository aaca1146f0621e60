"""What holds for every trace: how positions come in does not matter, and nothing is decided by what is not known yet."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from msmf_traci.mobility.matching.following import Places
from msmf_traci.mobility.matching.matcher import MOST_OPEN, Matched, Matcher, MatchingOptions, Tracker
from msmf_traci.mobility.matching.road_index import RoadIndex
from msmf_traci.roads.roads import Roads
from tests.mobility.matching.grids import Driven, drive, make_grid

CITIES = {seed: make_grid(seed) for seed in range(3)}
INDICES = {seed: RoadIndex(roads) for seed, roads in CITIES.items()}
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
worlds = st.tuples(st.sampled_from(sorted(CITIES)), st.integers(0, 10_000), st.sampled_from([3.0, 8.0, 20.0]), st.sampled_from([1.0, 5.0]))
lags_s = st.sampled_from([0.0, 3.0, 7.5, 20.0, np.inf])


def made(world: tuple[int, int, float, float], lag_s: float, samples: int = 60) -> tuple[Matcher, Driven]:
    """A matcher, and a trace that leaves the roads once in a while."""
    city, seed, sigma_m, interval_s = world
    generator = np.random.default_rng(seed)
    driven = drive(CITIES[city], generator, samples=samples, interval_s=interval_s, sigma_m=sigma_m)
    if generator.random() < 0.5:
        begin = int(generator.integers(0, samples - 10))
        driven.x_m[begin : begin + 8] += 400.0
    return Matcher(CITIES[city], INDICES[city], MatchingOptions(sigma_m, lag_s)), driven


def fed(matcher: Matcher, driven: Driven, borders: list[int]) -> tuple[Matched, Places]:
    """A trace in parts that end at some borders; what is matched in the end, and what was decided on the way."""
    tracker = Tracker(matcher)
    parts = []
    for part in np.split(np.arange(len(driven.time_s)), sorted(borders)):
        parts.append(tracker.feed(driven.time_s[part], driven.x_m[part], driven.y_m[part]))
    early = Places(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return tracker.finish(), early


def assert_same(one: Matched, other: Matched) -> None:
    for name in Places._fields:
        np.testing.assert_array_equal(getattr(one.decided, name), getattr(other.decided, name), err_msg=name)
    for name in ("route", "route_index", "route_m"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@some
@given(worlds, lags_s, st.lists(st.integers(0, 60), max_size=8))
def test_parts_make_no_difference(world: tuple[int, int, float, float], lag_s: float, borders: list[int]) -> None:
    matcher, driven = made(world, lag_s)
    whole = matcher.match(driven.time_s, driven.x_m, driven.y_m)
    in_parts, early = fed(matcher, driven, borders)
    one_by_one, _ = fed(matcher, driven, list(range(1, 60)))
    assert_same(in_parts, whole)
    assert_same(one_by_one, whole)
    for name in Places._fields:
        np.testing.assert_array_equal(getattr(early, name), getattr(whole.decided, name)[: len(early.edge)], err_msg=name)


@pytest.mark.parametrize("lag_s", [5.0, np.inf])
def test_parts_make_no_difference_when_what_is_old_is_forgotten(lag_s: float) -> None:
    matcher, driven = made((0, 1, 5.0, 1.0), lag_s, samples=3 * MOST_OPEN)
    whole = matcher.match(driven.time_s, driven.x_m, driven.y_m)
    assert_same(fed(matcher, driven, list(range(1, len(driven.time_s))))[0], whole)
    assert_same(fed(matcher, driven, [100, 700, 701, 1400])[0], whole)


@some
@given(worlds, st.sampled_from([0.0, 3.0, 7.5, 20.0]), st.integers(1, 59), st.integers(0, 100))
def test_what_comes_after_the_lag_changes_nothing(world: tuple[int, int, float, float], lag_s: float, cut: int, seed: int) -> None:
    matcher, driven = made(world, lag_s)
    changed = np.random.default_rng(seed).normal(0.0, 60.0, 60 - cut)
    before = matcher.match(driven.time_s, driven.x_m, driven.y_m).decided
    x_m = np.concatenate([driven.x_m[:cut], driven.x_m[cut:] + changed])
    after = matcher.match(driven.time_s, x_m, driven.y_m).decided
    is_decided = driven.time_s + lag_s < driven.time_s[cut]
    for name in Places._fields:
        np.testing.assert_array_equal(getattr(before, name)[is_decided], getattr(after, name)[is_decided], err_msg=name)


@some
@example((0, 1721, 20.0, 1.0), 0.0)  # comes back to a road that it was on before it left the roads
@given(worlds, lags_s)
def test_places_are_on_roads_and_the_way_is_one(world: tuple[int, int, float, float], lag_s: float) -> None:
    matcher, driven = made(world, lag_s)
    roads = CITIES[world[0]]
    matched = matcher.match(driven.time_s, driven.x_m, driven.y_m)
    decided, is_on = matched.decided, matched.route_index >= 0
    assert len(decided.edge) == len(driven.time_s)
    on_road = decided.edge >= 0
    assert (decided.position_m >= 0).all() and (decided.position_m[on_road] <= roads.length_m[decided.edge[on_road]]).all()
    assert np.isnan(decided.distance_m[~on_road]).all() and (decided.distance_m[on_road] <= matcher.off_road_m).all()
    at = matched.route_index[is_on]
    assert (np.diff(at) >= 0).all() and (at < len(matched.route)).all()
    forward_m = np.diff(matched.route_m[is_on])
    assert (forward_m[np.diff(at) == 0] >= 0).all()
    assert (matched.route_m[is_on] >= 0).all() and (matched.route_m[is_on] <= roads.length_m[matched.route[at]]).all()
    assert_connected(roads, matched)


def assert_connected(roads: Roads, matched: Matched) -> None:
    """Between two positions on roads without one off them in between, every edge of the way follows the one before."""
    for k in range(1, len(matched.route_index)):
        begin, end = matched.route_index[k - 1 : k + 1]
        if begin < 0 or end < 0:
            continue
        for source, follower in zip(matched.route[begin:end], matched.route[begin + 1 : end + 1], strict=True):
            assert follower in roads.follower[roads.follower_start[source] : roads.follower_start[source + 1]]


@some
@given(worlds)
def test_without_a_limit_to_the_lag_what_is_decided_is_the_way(world: tuple[int, int, float, float]) -> None:
    matcher, driven = made(world, np.inf)
    matched = matcher.match(driven.time_s, driven.x_m, driven.y_m)
    is_on = matched.route_index >= 0
    np.testing.assert_array_equal(is_on, matched.decided.edge >= 0)
    is_same = matched.route[matched.route_index[is_on]] == matched.decided.edge[is_on]
    moved = np.flatnonzero(is_on)[~is_same]
    # who was smoothed back behind the one before it stays with it
    assert all(k > 0 and matched.route_index[k] == matched.route_index[k - 1] for k in moved)


@some
@given(worlds, st.sampled_from([20.0, 60.0]))
def test_a_lag_longer_than_the_trace_knows_everything(world: tuple[int, int, float, float], more_s: float) -> None:
    matcher, driven = made(world, np.inf, samples=20)
    late = Matcher(CITIES[world[0]], INDICES[world[0]], MatchingOptions(world[2], float(driven.time_s[-1]) + more_s))
    expected = matcher.match(driven.time_s, driven.x_m, driven.y_m)
    assert_same(late.match(driven.time_s, driven.x_m, driven.y_m), expected)


@pytest.mark.parametrize(("lag_s", "wait_s"), [(0.0, 0.0), (5.0, 5.0), (7.5, 8.0)])
def test_position_is_decided_with_the_first_one_that_comes_when_the_lag_is_over(lag_s: float, wait_s: float) -> None:
    matcher, driven = made((0, 1, 5.0, 1.0), lag_s)
    tracker = Tracker(matcher)
    feeds = [tracker.feed(*(column[k : k + 1] for column in (driven.time_s, driven.x_m, driven.y_m))) for k in range(60)]
    decided = [len(places.edge) for places in feeds]
    assert decided == [0] * int(wait_s) + [1] * (60 - int(wait_s))
