"""Results do not depend on how the program slices time (model, section 7)."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.migration.ledger import Stage
from msmf_traci.sentinels import KEEP, NO_SERVER

INSTANTS = st.lists(st.floats(0, 1), max_size=12)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), shares=INSTANTS)
def test_bringing_transfers_up_to_date_more_often_changes_nothing(drives, book, data, shares):
    """Any decisions; between frames the transfers are advanced at further instants."""
    drive = data.draw(drives)
    extra = tuple(float(np.interp(share, [0, 1], drive.times_s[[0, -1]])) for share in shares)
    _assert_same(book(drive), book(drive, slices=extra))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), shares=INSTANTS)
def test_frames_that_say_nothing_new_change_nothing(drives, book, data, shares):
    """Further frames repeat the last decisions.

    Decisions are kept to those that mean the same whenever they are said: rule 2 starts a pre-copy, and rule 3 decides anew, at the first
    frame after a migration has ended, so that a target is given only to a container that runs at home, and a stopped one is not sent on
    while it cannot be.
    """
    drive = data.draw(drives)
    extra = tuple(float(np.interp(share, [0, 1], drive.times_s[[0, -1]])) for share in shares)
    plain = book(drive, decide=_nothing_that_waits)
    _assert_same(plain, book(drive, repeats=extra, decide=_nothing_that_waits))


def _nothing_that_waits(booked, vehicle, home, target):
    engine = booked.engine
    i = engine.containers_of(vehicle)
    running, host, goal, stage = engine.service.running[i], engine.host[i], engine.transfers.target[i], engine.transfers.stage[i]
    at_home = running & ((home == host) | (home == KEEP))
    must_finish = ~running & (booked.drive.policy.finish_user_left | (stage == Stage.RESTORE))
    home = np.where(must_finish & (home != goal), KEEP, home)
    return home, np.where(at_home, target, NO_SERVER)


def _assert_same(one, other):
    ours, theirs = one.transfers(), other.transfers()
    where = ["x_m", "y_m"]  # by frames: these may be newer
    pd.testing.assert_frame_equal(ours.drop(columns=where), theirs.drop(columns=where), rtol=1e-9, atol=1e-6)
    pd.testing.assert_frame_equal(one.stages(), other.stages(), rtol=1e-9, atol=1e-6)
    assert (one.engine.handoffs == other.engine.handoffs).all()
    for clock, values in one.service().items():
        np.testing.assert_allclose(other.service()[clock], values, rtol=1e-9, atol=1e-9, err_msg=clock)
