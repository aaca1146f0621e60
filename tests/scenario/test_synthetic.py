"""What the synthetic city promises: equal bytes for equal input, coverage, reachability, names, drivable traffic."""

import math
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from msmf_traci.errors import InputError
from msmf_traci.scenario.city_plan import plan_city
from msmf_traci.scenario.synthetic import NETCONVERT_OPTIONS, CityFiles, CityParameters, write_city

sumo = pytest.importorskip("sumo")
sumolib = pytest.importorskip("sumolib")

CELL_SPACING_M = 500.0
DEPLOYMENT_RINGS = 10
SAMPLE_M = 10.0
SEED = 42


def sumo_program(name: str) -> str:
    return str(Path(sumo.SUMO_HOME) / "bin" / name)


def build_net(files: CityFiles, net: Path) -> subprocess.CompletedProcess[str]:
    inputs = ["-n", str(files.nodes), "-e", str(files.edges), "-t", str(files.types), "-o", str(net)]
    command = [sumo_program("netconvert"), *inputs, *NETCONVERT_OPTIONS]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


@pytest.fixture(scope="module")
def net_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    done = build_net(write_city(CityParameters(), SEED, folder), folder / "city.net.xml")
    assert "Warning" not in done.stdout + done.stderr
    return folder / "city.net.xml"


@pytest.fixture(scope="module")
def net(net_file: Path) -> Any:
    return sumolib.net.readNet(str(net_file))


def samples(shape: list[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    for (x0, y0), (x1, y1) in pairwise(shape):
        steps = max(1, math.ceil(math.dist((x0, y0), (x1, y1)) / SAMPLE_M))
        for step in range(steps + 1):
            yield x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps


def deployment_centres() -> list[tuple[float, float]]:
    axis = range(-DEPLOYMENT_RINGS, DEPLOYMENT_RINGS + 1)
    cells = [(q, r) for q in axis for r in axis if abs(q + r) <= DEPLOYMENT_RINGS]
    return [(math.sqrt(3) / 2 * CELL_SPACING_M * q, CELL_SPACING_M * (r + q / 2)) for q, r in cells]


def lane_points(net: Any) -> list[tuple[float, float]]:
    return [point for edge in net.getEdges() for lane in edge.getLanes() for point in samples(lane.getShape())]


def reached(first: Any, onward: Callable[[Any], Iterable[Any]]) -> set[str]:
    seen, stack = {first.getID()}, [first]
    while stack:
        for edge in onward(stack.pop()):
            if edge.getID() not in seen:
                seen.add(edge.getID())
                stack.append(edge)
    return seen


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    first = write_city(CityParameters(), SEED, tmp_path / "a")
    second = write_city(CityParameters(), SEED, tmp_path / "b")
    other = write_city(CityParameters(), SEED + 1, tmp_path / "c")
    for name in ("nodes", "edges", "types"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()
    assert first.nodes.read_bytes() != other.nodes.read_bytes()
    assert first.edges.read_bytes() != other.edges.read_bytes()


def test_bytes_do_not_depend_on_hash_seed(tmp_path: Path) -> None:
    code = (
        f"import pathlib, sys; from msmf_traci.scenario.synthetic import *;write_city(CityParameters(), {SEED}, pathlib.Path(sys.argv[1]))"
    )
    texts = []
    for hash_seed in ("1", "2"):
        folder = tmp_path / hash_seed
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code, str(folder)], env=env, check=True, timeout=60)
        texts.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert texts[0] == texts[1]


def test_yaml_has_the_defaults() -> None:
    path = Path(__file__).parents[2] / "scenarios" / "synthetic.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert CityParameters(**values) == CityParameters()
    assert list(values) == list(asdict(CityParameters()))


def test_almost_every_cell_has_a_road(net: Any) -> None:
    centres = deployment_centres()
    assert len(centres) == 331
    used = {
        min(range(len(centres)), key=lambda cell: math.dist(centres[cell], point))
        for edge in net.getEdges()
        for point in samples(edge.getLanes()[0].getShape())
    }
    assert len(used) >= 0.97 * len(centres)


def test_every_lane_lies_inside_the_outline(net: Any) -> None:
    radius_m = CityParameters().outline_radius_m
    for x_m, y_m in lane_points(net):
        assert abs(x_m) <= math.sqrt(3) / 2 * radius_m
        assert abs(y_m) + abs(x_m) / math.sqrt(3) <= radius_m


def test_every_edge_reaches_every_other_by_car(net: Any) -> None:
    edges = net.getEdges()
    assert all(edge.allows("passenger") for edge in edges)
    everything = {edge.getID() for edge in edges}
    assert reached(edges[0], lambda edge: edge.getOutgoing()) == everything
    assert reached(edges[0], lambda edge: edge.getIncoming()) == everything


def test_no_edge_is_tiny(net: Any) -> None:
    assert min(edge.getLength() for edge in net.getEdges()) > 150


def test_classes_names_and_lights_are_present(net: Any) -> None:
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for edge in net.getEdges():
        kinds[edge.getName()].add(edge.getType())
    assert all(len(types) == 1 or not name.startswith("Ring") for name, types in kinds.items())
    assert {f"Ring {number}" for number in (2, 3, 4, 5)} <= set(kinds)
    assert {"Central Axis Avenue", "East-West Avenue", "Northeast Avenue", "Southwest Avenue"} <= set(kinds)
    assert {"North 5th Street", "West 3rd Road", "Outer Road"} <= set(kinds)
    assert set.union(*kinds.values()) == {f"highway.{kind}" for kind in ("trunk", "primary", "secondary", "residential")}
    assert "" not in kinds
    assert sum(node.getType() == "traffic_light" for node in net.getNodes()) > 50


def test_ring_is_closed_and_fast(net: Any) -> None:
    ring = [edge for edge in net.getEdges() if edge.getName() == "Ring 3"]
    # A square of half-width 4 lines has 4 * 8 pieces, each in two directions.
    assert len(ring) == 64
    assert {edge.getLaneNumber() for edge in ring} == {3}
    assert {round(edge.getSpeed() * 3.6) for edge in ring} == {80}


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_kept(seed: int) -> None:
    full = plan_city(CityParameters(left_out_share=0, one_way_share=0), seed)
    plan = plan_city(CityParameters(), seed)
    residential_count = sum(street.kind == "highway.residential" for street in full.streets)
    left_out_count = len(full.streets) - len(plan.streets)
    assert left_out_count == round(0.2 * residential_count)
    assert sum(street.one_way for street in plan.streets) == round(0.1 * (residential_count - left_out_count))


@pytest.mark.parametrize("light_type", ["actuated", "static"])
def test_traffic_light_type_is_kept(light_type: str, tmp_path: Path) -> None:
    files = write_city(CityParameters(traffic_light_type=light_type), SEED, tmp_path)
    types = {node.get("tlType") for node in ET.parse(files.nodes).getroot() if node.get("type") == "traffic_light"}
    assert types == {light_type}


@pytest.mark.parametrize(
    "wrong",
    [
        {"street_spacing_m": 10.0},
        {"outline_radius_m": float("nan")},
        {"outline_radius_m": 3000.0},
        {"node_jitter_m": 200.0},
        {"left_out_share": 1.5},
        {"ring_lanes": 0},
        {"ring_lanes": 2.5},
        {"avenue_speed_kmh": "fast"},
        {"ring_offsets_lines": ()},
        {"ring_offsets_lines": (4, 2)},
        {"ring_offsets_lines": (2, 12)},
        {"traffic_light_type": "none"},
    ],
)
def test_wrong_parameter_is_named(wrong: dict[str, Any]) -> None:
    name = "ring_offsets_lines" if wrong == {"outline_radius_m": 3000.0} else next(iter(wrong))
    with pytest.raises(InputError, match=name):
        CityParameters(**wrong)


@pytest.mark.slow
def test_hundred_cars_arrive_without_teleports(net_file: Path, tmp_path: Path) -> None:
    routes, trips, arrivals = tmp_path / "a.rou.xml", tmp_path / "a.trips.xml", tmp_path / "tripinfo.xml"
    script = Path(sumo.SUMO_HOME) / "tools" / "randomTrips.py"
    period = ["--begin", "0", "--end", "60", "--period", "0.6", "--seed", "42", "--min-distance", "3000"]
    outputs = ["-n", str(net_file), "-o", str(trips), "-r", str(routes)]
    env = {**os.environ, "SUMO_HOME": str(sumo.SUMO_HOME)}
    subprocess.run([sys.executable, str(script), *outputs, *period], check=True, capture_output=True, env=env, timeout=120)
    run = ["-n", str(net_file), "-r", str(routes), "--tripinfo-output", str(arrivals), "--time-to-teleport", "-1"]
    command = [sumo_program("sumo"), *run, "--end", "7200", "--no-step-log", "--xml-validation", "never"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert "Warning" not in done.stderr
    lengths_m = [float(trip.get("routeLength", "nan")) for trip in ET.parse(arrivals).getroot().iter("tripinfo")]
    assert len(lengths_m) == 100
    assert sum(lengths_m) / len(lengths_m) >= 4000
