"""Applications: what they give, how users change and add them, and what is refused."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from msmf_traci.config.applications import image_size, parts_of
from msmf_traci.config.compose import read_request
from msmf_traci.config.help import help_text
from msmf_traci.config.schema import Config
from msmf_traci.config.variants import combinations
from msmf_traci.errors import InputError
from msmf_traci.experiment.options import link_options, request_latency, workload_options

MINE = "+applications.mine={image_mb: 400, memory_mb: 64, dirty_percent_per_s: 2, latency_level_ms: 80}"
TESTBED = ("tiers.local.latency_ms=20", "tiers.regional.latency_ms=100")


def configured(words: Sequence[str], folder: str | None = None) -> Config:
    return read_request(words, config_dir=folder).points[0].config


@pytest.mark.parametrize(
    ("name", "image_mb", "memory_mb", "dirty_percent_per_s"), [("game", 1400, 160, 1), ("face", 700, 100, 1), ("ram", 100, 300, 3)]
)
def test_paper_applications_give_image_memory_and_dirty_rate(
    name: str, image_mb: float, memory_mb: float, dirty_percent_per_s: float
) -> None:
    config = configured([f"workload.application={name}"])
    (drawn,), links = workload_options(config).kinds, link_options(config)
    assert drawn.image_bytes == (image_mb * 1e6, image_mb * 1e6)
    assert drawn.memory_bytes == (memory_mb * 1e6, memory_mb * 1e6)
    assert drawn.dirty_share_per_s == pytest.approx(dirty_percent_per_s / 100)
    assert drawn.latency_weights == (1.0,)
    # dirty memory can be sent faster than it arises
    assert drawn.dirty_share_per_s * drawn.memory_bytes[0] < links.bandwidth_bytes_per_s


@pytest.mark.parametrize(("name", "tiers_that_do"), [("game", [True, False]), ("face", [True, True]), ("ram", [True, True])])
@pytest.mark.parametrize("latencies", [TESTBED, ()])
def test_game_must_be_served_locally_and_the_others_may_go_to_the_region(
    name: str, tiers_that_do: list[bool], latencies: tuple[str, ...]
) -> None:
    config = configured([f"workload.application={name}", *latencies])
    (level_ms,) = workload_options(config).kinds[0].latency_levels_ms
    assert [bool(latency_ms <= level_ms) for latency_ms in request_latency(config).by_tier_ms] == tiers_that_do


def test_without_an_application_the_workload_is_as_configured() -> None:
    config = configured(["workload.image_mb=500"])
    assert [part.workload for part in parts_of(config)] == [config.workload]


def test_applications_are_varied_like_any_option() -> None:
    made = combinations(configured(["variants.workload.application=[game,ram,null]"]))
    assert [image_size(each.config) for each in made] == [1400, 100, [100, 2000]]


def test_one_at_a_time_varies_applications_beside_sizes() -> None:
    words = ["vary.design=one_at_a_time", "variants.workload.application=[game]", "variants.workload.image_mb=[500]"]
    assert [image_size(each.config) for each in combinations(configured(words))] == [[100, 2000], 1400, 500]


def test_users_change_and_add_applications(tmp_path: Path) -> None:
    assert image_size(configured(["workload.application=game", "applications.game.image_mb=2000"])) == 2000
    assert parts_of(configured([MINE, "workload.application=mine"]))[0].workload.latency_levels_ms == [80]
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "own.yaml").write_text(
        "# @package _global_\napplications:\n  mine:\n    image_mb: 400\n    memory_mb: 64\n    dirty_percent_per_s: 2\n"
        "    latency_level_ms: 80\nworkload:\n  application: mine\n"
    )
    assert parts_of(configured(["experiment=own"], str(tmp_path)))[0].workload.memory_mb == 64


def test_help_shows_the_applications_there_are() -> None:
    assert "  face  image_mb=700, memory_mb=100, dirty_percent_per_s=1, latency_level_ms=150" in help_text("applications")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["workload.application=gmae"], "workload.application=gmae: there is no such application; choose from face, game, ram"),
        (["variants.workload.application=[game,gmae]"], "workload.application=gmae: there is no such application"),
        (["workload.application=game", "workload.image_mb=500"], "workload.application=game, which gives 1400"),
        (["workload.application=game", "workload.latency_levels_ms=[30]", "workload.latency_weights=[1]"], "gives [50.0]"),
        (["workload.application=game", "variants.workload.memory_mb=[50,100]"], "workload.application=game, which gives 160"),
        ([MINE.replace(", latency_level_ms: 80", "")], "applications.mine.latency_level_ms: Field required"),
        ([MINE.replace("memory_mb", "ram_mb")], "applications.mine.memory_mb: Field required"),
        ([MINE.replace("}", ", colour: 3}")], "applications.mine.colour: Extra inputs are not permitted; an application has image_mb"),
        (["+applications.mine.colour=3"], "write applications.NAME={image_mb: ..., layers: ..., memory_mb: ..."),
        (["applications.game.image_mb=-1"], "applications.game.image_mb: must be greater than 0"),
        (["applications.mine.image_mb=1"], "use +applications.mine.image_mb=1"),
        (["~applications.game"], "options cannot be deleted"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(words)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
