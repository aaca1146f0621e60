"""Networks that nobody here wrote: Beijing, SUMO's own games, routes and flows of the user's own, rerouting, trams."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.test_main_job import only_run
from tests.end_to_end.test_two_minds import BEIJING

Command = Callable[..., subprocess.CompletedProcess[str]]


def facts_of(run: Path) -> dict[str, object]:
    facts = json.loads((run / "run.json").read_text())
    assert isinstance(facts, dict)
    return facts


def test_beijing_has_the_papers_deployment_and_prediction_works(called: Command, data_dir: Path, tmp_path: Path) -> None:
    result = called(tmp_path, *BEIJING, "strategies=[nearest,pm,oracle]", MSMF_DATA_DIR=str(data_dir))
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "results" / "beijing")
    facts = facts_of(run)
    assert facts["cells"] == 1951
    assert facts["deployment"]["area_km2"] == pytest.approx(422.4, abs=0.05)  # type: ignore[index]
    assert 36_000 < int(str(facts["edges"])) < 38_000
    assert facts["vehicles"]["inserted"] == facts["vehicles"]["arrived"] == 40  # type: ignore[index]
    assert facts["teleports"] == 0
    summary = pd.read_csv(run / "summary.csv").set_index("strategy")
    assert summary.loc["oracle", "entry_hit_rate"] > 0.95
    assert summary.loc["oracle", "entry_hit_rate"] > summary.loc["pm", "entry_hit_rate"]
    assert summary.loc["pm", "handoff_hit_rate"] > 0.97
    assert summary.loc["oracle", "unavailability"] <= summary.loc["pm", "unavailability"] <= summary.loc["nearest", "unavailability"]
    cells = pd.read_csv(run.parent / str(facts["map_folder"]) / "cells.csv")
    assert cells["lon"].between(116.2, 116.55).all() and cells["lat"].between(39.77, 40.03).all()


def test_beijing_from_the_compressed_map_cut_to_a_box(called: Command, data_dir: Path, tmp_path: Path) -> None:
    box = "scenario.bbox=[116.36,39.88,116.42,39.93]"
    result = called(
        tmp_path,
        *("scenario=osm", f"scenario.map_file={data_dir}/beijing/beijing_central.osm.gz", box),
        *("mobility.vehicles=10", "strategies=[pm]"),
    )
    assert result.returncode == 0, result.stderr
    facts = facts_of(only_run(tmp_path / "results" / "osm"))
    assert 1000 < int(str(facts["edges"])) < 10_000
    assert facts["vehicles"]["arrived"] == 10  # type: ignore[index]


def test_a_game_of_sumo_with_trips_of_ours(called: Command, sumo_home: Path, tmp_path: Path) -> None:
    net = sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml"
    result = called(tmp_path, "scenario=sumo", f"scenario.net_file={net}", "mobility.vehicles=30", "mobility.max_duration_s=900")
    assert result.returncode == 0, result.stderr
    facts = facts_of(only_run(tmp_path / "results" / "sumo"))
    assert facts["vehicles"]["inserted"] == 30  # type: ignore[index]
    assert facts["simulated_s"] <= 900  # type: ignore[operator]


def test_a_game_of_sumo_with_its_own_thousands_of_vehicles(called: Command, sumo_home: Path, tmp_path: Path) -> None:
    game = sumo_home / "tools" / "game" / "A10KW.sumocfg"
    result = called(tmp_path, "scenario=sumo", f"scenario.sumocfg_file={game}", "mobility.max_duration_s=300", "strategies=[pm,nearest]")
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "results" / "sumo")
    facts = facts_of(run)
    assert facts["vehicles"]["inserted"] > 500  # type: ignore[index]
    assert facts["config"]["mobility"]["speed_kmh"] is None  # type: ignore[index]
    frames = pd.read_csv(run / "vehicles.csv")
    assert frames["commanded_kmh"].isna().all()
    assert (frames["road_s"] % 0.5 == 0).all()  # its own step length
    assert len(frames["realised_kmh"].round().unique()) > 10  # its own speeds


NODES = '<nodes><node id="a" x="0" y="0"/><node id="b" x="900" y="0"/><node id="c" x="1800" y="0"/><node id="d" x="900" y="600"/></nodes>'
EDGES = """<edges>
<edge id="ab" from="a" to="b" numLanes="1" speed="15"/><edge id="bc" from="b" to="c" numLanes="1" speed="15"/>
<edge id="ad" from="a" to="d" numLanes="1" speed="15"/><edge id="dc" from="d" to="c" numLanes="1" speed="15"/>
<edge id="cb" from="c" to="b" numLanes="1" speed="15"/><edge id="ba" from="b" to="a" numLanes="1" speed="15"/>
<edge id="rail" from="a" to="c" numLanes="1" speed="15" allow="tram"/>
</edges>"""
ROUTES = """<routes>
<vType id="slow" maxSpeed="5"/><vType id="tram" vClass="tram"/>
<vehicle id="s" type="slow" depart="0"><route edges="ab bc"/></vehicle>
<vehicle id="t" type="tram" depart="0"><route edges="rail"/></vehicle>
<flow id="f" begin="1" period="50"><route edges="ab bc"/></flow>
</routes>"""


@pytest.fixture
def own_network(tmp_path: Path, sumo_home: Path) -> Path:
    (tmp_path / "n.nod.xml").write_text(NODES)
    (tmp_path / "e.edg.xml").write_text(EDGES)
    (tmp_path / "r.rou.xml").write_text(ROUTES)
    net = tmp_path / "own.net.xml"
    netconvert = str(sumo_home / "bin" / "netconvert")
    words = [netconvert, "-n", "n.nod.xml", "-e", "e.edg.xml", "-o", str(net), "--offset.disable-normalization"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    return net


def test_own_routes_keep_their_speeds_trams_are_left_out_and_flows_stop(called: Command, own_network: Path, tmp_path: Path) -> None:
    words = [
        "scenario=sumo",
        f"scenario.net_file={own_network}",
        f"scenario.route_file={tmp_path}/r.rou.xml",
        "mobility.max_duration_s=420",
    ]
    result = called(tmp_path, *words, "strategies=[pm]", "output.dir=out")
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "out")
    facts, vehicles = facts_of(run), pd.read_csv(run / "vehicles.csv").set_index("vehicle")
    assert facts["vehicles"]["left_out"] == 1  # type: ignore[index]
    assert facts["simulated_s"] == 420
    assert 7 <= len(vehicles) <= 10
    assert vehicles.loc["s", "realised_kmh"] < 18
    assert "t" not in vehicles.index


def test_a_commanded_speed_overrides_own_routes(called: Command, own_network: Path, tmp_path: Path) -> None:
    words = [
        "scenario=sumo",
        f"scenario.net_file={own_network}",
        f"scenario.route_file={tmp_path}/r.rou.xml",
        "mobility.max_duration_s=420",
    ]
    result = called(tmp_path, *words, "strategies=[pm]", "output.dir=out", "mobility.speed_kmh=80")
    assert result.returncode == 0, result.stderr
    vehicles = pd.read_csv(only_run(tmp_path / "out") / "vehicles.csv").set_index("vehicle")
    assert vehicles.loc["s", "realised_kmh"] > 54  # beyond its own 18 km/h and the road's 54 km/h


def test_rerouted_vehicles_are_followed_on_their_new_route(called: Command, own_network: Path, tmp_path: Path) -> None:
    (tmp_path / "r.rou.xml").write_text('<routes><vehicle id="x" depart="0"><route edges="ab bc"/></vehicle></routes>')
    (tmp_path / "close.add.xml").write_text(
        '<additional><rerouter id="r" edges="ad"><interval begin="0" end="1000"><destProbReroute id="dc" probability="1"/></interval></rerouter>'
        '<rerouter id="q" edges="ab"><interval begin="0" end="1000"><destProbReroute id="ba" probability="1"/></interval></rerouter></additional>'
    )
    words = ["scenario=sumo", f"scenario.net_file={own_network}", f"scenario.route_file={tmp_path}/r.rou.xml", "output.trace=true"]
    result = called(
        tmp_path, *words, "strategies=[oracle]", "output.dir=out", f"mobility.sumo_args=[--additional-files,{tmp_path}/close.add.xml]"
    )
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "out")
    frames = pd.read_csv(run / "frames.csv")
    assert frames["edge"].iloc[-1] == "ba"
    vehicles = pd.read_csv(run / "vehicles.csv")
    assert vehicles["entry_misses"].sum() == 0 and vehicles["entry_hits"].sum() > 2


@pytest.mark.parametrize("mode", ["free", "legal", "forced"])
def test_every_row_has_the_commanded_and_the_realised_speed(mode: str, called: Command, tmp_path: Path) -> None:
    result = called(tmp_path, "mobility.vehicles=10", "mobility.speed_kmh=100", f"mobility.speed_mode={mode}", "strategies=[never]")
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "results" / "synthetic")
    vehicles = pd.read_csv(run / "vehicles.csv")
    assert (vehicles["commanded_kmh"] == 100).all()
    fastest = vehicles["realised_kmh"].max()
    if mode == "legal":
        assert fastest < 80  # the fastest roads allow 80 km/h
    elif mode == "free":
        assert fastest > 65
    else:
        assert vehicles["realised_kmh"].min() == pytest.approx(100, abs=0.5)


def test_routes_without_anybody_to_follow_are_said_to_be_so(called: Command, own_network: Path, tmp_path: Path) -> None:
    (tmp_path / "r.rou.xml").write_text(
        '<routes><vType id="tram" vClass="tram"/><vehicle id="t" type="tram" depart="0"><route edges="rail"/></vehicle></routes>'
    )
    words = ["scenario=sumo", f"scenario.net_file={own_network}", f"scenario.route_file={tmp_path}/r.rou.xml", "output.dir=out"]
    result = called(tmp_path, *words, "output.trace=true")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("msmf-traci: no vehicle was followed: 1 left out")
    assert not (tmp_path / "out").exists()


def test_a_vehicle_id_used_twice_is_two_vehicles(called: Command, own_network: Path, tmp_path: Path) -> None:
    # SUMO reads routes ahead; others in between let the first a leave before the second is read
    vehicles = "".join(
        f'<vehicle id="{name}" depart="{depart_s}"><route edges="ab bc"/></vehicle>'
        for name, depart_s in (("a", 0), ("b", 300), ("c", 600), ("d", 900), ("a", 1200))
    )
    (tmp_path / "r.rou.xml").write_text(f"<routes>{vehicles}</routes>")
    words = ["scenario=sumo", f"scenario.net_file={own_network}", f"scenario.route_file={tmp_path}/r.rou.xml", "output.dir=out"]
    result = called(tmp_path, *words, "strategies=[pm]")
    assert result.returncode == 0, result.stderr
    run = only_run(tmp_path / "out")
    migrations, booked = pd.read_csv(run / "migrations.csv"), pd.read_csv(run / "vehicles.csv")
    assert set(booked["vehicle"]) == set(migrations["vehicle"]) == {"a", "a#2", "b", "c", "d"}
    sent = migrations[["image_bytes", "memory_bytes", "dirty_bytes", "final_bytes"]].sum().sum()
    assert booked["traffic_bytes"].sum() == pytest.approx(sent)


def test_vehicles_of_a_loaded_state_are_followed(called: Command, own_network: Path, sumo_home: Path, tmp_path: Path) -> None:
    (tmp_path / "r.rou.xml").write_text('<routes><vehicle id="a" depart="0"><route edges="ab bc"/></vehicle></routes>')
    sumo = [
        str(sumo_home / "bin" / "sumo"),
        "-n",
        str(own_network),
        "-r",
        "r.rou.xml",
        "--save-state.times",
        "20",
        "--save-state.files",
        "s.xml",
    ]
    subprocess.run([*sumo, "--end", "21"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "own.sumocfg").write_text(
        '<configuration><input><net-file value="own.net.xml"/></input><time><begin value="20"/></time>'
        '<processing><load-state value="s.xml"/></processing></configuration>'
    )
    result = called(tmp_path, "scenario=sumo", "scenario.sumocfg_file=own.sumocfg", "strategies=[pm]", "output.dir=out")
    assert result.returncode == 0, result.stderr
    vehicles = pd.read_csv(only_run(tmp_path / "out") / "vehicles.csv")
    assert list(vehicles["vehicle"]) == ["a"]
    assert vehicles["distance_m"].iloc[0] < 1700  # only what was left to drive


def test_a_projection_that_is_not_known_is_none(called: Command, own_network: Path, tmp_path: Path) -> None:
    own_network.write_text(own_network.read_text().replace('projParameter="!"', 'projParameter="-"'))
    words = ["scenario=sumo", f"scenario.net_file={own_network}", f"scenario.route_file={tmp_path}/r.rou.xml", "mobility.max_duration_s=60"]
    result = called(tmp_path, *words, "strategies=[pm]", "output.dir=out")
    assert result.returncode == 0, result.stderr
    (cells,) = (tmp_path / "out").glob("map-*/cells.csv")
    assert pd.read_csv(cells)["lon"].isna().all()


def test_a_sweep_does_not_take_a_run_with_other_routes_for_done(called: Command, own_network: Path, tmp_path: Path) -> None:
    words = ["-m", "scenario=sumo", f"scenario.net_file={own_network}", f"scenario.route_file={tmp_path}/r.rou.xml", "seed=0"]
    words += ["strategies=[pm]", "output.dir=out", "mobility.max_duration_s=60"]
    assert called(tmp_path, *words).returncode == 0
    (tmp_path / "r.rou.xml").write_text('<routes><vehicle id="new" depart="0"><route edges="ab bc"/></vehicle></routes>')
    again = called(tmp_path, *words)
    assert again.returncode == 2
    assert "with other files" in again.stderr
