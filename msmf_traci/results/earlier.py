"""Summaries as versions before 0.2 wrote them: with other names of columns, and the rows of speed bands among the totals."""

from __future__ import annotations

import pandas as pd

from msmf_traci.results.keys import ALL, BAND

_RENAMED = {
    "outage_s": "mean_outage_s",
    "lead_s": "mean_lead_s",
    "migration_time_s": "mean_migration_time_s",
    **{name: f"{name}_per_trip" for name in ("handoffs", "completed", "mispredicted", "user_left", "unfinished", "refused")},
}


def is_earlier_summary(table: pd.DataFrame) -> bool:
    """Whether a table `summary` is of a version before 0.2, which tells by its column of bands."""
    return BAND in table


def split_earlier_summary(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Today's two tables, `summary` and `summary_by_band`, from an earlier summary."""
    renamed = table.rename(columns=_today)
    is_total = renamed[BAND] == ALL
    by_band = renamed[~is_total].drop(columns="mode", errors="ignore")
    return renamed[is_total].drop(columns=BAND).reset_index(drop=True), by_band.reset_index(drop=True)


def _today(column: str) -> str:
    """Today's name of a column; percentiles follow the metric that they are of."""
    metric, percentile = (column[:-4], column[-4:]) if column[-4:] in ("_p05", "_p50", "_p95") else (column, "")
    return _RENAMED.get(metric, metric) + percentile
