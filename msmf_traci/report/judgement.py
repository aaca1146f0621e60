"""From the readings of a claim to its verdict: what was asked in how many ways, what came out, and what that depends on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from msmf_traci.report.grid import Grid, MissingDataError, Setting, Settings
from msmf_traci.report.options import SPEED, label_of
from msmf_traci.report.statistics import Interval

HOLDS, FAILS, NO_DATA = "holds", "fails", "no data"
EVIDENCE_COLUMNS = ("reading", "at", "statistic", "unit", "estimate", "low", "high", "replicates", "bound", "holds")
REFERENCE = "reference"
# values of an option, and options, that a verdict names before it says how many more
_NAMED = 3
_OPTIONS_NAMED = 4


@dataclass(frozen=True)
class Finding:
    """One number that a reading rests on.

    Attributes
    ----------
    statistic, unit
        What it is.
    interval
        Over replicates.
    above, below
        The bounds between which the whole interval has to lie for the claim to hold.
    """

    statistic: str
    unit: str
    interval: Interval
    above: float | None = None
    below: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the interval, not its middle alone, lies where the claim says."""
        return (self.above is None or self.interval.low > self.above) and (self.below is None or self.interval.high < self.below)

    @property
    def bound(self) -> str:
        """The bounds in words."""
        low, high = (None if value is None else f"{value:g}" for value in (self.above, self.below))
        if low is not None and high is not None:
            return f"between {low} and {high}"
        if low is not None:
            return f"above {low}"
        return f"below {high}" if high is not None else ""


@dataclass(frozen=True)
class Asked:
    """A claim read in one way, and what was found: it holds where every finding does.

    Attributes
    ----------
    reading
        How each thing that the paper's sentence leaves open was read, e.g. ``{"definition of traffic": "traffic per trip"}``.
    findings
        At least one.
    """

    reading: Mapping[str, str]
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Whether the claim holds when read so."""
        return all(finding.holds for finding in self.findings)

    @property
    def is_known(self) -> bool:
        """Whether every finding has an interval."""
        return all(finding.interval.is_known for finding in self.findings)

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The reading, hashable."""
        return tuple(self.reading.items())


@dataclass(frozen=True)
class Question:
    """A sentence of the paper that asserts a result, and what is asked of it.

    Attributes
    ----------
    name
        Short.
    source
        The paper's section.
    text
        The paper's words.
    asks
        What is tested, in a sentence.
    """

    name: str
    source: str
    text: str
    asks: str


@dataclass(frozen=True)
class Claim(Question):
    """Such a sentence as a test on the tables.

    Attributes
    ----------
    ask
        Reads the claim in every way that the sentence allows, on the cells of one setting; the first is the most literal.
    axis
        The option that the grid runs along.
    """

    ask: Callable[[Grid], Iterable[Asked]]
    axis: str = SPEED


@dataclass(frozen=True)
class Judgement:
    """A claim's verdict and the numbers behind it.

    Attributes
    ----------
    name, text, source, asks
        The claim's.
    verdict
        `holds`, `fails`, `depends (on ...)` or `no data`.
    because
        One sentence.
    evidence
        One row a finding: `reading`, `at` (the reference, or the option that differs), `statistic`, `unit`, `estimate`, `low`, `high`,
        `replicates`, `bound`, `holds`.
    """

    name: str
    text: str
    source: str
    asks: str
    verdict: str
    because: str
    evidence: pd.DataFrame


@dataclass
class _Turns:
    """The settings that turn the outcome of the most literal reading.

    Of all readings some turn by chance: there are thousands, each with an error of one in twenty.
    """

    by_options: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)

    def note(self, setting: Setting) -> None:
        """Keep a setting, unless a part of it is enough."""
        if any(set(other) < set(setting) for other in self.settings):
            return
        self.settings.append(setting)
        self.by_options.setdefault(tuple(option for option, _ in setting), []).append(" with ".join(value for _, value in setting))

    def words(self) -> list[str]:
        """The options that are enough by themselves, with their values, and those that are so together."""
        found = []
        for options, values in self.by_options.items():
            more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
            names = " with ".join(label_of(option) for option in options)
            found.append(f"{names}: {', '.join(values[:_NAMED])}{more}")
        if len(found) > _OPTIONS_NAMED:
            found[_OPTIONS_NAMED:] = [f"and {len(found) - _OPTIONS_NAMED} more, in the evidence"]
        return found


def judge(claim: Claim, settings: Settings) -> Judgement:
    """Put a claim to the test on the reference cells, in every reading, and on those where one option differs."""
    grid = settings.reference
    try:
        asked = list(claim.ask(grid))
    except MissingDataError as missing:
        return without_data(claim, str(missing))
    if not all(each.is_known for each in asked):
        return without_data(claim, f"an interval needs at least two {grid.units.name} at {_first_unknown(asked)}; {grid.units.more}", asked)
    rows = [_rows(each, REFERENCE) for each in asked]
    turns = _Turns()
    for setting, other in settings.others.items():
        # one option's other values are shown in every reading; those of several at once in the most literal one
        ask = list if len(setting) == 1 else _first
        try:
            before = {each.key: each for each in ask(claim.ask(grid.shared_with(other)))}
            after = ask(claim.ask(other.shared_with(grid)))
        except MissingDataError:
            continue
        for each in after:
            if each.key in before and each.is_known and before[each.key].is_known:
                rows.append(_rows(each, " x ".join(f"{option}={value}" for option, value in setting)))
                if each.key == asked[0].key and _turned(before[each.key], each):
                    turns.note(setting)
    return _judgement(claim, asked, rows, turns)


def _turned(before: Asked, after: Asked) -> bool:
    """Whether a reading comes out otherwise, and not by a hair: some number has moved out of the interval that it had."""
    intervals = {finding.statistic: finding.interval for finding in before.findings}
    moved = any(
        finding.statistic not in intervals
        or finding.interval.low > intervals[finding.statistic].high
        or finding.interval.high < intervals[finding.statistic].low
        for finding in after.findings
    )
    return before.holds != after.holds and moved


def _first_unknown(asked: Sequence[Asked]) -> str:
    return next(finding.statistic for each in asked for finding in each.findings if not finding.interval.is_known)


def _first(asked: Iterable[Asked]) -> list[Asked]:
    return list(itertools.islice(asked, 1))


def claims_table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row a claim: what was asked, the verdict, how many readings hold at the reference, and the most literal reading's number."""
    rows = []
    for each in judgements:
        here = each.evidence[(each.evidence["at"] == REFERENCE) & each.evidence["holds"].notna()]
        readings = here.groupby("reading", sort=False)["holds"].all() if len(here) else pd.Series(dtype=bool)
        literal = here[here["reading"] == readings.index[0]].sort_values("holds", kind="stable").iloc[0] if len(readings) else {}
        head = {"claim": each.name, "source": each.source, "text": each.text, "asks": each.asks, "verdict": each.verdict}
        counts = {"because": each.because, "readings": len(readings), "readings_that_hold": int(readings.sum())}
        numbers = {name: literal[name] if len(literal) else None for name in EVIDENCE_COLUMNS if name not in ("at", "holds")}
        rows.append(head | counts | numbers)
    return pd.DataFrame(rows)


def evidence_table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """The numbers behind all claims: one row a finding, in every reading and setting."""
    tables = [each.evidence.assign(claim=each.name) for each in judgements if len(each.evidence)]
    return (
        pd.concat(tables, ignore_index=True)[["claim", *EVIDENCE_COLUMNS]] if tables else pd.DataFrame(columns=["claim", *EVIDENCE_COLUMNS])
    )


def conclude(question: Question, asked: Sequence[Asked], quoted: Sequence[Asked] = ()) -> Judgement:
    """Judge by what was asked; `quoted` are numbers to show beside it."""
    if not all(each.is_known for each in asked):
        return without_data(question, "an interval needs at least two replicates", asked)
    return _judgement(question, asked, [_rows(each, REFERENCE) for each in (*asked, *quoted)], _Turns())


def without_data(question: Question, why: str, asked: Sequence[Asked] = ()) -> Judgement:
    """No verdict, and what it needs."""
    evidence = pd.DataFrame([row for each in asked for row in _rows(each, REFERENCE)], columns=list(EVIDENCE_COLUMNS))
    evidence["holds"] = None
    return Judgement(question.name, question.text, question.source, question.asks, NO_DATA, why, evidence)


def _judgement(question: Question, asked: Sequence[Asked], rows: Sequence[list[dict[str, object]]], turns: _Turns) -> Judgement:
    evidence = pd.DataFrame([row for some in rows for row in some], columns=list(EVIDENCE_COLUMNS))
    verdict = _verdict(asked, turns)
    return Judgement(question.name, question.text, question.source, question.asks, verdict, _because(asked), evidence)


def _rows(asked: Asked, at: str) -> list[dict[str, object]]:
    return [
        {
            "reading": _reading_text(asked),
            "at": at,
            "statistic": finding.statistic,
            "unit": finding.unit,
            "estimate": finding.interval.mean,
            "low": finding.interval.low,
            "high": finding.interval.high,
            "replicates": finding.interval.n,
            "bound": finding.bound,
            "holds": finding.holds if finding.bound else None,
        }
        for finding in asked.findings
    ]


def _reading_text(asked: Asked) -> str:
    return "; ".join(asked.reading.values())


def _verdict(asked: Sequence[Asked], turns: _Turns) -> str:
    outcomes = {each.holds for each in asked}
    on = [*_deciding_readings(asked), *turns.words()]
    if len(outcomes) == 1 and not turns.settings:
        return HOLDS if True in outcomes else FAILS
    return f"depends (on {'; '.join(on)})"


def _deciding_readings(asked: Sequence[Asked]) -> list[str]:
    """What the sentence leaves open and what decides: two readings that differ in it alone, or else in least, come out differently."""
    if len({each.holds for each in asked}) == 1:
        return []
    distances = {}
    for i, one in enumerate(asked):
        for other in asked[:i]:
            if one.holds != other.holds:
                apart = tuple(name for name in one.reading if one.reading[name] != other.reading.get(name))
                distances[apart] = len(apart)
    least = min(distances.values())
    return list(dict.fromkeys(name for apart, distance in distances.items() if distance == least for name in apart))


def _because(asked: Sequence[Asked]) -> str:
    """The most literal reading's decisive number, and how many readings agree."""
    first = asked[0]
    decisive = next((finding for finding in first.findings if not finding.holds), first.findings[0])
    many = sum(each.holds for each in asked)
    count = f"; it holds in {many} of {len(asked)} readings at the reference" if len(asked) > 1 else ""
    return f"{_reading_text(first)}: {_number_text(decisive)}, claimed is {decisive.bound}: {HOLDS if first.holds else FAILS}{count}"


def _number_text(finding: Finding) -> str:
    interval = finding.interval
    unit = f" {finding.unit}" if finding.unit else ""
    return f"{finding.statistic} {interval.mean:.3g}{unit} [{interval.low:.3g}, {interval.high:.3g}]"
