"""What headline figures depend on, in a world whose dependence is known."""

from dataclasses import replace

import pytest

from msmf_traci.reporting.options import IMAGE, SPEED
from msmf_traci.reporting.sensitivity import study_sensitivity, why_nothing_moves
from tests.reporting.made_rows import Row, made_results


def large_save_little(strategy: str, speed: float, size: float, row: Row) -> None:
    """Images of 2000 MB save nothing with tiers, others 80 percent (72 and 19 against nearest with OP)."""
    if size == 2000.0 and strategy.endswith("tier"):
        row["traffic_per_trip_bytes"] *= 5.0


def test_moves_are_paired_with_the_reference() -> None:
    study = study_sensitivity(made_results(large_save_little))
    assert study is not None
    cut = study.table[(study.table["headline"] == "tier_cut") & (study.table["at"] == "50 km/h")].set_index("value")
    assert cut["is_reference"].tolist() == [True, False, False]
    assert cut.loc["", "mean"] == pytest.approx(100 * (1 - 0.2 * 0.9 / 1.05), abs=0.1)
    assert cut.loc["2000", "mean"] == pytest.approx(100 * (1 - 0.9 / 1.05), abs=0.3)
    assert cut.loc["2000", "change"] == pytest.approx(cut.loc["2000", "mean"] - cut.loc["", "mean"], abs=1e-9)
    assert cut.loc["2000", "change_high"] < 0 and abs(cut.loc["100", "change"]) < 0.5
    assert cut["option"].tolist() == ["reference", IMAGE, IMAGE]


def small_save_much(strategy: str, speed: float, size: float, row: Row) -> None:
    """Only images of 100 MB save four fifths with tiers."""
    if size != 100.0 and strategy.endswith("tier"):
        row["traffic_per_trip_bytes"] *= 4.0


def test_answers_name_what_has_to_be_assumed() -> None:
    study = study_sensitivity(made_results(small_save_much))
    assert study is not None and len(study.answers) == 8
    assert study.answers[0].startswith("A cut of 65 % at 5 km/h: at the reference pm_op_tier saves 31.4 [")
    assert "It takes container image 100 MB (82.9 [" in study.answers[0]
    as_configured = study_sensitivity(made_results())
    assert as_configured is not None and "Nothing else has to be assumed" in as_configured.answers[0]


def nothing_saves(strategy: str, speed: float, size: float, row: Row) -> None:
    if strategy.endswith("tier"):
        row["traffic_per_trip_bytes"] *= 4.0


def test_answer_says_when_nothing_brings_it() -> None:
    study = study_sensitivity(made_results(nothing_saves))
    assert study is not None and "None of 2 other settings reaches it" in study.answers[0]
    assert not any("cut of 70 %" in answer for answer in study.answers)


def test_one_seed_gives_no_answer() -> None:
    study = study_sensitivity(made_results(seeds=(0,)))
    assert study is not None and "gives no interval, and so no answer" in study.answers[0]
    assert study.table["low"].isna().all()


def test_study_without_a_change_says_why() -> None:
    made = made_results()
    assert why_nothing_moves(made, study_sensitivity(made)) == ""
    one_size = replace(made, rows=made.rows[made.rows[IMAGE] == 1000.0])
    assert "No option beside the speed varies" in why_nothing_moves(one_size, study_sensitivity(one_size))
    others = replace(made, rows=made.rows[made.rows["strategy"] == "pm"])
    assert study_sensitivity(others) is None
    assert "needs runs of pm_op beside pm, or nearest, or pm_op_tier." in why_nothing_moves(others, None)
    speeds_alone = replace(others, options={SPEED: made.options[SPEED]})
    assert why_nothing_moves(speeds_alone, None) == ""
