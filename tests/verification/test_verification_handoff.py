"""Handoffs that find the container not synchronised, and users who leave or come back, against paper (model, section 7).

Default container: S = 100 MB, M = 20 MB, W = 10 MB/s, dirty 1 MB/s, M_d = 5 MB, start time 0.2 s: a transfer that starts at 0 s is in
IMAGE until 10 s, in MEMORY until 12 s (2 MB are dirty), then IDLE until 15 s.
"""

import math

import pytest
from pytest import approx

from msmf_traci.sentinels import KEEP

A, B, C, D = 0, 1, 2, 3


@pytest.mark.parametrize("handoff_s", [4, 10, 11.9])
def test_relay_stops_at_the_instant_at_which_memory_has_been_sent(bench, handoff_s):
    """Frames at the handoff and at 19 s: MEMORY ends between them, at 12 s; 2 MB are dirty: 0.2 s, then 0.2 s."""
    one = bench(relay=True)
    one.frame(0, A, B)
    one.frame(handoff_s, B)
    one.frame(19, B)
    one.arrive(20)
    row = one.transfer()
    assert row.t_handoff_s == handoff_s
    assert row.t_stop_s == approx(12)
    assert (row.image_mb, row.memory_mb, row.dirty_mb, row.final_mb) == approx((100, 20, 0, 2))
    assert row.t_end_s == approx(12.4)
    assert row.downtime_s == approx(0.4)
    assert row.lead_s == handoff_s


def test_relay_without_precopy_copies_while_running(bench):
    """Starts at its handoff at 5 s: synchronised 12 s later."""
    one = bench(relay=True)
    one.frame(0, A)
    one.frame(5, B)
    one.arrive(100)
    row = one.transfer()
    assert (row.t_start_s, row.t_handoff_s, row.t_stop_s, row.t_end_s) == approx((5, 5, 17, 17.4))
    assert row.lead_s == 0


def test_relay_stops_as_a_round_begins_where_enough_is_dirty_after_memory(bench):
    """4 MB/s: 8 MB are dirty at 12 s, so that a ROUND begins; the container stops then and there, the 8 MB are the final copy."""
    one = bench(relay=True, dirty_mb_per_s=4)
    one.frame(0, A, B)
    one.frame(5, B)
    one.arrive(100)
    row = one.transfer()
    assert row.t_stop_s == approx(12)
    assert (row.dirty_mb, row.final_mb) == approx((0, 8))


@pytest.mark.parametrize(("handoff_s", "final_mb"), [(12, 2), (14, 4), (15.25, 2.71875), (17, 2)])
def test_relay_stops_at_once_where_the_container_is_synchronised(bench, handoff_s, final_mb):
    one = bench(relay=True)
    one.frame(0, A, B)
    one.frame(handoff_s, B)
    one.arrive(100)
    row = one.transfer()
    assert row.t_stop_s == handoff_s
    assert row.final_mb == approx(final_mb)


@pytest.mark.parametrize("back", [A, KEEP])
def test_user_who_returns_while_relayed_is_pending_no_longer(bench, back):
    """Handoff at 4 s, back at 8 s: nothing stops at 12 s, the transfer goes on with its t_handoff."""
    one = bench(relay=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(8, back)
    one.frame(14, back)
    assert one.running
    one.arrive(16)
    row = one.transfer()
    assert (row.outcome, row.t_handoff_s) == ("unfinished", 4)
    assert math.isnan(row.t_stop_s)
    assert (row.memory_mb, row.dirty_mb, row.rounds) == approx((20, 5, 1))
    assert (one.handoffs, one.booked("outages")) == (1, 0)


def test_second_signal_for_the_same_transfer_is_no_second_handoff(bench):
    """Handoff at 4 s, back at 8 s, handed off for good at 13 s: 3 MB final, t_handoff stays 4 s."""
    one = bench(relay=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(8, A)
    one.frame(13, B)
    one.arrive(20)
    row = one.transfer()
    assert (row.t_handoff_s, row.t_stop_s, row.final_mb) == (4, 13, approx(3))
    assert (row.outcome, one.handoffs) == ("completed", 1)


def test_a_new_transfer_starts_from_nothing(bench):
    """To B: all stages up to ROUND 1 (15 to 15.5 s); retargeted to C at 17 s, in IMAGE until the arrival at 18 s."""
    one = bench()
    one.frame(0, A, B)
    one.frame(17, A, C)
    one.arrive(18)
    first, second = one.transfers()
    assert (first.image_mb, first.memory_mb, first.dirty_mb, first.rounds) == approx((100, 20, 5, 1))
    assert (second.image_mb, second.memory_mb, second.dirty_mb, second.final_mb, second.rounds) == approx((10, 0, 0, 0, 0))


@pytest.mark.parametrize("home", [A, KEEP])
def test_retargeting_is_a_misprediction(bench, home):
    one = bench()
    one.frame(0, A, B)
    one.frame(6, home, C)
    one.arrive(8)
    first, second = one.transfers()
    assert (first.target, first.outcome, first.t_end_s, first.image_mb) == ("B", "mispredicted", 6, approx(60))
    assert (second.target, second.outcome, second.t_start_s, second.image_mb) == ("C", "unfinished", 6, approx(20))
    assert (first.transfer, second.transfer, one.handoffs) == (0, 1, 0)


def test_handoff_elsewhere_than_predicted_is_a_misprediction(bench):
    one = bench()
    one.frame(0, A, B)
    one.frame(6, C)
    one.arrive(30)
    first, second = one.transfers()
    assert (first.target, first.outcome) == ("B", "mispredicted")
    assert math.isnan(first.t_handoff_s)
    assert (second.target, second.outcome, second.final_mb, second.t_end_s) == ("C", "completed", approx(120), approx(18.2))
    assert one.handoffs == 1


def test_retargeting_after_a_handoff_is_a_user_who_left(bench):
    """Relayed to B at 4 s, back at 8 s with target C: the transfer to B had a t_handoff."""
    one = bench(relay=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(8, A, C)
    one.arrive(9)
    first, second = one.transfers()
    assert (first.target, first.outcome, first.t_handoff_s) == ("B", "user_left", 4)
    assert (second.target, second.outcome) == ("C", "unfinished")


def test_pending_handoff_that_moves_on_is_a_user_who_left(bench):
    """Relayed to B at 4 s and to C at 8 s: two handoffs, no stop before C is synchronised at 8 + 12 s."""
    one = bench(relay=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(8, C)
    one.arrive(50)
    first, second = one.transfers()
    assert (first.target, first.outcome, first.downtime_s) == ("B", "user_left", 0)
    assert (second.target, second.t_handoff_s, second.t_stop_s, second.t_end_s) == ("C", 8, approx(20), approx(20.4))
    assert (one.handoffs, one.booked("outages")) == (2, 1)


def test_abandon_resumes_on_the_host_at_once(bench):
    """Stopped at 4 s, the user is back at 6 s: 20 of the 80 MB were sent in vain, an outage of 2 s."""
    one = bench()
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(6, A, C)
    assert (one.running, one.host) == (True, "A")
    one.arrive(10)
    row = one.transfer()  # rule 4 ignores the target
    assert (row.outcome, row.t_end_s, row.downtime_s) == ("user_left", 6, 2)
    assert (row.image_mb, row.final_mb) == approx((40, 20))
    assert (one.booked("outages"), one.booked("outage_s"), one.booked("censored")) == (1, 2, 0)
    assert one.handoffs == 2  # to B, and back


def test_abandon_moves_on_to_a_third_server_stopped(bench):
    """Stopped at 4 s, at 6 s the user is at C: S + M = 120 MB from there, 12 s, then 0.2 s; one outage of 14.2 s."""
    one = bench()
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(6, C)
    one.arrive(40)
    first, second = one.transfers()
    assert (first.outcome, first.downtime_s, first.final_mb) == ("user_left", 2, approx(20))
    assert (second.t_start_s, second.t_handoff_s, second.t_stop_s) == (6, 6, 6)
    assert (second.image_mb, second.memory_mb, second.dirty_mb, second.final_mb) == approx((0, 0, 0, 120))
    assert (second.source, second.target, second.outcome) == ("A", "C", "completed")
    assert second.t_end_s == approx(18.2)
    assert (one.handoffs, one.booked("outages"), one.booked("outage_s")) == (2, 1, approx(14.2))


@pytest.mark.parametrize("left_for", [A, C])
def test_finish_goes_on_and_then_decides_anew(bench, left_for):
    """Stopped at 4 s for B, left at 6 s: runs on B at 12.2 s; the frame at 14 s is an ordinary handoff from B."""
    one = bench(finish=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(6, left_for)
    assert one.handoffs == 1  # none until rule 3
    one.frame(14, left_for)
    one.arrive(50)
    first, second = one.transfers()
    assert (first.outcome, first.t_end_s, first.downtime_s) == ("completed", approx(12.2), approx(8.2))
    assert (second.source, second.target) == ("B", "AC"[left_for // 2])
    assert (second.t_start_s, second.t_handoff_s, second.final_mb, second.outcome) == (14, 14, approx(120), "completed")
    assert (one.handoffs, one.booked("outages")) == (2, 2)


@pytest.mark.parametrize("policy", [{"finish": False}, {"finish": True}])
@pytest.mark.parametrize("left_for", [A, C])
def test_restore_always_goes_on(bench, policy, left_for):
    """FINAL ends at 12 s, RESTORE lasts 5 s: a user who leaves at 14 s gets a container on B at 17 s, and a handoff at the next frame."""
    one = bench(start_s=5, **policy)
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(14, left_for)
    one.frame(18, left_for)
    one.arrive(20)
    first, second = one.transfers()
    assert (first.outcome, first.t_end_s) == ("completed", approx(17))
    assert (second.source, second.t_start_s, second.outcome) == ("B", 18, "unfinished")
    assert one.handoffs == 2


@pytest.mark.parametrize("home", [B, KEEP])
def test_stopped_container_goes_on_while_the_user_stays_or_keeps(bench, home):
    one = bench()
    one.frame(0, A, B)
    one.frame(4, B)
    one.frame(6, home, D)
    one.arrive(40)
    row = one.transfer()
    assert (row.outcome, row.t_end_s) == ("completed", approx(12.2))
