"""On what the headline figures depend: the choices that the paper leaves open, one at a time and some at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msmf_traci.reporting.grid import by_setting
from msmf_traci.reporting.measures import MEASURES, REPLICATE
from msmf_traci.reporting.numbers import measured, span
from msmf_traci.reporting.options import SPEED, Option, value_text, with_value
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import intervals

CLAIMED_CUTS_PERCENT = (65.0, 70.0)
TIER_CUT = "tier_cut"
_TRAFFIC, _HANDOFF, _SHARE = MEASURES["traffic_per_trip_bytes"], MEASURES["downtime_per_handoff_s"], MEASURES["unavailability"]
AND = " x "
_NAMED = 4  # settings that a sentence names before it says how many more
# Speeds at which a study tried less than this share of the settings it tried elsewhere are not answered for
_ENOUGH = 0.5


@dataclass(frozen=True)
class Headline:
    """A figure that a reader takes from the paper.

    Attributes
    ----------
    name, title, unit
        What it is.
    strategies
        Whose values it needs.
    least, most
        What it can be.
    of
        From the summary's column of each strategy, arrays of one shape, to the figure.
    column
        Of the summary.
    """

    name: str
    title: str
    unit: str
    strategies: tuple[str, ...]
    column: str
    of: Callable[..., pd.Series[float]]
    least: float = 0.0
    most: float = np.inf


def _cut(ours: pd.Series[float], theirs: pd.Series[float]) -> pd.Series[float]:
    return 100.0 * (1.0 - ours / theirs)


def _percent(own: pd.Series[float]) -> pd.Series[float]:
    return 100.0 * own


HEADLINES = (
    Headline(
        TIER_CUT,
        "traffic per trip that pm_op_tier saves against nearest",
        "%",
        ("pm_op_tier", "nearest"),
        _TRAFFIC.column,
        _cut,
        -np.inf,
        100.0,
    ),
    Headline("op_cut", "traffic per trip that pm_op saves against pm", "%", ("pm_op", "pm"), _TRAFFIC.column, _cut, -np.inf, 100.0),
    Headline("nearest_unavailability", "unavailability under nearest", "%", ("nearest",), _SHARE.column, _percent, most=100.0),
    Headline("pm_op_tier_unavailability", "unavailability under pm_op_tier", "%", ("pm_op_tier",), _SHARE.column, _percent, most=100.0),
    Headline("nearest_downtime", "downtime per handoff under nearest", "s", ("nearest",), _HANDOFF.column, lambda own: own),
    Headline("pm_op_tier_downtime", "downtime per handoff under pm_op_tier", "s", ("pm_op_tier",), _HANDOFF.column, lambda own: own),
)


@dataclass(frozen=True)
class Sensitivity:
    """How the headline figures move.

    Attributes
    ----------
    table
        One row a headline, speed and setting: `headline`, `title`, `unit`, `at` (the speed; empty where it does not vary), `option`
        (with `` x `` between where several differ; `reference` where none does), `value`, `is_reference`, `mean`, `low`, `high`,
        `change`, `change_low`, `change_high` (paired by seed with the reference), `seeds`.
    answers
        What has to be assumed for the paper's cuts of traffic, in sentences.
    """

    table: pd.DataFrame
    answers: list[str]


def study_sensitivity(results: Results) -> Sensitivity | None:
    """Study every option that varies beside the speed; None where none does, or no headline's strategies are there."""
    options = [option for option in results.options.values() if option.name != SPEED]
    headlines = [each for each in HEADLINES if set(each.strategies) <= set(results.rows["strategy"])]
    if not options or not headlines:
        return None
    settled = _with_settings(results.rows, options)
    table = pd.concat([_moves(each, settled, results) for each in headlines], ignore_index=True)
    return Sensitivity(table, _answers(table))


def why_nothing_moves(results: Results, sensitivity: Sensitivity | None) -> str:
    """Why the study shows no change, in sentences; empty where it shows one, or where nothing varies beside the speed."""
    if sensitivity is None:
        asked = any(name != SPEED for name in results.options)
        sets = [each.strategies for each in HEADLINES if not any(set(other.strategies) < set(each.strategies) for other in HEADLINES)]
        needed = ", or ".join(dict.fromkeys(" beside ".join(strategies) for strategies in sets))
        return f"This part needs runs of {needed}. There are none here." if asked else ""
    moves = (sensitivity.table["option"] != "reference") & sensitivity.table["change"].notna()
    return "" if moves.any() else "No option beside the speed varies while all others are at the reference, so no change can be shown."


def _with_settings(table: pd.DataFrame, options: Sequence[Option]) -> pd.DataFrame:
    """Rows in which few options differ from their reference, with `option` and `value` in words."""
    settings = by_setting(table, options)
    found: pd.DataFrame = table.iloc[[row for rows in settings.values() for row in rows]].copy()
    named = [setting for setting, rows in settings.items() for _ in rows]
    found["option"] = [AND.join(option for option, _ in setting) or "reference" for setting in named]
    found["value"] = [AND.join(value for _, value in setting) for setting in named]
    return found


def _moves(headline: Headline, table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Rows of one headline."""
    keys = ["at", "option", "value", REPLICATE]
    speeds = table[SPEED] if SPEED in results.options else None
    at = "" if speeds is None else [f"{value_text(value)} km/h" for value in speeds]
    own = table.assign(at=at).pivot_table(index=keys, columns="strategy", values=headline.column)
    if any(name not in own for name in headline.strategies):
        return pd.DataFrame()
    values = headline.of(*(own[name] for name in headline.strategies)).dropna().rename("figure").reset_index()
    reference = values[values["option"] == "reference"][["at", REPLICATE, "figure"]]
    paired = values.merge(reference, on=["at", REPLICATE], suffixes=("", "_reference"))
    paired["change"] = paired["figure"] - paired["figure_reference"]
    group = ["at", "option", "value"]
    found = intervals(values, group, ["figure"]).drop(columns="measure").rename(columns={"replicates": "seeds"})
    found = found.assign(**{side: found[side].clip(headline.least, headline.most) for side in ("low", "high")})
    change = intervals(paired, group, ["change"]).drop(columns=["measure", "replicates"])
    change = change.rename(columns={"mean": "change", "low": "change_low", "high": "change_high"})
    table = found.merge(change, on=group, how="left")
    table.insert(0, "headline", headline.name)
    table.insert(1, "title", headline.title)
    table.insert(2, "unit", headline.unit)
    table.insert(6, "is_reference", table["option"] == "reference")
    return _in_order(table, results)


def _in_order(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Speeds rising; the reference first, single options next, then pairs; values in their natural order."""
    speeds = [f"{value_text(value)} km/h" for value in results.options[SPEED].values] if SPEED in results.options else [""]
    texts = {option.name: [value_text(value) for value in option.values] for option in results.options.values()}

    def place(at: str, option: str, value: str) -> tuple[object, ...]:
        which = [] if option == "reference" else option.split(AND)
        values = [texts[name].index(each) for name, each in zip(which, value.split(AND), strict=False)]
        return (speeds.index(at), len(which), option, values)

    rows = list(zip(table["at"], table["option"], table["value"], strict=True))
    order = sorted(range(len(rows)), key=lambda number: place(*rows[number]))
    return table.iloc[order].reset_index(drop=True)


def _answers(table: pd.DataFrame) -> list[str]:
    """What has to be assumed for the paper's cuts, from the numbers."""
    cuts = table[table["headline"] == TIER_CUT]
    tried = cuts.groupby("at", sort=False)["seeds"].size()
    studied = [str(at) for at, many in tried.items() if many >= _ENOUGH * tried.max() and many > 1]
    answers = []
    for rows in (cuts[cuts["at"] == at] for at in studied):
        for bound in CLAIMED_CUTS_PERCENT:
            answers.append(_answer(rows, bound))
            if not (rows["low"] > bound).any():
                break  # what does not reach this cut reaches no larger one
    return answers


def _answer(rows: pd.DataFrame, bound: float) -> str:
    """The answer for one cut at one speed."""
    settings = [_Setting(*row) for row in rows[["option", "value", "mean", "low", "high"]].itertuples(index=False)]
    reference = next((each for each in settings if each.option == "reference"), None)
    at = rows["at"].iloc[0]
    begin = f"A cut of {bound:g} %{f' at {at}' if at else ''}"
    if reference is None:
        return f"{begin}: no run has the reference values."
    begin += f": at the reference pm_op_tier saves {reference.interval} against nearest"
    if np.isnan(reference.low):
        return f"{begin}. One seed alone gives no interval, and so no answer."
    if reference.low > bound:
        return f"{begin}. Nothing else has to be assumed."
    reached = [each for each in settings if each.low > bound]
    least = [each for each in reached if not any(other.parts < each.parts for other in reached)]
    if not least:
        best = max(settings, key=lambda each: each.mean)
        return f"{begin}. None of {len(settings) - 1} other settings reaches it. The most is {best.interval}, at {best.words}."
    least.sort(key=lambda each: (len(each.parts), -each.mean))
    more = f" (and {len(least) - _NAMED} more)" if len(least) > _NAMED else ""
    return f"{begin}. It takes {'; or '.join(f'{each.words} ({each.interval})' for each in least[:_NAMED])}{more}."


@dataclass(frozen=True)
class _Setting:
    """One row of a headline's table."""

    option: str
    value: str
    mean: float
    low: float
    high: float

    @property
    def parts(self) -> frozenset[tuple[str, str]]:
        """Options that differ from the reference, with their values."""
        return frozenset() if self.option == "reference" else frozenset(zip(self.option.split(AND), self.value.split(AND), strict=True))

    @property
    def words(self) -> str:
        """The setting in words."""
        return " with ".join(with_value(option, value) for option, value in sorted(self.parts)) or "the reference"

    @property
    def interval(self) -> str:
        """The number in words."""
        interval = f" [{span(self.low, self.high, self.mean)}]" if not np.isnan(self.low) else ""
        return f"{measured(self.mean)}{interval} %"
