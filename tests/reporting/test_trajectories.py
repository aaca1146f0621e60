"""Figure 8 is what the tables say, trajectory by trajectory; its claims hold in a world made so and turn when the tables are falsified."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from msmf_traci.reporting.claims import judge_claims
from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.figure import Figure, specification
from msmf_traci.reporting.figure8 import figure8_figures
from msmf_traci.reporting.judgement import Judgement
from msmf_traci.reporting.measures import MEASURES
from msmf_traci.reporting.options import APPLICATION
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.statistics import TRAJECTORIES
from msmf_traci.reporting.stills import write_figure
from msmf_traci.reporting.trajectories import MIGRATION, Trajectories, read_trajectories
from msmf_traci.reporting.trajectory_claims import TRAJECTORY_CLAIMS, judge_trajectory_claims
from msmf_traci.results.intervals import mean_interval
from tests.reporting.made_results import write_sweep
from tests.reporting.made_trajectories import APPLICATIONS, MODES, SPEEDS_KMH, Fate, by_trajectory, fate, write_trajectories


def trajectories_of(folder: Path) -> Trajectories:
    found = read_trajectories(read_results([folder]))
    assert found is not None
    return found


def interval(values: pd.Series) -> tuple[float, float, float]:
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), values.mean() - half, values.mean() + half


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trajectories(tmp_path_factory.mktemp("made") / "figure8")


@pytest.fixture(scope="module")
def figures(place: Path) -> dict[str, Figure]:
    return {figure.name: figure for figure in figure8_figures(trajectories_of(place))}


# ------------------------------------------------------------------------------------------------------------------------ figures


def test_traffic_is_by_application_and_mode_over_trajectories(place: Path, figures: dict[str, Figure]) -> None:
    raw, drawn = by_trajectory(place), figures["figure8_traffic"].points
    assert set(drawn["value"]) == set(APPLICATIONS)
    assert set(drawn["second"]) == {"all", *MODES}
    drawn = drawn.set_index(["measure", "strategy", "value", "second"])
    for column in ("traffic_per_trip_bytes", "traffic_per_km_bytes"):
        measure = MEASURES[column]
        for (strategy, application), own in raw.groupby(["strategy", "application"]):
            for mode in ("all", *MODES):
                values = own.loc[(own["mode"] == mode) | (mode == "all"), column] / measure.per_unit
                row = drawn.loc[(measure.title, strategy, application, mode)]
                assert row[["mean", "low", "high"]].to_list() == pytest.approx(interval(values))
                assert row["trajectories"] == len(values)


def test_a_trajectory_drawn_under_several_seeds_counts_once(place: Path, figures: dict[str, Figure]) -> None:
    runs = [pd.read_csv(path) for path in place.glob("*/vehicles.csv")]
    walkers = [set(run.loc[run["mode"] == "walk", "vehicle"]) for run in runs]
    assert walkers[0] != walkers[1] and walkers[0] & walkers[1]
    points = figures["figure8_downtime"].points
    assert set(points.loc[points["value"] == "walk", "trajectories"]) == {len(walkers[0] | walkers[1])}


def test_trajectories_are_numbered_by_chance_and_alike_under_every_strategy(tmp_path: Path) -> None:
    found = read_trajectories(read_results([write_trajectories(tmp_path, seeds=(0,), per_mode=20)]))
    assert found is not None
    walks = found.results.rows[found.results.rows["mode"] == "walk"]
    numbers = walks.groupby("vehicle")["seed"].unique()
    assert all(len(each) == 1 for each in numbers)
    in_order_of_names = [int(each[0]) for each in numbers.sort_index()]
    assert sorted(in_order_of_names) == list(range(20)) != in_order_of_names


def test_downtime_is_by_mode_and_strategy_in_every_definition(place: Path, figures: dict[str, Figure]) -> None:
    raw, drawn = by_trajectory(place), figures["figure8_downtime"].points
    assert set(drawn["value"]) == set(MODES) and set(drawn["second"]) == set(APPLICATIONS)
    drawn = drawn.set_index(["measure", "strategy", "value", "second"])
    for column in ("downtime_per_handoff_s", "mean_outage_s", "unavailability"):
        measure = MEASURES[column]
        for (strategy, application, mode), own in raw.groupby(["strategy", "application", "mode"]):
            row = drawn.loc[(measure.title, strategy, mode, application)]
            assert row[["mean", "low", "high"]].to_list() == pytest.approx(interval(own[column] / measure.per_unit))


def test_bytes_of_a_migration_are_those_of_completed_transfers_by_kind(place: Path, figures: dict[str, Figure]) -> None:
    raw, drawn = by_trajectory(place), figures["figure8_bytes"].points
    assert set(drawn["kind"]) == {"image", "memory", "dirty", "final", "total"}
    drawn = drawn.set_index(["strategy", "value", "kind"])
    columns = {kind: f"migration_{kind}_bytes" for kind in ("image", "memory", "dirty", "final")} | {"total": "migration_bytes"}
    for (strategy, application), own in raw.groupby(["strategy", "application"]):
        for kind, column in columns.items():
            row = drawn.loc[(strategy, application, kind)]
            assert row[["mean", "low", "high"]].to_list() == pytest.approx(interval(own[column] / MIGRATION.per_unit))
    assert drawn.loc[("pm_op_tier", "ram", "total"), "mean"] == pytest.approx(445.0, rel=0.05)


def test_applications_stand_in_the_order_of_their_images_and_modes_in_that_of_their_speeds(place: Path) -> None:
    found = trajectories_of(place)
    assert found.modes == list(MODES)
    for option in (found.results.options[APPLICATION], read_results([place]).options[APPLICATION]):
        assert (option.values, option.reference) == (("ram", "face", "game"), "face")
    assert found.applications_by("image_bytes") == ["ram", "face", "game"]
    assert found.applications_by("memory_capacity_bytes") == ["face", "game", "ram"]


def test_pictures_are_written(figures: dict[str, Figure], tmp_path: Path) -> None:
    assert list(figures) == ["figure8_traffic", "figure8_bytes", "figure8_downtime"]
    for name, figure in figures.items():
        write_figure(figure, tmp_path)
        assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8").count("<path") > 20
        json.dumps(specification(figure, figure.chart), allow_nan=False)
        assert "trajectories" in figure.caption


def test_without_transfers_there_are_no_bytes_and_no_downtime_per_handoff(tmp_path: Path) -> None:
    figures = {each.name: each for each in figure8_figures(trajectories_of(write_trajectories(tmp_path / "made", transfers=False)))}
    assert {name for name, each in figures.items() if not each.points.empty} == {"figure8_traffic", "figure8_downtime"}
    assert MEASURES["downtime_per_handoff_s"].title not in set(figures["figure8_downtime"].points["measure"])


def test_one_application_is_shown_by_mode(tmp_path: Path) -> None:
    figures = {each.name: each for each in figure8_figures(trajectories_of(write_trajectories(tmp_path / "made", applications=["ram"])))}
    assert set(figures["figure8_traffic"].points["value"]) == set(figures["figure8_bytes"].points["value"]) == set(MODES)


def test_results_without_modes_have_no_trajectories(tmp_path: Path) -> None:
    assert read_trajectories(read_results([write_sweep(tmp_path / "sweep", seeds=[0])])) is None


def test_trajectories_beside_a_sweep_over_speeds_keep_their_own_reference(place: Path, tmp_path: Path) -> None:
    sweep = write_sweep(tmp_path / "sweep", seeds=[0, 1])
    alone, beside = trajectories_of(place), read_trajectories(read_results([sweep, place]))
    assert beside is not None
    for one, other in zip(figure8_figures(alone), figure8_figures(beside), strict=True):
        columns = [name for name in one.points if name != "strategy"]
        pd.testing.assert_frame_equal(one.points[columns], other.points[columns])


def test_figures_over_seeds_still_count_each_seed_once(place: Path) -> None:
    figure = next(each for each in curve_figures(read_results([place])) if each.name == "traffic_by_workload_application")
    assert set(figure.points["seeds"]) == {2}


# ----------------------------------------------------------------------------------------------------------------------- statistics


def test_interval_of_a_ratio_of_means_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    of = rng.gamma(4.0, 0.5, (2000, 20))
    part = 0.4 * of + rng.normal(0.0, 0.3, of.shape)
    found = [mean_interval(TRAJECTORIES.ratios(*pair)) for pair in zip(part, of, strict=True)]
    assert 0.92 <= np.mean([each.low <= 0.4 <= each.high for each in found]) <= 0.98
    assert found[0].mean == pytest.approx(part[0].mean() / of[0].mean())
    assert TRAJECTORIES.ratios(part, of)[5] == pytest.approx(TRAJECTORIES.ratios(part[5], of[5]))


def test_trajectories_without_a_value_are_left_out_of_a_ratio() -> None:
    part, of = np.array([1.0, 3.0, np.nan, 7.0]), np.array([2.0, 4.0, 5.0, np.nan])
    found = TRAJECTORIES.ratios(part, of)
    assert list(np.isnan(found)) == [False, False, True, True]
    assert np.nanmean(found) == pytest.approx(4.0 / 6.0)


# --------------------------------------------------------------------------------------------------------------------------- claims


def judged(folder: Path) -> dict[str, Judgement]:
    return {each.name: each for each in judge_trajectory_claims(read_trajectories(read_results([folder])))}


def literal(folder: Path) -> dict[str, str]:
    """What each claim's most literal reading at the reference says."""
    found = {}
    for name, each in judged(folder).items():
        if len(each.evidence):
            first = each.evidence["reading"].iloc[0]
            rows = each.evidence[(each.evidence["reading"] == first) & (each.evidence["at"] == "reference")]
            found[name] = "supported" if (rows["outcome"] == "supported").all() else str(rows["outcome"].min())
    return found


# game has more of everything but memory than ram: all of a migration's bytes do not rise with the memory
NOT_LITERALLY = {"large_memory_much_data"}


def test_claims_are_supported_in_a_world_made_so(place: Path) -> None:
    found = literal(place)
    assert set(found) == {claim.name for claim in TRAJECTORY_CLAIMS}
    assert {name for name, outcome in found.items() if outcome != "supported"} == NOT_LITERALLY
    verdicts = judged(place)
    for name in ("application_decides_traffic", "memory_data_differ", "pm_op_tier_steady_by_mode", "nearest_differs_most_by_mode"):
        assert verdicts[name].verdict == "supported", verdicts[name].because
    assert verdicts["large_memory_much_data"].verdict == "depends (on definition)"
    assert set(verdicts["tiers_lower_downtime_by_mode"].evidence["replicates"]) <= {7, 8}


def swapped(one: str, other: str):
    def change(strategy: str, application: str, mode: str, own: Fate) -> None:
        """The downtimes of two strategies exchanged."""
        instead = {one: other, other: one}.get(strategy)
        if instead is not None:
            own["downtime_s"] = fate(instead, application, mode or "walk")["downtime_s"]

    return change


def backwards(strategy: str, application: str, mode: str, own: Fate) -> None:
    """Those on foot fare as those in cars do, and the other way round."""
    own["downtime_s"] = fate(strategy, application, MODES[-1 - MODES.index(mode or "walk")])["downtime_s"]


def all_alike(strategy: str, application: str, mode: str, own: Fate) -> None:
    """Every strategy and application the same, whatever the mode."""
    own |= {"downtime_s": 10.0, "image_bytes": 3e8, "memory_bytes": 0.0, "dirty_bytes": 0.0, "final_bytes": 0.0}


def images_turned(strategy: str, application: str, mode: str, own: Fate) -> None:
    """The larger the image, the less is sent."""
    own["memory_bytes"] = 3e9 - 2 * own["image_bytes"]


@pytest.mark.parametrize(
    ("change", "turned"),
    [
        (swapped("nearest", "pm_op_tier"), {"nearest_differs_most_by_mode", "tiers_lower_downtime_by_mode", "tiers_gain_most_when_fast"}),
        (swapped("nearest", "pm_op_tier"), {"pm_op_tier_best_by_mode", "pm_op_tier_steady_by_mode"}),
        (swapped("pm", "pm_op"), {"op_lowers_downtime_by_mode"}),
        (backwards, {"walking_downtimes_close", "walking_nearest_close", "modes_part_downtimes", "tiers_gain_most_when_fast"}),
        (backwards, {"nearest_differs_most_by_mode"}),
        (images_turned, {"application_decides_traffic"}),
    ],
)
def test_falsified_tables_turn_what_they_must(change, turned: set[str], tmp_path: Path) -> None:
    found = literal(write_trajectories(tmp_path / "made", change))
    assert {name: found[name] for name in turned} == dict.fromkeys(turned, "contradicted")


def test_who_walks_is_where_growth_begins_even_where_a_mode_is_slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPEEDS_KMH, "bus", 3.0)
    verdicts = judged(write_trajectories(tmp_path / "made"))
    assert verdicts["tiers_lower_downtime_by_mode"].evidence["reading"].str.contains("bus").any()
    parted = verdicts["modes_part_downtimes"].evidence
    assert not parted["statistic"].str.contains("bus").any()
    assert parted["statistic"].iloc[0] == "the range at mode car less that at mode walk"


def test_differences_within_the_noise_show_nothing(tmp_path: Path) -> None:
    verdicts = judged(write_trajectories(tmp_path / "made", all_alike))
    alike = {"walking_downtimes_close", "walking_nearest_close", "pm_op_tier_steady_by_mode", "large_memory_much_data"}
    assert {name for name, each in verdicts.items() if each.verdict == "supported"} - alike == set()
    assert literal(tmp_path / "made")["pm_op_tier_steady_by_mode"] == "supported"


def games_turned(strategy: str, application: str, mode: str, own: Fate) -> None:
    """What saves downtime elsewhere costs it in games."""
    if application == "game":
        own["downtime_s"] = 60.0 - own["downtime_s"]


def games_alike(strategy: str, application: str, mode: str, own: Fate) -> None:
    """Tiers save nothing of the downtime of games."""
    if application == "game":
        own["downtime_s"] = 10.0


def test_what_is_true_of_some_applications_alone_depends_on_them(tmp_path: Path) -> None:
    verdict = judged(write_trajectories(tmp_path / "turned", games_turned))["tiers_lower_downtime_by_mode"].verdict
    assert verdict.startswith("depends (on") and "application game" in verdict
    # an application in which noise alone tells strategies apart decides nothing
    assert "application " not in judged(write_trajectories(tmp_path / "alike", games_alike))["tiers_lower_downtime_by_mode"].verdict


def test_missing_modes_applications_and_strategies_are_said(tmp_path: Path) -> None:
    drivers = judged(write_trajectories(tmp_path / "drivers", modes=("bike", "bus", "car")))
    assert (drivers["walking_nearest_close"].verdict, drivers["walking_nearest_close"].because) == ("no data", "needs mode walk")
    assert drivers["tiers_lower_downtime_by_mode"].verdict != "no data"
    walkers = judged(write_trajectories(tmp_path / "walkers", modes=("walk",)))
    assert "needs trajectories of several means of transport" in walkers["pm_op_tier_steady_by_mode"].because
    assert walkers["application_decides_traffic"].verdict == "supported"
    one = judged(write_trajectories(tmp_path / "one", applications=["face"]))
    assert one["memory_data_differ"].because == "needs several values of application: sweep over workload.application"
    few = judged(write_trajectories(tmp_path / "few", strategies=("nearest", "pm")))
    assert few["pm_op_tier_steady_by_mode"].because == "needs the strategy pm_op_tier and its downtime per handoff"
    single = judged(write_trajectories(tmp_path / "single", per_mode=1, seeds=[0]))
    assert "at least two trajectories" in single["op_lowers_downtime_by_mode"].because


def test_results_without_modes_say_what_they_need(tmp_path: Path) -> None:
    found = judge_trajectory_claims(read_trajectories(read_results([write_sweep(tmp_path / "sweep", seeds=[0, 1])])))
    assert {each.verdict for each in found} == {"no data"}
    assert all("mobility.source=gps" in each.because for each in found)


def test_claims_about_speed_and_image_say_that_trajectories_have_none(place: Path) -> None:
    found = {each.name: each for each in judge_claims(read_results([place]))}
    assert {each.verdict for each in found.values()} == {"no data"}
    assert found["traffic_falls_with_speed"].because == "needs several values of commanded speed (km/h): sweep over mobility.speed_kmh"
    assert "sweep over workload.image_mb" in found["traffic_grows_with_image"].because
