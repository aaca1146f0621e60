"""Summaries of versions before 0.2 are read as today's two tables."""

from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.results.store import read_table, write_table

EARLIER = pd.DataFrame(
    {
        "strategy": ["pm", "pm", "pm"],
        "image_mb": [500.0, 500.0, 500.0],
        "band": ["all", "<10", "all"],
        "mode": ["all", "all", "walk"],
        "vehicles": [3, 1, 2],
        "outage_s": [9.0, 8.0, 7.0],
        "outage_per_trip_s": [3.0, 2.0, 1.0],
        "lead_s": [0.1, 0.2, 0.3],
        "handoffs": [4.0, 5.0, 6.0],
        "handoffs_p05": [1.0, 2.0, 3.0],
        "refused": [0.0, 1.0, 2.0],
    }
)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_totals_and_bands_are_told_apart_and_columns_have_their_new_names(tmp_path: Path, format: str) -> None:
    write_table(tmp_path, "summary", EARLIER, format)
    total, by_band = read_table(tmp_path, "summary"), read_table(tmp_path, "summary_by_band")
    renamed = [
        "vehicles",
        "mean_outage_s",
        "outage_per_trip_s",
        "mean_lead_s",
        "handoffs_per_trip",
        "handoffs_per_trip_p05",
        "refused_per_trip",
    ]
    assert list(total.columns) == ["strategy", "image_mb", "mode", *renamed]
    assert list(total["mode"]) == ["all", "walk"]
    assert list(total["mean_outage_s"]) == [9.0, 7.0]
    assert list(by_band.columns) == ["strategy", "image_mb", "band", *renamed]
    assert by_band.iloc[0].to_list() == ["pm", 500.0, "<10", 1, 8.0, 2.0, 0.2, 5.0, 2.0, 1.0]
    assert read_table(tmp_path, "summary_by_band", columns=["band", "vehicles"]).iloc[0].to_list() == ["<10", 1]


def test_todays_summary_is_read_as_it_stands(tmp_path: Path) -> None:
    today = pd.DataFrame({"strategy": ["pm"], "mean_outage_s": [1.5]})
    write_table(tmp_path, "summary", today, "csv")
    assert read_table(tmp_path, "summary").to_dict("list") == today.to_dict("list")
