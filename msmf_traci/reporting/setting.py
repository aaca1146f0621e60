"""The setting at which pictures of single runs look: the reference value of every option that varies, as far as a run has it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from msmf_traci.reporting.finished_run import ANY, FinishedRun, is_at, varied_values
from msmf_traci.reporting.options import Value, config_options
from msmf_traci.reporting.reading import Results


def setting_of(results: Results, run: FinishedRun) -> dict[str, Value]:
    """Value of every option of the results in one run: the reference where the run has that variant, else its first variant's."""
    summary = run.table("summary", columns=run.key_columns)
    configured, varied = config_options(run.facts["config"]), varied_values(run, summary)
    setting: dict[str, Value] = {}
    for name, option in results.options.items():
        if name in varied:
            has_reference = bool((varied[name] == option.reference).any())
            said = varied[name][varied[name] != ANY]
            setting[name] = option.reference if has_reference or said.empty else said.iloc[0]
        elif name in configured:
            setting[name] = configured[name]
    return setting


def rows_at(run: FinishedRun, table: pd.DataFrame, setting: Mapping[str, Value]) -> pd.DataFrame:
    """Rows of one of a run's tables that are of a setting; the table has the run's key columns."""
    kept = pd.Series(True, index=table.index)
    for name, values in varied_values(run, table).items():
        if name in setting:
            kept &= is_at(values, setting[name])
    return table[kept]
