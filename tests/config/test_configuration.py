"""The configuration: what composes, the defaults of section 12 of the model, sweeps, and what a misspelt name is told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from msmf_traci.config.compose import Point, read_request
from msmf_traci.config.overrides import group_choices, nearest_name
from msmf_traci.config.schema import Config, option_fields
from msmf_traci.errors import InputError

# an experiment that needs files of the user's
EXPERIMENT_NEEDS = {"figure8": ["mobility.gps.path=geolife"]}
NEEDS = {"sumo": ["scenario.net_file=city.net.xml"], "osm": ["scenario.map_file=city.osm.pbf"]}

# model.md, section 12, written out
DEFAULTS: dict[str, Any] = {
    "scenario.name": "synthetic",
    "scenario.map_file": None,
    "scenario.bbox": None,
    "deployment.rings": 10,
    "deployment.spacing_m": 500,
    "deployment.orientation": "flat",
    "deployment.center": None,
    "attachment.hysteresis_m": 0,
    "handoff.switch_ms": 0,
    "handoff.plan": "precopy",
    "handoff.postcopy.state_mb": 1,
    "handoff.postcopy.faults_per_mb": 7,
    "handoff.replay.base_s": 0,
    "handoff.replay.arriving_per_s": 10,
    "handoff.replay.served_per_s": 80,
    "handoff.replay.limit_s": 120,
    "tiers.regional.rings": 2,
    "tiers.local.latency_ms": 10,
    "tiers.regional.latency_ms": 50,
    "tiers.local.compute_ms": 5,
    "tiers.regional.compute_ms": 5,
    "tiers.order": ["local", "regional"],
    "tiers.local.area": "cell",
    "tiers.regional.area": "rings",
    "links.hop_latency_ms": 5,
    "tier_choice.min_speed_kmh": 0,
    "prediction.horizon_m": 1500,
    "prediction.slack_m": 30,
    "strategy.nearest.trigger_m": 50,
    "strategy.pm_op.min_m": 150,
    "strategy.pm_op.min_dwell_s": 0,
    "strategy.pm_op_tier.min_m": None,
    "strategy.pm_op_tier.min_dwell_s": None,
    "handoff.unsynced": "stop",
    "handoff.user_left": "abandon",
    "links.mode": "dedicated",
    "links.bandwidth_mbps": 100,
    "links.round_trip_ms": 0,
    "migration.processing.checkpoint_s": 0,
    "migration.processing.checkpoint_s_per_mb": 0,
    "migration.processing.round_s": 0,
    "migration.processing.round_s_per_mb": 0,
    "migration.processing.restore_s": 0,
    "migration.processing.restore_s_per_mb": 0,
    "migration.processing.round_trips": 0,
    "migration.processing.transport_efficiency": 1,
    "strategies": ["nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "oracle", "oracle_tier"],
    "output.format": "csv",
    "output.trace": False,
    "mobility.source": "auto",
    "mobility.vehicles": 100,
    "mobility.depart_window_s": 60,
    "mobility.speed_kmh": 50,
    "mobility.speed_mode": "free",
    "mobility.step_s": 1,
    "mobility.max_duration_s": 36000,
    "mobility.min_trip_m": 5000,
    "mobility.routing": "dijkstra",
    "mobility.gui": False,
    "mobility.gps.path": None,
    "mobility.gps.time_zone": "UTC",
    "mobility.gps.clock": "together",
    "mobility.gps.max_gap_s": 60,
    "mobility.gps.max_kmh": 250,
    "mobility.gps.min_duration_s": 60,
    "mobility.gps.min_length_m": 0,
    "mobility.gps.max_points": 20_000_000,
    "matching.lag_s": 5,
    "matching.sigma_m": None,
    "matching.beta_m": None,
    "matching.off_road_m": None,
    "matching.against_oneway": ["walk", "bike"],
    "workload.application": None,
    "workload.image_mb": [100, 2000],
    "workload.memory_mb": [10, 200],
    "workload.dirty_percent_per_s": 1,
    "workload.dirty_cap_percent": 100,
    "workload.dirty_threshold_mbit": 40,
    "workload.latency_levels_ms": [30, 80, 150],
    "workload.latency_weights": [0.2, 0.4, 0.4],
    "workload.start_ms": [200, 1000],
    "seed": 0,
    "experiment": None,
}


def value_of(config: Config, name: str) -> Any:
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


def only(words: Sequence[str]) -> Config:
    request = read_request(words)
    assert not request.is_sweep
    (point,) = request.points
    return point.config


def refusal(*words: str, multirun: bool = False) -> str:
    with pytest.raises(InputError) as caught:
        read_request(words, multirun=multirun)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ----------------------------------------------------------------------------------------------------------------------- defaults


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_the_default_is_the_models(name: str, default: Any) -> None:
    value = value_of(only([]), name)
    assert value == default
    assert isinstance(value, bool) == isinstance(default, bool)


@pytest.mark.parametrize(("words", "rings"), [(["scenario=beijing"], 25), (["scenario=osm", *NEEDS["osm"]], None)])
def test_beijing_has_25_rings_and_other_cities_as_many_as_cover_them(words: list[str], rings: int | None) -> None:
    assert only(words).deployment.rings == rings
    assert only([*words, "deployment.rings=3"]).deployment.rings == 3


def test_a_network_of_ones_own_keeps_the_speed_and_step_that_come_with_it() -> None:
    sumo = ["scenario=sumo"]
    kinds = {
        "net_file": ["scenario.net_file=c.net.xml"],
        "route_file": ["scenario.net_file=c.net.xml", "scenario.route_file=c.rou.xml"],
        "sumocfg_file": ["scenario.sumocfg_file=c.sumocfg"],
    }
    found = {kind: only([*sumo, *words]) for kind, words in kinds.items()}
    assert {kind: (config.mobility.speed_kmh, config.mobility.step_s) for kind, config in found.items()} == {
        "net_file": (50, 1),
        "route_file": (None, 1),
        "sumocfg_file": (None, None),
    }
    assert found["net_file"].deployment.rings is None
    assert only([*sumo, *kinds["route_file"], "mobility.speed_kmh=30"]).mobility.speed_kmh == 30


# ------------------------------------------------------------------------------------------------------- scenarios and experiments


@pytest.mark.parametrize("scenario", group_choices("scenario"))
def test_every_scenario_composes(scenario: str) -> None:
    config = only([f"scenario={scenario}", *NEEDS.get(scenario, [])])
    assert config.scenario.name == scenario
    assert config.strategies == DEFAULTS["strategies"]


@pytest.mark.parametrize("experiment", group_choices("experiment"))
def test_every_experiment_composes_and_names_itself(experiment: str) -> None:
    points = read_request([f"experiment={experiment}", *EXPERIMENT_NEEDS.get(experiment, [])]).points
    assert points
    assert {point.config.experiment for point in points} == {experiment}


def test_a_scenario_of_files_says_which_one_it_needs() -> None:
    assert "needs scenario.net_file=YOUR.net.xml or scenario.sumocfg_file=YOUR.sumocfg" in refusal("scenario=sumo")


def test_the_papers_experiment_is_its_table_2_over_its_speeds() -> None:
    request = read_request(["experiment=paper_table2"])
    assert request.is_sweep
    assert [point.config.mobility.speed_kmh for point in request.points] == [5, 20, 50, 80, 100]
    assert {point.swept for point in request.points} == {("mobility.speed_kmh",)}
    config = request.points[0].config
    assert (config.scenario.name, config.deployment.rings, config.mobility.vehicles) == ("beijing", 25, 100)
    assert config.strategies == ["nearest", "pm", "pm_op", "pm_tier", "pm_op_tier"]
    assert (config.tiers.local.latency_ms, config.tiers.regional.latency_ms, config.links.bandwidth_mbps) == (10, 50, 100)
    assert config.workload.start_ms == [200, 1000]


def test_an_experiments_own_folder_is_searched_and_its_own_sweep_expanded(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    text = (
        "# @package _global_\nexperiment: mine\nseed: 7\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      mobility.vehicles: 3,4\n"
    )
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    request = read_request(["experiment=mine", "tiers.regional.rings=1"], config_dir=str(tmp_path))
    assert [(point.config.seed, point.config.mobility.vehicles, point.config.tiers.regional.rings) for point in request.points] == [
        (7, 3, 1),
        (7, 4, 1),
    ]
    assert request.is_sweep
    assert "quick" in group_choices("experiment", str(tmp_path))


# ------------------------------------------------------------------------------------------------------------------------- sweeps


def swept(points: Sequence[Point], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(value_of(point.config, name) for name in names) for point in points]


def test_a_sweep_is_every_combination_in_the_order_typed() -> None:
    request = read_request(["mobility.speed_kmh=5,20", "deployment.rings=4", "seed=range(0,3)"], multirun=True)
    assert request.is_sweep
    assert swept(request.points, "mobility.speed_kmh", "seed") == [(5, 0), (5, 1), (5, 2), (20, 0), (20, 1), (20, 2)]
    assert {point.config.deployment.rings for point in request.points} == {4}
    assert {point.swept for point in request.points} == {("mobility.speed_kmh", "seed")}
    assert request.points[0].overrides == ("mobility.speed_kmh=5", "deployment.rings=4", "seed=0")


def test_lists_groups_and_choices_are_swept_too() -> None:
    images = read_request(["workload.image_mb=500,[100,200]", "handoff.unsynced=choice(stop,relay)"], multirun=True)
    assert swept(images.points, "workload.image_mb", "handoff.unsynced") == [
        (500, "stop"),
        (500, "relay"),
        ([100, 200], "stop"),
        ([100, 200], "relay"),
    ]
    cities = read_request(["scenario=synthetic,beijing"], multirun=True)
    assert swept(cities.points, "scenario.name", "deployment.rings") == [("synthetic", 10), ("beijing", 25)]


def test_one_run_under_m_is_a_sweep_of_one() -> None:
    request = read_request(["seed=3"], multirun=True)
    assert request.is_sweep
    assert swept(request.points, "seed") == [(3,)]


def test_every_point_of_a_sweep_is_judged() -> None:
    assert refusal("mobility.speed_kmh=5,-20", multirun=True).startswith("mobility.speed_kmh=-20: must be greater than 0")


def test_several_values_without_m_are_refused() -> None:
    assert refusal("seed=0,1") == "seed=0,1: several values make a sweep; add -m (in Python: call sweep), or write a list in brackets"


def test_what_is_typed_beats_the_experiment_and_is_swept_beside_it() -> None:
    request = read_request(["experiment=paper_table2", "mobility.speed_kmh=30", "mobility.vehicles=7,8"])
    assert {point.config.mobility.speed_kmh for point in request.points} == {30}
    assert {point.config.mobility.vehicles for point in request.points} == {7, 8}


def test_a_typed_value_replaces_the_experiments_sweep_of_that_option() -> None:
    request = read_request(["experiment=paper_table2", "mobility.speed_kmh=30"])
    assert swept(request.points, "mobility.speed_kmh") == [(30,)]


# ---------------------------------------------------------------------------------------------------------------- names and values


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("mobility.speed_kph=20", "there is no option mobility.speed_kph; did you mean mobility.speed_kmh?"),
        ("mobility.vehicle=20", "did you mean mobility.vehicles?"),
        ("image_mb=500", "did you mean workload.image_mb?"),  # by its last part
        ("sead=1", "did you mean seed?"),
        ("links=2", "links holds several options, name one of them: links.mode, links.bandwidth_mbps"),
        ("xyzzy=1", "see msmf-traci --help"),
        ("scenario=bejing", "there is no scenario 'bejing'; did you mean beijing?"),
        ("experiment=quik", "did you mean quick?"),
        ("scenario=xyzzy", "choose from beijing, osm, sumo, synthetic"),
        ("+seed=1", "write seed=VALUE"),
        ("~seed", "options cannot be deleted"),
        ("seed", "write name=value"),
    ],
)
def test_a_wrong_name_is_told_what_was_probably_meant(word: str, meant: str) -> None:
    assert meant in refusal(word)


def test_the_nearest_name_is_by_spelling_then_by_last_part_then_the_whole_choice() -> None:
    names = ["workload.image_mb", "seed"]
    assert nearest_name("workload.image_md", names) == "did you mean workload.image_mb?"
    assert nearest_name("x.y.z.seed", names) == "did you mean seed?"
    assert nearest_name("qqq", names) == "choose from workload.image_mb, seed"
    assert nearest_name("qqq", [f"option{i}" for i in range(13)]) == "see msmf-traci --help"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("mobility.vehicles=many", "integer"),
        ("mobility.vehicles=0", "greater than or equal to 1"),
        ("deployment.orientation=round", "'flat' or 'pointy'"),
        ("workload.image_mb=[200,100]", "the range [200, 100] is empty"),
        ("strategy.pm_op.min_m=inf", "finite"),
        ("workload.latency_weights=[0.5,0.5]", "2 numbers and latency_levels_ms 3"),
        ("strategies=[pm,pm]", "names pm twice"),
        ("mobility.speed_kmh=null", "needs routes of your own"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_reason(word: str, reason: str) -> None:
    sentence = refusal(word)
    assert reason in sentence
    assert word.split("=")[0].split(".")[-1] in sentence


def test_every_option_has_a_meaning_and_a_default() -> None:
    defaults = only([])
    for name, (meaning, _) in option_fields().items():
        assert meaning, name
        if name.startswith("variants.") or name == "workload.application" or name.endswith((".capacity", ".clusters", ".column")):
            assert value_of(defaults, name) is None
            continue
        assert value_of(defaults, name) is not None or name.split(".")[-1] in {
            *(
                "off_road_m",
                "experiment",
                "parameters_file",
                "map_file",
                "bbox",
                "net_file",
                "route_file",
                "sumocfg_file",
                "center",
                *("file", "lon", "lat", "x", "y", "id", "tier", "radio", "operator", "outline_file", "max_radius_m"),
                *(
                    "rings",
                    "bandwidth_mbps",
                    "min_m",
                    "min_dwell_s",
                    "prefetch",
                    "memory",
                    "margin",
                    "cloud_uplink_mbps",
                    "store_gb",
                    "catalogue",
                    *("later_s", "later_s_per_mb", "final_s", "final_s_per_mb", "final_s_per_changed_mb", "measured"),
                ),
                "sumo_home",
                "recording_file",
                "fcd_file",
                "dir",
                *("path", "mode", "user", "begin", "end", "number", "per_mode", "sigma_m", "beta_m"),
            ),
        }, name
