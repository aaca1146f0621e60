"""The replay: its page in a browser, and what is said of runs that cannot be replayed."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.reporting.replay import write_replay
from msmf_traci.reporting.replay_trace import QUANTUM_M
from tests.browser import Opened, chromium, opened
from tests.reporting.conftest import change_table, rename_vehicle

EVIL = "</script><img src=x onerror=\"document.title='broken'\">&amp;'"
HARMLESS = "() => document.title !== 'broken' && !document.querySelector('img')"


@pytest.fixture(scope="module")
def page(traced_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_replay(traced_run, tmp_path_factory.mktemp("replay"))


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as started:
        yield started


@pytest.fixture
def shown(browser: object, page: Path) -> Iterator[Opened]:
    with opened(browser, page) as made:  # type: ignore[arg-type]
        made.wait_until("Boolean(window.replay)")
        yield made
        assert made.errors == []
        assert made.requests == [page.as_uri()]


def text_of(shown: Opened, element: str) -> str:
    return shown.page.inner_text(f"#{element}")


def test_page_is_small_and_names_no_address(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert "http://" not in text and "https://" not in text


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_positions_at_a_frame_are_those_of_the_table(share: float, shown: Opened, traced_run: Path) -> None:
    frames = pd.read_csv(traced_run / "frames.csv", dtype={"vehicle": str})
    times = frames["t_s"].unique()
    t_s = float(times[int(share * len(times))])
    rows = frames[frames["t_s"] == t_s].sort_values("vehicle")
    shown.run("t => replay.seek(t)", t_s)
    seen = sorted(shown.run("replay.positions()"))
    assert [vehicle for vehicle, _, _ in seen] == list(rows["vehicle"])
    np.testing.assert_allclose([place for _, *place in seen], rows[["x_m", "y_m"]], atol=QUANTUM_M / 2 + 1e-6)


def test_vehicles_move_in_straight_lines_between_frames(shown: Opened, traced_run: Path) -> None:
    shown.run("replay.seek(100)")
    before = {vehicle: np.array(place) for vehicle, *place in shown.run("replay.positions()")}
    shown.run("replay.seek(101)")
    after = {vehicle: np.array(place) for vehicle, *place in shown.run("replay.positions()")}
    shown.run("replay.seek(100.25)")
    for vehicle, *place in shown.run("replay.positions()"):
        np.testing.assert_allclose(place, 0.75 * before[vehicle] + 0.25 * after[vehicle], atol=1e-6)


def test_it_plays_and_pauses_by_button_and_by_key(shown: Opened) -> None:
    shown.run("replay.speed(50)")
    shown.page.click("#play")
    shown.wait_until("replay.time() > 10")
    assert text_of(shown, "play") == "❚❚ Pause"
    assert shown.run("replay.frameRate()") > 0
    shown.run("document.activeElement.blur()")
    shown.page.keyboard.press("Space")
    assert text_of(shown, "play") == "▶ Play"
    shown.run("replay.seek(50.5)")
    for key, t_s in (("ArrowLeft", 50), ("ArrowRight", 51), ("ArrowRight", 52), ("PageDown", 112), ("Home", 1)):
        shown.page.keyboard.press(key)
        assert shown.run("replay.time()") == t_s
    shown.page.focus("#time")
    shown.page.keyboard.press("ArrowRight")
    assert shown.run("replay.time()") == 2


def test_strategies_are_chosen_and_stand_side_by_side(shown: Opened, traced_run: Path) -> None:
    shown.run("replay.seek(200)")
    shown.page.select_option("#choice-right", label="pm_op_tier")
    assert shown.page.is_visible("#map-right")
    shown.wait_until("document.querySelector('#facts-right').textContent !== ''")
    decisions = pd.read_csv(traced_run / "decisions.csv").query("t_s == 200")
    for side, strategy in (("left", "nearest"), ("right", "pm_op_tier")):
        stopped = int((decisions.query(f"strategy == '{strategy}'")["running"] == 0).sum())
        assert f"{stopped} stopped" in text_of(shown, f"facts-{side}")
    shown.run("replay.choose('right', null); replay.choose('left', 'pm_op_tier')")
    assert not shown.page.is_visible("#map-right")
    assert shown.page.input_value("#choice-left") == "1"


def test_vehicle_is_followed_by_name_and_by_click(shown: Opened, traced_run: Path) -> None:
    vehicle = shown.run("replay.seek(150), replay.positions()[0][0]")
    shown.page.fill("#vehicle", vehicle)
    shown.page.keyboard.press("Enter")
    assert text_of(shown, "followed-name") == vehicle
    migrations = pd.read_csv(traced_run / "migrations.csv").query(f"strategy == 'nearest' and vehicle == '{vehicle}'")
    events = text_of(shown, "events-left")
    assert events.count("starts") == int((migrations["outcome"] != "refused").sum())
    assert shown.page.locator("#events-left button").count() > 5
    shown.page.locator("#events-left button").first.click()
    assert shown.run("replay.time()") < 150
    shown.page.keyboard.press("Escape")
    assert not shown.page.is_visible("#followed")
    # what is followed stays in the middle, so a click there finds it again
    shown.run("id => { replay.seek(150); replay.follow(id); }", vehicle)
    shown.page.wait_for_timeout(100)
    shown.page.click("#unfollow")
    shown.page.click("#map-left")
    assert shown.page.is_visible("#followed")


def test_map_is_zoomed_and_moved_by_wheel_drag_and_keys(shown: Opened) -> None:
    def picture() -> bytes:
        shown.page.wait_for_timeout(250)
        return shown.page.locator("#map-left").screenshot()

    pictures = [picture()]
    box = shown.page.locator("#map-left").bounding_box()
    assert box is not None
    shown.page.mouse.move(box["x"] + 300, box["y"] + 200)
    shown.page.mouse.wheel(0, -400)
    pictures.append(picture())
    shown.page.mouse.down()
    shown.page.mouse.move(box["x"] + 400, box["y"] + 260, steps=3)
    shown.page.mouse.up()
    pictures.append(picture())
    for key in ("+", "Shift+ArrowLeft"):
        shown.page.keyboard.press(key)
        pictures.append(picture())
    assert len(set(pictures)) == len(pictures)
    shown.page.keyboard.press("0")
    assert picture() == pictures[0]


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1600, "dark")])
def test_it_fits_a_telephone_and_a_large_screen(width: int, scheme: str, browser: object, page: Path) -> None:
    with opened(browser, page, width, 800, scheme) as shown:  # type: ignore[arg-type]
        shown.wait_until("Boolean(window.replay)")
        shown.run("replay.seek(150), replay.choose('right', 1), replay.follow(replay.positions()[0][0])")
        shown.page.wait_for_timeout(100)
        assert not shown.is_wider_than_its_window()
        assert shown.errors == []


def test_every_control_has_a_name_and_can_be_reached(shown: Opened) -> None:
    shown.run("replay.seek(150), replay.follow(replay.positions()[0][0])")
    reached = set()
    for _ in range(25):
        shown.page.keyboard.press("Tab")
        reached.add(shown.run("document.activeElement.id"))
    wanted = {"play", "time", "speed", "choice-left", "choice-right", "vehicle", "zoom-in", "zoom-out", "zoom-fit", "map-left", "unfollow"}
    assert wanted <= reached
    nameless = """[...document.querySelectorAll('button, input, select, canvas')].filter(e => e.checkVisibility() &&
        !(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length))).map(e => e.id)"""
    assert shown.run(nameless) == []


def test_names_that_look_like_html_stay_text(browser: object, copied_run: Path, copied_map: Path, tmp_path: Path) -> None:
    vehicle = pd.read_csv(copied_run / "frames.csv")["vehicle"].iloc[0]
    rename_vehicle(copied_run, vehicle, EVIL)
    change_table(copied_map / "roads.csv", lambda roads: roads.assign(name=EVIL))
    named = copied_run.rename(copied_run.with_name("<img src=x onerror=document.title='broken'>&"))
    with opened(browser, write_replay(named, tmp_path)) as shown:  # type: ignore[arg-type]
        shown.wait_until("Boolean(window.replay)")
        shown.run("id => { replay.seek(30); replay.follow(id); }", EVIL)
        shown.wait_until("document.querySelector('#followed-now').textContent !== ''")
        assert text_of(shown, "followed-name") == EVIL
        assert EVIL in text_of(shown, "followed-now")
        assert named.name in text_of(shown, "page >> xpath=..")
        assert shown.run(HARMLESS)
        assert shown.errors == [] and len(shown.requests) == 1


def test_parquet_tables_give_the_same_page(traced_run: Path, copied_run: Path, page: Path, tmp_path: Path) -> None:
    for path in copied_run.glob("*.csv"):
        pd.read_csv(path).to_parquet(path.with_suffix(".parquet"), index=False)
        path.unlink()
    assert write_replay(copied_run, tmp_path).read_bytes() == page.read_bytes()


def test_variants_are_told_apart_by_what_was_varied(browser: object, copied_run: Path, tmp_path: Path) -> None:
    sizes = {"nearest": "100.0", "pm_op_tier": "2000.0"}
    for name in ("decisions", "stages", "migrations", "vehicles"):
        change_table(copied_run / f"{name}.csv", lambda table: table.assign(image_mb=table["strategy"].map(sizes), strategy="pm"))
    (copied_run / "run.json").write_text((copied_run / "run.json").read_text().replace('"nearest"', '"pm"'))
    with opened(browser, write_replay(copied_run, tmp_path)) as shown:  # type: ignore[arg-type]
        shown.wait_until("Boolean(window.replay)")
        assert text_of(shown, "choice-left").split("\n") == ["pm, image_mb 100", "pm, image_mb 2000"]


def cut_in_a_row(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2].rpartition(b"\n")[0] + b"\n12.0,ne")


def cut_between_rows(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2].rpartition(b"\n")[0] + b"\n")


def without_last_column(path: Path) -> None:
    change_table(path, lambda table: table.iloc[:, :-1])


def without_running(path: Path) -> None:
    change_table(path, lambda table: table.drop(columns="running"))


def without_rows(path: Path) -> None:
    change_table(path, lambda table: table.iloc[:0])


def spoilt(path: Path) -> None:
    change_table(path, lambda table: table.assign(x_m="east"))


def without_tiers(path: Path) -> None:
    facts = json.loads(path.read_text(encoding="utf-8"))
    del facts["config"]["tiers"]["regional"]
    path.write_text(json.dumps(facts), encoding="utf-8")


BAD = [
    ("frames.csv", Path.unlink, "output.trace=true"),
    ("decisions.csv", Path.unlink, "output.trace=true"),
    ("stages.csv", Path.unlink, "output.trace=true"),
    ("migrations.csv", Path.unlink, "copied only in part"),
    ("run.json", Path.unlink, "has no run.json"),
    ("run.json", cut_in_a_row, "damaged"),
    ("run.json", without_tiers, "does not say its tiers"),
    ("frames.csv", cut_in_a_row, "cut off"),
    ("frames.csv", cut_between_rows, "cut off"),
    ("frames.csv", without_last_column, "has no column cell"),
    ("frames.csv", without_rows, "nothing to replay"),
    ("frames.csv", spoilt, "damaged"),
    ("decisions.csv", cut_in_a_row, "cut off"),
    ("decisions.csv", cut_between_rows, "cut off"),
    ("decisions.csv", without_running, "has no column running"),
    ("migrations.csv", cut_between_rows, "table vehicles counts"),
    ("stages.csv", without_last_column, "has no column bytes"),
    ("stages.csv", cut_between_rows, "cut off"),
]


@pytest.mark.parametrize(("name", "spoil", "words"), BAD, ids=[f"{name}-{spoil.__name__}" for name, spoil, _ in BAD])
def test_run_that_cannot_be_replayed_is_one_sentence(
    name: str, spoil: Callable[[Path], None], words: str, copied_run: Path, tmp_path: Path
) -> None:
    spoil(copied_run / name)
    with pytest.raises(InputError, match=words) as raised:
        write_replay(copied_run, tmp_path / "out")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_map_that_is_missing_is_named(copied_run: Path, copied_map: Path, tmp_path: Path) -> None:
    shutil.rmtree(copied_map)
    with pytest.raises(InputError, match=copied_map.name):
        write_replay(copied_run, tmp_path)


def test_map_that_is_damaged_is_one_sentence(copied_run: Path, copied_map: Path, tmp_path: Path) -> None:
    change_table(copied_map / "roads.csv", lambda roads: roads.assign(line="LINESTRING (1 2, 3)"))
    with pytest.raises(InputError, match=r"roads\.csv"):
        write_replay(copied_run, tmp_path)
