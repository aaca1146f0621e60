"""Overlays: SUMO loads them, whatever vehicles are called; map tools get longitudes and latitudes."""

import json
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.commands.entry import overlay
from msmf_traci.reporting.cell_map import CellMap
from msmf_traci.reporting.overlay import write_overlay
from msmf_traci.scenario.sumo_tools import find_sumo
from tests.deployments import two_tiers
from tests.reporting.conftest import rename_vehicle
from tests.reporting.made_copies import copy, give_copies

EVIL = 'a"><poly id="x" & \x07 <b'
UTM = "+proj=utm +zone=50 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"


def net_of(run: Path) -> str:
    return str(json.loads((run / "run.json").read_text())["network"]["file"])


def test_sumo_loads_the_overlay_whatever_vehicles_are_called(copied_run: Path, tmp_path: Path) -> None:
    vehicle = pd.read_csv(copied_run / "migrations.csv").query("strategy == 'pm_op_tier'")["vehicle"].iloc[0]
    rename_vehicle(copied_run, vehicle, EVIL)
    for name in ("frames", "decisions", "stages"):  # an untraced run serves as well
        (copied_run / f"{name}.csv").unlink()
    said = write_overlay(copied_run, tmp_path / "out")
    assert "no projection" in said[-2]
    assert said[-1] == f"open it with: sumo-gui -n {net_of(copied_run)} -a {tmp_path / 'out' / 'overlay.add.xml'}"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["overlay.add.xml"]
    file = tmp_path / "out" / "overlay.add.xml"
    sumo = find_sumo()
    command = [sumo.program("sumo"), "-n", net_of(copied_run), "-a", str(file), "--end", "1", "--no-step-log"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=sumo.environment)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    root = ET.parse(file).getroot()
    kinds = pd.Series([poly.get("type", "").split(".")[0] for poly in root.iter("poly")]).value_counts()
    migrations = pd.read_csv(copied_run / "migrations.csv").query("strategy == 'pm_op_tier'")
    assert kinds["cell"] == 331
    assert kinds["transfer"] == len(migrations)
    assert {poi.get("id") for poi in root.iter("poi")} == {
        f"host_{name}".replace(",", "_") for name in {*migrations["source"], *migrations["target"]}
    }
    assert EVIL.replace("\x07", "") in {param.get("value") for param in root.iter("param")}


def test_a_network_that_is_gone_is_said_in_the_last_line(copied_run: Path, tmp_path: Path) -> None:
    facts = json.loads((copied_run / "run.json").read_text())
    facts["network"]["file"] = str(tmp_path / "gone" / "network.net.xml")
    (copied_run / "run.json").write_text(json.dumps(facts))
    last = write_overlay(copied_run, tmp_path / "out")[-1]
    assert last.startswith("open it with: sumo-gui -n NETWORK -a ")
    assert f"(the network of the run is no longer at {tmp_path / 'gone' / 'network.net.xml'})" in last


def test_strategy_is_chosen_and_a_wrong_one_is_one_sentence(
    traced_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert overlay([str(traced_run), "--out", str(tmp_path), "--strategy", "nearest"]) == 0
    assert capsys.readouterr().out.startswith("nearest: ")
    assert overlay([str(traced_run), "--out", str(tmp_path), "--strategy", "fastest"]) == 2
    assert "choose from nearest, pm_op_tier" in capsys.readouterr().err
    assert overlay([str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "has no run.json" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert overlay([]) == 2
    assert "name the folder of a run" in capsys.readouterr().err


def test_geojson_has_the_places_of_the_networks_projection(copied_run: Path, copied_map: Path, tmp_path: Path) -> None:
    from pyproj import Proj

    offset_m = [-435858.72, -4405251.58]
    (copied_map / "projection.json").write_text(json.dumps({"proj": UTM, "net_offset_m": offset_m, "boundary_m": [0, 0, 1, 1]}))
    write_overlay(copied_run, tmp_path)
    features = {name: json.loads((tmp_path / f"{name}.geojson").read_text())["features"] for name in ("cells", "hosts", "transfers")}
    cells = pd.read_csv(copied_map / "cells.csv").set_index("cell")
    assert len(features["cells"]) == len(cells)
    ring = np.array(features["cells"][0]["geometry"]["coordinates"][0])
    np.testing.assert_array_equal(ring[0], ring[-1])
    x_m, y_m = Proj(UTM)(ring[:6, 0], ring[:6, 1])
    cell = cells.loc[features["cells"][0]["properties"]["cell"]]
    assert np.mean(x_m) + offset_m[0] == pytest.approx(cell["x_m"], abs=0.05)
    assert np.mean(y_m) + offset_m[1] == pytest.approx(cell["y_m"], abs=0.05)
    migrations = pd.read_csv(copied_run / "migrations.csv").query("strategy == 'pm_op_tier'")
    assert [each["properties"]["t_end_s"] for each in features["transfers"]] == list(migrations["t_end_s"])
    assert sum(each["properties"]["received"] for each in features["hosts"]) == len(migrations)
    assert all(
        each["properties"]["t_handoff_s"] is None for each in features["transfers"] if each["properties"]["outcome"] == "mispredicted"
    )


def test_copies_are_points_where_their_vehicles_were(copied_run: Path, copied_map: Path, tmp_path: Path) -> None:
    from pyproj import Proj

    offset_m = [-435858.72, -4405251.58]
    (copied_map / "projection.json").write_text(json.dumps({"proj": UTM, "net_offset_m": offset_m, "boundary_m": [0, 0, 1, 1]}))
    before = write_overlay(copied_run, tmp_path / "out")
    assert not (tmp_path / "out" / "copies.geojson").exists()
    rows = [
        copy("pm_op_tier", EVIL, 0, "L:0,0", (1.0, 9.5, 20.0), "used", (0.0, 300.0, 0.0), x_m=120.5, y_m=-40.0),
        copy("pm_op_tier", EVIL, 1, "L:1,0", (1.0, None, 7.0), "unfinished", (1.5, 0.0, 2.0), x_m=0.0, y_m=300.0),
        copy("nearest", EVIL, 0, "L:1,0", (1.0, 3.0, 7.0), "unused", (1.5, 0.0, 2.0)),
    ]
    give_copies(copied_run, pd.DataFrame(rows))
    said = write_overlay(copied_run, tmp_path / "out")
    assert said[0] == before[0].replace(" transfers, ", " transfers, 2 copies, ")
    features = json.loads((tmp_path / "out" / "copies.geojson").read_text())["features"]
    told = ("vehicle", "copy", "tier", "server", "t_start_s", "t_complete_s", "t_end_s", "outcome", "cloud_bytes", "other_bytes")
    for each, row, sent_mb in zip(features, rows, (300.0, 3.5), strict=False):
        properties = each["properties"]
        assert {name: properties[name] for name in told} == {name: row[name] for name in told}
        assert properties["sent_mb"] == sent_mb
    x_m, y_m = Proj(UTM)(*zip(*(each["geometry"]["coordinates"] for each in features), strict=True))
    np.testing.assert_allclose(np.array(x_m) + offset_m[0], [120.5, 0.0], atol=0.05)
    np.testing.assert_allclose(np.array(y_m) + offset_m[1], [-40.0, 300.0], atol=0.05)
    points = [poi for poi in ET.parse(tmp_path / "out" / "overlay.add.xml").getroot().iter("poi") if "copy" in poi.get("type", "")]
    assert [(poi.get("type"), poi.get("x"), poi.get("y")) for poi in points] == [
        ("copy.used", "120.50", "-40.00"),
        ("copy.unfinished", "0.00", "300.00"),
    ]
    params = {param.get("key"): param.get("value") for param in points[1].iter("param")}
    assert params["server"] == "L:1,0" and params["sent_mb"] == "3.5" and params["vehicle"] == EVIL.replace("\x07", "")
    (copied_run / "copies.csv").unlink()
    assert write_overlay(copied_run, tmp_path / "out") == before
    assert not (tmp_path / "out" / "copies.geojson").exists()


@pytest.mark.parametrize("orientation", ["flat", "pointy"])
def test_outlines_of_regions_hold_the_area_of_their_cells(orientation: str) -> None:
    from msmf_traci.deployment.lattice import HexCells

    cells = HexCells(5, 500.0, orientation, (1000.25, -333.1))
    servers = two_tiers(cells, 2)
    names = np.array([cells.name(cell) for cell in range(len(cells))], dtype=object)
    region = np.array([servers.name(server) for server in servers.server_of[1]], dtype=object)
    cell_map = CellMap(names, cells.x_m, cells.y_m, {"regional": region}, cells.polygons)
    area_m2 = 0.0
    for _, corners in cell_map.outlines_m():
        x_m, y_m = corners.T
        area_m2 += float(np.sum(x_m * np.roll(y_m, -1) - np.roll(x_m, -1) * y_m)) / 2
    assert area_m2 == pytest.approx(cells.area_m2)
    # inner sides are shared by two cells, the rim has 12 R + 6 of them
    assert len(cell_map.borders_m()) == (6 * len(cells) + 12 * 5 + 6) / 2
