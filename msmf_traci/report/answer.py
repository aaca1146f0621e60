"""The page's first sentence: what the best strategy saves at the reference, with intervals, and how the claims fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from msmf_traci.report.axis import words
from msmf_traci.report.curves import baseline
from msmf_traci.report.judgement import DEPENDS, NO_DATA, OUTCOMES, Judgement
from msmf_traci.report.measures import DOWNTIME, REPLICATE, TRAFFIC, Measure
from msmf_traci.report.options import APPLICATION, SPEED, label_of
from msmf_traci.report.reading import Results
from msmf_traci.report.statistics import Interval, mean_interval

# they do not migrate, or know the road ahead: no choice of an operator
_NO_CHOICE = ("never", "oracle", "oracle_tier")
_SAID = (TRAFFIC[0], DOWNTIME[-1])
_VERDICTS = {
    **{outcome: outcome for outcome in OUTCOMES},
    DEPENDS: "dependent on how they are read or on what is assumed",
    NO_DATA: "without data",
}


def answer_of(results: Results, judgements: Sequence[Judgement]) -> str:
    """A sentence from the runs at the reference, and one from the claims."""
    claims = claims_sentence(judgements)
    over = (
        "These intervals are over seeds, which draw some trajectories twice; those of Figure 8 are over trajectories."
        if results.is_of_traces
        else ""
    )
    return " ".join(part for part in (_runs_sentence(results), over, claims) if part)


def _runs_sentence(results: Results) -> str:
    base = baseline(results)
    rows = results.at()
    there = set(rows["strategy"])
    names = [name for name in results.strategies if name not in _NO_CHOICE and name in there]
    if not names:
        return "There are no runs at the reference values of all options; the figures show those that there are."
    where = (
        f"At a {label_of(SPEED).partition(' (')[0]} of {words(SPEED, results.options[SPEED].reference)} km/h"
        if SPEED in results.options
        else "In these runs"
    )
    where += "".join(
        f", {option.label} {words(option.name, option.reference)}" for option in results.options.values() if option.name == APPLICATION
    )
    where += ", of the strategies that migrate without knowing the road ahead"
    values = {(name, each.column): _by_seed(results, name, each) for name in names for each in _SAID}
    # strategies are compared on the seeds that all of them have
    shared = np.isfinite(np.array(list(values.values()))).all(axis=0)
    if not shared.any():
        return f"{where}, no seed has every strategy; the figures show what there is."
    values = {key: each[shared] for key, each in values.items()}
    best = min(names, key=lambda name: float(values[name, _SAID[1].column].mean()))
    said = [f"{each.label} {_text(mean_interval(values[best, each.column]), each.unit)}" for each in _SAID]
    if best == base or base not in names:
        return f"{where}, {best} is stopped least: {', '.join(said)}."
    for place, each in enumerate(_SAID):
        change = mean_interval(values[best, each.column] - values[base, each.column])
        said[place] += f", {_text(change, each.difference_unit, signed=True)} against {base}"
    return f"{where}, {best} is stopped least: {'; '.join(said)}."


def _by_seed(results: Results, name: str, measure: Measure) -> np.ndarray:
    rows = results.at()
    own = rows[rows["strategy"] == name].set_index(REPLICATE)[measure.column]
    return np.asarray(own.reindex(results.replicates) / measure.per_unit, dtype=np.float64)


def _text(interval: Interval, unit: str, *, signed: bool = False) -> str:
    digits = "+.3g" if signed else ".3g"
    bounds = f" [{interval.low:{digits}}, {interval.high:{digits}}]" if interval.is_known else ""
    return f"{interval.mean:{digits}}{bounds} {unit}"


def claims_sentence(judgements: Sequence[Judgement]) -> str:
    """How many claims have each verdict."""
    if not judgements:
        return ""
    counts = Counter(next(verdict for verdict in _VERDICTS if each.verdict.startswith(verdict)) for each in judgements)
    said = [f"{counts[verdict]} {words_of}" for verdict, words_of in _VERDICTS.items() if counts[verdict]]
    return f"The paper's claims put to the test: {len(judgements)}, of which {', '.join(said)}."
