"""How many rounds a transfer can make, against paper: one begins max(p + M_d/W, M_d/r) after another at the earliest (notes, 42).

The bench's link: W = 10 MB/s. The image is sent in a second and the memory of 100 MB in ten; then the container is watched for 40 s.
"""

import math

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.config.rounds import shortest_cycle_s
from msmf_traci.errors import InputError
from msmf_traci.migration.policy import Processing

A, B = 0, 1
WATCHED_S, W = 40, 10


def rounds_of(bench, threshold_mb: float, dirty: float, processing_s: float) -> int:
    """Rounds that the engine makes in the time that it is watched, counted from the end of MEMORY."""
    one = bench(
        image_mb=10, memory_mb=100, dirty_mb_per_s=dirty, threshold_mb=threshold_mb, processing=Processing(comparison_s=processing_s)
    )
    one.frame(0, A, B)
    one.arrive(11 + WATCHED_S)
    return int(one.transfer().rounds)


@pytest.mark.parametrize(
    ("threshold_mb", "dirty", "processing_s", "is_reached"),
    [
        (0.5, 1, 0, True),  # r < W: a round each 0.5 s
        (0.5, 6, 0, True),  # nearer to the link's rate: each 0.083 s
        (0.05, 5, 0, True),
        (0.5, 20, 0, False),  # r > W: rounds grow up to the memory
        (0.5, 2, 0.4, False),  # p + M_d/W is 0.45 s: 0.9 MB get dirty meanwhile and are sent
        (0.5, 2, 0.1, True),  # p + M_d/W is 0.15 s, and M_d/r 0.25 s
    ],
)
def test_no_transfer_makes_more_rounds_than_paper_allows(bench, threshold_mb, dirty, processing_s, is_reached) -> None:
    cycle_s = shortest_cycle_s(threshold_mb=threshold_mb, bandwidth_mb_per_s=W, dirty_mb_per_s=dirty, processing_s=processing_s)
    made = rounds_of(bench, threshold_mb, dirty, processing_s)
    assert 1 <= made <= WATCHED_S / cycle_s + 1
    if is_reached:
        # what MEMORY has left dirty is sent first, in rounds that shrink
        assert made > 0.5 * WATCHED_S / cycle_s


def test_nothing_dirty_makes_no_round() -> None:
    assert shortest_cycle_s(threshold_mb=1, bandwidth_mb_per_s=1, dirty_mb_per_s=0) == math.inf


FAST = ["links.bandwidth_mbps=1000", "workload.dirty_percent_per_s=60", "workload.dirty_threshold_mbit=0.1"]


@pytest.mark.parametrize(
    ("words", "is_refused"),
    [
        (FAST, True),  # r = 960 Mb/s: 9,600 rounds a second
        ([*FAST, "workload.dirty_threshold_mbit=0.96"], False),  # what the sentence says
        ([*FAST, "migration.processing.round_s=0.001"], False),  # processing bounds it
        ([*FAST, "migration.processing.round_trips=1", "links.round_trip_ms=1"], False),
        ([*FAST, "links.bandwidth_mbps=100"], False),  # 0.1 Mbit take a millisecond
        (["workload.dirty_threshold_mbit=0.1"], False),
        ([*FAST[:2], "variants.workload.dirty_threshold_mbit=[40,0.1]"], True),  # one of two combinations
        ([*FAST[1:], "variants.links.bandwidth_mbps=[100,1000]"], True),
        ([*FAST, "workload.application=game"], True),  # 1 % of 160 MB is 12.8 Mb/s
    ],
)
def test_more_than_a_thousand_rounds_a_second_are_refused_in_every_combination(words: list[str], is_refused: bool) -> None:
    words = list({word.partition("=")[0]: word for word in words}.values())
    if words[-1] == "workload.application=game":
        words[1] = "applications.game.dirty_percent_per_s=100"
    if not is_refused:
        assert read_request(words).points
        return
    with pytest.raises(InputError, match=r"rounds a second, more than 1,000; raise it to [0-9.]+ or more"):
        read_request(words)
