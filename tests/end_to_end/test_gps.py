"""Runs on GPS traces by the installed command, on a network that nobody here made: Braunschweig, of SUMO's games."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.deployment.lattice import HexCells
from msmf_traci.roads.roads import Roads, read_roads
from tests.conftest import BIN
from tests.end_to_end.sweeps import tables
from tests.end_to_end.test_main_job import only_run
from tests.end_to_end.test_two_minds import compare_with
from tests.gps_walks import Walk, along, straight_on, walk, write_csv
from tests.reference.plain_model import recompute

Command = Callable[..., subprocess.CompletedProcess[str]]

STREET = "5229164#1"  # of 702 m, both ways
ONE_WAY = "61734682#1"  # of 495 m
WORDS = ("strategies=[nearest,pm,oracle]", "deployment.spacing_m=250", "mobility.gps.path=traces.csv", "output.dir=out")
OUTSIDE_M = 1000.0
SPEEDS_MPS = {"car": 9.0, "bus": 6.0, "walk": 1.5, "through": 7.0}


@pytest.fixture(scope="module")
def roads(sumo_home: Path) -> Roads:
    return read_roads(net_of(sumo_home))


@pytest.fixture(scope="module")
def gps(called: Command, sumo_home: Path) -> Command:
    """The command on traces in the network."""

    def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return called(folder, *words, "scenario=sumo", f"scenario.net_file={net_of(sumo_home)}", "mobility.source=gps")

    return call


def net_of(sumo_home: Path) -> Path:
    return sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml"


def through_town(roads: Roads) -> Walk:
    """By car from a kilometre west of a street, along it, and on to the east until a kilometre beyond the network."""
    x_m, y_m = along(roads, [roads.ids.index(STREET)])
    if x_m[0] > x_m[-1]:
        x_m, y_m = x_m[::-1], y_m[::-1]
    left, _, right, _ = roads.boundary_m
    line = np.concatenate([[left - OUTSIDE_M], x_m, [right + OUTSIDE_M]]), np.concatenate([y_m[:1], y_m, y_m[-1:]])
    return walk("through", "", line, SPEEDS_MPS["through"], sigma_m=1.5, seed=4)


def some_walks(roads: Roads) -> list[Walk]:
    street, one_way = along(roads, straight_on(roads, STREET, 6)), along(roads, [roads.ids.index(ONE_WAY)], backwards=True)
    made = (("car", street), ("bus", street), ("walk", one_way))
    walks = [walk(mode, mode, line, SPEEDS_MPS[mode], sigma_m=1.5, seed=seed) for seed, (mode, line) in enumerate(made)]
    return [*walks, through_town(roads)]


@pytest.fixture(scope="module")
def traced(gps: Command, roads: Roads, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run with everything written down, and what it printed."""
    folder = tmp_path_factory.mktemp("gps")
    write_csv(folder / "traces.csv", roads, some_walks(roads))
    result = gps(folder, *WORDS, "output.trace=true")
    assert result.returncode == 0, result.stderr
    return only_run(folder / "out"), result.stdout + result.stderr


def steps_where(is_so: pd.Series) -> int:
    """Seconds during which something is so: what is true at a frame holds until the next one."""
    return int(is_so.iloc[:-1].sum())


def test_vehicles_are_the_traces_with_their_modes_times_and_speeds(traced: tuple[Path, str], roads: Roads) -> None:
    vehicles = pd.read_csv(traced[0] / "vehicles.csv", keep_default_na=False).query("strategy == 'pm'").set_index("vehicle")
    assert vehicles["mode"].to_dict() == {"car": "car", "bus": "bus", "walk": "walk", "through": ""}
    for made in some_walks(roads):
        row = vehicles.loc[made.name]
        assert row["road_s"] == made.time_s[-1]
        assert row["commanded_kmh"] == ""
        # noise makes the way longer: of 1.5 m on both axes at both ends of every step
        step_m, noise_m = SPEEDS_MPS[made.name], 1.5 * np.sqrt(2)
        expected = np.hypot(
            step_m + noise_m * np.random.default_rng(1).normal(size=20_000), noise_m * np.random.default_rng(2).normal(size=20_000)
        )
        assert row["realised_kmh"] == pytest.approx(3.6 * expected.mean(), rel=0.04)
        moved_m = np.hypot(np.diff(made.x_m), np.diff(made.y_m)).sum()
        assert row["distance_m"] == pytest.approx(moved_m, rel=1e-4)


def test_the_summary_has_a_row_for_each_mode(traced: tuple[Path, str]) -> None:
    summary = pd.read_csv(traced[0] / "summary.csv", keep_default_na=False)
    assert set(summary.loc[summary["strategy"] == "pm", "mode"]) == {"all", "car", "bus", "walk"}


def test_run_json_says_what_was_read_and_how_it_was_matched(traced: tuple[Path, str], roads: Roads) -> None:
    facts = json.loads((traced[0] / "run.json").read_text())
    points = {each.name: len(each.time_s) for each in some_walks(roads)}
    assert facts["vehicles"] == {"inserted": 4, "arrived": 4, "not_inserted": 0, "left_out": 0}
    mobility = facts["mobility"]
    assert (mobility["source"], mobility["cut"]) == ("gps", 0)
    # no point is lost
    assert mobility["traces"]["points_read"] == mobility["traces"]["points_kept"] == sum(points.values())
    driving, both = mobility["matching"]["driving"], mobility["matching"]["both_ways"]
    assert (driving["points"], both["points"]) == (sum(points.values()) - points["walk"], points["walk"])
    assert (driving["traces"], both["traces"]) == (3, 1)
    assert mobility["modes"] == {"": 1, "bus": 1, "car": 1, "walk": 1}
    assert "GPS: 4 traces of" in traced[1]


def test_the_trace_shows_edges_and_the_way_against_a_one_way_street(traced: tuple[Path, str]) -> None:
    frames = pd.read_csv(traced[0] / "frames.csv", keep_default_na=False)
    edge = frames.loc[frames["vehicle"] == "walk", "edge"]
    assert (edge.iloc[:5] == "").all() and (edge.iloc[5:] != "").all()  # known after five seconds
    assert set(edge.iloc[40:-40]) == {f"{ONE_WAY} (against)"}


def test_off_the_map_every_second_is_on_the_road_off_the_roads_and_outside_the_deployment(traced: tuple[Path, str], roads: Roads) -> None:
    run = traced[0]
    facts = json.loads((run / "run.json").read_text())
    made, place = through_town(roads), facts["deployment"]
    vehicle = pd.read_csv(run / "vehicles.csv", keep_default_na=False).query("strategy == 'pm' and vehicle == 'through'").iloc[0]
    frames = pd.read_csv(run / "frames.csv", keep_default_na=False).query("vehicle == 'through'")
    assert frames["t_s"].tolist() == made.time_s.tolist()
    assert frames["x_m"].to_numpy() == pytest.approx(made.x_m, abs=0.01)
    assert vehicle["road_s"] == made.time_s[-1]
    outside = HexCells(place["rings"], place["spacing_m"], place["orientation"], tuple(place["center_xy_m"])).cell_of(made.x_m, made.y_m)[1]
    assert vehicle["outside_s"] == steps_where(pd.Series(outside)) > 100
    is_off = (frames["edge"] == "").reset_index(drop=True)
    assert vehicle["unmatched_s"] == steps_where(is_off)
    # off the roads outside the network, known five seconds later; on them along the street
    left, _, right, _ = roads.boundary_m
    beyond = (made.x_m < left - 60) | (made.x_m > right + 60)
    assert is_off.to_numpy()[5:][beyond[:-5]].all()
    x_m = along(roads, [roads.ids.index(STREET)])[0]
    on_street = (made.x_m > x_m.min() + 60) & (made.x_m < x_m.max() - 60)
    assert set(frames["edge"].to_numpy()[5:][on_street[:-5]]) <= {STREET, f"-{STREET}"}


def test_a_second_run_gives_the_same_bytes(traced: tuple[Path, str], gps: Command, roads: Roads, tmp_path: Path) -> None:
    # rows in another order are the same traces
    write_csv(tmp_path / "traces.csv", roads, some_walks(roads)[::-1])
    result = gps(tmp_path, *WORDS, "output.trace=true")
    assert result.returncode == 0, result.stderr
    first, second = tables(traced[0]), tables(only_run(tmp_path / "out"))
    assert first == second
    assert len(first) >= 5


def test_a_sweep_over_the_lag_is_done_once_and_notices_another_file(gps: Command, roads: Roads, tmp_path: Path) -> None:
    write_csv(tmp_path / "traces.csv", roads, some_walks(roads))
    words = ("-m", *WORDS, "matching.lag_s=0,5,inf", "matching.sigma_m=3")
    first = gps(tmp_path, *words)
    assert first.returncode == 0, first.stderr
    runs = list((tmp_path / "out").rglob("run.json"))
    assert len(runs) == 3
    unmatched_s, by_others = {}, []
    for run in runs:
        lag_s = json.loads(run.read_text())["config"]["matching"]["lag_s"]
        vehicles = pd.read_csv(run.parent / "vehicles.csv", keep_default_na=False)
        unmatched_s[lag_s] = vehicles.query("strategy == 'pm' and vehicle == 'car'")["unmatched_s"].item()
        by_others.append(vehicles.query("strategy != 'pm'").drop(columns="unmatched_s"))
    assert unmatched_s == {0: 0, 5: 5, "inf": 0}
    # who looks at positions alone, and who knows the way, does not wait for the matching
    assert by_others[0].equals(by_others[1]) and by_others[0].equals(by_others[2])
    before = tables(tmp_path / "out")
    again = gps(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    assert "done already" in again.stdout + again.stderr
    assert tables(tmp_path / "out") == before
    write_csv(tmp_path / "traces.csv", roads, [replace(each, x_m=each.x_m + 0.5) for each in some_walks(roads)])
    other = gps(tmp_path, *words)
    assert other.returncode == 2
    assert "with other positions" in other.stderr


def test_report_and_replay_show_a_run_on_traces(traced: tuple[Path, str], environment: dict[str, str], tmp_path: Path) -> None:
    command = [str(BIN / "msmf-traci-report"), str(traced[0]), "--replay", "--out", str(tmp_path / "page")]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    assert "through" in (tmp_path / "page" / "index.html").read_text()
    assert "through" in (tmp_path / "page" / "replay" / "replay.html").read_text()


def test_two_minds_agree_on_traces_that_are_known_beforehand(gps: Command, roads: Roads, sumo_home: Path, tmp_path: Path) -> None:
    # who is known with a lag is where no table says; routes of the oracles are in none
    cars = [each for each in some_walks(roads) if each.mode != "walk"]
    write_csv(tmp_path / "traces.csv", roads, cars)
    words = ("strategies=[nearest,pm,pm_op,pm_tier,pm_op_tier,never]", "matching.lag_s=inf", "matching.against_oneway=[]")
    result = gps(tmp_path, *WORDS[1:], *words, "output.trace=true")
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "out")
    compare_with(run, recompute(run, net_of(sumo_home), None))


def test_times_that_go_back_are_put_in_order_and_counted(gps: Command, roads: Roads, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "traces.csv", roads, some_walks(roads)[:1])
    lines = path.read_text().splitlines()
    lines[10], lines[11], lines[40] = lines[11], lines[10], lines[39]
    path.write_text("\n".join(lines) + "\n")
    result = gps(tmp_path, *WORDS)
    assert result.returncode == 0, result.stderr
    assert "1 points put into the order of time" in result.stderr
    read = json.loads((only_run(tmp_path / "out") / "run.json").read_text())["mobility"]["traces"]
    assert (read["misplaced"], read["points_left_out"]) == (1, {"same_time": 1})
