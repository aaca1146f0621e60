"""Processing against paper: what a migration does beside sending bytes (model, section 7; notes, 39), term by term and instant by instant.

Default container: S = 100 MB, M = 20 MB, W = 10 MB/s, dirty 1 MB/s, M_d = 5 MB, start time 0.2 s. A snapshot takes 0.3 s + 0.01 s/MB,
0.5 s in all; comparing it 0.1 s + 0.005 s/MB, 0.2 s; restoring 0.2 s + 0.02 s/MB, 0.6 s; each sending waits 0.1 s for answers. So before
bytes flow it takes an IMAGE 0.1 s, MEMORY 0.6 s, a ROUND 0.8 s; RESTORE lasts 0.8 s.

A transfer that starts at 0 s sends its image from 0.1 to 10.1 s and its memory from 10.7 to 12.7 s (2.6 MB are dirty then: less than M_d);
it is IDLE until 15.1 s (5 s after MEMORY began), sends ROUND 1 from 15.9 to 16.4 s (1.3 MB dirty), is IDLE until 20.1 s, and so on.
"""

from dataclasses import replace

import pytest
from pytest import approx

from msmf_traci.migration.policy import Processing
from msmf_traci.sentinels import NO_SERVER

A, B, C = 0, 1, 2
ALL = Processing(
    checkpoint_s=0.3,
    checkpoint_s_per_byte=0.01e-6,
    comparison_s=0.1,
    comparison_s_per_byte=0.005e-6,
    restore_s=0.2,
    restore_s_per_byte=0.02e-6,
    answers_s=0.1,
)
SNAPSHOT_S, DIFFERENCE_S, RESTORE_S = 0.6, 0.8, 0.8


OWN = Processing(checkpoint_s=1, later_s=0.5, later_s_per_changed_byte=0.1e-6, comparison_s=0.05)


@pytest.mark.parametrize(
    ("final", "final_s"),
    [
        ({}, 0.5 + 0.2 + 0.05),  # as a later one
        ({"final_s": 0.3}, 0.3 + 0.2 + 0.05),
        ({"final_s": 0.3, "final_s_per_byte": 0.01e-6}, 0.3 + 0.2 + 0.2 + 0.05),
        ({"final_s": 0.3, "final_s_per_byte": 0.01e-6, "final_s_per_changed_byte": 0}, 0.3 + 0.2 + 0.05),
    ],
)
def test_later_and_final_snapshots_have_costs_of_their_own(bench, final, final_s) -> None:
    """The snapshot of 10 s takes 1 s. At 15 s 5 MB are dirty: 0.5 + 0.5 + 0.05 s, then 0.5 s. At 17 s 2 MB are, of 20."""
    one = bench(processing=replace(OWN, **final))
    one.frame(0, A, B)
    one.frame(17, B)
    one.arrive(60)
    assert list(one.stages()["t_end_s"]) == approx([10, 13, 15, 16.55, 17, 17 + final_s + 0.2, 17 + final_s + 0.4])


def test_a_first_snapshot_at_the_stop_is_a_final_one_in_which_all_has_changed(bench) -> None:
    """20 MB: 1 s as the first one, or 0.3 s, 0.01 s for each MB and 0.1 s for each that has changed; nothing to compare it with."""
    for costs, final_s in ((OWN, 1), (replace(OWN, final_s=0.3, final_s_per_byte=0.01e-6, final_s_per_changed_byte=0.1e-6), 2.5)):
        one = bench(processing=costs, plan="cold")
        one.frame(0, A, B)
        one.frame(30, B)
        one.arrive(60)
        assert one.transfer().downtime_s == approx(final_s + 2 + 0.2)


def test_a_transfer_is_prepared_before_anything_is_sent(bench) -> None:
    """3 s before the image flows; stopped at 1 s, everything flows from 3 s on."""
    prepared = Processing(prepare_s=3)
    one = bench(processing=prepared)
    one.frame(0, A, B)
    one.frame(15.5, B)
    one.arrive(60)
    assert list(one.stages()["t_end_s"]) == approx([13, 15, 15.5, 15.5 + 0.25, 15.5 + 0.45])
    one = bench(processing=prepared)
    one.frame(0, A, B)
    one.frame(1, B)
    one.arrive(60)
    assert one.transfer().downtime_s == approx(2 + 12 + 0.2)


@pytest.mark.parametrize(("plan", "begun"), [("precopy", "MEMORY"), ("cold", "IDLE")])
def test_a_transfer_that_lacks_nothing_of_the_image_is_prepared_all_the_same(bench, plan, begun) -> None:
    """Under relay a handoff at 1 s waits until 3 s, and for the memory where the plan sends it."""
    one = bench(processing=Processing(prepare_s=3), image_mb=0, plan=plan, relay=True)
    one.frame(0, A, B)
    one.frame(1, B)
    one.arrive(60)
    stages = one.stages()
    assert list(stages["stage"])[:1] == ["IMAGE"] and stages["t_end_s"][0] == 3 and stages["bytes"].sum() >= 20e6
    assert one.transfer().t_stop_s == approx(3 if plan == "cold" else 5)
    if plan == "precopy":
        assert list(stages["stage"])[1] == begun


def test_what_a_stopped_container_sends_anew_is_prepared_too(bench) -> None:
    """Stopped at 4 s; at 5 s it goes elsewhere: 120 MB flow from 8 s to 20 s."""
    one = bench(processing=Processing(prepare_s=3))
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(5, C)
    one.arrive(60)
    assert one.transfers()[1].t_end_s == approx(20.2)


@pytest.mark.parametrize(
    ("stop_s", "image_mb", "memory_mb", "dirty_mb", "rounds", "final_mb", "processing_s"),
    [
        (0.05, 0, 0, 0, 0, 120, SNAPSHOT_S),  # IMAGE, which no byte of has left: all is missing, and no snapshot lies on the target
        (4, 39, 0, 0, 0, 81, SNAPSHOT_S),  # IMAGE: 61 MB and all memory
        (10.1, 100, 0, 0, 0, 20, DIFFERENCE_S),  # MEMORY begins
        (10.4, 100, 0, 0, 0, 20, DIFFERENCE_S),  # MEMORY, its snapshot being taken: all is unsent
        (11.7, 100, 10, 0, 0, 10.8, DIFFERENCE_S),  # MEMORY: 10 MB unsent, half of 1.6 s x 1 MB/s dirty since the snapshot began
        (12.7, 100, 20, 0, 0, 2.6, DIFFERENCE_S),  # IDLE begins
        (14, 100, 20, 0, 0, 3.9, DIFFERENCE_S),
        (15.1, 100, 20, 0, 1, 5, DIFFERENCE_S),  # ROUND 1 begins
        (15.5, 100, 20, 0, 1, 5.3, DIFFERENCE_S),  # ROUND 1, in processing: 5 MB unsent, three quarters of 0.4 MB dirty anew
        (16.1, 100, 20, 2, 1, 3.85, DIFFERENCE_S),  # ROUND 1: 3 MB unsent, 17/20 of 1 MB dirty anew
        (17, 100, 20, 5, 1, 1.9, DIFFERENCE_S),  # IDLE again: dirty since ROUND 1 began
        (21.1, 100, 20, 7, 2, 3.85, DIFFERENCE_S),  # ROUND 2
    ],
)
def test_stop_takes_processing_then_sends_what_is_missing(
    bench, stop_s, image_mb, memory_mb, dirty_mb, rounds, final_mb, processing_s
) -> None:
    one = bench(processing=ALL)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(100)
    row = one.transfer()
    assert (row.image_mb, row.memory_mb, row.dirty_mb, row.final_mb) == approx((image_mb, memory_mb, dirty_mb, final_mb), abs=1e-9)
    assert (row.outcome, row.rounds, row.t_stop_s) == ("completed", rounds, stop_s)
    assert row.downtime_s == approx(processing_s + final_mb / 10 + RESTORE_S)
    assert row.t_end_s == approx(stop_s + row.downtime_s)


def test_stages_of_a_whole_transfer(bench) -> None:
    one = bench(processing=ALL)
    one.frame(0, A, B)
    one.frame(17, B)
    one.arrive(100)
    stages = one.stages()
    assert list(stages["stage"]) == ["IMAGE", "MEMORY", "IDLE", "ROUND", "IDLE", "FINAL", "RESTORE"]
    assert list(stages["t_end_s"]) == approx([10.1, 12.7, 15.1, 16.4, 17, 17.99, 18.79])
    assert list(stages["bytes"] / 1e6) == approx([100, 20, 0, 5, 0, 1.9, 0])


@pytest.mark.parametrize(
    ("processing", "image_end_s", "memory_end_s", "downtime_s"),
    [
        (Processing(checkpoint_s=1), 10, 13, 1 + 0.4 + 0.2),
        (Processing(checkpoint_s_per_byte=0.05e-6), 10, 13, 1 + 0.4 + 0.2),
        (Processing(comparison_s=1), 10, 12, 1 + 0.4 + 0.2),
        (Processing(comparison_s_per_byte=0.05e-6), 10, 12, 1 + 0.4 + 0.2),
        (Processing(restore_s=1), 10, 12, 0.4 + 1.2),
        (Processing(restore_s_per_byte=0.05e-6), 10, 12, 0.4 + 1.2),
        (Processing(answers_s=1), 11, 14, 1 + 0.3 + 0.2),
    ],
)
def test_each_term_alone(bench, processing, image_end_s, memory_end_s, downtime_s) -> None:
    """Stopped 4 s after MEMORY began (3 s, where the image is a second late): 4 MB (3 MB) are dirty."""
    one = bench(processing=processing)
    one.frame(0, A, B)
    one.frame(14, B)
    one.arrive(100)
    stages = one.stages()
    assert list(stages["stage"]) == ["IMAGE", "MEMORY", "IDLE", "FINAL", "RESTORE"]
    assert list(stages["t_end_s"][:2]) == approx([image_end_s, memory_end_s])
    assert one.transfer().downtime_s == approx(downtime_s)


@pytest.mark.parametrize(("stop_s", "stages"), [(12, ["IMAGE", "MEMORY"]), (50, ["IMAGE", "MEMORY", "IDLE"])])
def test_where_nothing_is_dirty_the_snapshot_that_says_so_is_taken_all_the_same(bench, stop_s, stages) -> None:
    one = bench(dirty_mb_per_s=0, processing=ALL)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(100)
    row = one.transfer()
    assert list(one.stages()["stage"]) == [*stages, "FINAL", "RESTORE"]
    assert row.final_mb == approx(7 if stop_s == 12 else 0)
    assert row.downtime_s == approx(DIFFERENCE_S + row.final_mb / 10 + RESTORE_S)


def test_arrival_while_a_final_of_nothing_is_in_processing(bench) -> None:
    one = bench(dirty_mb_per_s=0, processing=ALL)
    one.frame(0, A, B)
    one.frame(50, B)
    one.arrive(50.5)
    row = one.transfer()
    assert (row.outcome, row.final_mb, row.downtime_s) == ("unfinished", 0, approx(0.5))


def test_a_stopped_container_that_is_sent_anew_has_its_snapshot(bench) -> None:
    """Stopped at 5 s without a copy: in processing until 5.6 s, 24 MB are sent by 8 s; then 120 MB to C, from 8.1 to 20.1 s."""
    one = bench(processing=ALL)
    one.frame(0, A)
    one.frame(5, B)
    one.frame(8, C)
    one.arrive(50)
    left, moved = one.transfers()
    assert (left.outcome, left.final_mb, left.downtime_s) == ("user_left", approx(24), 3)
    assert (moved.outcome, moved.t_start_s, moved.t_stop_s, moved.final_mb) == ("completed", 8, 8, approx(120))
    assert moved.t_end_s == approx(20.1 + RESTORE_S)


@pytest.mark.parametrize(
    ("leave_s", "image_mb", "memory_mb"),
    [(0.06, 0, 0), (0.1, 0, 0), (1.1, 10, 0), (10.1, 100, 0), (10.69, 100, 0), (10.8, 100, 1)],
)
def test_a_transfer_abandoned_in_processing_has_sent_nothing_of_its_stage(bench, leave_s, image_mb, memory_mb) -> None:
    one = bench(processing=ALL)
    one.frame(0, A, B)
    one.frame(leave_s, A, C)
    one.arrive(leave_s + 0.01)
    left, _ = one.transfers()
    assert (left.outcome, left.target) == ("mispredicted", "B")
    assert (left.image_mb, left.memory_mb) == approx((image_mb, memory_mb), abs=1e-9)


@pytest.mark.parametrize(
    ("handoff_s", "stop_s", "final_mb"),
    [
        (0.05, 12.7, 2.6),  # the image's processing, its sending, the snapshot and its sending are all waited for
        (11, 12.7, 2.6),
        (15.5, 15.5, 5.3),  # a ROUND in processing is a ROUND: stopped at once
        (16.1, 16.1, 3.85),
        (17, 17, 1.9),
    ],
)
def test_relay_waits_for_processing_too(bench, handoff_s, stop_s, final_mb) -> None:
    one = bench(relay=True, processing=ALL)
    one.frame(0, A, B)
    one.frame(handoff_s, B)
    one.arrive(100)
    row = one.transfer()
    assert (row.t_stop_s, row.final_mb) == approx((stop_s, final_mb))
    assert row.downtime_s == approx(DIFFERENCE_S + final_mb / 10 + RESTORE_S)


def test_rounds_get_larger_by_what_is_dirty_meanwhile(bench) -> None:
    """4 MB/s: MEMORY, from 10.1 to 12.7 s, leaves 10.4 MB, sent from 13.5 to 14.54 s; they leave 7.36 MB, from 15.34 to 16.076 s."""
    one = bench(dirty_mb_per_s=4, processing=ALL)
    one.frame(0, A, B)
    one.arrive(16.1)
    stages = one.stages()
    assert list(stages["stage"]) == ["IMAGE", "MEMORY", "ROUND", "ROUND", "ROUND"]
    assert list(stages["t_end_s"]) == approx([10.1, 12.7, 14.54, 16.076, 16.1])
    assert list(stages["bytes"][2:] / 1e6) == approx([10.4, 7.36, 0])


def test_memory_below_the_threshold_never_makes_a_round_however_long_its_snapshot_takes(bench) -> None:
    """M = 4 MB: its snapshot takes 100 s, and all of it is dirty long before its bytes flow; a round needs 5 MB."""
    one = bench(memory_mb=4, processing=Processing(checkpoint_s=100))
    one.frame(0, A, B)
    one.frame(300, B)
    one.arrive(500)
    row = one.transfer()
    assert (row.rounds, row.memory_mb, row.final_mb) == approx((0, 4, 4))
    assert row.downtime_s == approx(100 + 0.4 + 0.2)


def test_no_target_goes_on_through_processing(bench) -> None:
    one = bench(processing=ALL)
    one.frame(0, A, B)
    one.frame(10.3, A, NO_SERVER)
    one.frame(14, B)
    one.arrive(30)
    assert one.transfer().final_mb == approx(3.9)
