"""Results do not depend on how the program slices time (model, section 7), nor on what it skips because nothing is new."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from msmf_traci.errors import InputError


@pytest.mark.parametrize("kind", ["drives", "crowded_drives", "copying_drives", "storing_drives"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_batches_give_what_single_frames_give(kind, request, book, data):
    """Any decisions, many of them held over several frames; batches cut anywhere; a trace reads along; decisions are given."""
    drive = data.draw(request.getfixturevalue(kind))
    held = np.array(data.draw(st.lists(st.booleans(), min_size=len(drive.times_s), max_size=len(drive.times_s))))
    same_as = np.maximum.accumulate(np.where(held, 0, np.arange(len(drive.times_s))))
    answers = ("home", "target", "cell", *(["prefetch"] if drive.prefetch is not None else []))
    held_answers = {name: getattr(drive, name)[same_as] for name in answers}
    drive = replace(drive, **held_answers)  # the server where a road enters a region may change while all else is held
    cuts = sorted(data.draw(st.sets(st.integers(1, len(drive.times_s)), max_size=4)))
    try:
        frame_by_frame = book(drive)
    except InputError:  # no server has room for a container
        reject()
    _assert_same(frame_by_frame, book(drive, cuts=cuts))
    _assert_same(frame_by_frame, book(drive, cuts=cuts, traced=True))
    _assert_same(frame_by_frame, book(drive, cuts=cuts, given=True))


def test_a_container_deployed_away_from_its_full_home_goes_there_once_there_is_room(crowd, book):
    """v0 holds A until its last frame at 4 s; v1, which was deployed on B, is told nothing new and asks for A at every frame."""
    drive = crowd(home=[[0, 0]] * 8, last=[3, 7], local_room=1)
    told_all, told_changes = book(drive), book(drive, cuts=())
    _assert_same(told_all, told_changes)
    asked = told_changes.transfers()
    assert list(asked["source"] + asked["target"] + " " + asked["outcome"]) == ["BA refused", "BA completed"]
    assert list(asked["t_start_s"]) == [2, 4]


def test_a_home_that_was_refused_is_granted_once_a_copy_is_under_way_there(crowd, book):
    """v1 holds R until it is on A at 6.2 s; v0 asks for R as its home, gets A instead, and asks for R as its target, too.

    At 7 s there is room for the copy; from then on R is the target of an open transfer, so that at 8 s R is granted as the home.
    """
    to_r, to_a = [4, 4], [4, 0]
    drive = crowd(home=[[0, 4], to_r, to_r, to_r, *[to_a] * 8], target=[[-1], *[[4]] * 11], level_ms=[30, 10], regional_room=1, tiers=2)
    told_all, told_changes = book(drive), book(drive, cuts=())
    _assert_same(told_all, told_changes)
    of_v0 = told_changes.transfers().query("vehicle == 'v0' and outcome == 'completed'")
    assert (of_v0["t_start_s"].item(), of_v0["t_handoff_s"].item(), of_v0["target"].item()) == (7, 8, "R")


def _assert_same(one, other):
    pd.testing.assert_frame_equal(one.transfers(), other.transfers(), check_exact=True)
    pd.testing.assert_frame_equal(one.copies(), other.copies(), check_exact=True)
    pd.testing.assert_frame_equal(one.stages(), other.stages(), check_exact=True)
    pd.testing.assert_frame_equal(one.vehicle_rows(), other.vehicle_rows(), check_exact=True)
