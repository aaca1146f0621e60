"""What a report says of copies and stores is what the tables say, recomputed here with pandas alone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.reporting.build import build_report
from msmf_traci.reporting.bytes_table import bytes_table
from msmf_traci.reporting.curves import curve_figures
from msmf_traci.reporting.figure import Figure
from msmf_traci.reporting.measures import COPIES, OF_IMAGES, STORES
from msmf_traci.reporting.overview import overview_figure
from msmf_traci.reporting.page_tables import PageTable
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.transfers import transfer_figures
from tests.reporting.made_copies import copy, give_copies
from tests.reporting.made_results import VEHICLES, stacked, write_sweep
from tests.reporting.made_runs import make_run, transfer

SOURCES = ("host_bytes", "cloud_bytes", "other_bytes")
KINDS = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes")
STORED = "tiers.local.store_gb"
CONFIG = {"tiers": {"local": {"area": "cell", "store_gb": 2.0}}}
GB = 1e9


def give_images(run: Path) -> None:
    """Give a made run copies, sources of images, and stores; what its tables say of each other fits."""
    facts = json.loads((run / "run.json").read_text())
    rng = np.random.default_rng([7, facts["seed"]])
    keys = facts["key_columns"]
    summary = pd.read_csv(run / "summary.csv")
    moved = pd.read_csv(run / "migrations.csv")
    moved = moved.assign(**{name: rng.uniform(0.0, 1e9, len(moved)) for name in SOURCES})
    moved.to_csv(run / "migrations.csv", index=False)

    def sent_mb(outcome: str) -> tuple[float, float, float]:
        a, b, c = rng.uniform(0.0, 0.0 if outcome == "refused" else 900.0, 3)
        return a, b, c

    rows = [
        copy("", "v0", number, "L:1,0", (1.0, 2.0, 3.0), outcome, sent_mb(outcome)) | variant
        for variant in summary[keys].to_dict("records")
        if variant["strategy"] != "nearest"
        for number, outcome in enumerate(("used", "used", "unused", "unfinished", "refused"))
    ]
    copies = pd.DataFrame(rows)
    give_copies(run, copies)
    images = {name: rng.uniform(0.0, 1.0, len(summary)) * measure.per_unit for name, measure in OF_IMAGES.items()}
    summary.assign(**images).to_csv(run / "summary.csv", index=False)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = write_sweep(tmp_path_factory.mktemp("made") / "sweep", varied={STORED: [2.0, 4.0, np.nan]}, config=CONFIG)
    for path in list(place.glob("*/run.json")):
        give_images(path.parent)
    return place


@pytest.fixture(scope="module")
def figures(sweep: Path) -> dict[str, Figure]:
    results = read_results([sweep])
    return {figure.name: figure for figure in [*curve_figures(results), *transfer_figures(results)[0]]}


def at_reference(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["store_gb"] == 2.0]


def test_bytes_of_copies_stand_beside_those_of_transfers(sweep: Path, figures: dict[str, Figure]) -> None:
    drawn = figures["bytes"].points.set_index(["strategy", "speed", "outcome", "kind"])["gb_per_trip"]
    raw = at_reference(stacked(sweep, "copies"))
    sums = raw.groupby(["strategy", "speed", "outcome"])["image_bytes"].sum() / (GB * VEHICLES * 3)
    for (strategy, speed, outcome), expected in sums.drop("refused", level="outcome").items():
        assert drawn[strategy, f"{speed:g}", f"copies, {outcome}", f"copies, {outcome}"] == pytest.approx(expected)
    assert drawn["nearest", "10", "copies, used", "copies, used"] == 0.0
    assert not any("refused" in outcome for outcome in figures["bytes"].points["outcome"])
    moved = at_reference(stacked(sweep, "migrations")).query("strategy == 'pm' and speed == 10")
    own = figures["bytes"].points.query("strategy == 'pm' and speed == '10'")
    expected = moved[list(KINDS)].to_numpy().sum() + raw.query("strategy == 'pm' and speed == 10")["image_bytes"].sum()
    assert own["gb_per_trip"].sum() == pytest.approx(expected / (GB * VEHICLES * 3))
    assert "Copies brought images ahead of transfers" in figures["bytes"].caption


def test_sources_are_those_of_transfers_and_of_copies(sweep: Path, figures: dict[str, Figure]) -> None:
    drawn = figures["image_sources"].points.set_index(["strategy", "speed", "sent", "source"])["gb_per_trip"]
    names = dict(zip(SOURCES, ("host", "cloud", "other servers"), strict=True))
    for sent, table in (("transfers", "migrations"), ("copies", "copies")):
        sums = at_reference(stacked(sweep, table)).groupby(["strategy", "speed"])[list(SOURCES)].sum() / (GB * VEHICLES * 3)
        for (strategy, speed), row in sums.iterrows():  # type: ignore[misc]
            for column, source in names.items():
                assert drawn[strategy, f"{speed:g}", sent, source] == pytest.approx(row[column])


def cell(table: PageTable, row: int, name: str) -> float:
    return float(table.rows[row][[column for column, _, _ in table.columns].index(name)].key)


def test_the_table_has_every_strategy_and_setting(sweep: Path) -> None:
    table = bytes_table(read_results([sweep]))
    assert table is not None
    names = [column for column, _, _ in table.columns]
    assert names[:4] == ["strategy", "commanded speed (km/h)", "local store (GB)", "seeds"]
    settings = [tuple(field.text for field in row[:4]) for row in table.rows]
    assert settings == [(s, v, g, "3") for s in ("nearest", "pm", "pm_tier") for v in ("10", "50") for g in ("2", "4", "none")]
    row = settings.index(("pm", "50", "4", "3"))
    own = "strategy == 'pm' and speed == 50 and store_gb == 4"
    of = {name: stacked(sweep, name).query(own) for name in ("migrations", "copies", "summary")}
    per_trip = GB * VEHICLES * 3
    for kind in KINDS:
        assert cell(table, row, f"transfers: {kind.removesuffix('_bytes')} (GB)") == pytest.approx(of["migrations"][kind].sum() / per_trip)
    for outcome in ("used", "unused", "unfinished"):
        sent = of["copies"].loc[of["copies"]["outcome"] == outcome, "image_bytes"]
        assert cell(table, row, f"copies: {outcome} (GB)") == pytest.approx(sent.sum() / per_trip)
    for source, name in zip(SOURCES, ("the host", "the cloud", "other servers"), strict=True):
        both = of["copies"][source].sum() + of["migrations"][source].sum()
        assert cell(table, row, f"images from {name} (GB)") == pytest.approx(both / per_trip)
    for measure in STORES:
        assert cell(table, row, measure.title) == pytest.approx(of["summary"][measure.column].mean() / measure.per_unit)
    assert cell(table, settings.index(("nearest", "10", "none", "3")), "copies: used (GB)") == 0.0


def test_hits_and_stores_have_curves_against_every_option(sweep: Path, figures: dict[str, Figure]) -> None:
    raw = stacked(sweep, "summary").query("speed == 50")
    drawn = figures["images_by_tiers_local_store_gb"].points.query("second == '50'").set_index(["measure", "strategy", "value"])["mean"]
    for measure in (*COPIES, *STORES):
        for (strategy, stored), values in raw.groupby(["strategy", "store_gb"])[measure.column]:
            assert drawn[measure.title, strategy, f"{stored:g}"] == pytest.approx(values.mean() / measure.per_unit)
    assert "images_by_speed" in figures


def test_stores_are_left_out_where_they_found_nothing_and_gave_nothing_up(sweep: Path, tmp_path: Path) -> None:
    place = write_sweep(tmp_path / "sweep", varied={STORED: [2.0, 4.0]}, config=CONFIG)
    for path in list(place.glob("*/run.json")):
        give_images(path.parent)
        summary = pd.read_csv(path.parent / "summary.csv")
        nothing = {"image_found_share": 0.0, "evictions": 0, "other_traffic_per_trip_bytes": 0.0}
        summary.assign(**nothing).to_csv(path.parent / "summary.csv", index=False)
    results = read_results([place])
    assert [measure.column for measure in results.of_images] == [measure.column for measure in COPIES if "other" not in measure.column]
    table = bytes_table(results)
    assert table is not None
    assert not {measure.title for measure in STORES} & {column for column, _, _ in table.columns}


def test_reports_without_copies_say_nothing_of_them(tmp_path: Path) -> None:
    """Runs of earlier versions, and such as copied and kept nothing."""
    place = write_sweep(tmp_path / "sweep", seeds=[0, 1])
    pages = []
    for number in range(2):
        results = read_results([place])
        assert results.of_images == [] and bytes_table(results) is None
        pages.append(build_report(results, tmp_path / f"out{number}").read_text(encoding="utf-8"))
        for path in place.glob("*/summary.csv"):
            nothing = dict.fromkeys(OF_IMAGES, 0.0) | {"store_mean_bytes": 1e8, "store_peak_bytes": 1e9}
            pd.read_csv(path).assign(**nothing).to_csv(path, index=False)
    assert pages[0] == pages[1]
    page = pages[0][: pages[0].index("<script>{")] if "<script>{" in pages[0] else pages[0]
    assert "copies, used" not in page and "image_sources" not in page and "images_by_" not in page


def test_a_table_of_copies_that_is_cut_off_or_missing_is_one_sentence(sweep: Path, tmp_path: Path) -> None:
    place = write_sweep(tmp_path / "sweep", speeds=[50.0], seeds=[0])
    (run,) = (path.parent for path in place.glob("*/run.json"))
    give_images(run)
    copies = pd.read_csv(run / "copies.csv")
    copies.iloc[:-1].to_csv(run / "copies.csv", index=False)
    with pytest.raises(InputError, match="table copies does not fit the table vehicles"):
        read_results([place])
    (run / "copies.csv").unlink()
    with pytest.raises(InputError, match="no table copies"):
        transfer_figures(read_results([place]))


def test_the_first_picture_and_the_bars_count_copies(msmf: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """Of a real run: satisfied share against traffic, and the bytes of both figures and of the table, are transfers and copies together."""
    words = ("mobility.vehicles=8", "strategies=[nearest,pm]", "strategy.pm.prefetch=3", "images.source=cloud", "images.retain_s=60")
    result = msmf(tmp_path, *words, "output.dir=runs")
    assert result.returncode == 0, result.stderr
    (run,) = (path.parent for path in (tmp_path / "runs").glob("*/run.json"))
    moved = pd.read_csv(run / "migrations.csv").groupby("strategy")[list(KINDS)].sum().sum(axis=1)
    copied = pd.read_csv(run / "copies.csv").groupby("strategy")["image_bytes"].sum()
    assert copied["pm"] > 0 and "nearest" not in copied
    expected = (moved + copied.reindex(moved.index, fill_value=0.0)) / (8 * GB)
    results = read_results([run])
    table = bytes_table(results)
    assert table is not None
    figures = {figure.name: figure for figure in transfer_figures(results)[0]}
    for number, strategy in enumerate(("nearest", "pm")):
        point = overview_figure(results).points.query("strategy == @strategy")["traffic"]
        assert point.tolist() == pytest.approx([expected[strategy]])
        bars = figures["bytes"].points.query("strategy == @strategy")["gb_per_trip"]
        assert bars.sum() == pytest.approx(expected[strategy])
        parts = [name for name, _, _ in table.columns if name.startswith(("transfers: ", "copies: "))]
        assert sum(cell(table, number, name) for name in parts) == pytest.approx(expected[strategy])
    assert "copies of images" in overview_figure(results).caption


def test_runs_of_one_vehicle_draw_what_they_have(tmp_path: Path) -> None:
    """One used copy and one transfer that then sends no image."""
    rows = [transfer("pm", "a", 0, (20.0, 25.0, 25.0, 26.0), "completed", image_bytes=0.0, **dict.fromkeys(SOURCES, 0.0))]
    copies = pd.DataFrame([copy("pm", "a", 0, "L:1,0", (1.0, 20.0, 26.0), "used", (0.0, 300.0, 0.0))])
    run = give_copies(make_run(tmp_path / "run", rows), copies)
    images = dict.fromkeys(OF_IMAGES, 0.0) | {"copy_traffic_per_trip_bytes": 3e8, "cloud_traffic_per_trip_bytes": 3e8}
    pd.read_csv(run / "summary.csv").assign(**images).to_csv(run / "summary.csv", index=False)
    figures = {figure.name: figure for figure in transfer_figures(read_results([run]))[0]}
    sent = figures["image_sources"].points.query("gb_per_trip > 0")
    assert sent[["sent", "source", "gb_per_trip"]].to_numpy().tolist() == [["copies", "cloud", 0.3]]
    page = build_report(read_results([run]), tmp_path / "out").read_text(encoding="utf-8")
    assert "Where images come from" in page and "copies: used (GB)" in page and "copies: unused (GB)" not in page
