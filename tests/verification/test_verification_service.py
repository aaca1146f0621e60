"""What users get, against paper: seconds relayed, late, satisfied and without a container (model, sections 2 and 9).

Servers A, B, C stand in cells 0, 1, 2: a request takes 15 ms and 40 ms more for each hop (15, 55, 95 ms); the default level is 80 ms.
Default container: S = 100 MB, M = 20 MB, W = 10 MB/s, dirty 1 MB/s, M_d = 5 MB, start time 0.2 s.
"""

import pytest
from pytest import approx

from msmf_traci.sentinels import KEEP
from tests.courses import tell

A, B, C = 0, 1, 2


def seconds(one) -> tuple[float, float, float]:
    return one.booked("relayed_s"), one.booked("late_s"), one.booked("satisfied_s")


@pytest.mark.parametrize(
    ("level_ms", "late_s"),
    [
        (15, 20),  # met at the host's own cell alone: exactly the level is not late
        (55, 10),  # met at one hop
        (80, 10),
        (95, 0),
        (14.9, 35),
    ],
)
def test_latency_grows_with_hops_and_is_late_above_the_level(bench, level_ms, late_s):
    """Cell 0 for 15 s, cell 1 for 10 s, cell 2 for 10 s; the container stays on A."""
    one = bench(level_ms=level_ms)
    one.frame(0, A, cell=0)
    one.frame(15, KEEP, cell=1)
    one.frame(25, KEEP, cell=2)
    one.arrive(35, cell=2)
    assert seconds(one) == (20, late_s, 35 - late_s)


def test_cell_of_the_last_frame_costs_nothing(bench):
    one = bench()
    one.frame(0, A, cell=0)
    one.arrive(10, cell=2)
    assert seconds(one) == (0, 0, 10)


def test_cell_holds_from_its_frame_on(bench):
    """Frames every 4 s: the change between 4 s and 8 s is known at 8 s."""
    one = bench()
    for t_s in (0, 4):
        one.frame(t_s, A, cell=0)
    for t_s in (8, 12):
        one.frame(t_s, KEEP, cell=2)
    one.arrive(16, cell=2)
    assert seconds(one) == (8, 8, 8)


def test_host_changes_inside_a_frame_interval(bench):
    """Stopped at 10 s with 20 MB to send: runs on B at 12.2 s, while the frames are at 10 s and 20 s."""
    one = bench()
    one.frame(0, A, B, cell=0)
    one.frame(10, B, cell=1)
    one.arrive(20, cell=1)
    assert seconds(one) == approx((0, 0, 10 + 7.8))
    assert one.booked("outage_s") == approx(2.2)


@pytest.mark.parametrize(("level_ms", "late_s"), [(80, 0), (30, 7)])
def test_relayed_until_the_stop_inside_a_frame_interval(bench, level_ms, late_s):
    """Cell 1 from 5 s, relayed to A until the stop at 12 s; 0.4 s of outage; then at B until 20 s."""
    one = bench(relay=True, level_ms=level_ms)
    one.frame(0, A, B, cell=0)
    one.frame(5, B, cell=1)
    one.arrive(20, cell=1)
    assert seconds(one) == approx((7, late_s, 20 - 0.4 - late_s))
    assert one.booked("outage_s") == approx(0.4)


def test_cell_changed_during_the_outage_counts_from_its_end(bench):
    """Stopped for B at 4 s, in cell 2 from 6 s (KEEP); runs on B at 12.2 s, one hop away, until 20 s."""
    one = bench(level_ms=30)
    one.frame(0, A, B, cell=0)
    one.frame(4, B, cell=1)
    one.frame(6, KEEP, cell=2)
    one.arrive(20, cell=2)
    assert seconds(one) == approx((7.8, 7.8, 4))
    assert one.booked("outage_s") == approx(8.2)


def test_resuming_on_the_host_is_judged_from_the_cell_of_now(bench):
    """Stopped for B at 4 s; at 6 s the home is A again, seen from cell 2, say a wide home: two hops, late, until 10 s."""
    one = bench()
    one.frame(0, A, B, cell=0)
    one.frame(4, B, cell=1)
    one.frame(6, A, cell=2)
    one.arrive(10, cell=2)
    assert seconds(one) == (4, 4, 4)
    assert (one.booked("outages"), one.booked("outage_s"), one.booked("longest_outage_s")) == (1, 2, 2)


def test_an_outage_spans_abandoned_transfers(bench):
    """Stopped at 4 s for B, on to C at 6 s, back to B at 9 s: S + M = 120 MB, 12 s and 0.2 s from there, 17.2 s in all, one outage."""
    one = bench()
    one.frame(0, A, B, cell=0)
    one.frame(4, B, cell=1)
    one.frame(6, C, cell=2)
    one.frame(9, B, cell=1)
    one.arrive(30, cell=1)
    assert [row.outcome for row in one.transfers()] == ["user_left", "user_left", "completed"]
    assert [row.downtime_s for row in one.transfers()] == approx([2, 3, 12.2])
    assert (one.booked("outages"), one.booked("censored")) == (1, 0)
    assert (one.booked("outage_s"), one.booked("longest_outage_s")) == approx((17.2, 17.2))
    assert seconds(one) == approx((0, 0, 30 - 17.2))


def test_outages_add_up_and_the_longest_stands_out(bench):
    """12.2 s to B without pre-copy (4 to 16.2 s); 0.5 s to A with it (target from 20 s, stop at 33 s with 3 MB dirty)."""
    one = bench()
    one.frame(0, A, cell=0)
    one.frame(4, B, cell=1)
    one.frame(20, B, A, cell=1)
    one.frame(33, A, cell=0)
    one.arrive(40, cell=0)
    assert (one.booked("outages"), one.booked("censored")) == (2, 0)
    assert (one.booked("outage_s"), one.booked("longest_outage_s")) == approx((12.7, 12.2))
    assert seconds(one) == approx((0, 0, 40 - 12.7))


def test_a_censored_outage_counts_and_can_be_the_longest(bench):
    """0.5 s of outage to B (13 to 13.5 s), then stopped from 20 s until the arrival at 25 s."""
    one = bench()
    one.frame(0, A, B, cell=0)
    one.frame(13, B, cell=1)
    one.frame(20, C, cell=2)
    one.arrive(25, cell=2)
    assert (one.booked("outages"), one.booked("censored")) == (2, 1)
    assert (one.booked("outage_s"), one.booked("longest_outage_s")) == approx((5.5, 5))
    assert seconds(one) == approx((0, 0, 19.5))


def test_late_service_after_completion_under_finish(bench):
    """Stopped at 4 s for B, left at 6 s to cell 3; on B at 12.2 s, two hops away (95 ms), until rule 3 stops it at 14 s."""
    one = bench(finish=True)
    one.frame(0, A, B, cell=0)
    one.frame(4, B, cell=1)
    one.frame(6, 3, cell=3)
    one.frame(14, 3, cell=3)
    one.arrive(20, cell=3)
    assert seconds(one) == approx((1.8, 1.8, 4))
    assert (one.booked("outages"), one.booked("censored"), one.booked("outage_s")) == (2, 1, approx(8.2 + 6))


def test_nothing_is_counted_before_the_first_frame_or_after_the_last(bench):
    one = bench()
    one.frame(100, A, B, cell=2)
    one.arrive(130, cell=2)
    tell(one.engine, 500, [], home=A)
    assert seconds(one) == (30, 30, 0)
    assert one.transfer().t_end_s == 130
