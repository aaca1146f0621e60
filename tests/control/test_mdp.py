"""The Markov decision process on distance: values that follow from its formulas, and its properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from msmf_traci.strategies.mdp import cost_of_hops, solve, walk_on_hexagons


def solved(discount: float, ratio: float, leave: float, farthest: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """With a migration cost that is `ratio` times as large as that of transmission, and 1 more."""
    migration, transmission = cost_of_hops(farthest, 1 + ratio, -ratio, 0.8), cost_of_hops(farthest, 1.0, -1.0, 0.8)
    return solve(migration, transmission, walk_on_hexagons(farthest, 1 - leave), discount)


@pytest.mark.parametrize(
    ("discount", "ratio", "leave", "first", "at_0", "at_5"),
    [
        (0.5, 0, 0.1, 4, 0.0367, 1.0367),
        (0.5, 0, 0.5, 4, 0.1426, 1.1426),
        (0.9, 0, 0.1, 2, 0.8550, 1.8550),
        (0.9, 1, 0.1, 2, 0.9036, 2.5759),
        (0.9, 1, 0.5, 3, 2.2296, 3.9019),
        (0.9, 4, 0.5, 5, 2.6405, 6.3297),
        (0.99, 1, 0.5, 3, 28.2260, 29.8983),
    ],
)
def test_golden_values(discount: float, ratio: float, leave: float, first: int, at_0: float, at_5: float) -> None:
    action, value = solved(discount, ratio, leave)
    assert next(d for d in range(11) if action[d] < d) == first
    assert value[0] == approx(at_0, abs=1e-4) and value[5] == approx(at_5, abs=1e-4)


@given(st.integers(2, 30), st.floats(0, 1))
def test_a_walk_goes_somewhere(farthest: int, stay: float) -> None:
    transition = walk_on_hexagons(farthest, stay)
    assert transition.sum(axis=1) == approx(np.ones(farthest + 1))
    assert transition.min() >= 0


@settings(deadline=None)
@given(st.sampled_from([0.0, 0.5, 0.9, 0.99]), st.sampled_from([0.0, 1.0, 4.0]), st.floats(0, 1), st.integers(2, 12))
def test_no_other_action_costs_less(discount: float, ratio: float, leave: float, farthest: int) -> None:
    """Bellman's equation holds, and at the farthest distance the container moves."""
    action, value = solved(discount, ratio, leave, farthest)
    migration, transmission = cost_of_hops(farthest, 1 + ratio, -ratio, 0.8), cost_of_hops(farthest, 1.0, -1.0, 0.8)
    later = discount * walk_on_hexagons(farthest, 1 - leave) @ value
    for d in range(farthest + 1):
        costs = [migration[d - a] + transmission[a] + later[a] for a in range(min(d, farthest - 1) + 1)]
        assert value[d] == approx(min(costs), abs=1e-9)
        assert costs[action[d]] == approx(min(costs), abs=1e-9)
    assert action[farthest] < farthest
