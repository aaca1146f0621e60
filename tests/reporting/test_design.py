"""Which runs the numbers come from: the first folder decides, a traced run adds no number, and what is unlike is said."""

import json
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.reporting.answer import answer_of
from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.design import design_notes
from msmf_traci.reporting.overview import overview_figure
from msmf_traci.reporting.page_tables import strategies_table
from msmf_traci.reporting.reading import Results, read_results
from msmf_traci.reporting.run_tables import TRACE_TABLES
from tests.reporting.made_results import write_run, write_sweep

MANY, FEW = {"mobility": {"vehicles": 30}}, {"mobility": {"vehicles": 8}}


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    return write_sweep(tmp_path / "sweep", speeds=(20.0, 50.0, 80.0), seeds=[0, 1], config=MANY)


def traced(folder: Path, **more: object) -> Path:
    """A run with the tables of a trace, of which nothing but their names is looked at here."""
    write_run(folder, **more)  # type: ignore[arg-type]
    for name in TRACE_TABLES:
        (folder / f"{name}.csv").write_text("strategy\n")
    return folder


def numbers_of(results: Results) -> list[object]:
    """Every number of the page that an added run could change."""
    figures = [overview_figure(results), *curve_figures(results)]
    return [answer_of(results), strategies_table(results), *(figure.points.to_dict("list") for figure in figures if len(figure.points))]


@pytest.mark.parametrize(
    "run",
    [
        {"speed": 20.0, "seed": 7, "config": FEW},  # nothing alike
        {"speed": 20.0, "seed": 7, "config": MANY},  # a setting of the sweep and another seed
        {"speed": 50.0, "seed": 0, "config": MANY},  # one of its runs
        {"speed": 35.0, "seed": 0, "config": MANY, "strategies": ("mine", "nearest")},
    ],
)
def test_a_traced_run_given_for_its_timeline_changes_no_number(run: dict[str, object], sweep: Path, tmp_path: Path) -> None:
    alone, both = read_results([sweep]), read_results([sweep, traced(tmp_path / "traced", **run)])
    assert str(numbers_of(both)) == str(numbers_of(alone))
    assert [each.name for each in both.beside] == [each.name for each in both.traced] == ["traced"]
    assert any("serves the timeline and the replay alone" in note for note in design_notes(both))


def test_a_single_run_keeps_its_first_sentence_beside_a_traced_one(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", speed=20.0, config=MANY)
    both = read_results([run, traced(tmp_path / "traced", speed=80.0, config=FEW)])
    assert answer_of(both) == answer_of(read_results([run]))
    assert "30 vehicles at 20 km/h" in answer_of(both)
    assert any("vehicles 8 instead of 30" in note and "commanded speed 80 km/h instead of 20" in note for note in design_notes(both))


def test_a_further_folder_breaks_no_tie_of_the_first(sweep: Path, tmp_path: Path) -> None:
    both = read_results([sweep, write_run(tmp_path / "more", speed=80.0, seed=5, config=MANY)])
    assert {name: option.reference for name, option in both.options.items()} == {"mobility.speed_kmh": 50.0}
    assert design_notes(both) == []


def test_folders_that_differ_say_in_what(sweep: Path, tmp_path: Path) -> None:
    other = write_sweep(tmp_path / "other", speeds=(20.0, 50.0, 80.0), seeds=[0, 1], config=FEW)
    both = read_results([sweep, other])
    (note,) = design_notes(both)
    assert note == "other differs from sweep: vehicles 8 instead of 30. The first sentence and the table are about sweep."
    assert answer_of(both) == answer_of(read_results([sweep]))
    assert both.options["mobility.vehicles"].reference == 30.0


def test_a_study_around_the_reference_is_of_the_same_design(sweep: Path, tmp_path: Path) -> None:
    study = write_run(tmp_path / "study", seed=3, config=MANY, varied={"tiers.regional.rings": [1.0, 2.0]})
    both = read_results([sweep, study])
    assert design_notes(both) == []
    assert [option.name for option in both.design] == ["mobility.speed_kmh", "tiers.regional.rings"]


def test_options_that_change_at_once_are_named_and_have_no_figures(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_run(tmp_path / "all" / f"slow,{seed}", speed=20.0, seed=seed, config=MANY)
        write_run(tmp_path / "all" / f"fast,{seed}", speed=80.0, seed=seed, config=FEW)
    results = read_results([tmp_path / "all"])
    (note,) = design_notes(results)
    assert "Some options never vary alone: " in note and "commanded speed 20, 80 km/h" in note and "vehicles 8, 30" in note
    assert "Figures show the 2 of 4 runs" in note
    assert curve_figures(results) == []
    assert set(overview_figure(results).points["seeds"]) == {2}


def test_the_first_sentence_names_what_it_speaks_of(sweep: Path) -> None:
    results = read_results([sweep])
    said = answer_of(results)
    assert said.startswith("In these runs, with 30 vehicles at 50 km/h and containers of 100–2000 MB, ")
    assert said.endswith(".") and said.count(". ") == 0
    rows = results.at().groupby("strategy")["satisfied_share"].mean()
    best = str(pd.Series(rows).idxmax())
    assert f", {best} serves within the task's latency " in said


def test_the_first_sentence_names_what_was_typed_though_it_does_not_vary(sweep: Path) -> None:
    for path in sweep.glob("*/run.json"):
        facts = json.loads(path.read_text())
        facts["overrides"] = ["seed=0", "handoff.unsynced=relay", "strategies=[pm]", "output.trace=true"]
        facts["config"].setdefault("handoff", {})["unsynced"] = "relay"
        path.write_text(json.dumps(facts))
    said = answer_of(read_results([sweep]))
    assert said.startswith("In these runs, with 30 vehicles at 50 km/h, containers of 100–2000 MB and handoff unsynced relay, ")


def test_the_first_sentence_names_every_strategy_that_seeds_do_not_tell_from_the_best(sweep: Path) -> None:
    results = read_results([sweep])
    share = results.at().pivot_table(index="seed", columns="strategy", values="satisfied_share")
    best = str(share.drop(columns=["never", "oracle", "oracle_tier"], errors="ignore").mean().idxmax())
    # two seeds: Student's quantile is 12.7
    gaps = {name: share[best] - share[name] for name in share if name not in (best, "never", "oracle", "oracle_tier")}
    near = [name for name, gap in gaps.items() if gap.mean() - 12.7062 * gap.std() / 2**0.5 <= 0]
    assert near
    sentence = answer_of(results).partition("; 2 seeds do not settle whether ")[2]
    assert sentence.startswith(f"{best} serves better than ")
    assert all(name in sentence for name in near) and not any(name in sentence.split() for name in set(gaps) - set(near))


def test_a_strategy_that_knows_the_route_is_no_choice_of_an_operator(sweep: Path) -> None:
    results = read_results([sweep])
    assert results.perfect == [name for name in results.strategies if name in ("oracle", "oracle_tier")]
    best = answer_of(results).split(" serves within")[0].rpartition(", ")[2]
    for path in sweep.glob("*/run.json"):
        facts = json.loads(path.read_text())
        facts["predictors"] = {name: "route" if name == best else "map" for name in facts["strategies"]}
        path.write_text(json.dumps(facts))
    again = read_results([sweep])
    assert again.perfect == [best]
    assert f", {best} serves within" not in answer_of(again)
