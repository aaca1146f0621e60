"""Copies of images in a replay: the page says where a vehicle's image is, and shows nothing where there are none."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.reporting.replay import write_replay
from msmf_traci.reporting.replay_data import read_replay
from tests.browser import Opened, chromium, opened
from tests.reporting.conftest import change_table
from tests.reporting.made_copies import copy, give_copies

STRATEGY = "pm_op_tier"


class Made:
    """A traced run in which one vehicle's image is wanted on three servers, of which one refuses it, and is on a fourth already."""

    def __init__(self, run: Path) -> None:
        self.run = run
        frames = pd.read_csv(run / "frames.csv").groupby("vehicle")["t_s"].agg(["min", "max"])
        self.vehicle = str((frames["max"] - frames["min"]).idxmax())
        self.begin_s = float(frames.loc[self.vehicle, "min"]) + 10.0
        own = pd.read_csv(run / "decisions.csv").query("strategy == @STRATEGY and vehicle == @self.vehicle")
        migrations = pd.read_csv(run / "migrations.csv")
        taken = {*own["host"], *own["home"], *own["target"], *migrations["source"], *migrations["target"]}
        folder = run.parent / json.loads((run / "run.json").read_text())["map_folder"]
        free = [name for name in pd.read_csv(folder / "cells.csv")["local"] if name not in taken]
        self.servers = free[:4]
        a, b, c, _ = self.servers
        at = self.begin_s
        rows = [
            copy(STRATEGY, self.vehicle, 0, a, (at, at + 10.5, at + 40.0), "unused", (100.0, 0.0, 0.0)),
            copy(STRATEGY, self.vehicle, 1, b, (at, None, at + 30.0), "unfinished", (0.0, 30.0, 10.0)),
            copy(STRATEGY, self.vehicle, 2, c, (at, None, at), "refused", (0.0, 0.0, 0.0)),
        ]
        give_copies(run, pd.DataFrame(rows))
        change_table(run / "decisions.csv", self._with_lists)

    def _with_lists(self, decisions: pd.DataFrame) -> pd.DataFrame:
        a, b, c, d = self.servers
        t_s = decisions["t_s"].astype(float) - self.begin_s
        own = (decisions["strategy"] == STRATEGY) & (decisions["vehicle"] == self.vehicle)
        return decisions.assign(
            prefetch=np.select([own & (t_s >= 0) & (t_s < 30), own & (t_s >= 30) & (t_s < 40)], [f"{a} {b} {c} {d}", f"{a} {c} {d}"], "")
        )


@pytest.fixture(scope="module")
def made(traced_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = tmp_path_factory.mktemp("copies") / "runs"
    shutil.copytree(traced_run.parent, place)
    return Made(place / traced_run.name)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as started:
        yield started


@pytest.fixture
def shown(browser: object, made: Made, tmp_path: Path) -> Iterator[Opened]:
    with opened(browser, write_replay(made.run, tmp_path)) as page:  # type: ignore[arg-type]
        page.wait_until("Boolean(window.replay)")
        page.run("([variant, vehicle]) => { replay.choose('left', variant); replay.follow(vehicle); }", [STRATEGY, made.vehicle])
        yield page
        assert page.errors == []


def said_at(shown: Opened, t_s: float) -> str:
    shown.run("t => replay.seek(t)", t_s)
    shown.page.wait_for_timeout(100)
    return shown.page.inner_text("#followed-now")


def test_the_page_says_on_which_servers_the_image_is_or_is_under_way(made: Made, shown: Opened) -> None:
    a, b, c, d = made.servers
    for after_s, words in (
        (5.0, f"Image ahead: {a} under way, {b} under way, {c} no room, {d} there."),
        (20.0, f"Image ahead: {a} there, {b} under way, {c} no room, {d} there."),
        (35.0, f"Image ahead: {a} there, {c} no room, {d} there."),
    ):
        assert said_at(shown, made.begin_s + after_s).endswith(words)
    for after_s in (-1.0, 41.0):
        assert "Image ahead" not in said_at(shown, made.begin_s + after_s)


def test_the_map_counts_copies_and_the_list_has_what_each_came_to(made: Made, shown: Opened) -> None:
    said_at(shown, made.begin_s + 20.0)
    counted = shown.page.inner_text("#facts-left")
    assert "1 copies of images under way, 1 there and not used yet; over: 1 refused (0 MB)." in counted
    a, b, c, _ = made.servers
    events = [line.split("  ", 1)[-1] for line in shown.page.inner_text("#events-left").splitlines() if "copy" in line]
    assert [re.sub(r"^[\d.]+ s\s+", "", each) for each in events] == [
        f"copy 0 to {a} starts",
        f"copy 1 to {b} starts",
        f"copy 2 to {c} refused: no room",
        f"copy 0 to {a}: image there",
        f"copy 1 to {b} ends: unfinished, 40 MB sent (30 from the cloud, 10 from other servers)",
        f"copy 0 to {a} ends: unused, 100 MB sent from the host",
    ]


def test_copies_are_drawn_apart_from_transfers(made: Made, shown: Opened) -> None:
    """In a colour that nothing else has, on the map and in two lanes of the timeline."""
    said_at(shown, made.begin_s + 5.0)
    pixels = """id => {
        const canvas = document.getElementById(id);
        const { width, height } = canvas;
        const read = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
        read.drawImage(canvas, 0, 0);
        const { data } = read.getImageData(0, 0, width, height);
        let n = 0;
        for (let i = 0; i < data.length; i += 4) n += data[i] === 0x6a && data[i + 1] === 0x3d && data[i + 2] === 0x9a;
        return n;
    }"""
    shown.page.click("#zoom-fit")
    shown.page.wait_for_timeout(200)
    assert shown.run(pixels, "map-left") > 20
    assert shown.run(pixels, "timeline-left") > 20
    lanes = "document.getElementById('timeline-left').clientHeight"
    tall = shown.run(lanes)
    shown.run("replay.choose('left', 'nearest')")
    assert shown.run(lanes) == tall - 2 * 23
    assert shown.run(pixels, "timeline-left") == 0
    shown.page.wait_for_timeout(200)
    assert shown.run(pixels, "map-left") == 0


def test_arrays_are_those_of_the_table(made: Made) -> None:
    data = read_replay(made.run)
    arrays, at_ms = data.arrays, round(made.begin_s * 1000)
    variants = data.facts["variants"]
    assert arrays["copy_first"].tolist() == [0 if k <= variants.index(STRATEGY) else 3 for k in range(len(variants) + 1)]
    assert [data.facts["servers"][k] for k in arrays["copy_target"]] == made.servers[:3]
    assert arrays["copy_complete"].tolist() == [at_ms + 10_500, -1, -1]
    assert (arrays["copy_end"] - at_ms).tolist() == [40_000, 30_000, 0]
    assert [data.facts["copy_outcomes"][k] for k in arrays["copy_outcome"]] == ["unused", "unfinished", "refused"]
    sent = {source: arrays[f"copy_{source}_kb"].tolist() for source in ("host", "cloud", "other")}
    assert sent == {"host": [100_000, 0, 0], "cloud": [0, 30_000, 0], "other": [0, 10_000, 0]}
    assert [len(each) for each in data.facts["lists"]] == [0, 4, 3]


def test_a_run_without_copies_has_a_page_without_them(copied_run: Path, tmp_path: Path) -> None:
    before = write_replay(copied_run, tmp_path / "before").read_text()
    assert "copy under way" not in before
    assert not any(name.startswith("copy_") or name == "change_prefetch" for name in read_replay(copied_run).arrays)
    # as earlier versions wrote it
    (copied_run / "copies.csv").unlink()
    change_table(copied_run / "vehicles.csv", lambda table: table[[name for name in table if not name.startswith("copies")]])
    change_table(copied_run / "decisions.csv", lambda table: table.drop(columns="prefetch"))
    assert write_replay(copied_run, tmp_path / "after").read_text() == before


def test_copies_that_are_cut_off_are_one_sentence(made: Made, copied_run: Path, tmp_path: Path) -> None:
    shutil.copy(made.run / "vehicles.csv", copied_run / "vehicles.csv")
    with pytest.raises(InputError, match="table copies has 0 rows, but table vehicles counts 3"):
        write_replay(copied_run, tmp_path)
    (copied_run / "copies.csv").unlink()
    with pytest.raises(InputError, match="no table copies"):
        write_replay(copied_run, tmp_path)
