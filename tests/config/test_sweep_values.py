"""What the values of a sweep may be written as, in Hydra's grammar: on the command line, and as the parameters of its sweeper."""

from pathlib import Path

import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.config.overrides import group_choices
from msmf_traci.errors import InputError


def swept(*words: str, config_dir: str | None = None) -> list[tuple[str, ...]]:
    """The words of every run of a sweep."""
    return [point.overrides for point in read_request(words, multirun=True, config_dir=config_dir).points]


@pytest.mark.parametrize(
    ("word", "runs"),
    [
        ("migration=glob(*r*)", {f"migration={name}" for name in group_choices("migration") if "r" in name}),
        ("migration=glob(p*,exclude=podman*)", {"migration=paper"}),
        ("seed=range(3)", {"seed=0", "seed=1", "seed=2"}),
        ("seed=shuffle(range(1,3))", {"seed=1", "seed=2"}),
        ("seed=tag(a,choice(7,8))", {"seed=7", "seed=8"}),
        ("seed=int(choice(1.5,2))", {"seed=1", "seed=2"}),
        ('hydra.sweeper.params={seed:"1,2"}', {"seed=1", "seed=2"}),
        ('+hydra.sweeper.params.seed="1,2"', {"seed=1", "seed=2"}),
        ("+hydra.sweeper.params.seed=5", {"seed=5"}),
        ('+hydra.sweeper.params.migration="glob(pa*)"', {"migration=paper"}),
    ],
)
def test_values_in_every_form_make_their_runs(word: str, runs: set[str]) -> None:
    assert set(swept(word)) == {(run,) for run in runs}


def test_an_option_that_is_typed_takes_precedence_over_a_parameter() -> None:
    assert swept('+hydra.sweeper.params.seed="1,2"', "seed=3") == [("seed=3",)]


def test_a_pattern_finds_files_of_the_users_own_in_an_experiment_too(tmp_path: Path) -> None:
    (tmp_path / "migration").mkdir()
    (tmp_path / "experiment").mkdir()
    (tmp_path / "migration" / "rapid.yaml").write_text("processing:\n  round_s: 0.5\n")
    (tmp_path / "experiment" / "wide.yaml").write_text(
        '# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      migration: "glob(r*)"\n'
    )
    words = {run[0] for run in swept("experiment=wide", config_dir=str(tmp_path))}
    assert words == {"migration=rapid", "migration=runc_rsync", "migration=runc_lz4_2024"}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("seed=glob(*)", "glob() is for scenario, tiers, deployment, migration, experiment only"),
        ("experiment=glob(zz*)", "this gives no value"),
        ("seed=range(5,5)", "this gives no value"),
        ("seed=range(1,5,0)", "cannot be listed"),
        ("seed=range(1.0,5.0,0.0)", "cannot be listed"),
        ("seed=range(0,nan)", "cannot be listed"),
        ("seed=range(0,inf)", "more than 10000 values"),
        ("seed=shuffle(range(0,1000000000))", "more than 10000 values"),
        ("seed=interval(0,1)", "interval() gives no list of values"),
        ("seed=choice()", "cannot be read"),
        ("output.speed_bands_kmh=[1,interval(0,1)],[2,3]", "several values stand inside"),
        ("strategies=[pm],[choice(pm,nearest)]", "several values stand inside"),
        ("seed=" + "[" * 500, "cannot be read"),
        ("+hydra.sweeper.params.seed=[1,2]", "as a text in quotes"),
        ("hydra.sweeper=5", "holds several options"),
        ("hydra=null", "holds several options"),
        ("hydra.searchpath=[file:///no/such/folder]", "is not available"),
    ],
)
def test_values_that_cannot_be_listed_are_one_sentence(word: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        swept(word)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_sweep_that_nobody_could_wait_for_is_refused_before_it_is_composed() -> None:
    with pytest.raises(InputError, match="asks for 39800 runs, more than 10000"):
        swept("seed=range(200)", "mobility.vehicles=range(1,200)")
