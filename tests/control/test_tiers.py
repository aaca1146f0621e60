"""Section 2 of the model: the highest tier whose latency meets the level, the lowest where none does, the lowest eligible when slow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.server_map import RequestLatency
from tests.deployments import LOCAL, REGIONAL

TABLE_2 = RequestLatency((15.0, 55.0))  # 10 and 50 ms, and computing


def chosen(choice: TierChoice, level_ms: float, speed_mps: float | None = None) -> int:
    return int(choice.choose(np.array([level_ms]), None if speed_mps is None else np.array([speed_mps]))[0])


@pytest.mark.parametrize(
    ("level_ms", "tier"),
    [(30, LOCAL), (80, REGIONAL), (150, REGIONAL), (55, REGIONAL), (54.999, LOCAL), (15, LOCAL)],
)
def test_the_highest_tier_that_meets_the_level_is_taken(level_ms: float, tier: int) -> None:
    assert chosen(TierChoice(TABLE_2, 0.0, 2), level_ms) == tier
    assert chosen(TierChoice(TABLE_2, 0.0, 2), level_ms, speed_mps=0.0) == tier  # no vehicle is below a least speed of 0


def test_where_no_tier_meets_the_level_the_lowest_is_taken() -> None:
    choice = TierChoice(TABLE_2, 0.0, 2)
    assert chosen(choice, 14.999) == LOCAL
    assert chosen(choice, 14.999, speed_mps=20.0) == LOCAL
    assert choice.eligible(np.array([14.999, 15.0, 55.0])).tolist() == [[False, False], [True, False], [True, True]]


def test_a_strategy_of_one_tier_stays_local() -> None:
    assert [chosen(TierChoice(TABLE_2, 0.0, 1), level) for level in (1.0, 30.0, 150.0)] == [LOCAL] * 3


def test_below_the_least_speed_the_lowest_eligible_tier_is_taken() -> None:
    choice = TierChoice(TABLE_2, 5.0, 2)
    assert chosen(choice, 80.0, speed_mps=4.999) == LOCAL
    assert chosen(choice, 80.0, speed_mps=5.0) == REGIONAL
    assert chosen(choice, 80.0) == REGIONAL
    # a local tier slower than the regional one: the lowest eligible is the regional one
    assert chosen(TierChoice(RequestLatency((105.0, 55.0)), 5.0, 2), 80.0, speed_mps=1.0) == REGIONAL


LATENCY = st.integers(0, 100).map(float)


@settings(deadline=None)
@given(
    LATENCY,
    LATENCY,
    LATENCY,
    st.integers(1, 2),
    st.lists(st.tuples(LATENCY, st.sampled_from([0.0, 9.0, 10.0, 11.0])), min_size=1, max_size=6),
)
def test_the_choice_follows_the_text_word_by_word(
    local_ms: float, regional_ms: float, compute_ms: float, tiers: int, tasks: list[tuple[float, float]]
) -> None:
    choice = TierChoice(RequestLatency((local_ms + compute_ms, regional_ms + compute_ms)), 10.0, tiers)
    found = choice.choose(np.array([level for level, _ in tasks]), np.array([speed for _, speed in tasks])).tolist()
    for (level, speed), tier in zip(tasks, found, strict=True):
        eligible = [t for t, latency in enumerate((local_ms, regional_ms)[:tiers]) if latency + compute_ms <= level]
        expected = LOCAL if not eligible else min(eligible) if speed < 10.0 else max(eligible)
        assert tier == expected


def test_what_adding_decimal_fractions_leaves_does_not_count() -> None:
    choice = TierChoice(RequestLatency((0.1 + 0.2, 0.7 + 0.1)), 0.0, None)  # a little more than 0.3, and a little less than 0.8
    assert choice.eligible(np.array([0.3, 0.8, 0.7])).tolist() == [[True, False], [True, True], [True, False]]
