"""What figures draw is what the raw tables say, recomputed here with pandas and scipy alone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from msmf_traci.reporting import style
from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.figure import Figure
from msmf_traci.reporting.measures import DOWNTIME, MEASURES, TRAFFIC
from msmf_traci.reporting.options import Option
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.statistics import intervals
from msmf_traci.reporting.stills import write_figure, write_points
from msmf_traci.reporting.tornado import tornado_figures
from msmf_traci.reporting.transfers import transfer_figures
from msmf_traci.results.intervals import mean_interval
from tests.reporting.made_results import VEHICLES, stacked, write_run, write_sweep
from tests.reporting.made_rows import made_results

VARIED = {"workload.image_mb": [100.0, 1000.0, np.nan], "links.bandwidth_mbps": [50.0, 100.0], "tiers.regional.rings": [1.0, 2.0]}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(tmp_path_factory.mktemp("made") / "sweep", varied=VARIED)


@pytest.fixture(scope="module")
def figures(sweep: Path) -> dict[str, Figure]:
    results = read_results([sweep])
    return {figure.name: figure for figure in [*curve_figures(results), *transfer_figures(results)[0]]}


def _reference(table: pd.DataFrame, speed: float | None = None, but: str = "") -> pd.DataFrame:
    keep = table["seed"] >= 0
    if but != "image_mb":
        keep &= table["image_mb"].isna()
    for name, value in (("bandwidth_mbps", 100.0), ("rings", 2.0)):
        if name != but:
            keep &= table[name] == value
    return table[keep & ((table["speed"] == speed) | (speed is None))]


def _interval(values: pd.Series) -> tuple[float, float, float]:
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), values.mean() - half, values.mean() + half


def test_curves_against_the_speed_are_means_over_seeds_with_their_intervals(sweep: Path, figures: dict[str, Figure]) -> None:
    raw = _reference(stacked(sweep, "summary"))
    for name, measures in (("traffic_by_speed", TRAFFIC), ("downtime_by_speed", DOWNTIME)):
        drawn = figures[name].points.query("second == 'drawn 100–2000'").set_index(["measure", "strategy", "value"])
        for measure in measures:
            for (strategy, speed), values in raw.groupby(["strategy", "speed"])[measure.column]:
                row = drawn.loc[(measure.title, strategy, f"{speed:g}")]
                assert row[["mean", "low", "high"]].to_list() == pytest.approx(_interval(values / measure.per_unit))
                assert row["seeds"] == 3
                assert row["x"] == speed


def test_every_option_that_varies_has_its_figures(sweep: Path, figures: dict[str, Figure]) -> None:
    raw = stacked(sweep, "summary")
    measure = MEASURES["mean_outage_s"]
    for option, column in (("links_bandwidth_mbps", "bandwidth_mbps"), ("tiers_regional_rings", "rings"), ("image", "image_mb")):
        assert {f"traffic_by_{option}", f"downtime_by_{option}", f"differences_by_{option}"} <= set(figures)
        drawn = figures[f"downtime_by_{option}"].points.query("second == '10' and measure == 'mean outage (s)'")
        drawn = drawn.set_index(["strategy", "value"])
        for (strategy, value), values in _reference(raw, 10.0, column).groupby(["strategy", column], dropna=False)[measure.column]:
            row = drawn.loc[(strategy, "drawn 100–2000" if pd.isna(value) else f"{value:g}")]
            assert row["mean"] == pytest.approx(values.mean())


def test_a_drawn_range_stands_apart_from_the_numbers(figures: dict[str, Figure]) -> None:
    places = figures["traffic_by_image"].points.groupby("value")["x"].first()
    assert places["100"] == 100.0
    assert places["drawn 100–2000"] > places["1000"] + 100.0


def test_differences_are_paired_by_seed(sweep: Path, figures: dict[str, Figure]) -> None:
    raw = _reference(stacked(sweep, "summary"), 50.0).set_index(["strategy", "seed"])
    drawn = figures["differences_by_speed"].points.query("second == 'drawn 100–2000' and value == '50'").set_index(["strategy", "measure"])
    for measure in (*TRAFFIC, *DOWNTIME):
        own = raw[measure.column] / measure.per_unit
        for strategy in ("pm", "pm_tier"):
            expected = _interval(own[strategy] - own["nearest"])
            assert drawn.loc[(strategy, measure.title), ["mean", "low", "high"]].to_list() == pytest.approx(expected)
    assert "nearest" not in set(figures["differences_by_speed"].points["strategy"])


def test_bytes_are_those_of_the_transfers_by_outcome_and_kind(sweep: Path, figures: dict[str, Figure]) -> None:
    raw = _reference(stacked(sweep, "migrations"))
    drawn = figures["bytes"].points.set_index(["strategy", "speed", "outcome", "kind"])["gb_per_trip"]
    for kind in ("image", "memory", "dirty", "final"):
        sums = raw.groupby(["strategy", "speed", "outcome"])[f"{kind}_bytes"].sum() / (1e9 * VEHICLES * 3)
        for (strategy, speed, outcome), expected in sums.items():
            name = "useful" if outcome == "completed" else outcome
            assert drawn[strategy, f"{speed:g}", name, kind] == pytest.approx(expected)


def test_quantiles_are_those_of_the_pooled_transfers_with_a_handoff(sweep: Path, figures: dict[str, Figure]) -> None:
    raw = _reference(stacked(sweep, "migrations"), 10.0).query("strategy == 'pm'").dropna(subset="t_handoff_s")
    drawn = figures["times"].points.query("strategy == 'pm' and speed == '10'")
    for column, title in (("downtime_s", "downtime of a transfer with a handoff (s)"), ("lead_s", "lead time (s)")):
        own = drawn[drawn["measure"] == title].set_index("share")["seconds"]
        assert [own[10.0], own[50.0], own[90.0]] == pytest.approx(np.quantile(raw[column], [0.1, 0.5, 0.9]))


def test_runs_without_transfers_say_why_there_are_no_bytes(tmp_path: Path) -> None:
    figures, reason = transfer_figures(read_results([write_sweep(tmp_path / "sweep", transfers=0)]))
    assert figures == []
    assert reason == "6 of 6 runs have no table of transfers (output.migrations=false)."


def test_one_seed_has_no_intervals_and_says_why(tmp_path: Path) -> None:
    figure = curve_figures(read_results([write_sweep(tmp_path / "sweep", seeds=[0])]))[0]
    assert figure.points[["low", "high"]].isna().all(axis=None)
    assert "No intervals: one seed" in figure.caption


def test_words_are_an_ordered_category(tmp_path: Path) -> None:
    write_sweep(tmp_path / "sweep", varied={"handoff.unsynced": ["stop", "relay"]})
    figures = {figure.name: figure for figure in curve_figures(read_results([tmp_path / "sweep"]))}
    points = figures["traffic_by_handoff_unsynced"].points
    assert set(points["value"]) == {"stop", "relay"}
    assert points["x"].isna().all()


def test_options_that_only_vary_together_have_no_run_at_their_references_and_no_curve() -> None:
    """As those of a preset against another: each is most often at a value at which the others are not."""
    made = made_results()
    references = {"migration.processing.round_s": 0.0, "migration.processing.restore_s": 1.0, "migration.processing.round_trips": 0.0}
    rows = made.rows[made.rows["seed"] < 2].assign(**{name: lambda table: table["seed"].astype(float) for name in references})
    options = {name: Option(name, (0.0, 1.0), reference) for name, reference in references.items()}
    assert all(figure.points.empty for figure in curve_figures(replace(made, rows=rows, options=options)))


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    draws = rng.normal(3.0, 2.0, (1000, 5))
    single = [mean_interval(row) for row in draws]
    covered = np.mean([each.low <= 3.0 <= each.high for each in single])
    assert 0.92 <= covered <= 0.98
    made = pd.DataFrame({"draw": np.repeat(np.arange(1000), 5), "seed": np.tile(np.arange(5), 1000), "m": draws.ravel()})
    table = intervals(made, ["draw"], ["m"])
    assert len(table) == 1000
    assert 0.92 <= ((table["low"] <= 3.0) & (table["high"] >= 3.0)).mean() <= 0.98


def test_strategies_look_alike_nowhere_and_the_same_everywhere() -> None:
    names = ["nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "oracle", "oracle_tier", "mine", "yours"]
    looks = style.looks(names)
    assert len({look.color for look in looks}) == len({(look.dash, look.shape) for look in looks}) == len(names)
    assert style.looks(["mine", "pm"])[1] == looks[1]


def test_files_are_written_and_formulas_are_text(tmp_path: Path, figures: dict[str, Figure]) -> None:
    write_figure(figures["traffic_by_speed"], tmp_path)
    assert (tmp_path / "traffic_by_speed.svg").read_text(encoding="utf-8").startswith("<svg")
    assert (tmp_path / "traffic_by_speed.png").read_bytes().startswith(b"\x89PNG")
    write_points(tmp_path / "t.csv", pd.DataFrame({"a": ["=1+1", "+1", "-1", "@x", "\tx", "plain", None], "b": -1.0}))
    read = pd.read_csv(tmp_path / "t.csv", keep_default_na=False)
    assert read["a"].to_list() == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain", ""]
    assert (read["b"] == -1.0).all()


def made_sensitivity() -> pd.DataFrame:
    rows = [("links.bandwidth_mbps", "50", -2.0), ("links.bandwidth_mbps", "200", 3.0), ("handoff.unsynced", "relay", -5.0)]
    made = [
        ("reduction", "traffic saved by tiers", "%", at, option, value, False, 70.0 + change, 69.0, 71.0, change, change - 1, change + 1, 3)
        for at in ("5 km/h", "50 km/h")
        for option, value, change in rows
    ]
    columns = [
        "headline",
        "title",
        "unit",
        "at",
        "option",
        "value",
        "is_reference",
        "mean",
        "low",
        "high",
        "change",
        "change_low",
        "change_high",
        "seeds",
    ]
    return pd.DataFrame(made, columns=columns)


def test_tornados_show_the_changes_of_each_headline(tmp_path: Path) -> None:
    (figure,) = tornado_figures(made_sensitivity())
    assert figure.name == "tornado_reduction"
    assert figure.points.query("option == 'handoff unsynced'")["change"].to_list() == [-5.0, -5.0]
    write_figure(figure, tmp_path)


def test_figures_can_be_drawn_from_one_run(tmp_path: Path) -> None:
    results = read_results([write_run(tmp_path / "run")])
    assert curve_figures(results) == []
    figures, _ = transfer_figures(results)
    for figure in figures:
        write_figure(figure, tmp_path)
        json.dumps(figure.chart.to_dict())
