"""From intervals to verdicts, in closed form: what one interval decides, what findings, readings and settings decide together."""

import math
from collections.abc import Iterable, Mapping

import pytest

from msmf_traci.reporting.answer import claims_sentence
from msmf_traci.reporting.grid import Grid, Setting, Settings
from msmf_traci.reporting.judgement import Asked, Claim, Finding, Judgement, claims_table, judge
from msmf_traci.reporting.page import tone_of
from msmf_traci.reporting.statistics import SEEDS
from msmf_traci.results.intervals import Interval, mean_interval

FOR, AGAINST, OPEN = (1.0, 3.0), (-3.0, -1.0), (-169.0, 200.0)


def interval(low: float, high: float) -> Interval:
    return Interval((low + high) / 2, low, high, 5)


@pytest.mark.parametrize(
    ("low", "high", "above", "below", "outcome"),
    [
        # on either side of one bound
        (1.0, 3.0, 0.0, None, "supported"),
        (-3.0, -1.0, 0.0, None, "contradicted"),
        (-169.0, 200.0, 0.0, None, "undecided"),
        (-3.0, -1.0, None, 0.0, "supported"),
        (1.0, 3.0, None, 0.0, "contradicted"),
        (-1.0, 3.0, None, 0.0, "undecided"),
        # touching the bound: it is in the interval
        (0.0, 3.0, 0.0, None, "undecided"),
        (-3.0, 0.0, 0.0, None, "undecided"),
        (0.0, 0.0, 0.0, None, "undecided"),
        (-3.0, 0.0, None, 0.0, "undecided"),
        # within a margin, as tests of "close" ask
        (-9.0, 9.0, -10.0, 10.0, "supported"),
        (11.0, 12.0, -10.0, 10.0, "contradicted"),
        (-12.0, -11.0, -10.0, 10.0, "contradicted"),
        (9.0, 11.0, -10.0, 10.0, "undecided"),
        (-11.0, -9.0, -10.0, 10.0, "undecided"),
        (-11.0, 11.0, -10.0, 10.0, "undecided"),
        (-10.0, 9.0, -10.0, 10.0, "undecided"),
        (10.0, 11.0, -10.0, 10.0, "undecided"),
        # no interval
        (math.nan, math.nan, 0.0, None, "no data"),
    ],
)
def test_an_interval_decides_where_it_holds_no_bound(
    low: float, high: float, above: float | None, below: float | None, outcome: str
) -> None:
    assert Finding("x", "%", interval(low, high), above, below).outcome == outcome


def test_one_replicate_decides_nothing_and_two_may() -> None:
    assert Finding("x", "%", mean_interval([5.0]), above=0.0).outcome == "no data"
    assert Finding("x", "%", mean_interval([5.0, 5.1]), above=0.0).outcome == "supported"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([FOR, FOR], "supported"),
        ([FOR, AGAINST], "contradicted"),
        ([OPEN, AGAINST], "contradicted"),
        ([FOR, OPEN], "undecided"),
        ([OPEN, OPEN], "undecided"),
        ([FOR, (math.nan, math.nan)], "no data"),
        ([AGAINST, (math.nan, math.nan)], "contradicted"),
    ],
)
def test_findings_that_are_claimed_together(found: list[tuple[float, float]], outcome: str) -> None:
    assert asked("a", *found).outcome == outcome


def asked(reading: str, *found: tuple[float, float]) -> Asked:
    return Asked({"definition": reading}, [Finding(f"x{n}", "%", interval(*each), above=0.0) for n, each in enumerate(found)])


class Told(Grid):
    """A grid that stands for one list of readings, whatever it is compared with."""

    def shared_with(self, other: Grid) -> Grid:
        return self


def judged(readings: Iterable[Asked], others: Mapping[Setting, Iterable[Asked]] | None = None) -> Judgement:
    """A claim whose readings come out as given, at the reference and in other settings."""
    said = [list(readings), *(list(each) for each in (others or {}).values())]
    # a grid's only seed says which list it stands for
    reference, *grids = (Told("mobility.speed_kmh", (5.0, 50.0), (number,), {}, SEEDS) for number in range(len(said)))
    claim = Claim("c", "5.3.2", "It is so.", "Is it?", lambda grid: said[grid.seeds[0]])
    return judge(claim, Settings(reference, dict(zip(others or {}, grids, strict=True))))


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([FOR], "supported"),
        ([FOR, FOR], "supported"),
        ([AGAINST, AGAINST], "contradicted"),
        ([OPEN, OPEN], "undecided"),
        ([FOR, OPEN], "undecided"),
        ([OPEN, AGAINST], "undecided"),
        ([FOR, AGAINST], "depends (on definition)"),
        ([OPEN, FOR, AGAINST], "depends (on definition)"),
        ([FOR, (math.nan, math.nan)], "no data"),
    ],
)
def test_readings_together(found: list[tuple[float, float]], verdict: str) -> None:
    assert judged(asked(str(n), each) for n, each in enumerate(found)).verdict == verdict


BANDWIDTH: Setting = (("links.bandwidth_mbps", "1000"),)
SLOW: Setting = (("links.bandwidth_mbps", "50"),)
BOTH: Setting = (("handoff.unsynced", "relay"), ("links.bandwidth_mbps", "1000"))
ON_BANDWIDTH = "depends (on bandwidth 1000 Mb/s)"


@pytest.mark.parametrize(
    ("reference", "others", "verdict"),
    [
        (FOR, {BANDWIDTH: FOR}, "supported"),
        # what is not decided elsewhere takes nothing back
        (FOR, {BANDWIDTH: OPEN}, "supported"),
        (AGAINST, {BANDWIDTH: OPEN}, "contradicted"),
        (FOR, {BANDWIDTH: AGAINST}, ON_BANDWIDTH),
        (AGAINST, {BANDWIDTH: FOR}, ON_BANDWIDTH),
        # two options together where one is enough
        (FOR, {BANDWIDTH: AGAINST, BOTH: AGAINST}, ON_BANDWIDTH),
        # where the reference decides nothing, settings that decide alike do not decide for it
        (OPEN, {BANDWIDTH: FOR}, "undecided"),
        (OPEN, {BANDWIDTH: FOR, SLOW: FOR}, "undecided"),
        (OPEN, {BANDWIDTH: FOR, SLOW: AGAINST}, "depends (on bandwidth 1000 Mb/s, bandwidth 50 Mb/s)"),
    ],
)
def test_settings_turn_what_is_decided(reference: tuple[float, float], others: Mapping[Setting, tuple[float, float]], verdict: str) -> None:
    found = judged([asked("a", reference)], {setting: [asked("a", each)] for setting, each in others.items()})
    assert found.verdict == verdict


def test_tables_and_sentences_count_each_outcome() -> None:
    found = judged([asked("a", FOR, OPEN), asked("b", FOR), asked("c", AGAINST)])
    row = claims_table([found]).iloc[0]
    assert [row[f"readings_{each}"] for each in ("supported", "contradicted", "undecided")] == [1, 1, 1]
    # the number that the most literal reading rests on is the one that decides nothing
    assert (row["statistic"], row["low"]) == ("x1", -169.0)
    assert found.evidence["outcome"].tolist() == ["supported", "undecided", "supported", "contradicted"]
    assert found.because == (
        "Read as a: x1 15.5 % [−169.0 to 200.0]. Claimed is above 0, so this reading is undecided. "
        "Of 3 readings at the reference, 1 supported, 1 contradicted, 1 undecided."
    )


def test_the_page_counts_and_colours_each_verdict() -> None:
    judgements = [judged([asked("a", each)]) for each in (FOR, AGAINST, OPEN, (math.nan, math.nan))]
    judgements.append(judged([asked("a", FOR), asked("b", AGAINST)]))
    assert claims_sentence(judgements) == (
        "Claims of the paper: 5, of which 1 supported, 1 contradicted, 1 undecided, 1 dependent on how they are read or on "
        "what is assumed, 1 without data."
    )
    assert [tone_of(each.verdict) for each in judgements] == ["supported", "contradicted", "undecided", "none", "depends"]
