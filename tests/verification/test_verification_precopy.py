"""The migration state machine against paper: every byte and every instant of one container (model, section 7).

Default container: S = 100 MB, M = 20 MB, W = 10 MB/s, dirty 1 MB/s, M_d = 5 MB, start time 0.2 s. A transfer that starts at 0 s is in
IMAGE until 10 s, in MEMORY until 12 s (2 MB are dirty then: less than M_d), IDLE until 15 s (5 s after MEMORY began, d = M_d),
in ROUND 1 until 15.5 s (0.5 MB are dirty then), IDLE until 20 s (5 s after ROUND 1 began), in ROUND 2 until 20.5 s, and so on every 5 s.
"""

import math

import pytest
from pytest import approx

from msmf_traci.sentinels import KEEP

A, B, C = 0, 1, 2


@pytest.mark.parametrize(
    ("stop_s", "image_mb", "memory_mb", "dirty_mb", "rounds", "final_mb"),
    [
        (4, 40, 0, 0, 0, 80),  # IMAGE: 60 MB of the image and all 20 MB of memory are missing
        (9.5, 95, 0, 0, 0, 25),
        (10, 100, 0, 0, 0, 20),  # MEMORY begins: all of it is unsent
        (11, 100, 10, 0, 0, 10.5),  # MEMORY: 10 MB unsent; of 1 s x 1 MB/s dirty, half is in what is unsent
        (11.5, 100, 15, 0, 0, 6.125),  # 5 MB unsent; three quarters of 1.5 MB
        (12, 100, 20, 0, 0, 2),  # IDLE begins: the 2 s of MEMORY are dirty
        (13, 100, 20, 0, 0, 3),
        (14.9, 100, 20, 0, 0, 4.9),
        (15, 100, 20, 0, 1, 5),  # ROUND 1 begins: 5 MB to send, d restarts at 0
        (15.2, 100, 20, 2, 1, 3.17),  # ROUND 1: 3 MB unsent, of 20; 17/20 of 0.2 MB
        (15.4, 100, 20, 4, 1, 1.38),
        (17, 100, 20, 5, 1, 2),  # IDLE again: dirty since ROUND 1 began
        (19.5, 100, 20, 5, 1, 4.5),
        (20.25, 100, 20, 7.5, 2, 2.71875),  # ROUND 2: 2.5 MB unsent; 7/8 of 0.25 MB
        (20.4, 100, 20, 9, 2, 1.38),
        (31, 100, 20, 20, 4, 1),  # rounds at 15, 20, 25, 30
    ],
)
def test_stop_sends_what_its_stage_leaves_missing(bench, stop_s, image_mb, memory_mb, dirty_mb, rounds, final_mb):
    one = bench()
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(100)
    row = one.transfer()
    sent = row.image_mb, row.memory_mb, row.dirty_mb, row.final_mb
    assert sent == approx((image_mb, memory_mb, dirty_mb, final_mb))
    assert row.rounds == rounds
    assert (row.t_start_s, row.t_handoff_s, row.t_stop_s, row.lead_s) == (0, stop_s, stop_s, stop_s)
    assert row.downtime_s == approx(final_mb / 10 + 0.2)
    assert row.t_end_s == approx(stop_s + final_mb / 10 + 0.2)
    assert (row.outcome, row.source, row.target) == ("completed", "A", "B")
    assert one.host == "B"


@pytest.mark.parametrize(
    ("stop_s", "final_mb"),
    [
        (10.2, 2.02),  # MEMORY: 4 MB, 0.4 s; half is unsent, and half of 0.2 s x 0.2 MB/s
        (20.4, 2.08),  # IDLE: 10.4 s x 0.2 MB/s
        (30, 4),  # reached at 30 s: the whole memory
        (1000, 4),  # capped at M for ever after
    ],
)
def test_memory_below_the_threshold_never_makes_a_round(bench, stop_s, final_mb):
    one = bench(memory_mb=4, dirty_mb_per_s=0.2)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(2000)
    row = one.transfer()
    assert (row.rounds, row.dirty_mb) == (0, 0)
    assert row.final_mb == approx(final_mb)


def test_memory_equal_to_the_threshold_makes_rounds(bench):
    """M = M_d = 5 MB at 0.5 MB/s: all dirty 10 s after MEMORY began, at 20 s; ROUND 1 lasts 0.5 s; at 20.5 s 0.25 MB are dirty."""
    one = bench(memory_mb=5, dirty_mb_per_s=0.5)
    one.frame(0, A, B)
    one.frame(20.5, B)
    one.arrive(30)
    row = one.transfer()
    assert (row.rounds, row.dirty_mb, row.final_mb) == approx((1, 5, 0.25))


@pytest.mark.parametrize("stop_s", [12, 500])
def test_clean_memory_leaves_nothing_for_the_stop(bench, stop_s):
    """No dirty memory: IDLE for ever, downtime is the start time alone."""
    one = bench(dirty_mb_per_s=0)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(600)
    row = one.transfer()
    assert (row.rounds, row.dirty_mb, row.final_mb) == (0, 0, 0)
    assert row.downtime_s == approx(0.2)
    assert row.t_end_s == approx(stop_s + 0.2)


@pytest.mark.parametrize(
    ("stop_s", "memory_mb", "dirty_mb", "rounds"),
    [
        (11, 10, 0, 0),  # MEMORY: 10 MB unsent + 40 MB/s x 1 s, capped at 20 MB
        (12, 20, 0, 1),  # ROUND 1 begins with all 20 MB to send
        (13, 20, 10, 1),
        (17, 20, 50, 3),  # rounds of 20 MB begin at 12, 14 and 16 s
    ],
)
def test_rounds_that_never_shrink_are_capped_at_the_memory(bench, stop_s, memory_mb, dirty_mb, rounds):
    """40 MB/s of 20 MB get dirty and 10 MB/s are sent: every round is the whole memory, and so is every final copy."""
    one = bench(dirty_mb_per_s=40)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(100)
    row = one.transfer()
    assert (row.memory_mb, row.dirty_mb, row.rounds, row.final_mb) == approx((memory_mb, dirty_mb, rounds, 20))


def test_round_right_after_memory_where_enough_is_dirty_already(bench):
    """4 MB/s: 8 MB are dirty at 12 s, more than M_d: ROUND 1 sends 8 MB in 0.8 s, 3.2 MB are dirty at 12.8 s; IDLE until 13.25 s."""
    one = bench(dirty_mb_per_s=4)
    one.frame(0, A, B)
    one.frame(13, B)
    one.arrive(20)
    row = one.transfer()
    assert (row.rounds, row.dirty_mb) == approx((1, 8))
    assert row.final_mb == approx(4)  # 4 MB/s since 12 s
    stages = one.stages()
    assert list(stages["stage"]) == ["IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE"]
    assert list(stages["t_end_s"]) == approx([10, 12, 12.8, 13, 13.4, 13.6])


@pytest.mark.parametrize("stop_s", [3, 11, 13, 15.3, 19, 47.1])
@pytest.mark.parametrize("switch_s", [0, 0.05])
def test_total_migration_time_is_equation_1_plus_idle_and_start_time(bench, stop_s, switch_s):
    """MSMF, eq. 1: tmt = (S + M + sum of M_d + M_handoff) / W; the model adds the time in IDLE, the start time and the switch."""
    one = bench(switch_s=switch_s)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(100)
    row, stages = one.transfer(), one.stages()
    idle = stages[stages["stage"] == "IDLE"]
    idle_s = float((idle["t_end_s"] - idle["t_begin_s"]).sum())
    equation_1_s = (row.image_mb + row.memory_mb + row.dirty_mb + row.final_mb) / 10
    assert row.t_end_s - row.t_start_s == approx(equation_1_s + idle_s + 0.2 + switch_s)
    assert idle_s == approx({3: 0, 11: 0, 13: 1, 15.3: 3, 19: 6.5, 47.1: 3 + 6 * 4.5 + 1.6}[stop_s])


def test_switch_lengthens_restore_alone(bench):
    one = bench(switch_s=0.3)
    one.frame(0, A, B)
    one.frame(4, B)
    one.arrive(100)
    stages = one.stages().set_index("stage")
    assert stages.loc["FINAL", "t_end_s"] - stages.loc["FINAL", "t_begin_s"] == approx(8)
    assert stages.loc["RESTORE", "t_end_s"] - stages.loc["RESTORE", "t_begin_s"] == approx(0.5)
    assert one.transfer().downtime_s == approx(8.5)


def test_first_deployment_is_no_handoff_and_no_transfer(bench):
    one = bench()
    one.frame(7, A)
    one.arrive(20)
    assert one.transfers() == []
    assert (one.host, one.handoffs, one.booked("outages"), one.booked("satisfied_s")) == ("A", 0, 0, 13)


def test_precopy_begins_in_the_first_frame(bench):
    one = bench()
    one.frame(7, A, B)
    one.arrive(9)
    row = one.transfer()
    assert (row.t_start_s, row.image_mb, row.outcome) == (7, approx(20), "unfinished")


def test_handoff_without_precopy_sends_image_and_memory_while_stopped(bench):
    """120 MB in 12 s, then 0.2 s."""
    one = bench()
    one.frame(0, A)
    one.frame(5, B)
    one.arrive(50)
    row = one.transfer()
    assert (row.image_mb, row.memory_mb, row.dirty_mb, row.final_mb) == approx((0, 0, 0, 120))
    assert (row.t_start_s, row.t_handoff_s, row.t_stop_s, row.lead_s) == (5, 5, 5, 0)
    assert row.t_end_s == approx(17.2)
    assert one.handoffs == 1


@pytest.mark.parametrize("home", [A, KEEP])
def test_host_as_target_counts_as_none(bench, home):
    """p = host neither starts a transfer nor gives up the one that is open."""
    one = bench()
    one.frame(0, home if home != KEEP else A, A)
    assert one.booked("target") < 0
    one.frame(1, home, B)
    one.frame(3, home, A)
    one.arrive(6)
    row = one.transfer()
    assert (row.target, row.t_start_s, row.t_end_s, row.outcome, row.image_mb) == ("B", 1, 6, "unfinished", approx(50))


def test_transfer_goes_on_while_there_is_no_target(bench):
    """Started at 0 s, no target at 3 s and 11 s, handed off at 13 s: 3 MB are dirty, as if nothing had been said."""
    one = bench()
    one.frame(0, A, B)
    one.frame(3, A)
    one.frame(11, KEEP)
    one.frame(13, B)
    one.arrive(20)
    row = one.transfer()
    assert (row.t_start_s, row.outcome, row.final_mb) == (0, "completed", approx(3))


def test_handoff_ignores_the_target(bench):
    one = bench()
    one.frame(0, A, B)
    one.frame(13, B, C)
    one.arrive(13.4)
    assert [(row.target, row.outcome) for row in one.transfers()] == [("B", "unfinished")]


def test_position_is_that_of_the_last_frame_not_after_the_end(bench):
    """Ends at 13.5 s between the frames of 13 s and 20 s, and at 13.5 s with a frame there."""
    between, upon = bench(), bench()
    for one in (between, upon):
        one.frame(0, A, B)
        one.frame(13, B)
    upon.frame(13.5, B)
    for one in (between, upon):
        one.frame(20, B)
        one.arrive(30)
        assert one.transfer().t_end_s == approx(13.5)
    assert (between.transfer().x_m, upon.transfer().x_m) == (13, 13.5)


def test_arrival_books_an_open_transfer_as_unfinished(bench):
    one = bench()
    one.frame(0, A, B)
    one.arrive(11.5)
    row = one.transfer()
    assert (row.outcome, row.t_end_s, row.x_m) == ("unfinished", 11.5, 11.5)
    assert (row.image_mb, row.memory_mb, row.dirty_mb, row.final_mb) == approx((100, 15, 0, 0))
    assert math.isnan(row.t_handoff_s) and math.isnan(row.t_stop_s) and math.isnan(row.lead_s)
    assert row.downtime_s == 0


def test_arrival_while_stopped_books_what_was_sent_and_censors_the_outage(bench):
    """Stopped at 4 s, 8 s of FINAL ahead; arrives 3 s later with 30 of 80 MB sent."""
    one = bench()
    one.frame(0, A, B)
    one.frame(4, B)
    one.arrive(7)
    row = one.transfer()
    assert (row.outcome, row.image_mb, row.final_mb, row.downtime_s) == ("unfinished", approx(40), approx(30), approx(3))
    assert (one.booked("censored"), one.booked("outages"), one.booked("outage_s")) == (1, 1, approx(3))


def test_transfer_that_ends_upon_arrival_is_completed(bench):
    one = bench(dirty_mb_per_s=0, start_s=0.25)
    one.frame(0, A, B)
    one.frame(12, B)
    one.arrive(12.25)
    assert (one.transfer().outcome, one.host, one.booked("censored")) == ("completed", "B", 0)
