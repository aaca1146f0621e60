"""The timeline of a vehicle: its bars are the tables', whichever run is chosen."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import vl_convert

from msmf_traci.migration.ledger import STAGE_NAMES
from msmf_traci.reporting import timeline
from msmf_traci.reporting.figure import Figure, specification
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.timeline import timeline_figure
from msmf_traci.reporting.timeline_bars import STAGES
from tests.reporting.made_copies import copy, give_copies
from tests.reporting.made_runs import make_run, transfer

EVIL = "</script><img src=x onerror=\"document.title='broken'\">"


def transfers_of(vehicle: str) -> list[dict[str, Any]]:
    return [
        transfer("nearest", vehicle, 0, (2.0, 5.0, 5.0, 9.0), "user_left"),
        transfer("nearest", vehicle, 1, (9.0, 9.0, 9.0, 14.5), "completed"),
        transfer("nearest", vehicle, 2, (20.0, None, None, 26.0), "mispredicted", source="L:1,0", target="L:0,1"),
        transfer("nearest", vehicle, 3, (26.0, None, None, 26.0), "refused", source="L:1,0", target="L:0,1"),
        transfer("pm_op_tier", vehicle, 0, (4.0, 10.0, 10.0, 10.75), "completed"),
        transfer("pm_op_tier", vehicle, 1, (12.0, None, None, 30.0), "unfinished", source="L:1,0", target="L:0,1"),
    ]


def trace_of(rows: list[dict[str, Any]], vehicles: list[str]) -> dict[str, pd.DataFrame]:
    """Frames at whole seconds, hosts that follow, and two stages before each stop."""
    times = [float(t_s) for t_s in range(1, 31)]
    frames = pd.DataFrame([(t_s, v, "0,0" if t_s < 9 else "1,0") for t_s in times for v in vehicles], columns=["t_s", "vehicle", "cell"])
    decisions = [
        (t_s, s, None, v, "L:0,0" if t_s < moved_s else "L:1,0")
        for t_s in times
        for s, moved_s in (("nearest", 15.0), ("pm_op_tier", 11.0))
        for v in vehicles
    ]
    stages = []
    for row in rows:
        stop_s = row["t_end_s"] if row["t_stop_s"] is None else row["t_stop_s"]
        middle_s = (row["t_start_s"] + stop_s) / 2
        spans = [("IMAGE", row["t_start_s"], middle_s), ("MEMORY", middle_s, stop_s), ("FINAL", stop_s, row["t_end_s"])]
        stages += [(row["strategy"], None, row["vehicle"], row["transfer"], *span, 0.0) for span in spans if span[2] > span[1]]
    return {
        "frames": frames,
        "decisions": pd.DataFrame(decisions, columns=["t_s", "strategy", "image_mb", "vehicle", "host"]),
        "stages": pd.DataFrame(stages, columns=["strategy", "image_mb", "vehicle", "transfer", "stage", "t_begin_s", "t_end_s", "bytes"]),
    }


def figure_of(folder: Path) -> Figure:
    figure = timeline_figure(read_results([folder]))
    assert figure is not None
    return figure


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs" / "plain", [row for v in ("007", "a") for row in transfers_of(v)])


@pytest.fixture
def traced(tmp_path: Path) -> Path:
    rows = [row for v in ("007", "a") for row in transfers_of(v)]
    return make_run(tmp_path / "traced" / "run", rows, tables=trace_of(rows, ["007", "a"]))


@pytest.mark.parametrize("kind", ["plain", "traced"])
def test_bars_of_transfers_are_those_of_migrations(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    table = pd.read_csv(folder / "migrations.csv", dtype={"vehicle": str}).query("outcome != 'refused'")
    keys = ["strategy", "vehicle", "transfer"]
    bars = figure_of(folder).points.dropna(subset="transfer")
    found = bars.groupby(keys).agg(
        begin_s=("begin_s", "min"), end_s=("end_s", "max"), outcome=("outcome", "first"), bytes=("bytes", "first")
    )
    assert found.index.tolist() == table.set_index(keys).sort_index().index.tolist()
    expected = table.set_index(keys).sort_index()
    assert found["begin_s"].tolist() == expected["t_start_s"].tolist() and found["end_s"].tolist() == expected["t_end_s"].tolist()
    assert found["outcome"].tolist() == expected["outcome"].tolist()
    assert found["bytes"].tolist() == expected.filter(like="_bytes").sum(axis=1).tolist()


@pytest.mark.parametrize("kind", ["plain", "traced"])
def test_outages_are_downtime_and_go_on_across_transfers(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    points = figure_of(folder).points
    points["seconds"] = points["end_s"] - points["begin_s"]
    outages = points[points["kind"] == "outage"]
    table = pd.read_csv(folder / "migrations.csv", dtype={"vehicle": str})
    keys = ["strategy", "vehicle"]
    pd.testing.assert_series_equal(outages.groupby(keys)["seconds"].sum(), table.groupby(keys)["downtime_s"].sum(), check_names=False)
    own = outages[(outages["vehicle"] == "a") & (outages["strategy"] == "nearest")]
    assert own[["begin_s", "end_s"]].to_numpy().tolist() == [[5.0, 14.5]]
    stopped = points[points["kind"].isin(["downtime", "final", "restore"])]
    assert stopped["seconds"].sum() == outages["seconds"].sum()


def spans(points: pd.DataFrame, kind: str, strategy: str, vehicle: str = "007") -> list[tuple[str, float, float]]:
    rows = points[(points["kind"] == kind) & (points["strategy"] == strategy) & (points["vehicle"] == vehicle)]
    return list(rows[["name", "begin_s", "end_s"]].itertuples(index=False, name=None))


def test_hosts_follow_from_completed_transfers(plain: Path) -> None:
    points = figure_of(plain).points
    assert spans(points, "host", "nearest") == [("L:0,0", 2.0, 14.5), ("L:1,0", 14.5, 30.0)]
    assert spans(points, "host", "pm_op_tier") == [("L:0,0", 2.0, 10.75), ("L:1,0", 10.75, 30.0)]


def test_hosts_and_cells_of_a_trace_are_those_of_the_frames(traced: Path) -> None:
    points = figure_of(traced).points
    assert spans(points, "host", "nearest") == [("L:0,0", 1.0, 15.0), ("L:1,0", 15.0, 30.0)]
    assert spans(points, "cell", "", "a") == [("0,0", 1.0, 9.0), ("1,0", 9.0, 30.0)]


COPIES = [
    copy("nearest", "a", 0, "L:1,0", (1.0, 6.0, 14.5), "used", (0.0, 300.0, 0.0)),
    copy("nearest", "a", 1, "L:0,1", (4.0, None, 9.0), "unfinished", (0.0, 100.0, 0.0)),
    copy("nearest", "a", 2, "L:0,0", (8.0, 12.0, 20.0), "unused", (200.0, 0.0, 100.0)),
    copy("nearest", "a", 3, "L:0,1", (11.0, None, 11.0), "refused", (0.0, 0.0, 0.0)),
    copy("nearest", "a", 4, "L:0,1", (20.0, 20.0, 25.0), "unused", (0.0, 0.0, 0.0)),
    copy("pm_op_tier", "007", 0, "L:0,1", (3.0, 5.0, 30.0), "unused", (0.0, 300.0, 0.0)),
]


@pytest.mark.parametrize("is_traced", [False, True])
def test_copies_are_bars_under_the_host(is_traced: bool, tmp_path: Path) -> None:
    rows = [row for v in ("007", "a") for row in transfers_of(v)]
    trace = trace_of(rows, ["007", "a"]) if is_traced else {}
    figure = figure_of(give_copies(make_run(tmp_path / "run", rows, tables=trace), pd.DataFrame(COPIES)))
    bars = figure.points.dropna(subset="copy")
    own = bars.query("strategy == 'nearest' and vehicle == 'a'").sort_values(["copy", "begin_s"])
    columns = ["copy", "kind", "is_there", "begin_s", "end_s", "lane", "target"]
    assert list(own[columns].itertuples(index=False, name=None)) == [
        (0, "copy, used", 0, 1.0, 6.0, 0, "L:1,0"),
        (0, "copy, used", 1, 6.0, 14.5, 0, "L:1,0"),
        (1, "copy, unfinished", 0, 4.0, 9.0, 1, "L:0,1"),
        (2, "copy, unused", 0, 8.0, 12.0, 2, "L:0,0"),
        (2, "copy, unused", 1, 12.0, 20.0, 2, "L:0,0"),
        (4, "copy, unused", 1, 20.0, 25.0, 0, "L:0,1"),
    ]
    assert set(own["bytes"]) == {3e8, 1e8, 0.0}
    assert "Under the host are copies" in figure.caption and "Refused transfers and copies are left out" in figure.caption
    # the still shows 007 alone
    for chart, lanes, kinds in ((figure.chart, 3, ["used", "unused", "unfinished"]), (figure.still, 1, ["unused"])):
        text = json.dumps(specification(figure, chart))
        assert text.count("datum.r == ") == lanes
        domain = re.search(r'"domain": \["pre-copy".*?\]|"domain": \["image".*?\]', text)
        assert domain is not None and re.findall(r"copy, (\w+)", domain[0]) == kinds
    chosen = specification(figure, figure.chart)
    codes = pd.read_csv(io.StringIO(chosen["datasets"]["points"]))
    lists = {param["name"]: param.get("value") for param in chosen["params"]}
    of_copies = codes.dropna(subset="r")
    kinds = [lists["kinds"][k] for k in of_copies["k"]]
    assert sorted(kinds) == sorted(bars["kind"])
    assert [lists["names"][n] for n in of_copies["n"]] == list(bars["target"])


def test_a_run_without_copies_has_the_timeline_that_it_had(plain: Path) -> None:
    without = figure_of(plain)
    empty = pd.DataFrame(columns=list(COPIES[0]))
    for copies in (empty, pd.DataFrame([row for row in COPIES if row["outcome"] == "refused"])):
        figure = figure_of(give_copies(plain, copies))
        pd.testing.assert_frame_equal(figure.points, without.points)
        assert figure.caption == without.caption
        assert specification(figure, figure.chart) == specification(without, without.chart)
    assert "copy, " not in json.dumps(specification(without, without.chart))


def test_caption_says_which_run_and_what_needs_a_trace(plain: Path, traced: Path) -> None:
    assert "need a run with output.trace=true" in figure_of(plain).caption and "2 of 2 vehicles" in figure_of(plain).caption
    assert "output.trace" not in figure_of(traced).caption


def test_a_traced_run_comes_before_one_of_the_reference(plain: Path, traced: Path) -> None:
    figure = timeline_figure(read_results([plain, traced]))
    assert figure is not None and "of run run with seed 0." in figure.caption


def test_the_lowest_seed_and_the_reference_variant_are_shown(tmp_path: Path) -> None:
    for seed in (4, 2):
        rows = [row | {"image_mb": image, "t_end_s": row["t_end_s"] + image} for row in transfers_of("a") for image in (100.0, 300.0)]
        make_run(tmp_path / f"seed={seed}", rows, seed=seed)
    figure = figure_of(tmp_path)
    assert "with seed 2 (container image 300 MB)." in figure.caption
    assert figure.points["end_s"].max() == 330.0 and len(figure.points.query("kind == 'pre-copy'")) == 4


def test_vehicles_are_as_many_as_a_page_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "run", [row for v in range(40) for row in transfers_of(f"v{v:02}")])
    monkeypatch.setattr(timeline, "MOST_TEXT", 4000)
    figure = figure_of(tmp_path / "run")
    shown = sorted(set(figure.points["vehicle"]))
    assert 1 < len(shown) < 20 and {"v00", "v39", "v19"} <= set(shown)
    assert f"{len(shown)} of 40 vehicles, evenly chosen" in figure.caption
    assert len(specification(figure, figure.chart)["datasets"]["points"]) < 4400


def test_names_of_vehicles_stay_text(tmp_path: Path) -> None:
    figure = figure_of(make_run(tmp_path / "run", transfers_of(EVIL)))
    svg = vl_convert.vegalite_to_svg(json.dumps(specification(figure, figure.still)))
    assert "<img" not in svg and "&lt;img" in svg
    params = {param["name"]: param for param in specification(figure, figure.chart)["params"]}
    assert params["vehicle"]["bind"]["options"] == [EVIL]


def test_without_transfers_there_is_none(plain: Path) -> None:
    (plain / "migrations.csv").unlink()
    facts = json.loads((plain / "run.json").read_text())
    facts["config"]["output"] = {"migrations": False}
    (plain / "run.json").write_text(json.dumps(facts))
    assert timeline_figure(read_results([plain])) is None


def test_every_stage_has_a_colour() -> None:
    assert set(STAGES) == {stage for stage in STAGE_NAMES if stage != "NONE"}
    bars = pd.DataFrame({"kind": [*STAGES.values()]})
    assert set(STAGES.values()) <= set(timeline._colors(bars))
