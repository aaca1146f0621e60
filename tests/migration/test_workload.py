"""The containers that vehicles carry (model, section 5)."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.migration.workload import Containers, Kind, WorkloadOptions, draw_uniforms, make_containers, start_time_s

MB = 1e6
KIND = Kind("", 1.0, (100 * MB, 2000 * MB), (10 * MB, 200 * MB), 0.01, (30.0, 80.0, 150.0), (0.2, 0.4, 0.4))
PAPER = WorkloadOptions((KIND,), (0.2, 1.0))
DRAWS = ("image_bytes", "memory_bytes", "latency_level_ms", "start_s")
IDS = st.lists(st.text(max_size=8), min_size=1, max_size=12, unique=True)
SEEDS = st.integers(0, 2**31 - 1)


def draw_containers(vehicles, seed, options) -> Containers:
    """The containers of some vehicles."""
    return make_containers(draw_uniforms(vehicles, seed), options)


def of_kind(**changed) -> WorkloadOptions:
    """The paper's containers, some things about them changed."""
    return replace(PAPER, kinds=(replace(KIND, **changed),))


def many(n: int = 4000) -> list[str]:
    return [str(number) for number in range(n)]


@settings(max_examples=50, deadline=None)
@given(ids=IDS, more=IDS, seed=SEEDS)
def test_adding_vehicles_changes_no_draw(ids, more, seed):
    """A vehicle's draw depends on the seed and its id, not on who drives before, after or with it."""
    together = [*(name for name in more if name not in ids), *reversed(ids)]
    alone, among = draw_containers(ids, seed, PAPER), draw_containers(together, seed, PAPER)
    where = [together.index(name) for name in ids]
    for draw in DRAWS:
        assert np.array_equal(getattr(alone, draw), getattr(among, draw)[where])


@pytest.mark.parametrize(
    ("fixed", "changed"),
    [
        ({"image_bytes": (500 * MB, 500 * MB)}, {"image_bytes", "start_s"}),
        ({"memory_bytes": (50 * MB, 50 * MB)}, {"memory_bytes"}),
        ({"latency_levels_ms": (80.0,), "latency_weights": (1.0,)}, {"latency_level_ms"}),
    ],
)
def test_fixing_one_size_changes_no_other_draw(fixed, changed):
    drawn, partly = draw_containers(many(50), 7, PAPER), draw_containers(many(50), 7, of_kind(**fixed))
    for draw in DRAWS:
        assert np.array_equal(getattr(drawn, draw), getattr(partly, draw)) == (draw not in changed)
    same_start = draw_containers(many(50), 7, replace(PAPER, start_s=(0.5, 0.5)))
    assert [np.array_equal(getattr(drawn, draw), getattr(same_start, draw)) for draw in DRAWS] == [True, True, True, False]


def test_fixed_sizes_are_exact():
    options = of_kind(image_bytes=(500 * MB, 500 * MB), memory_bytes=(50 * MB, 50 * MB))
    drawn = draw_containers(many(50), 7, options)
    assert set(drawn.image_bytes) == {500 * MB}
    assert set(drawn.memory_bytes) == {50 * MB}


def test_seeds_and_vehicles_differ_and_the_same_seed_does_not():
    one, again, other = (draw_containers(many(200), seed, PAPER) for seed in (1, 1, 2))
    assert np.array_equal(one.image_bytes, again.image_bytes)
    for draw in ("image_bytes", "memory_bytes"):
        assert not (getattr(one, draw) == getattr(other, draw)).any()
        assert len(set(getattr(one, draw))) == 200
    assert not np.array_equal(one.latency_level_ms, other.latency_level_ms)


def test_image_memory_and_level_are_drawn_independently():
    """Correlation of independent draws: standard deviation 1 / sqrt(n); five of them."""
    drawn = draw_containers(many(), 3, PAPER)
    correlation = np.corrcoef([drawn.image_bytes, drawn.memory_bytes, drawn.latency_level_ms])
    assert np.abs(correlation[np.triu_indices(3, k=1)]).max() < 5 / math.sqrt(4000)


@settings(max_examples=50, deadline=None)
@given(ids=IDS, seed=SEEDS)
def test_draws_stay_in_their_ranges(ids, seed):
    drawn = draw_containers(ids, seed, PAPER)
    assert len(drawn) == len(ids)
    assert ((drawn.image_bytes >= 100 * MB) & (drawn.image_bytes <= 2000 * MB)).all()
    assert ((drawn.memory_bytes >= 10 * MB) & (drawn.memory_bytes <= 200 * MB)).all()
    assert ((drawn.start_s >= 0.2) & (drawn.start_s <= 1.0)).all()
    assert set(drawn.latency_level_ms) <= {30.0, 80.0, 150.0}


def test_ranges_are_filled_evenly():
    """Uniform over a span w: mean within five of w / sqrt(12 n) of the middle, a quarter of all in each quarter within five sigma."""
    n, drawn = 4000, draw_containers(many(), 5, PAPER)
    for values, (low, high) in ((drawn.image_bytes, KIND.image_bytes), (drawn.memory_bytes, KIND.memory_bytes)):
        assert abs(values.mean() - (low + high) / 2) < 5 * (high - low) / math.sqrt(12 * n)
        counts, _ = np.histogram(values, bins=4, range=(low, high))
        assert np.abs(counts - n / 4).max() < 5 * math.sqrt(n * 0.25 * 0.75)


@pytest.mark.parametrize("weights", [(0.2, 0.4, 0.4), (0.5, 0.0, 0.5), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)])
def test_levels_have_their_shares(weights):
    """Binomial counts: within five sigma of n p; a weight of 0 or 1 is exact."""
    n, levels = 4000, draw_containers(many(), 11, of_kind(latency_weights=weights)).latency_level_ms
    for level, share in zip(KIND.latency_levels_ms, weights, strict=True):
        assert abs((levels == level).sum() - n * share) <= 5 * math.sqrt(n * share * (1 - share))


@pytest.mark.parametrize(
    ("image_mb", "start_s"),
    [
        (100, 0.2),
        (1050, 0.6),  # half-way
        (575, 0.4),  # a quarter
        (2000, 1.0),
        (50, 0.2),  # clamped
        (5000, 1.0),
    ],
)
def test_start_time_is_linear_in_the_image_and_clamped(image_mb, start_s):
    assert start_time_s(np.array([image_mb * MB]), (0.2, 1.0)) == pytest.approx([start_s])


def test_start_time_follows_the_drawn_image():
    """200 ms at 100 MB, 800 ms more over the 1900 MB to 2000 MB."""
    drawn = draw_containers(many(100), 0, PAPER)
    assert drawn.start_s == pytest.approx(0.2 + 0.8 * (drawn.image_bytes - 100 * MB) / (1900 * MB))


def test_no_vehicles_no_containers():
    assert len(draw_containers([], 0, PAPER)) == 0


def test_of_a_mix_each_container_has_the_sizes_of_its_own_kind():
    """Weights 3 and 1; a kind with layers has its number in the catalogue, one without has a private image."""
    face = replace(KIND, name="face", weight=1.0, image_bytes=(3 * MB, 3 * MB), latency_levels_ms=(9.0,), latency_weights=(1.0,))
    face = replace(face, dirty_share_per_s=0.5, layers=(("base", 2 * MB), ("own", 1 * MB)))
    mix = WorkloadOptions((replace(KIND, name="game", weight=3.0), face), (0.2, 1.0))
    drawn = draw_containers(many(), 3, mix)
    is_face = drawn.kind == 1
    assert is_face.mean() == pytest.approx(0.25, abs=0.03)
    assert set(drawn.image_bytes[is_face]) == {3 * MB} and set(drawn.latency_level_ms[is_face]) == {9.0}
    assert set(drawn.dirty_share_per_s[is_face]) == {0.5} and set(drawn.image[is_face]) == {1} and set(drawn.image[~is_face]) == {-1}
    alone = draw_containers(many(), 3, PAPER)
    assert np.array_equal(drawn.image_bytes[~is_face], alone.image_bytes[~is_face])  # which kind is a draw of its own
