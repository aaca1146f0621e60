"""FCD files of every kind: what is coarser is known, what is wrong is one sentence, what is no vehicle is left aside."""

from __future__ import annotations

import gzip
import lzma
from csv import QUOTE_ALL
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.errors import InputError
from msmf_traci.files import text_file, xml_file
from msmf_traci.mobility import fcd, fcd_file
from msmf_traci.mobility.fcd import FcdSource
from msmf_traci.mobility.following import AS_READ
from msmf_traci.mobility.frame import NO_EDGE, Frames
from msmf_traci.mobility.trace_roads import Place, Visit, along_route, as_seen
from tests.mobility.passes import joined
from tests.mobility.small_town import Town, build_town, vehicle

HEADER = "timestep_time;vehicle_id;vehicle_x;vehicle_y;vehicle_speed;vehicle_pos;vehicle_lane"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sumo_home: Path, libsumo: None) -> Town:
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


def test_a_pass_that_begins_late_says_so_live_and_from_its_file(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "sumo" / "trace.csv"
    _, live = town.drive(vehicle("v", "ab bc", 54_000), tmp_path, "--fcd-output", path.name, begin="54000")
    replayed = town.trace(path).roster
    assert (live.begin_s, live.counts.end_s) == (replayed.begin_s, replayed.counts.end_s)
    assert live.begin_s == 54_000 and 54_020 < live.counts.end_s < 54_100


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


PEOPLE = [
    row(0, "v", 10) + ";",
    row(0, "rider", 10, "") + ";ab",
    row(0, "walker", 50, "") + ";bc",
    row(1, "rider", 20, "") + ";ab",
    row(1, "v", 20) + ";",
    "2;;;;;;;",
]


def test_persons_are_no_vehicles(town: Town, tmp_path: Path) -> None:
    """In columns they stand where vehicles do, with an edge and no lane."""
    xml = tmp_path / "trace.xml"
    xml.write_text(
        '<fcd-export><timestep time="0.00"><vehicle id="v" x="10.5" y="-1.6" speed="10" pos="9.25" lane="ab_0"/>'
        '<person id="p" x="1" y="1" angle="0" speed="1" pos="1" edge="ab" slope="0"/>'
        '<container id="c" x="1" y="1" angle="0" speed="1" pos="1" edge="ab" slope="0"/></timestep></fcd-export>'
    )
    assert town.trace(xml).roster.vehicles == ["v"]
    table = csv(tmp_path, *PEOPLE, header=HEADER + ";vehicle_edge")
    pd.read_csv(table, sep=";").to_parquet(tmp_path / "trace.parquet")
    for path in (table, tmp_path / "trace.parquet"):
        assert town.trace(path).roster.vehicles == ["v"]
    assert town.trace(csv(tmp_path, *(each[: each.rindex(";")] for each in PEOPLE))).roster.vehicles == ["v"]
    with_persons = csv(tmp_path, row(0, "v", 10) + ";;", "0;;;;;;;p;1.0", header=HEADER + ";person_id;person_x")
    assert town.trace(with_persons).roster.vehicles == ["v"]


def test_a_mesoscopic_simulation_is_one_sentence(town: Town, tmp_path: Path, sumo_home: Path) -> None:
    """Its vehicles jump from segment to segment; they have an edge and no lane."""
    for ending in ("xml", "csv", "parquet"):
        town.drive(vehicle("v", "ab bc cd"), tmp_path, "--mesosim", "--fcd-output", f"meso.{ending}")
        with pytest.raises(InputError, match=r"mesosim.*in jumps of some 100 m"):
            town.trace(tmp_path / "sumo" / f"meso.{ending}")


def test_a_table_may_be_as_any_program_writes_it(town: Town, tmp_path: Path) -> None:
    rows = [row(0, "a,b", 10), row(1, "a,b", 20), row(2, 'it"s', 20)]
    plain = csv(tmp_path, *rows)
    table = pd.read_csv(plain, sep=";", dtype=str)
    wanted = joined(list(town.trace(plain).frames()))
    text = plain.read_text()
    quoted = table.to_csv(index=False, quoting=QUOTE_ALL)
    with_numbers = table.to_csv(index_label="", quoting=QUOTE_ALL)  # as R's write.csv
    for name, content in (
        ("bom.csv", text.encode("utf-8-sig")),
        ("utf16.csv", text.encode("utf-16")),
        ("no_mark.csv", text.encode("utf-16-le")),
        ("sep.csv", b"sep=;\r\n" + text.replace("\n", "\r\n").encode()),
        ("quoted.csv", quoted.encode()),
        ("numbers.csv", with_numbers.encode()),
        ("tabs.csv", text.replace(";", "\t").encode()),
        ("packed.csv.gz", gzip.compress(text.encode())),
        ("PACKED.CSV.XZ", lzma.compress(text.encode())),
    ):
        (tmp_path / name).write_bytes(content)
        source = town.trace(tmp_path / name)
        assert source.roster.vehicles == ["a,b", 'it"s']
        assert joined(list(source.frames())) == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str, town: Town, tmp_path: Path) -> None:
    element = '<vehicle id="Straße" x="10" y="-1" speed="10" pos="9" lane="ab_0"/>'
    text = f'<?xml version="1.0" encoding="{encoding}"?><fcd-export><timestep time="0">{element}</timestep></fcd-export>'
    routes = f'<?xml version="1.0" encoding="{encoding}"?><routes>{vehicle("Straße", "ab bc")}</routes>'
    (tmp_path / "trace.xml.gz").write_bytes(gzip.compress(text.encode(encoding)))
    (tmp_path / "r.rou.xml").write_bytes(routes.encode(encoding))
    source = town.trace(tmp_path / "trace.xml.gz", tmp_path / "r.rou.xml")
    assert source.roster.vehicles == ["Straße"]
    assert [town.roads.ids[edge] for edge in source.roster.routes[0]] == ["ab", "bc"]


@pytest.mark.parametrize("encoding", ["shift_jis", "klingon"])
def test_an_encoding_that_nobody_knows_is_one_sentence(encoding: str, town: Town, tmp_path: Path) -> None:
    (tmp_path / "trace.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><fcd-export/>')
    (tmp_path / "r.rou.xml").write_text(f'<?xml version="1.0" encoding="{encoding}"?><routes/>')
    with pytest.raises(InputError, match=r"trace\.xml is in an encoding that cannot be read"):
        town.trace(tmp_path / "trace.xml")
    with pytest.raises(InputError, match=r"r\.rou\.xml is in an encoding that cannot be read"):
        town.trace(csv(tmp_path, row(0, "v", 10)), tmp_path / "r.rou.xml")


def test_a_trace_of_every_fifth_second_is_one_sentence(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "sumo" / "trace.csv"
    town.drive(vehicle("v", "ab bc cd") + vehicle("w", "bc cd da", 3), tmp_path, "--fcd-output", path.name, "--device.fcd.period", "5")
    with pytest.raises(InputError, match=r"has steps of 5 s; set mobility\.step_s=5$"):
        town.trace(path)
    assert list(np.diff(only(town.trace(path, step_s=5)).times_s))[:2] == [5, 5]


def test_steps_are_judged_by_each_vehicle(town: Town, tmp_path: Path) -> None:
    """Whoever is teleported is missing once; whoever is there every second step only was written so."""
    often = [row(t, "often", 2 * t) for t in range(9)]
    with pytest.raises(InputError, match="has vehicle rare every 2 s only and others every 1 s"):
        town.trace(csv(tmp_path, *sorted((*often, *(row(t, "rare", 5 * t) for t in (1, 3, 5))))))
    gaps = sorted((*often, *(row(t, "gone", 5 * t) for t in (1, 2, 4, 7)), row(3, "brief", 10), row(8, "brief", 30)))
    assert town.trace(csv(tmp_path, *gaps)).roster.counts.teleports == 3


def test_some_vehicles_written_from_a_later_time_on_are_a_trace(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "sumo" / "trace.xml"
    options = ("--device.fcd.begin", "7", "--device.fcd.explicit", "w", "--device.fcd.probability", "0")
    town.drive(vehicle("v", "ab bc cd") + vehicle("w", "bc cd da", 4), tmp_path, "--fcd-output", path.name, *options)
    batch = only(town.trace(path))
    assert batch.times_s[0] == 8 and list(np.unique(np.diff(batch.times_s))) == [1]


def test_steps_that_are_not_in_the_file_while_somebody_drives_are_one_sentence(town: Town, tmp_path: Path) -> None:
    rows = [row(t, "v", 5 * t) for t in (0, 1, 5, 6)]
    with pytest.raises(InputError, match="lacks steps between 1 s and 5 s, when vehicle v was on the road"):
        town.trace(csv(tmp_path, *rows))
    assert len(only(town.trace(csv(tmp_path, *rows[:2], *(row(t, "w", 5 * t) for t in (5, 6))))).times_s) == 4


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
        ([row(0, "v", 10, speed_mps=-1.0)], "negative speed"),
        ([row(-1, "v", 10)], "has a row at -1 s"),
        ([row(2.0**64, "v", 10)], "has a row at 1.84467e.19 s"),
        ([row(0, "v", 10).replace("10.123456", "1e300")], "where no road is"),
        ([row(0, "v", 10, speed_mps=2.0**64)], "where no road is"),
        ([row(0, "v\tw", 10)], "character that no table holds"),
        ([row(0, "v" * 1001, 10)], "longer than 1000 characters"),
        ([row(0, "v" * 2_000_000, 10)], "a line longer than"),
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
        ("d.csv", b"\x00\xff" * 50 + b"\n", "no text in UTF-8 or UTF-16"),
        ("e.csv", b"timestep_time\n0.00\n1.00\n", "holds no vehicles"),
        ("f.csv", whole.replace(b"vehicle_y", b"vehicle_x"), "two columns for each vehicle's x"),
        ("g.csv", whole.replace(b"\n3;v;", b"\n3;v;3;"), "line 5 has more columns than the first line"),
        ("h.csv", whole.replace(b"\n3;v;", b'\n3;"v;'), "damaged"),
        ("a.xml", xml, "truncated"),
        ("b.xml", b"<net/>", "begins with <net>"),
        ("c.xml", xml.replace(b' speed="1"', b"") + b"</timestep></fcd-export>", "lacks each vehicle's speed"),
        ("d.xml", xml.replace(b'x="1"', b'x="one"') + b"</timestep></fcd-export>", "something other than a number"),
        ("e.xml", xml.replace(b' lane="ab_0"', b"") + b"</timestep></fcd-export>", "lacks each vehicle's lane"),
        ("a.parquet", whole, "no Parquet file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said):
            town.trace(tmp_path / name)


def test_a_quotation_without_an_end_is_found_before_the_end_of_the_file(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcd_file, "ROWS_AT_ONCE", 100)
    with pytest.raises(InputError, match="a quotation mark that is never closed"):
        town.trace(csv(tmp_path, row(0, '"v', 10), *(row(t, "v", 10) for t in range(20_000))))


def test_a_tag_without_an_end_and_a_bomb_are_one_sentence(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_file, "LONGEST_TOKEN", 1 << 19)
    monkeypatch.setattr(text_file, "ALWAYS_UNPACKED", 1 << 19)
    long = b'<fcd-export><timestep time="' + b"0" * (2 << 20)
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10 if i else b"ha" * 10) for i in range(10))
    for name, content, said in (
        ("a.xml", long, "a tag longer than"),
        ("a.xml.gz", gzip.compress(long), "unpacks to more than 250 times its size"),
        ("a.csv.xz", lzma.compress(HEADER.encode() + b"\n" * (2 << 20)), "unpacks to more than 250 times its size"),
        ("b.xml", b"<!DOCTYPE f [" + laughs + b']><fcd-export><timestep time="&l9;"/></fcd-export>', "limit on input amplification"),
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
