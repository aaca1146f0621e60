"""Section 6 of the model, "next home": which stretch is the vehicle's own, which home comes next, and where the horizon cuts."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.ahead import Ahead

A, B, C, E = 1, 2, 3, 4
ROAD = [(A, 0.0, 250.0), (B, 250.0, 750.0), (C, 750.0, 1200.0)]


def next_home(ahead: Ahead, host: int) -> int:
    return int(ahead.next_home(np.full(len(ahead.position_m), host))[0])


def seen(ahead: Ahead, vehicle: int = 0) -> list[tuple[int, float, float]]:
    exists = ahead.exists[vehicle]
    columns = (ahead.server, ahead.entry_m, ahead.exit_m)
    return list(zip(*(column[vehicle][exists].tolist() for column in columns), strict=True))


# ------------------------------------------------------------------------------------------------------------------ the own stretch


@pytest.mark.parametrize(
    ("position_m", "home", "own"),
    [
        (100.0, A, 0),
        (249.9, A, 0),
        (250.0, A, -1),  # A's stretch does not end beyond the position
        (100.0, B, -1),  # B begins 150 m ahead
        (219.9, B, -1),  # 30.1 m ahead
        (220.0, B, 1),  # 30 m ahead: at most the slack
        (225.0, B, 1),
        (749.0, B, 1),
        (300.0, C, -1),
        (300.0, E, -1),
    ],
)
def test_the_own_stretch_is_of_the_attached_home_ends_beyond_and_begins_within_the_slack(
    bench: Any, position_m: float, home: int, own: int
) -> None:
    assert bench.ahead([ROAD], position_m, home).own.tolist() == [own]


def test_the_slack_is_an_option(bench: Any) -> None:
    assert bench.ahead([ROAD], 240.0, B, slack_m=0.0).own.tolist() == [-1]
    assert bench.ahead([ROAD], 100.0, B, slack_m=150.0).own.tolist() == [1]


def test_the_first_stretch_of_the_attached_home_is_its_own(bench: Any) -> None:
    twice = [(A, 0.0, 100.0), (B, 100.0, 120.0), (A, 120.0, 300.0), (C, 300.0, 400.0)]
    assert bench.ahead([twice], 95.0, A).own.tolist() == [0]  # the second A qualifies too, 25 m ahead
    assert next_home(bench.ahead([twice], 95.0, A), host=A) == B
    assert bench.ahead([twice], 105.0, A).own.tolist() == [2]  # the first A lies behind
    assert next_home(bench.ahead([twice], 105.0, A), host=A) == C


# -------------------------------------------------------------------------------------------------------------------- the next home


def test_the_next_home_is_the_first_after_the_own_stretch(bench: Any) -> None:
    assert next_home(bench.ahead([ROAD], 100.0, A), host=A) == B
    # attached to B already while its stretch begins 25 m ahead: C is next, not B or A
    assert next_home(bench.ahead([ROAD], 225.0, B), host=A) == C
    assert next_home(bench.ahead([ROAD], 1000.0, C), host=C) == NO_SERVER


def test_without_an_own_stretch_the_search_begins_with_the_stretch_at_the_position(bench: Any) -> None:
    # attached to A 10 m beyond its end: the stretch at the position is B's, and it counts
    assert next_home(bench.ahead([ROAD], 260.0, A), host=A) == B
    # attached to E, which the road does not touch: A where the vehicle is, B if the container runs on A
    assert next_home(bench.ahead([ROAD], 100.0, E), host=E) == A
    assert next_home(bench.ahead([ROAD], 100.0, E), host=A) == B
    # on a border the stretch that begins there is the one at the position
    assert next_home(bench.ahead([ROAD], 250.0, E), host=E) == B
    # beyond the last stretch there is nothing
    assert next_home(bench.ahead([ROAD], 1200.0, E), host=E) == NO_SERVER


def test_the_next_home_is_neither_the_attached_home_nor_the_host(bench: Any) -> None:
    road = [(A, 0.0, 100.0), (B, 100.0, 200.0), (A, 200.0, 300.0), (C, 300.0, 400.0)]
    assert next_home(bench.ahead([road], 50.0, A), host=B) == C
    assert next_home(bench.ahead([road], 50.0, A), host=C) == B
    assert next_home(bench.ahead([road[:3]], 50.0, A), host=B) == NO_SERVER


def test_stretches_passed_over_are_no_next_home(bench: Any) -> None:
    passed_over = np.array([[False, True, False]])
    assert bench.ahead([ROAD], 100.0, A).next_home(np.array([A]), passed_over).tolist() == [C]


def test_a_vehicle_that_sees_nothing_has_no_next_home_and_no_known_coverage(bench: Any) -> None:
    for ahead in (bench.ahead([[]], 0.0, A), bench.ahead([ROAD, []], 0.0, A)):
        vehicle = len(ahead.position_m) - 1
        assert ahead.own[vehicle] == -1
        assert ahead.next_home(np.full(vehicle + 1, A))[vehicle] == NO_SERVER
        assert np.isinf(ahead.coverage_m()[vehicle])


SERVER = st.integers(1, 4)
LENGTH = st.sampled_from([5.0, 20.0, 30.0, 60.0, 200.0])


@st.composite
def roads_ahead(draw: st.DrawFn) -> list[tuple[int, float, float]]:
    servers = draw(st.lists(SERVER, min_size=1, max_size=7))
    servers = [server for i, server in enumerate(servers) if i == 0 or server != servers[i - 1]]  # merged by home
    ends = np.cumsum([draw(LENGTH) for _ in servers]).tolist()
    return list(zip(servers, [0.0, *ends[:-1]], ends, strict=True))


@settings(deadline=None)
@given(st.lists(st.tuples(roads_ahead(), st.integers(0, 50), SERVER, SERVER), min_size=1, max_size=5))
def test_next_home_and_coverage_follow_the_text_word_by_word(bench: Any, vehicles: list[tuple]) -> None:
    rows = [row for row, _, _, _ in vehicles]
    position = [min(5.0 * steps, rows[i][-1][2]) for i, (_, steps, _, _) in enumerate(vehicles)]
    ahead = bench.ahead(rows, position, [home for _, _, home, _ in vehicles])
    found = ahead.next_home(np.array([host for _, _, _, host in vehicles])).tolist()
    coverage = ahead.coverage_m().tolist()
    for i, (row, _, home, host) in enumerate(vehicles):
        qualified = [
            j for j, (server, entry, exit_) in enumerate(row) if exit_ > position[i] and entry <= position[i] + 30 and server == home
        ]
        at_position = [j for j, (_, entry, exit_) in enumerate(row) if entry <= position[i] < exit_]
        rest = row[qualified[0] + 1 :] if qualified else row[at_position[0] :] if at_position else []
        assert found[i] == next((server for server, _, _ in rest if server not in (home, host)), NO_SERVER)
        inside = not qualified or qualified[0] == len(row) - 1
        assert coverage[i] == (np.inf if inside else row[qualified[0]][2] - position[i])


# ---------------------------------------------------------------------------------------------------------------- map and horizon


def test_what_begins_at_the_horizon_is_not_seen_and_the_last_stretch_is_cut_there(bench: Any) -> None:
    # Northward from y = 0: borders 250, 750, 1250, 1750 m on. Horizon 650 m.
    predictor = bench.map_predictor(bench.roads([[(0, 0), (0, 2400)]]), horizon_m=650.0)
    names = [bench.cell(0, r) for r in range(5)]

    def at(position_m: float) -> list[tuple[int, float, float]]:
        return seen(bench.look(predictor, bench.frame(position_m=position_m), [names[0]], [0], horizon_m=650.0))

    assert at(0.0) == [(names[0], 0, pytest.approx(250)), (names[1], pytest.approx(250), 650)]  # the third begins 750 m ahead
    assert at(99.0)[-1] == (names[1], pytest.approx(250), 749)
    assert at(101.0)[-1] == (names[2], pytest.approx(750), 751)
    assert at(1800.0)[-1] == (bench.cell(0, 5), pytest.approx(2250), pytest.approx(2400))  # the road ends before the horizon


def test_the_chain_reaches_the_horizon_from_every_position_on_the_edge(bench: Any) -> None:
    # Three edges of 700 m, horizon 800: from position 699 the view ends at 1499, on the third edge.
    roads = bench.roads([[(0, 700 * i), (0, 700 * (i + 1))] for i in range(3)], successor=[1, 2, -1])
    ahead = bench.look(bench.map_predictor(roads, horizon_m=800.0), bench.frame(position_m=699.0), [bench.cell(0, 1)], [0], horizon_m=800.0)
    assert seen(ahead)[-1] == (bench.cell(0, 3), pytest.approx(1250), 1499)


def test_the_homes_of_the_vehicles_tier_are_merged(bench: Any) -> None:
    predictor = bench.map_predictor(bench.roads([[(0, 0), (0, 1200)]]))
    home = np.array([bench.cell(0, 0), bench.region(0, 0)])
    ahead = bench.look(predictor, bench.frame(vehicle=[0, 1]), home, np.array([0, 1]))
    assert bench.names([server for server, _, _ in seen(ahead, 0)]) == ["L:0,0", "L:0,1", "L:0,2"]
    assert seen(ahead, 1) == [(bench.region(0, 0), 0, pytest.approx(750)), (bench.region(0, 2), pytest.approx(750), pytest.approx(1200))]


def test_off_the_map_nothing_is_seen(bench: Any) -> None:
    roads = bench.roads([[(0, 0), (0, 1200)]])
    off = bench.frame(vehicle=[0, 1], edge=[-1, 0], route_index=[-1, 0])
    home = np.array([bench.cell(0, 0)] * 2)
    for predictor in (bench.map_predictor(roads), bench.route_predictor(roads, [np.array([0])])):
        ahead = bench.look(predictor, off, home, [0, 0])
        assert seen(ahead, 0) == []
        assert len(seen(ahead, 1)) == 3


# ------------------------------------------------------------------------------------------------------------------- known routes


def test_the_oracle_sees_the_rest_of_the_route_from_the_vehicles_place_on_it(bench: Any) -> None:
    # There and back and there again: the map's chain stops where an edge repeats, the route does not.
    roads = bench.roads([[(0, 0), (0, 400)], [(0, 400), (0, 0)]], successor=[1, 0])
    a, b = bench.cell(0, 0), bench.cell(0, 1)
    route = bench.route_predictor(roads, [np.array([1]), np.array([0, 1, 0])])
    frame = bench.frame(vehicle=[0, 1], route=1, route_index=[0, 2], edge=[0, 0])
    ahead = bench.look(route, frame, [a, a], [0, 0])
    assert [server for server, _, _ in seen(ahead, 0)] == [a, b, a, b]
    assert [server for server, _, _ in seen(ahead, 1)] == [a, b]
    chain = bench.look(bench.map_predictor(roads), frame, [a, a], [0, 0])
    assert [server for server, _, _ in seen(chain, 0)] == [a, b, a]


def test_routes_may_become_known_while_vehicles_drive_and_both_tiers_see_them(bench: Any) -> None:
    roads = bench.roads([[(0, 0), (0, 1200)], [(0, 1200), (0, 1900)]])
    routes = [np.array([0])]
    predictor = bench.route_predictor(roads, routes)
    home, tier = np.array([bench.cell(0, 0), bench.region(0, 0)]), np.array([0, 1])
    before = bench.look(predictor, bench.frame(vehicle=[0, 1]), home, tier)
    routes.append(np.array([0, 1]))
    after = bench.look(predictor, bench.frame(vehicle=[0, 1], route=[0, 1]), home, tier)
    assert seen(after, 0) == seen(before, 0)
    assert bench.names([server for server, _, _ in seen(after, 1)]) == ["R:0,0", "R:1,2"]
    assert seen(after, 1)[-1][2] == 1500.0  # cut at the horizon; the first route ends at 1200
    assert seen(before, 1)[-1][2] == pytest.approx(1200)
