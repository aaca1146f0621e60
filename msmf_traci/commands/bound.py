"""`msmf-traci bound`: what finished runs cost at other weights, and how much of it no strategy can avoid."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from msmf_traci.command_line import Parser
from msmf_traci.errors import InputError
from msmf_traci.results.cost import TRAFFIC_FACTORS, revalued, weights_from, weights_of
from msmf_traci.weights import Weights


def main(words: Sequence[str]) -> None:
    """Value runs at the weights that the command line says, adding bounds that they lack, and print a table of each.

    Raises
    ------
    InputError
        If a word is wrong, there is no run, or what a run stands on is not the same any more.
    MsmfError
        If SUMO fails.
    """
    parser = Parser(
        "msmf-traci bound", description="Say what finished runs cost at other weights, and add to bounds.csv what no strategy can avoid."
    )
    parser.add_argument("words", nargs="+", metavar="WORD", help="folders of runs or sweeps, and weights such as cost.traffic_per_gb=50")
    typed = parser.parse_args(list(words)).words
    folders, said = ([word for word in typed if word.startswith("cost.") is is_cost] for is_cost in (False, True))
    if not folders:
        raise InputError("name the folder of a run or of a sweep, such as results/synthetic")
    weights_from(said, Weights())
    # what is heavy is loaded only once the words are known to be right
    from msmf_traci.experiment.bounds import add_bounds
    from msmf_traci.results.runs import Run, load_runs
    from msmf_traci.results.screen import lines_of
    from msmf_traci.results.summary import of_all_vehicles

    loaded = load_runs(folders)
    for run in [loaded] if isinstance(loaded, Run) else loaded:
        weights = weights_from(said, weights_of(run.facts))
        bounds = add_bounds(run.folder, [weights.with_traffic(factor) for factor in TRAFFIC_FACTORS.values()])
        summary = of_all_vehicles(revalued(run.summary, bounds, weights))
        print(f"{run.folder}, cost a trip at {', '.join(f'{name} {value:g}' for name, value in vars(weights).items())}:")
        print("\n".join(lines_of(_costs(summary, run.facts["key_columns"]))), end="\n\n")


def _costs(summary: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Cost, bound and their difference of each variant, as text."""
    shown = [name for name in keys if name == "strategy" or len(summary[name].unique()) > 1]
    columns = {name: summary[name].map(lambda value: "-" if pd.isna(value) else str(value)) for name in shown}
    for head, end in (("", ""), ("traffic / 5\n", "_cheap_traffic"), ("traffic x 5\n", "_dear_traffic")):
        cost, bound = summary[f"cost{end}_per_trip"], summary[f"bound{end}_per_trip"]
        for name, values in (("cost", cost), ("bound", bound), ("regret", cost - bound)):
            columns[f"{head}{name}"] = values.map("{:.2f}".format)
    return pd.DataFrame(columns)
