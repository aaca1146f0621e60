"""The bound on what a trip costs (model, section 14): closed forms on paper, every plan of the programme, every plan of the engine."""

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from msmf_traci.migration.bound import AWAY, programme
from tests.migration.brute_worlds import best_of, draw_world, drawn_plans

find: Any = partial(programme, bytes_cost=1.0, image_cost=4.0, downtime_s=0.5, unsatisfied_per_s=1.0, with_excursions=True)


def test_a_trip_that_one_server_serves_costs_nothing():
    cost, path, images = find(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([10.0, 10.0]))
    assert (cost, path.tolist(), images) == (0, [0, 0], 0)


def test_a_move_costs_its_bytes_the_image_and_the_downtime():
    """Server 0 serves the first 20 s, server 1 the last 20 s: 1 + 4, and half a second; or 3 s unsatisfied in place of 20."""
    price = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert find(price, np.array([20.0, 20.0]))[0] == approx(5.5)
    assert find(price, np.array([20.0, 3.0]))[0] == approx(3)
    relaying = np.array([[0.2, 1.0], [1.0, 0.4]])  # of the half second, 0.6 of what it costs are spent already
    assert find(relaying, np.array([20.0, 20.0]))[0] == approx(20 * 0.2 + 5 + 0.5 * 0.4 + 20 * 0.4)


def test_where_the_server_did_not_serve_before_nobody_misses_the_downtime():
    price = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    assert find(price, np.array([20.0, 2.0, 20.0]))[0] == approx(2 + 5)


def test_downtime_is_no_longer_than_the_shorter_stay():
    """A tenth of a second lies between 20 s on server 0 and 20 s on server 1."""
    price = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    assert find(price, np.array([20.0, 0.1, 20.0]))[0] == approx(5.1)


def test_a_start_is_free_anywhere():
    cost, path, _ = find(np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([7.0, 9.0]))
    assert (cost, path.tolist()) == (7, [0, 0])


def test_where_no_server_is_worth_it_all_time_is_unsatisfied():
    cost, path, _ = find(np.zeros((2, 0)), np.array([3.0, 4.0]))
    assert (cost, path.tolist()) == (7, [AWAY, AWAY])


def test_whoever_comes_back_pays_no_second_image():
    """Server 0 serves at the begin and at the end, in between server 1: two moves, one image, which the excursion has needed."""
    price = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    cost, path, images = find(price, np.array([20.0, 20.0, 20.0]))
    assert (cost, path.tolist(), images) == (approx(2 * 1 + 4), [0, AWAY, 0], 1)
    assert find(price, np.array([20.0, 20.0, 20.0]), with_excursions=False)[0] == approx(2 * (1 + 4 + 0.5))


def test_an_excursion_to_the_server_that_follows_pays_the_image_once():
    """As before, but then the trip goes on where only server 1 serves: three moves, one image."""
    price = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    cost, path, images = find(price, np.full(4, 20.0))
    assert (cost, path.tolist(), images) == (approx(3 * 1 + 4 + 0.5), [0, AWAY, 0, 1], 1)


def test_nobody_leaves_a_server_that_was_never_worth_it():
    """Server 0 serves at the end alone. To begin there, and to be away until then, would need one image for two servers."""
    price = np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    assert find(price, np.full(4, 20.0))[0] == approx(2 * (1 + 4 + 0.5))


PRICES = st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0, 1.0])


@st.composite
def programmes(draw: st.DrawFn) -> dict[str, Any]:
    stays, servers = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return {
        "price": np.array(draw(st.lists(st.lists(PRICES, min_size=servers, max_size=servers), min_size=stays, max_size=stays))),
        "lasted_s": np.array(draw(st.lists(st.sampled_from([1.0, 2.0, 5.0, 10.0]), min_size=stays, max_size=stays))),
        "bytes_cost": draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])),
        "image_cost": draw(st.sampled_from([0.0, 1.0, 4.0, 9.0])),
        "downtime_s": draw(st.sampled_from([0.2, 1.0, 3.0])),
    }


@settings(max_examples=300, deadline=None)
@given(programmes())
def test_the_programme_finds_the_cheapest_of_all_sequences(case: dict[str, Any]) -> None:
    cost, _, _ = programme(**case, unsatisfied_per_s=1.0, with_excursions=True)
    assert cost == approx(cheapest_sequence(**case))


@settings(max_examples=300, deadline=None)
@given(programmes())
def test_no_plan_that_pays_each_image_once_costs_less(case: dict[str, Any]) -> None:
    assert programme(**case, unsatisfied_per_s=1.0, with_excursions=True)[0] <= cheapest_plan(**case) + 1e-9


def downtime(price: np.ndarray, lasted_s: np.ndarray, j: int, before: int, now: int, downtime_s: float) -> float:
    if price[j - 1, before] == 1 or price[j, now] == 1:
        return 0.0
    return float(min(downtime_s, lasted_s[j - 1], lasted_s[j]) * (1 - price[j - 1, before] - price[j, now]))


def cheapest_sequence(price: np.ndarray, lasted_s: np.ndarray, bytes_cost: float, image_cost: float, downtime_s: float) -> float:
    """All sequences of starts, moves and excursions, one by one."""
    stays, servers = price.shape
    if price.min() == 1:
        return float(lasted_s.sum())
    found = []

    def has_served(server: int, j: int) -> bool:
        return bool((price[:j, server] < 1).any())

    def go(j: int, server: int, is_away: bool, owes: bool, cost: float) -> None:
        if j == stays:
            if not is_away and not owes:
                found.append(cost)
            return
        away = min(price[j].min(), 1.0) * lasted_s[j]
        here = price[j, server] * lasted_s[j]
        if is_away:
            go(j + 1, server, True, owes, cost + away)
            if price[j, server] < 1:
                go(j + 1, server, False, owes, cost + 2 * bytes_cost + here)
            return
        go(j + 1, server, False, owes, cost + here)
        if not has_served(server, j):
            return
        for other in range(servers):
            if other != server and price[j, other] < 1:
                moved = bytes_cost + image_cost + downtime(price, lasted_s, j, server, other, downtime_s)
                go(j + 1, other, False, False, cost + moved + price[j, other] * lasted_s[j])
        go(j + 1, server, True, owes, cost + image_cost + away)
        go(j + 1, server, True, True, cost + away)

    for server in range(servers):
        go(1, server, False, False, price[0, server] * lasted_s[0])
    return float(min(found))


def cheapest_plan(price: np.ndarray, lasted_s: np.ndarray, bytes_cost: float, image_cost: float, downtime_s: float) -> float:
    """All ways from server to server, where each server but the first needs the image once."""
    stays, servers = price.shape

    def go(j: int, server: int, seen: frozenset[int]) -> float:
        if j == stays:
            return 0.0
        best = price[j, server] * lasted_s[j] + go(j + 1, server, seen)
        for other in set(range(servers)) - {server}:
            moved = bytes_cost + (0.0 if other in seen else image_cost) + max(0.0, downtime(price, lasted_s, j, server, other, downtime_s))
            best = min(best, moved + price[j, other] * lasted_s[j] + go(j + 1, other, seen | {other}))
        return float(best)

    return min(price[0, server] * lasted_s[0] + go(1, server, frozenset([server])) for server in range(servers))


@pytest.mark.parametrize(("frames", "servers"), [(4, 3), (5, 2)])
def test_no_plan_in_the_engine_costs_less(frames: int, servers: int) -> None:
    """Ten worlds, some 7,000 and 13,500 plans each; `scripts/check_bound.py` tries a thousand larger ones."""
    rng, with_two_moves = np.random.default_rng(frames), 0
    for _ in range(10):
        world = draw_world(rng, frames, servers)
        best, most = best_of(world)
        assert world.bound().cost[0] <= best + 1e-9
        with_two_moves += most >= 2
    assert with_two_moves > 5


def test_no_drawn_plan_on_a_larger_world_costs_less() -> None:
    """Twenty trips of 14 frames along six servers, 5,000 plans each."""
    rng, most_moves = np.random.default_rng(0), 0
    for _ in range(20):
        world = draw_world(rng, 14, 6)
        best, most = best_of(world, drawn_plans(world, rng, 5_000))
        assert world.bound().cost[0] <= best + 1e-9
        most_moves = max(most_moves, most)
    assert most_moves > 3
