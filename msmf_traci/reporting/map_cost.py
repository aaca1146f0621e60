"""The claim that predicting costs the same on any map, answered from a benchmark's table that lies among the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from msmf_traci.errors import InputError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.reporting.judgement import Asked, Finding, Judgement, Question, conclude, without_data
from msmf_traci.results.intervals import mean_interval

COST_FILE = "prediction_cost.csv"
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
        costs = pd.read_csv(file, dtype={"map": str, "edges": int, "ns_per_prediction": float}, **EXACT)
        by_map = pd.pivot_table(costs, index="repeat", columns="map", values="ns_per_prediction").dropna()
        edges = costs.groupby("map")["edges"].first().sort_values()
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{file} cannot be read ({error}): make it again with scripts/benchmark_prediction.py, or remove it") from None
    if len(edges) < 2:
        return without_data(_QUESTION, f"needs maps of several sizes in {file}")
    told = {name: f"{name} ({many:,} edges)" for name, many in edges.items()}
    small, large = edges.index[0], edges.index[-1]
    growth = 100.0 * (by_map[large] / by_map[small] - 1.0)
    name = f"a prediction on {told[large]} against {told[small]}"
    asked = [
        Asked({"what hardly means": words}, [Finding(name, "%", mean_interval(growth), below=bound)])
        for bound, words in _GROWTHS_PERCENT.items()
    ]
    quoted = [
        Asked({"quoted": "from the benchmark"}, [Finding(f"a prediction on {told[each]}", "ns", mean_interval(by_map[each]))])
        for each in edges.index
    ]
    return conclude(_QUESTION, asked, quoted)
