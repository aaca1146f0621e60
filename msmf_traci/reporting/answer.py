"""The page's first sentence: what the best strategy reaches at the reference, beside the common one; and how the claims fared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from msmf_traci.reporting.curves import baseline
from msmf_traci.reporting.judgement import DEPENDS, NO_DATA, OUTCOMES, Judgement
from msmf_traci.reporting.measures import REPLICATE, SATISFIED, TRAFFIC, Measure
from msmf_traci.reporting.numbers import measured
from msmf_traci.reporting.options import APPLICATION, IMAGE, SPEED, Value, normalised, with_value, words
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import Floats
from msmf_traci.results.intervals import mean_interval

NEVER = "never"
_NAMED = 3  # options that the sentence names beside those of every run
_MAP, _VEHICLES = "scenario.name", "mobility.vehicles"
_VERDICTS = {
    **{outcome: outcome for outcome in OUTCOMES},
    DEPENDS: "dependent on how they are read or on what is assumed",
    NO_DATA: "without data",
}


def answer_of(results: Results) -> str:
    """What the strategy that serves best reaches, beside the baseline, with the setting that this is about."""
    where = setting_words(results)
    rows = results.at()
    there = set(rows["strategy"])
    # a strategy that does not migrate, or knows the road ahead, is no choice of an operator
    names = [name for name in results.strategies if name not in (NEVER, *results.perfect) and name in there]
    values = {(name, each.column): _by_replicate(results, name, each) for name in names for each in (SATISFIED, TRAFFIC[0])}
    # strategies are compared on the seeds that all of them have
    shared = np.isfinite(np.array(list(values.values()))).all(axis=0) if names else np.zeros(0, dtype=bool)
    if not shared.any():
        return f"{where}, no seed has values of every strategy; the figures show what there is."
    values = {key: each[shared] for key, each in values.items()}
    mean = {key: float(each.mean()) for key, each in values.items()}
    best = max(names, key=lambda name: mean[name, SATISFIED.column])
    many = int(shared.sum())
    seeds = f"(means over {many} seeds)" if many > 1 else "(one seed)"
    base = baseline(results)
    said = f"{where}, {best} serves within the task's latency {_reach(mean, best)}"
    if base in names and base != best:
        said += f", {base} {_reach(mean, base)}"
    idle = _by_replicate(results, NEVER, SATISFIED)[shared] if NEVER in there else np.zeros(0)
    if np.isfinite(idle).any():
        said += f", and a container that never migrates {measured(float(np.nanmean(idle)))}\u00a0%"
    satisfied = {name: values[name, SATISFIED.column] for name in names}
    near = [name for name in names if name != best and not mean_interval(satisfied[best] - satisfied[name]).low > 0.0]
    doubt = f"; {many} seeds do not settle whether {best} serves better than {_listed(near, 'or')}" if near and many > 1 else ""
    return f"{said} {seeds}{doubt}."


def setting_words(results: Results) -> str:
    """The setting at the reference: map, vehicles, speed, container, and every other option that was typed or varies."""
    at: dict[str, Value] = {**results.reference, **{name: option.reference for name, option in results.options.items()}}
    none = normalised(None)
    if results.is_of_traces:
        at.pop(_VEHICLES, None)
        at.pop(SPEED, None)
    place = f"on the map {at[_MAP]}" if at.get(_MAP, none) != none else "in these runs"
    speed = "" if SPEED not in at else " at the speed of the roads" if at[SPEED] == none else f" at {words(SPEED, at[SPEED])} km/h"
    parts = [f"{words(_VEHICLES, at[_VEHICLES])} vehicles{speed}"] if _VEHICLES in at else [f"vehicles{speed}"] if speed else []
    if at.get(APPLICATION, none) != none:
        parts.append(f"the application {at[APPLICATION]}")
    elif IMAGE in at:
        parts.append(f"containers of {words(IMAGE, at[IMAGE]).removeprefix('drawn ')} MB")
    named = {_MAP, _VEHICLES, SPEED, APPLICATION, IMAGE}
    typed = [word.partition("=")[0] for word in results.runs[0].facts.get("overrides", ())]
    told = dict.fromkeys(name for name in [*results.options, *typed] if name in at and name not in named)
    others = [with_value(name, words(name, at[name])) for name in told]
    unnamed = len(others) - _NAMED
    more = [f"{unnamed} other options at their reference" if unnamed > 1 else "one other option at its reference"] if unnamed > 0 else []
    parts += [*others[:_NAMED], *more]
    text = f"{place}, with {_listed(parts, 'and')}" if parts else place
    return text[0].upper() + text[1:]


def _listed(parts: Sequence[str], last: str) -> str:
    return f" {last} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def _reach(mean: dict[tuple[str, str], float], name: str) -> str:
    satisfied, traffic = (measured(mean[name, each.column]) for each in (SATISFIED, TRAFFIC[0]))
    return f"{satisfied}\u00a0% of the time for {traffic}\u00a0{TRAFFIC[0].unit} a trip"


def _by_replicate(results: Results, name: str, measure: Measure) -> Floats:
    rows = results.at()
    own = rows[rows["strategy"] == name].set_index(REPLICATE)[measure.column]
    return np.asarray(own.reindex(results.replicates) / measure.per_unit, dtype=np.float64)


def claims_sentence(judgements: Sequence[Judgement]) -> str:
    """How many claims have each verdict."""
    if not judgements:
        return ""
    counts = Counter(next(verdict for verdict in _VERDICTS if each.verdict.startswith(verdict)) for each in judgements)
    said = [f"{counts[verdict]} {words_of}" for verdict, words_of in _VERDICTS.items() if counts[verdict]]
    return f"Claims of the paper: {len(judgements)}, of which {', '.join(said)}."
