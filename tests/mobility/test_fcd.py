"""FCD files of every kind: what is coarser is known, what is wrong is one sentence, what is no vehicle is left aside."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.mobility import fcd, fcd_file
from msmf_traci.mobility.fcd import FcdSource
from msmf_traci.mobility.following import AS_READ
from msmf_traci.mobility.frame import NO_EDGE, Frames
from msmf_traci.mobility.trace_roads import Place, Visit, along_route, as_seen
from tests.mobility.passes import joined
from tests.mobility.small_town import Town, build_town, vehicle

HEADER = "timestep_time;vehicle_id;vehicle_x;vehicle_y;vehicle_speed;vehicle_pos;vehicle_lane"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sumo_home: Path) -> Town:
    return build_town(tmp_path_factory.mktemp("town"), sumo_home)


def row(time_s: float, name: str, at_m: float, lane: str = "ab_0", speed_mps: float = 10.0) -> str:
    return f"{time_s};{name};{at_m}.123456;-1.600001;{speed_mps};{at_m}.654321;{lane}"


def csv(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "trace.csv"
    path.write_text("\n".join((header, *rows, "")))
    return path


def only(source: FcdSource) -> Frames:
    (batch,) = source.frames()
    return batch


def test_a_row_of_time_t_is_the_frame_of_one_step_later(town: Town, tmp_path: Path) -> None:
    batch = only(town.trace(csv(tmp_path, row(0, "v", 10), row(1, "v", 20), "2;;;;;;")))
    assert list(batch.times_s) == [1, 2, 3]
    assert list(np.diff(batch.start)) == [1, 1, 0]
    assert list(batch.last) == [False, True]


def test_vehicles_are_numbered_as_they_appear_and_by_their_ids(town: Town, tmp_path: Path) -> None:
    rows = [row(0, "m", 10), row(1, "z", 90), row(1, "m", 20), row(1, "b", 50), row(2, "b", 60), row(2, "m", 30)]
    source = town.trace(csv(tmp_path, *rows))
    assert source.roster.vehicles == ["m", "b", "z"]
    batch = only(source)
    assert list(batch.vehicle) == [0, 0, 1, 2, 0, 1]
    assert list(batch.first) == [True, False, True, True, False, False]
    assert list(batch.last) == [False, False, False, True, True, True]
    assert (source.roster.counts.inserted, source.roster.counts.arrived) == (3, 1)


def test_a_vehicle_that_is_missing_for_a_while_is_held(town: Town, tmp_path: Path) -> None:
    waiting = [row(t, "w", 99, speed_mps=0.0) for t in range(4)]
    source = town.trace(csv(tmp_path, row(0, "v", 10), *waiting[:3], row(3, "v", 40), waiting[3]))
    batch = only(source)
    held = batch.vehicle == 0
    assert list(batch.x_m[held]) == [10.123456, 10.123456, 10.123456, 40.123456]
    assert list(batch.speed_mps[held]) == [10, 0, 0, 10]
    assert source.roster.counts.teleports == 1


def test_vehicles_on_what_is_no_road_are_counted_and_left_out(town: Town, tmp_path: Path) -> None:
    source = town.trace(csv(tmp_path, row(0, "tram", 10, "rail_0"), row(0, "v", 10), row(1, "v", 20)))
    assert source.roster.vehicles == ["v"]
    assert source.roster.counts.left_out == 1


def test_persons_are_no_vehicles(town: Town, tmp_path: Path) -> None:
    xml = tmp_path / "trace.xml"
    xml.write_text(
        '<fcd-export><timestep time="0.00"><vehicle id="v" x="10.5" y="-1.6" speed="10" pos="9.25" lane="ab_0"/>'
        '<person id="p" x="1" y="1" angle="0" speed="1" pos="1" edge="ab" slope="0"/></timestep></fcd-export>'
    )
    assert town.trace(xml).roster.vehicles == ["v"]
    with_persons = csv(tmp_path, row(0, "v", 10) + ";;", "0;;;;;;;p;1.0", header=HEADER + ";person_id;person_x")
    assert town.trace(with_persons).roster.vehicles == ["v"]


@pytest.mark.parametrize("decimals", [0, 2, 5, 6])
def test_fewer_decimals_are_known(decimals: int, town: Town, tmp_path: Path) -> None:
    number = f"{{:.{decimals}f}}".format
    rows = [f"{t};v;{number(3.1234567 + 10 * t)};{number(1.6)};{number(9.9876543)};{number(10 * t)};ab_0" for t in range(5)]
    assert town.trace(csv(tmp_path, *rows)).decimals == decimals


def test_floats_of_32_bits_are_known(town: Town, tmp_path: Path) -> None:
    columns = {
        "timestep_time": [0.0, 1.0],
        "vehicle_id": ["v", "v"],
        "vehicle_x": [1.123456, 11.2],
        "vehicle_y": [0.0, 0.0],
        "vehicle_speed": np.array([10.123456, 9.1], dtype=np.float32).astype(np.float64),
        "vehicle_pos": np.array([1.123456, 2.3], dtype=np.float32),
        "vehicle_lane": ["ab_0", "ab_0"],
    }
    pd.DataFrame(columns).to_parquet(tmp_path / "trace.parquet")
    source = town.trace(tmp_path / "trace.parquet")
    assert source.is_single_precision and len(only(source).vehicle) == 2


def test_a_large_file_comes_in_pieces_and_is_the_same(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sumo" / "trace.csv"
    town.drive(vehicle("v", "ab bc cd") + vehicle("w", "bc cd da", 4), tmp_path, "--fcd-output", path.name)
    whole = joined(list(town.trace(path).frames()))
    monkeypatch.setattr(fcd_file, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(fcd, "SAMPLES_AT_ONCE", 11)
    pieces = list(town.trace(path).frames())
    assert len(pieces) > 5 and joined(pieces) == whole


def test_what_comes_after_the_longest_duration_is_left_out(town: Town, tmp_path: Path) -> None:
    """As live: the frame that reaches it is the last."""
    batch = only(town.trace(csv(tmp_path, *(row(t, "v", 10 * t) for t in range(9))), max_duration_s=4))
    assert list(batch.times_s) == [1, 2, 3, 4]
    assert list(batch.last) == [False, False, False, True]


def test_a_vehicle_that_leaves_its_route_is_counted_and_gets_what_is_seen(town: Town, tmp_path: Path) -> None:
    (tmp_path / "r.rou.xml").write_text(f"<routes>{vehicle('v', 'ab bc')}</routes>")
    source = town.trace(csv(tmp_path, row(0, "v", 10), row(1, "v", 5, "ba_0")), tmp_path / "r.rou.xml")
    assert source.off_route == 1
    assert [town.roads.ids[edge] for edge in source.roster.routes[0]] == ["ab", "ba"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "holds no vehicles"),
        ([row(1, "v", 10), row(0, "v", 20)], "goes back in time after 1 s"),
        ([row(0, "v", 10), row(0, "v", 20)], "vehicle v twice at 0 s"),
        ([row(0, "v", 10).replace("10.123456", "nought")], "something other than a number"),
        ([row(0, "v", 10).replace("10.123456", "")], "without a number"),
        ([row(0, "v", 10).replace("10.123456", "inf")], "without a number"),
        ([row(0, "v", 10, "")], "lacks each vehicle's lane"),
        ([row(0, "v", 10, "elsewhere_0")], "is of another network"),
        ([row(t, "v", 4_000_000 + 10 * t) for t in range(3)], "--fcd-output.utm"),
        ([f"{t};v;116.{30 + t};39.8;20;{20 * t};ab_0" for t in range(20)], "longitudes and latitudes"),
        ([row(0, "v", 10), row(0.5, "v", 20)], "set mobility.step_s=0.5"),
    ],
)
def test_a_file_with_something_wrong_is_one_sentence(rows: list[str], said: str, town: Town, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mobility\.fcd_file=.*trace\.csv .*" + said):
        town.trace(csv(tmp_path, *rows))


def test_damaged_files_are_one_sentence(town: Town, tmp_path: Path) -> None:
    whole = csv(tmp_path, *(row(t, "v", 10 * t) for t in range(400))).read_bytes()
    xml = b'<fcd-export><timestep time="0.00"><vehicle id="v" x="1" y="1" speed="1" pos="1" lane="ab_0"/>'
    for name, content, said in (
        ("a.csv", whole[:-9], "truncated"),
        ("a.csv.gz", gzip.compress(whole)[:-40], "damaged"),
        ("b.csv.gz", whole, "damaged"),
        ("b.csv", b"", "no columns of an FCD file"),
        ("c.csv", whole.replace(b"vehicle_pos", b"vehicle_height"), "lacks each vehicle's pos"),
        ("d.csv", b"\x00\xff" * 50 + b"\n", "no columns of an FCD file"),
        ("a.xml", xml, "truncated"),
        ("b.xml", b"<net/>", "no FCD file but <net>"),
        ("c.xml", xml.replace(b' speed="1"', b"") + b"</timestep></fcd-export>", "lacks each vehicle's speed"),
        ("d.xml", xml.replace(b'x="1"', b'x="one"') + b"</timestep></fcd-export>", "something other than a number"),
        ("e.xml", xml.replace(b' lane="ab_0"', b"") + b"</timestep></fcd-export>", "lacks each vehicle's lane"),
        ("a.parquet", whole, "no Parquet file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said):
            town.trace(tmp_path / name)


def test_trips_are_no_routes(town: Town, tmp_path: Path) -> None:
    (tmp_path / "r.rou.xml").write_text('<routes><trip id="v" depart="0" from="ab" to="bc"/></routes>')
    with pytest.raises(InputError, match="holds no vehicles with routes"):
        town.trace(csv(tmp_path, row(0, "v", 10)), tmp_path / "r.rou.xml")


def test_the_edge_after_a_junction_is_a_later_one() -> None:
    """0, inside, 1 (too short to be seen), inside, 0 again, and 0 begun anew."""
    visits = [Visit(0, False), Visit(1, True), Visit(0, True), Visit(0, False), Visit(0, False, is_again=True)]
    places = along_route(visits, np.array([0, 1, 0, 0]))
    assert places is not None
    assert [place.route_index for place in places] == [0, 1, 2, 2, 3]
    assert [place.fixed_m == 0 for place in places] == [False, True, True, False, False]
    assert along_route([Visit(5, False)], np.array([0, 1])) is None


def test_a_trace_that_ends_inside_a_junction_ends_at_the_end_of_an_edge() -> None:
    places, route = as_seen([Visit(0, False), Visit(NO_EDGE, True), Visit(1, False), Visit(NO_EDGE, True)], np.array([30.0, 40.0]))
    assert list(route) == [0, 1]
    assert places[1] == Place(1, 1, 0.0) and places[3] == Place(1, 1, 40.0)
    assert np.isnan(places[2].fixed_m) and np.isnan(AS_READ)
