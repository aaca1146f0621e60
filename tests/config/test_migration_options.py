"""What a migration costs beside bytes: presets of it, values side by side, and the same in SI units."""

import math
from pathlib import Path

import numpy as np
import pytest
from pytest import approx

from msmf_traci.config.compose import read_request
from msmf_traci.config.measured_ranges import beyond_measured
from msmf_traci.config.overrides import group_choices
from msmf_traci.config.schema import Config
from msmf_traci.config.variants import combinations
from msmf_traci.errors import InputError
from msmf_traci.experiment.options import link_options, postcopy_options, processing_options, workload_options
from msmf_traci.migration.policy import NO_PROCESSING, Processing
from msmf_traci.migration.workload import make_containers
from msmf_traci.reporting.options import config_options, label_of, varied_columns

# what a preset of measured costs looks like: its restoring has the start in it
MEASURED = """\
# @package _global_
migration:
  processing:
    checkpoint_s: 0.2
    checkpoint_s_per_mb: 0.004
    round_s: 0.1
    round_s_per_mb: 0.002
    restore_s: 0.3
    restore_s_per_mb: 0.003
    round_trips: 4
    transport_efficiency: 0.94
workload:
  start_ms: [0, 0]
"""
EXPERIMENT = """\
# @package _global_
defaults:
  - override /migration: measured
migration:
  processing:
    round_trips: 6
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A folder of one's own with a preset and an experiment that chooses it."""
    for group, name, text in (("migration", "measured", MEASURED), ("experiment", "tried", EXPERIMENT)):
        (tmp_path / group).mkdir()
        (tmp_path / group / f"{name}.yaml").write_text(text)
    return str(tmp_path)


def only(*words: str, config_dir: str | None = None) -> Config:
    (point,) = read_request(words, config_dir=config_dir).points
    return point.config


def test_the_papers_preset_is_the_default_and_costs_nothing() -> None:
    assert "paper" in group_choices("migration")
    assert only("migration=paper") == only()
    assert processing_options(only()) == NO_PROCESSING
    assert link_options(only()).bandwidth_bytes_per_s == 12.5e6


def test_a_preset_of_ones_own_sets_options_of_several_sections(own: str) -> None:
    config = only("migration=measured", "links.round_trip_ms=40", config_dir=own)
    assert processing_options(config) == Processing(
        checkpoint_s=0.2,
        checkpoint_s_per_byte=approx(4e-9),
        comparison_s=0.1,
        comparison_s_per_byte=approx(2e-9),
        restore_s=0.3,
        restore_s_per_byte=approx(3e-9),
        answers_s=approx(0.16),
        round_trips=4,
    )
    assert link_options(config).bandwidth_bytes_per_s == approx(11.75e6)
    assert config.workload.start_ms == [0, 0]
    assert only("migration=paper", config_dir=own).workload.start_ms == [200, 1000]


def test_what_is_typed_beats_the_preset_and_what_an_experiment_says_too(own: str) -> None:
    typed = only("migration.processing.round_s=1", "migration=measured", "workload.start_ms=[50,60]", config_dir=own)
    assert (typed.migration.processing.round_s, typed.migration.processing.checkpoint_s, typed.workload.start_ms) == (1, 0.2, [50, 60])
    tried = only("experiment=tried", config_dir=own)
    assert (tried.migration.processing.round_trips, tried.migration.processing.checkpoint_s) == (6, 0.2)
    assert only("experiment=tried", "migration=paper", config_dir=own).migration.processing.checkpoint_s == 0


def test_a_preset_beside_the_papers_experiment_keeps_its_start_time(own: str) -> None:
    points = read_request(["experiment=paper_table2", "migration=measured"], config_dir=own).points
    assert {tuple(point.config.workload.start_ms) for point in points} == {(0, 0)}


def test_presets_are_swept_like_scenarios(own: str) -> None:
    points = read_request(["migration=paper,measured"], multirun=True, config_dir=own).points
    assert [point.config.migration.processing.round_trips for point in points] == [0, 4]
    assert [point.overrides for point in points] == [("migration=paper",), ("migration=measured",)]


def test_round_trips_without_a_round_trip_time_are_nothing(own: str) -> None:
    assert processing_options(only("migration=measured", config_dir=own)).answers_s == 0


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("migration=paper2", "there is no migration 'paper2'; did you mean paper?"),
        ("migration.procesing.round_s=1", "did you mean migration.processing.round_s?"),
        ("migration.processing=1", "holds several options"),
        ("migration.processing.round_s=-1", "must be greater than or equal to 0; seconds that it takes to compare"),
        ("migration.processing.restore_s_per_mb=inf", "finite"),
        ("migration.processing.transport_efficiency=0", "must be greater than 0; share of the bandwidth"),
        ("migration.processing.transport_efficiency=1.1", "must be less than or equal to 1; share of the bandwidth"),
        ("links.round_trip_ms=-1", "must be greater than or equal to 0; round-trip time"),
        ("variants.migration.processing.round_s=[0,-1]", "greater than or equal to 0; values of migration.processing.round_s"),
        ("workload.start_ms=[-1,0]", "must be greater than or equal to 0"),
    ],
)
def test_wrong_costs_are_refused(word: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request([word])
    assert word.partition("=")[0] in str(caught.value) and said in str(caught.value)


def test_what_is_compressed_is_of_its_size_from_there_on() -> None:
    """A quarter of images and half of memories is left: a world in which they are so large, and each MB of them takes twice as long."""
    per_mb = ("checkpoint", "later", "final", "round", "restore")
    compressed = only(
        *("migration.processing.image_sent_percent=25", "migration.processing.memory_sent_percent=50", "workload.image_mb=[400,800]"),
        *("workload.memory_mb=100", "workload.dirty_threshold_mbit=80", "handoff.postcopy.faults_per_mb=3"),
        *(f"migration.processing.{name}_s_per_mb=0.002" for name in per_mb),
    )
    small = only(
        *("workload.image_mb=[100,200]", "workload.memory_mb=50", "workload.dirty_threshold_mbit=40", "handoff.postcopy.faults_per_mb=6"),
        *(f"migration.processing.{name}_s_per_mb=0.004" for name in per_mb),
    )
    assert workload_options(compressed).kinds == workload_options(small).kinds
    for options in (processing_options, link_options, postcopy_options):
        assert options(compressed) == options(small)
    uniform = np.array([[0.25, 0, 0, 0]])  # 500 MB, of which 125 are left; what it takes to start goes by 500
    found, other = (make_containers(uniform, workload_options(config)) for config in (compressed, small))
    assert found.image_bytes == approx(125e6) and found.memory_bytes == approx(50e6)
    assert found.start_s == approx(0.2 + 0.8 * 400 / 1900) and other.start_s == approx(0.2 + 0.8 * 25 / 1900)


def test_costs_of_later_and_final_snapshots_are_those_of_the_first_unless_they_are_set() -> None:
    assert math.isnan(processing_options(only()).later_s) and math.isnan(processing_options(only()).final_s_per_changed_byte)
    set_ = processing_options(only("migration.processing.later_s=0", "migration.processing.final_s_per_mb=2"))
    assert (set_.later_s, set_.final_s_per_byte) == (0, approx(2e-6))


def test_costs_are_varied_within_a_pass() -> None:
    words = ("variants.migration.processing.checkpoint_s=[0,1]", "variants.migration.processing.round_trips=[2,3]")
    config = only(*words, "variants.links.round_trip_ms=[10,20]", "migration.processing.restore_s=5")
    found = [processing_options(each.config) for each in combinations(config)]
    assert [(each.checkpoint_s, each.answers_s, each.restore_s) for each in found] == [
        (checkpoint_s, approx(answers_s), 5) for checkpoint_s in (0, 1) for answers_s in (0.02, 0.04, 0.03, 0.06)
    ]
    assert config.migration.processing.checkpoint_s == 0
    one = only(*words, "vary.design=one_at_a_time")
    assert [tuple(each.values.values()) for each in combinations(one)] == [(0, 0), (1, 0), (0, 2), (0, 3)]


def test_a_report_tells_costs_apart() -> None:
    plain = only("variants.migration.processing.checkpoint_s=[0,1]").model_dump()
    assert config_options(plain)["migration.processing.transport_efficiency"] == 1.0
    assert varied_columns(plain, ["strategy", "image_mb", "checkpoint_s"]) == {"migration.processing.checkpoint_s": "checkpoint_s"}
    assert label_of("migration.processing.restore_s") == "migration.processing restore (s)"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], []),  # the paper's model holds anywhere
        (["migration=runc_rsync", "links.round_trip_ms=20", "workload.memory_mb=[10,300]"], []),
        (
            ["migration=runc_rsync", "links.round_trip_ms=0"],
            ["links.round_trip_ms=0: this migration's costs were measured at values from 1"],
        ),
        (["migration=runc_rsync", "links.round_trip_ms=1", "workload.memory_mb=301"], ["workload.memory_mb=301: "]),
        (
            ["migration=podman_crun_2026", "handoff.plan=hybrid", "workload.memory_mb=7", "links.round_trip_ms=0.3"],
            ["links.bandwidth_mbps=100: this migration's costs were measured at values of 25000", "handoff.plan=hybrid: "],
        ),
        (["migration=runc_rsync", "links.round_trip_ms=1", "variants.workload.memory_mb=[10,400,500]"], ["memory_mb=400", "memory_mb=500"]),
    ],
)
def test_a_run_that_leaves_the_range_of_its_preset_says_so(words: list[str], said: list[str]) -> None:
    found = beyond_measured(each.config for each in combinations(only(*words)))
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


@pytest.mark.parametrize("preset", [name for name in group_choices("migration") if name != "paper"])
def test_every_preset_says_where_it_was_measured(preset: str) -> None:
    config = only(f"migration={preset}")
    assert config.migration.measured is not None and config.migration.measured.source and config.workload.start_ms == [0, 0]
    with pytest.raises(InputError, match="variants"):
        only("variants.migration.measured=[null]")
