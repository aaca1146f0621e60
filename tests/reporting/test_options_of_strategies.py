"""Options of single strategies are empty in the rows of all others; a report compares all strategies at each of their values."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from msmf_traci.reporting.finished_run import for_every_setting

OPTIONS = {"nearest": {"trigger_m": [10, 50]}, "pm_op": {"min_m": [0, 150]}}
ROWS = pd.DataFrame(
    [
        ("pm", np.nan, np.nan, 1),
        ("nearest", 10.0, np.nan, 2),
        ("nearest", 50.0, np.nan, 3),
        ("pm_op", np.nan, 0.0, 4),
        ("pm_op", np.nan, 150.0, 5),
    ],
    columns=["strategy", "trigger_m", "min_m", "figure"],
)


def spread(design: str, rows: pd.DataFrame = ROWS) -> list[tuple[Any, ...]]:
    strategy = {"nearest": {"trigger_m": 50}, "pm_op": {"min_m": 150}}
    config = {"strategy": strategy, "variants": {"strategy": OPTIONS}, "vary": {"design": design}}
    run: Any = SimpleNamespace(facts={"config": config}, key_columns=["strategy", "trigger_m", "min_m"])
    table = for_every_setting(run, rows)
    return sorted(table[["strategy", "trigger_m", "min_m", "figure"]].itertuples(index=False, name=None))


def test_where_all_values_are_combined_a_row_counts_at_every_combination() -> None:
    every = [(trigger, least) for trigger in (10, 50) for least in (0, 150)]
    assert spread("product") == sorted(
        [
            *(("pm", *values, 1) for values in every),
            *(("nearest", *values, 2 if values[0] == 10 else 3) for values in every),
            *(("pm_op", *values, 4 if values[1] == 0 else 5) for values in every),
        ]
    )


def test_where_each_is_varied_alone_a_row_counts_at_the_settings_that_occur() -> None:
    assert spread("one_at_a_time") == sorted(
        [
            *(("pm", *values, 1) for values in ((10, 150), (50, 150), (50, 0))),
            *[("nearest", 10, 150, 2), ("nearest", 50, 150, 3), ("nearest", 50, 0, 3)],
            *[("pm_op", 50, 0, 4), ("pm_op", 10, 150, 5), ("pm_op", 50, 150, 5)],
        ]
    )


@pytest.mark.parametrize("design", ["product", "one_at_a_time"])
def test_rows_without_empty_cells_stay_as_they_are(design: str) -> None:
    full = pd.DataFrame([("pm_op", 50.0, 0.0, 4), ("pm_op", 50.0, 150.0, 5)], columns=ROWS.columns)
    assert spread(design, full) == [("pm_op", 50, 0, 4), ("pm_op", 50, 150, 5)]


def test_a_value_that_nobody_has_is_no_setting() -> None:
    """The default of pm_op, 150, is not among the values that it is given."""
    rows = pd.DataFrame([("pm", np.nan, np.nan, 1), ("pm_op", np.nan, 50.0, 4), ("pm_op", np.nan, 250.0, 5)], columns=ROWS.columns)
    assert {values[2] for values in spread("product", rows.assign(trigger_m=50.0))} == {50, 250}


def test_truth_is_told_from_falsehood_once() -> None:
    rows = pd.DataFrame([("pm", np.nan, np.nan, 1), ("nearest", True, np.nan, 2), ("nearest", False, np.nan, 3)], columns=ROWS.columns)
    found = spread("product", rows.astype({"trigger_m": object}).assign(min_m=150.0))
    assert len(found) == 4
