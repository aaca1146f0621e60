"""The variants of a run where applications are varied: their keys, workloads and viewpoints."""

from msmf_traci.config.compose import read_request
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.experiment.variants import Variants, make_variants
from msmf_traci.strategies.plugins import load_strategies
from tests.deployments import two_tiers


def variants_of(*words: str) -> Variants:
    config = read_request(["strategies=[nearest,pm_op_tier]", *words]).points[0].config
    return make_variants(config, load_strategies(config.strategies))


def test_each_application_is_a_variant_with_its_image_as_key() -> None:
    made = variants_of("variants.workload.application=[game,face,ram]")
    keys = [
        {"strategy": strategy, "image_mb": image_mb, "application": application}
        for strategy in ("nearest", "pm_op_tier")
        for application, image_mb in (("game", 1400.0), ("face", 700.0), ("ram", 100.0))
    ]
    assert [each.keys for each in made.variants] == keys
    assert [each.workload for each in made.variants] == [0, 1, 2, 0, 1, 2]
    assert [each.kinds[0].image_bytes for each in made.workloads] == [(1.4e9, 1.4e9), (7e8, 7e8), (1e8, 1e8)]


def test_applications_of_one_latency_level_share_what_is_known() -> None:
    made = variants_of("variants.workload.application=[game,face,ram]", "strategies=[pm_tier]")
    assert [each.levels for each in made.viewpoints([two_tiers(HexCells(1, 500.0), 1)] * len(made))] == [0, 1, 1]


def test_no_application_is_a_value_too() -> None:
    made = variants_of("variants.workload.application=[game,null]", "strategies=[pm]")
    assert [(each.keys["image_mb"], each.keys["application"]) for each in made.variants] == [(1400.0, "game"), (None, None)]


def test_application_and_a_transfer_option_make_every_combination() -> None:
    made = variants_of("variants.workload.application=[game,ram]", "variants.handoff.unsynced=[stop,relay]", "strategies=[pm]")
    found = [(each.keys["application"], each.keys["unsynced"]) for each in made.variants]
    assert found == [("game", "stop"), ("game", "relay"), ("ram", "stop"), ("ram", "relay")]
