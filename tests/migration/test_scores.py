"""Section 6 of the model, "prediction hits": when a stay begins and ends, and which predictions are counted."""

from msmf_traci.migration.container import Container
from msmf_traci.migration.machine import score
from msmf_traci.records import new_records
from msmf_traci.sentinels import KEEP, NO_SERVER

A, B, C, E = 1, 2, 3, 4
NONE = NO_SERVER


def drive(*frames: tuple[int, int, int]) -> tuple[int, ...]:
    """One container through frames of (home, target, host): entry hits and misses, handoff hits and misses."""
    records = new_records(Container, 1)
    for home, target, host in frames:
        records["host"] = host
        score(records[0], home, target)
    return tuple(int(records[name][0]) for name in ("entry_hits", "entry_misses", "handoff_hits", "handoff_misses"))


def test_the_first_frame_begins_a_stay_and_counts_nothing() -> None:
    assert drive((A, B, NONE)) == (0, 0, 0, 0)
    assert drive((A, B, NONE), (B, NONE, A)) == (1, 0, 1, 0)


def test_the_first_target_of_the_stay_and_the_newest_one_are_scored_apart() -> None:
    assert drive((A, C, NONE), (A, B, A), (B, NONE, A)) == (0, 1, 1, 0)
    assert drive((A, B, NONE), (A, C, A), (B, NONE, A)) == (1, 0, 0, 1)
    assert drive((A, C, NONE), (A, E, A), (B, NONE, A)) == (0, 1, 0, 1)


def test_frames_without_a_target_change_neither() -> None:
    assert drive((A, NONE, NONE), (A, B, A), (A, NONE, A), (B, NONE, A)) == (1, 0, 1, 0)


def test_a_stay_without_a_target_is_not_counted_and_inherits_none() -> None:
    assert drive((A, NONE, NONE), (B, NONE, A)) == (0, 0, 0, 0)
    # the target of the stay in A is no prediction of the stay in B
    assert drive((A, B, NONE), (B, NONE, A), (C, NONE, B)) == (1, 0, 1, 0)


def test_the_target_of_the_frame_that_enters_belongs_to_the_new_stay() -> None:
    assert drive((A, NONE, NONE), (B, B, A), (C, NONE, B)) == (0, 1, 0, 1)
    assert drive((A, B, NONE), (B, C, A), (C, NONE, B)) == (2, 0, 2, 0)


def test_a_return_to_the_host_is_not_counted_but_begins_a_stay() -> None:
    # the container is still on A when its user comes back from B: the prediction C, given in B, is neither hit nor miss
    assert drive((A, B, NONE), (B, C, A), (A, NONE, A)) == (1, 0, 1, 0)
    # and the targets of the stay in B are gone: what counts on leaving A again is what was predicted since
    assert drive((A, B, NONE), (B, C, A), (A, E, A), (E, NONE, A)) == (2, 0, 2, 0)


def test_a_short_cell_passed_over_does_not_end_the_stay() -> None:
    assert drive((A, C, NONE), (KEEP, C, A), (KEEP, C, A), (C, NONE, A)) == (1, 0, 1, 0)
    assert drive((A, E, NONE), (KEEP, C, A), (C, NONE, A)) == (0, 1, 1, 0)


def test_a_verdict_that_turns_inside_the_cell_ends_the_stay_there() -> None:
    # B was short (KEEP, on to C), then it is not: entered after all, and C was wrong
    assert drive((A, C, NONE), (KEEP, C, A), (B, C, A), (C, NONE, B)) == (1, 1, 1, 1)


def test_back_from_a_short_cell_a_new_stay_begins_on_the_host() -> None:
    assert drive((A, B, NONE), (KEEP, C, A), (A, E, A), (E, NONE, A)) == (1, 0, 1, 0)


def test_staying_in_one_home_counts_nothing() -> None:
    assert drive((A, B, NONE), *[(A, B, A)] * 5) == (0, 0, 0, 0)
