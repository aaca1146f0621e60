"""The map of failures: shares by cell, what is left out, and what happens without a map."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import vl_convert

from msmf_traci.reporting.city_map import map_figure
from msmf_traci.reporting.figure import Figure, specification
from msmf_traci.reporting.reading import read_results
from tests.reporting.made_runs import CELLS, make_run, transfer

OUTCOMES = ("completed", "mispredicted", "user_left", "unfinished", "refused")


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    for seed in (0, 1):
        for speed in (20.0, 50.0):
            rows = []
            for number in range(200):
                x_m, y_m = CELLS[random.choice(list(CELLS))]
                strategy, image = ("nearest", "pm_op_tier")[number % 2], (100.0, 300.0)[number // 2 % 2]
                place = {"x_m": x_m + random.uniform(-200, 200), "y_m": y_m + random.uniform(-200, 200), "image_mb": image}
                rows.append(transfer(strategy, "v0", number, (1.0, None, None, 2.0), str(random.choice(OUTCOMES)), **place))
            rows.append(transfer("nearest", "v0", 999, (1.0, None, None, 2.0), "user_left", x_m=9e5, y_m=0.0, image_mb=300.0))
            make_run(tmp_path / "sweep" / f"speed={speed:g},seed={seed}", rows, seed=seed, speed=speed)
    return tmp_path / "sweep"


def figure_of(folder: Path) -> Figure:
    figure = map_figure(read_results([folder]))
    assert figure is not None
    return figure


def rows_of(sweep: Path) -> pd.DataFrame:
    """Transfers that count: at the reference image, not refused, each with the nearest cell."""
    rows = pd.concat([pd.read_csv(path).assign(kmh=path.parent.name.split(",")[0][6:]) for path in sorted(sweep.glob("*/migrations.csv"))])
    rows = rows[(rows["image_mb"] == 300.0) & (rows["outcome"] != "refused") & (rows["x_m"] < 1e5)]
    distance_m = np.column_stack([np.hypot(rows["x_m"] - x, rows["y_m"] - y) for x, y in CELLS.values()])
    return rows.assign(cell=np.array(list(CELLS))[distance_m.argmin(axis=1)], failed=rows["outcome"].isin(["user_left", "mispredicted"]))


def test_counts_and_shares_are_those_of_a_grouping(sweep: Path) -> None:
    keys = ["cell", "kmh", "strategy"]
    expected = rows_of(sweep).groupby(keys)["failed"].agg(transfers="size", failed="sum", share="mean")
    found = figure_of(sweep).points.rename(columns={"commanded_kmh": "kmh"}).set_index(keys).sort_index()
    pd.testing.assert_frame_equal(found[["transfers", "failed", "share"]], expected, check_dtype=False)


def test_page_chart_pools_and_parts_speeds(sweep: Path) -> None:
    figure = figure_of(sweep)
    drawn = vl_convert.vegalite_to_vega(json.dumps(specification(figure, figure.chart)))
    (cells,) = (data["values"] for data in drawn["data"] if data["name"] == "points")
    counted = rows_of(sweep).groupby(["cell", "strategy"])["failed"].agg(["size", "sum"])
    for feature in cells:
        for place, strategy in enumerate(("nearest", "pm_op_tier")):
            assert [feature["of"][place], feature["bad"][place]] == counted.loc[(feature["cell"], strategy)].tolist()
            assert feature["of"][place] == feature["of"][2 + place] + feature["of"][4 + place]


def test_caption_says_what_is_left_out(sweep: Path) -> None:
    caption = figure_of(sweep).caption
    assert "ended there in 4 runs of all speeds and seeds" in caption and "Refused transfers are not counted" in caption
    assert "4 transfers" in caption and "ended outside all cells" in caption
    assert "container image 300 MB" in caption


def test_it_is_drawn_with_both_directions_of_a_street_once(sweep: Path) -> None:
    figure = figure_of(sweep)
    assert "<svg" in vl_convert.vegalite_to_svg(json.dumps(specification(figure, figure.still)))
    (roads,) = specification(figure, figure.chart)["datasets"]["roads"]
    assert roads["geometry"]["coordinates"] == [[[0, 0], [200, 0], [400, 200]]]


@pytest.mark.parametrize("missing", ["map-1", "map-1/cells.csv", "map-1/roads.csv", "migrations"])
def test_without_map_or_transfers_there_is_none(missing: str, sweep: Path) -> None:
    for path in sweep.glob("*/migrations.csv") if missing == "migrations" else [sweep / missing]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if missing == "migrations":
        for path in sweep.glob("*/run.json"):
            facts = json.loads(path.read_text())
            facts["config"]["output"] = {"migrations": False}
            path.write_text(json.dumps(facts))
    assert map_figure(read_results([sweep])) is None
