"""Results do not depend on how the program slices time (model, section 7), nor on what it skips because nothing is new."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("kind", ["drives", "crowded_drives"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_batches_give_what_single_frames_give(kind, request, book, data):
    """Any decisions, many of them held over several frames; batches cut anywhere; in a batch only changes are looked at."""
    drive = data.draw(request.getfixturevalue(kind))
    held = np.array(data.draw(st.lists(st.booleans(), min_size=len(drive.times_s), max_size=len(drive.times_s))))
    same_as = np.maximum.accumulate(np.where(held, 0, np.arange(len(drive.times_s))))
    drive = replace(drive, home=drive.home[same_as], target=drive.target[same_as], cell=drive.cell[same_as])
    cuts = sorted(data.draw(st.sets(st.integers(1, len(drive.times_s)), max_size=4)))
    _assert_same(book(drive), book(drive, cuts=cuts))


def _assert_same(one, other):
    pd.testing.assert_frame_equal(one.transfers(), other.transfers(), check_exact=True)
    pd.testing.assert_frame_equal(one.stages(), other.stages(), check_exact=True)
    pd.testing.assert_frame_equal(one.vehicle_rows(), other.vehicle_rows(), check_exact=True)
