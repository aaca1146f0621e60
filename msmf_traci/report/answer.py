"""The answer in one sentence, where no better one is given: who sends least and who stops shortest at the reference."""

from __future__ import annotations

import pandas as pd

from msmf_traci.report.axis import words
from msmf_traci.report.curves import baseline
from msmf_traci.report.measures import DOWNTIME, TRAFFIC, Measure
from msmf_traci.report.options import SPEED
from msmf_traci.report.reading import Results

# they do not migrate, or know the road ahead: no choice of an operator
_NO_CHOICE = ("never", "oracle", "oracle_tier")


def plain_answer(results: Results) -> str:
    """A sentence from the means of the reference cells."""
    base = baseline(results)
    cells = results.at()
    names = [name for name in results.strategies if name not in _NO_CHOICE and name in set(cells["strategy"])]
    if not names:
        return "There are no cells at the reference values of all options; the figures show those that there are."
    means = cells.groupby("strategy")[[TRAFFIC[0].column, DOWNTIME[0].column]].mean().reindex(names)
    where = f"At {words(SPEED, results.options[SPEED].reference)} km/h" if SPEED in results.options else "In these runs"
    if len(names) == 1:
        return f"{where}, {names[0]} has {_amount(means, names[0], TRAFFIC[0])} and {_amount(means, names[0], DOWNTIME[0])}."
    said = [_least(means, measure, verb, base) for measure, verb in ((TRAFFIC[0], "sends least"), (DOWNTIME[0], "stops shortest"))]
    return f"{where}, {' and '.join(part for part in said if part)}."


def _least(means: pd.DataFrame, measure: Measure, verb: str, base: str) -> str:
    known = means[measure.column].dropna()
    if known.empty:
        return ""
    best = str(known.idxmin())
    against = ""
    if base in known and best != base and known[base] > 0.0:
        against = f", {100.0 * (1.0 - known[best] / known[base]):.0f} % less than {base}"
    return f"{best} {verb} ({_amount(means, best, measure)}{against})"


def _amount(means: pd.DataFrame, name: str, measure: Measure) -> str:
    return f"{float(means[measure.column][name]) / measure.per_unit:.3g} {measure.unit} of {measure.label}"
