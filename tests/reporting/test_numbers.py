"""Numbers as people write them, and intervals of nothing that cannot be."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.measures import MEASURES, SATISFIED
from msmf_traci.reporting.numbers import exact, measured, span
from msmf_traci.reporting.page_tables import strategies_table
from msmf_traci.reporting.reading import read_results
from msmf_traci.results.intervals import mean_interval
from tests.reporting.made_results import write_sweep
from tests.reporting.test_little_to_draw import change_tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (250.0, "250"),
        (253.4, "253"),
        (12.34, "12.3"),
        (1.0, "1"),
        (0.01234, "0.0123"),
        (0.0000251, "0.0000251"),
        (12_345.0, "12,300"),
        (1.5e9, "1,500,000,000"),
        (-3.21, "−3.21"),
        (-0.0, "0"),
        (999.7, "1,000"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_measured_numbers_have_three_digits_and_no_powers(value: float, text: str) -> None:
    assert measured(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_has_a_power_of_ten(value: float) -> None:
    assert "e" not in measured(value).lower() and "e" not in exact(value).lower()


def test_intervals_end_where_their_mean_does() -> None:
    assert span(0.585, 5.573, 3.08) == "0.58 to 5.57"
    assert span(931.2, 1089.0, 1010.0) == "930 to 1,090"
    assert span(-3.0, 1.0, 0.0) == "−3.00 to 1.00"


def test_set_values_keep_all_their_digits() -> None:
    assert [exact(value) for value in (50.0, 0.5, 1_500_000.0, 0.1 + 0.2, 12_345.678)] == ["50", "0.5", "1500000", "0.3", "12345.678"]


def test_intervals_leave_out_what_a_measure_cannot_be(tmp_path: Path) -> None:
    """Two seeds far apart: Student's interval of a share would go from below 0 to above 100 %."""
    assert mean_interval([0.0, 100.0]).low < 0.0 and mean_interval([0.0, 100.0]).high > 100.0
    sweep = write_sweep(tmp_path / "sweep", seeds=[0, 1])
    apart = {name: each.per_unit * 100.0 for name, each in MEASURES.items()}
    for seed in (0, 1):
        for folder in sweep.glob(f"*seed={seed}"):
            change_tables(folder, "summary", lambda table, seed=seed: table.assign(**{n: seed * most for n, most in apart.items()}))
    results = read_results([sweep])
    figures = {figure.name: figure.points for figure in curve_figures(results)}
    for name in ("satisfied_by_speed", "traffic_by_speed", "downtime_by_speed"):
        assert (figures[name]["low"] == 0.0).all()
    assert (figures["satisfied_by_speed"]["high"] == SATISFIED.most).all()
    assert (figures["traffic_by_speed"]["high"] > 100.0).all()
    texts = [field.beside for row in strategies_table(results).rows for field in row if field.beside]
    assert texts and not any("−" in text for text in texts)
    # differences may be anything
    assert np.isfinite(figures["differences_by_speed"]["low"]).all()
