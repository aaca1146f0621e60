"""The claim that predicting costs the same on any map, answered from a benchmark's table that lies among the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.report.judgement import Asked, Finding, Judgement, Question, conclude, without_data
from msmf_traci.report.statistics import mean_interval

COST_FILE = "prediction_cost.csv"
_COLUMNS = ("map", "edges", "cells", "repeat", "ns_per_prediction")
# readings of "does not grow": by less than so many percent from the smallest map to the largest
_GROWTHS_PERCENT = {25.0: "grows by less than a quarter", 100.0: "less than doubles"}
_QUESTION = Question(
    "cost_independent_of_map",
    "4.2",
    "The time complexity of Algorithm 1 is O(M), which is clearly more efficient than the prediction method based on MDP.",
    "The time of one prediction hardly grows from the smallest map to the largest.",
)


def judge_map_cost(folders: Sequence[Path]) -> Judgement:
    """Judge the claim by the table of `scripts/benchmark_prediction.py`, quoted as evidence.

    Raises
    ------
    InputError
        If such a table is there and is none.
    """
    file = next((folder / COST_FILE for folder in folders if (folder / COST_FILE).is_file()), None)
    if file is None:
        return without_data(
            _QUESTION, f"needs {COST_FILE} in a folder of results: scripts/benchmark_prediction.py --out FOLDER/{COST_FILE}"
        )
    try:
        costs = pd.read_csv(file)[list(_COLUMNS)]
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{file} cannot be read ({error}): make it again with scripts/benchmark_prediction.py, or remove it") from None
    maps = costs.drop_duplicates("map").sort_values("edges", kind="stable")
    times = {each: costs[costs["map"] == each].sort_values("repeat")["ns_per_prediction"].to_numpy() for each in maps["map"]}
    told = {row.map: f"{row.map} ({row.edges:,} edges)" for row in maps.itertuples()}
    small, large = maps["map"].iloc[0], maps["map"].iloc[-1]
    growth = 100.0 * (times[large] / times[small] - 1.0)
    name = f"a prediction on {told[large]} against {told[small]}"
    asked = [
        Asked({"what hardly means": words}, [Finding(name, "%", mean_interval(growth), below=bound)])
        for bound, words in _GROWTHS_PERCENT.items()
    ]
    quoted = [
        Asked({"quoted": "from the benchmark"}, [Finding(f"a prediction on {told[each]}", "ns", mean_interval(values))])
        for each, values in times.items()
    ]
    return conclude(_QUESTION, asked, quoted)
