"""Latencies of requests: means over time, and what was not exceeded in 95 % of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from msmf_traci.results.latencies import Latencies


def latencies(*rows: dict[float, float]) -> Latencies:
    start = np.cumsum([0, *(len(row) for row in rows)])
    entries = [entry for row in rows for entry in sorted(row.items())]
    return Latencies(start, np.array([ms for ms, _ in entries], dtype=float), np.array([s for _, s in entries], dtype=float))


def test_a_percentile_is_over_time():
    """95 s at 15 ms and 5 s at 40 ms: 15 ms are not exceeded in 95 % of the time, and in 94.9 % they would not be enough."""
    mean, percentile = latencies({15.0: 95.0, 40.0: 5.0}, {15.0: 94.9, 40.0: 5.1}, {}, {20.0: 7.0}).by_row()
    assert mean == approx([16.25, 16.275, np.nan, 20], nan_ok=True)
    assert percentile == approx([15, 40, np.nan, 20], nan_ok=True)


def test_rows_together_are_one_container_that_ran_as_long_as_all():
    """90 s at 15 ms and 10 s at 40 ms; then 100 s at 15 ms: of 200 s, 5 % are above 15 ms."""
    each = latencies({15.0: 90.0, 40.0: 10.0}, {99.0: 1e6}, {15.0: 100.0})
    assert each.together(np.array([0, 2])) == approx((16.25, 15))
    assert each.together(np.array([0])) == approx((17.5, 40))
    assert np.isnan(each.together(np.zeros(0, dtype=np.int64))).all()


ROWS = st.lists(st.dictionaries(st.sampled_from([15.0, 20.0, 25.0, 60.0]), st.sampled_from([1.0, 5.0, 19.0, 95.0])), max_size=5)


@given(ROWS)
def test_each_row_is_that_of_its_seconds_written_out(rows):
    mean, percentile = latencies(*rows).by_row()
    for k, row in enumerate(rows):
        seconds = np.repeat(sorted(row), [int(row[ms]) for ms in sorted(row)])
        if not len(seconds):
            assert np.isnan(mean[k]) and np.isnan(percentile[k])
            continue
        assert mean[k] == approx(seconds.mean())
        assert percentile[k] == np.percentile(seconds, 95, method="inverted_cdf")
