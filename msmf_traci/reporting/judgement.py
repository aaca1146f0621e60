"""From the readings of a claim to its verdict: what was asked in how many ways, what came out, and what that depends on.

An interval decides for a claim, against it, or not at all: docs/report.md has the rules.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from msmf_traci.reporting.grid import Grid, MissingDataError, Setting, Settings
from msmf_traci.reporting.numbers import exact, measured, span
from msmf_traci.reporting.options import SPEED, with_value, words
from msmf_traci.results.intervals import Interval

SUPPORTED, CONTRADICTED, UNDECIDED, DEPENDS, NO_DATA = "supported", "contradicted", "undecided", "depends", "no data"
OUTCOMES = (SUPPORTED, CONTRADICTED, UNDECIDED)
EVIDENCE_COLUMNS = ("reading", "at", "statistic", "unit", "estimate", "low", "high", "replicates", "bound", "outcome")
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
        The bounds between which the claim says that the value lies; a number that is quoted alone has none.
    """

    statistic: str
    unit: str
    interval: Interval
    above: float | None = None
    below: float | None = None

    @property
    def outcome(self) -> str:
        """What the interval, not its middle alone, decides: one that holds or touches a bound decides nothing."""
        if not self.interval.is_known:
            return NO_DATA
        low, high = self.interval.low, self.interval.high
        if (self.above is None or low > self.above) and (self.below is None or high < self.below):
            return SUPPORTED
        is_beyond = (self.above is not None and high < self.above) or (self.below is not None and low > self.below)
        return CONTRADICTED if is_beyond else UNDECIDED

    @property
    def bound(self) -> str:
        """The bounds in words."""
        low, high = (None if value is None else exact(value) for value in (self.above, self.below))
        if low is not None and high is not None:
            return f"between {low} and {high}"
        if low is not None:
            return f"above {low}"
        return f"below {high}" if high is not None else ""


@dataclass(frozen=True)
class Asked:
    """A claim read in one way, and what was found: the claim says that every finding lies between its bounds.

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
    def outcome(self) -> str:
        """What the findings decide together: one against the claim is enough, and for it all are needed."""
        return _all_of([finding.outcome for finding in self.findings])

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
        Reads the claim in every way that the sentence allows, on the results of one setting; the first is the most literal.
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
        `supported`, `contradicted`, `undecided`, `depends (on ...)` or `no data`.
    because
        One sentence.
    evidence
        One row a finding: `reading`, `at` (the reference, or the option that differs), `statistic`, `unit`, `estimate`, `low`, `high`,
        `replicates`, `bound`, `outcome` (empty for a number that is quoted).
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

    Attributes
    ----------
    opposed
        Settings that decide otherwise than the reference.
    leaning
        By outcome, settings that decide where the reference does not: they tell something where they oppose each other.
    """

    opposed: list[Setting] = field(default_factory=list)
    leaning: dict[str, list[Setting]] = field(default_factory=dict)

    def note(self, setting: Setting, before: str, after: str) -> None:
        """Take a setting into account: what the reference decides, and what the setting does."""
        if UNDECIDED in (before, after):
            if after != UNDECIDED:
                self.leaning.setdefault(after, []).append(setting)
        elif before != after:
            self.opposed.append(setting)

    @property
    def settings(self) -> list[Setting]:
        """Those that turn the outcome, without those of which a part is enough."""
        against_each_other = [setting for some in self.leaning.values() for setting in some] if len(self.leaning) > 1 else []
        found = self.opposed + against_each_other
        return [setting for setting in found if not any(set(other) < set(setting) for other in found)]

    def words(self) -> list[str]:
        """The options that are enough by themselves, with their values, and those that are so together."""
        by_options: dict[tuple[str, ...], list[str]] = {}
        for setting in self.settings:
            said = " with ".join(with_value(option, words(option, value)) for option, value in setting)
            by_options.setdefault(tuple(option for option, _ in setting), []).append(said)
        found = []
        for settings in by_options.values():
            more = f" and {len(settings) - _NAMED} more" if len(settings) > _NAMED else ""
            found.append(f"{', '.join(settings[:_NAMED])}{more}")
        if len(found) > _OPTIONS_NAMED:
            found[_OPTIONS_NAMED:] = [f"and {len(found) - _OPTIONS_NAMED} more, in the evidence"]
        return found


def judge(claim: Claim, settings: Settings) -> Judgement:
    """Put a claim to the test at the reference, in every reading, and where one option differs."""
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
                if each.key == asked[0].key:
                    turns.note(setting, before[each.key].outcome, each.outcome)
    return _judgement(claim, asked, rows, turns)


def _first_unknown(asked: Sequence[Asked]) -> str:
    return next(finding.statistic for each in asked for finding in each.findings if not finding.interval.is_known)


def _first(asked: Iterable[Asked]) -> list[Asked]:
    return list(itertools.islice(asked, 1))


def claims_table(judgements: Sequence[Judgement]) -> pd.DataFrame:
    """One row a claim: what was asked, the verdict, what the readings at the reference decide, and the most literal one's number."""
    rows = []
    for each in judgements:
        here = each.evidence[(each.evidence["at"] == REFERENCE) & each.evidence["outcome"].isin(OUTCOMES)]
        readings = here.groupby("reading", sort=False)["outcome"].agg(_all_of) if len(here) else pd.Series(dtype=object)
        literal = here[here["reading"] == readings.index[0]] if len(readings) else here
        decisive = _decisive(literal["outcome"].tolist())
        head = {"claim": each.name, "source": each.source, "text": each.text, "asks": each.asks, "verdict": each.verdict}
        counts = {"because": each.because, "readings": len(readings)}
        counts |= {f"readings_{outcome}": int((readings == outcome).sum()) for outcome in OUTCOMES}
        numbers = {
            name: literal[name].iloc[decisive] if len(literal) else None for name in EVIDENCE_COLUMNS if name not in ("at", "outcome")
        }
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
    evidence["outcome"] = None
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
            "outcome": finding.outcome if finding.bound else None,
        }
        for finding in asked.findings
    ]


def _reading_text(asked: Asked) -> str:
    return "; ".join(asked.reading.values())


def _all_of(outcomes: Iterable[str]) -> str:
    """Outcome of several findings that a claim asserts together."""
    said = set(outcomes)
    for decisive in (CONTRADICTED, NO_DATA):
        if decisive in said:
            return decisive
    return SUPPORTED if said == {SUPPORTED} else UNDECIDED


def _verdict(asked: Sequence[Asked], turns: _Turns) -> str:
    """One word where every reading decides it and no setting turns it; what it depends on where decisions differ."""
    outcomes = {each.outcome for each in asked}
    on = [*_deciding_readings(asked), *turns.words()]
    if on:
        return f"{DEPENDS} (on {'; '.join(on)})"
    return outcomes.pop() if len(outcomes) == 1 else UNDECIDED


def _deciding_readings(asked: Sequence[Asked]) -> list[str]:
    """What the sentence leaves open and what decides: two readings that differ in it alone, or else in least, are decided differently."""
    decided = [each for each in asked if each.outcome != UNDECIDED]
    distances = {}
    for i, one in enumerate(decided):
        for other in decided[:i]:
            if one.outcome != other.outcome:
                apart = tuple(name for name in one.reading if one.reading[name] != other.reading.get(name))
                distances[apart] = len(apart)
    least = min(distances.values(), default=0)
    return list(dict.fromkeys(name for apart, distance in distances.items() if distance == least for name in apart))


def _decisive(outcomes: Sequence[str]) -> int:
    """Place of the finding that a reading's outcome rests on: one against the claim, else one that decides nothing, else the first."""
    return next((outcomes.index(each) for each in (CONTRADICTED, UNDECIDED) if each in outcomes), 0)


def _because(asked: Sequence[Asked]) -> str:
    """The most literal reading's decisive number, and how many readings agree."""
    first = asked[0]
    decisive = first.findings[_decisive([finding.outcome for finding in first.findings])]
    text = f"Read as {_reading_text(first)}: {_number_text(decisive)}. Claimed is {decisive.bound}, so this reading is {first.outcome}."
    if len(asked) == 1:
        return text
    counts = Counter(each.outcome for each in asked)
    said = ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome])
    return f"{text} Of {len(asked)} readings at the reference, {said}."


def _number_text(finding: Finding) -> str:
    interval = finding.interval
    unit = f" {finding.unit}" if finding.unit else ""
    return f"{finding.statistic} {measured(interval.mean)}{unit} [{span(interval.low, interval.high, interval.mean)}]"
