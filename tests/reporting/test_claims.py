"""Every claim is supported in a world that is made so, and turns when the tables are falsified; without data it says so."""

from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.reporting.claims import CLAIMS, judge_claims
from msmf_traci.reporting.judgement import OUTCOMES, claims_table, evidence_table
from msmf_traci.reporting.map_cost import COST_FILE, judge_map_cost
from msmf_traci.reporting.options import IMAGE
from msmf_traci.reporting.reading import Results
from tests.reporting.made_rows import SEEDS, Row, made_results

# noise does not hide that nothing is cut by so much, or changes by so much
CUTS_OF_A_SIZE = {"tiers_cut_traffic_65", "tiers_cut_traffic_70", "traffic_depends_on_speed"}
WITHOUT_DATA_HERE = {"traffic_grows_with_memory", "cost_independent_of_map"}


def verdicts(results: Results) -> dict[str, str]:
    return {each.name: each.verdict for each in judge_claims(results)}


@pytest.fixture(scope="module")
def truth() -> dict[str, str]:
    return verdicts(made_results())


def literal(results: Results) -> dict[str, str]:
    """What each claim's most literal reading at the reference says."""
    found = {}
    for each in judge_claims(results):
        if len(each.evidence):
            first = each.evidence["reading"].iloc[0]
            rows = each.evidence[(each.evidence["reading"] == first) & (each.evidence["at"] == "reference")]
            found[each.name] = "supported" if (rows["outcome"] == "supported").all() else str(rows["outcome"].min())
    return found


def test_literal_readings_are_supported_in_a_world_made_so(truth: dict[str, str]) -> None:
    assert set(truth) == {claim.name for claim in CLAIMS} | {"cost_independent_of_map"}
    assert {name for name, verdict in truth.items() if verdict == "no data"} == WITHOUT_DATA_HERE
    assert {name for name, outcome in literal(made_results()).items() if outcome != "supported"} == set()
    for name in ("tiers_cut_traffic_65", "op_cuts_traffic", "nearest_lead_falls", "op_cuts_migrations", "pm_op_tier_steady"):
        assert truth[name] in ("supported", "depends (on what is compared)"), name


def swap(one: str, other: str):
    """The rows of two strategies exchanged."""

    def swapped(results: Results) -> Results:
        rows = results.rows.copy()
        rows["strategy"] = rows["strategy"].replace({one: other, other: one})
        return Results(results.folders, results.runs, results.main, rows, results.options)

    return swapped


def backwards(results: Results) -> Results:
    """The speeds reversed."""
    rows = results.rows.copy()
    speeds = list(results.options["mobility.speed_kmh"].values)
    rows["mobility.speed_kmh"] = rows["mobility.speed_kmh"].replace(dict(zip(speeds, speeds[::-1], strict=True)))
    return Results(results.folders, results.runs, results.main, rows, results.options)


@pytest.mark.parametrize(
    ("falsify", "turned"),
    [
        (swap("nearest", "pm_op_tier"), {"tiers_cut_traffic", "tiers_cut_traffic_65", "tiers_cut_traffic_70", "nearest_grows_most"}),
        (swap("nearest", "pm_op_tier"), {"prediction_beats_nearest", "tiers_lower_downtime", "pm_op_tier_best", "pm_op_tier_steady"}),
        (swap("pm", "pm_op"), {"op_cuts_traffic", "op_cuts_migrations", "op_lowers_downtime", "op_lowers_downtime_fast"}),
        (swap("pm_tier", "pm"), {"tiers_overcome_speed"}),
        (backwards, {"traffic_falls_with_speed", "fast_users_leave", "fast_users_copy_part", "nearest_lead_falls"}),
        (backwards, {"slow_downtimes_close", "downtimes_part_with_speed", "nearest_grows_most", "slow_nearest_close"}),
    ],
)
def test_falsified_tables_turn_what_they_must(falsify, turned: set[str]) -> None:
    found = literal(falsify(made_results()))
    assert {name: found[name] for name in turned} == dict.fromkeys(turned, "contradicted")


def shrunk(strategy: str, speed: float, size: float, row: Row) -> None:
    """Every strategy the same, whatever the speed and the size."""
    row |= dict.fromkeys(row, 1.0)


def test_differences_within_the_noise_show_nothing() -> None:
    found = verdicts(made_results(shrunk))
    differences = {claim.name for claim in CLAIMS} - WITHOUT_DATA_HERE
    alike = {"slow_downtimes_close", "slow_nearest_close", "pm_op_tier_steady", "service_stable_over_speed", "delay_requirements_met"}
    assert {name for name in differences - alike if found[name] == "supported"} == set()
    assert {name for name in differences - alike if found[name] == "contradicted"} <= CUTS_OF_A_SIZE
    assert literal(made_results(shrunk))["slow_downtimes_close"] == "supported"
    assert literal(made_results(shrunk))["pm_op_tier_steady"] == "supported"


def late(strategy: str, speed: float, size: float, row: Row) -> None:
    row["late_share"] = 0.05


def by_size(strategy: str, speed: float, size: float, row: Row) -> None:
    """With small images alone tiers save nothing, and images do not tell."""
    if size == 100.0 and strategy.endswith("tier"):
        row["traffic_per_trip_bytes"] *= 10.0


def test_a_cut_that_an_option_turns_depends_on_it() -> None:
    found = {each.name: each for each in judge_claims(made_results(by_size))}
    assert "container image 100 MB" in found["tiers_cut_traffic"].verdict
    evidence = found["tiers_cut_traffic"].evidence
    other = evidence[(evidence["at"] == f"{IMAGE}=100") & (evidence["reading"] == evidence["reading"].iloc[0])]
    assert other["outcome"].tolist() == ["contradicted"]
    assert literal(made_results(late))["delay_requirements_met"] == "contradicted"


def test_one_seed_gives_no_verdict() -> None:
    found = judge_claims(made_results(seeds=SEEDS[:1]))
    assert {each.verdict for each in found} == {"no data"}
    assert "two seeds" in next(each.because for each in found if each.name == "op_cuts_traffic")


def only_some(results: Results, kept: pd.Series) -> Results:
    return Results(results.folders, results.runs, results.main, results.rows[kept], results.options)


def test_settings_with_fewer_speeds_and_seeds_turn_nothing() -> None:
    """Other sizes at two speeds, one of them with two seeds only: nothing depends on the size, and nothing says so."""
    whole = made_results()
    rows = whole.rows
    at_reference = rows[IMAGE] == 1000.0
    few = ~at_reference & rows["mobility.speed_kmh"].isin([5.0, 20.0]) & rows["seed"].isin([0, 1])
    found = verdicts(only_some(whole, at_reference | few))
    assert {name for name, verdict in found.items() if "container image" in verdict} == set()
    # a setting with one speed in common with the reference says nothing about trends
    one_speed = ~at_reference & (rows["mobility.speed_kmh"] == 5.0)
    assert {n for n, verdict in verdicts(only_some(whole, at_reference | one_speed)).items() if "container image" in verdict} == set()


def nobody_leaves_at_first(strategy: str, speed: float, size: float, row: Row) -> None:
    row["user_left_per_trip"] = 0.0 if speed == 5.0 else row["user_left_per_trip"]


def test_growth_from_nothing_is_growth() -> None:
    found = {each.name: each for each in judge_claims(made_results(nobody_leaves_at_first))}
    assert found["fast_users_leave"].verdict == "supported"


def test_one_missing_group_costs_its_own_readings_alone() -> None:
    whole = made_results()
    found = verdicts(only_some(whole, ~((whole.rows["strategy"] == "pm") & (whole.rows["mobility.speed_kmh"] == 20.0))))
    assert {name for name, verdict in found.items() if verdict == "no data"} == WITHOUT_DATA_HERE


def test_missing_strategies_and_speeds_are_said() -> None:
    whole = made_results()
    rows = whole.rows[whole.rows["strategy"] != "pm_op"]
    found = {each.name: each for each in judge_claims(Results(whole.folders, (), 0, rows, whole.options))}
    assert (found["op_cuts_traffic"].verdict, found["op_cuts_traffic"].because) == (
        "no data",
        "needs the strategy pm_op and its traffic per trip",
    )
    assert found["nearest_lead_falls"].verdict == "supported"
    still = Results(whole.folders, (), 0, whole.rows[whole.rows["mobility.speed_kmh"] == 50.0], {IMAGE: whole.options[IMAGE]})
    assert "sweep over mobility.speed_kmh" in next(each.because for each in judge_claims(still) if each.name == "nearest_lead_falls")


def test_tables_of_claims_have_every_claim_and_finding() -> None:
    judgements = judge_claims(made_results())
    table = claims_table(judgements).set_index("claim")
    assert list(table.index) == [each.name for each in judgements]
    evidence = evidence_table(judgements)
    assert len(evidence) == sum(len(each.evidence) for each in judgements)
    row, findings = table.loc["op_cuts_traffic"], evidence[(evidence["claim"] == "op_cuts_traffic") & (evidence["at"] == "reference")]
    assert row["readings"] == findings["reading"].nunique() == 4 * 2 * 5
    for outcome in OUTCOMES:
        assert row[f"readings_{outcome}"] == (findings["outcome"] == outcome).sum()
    assert (row["estimate"], row["low"], row["bound"]) == (findings.iloc[0]["estimate"], findings.iloc[0]["low"], "above 0")
    assert (evidence["low"] <= evidence["estimate"]).all() and (evidence["estimate"] <= evidence["high"]).all()
    assert table.loc["cost_independent_of_map", "readings"] == 0 and pd.isna(table.loc["cost_independent_of_map", "estimate"])


def costs(folder: Path, large_ns: float) -> Path:
    rows = [("2 km", 500, 61, repeat, 300.0 + repeat) for repeat in range(5)]
    rows += [("21 km", 35_000, 3_781, repeat, large_ns + repeat) for repeat in range(5)]
    pd.DataFrame(rows, columns=["map", "edges", "cells", "repeat", "ns_per_prediction"]).to_csv(folder / COST_FILE, index=False)
    return folder


@pytest.mark.parametrize(
    ("large_ns", "verdict"), [(310.0, "supported"), (450.0, "depends (on what hardly means)"), (3000.0, "contradicted")]
)
def test_cost_of_a_prediction_is_judged_by_the_benchmark(large_ns: float, verdict: str, tmp_path: Path) -> None:
    judged = judge_map_cost([costs(tmp_path, large_ns)])
    assert judged.verdict == verdict
    assert "a prediction on 21 km (35,000 edges)" in judged.evidence["statistic"].tolist()


def test_costs_on_one_map_alone_say_nothing(tmp_path: Path) -> None:
    table = pd.read_csv(costs(tmp_path, 310.0) / COST_FILE)
    table[table["map"] == "2 km"].to_csv(tmp_path / COST_FILE, index=False)
    assert judge_map_cost([tmp_path]).verdict == "no data"


def test_damaged_table_of_costs_is_refused(tmp_path: Path) -> None:
    (tmp_path / COST_FILE).write_text("map,edges\n2 km,500\n")
    with pytest.raises(InputError, match="make it again with"):
        judge_map_cost([tmp_path])
