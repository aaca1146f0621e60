"""The engine decodes what the plain implementation decodes, on small crooked grids."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msmf_traci.mobility.matching.decoding import Columns, best_state
from msmf_traci.mobility.matching.following import trace_back
from msmf_traci.mobility.matching.matcher import Matcher, MatchingOptions, Tracker
from msmf_traci.mobility.matching.road_index import RoadIndex
from tests.mobility.matching.grids import drive, make_grid
from tests.reference.plain_matching import OFF_ROAD, Place, PlainMatching, State


def states_of(columns: Columns, last: int) -> list[State]:
    """The engine's states on the best way that is known when position `last` has come in."""
    states, _ = trace_back(columns, last, best_state(columns, last), 0)
    places = columns.start[:-1][: last + 1] + states
    return [OFF_ROAD if state < 0 else place_at(columns, int(place)) for state, place in zip(states, places, strict=True)]


def place_at(columns: Columns, place: int) -> Place:
    return Place(int(columns.edge[place]), float(columns.position_m[place]), float(columns.distance_m[place]))


def assert_near(one: State, other: State) -> None:
    assert (one is OFF_ROAD) == (other is OFF_ROAD)
    if one is not OFF_ROAD and other is not OFF_ROAD:
        assert one.edge == other.edge and one.position_m == pytest.approx(other.position_m, abs=1e-6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 20),
    st.integers(0, 10_000),
    st.sampled_from([4.0, 10.0, 25.0]),
    st.sampled_from([1.0, 4.0, 15.0]),
    st.sampled_from([0, 3]),
)
def test_states_and_their_costs_are_those_of_the_plain_implementation(
    city: int, seed: int, sigma_m: float, interval_s: float, points_off: int
) -> None:
    roads = make_grid(city)
    driven = drive(roads, np.random.default_rng(seed), samples=14, interval_s=interval_s, sigma_m=sigma_m)
    driven.x_m[5 : 5 + points_off] += 300.0
    matcher = Matcher(roads, RoadIndex(roads), MatchingOptions(sigma_m, np.inf, drives=False))
    tracker = Tracker(matcher)
    tracker.feed(driven.time_s, driven.x_m, driven.y_m)
    columns = tracker._columns
    assert columns is not None
    points = [(float(x), float(y)) for x, y in zip(driven.x_m, driven.y_m, strict=True)]
    plain = PlainMatching(roads, sigma_m, matcher.noise.beta_m, matcher.off_road_m)
    expected = plain.decode(points)
    for k, column in enumerate(expected):
        costs = {place.edge: cost for place, (cost, _) in column.items() if place is not OFF_ROAD}
        places = slice(columns.start[k], columns.start[k + 1])
        assert columns.off_cost[k] == pytest.approx(column[OFF_ROAD][0])
        found = dict(zip(columns.edge[places].tolist(), columns.cost[places].tolist(), strict=True))
        assert found.keys() == costs.keys()
        assert [found[edge] for edge in costs] == pytest.approx(list(costs.values()))
    for last in range(1, len(points), 4):
        mine, theirs = plain.best_states(expected, last), states_of(columns, last)
        least = min(cost for cost, _ in expected[last].values())
        assert plain.cost_of(points[: last + 1], theirs) == pytest.approx(least)
        if is_only_one(plain, points[: last + 1], mine):
            for one, other in zip(mine, theirs, strict=True):
                assert_near(one, other)


def is_only_one(plain: PlainMatching, points: list[tuple[float, float]], states: list[State]) -> bool:
    """Whether no other state of any one position does as well: the end of a road and the begin of the next are the same place."""
    least = plain.cost_of(points, states)
    for k, point in enumerate(points):
        for other in [*plain.places(*point), OFF_ROAD]:
            if other != states[k] and math.isclose(plain.cost_of(points, [*states[:k], other, *states[k + 1 :]]), least, abs_tol=1e-6):
                return False
    return True


@pytest.mark.parametrize("lag_s", [0.0, 3.0, 8.0])
def test_edges_decided_with_a_lag_are_those_of_the_plain_implementation(lag_s: float) -> None:
    """Where smoothing does not move a place onto another edge: far from junctions."""
    roads = make_grid(1)
    agreed = 0
    for seed in range(8):
        driven = drive(roads, np.random.default_rng(seed), samples=25, sigma_m=4.0)
        decided = (
            Matcher(roads, RoadIndex(roads), MatchingOptions(4.0, lag_s, drives=False)).match(driven.time_s, driven.x_m, driven.y_m).decided
        )
        plain = PlainMatching(roads, 4.0, 8.0, 40.0)
        columns = plain.decode([(float(x), float(y)) for x, y in zip(driven.x_m, driven.y_m, strict=True)])
        for k, state in enumerate(plain.fixed_lag(driven.time_s.tolist(), columns, lag_s)):
            if state is not OFF_ROAD and 20.0 < state.position_m < roads.length_m[state.edge] - 20.0:
                assert decided.edge[k] == state.edge
                agreed += 1
    assert agreed > 50
