"""Files of GPS points as they are met: each format gives the traces that it holds, and each wrong file is one sentence."""

import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from msmf_traci.errors import InputError
from msmf_traci.mobility.gps.choosing import Box, Selection
from msmf_traci.mobility.gps.files import files_key
from msmf_traci.mobility.gps.omissions import Omissions
from msmf_traci.mobility.gps.traces import Cleaning, Trace, read_traces

PLT_HEADER = "Geolife trajectory\nWGS 84\nAltitude is in Feet\nReserved 3\n0,2,255,My Track,0,0,2,8421376\n0\n"
NOON_S = 1225108800  # 2008-10-27 12:00:00 UTC
ALL = Cleaning(min_duration_s=0)


def read(path: Path, selection: Selection | None = None, cleaning: Cleaning = ALL, **more) -> tuple[dict[str, Trace], Omissions]:
    traces, omissions = read_traces(str(path), selection or Selection(), cleaning, 0, **more)
    assert [trace.name for trace in traces] == sorted(trace.name for trace in traces)
    return {trace.name: trace for trace in traces}, omissions


def refusal(path: Path, selection: Selection | None = None, **more) -> str:
    with pytest.raises(InputError) as caught:
        read(path, selection, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def plt(folder: Path, user: str, seconds: list[int], altitude: int = 100, name: str = "20081027120000") -> Path:
    """A trajectory that goes north by a ten thousandth of a degree a point."""
    path = folder / user / "Trajectory" / f"{name}.plt"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{39.9 + i / 1e4:.6f},116.3,0,{altitude},39748.5,2008-10-27,12:{s // 60:02}:{s % 60:02}\r\n" for i, s in enumerate(seconds)]
    path.write_text(PLT_HEADER + "".join(rows))
    return path


def label(folder: Path, user: str, *rows: tuple[int, int, str]) -> Path:
    path = folder / user / "labels.txt"
    lines = [f"2008/10/27 12:{a // 60:02}:{a % 60:02}\t2008/10/27 12:{b // 60:02}:{b % 60:02}\t{mode}\r\n" for a, b, mode in rows]
    path.write_text("Start Time\tEnd Time\tTransportation Mode\r\n" + "".join(lines))
    return path


def table(path: Path, *rows: str, header: str = "id,t,lat,lon") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


# ------------------------------------------------------------------------------------------------------------------------- GeoLife


def test_a_trajectory_without_labels_is_one_trace_of_unknown_mode(tmp_path: Path) -> None:
    plt(tmp_path, "068", [0, 10, 20])
    traces, omissions = read(tmp_path)
    trace = traces["068-20081027120000"]
    assert (trace.user, trace.mode) == ("068", "")
    assert trace.time_s.tolist() == [NOON_S, NOON_S + 10, NOON_S + 20]
    assert trace.lat.tolist() == [39.9, 39.9001, 39.9002]
    assert trace.lon.tolist() == [116.3] * 3
    assert omissions.points_read == omissions.points_kept == 3


@pytest.mark.parametrize("below", [".", "geolife", "geolife/plt", "geolife/plt/068", "geolife/plt/068/Trajectory"])
def test_any_folder_above_a_trajectory_will_do_and_so_will_the_file(tmp_path: Path, below: str) -> None:
    file = plt(tmp_path / "geolife" / "plt", "068", [0, 10])
    label(tmp_path / "geolife" / "plt", "068", (0, 30, "walk"))
    table(tmp_path / "geolife" / "index.csv", "of,no,points", header="what,ever,else")
    for path in (tmp_path / below, file):
        assert {name: trace.mode for name, trace in read(path)[0].items()} == {"068-20081027120000": "walk"}


def test_labels_cut_a_trajectory_and_the_later_of_two_counts_where_they_meet(tmp_path: Path) -> None:
    plt(tmp_path, "010", list(range(0, 100, 10)))
    label(tmp_path, "010", (20, 40, "walk"), (40, 70, "bus"))
    traces, omissions = read(tmp_path)
    assert {name: (trace.mode, len(trace.time_s)) for name, trace in traces.items()} == {
        "010-20081027120000-1": ("", 2),
        "010-20081027120000-2": ("walk", 2),
        "010-20081027120000-3": ("bus", 4),
        "010-20081027120000-4": ("", 2),
    }
    assert omissions.notes == {"mode_changes": 3}


def test_unknown_altitude_keeps_the_point_and_is_counted(tmp_path: Path) -> None:
    plt(tmp_path, "010", [0, 10, 20], altitude=-777)
    _, omissions = read(tmp_path)
    assert omissions.notes == {"no_altitude": 3}
    assert omissions.points_kept == 3


def test_of_other_users_no_file_is_opened(tmp_path: Path) -> None:
    plt(tmp_path, "010", [0, 10])
    plt(tmp_path, "020", [0, 10]).write_text("damaged")
    assert set(read(tmp_path, Selection(users=("010",)))[0]) == {"010-20081027120000"}
    assert "there is no user '30'; there are 010, 020" in refusal(tmp_path, Selection(users=("30",)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is empty"),
        (PLT_HEADER, "holds no points"),
        ("\x00\x01\x02", "is no text"),
        ("Some trajectory\n", "is no GeoLife trajectory"),
        (PLT_HEADER + "39.9,116.3,0,1,39748.5,2008-10-27,12:00:00\nnorth,116.3,0,1,39748.5,2008-10-27,12:00:01\n", "line 8: 'north'"),
        (PLT_HEADER + "39.9,116.3,0,1,39748.5,2008-10-27,noon\n", "line 7: '2008-10-27 noon' is no date and time"),
        (PLT_HEADER + "39.9,116.3\n", "is damaged"),
        (PLT_HEADER + "116.3,39.9,0,1,39748.5,2008-10-27,12:00:00\n" * 2, "latitudes and longitudes look swapped"),
        (PLT_HEADER + "0,0,0,1,39748.5,2008-10-27,12:00:00\n" * 2, "none of 2 points is left (2 at latitude 0, longitude 0)"),
        (PLT_HEADER + "39.9,116.3,0,1,39748.5,2008-10-27,12:00:00\n", "no trace is left"),
    ],
)
def test_a_wrong_trajectory_is_one_sentence(tmp_path: Path, content: str, reason: str) -> None:
    path = plt(tmp_path, "010", [0])
    path.write_text(content)
    assert reason in refusal(tmp_path)


@pytest.mark.parametrize("line", ["2008/10/27 12:00:00\twalk", "yesterday\ttoday\twalk", "a"])
def test_a_wrong_label_is_one_sentence(tmp_path: Path, line: str) -> None:
    plt(tmp_path, "010", [0, 10])
    with label(tmp_path, "010", (0, 10, "walk")).open("a") as file:
        file.write(line)
    assert "labels.txt line 3: " in refusal(tmp_path)


def test_two_copies_of_a_trajectory_are_refused(tmp_path: Path) -> None:
    for copy in ("one", "two"):
        plt(tmp_path / copy, "010", [0, 10])
    assert "are both called 010-20081027120000" in refusal(tmp_path)


# ------------------------------------------------------------------------------------------------------------------------------ CSV


@pytest.mark.parametrize(
    "times",
    [
        (str(NOON_S), f"{NOON_S + 1.5}"),
        ("2008-10-27T12:00:00", "2008-10-27 12:00:01.5"),
        ("2008-10-27T12:00:00Z", "2008-10-27T20:00:01.5+08:00"),
        ("2008-10-27T12:00:00", "2008-10-27T20:00:01.5+0800"),
        ("20081027T120000Z", "20081027T200001.5+0800"),
        ("2008-10-27T12Z", "2008-10-27T20:00:01.5 +08"),
        ("20081027 12", "2008-10-27T08:30:01.5-0330"),
    ],
)
def test_a_time_is_posix_seconds_or_iso_8601(tmp_path: Path, times: tuple[str, str]) -> None:
    path = table(tmp_path / "a.csv", *(f"one,{time},39.9,116.3" for time in times))
    assert read(path)[0]["one"].time_s.tolist() == [NOON_S, NOON_S + 1.5]


@pytest.mark.parametrize(
    "time",
    [
        *(
            "2008-10-27T12:00:00+25:00",
            "20081027T12:00Z00",
            "T12:00Z",
            "2008-W44-1T12Z",
            "2008-10-27t12:00z+",
            "Z",
            "+08",
            "27.10.2008 12:00",
        ),
        *("2008-10-27T12:00:60Z", "2008-10-27T24:00:01Z", "99999-10-27T12:00:00Z", "2008-10-27T12:00:00[Asia/Shanghai]", "2008-13-01"),
    ],
)
def test_a_time_in_another_form_is_one_sentence(tmp_path: Path, time: str) -> None:
    rows = ["one,2008-10-27T12:00:00,39.9,116.3", f"one,{time},39.9,116.3"]
    assert f"line 3: '{time}' in column t is no time" in refusal(table(tmp_path / "a.csv", *rows))


def test_times_without_offset_are_of_the_zone_unless_the_column_says_utc(tmp_path: Path) -> None:
    rows = [f"one,2008-10-27T12:00:0{i},39.9,116.3" for i in (0, 1)]
    assert read(table(tmp_path / "a.csv", *rows), time_zone="Asia/Shanghai")[0]["one"].time_s[0] == NOON_S - 8 * 3600
    assert read(table(tmp_path / "a.csv", *rows, header="seg,t_utc,lat,lon"), time_zone="Asia/Shanghai")[0]["one"].time_s[0] == NOON_S


def test_an_hour_that_the_clocks_repeat_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [f"one,2008-10-26T{time},48.1,11.5" for time in ("01:59:58", "01:59:59", "02:30:00")]
    traces, omissions = read(table(tmp_path / "a.csv", *rows), time_zone="Europe/Berlin")
    assert len(traces["one"].time_s) == 2
    assert omissions.points == {"no_time": 1}


def test_columns_have_several_names_and_signs_between_them(tmp_path: Path) -> None:
    header = "\ufefftrip;Longitude;Latitude;extra;timestamp;user;mode"
    rows = [f"7;116.3;39.9;x;{NOON_S + i};eve;walk" for i in range(2)]
    trace = read(table(tmp_path / "a.csv", *rows, header=header))[0]["7"]
    assert (trace.user, trace.mode, trace.lon[0], trace.lat[0]) == ("eve", "walk", 116.3, 39.9)


@pytest.mark.parametrize(("ending", "opened"), [(".csv.gz", gzip.open), (".csv.xz", lzma.open)])
def test_a_table_may_be_compressed(tmp_path: Path, ending: str, opened) -> None:
    path = tmp_path / f"a{ending}"
    with opened(path, "wt") as file:
        file.write(f"id,t,lat,lon\none,{NOON_S},39.9,116.3\none,{NOON_S + 1},39.9,116.3\n")
    assert set(read(path)[0]) == {"one"}
    path.write_bytes(path.read_bytes()[:-20])
    assert "is damaged or cannot be read" in refusal(path)


def test_a_table_may_be_as_any_program_writes_it(tmp_path: Path) -> None:
    text = f"id,t,lat,lon\none,{NOON_S},39.9,116.3\none,{NOON_S + 1},39.9,116.3\n"
    quoted = "".join('"{}"\r\n'.format('","'.join(line.split(","))) for line in text.splitlines())
    for content in (
        text.encode("utf-16"),
        text.encode("utf-8-sig"),
        quoted.encode(),
        b"sep=;\r\n" + text.replace(",", ";").encode(),
        text.rstrip().encode(),
    ):
        (tmp_path / "a.CSV").write_bytes(content)
        assert read(tmp_path)[0]["one"].time_s.tolist() == [NOON_S, NOON_S + 1]
    (tmp_path / "a.CSV").write_bytes(b"sep=;\nid;t;lat;lon\none;1;north;1\n")
    assert "line 3: 'north'" in refusal(tmp_path)
    (tmp_path / "a.CSV").write_bytes("id,t,lat,lon\nStraße,1,39,116\n".encode("latin-1"))
    assert "is no text in UTF-8 or UTF-16" in refusal(tmp_path)


def test_an_id_is_one_trace_in_all_tables_of_a_folder_in_any_order_of_rows(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", f"x,{NOON_S + 2},39.9,116.3", f"y,{NOON_S},39.9,116.3", f"x,{NOON_S},39.9,116.3")
    table(tmp_path / "b.csv", f"y,{NOON_S + 1},39.9,116.3", f"x,{NOON_S + 1},39.9,116.3")
    traces, omissions = read(tmp_path)
    assert {name: (trace.time_s - NOON_S).tolist() for name, trace in traces.items()} == {"x": [0, 1, 2], "y": [0, 1]}
    assert omissions.notes == {"misplaced": 1}


def test_a_change_of_mode_cuts(tmp_path: Path) -> None:
    rows = [f"x,{NOON_S + i},39.9,116.3,{mode}" for i, mode in enumerate(["walk", "walk", "bus", "bus", "walk", "walk"])]
    traces, _ = read(table(tmp_path / "a.csv", *rows, header="id,t,lat,lon,mode"))
    assert {name: trace.mode for name, trace in traces.items()} == {"x-1": "walk", "x-2": "bus", "x-3": "walk"}


def test_rows_of_other_users_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [f"{user},{NOON_S + i},39.9,116.3,{user}" for i in range(2) for user in ("eve", "bob")]
    path = table(tmp_path / "a.csv", *rows, header="id,t,lat,lon,user")
    traces, omissions = read(path, Selection(users=("eve",)))
    assert set(traces) == {"eve"}
    assert omissions.points == {"other_users": 2}
    assert "there is no user 'Eve'; there are bob, eve" in refusal(path, Selection(users=("Eve",)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("id,t,lat,lon\n", "holds no points"),
        ("a,b\n1,2\n", "has no column id and no column t and no column lat and no column lon"),
        ("id,t,lat\n1,2,3\n", "has no column lon; its first line must name id,t,lat,lon"),
        ("id,t,lat,lon\nx,1,39.9,116.3\nx,2,north,116.3\n", "line 3: 'north' in column lat is no number"),
        ("id,t,lat,lon\nx,1,39.9,116.3\nx,soon,39.9,116.3\n", "line 3: 'soon' in column t is no number"),
        ("id,t,lat,lon\nx,2008-10-27,39.9,116.3\nx,soon,39.9,116.3\n", "line 3: 'soon' in column t is no time"),
        ("id,t,lat,lon\nx,1225108800000,39.9,116.3\n", "line 2: column t is too large for seconds since 1970"),
        ("id,t,lat,lon\nx,1,39.9,116.3\nx,2,39,9,116,3\n", "line 3 has more columns than the first line"),
        ("id,t,lat,lon\nx,1,39,9,116,3\n", "line 2 has more columns than the first line"),
        ('id,t,lat,lon\n"x,1,39.9,116.3\n', "a.csv"),
        ("id,t,lat,lon,user\nx,1,39.9,116.3,eve\nx,2,39.9,116.3,bob\n", "uses the id x for traces of two users, 'eve' and 'bob'"),
        ("id,t,lat,lon,mode\nx,1,39.9,116.3,all\n", "there is a mode 'all', which means all modes in tables"),
        ('id,t,lat,lon\n"x\ny",1,39.9,116.3\n', "there is a trace whose name has a character that no table holds ('x\\ny')"),
        ("id,t,lat,lon,mode\nx,1,39.9,116.3,a\tb\n", "there is a mode whose name has a character that no table holds"),
        (f"id,t,lat,lon\n{'x' * 1001},1,39.9,116.3\n", "longer than 1000 characters"),
        (f"id,t,lat,lon\nx,{'9' * 5000}y,39.9,116.3\n", "9...' in column t is no time"),
        ("id,t,lat,lon\nx,1,116.3,39.9\nx,2,116.3,39.9\n", "latitudes and longitudes look swapped"),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    assert reason in refusal(path)


def test_a_binary_file_called_csv_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(256)) * 10)
    assert "a.csv" in refusal(path)


# ------------------------------------------------------------------------------------------------------------------------------ GPX


def gpx(path: Path, *tracks: tuple[str, str, list[list[str]]]) -> Path:
    """Tracks of name, type and segments of times."""
    text = ""
    for name, kind, segments in tracks:
        points = ["".join(f"<trkpt lat='39.9' lon='116.3'><time>{t}</time></trkpt>" for t in times) for times in segments]
        text += f"<trk><name>{name}</name><type>{kind}</type>{''.join(f'<trkseg>{each}</trkseg>' for each in points)}</trk>"
    path.write_text(f"<gpx version='1.1' creator='us' xmlns='http://www.topografix.com/GPX/1/1'>{text}</gpx>")
    return path


def test_a_gpx_file_of_one_track_is_called_by_the_file_and_its_segments_are_pieces(tmp_path: Path) -> None:
    times = [[f"2008-10-27T12:00:0{i}Z" for i in (0, 1)], [f"2008-10-27T12:00:0{i}Z" for i in (2, 3)]]
    traces, _ = read(gpx(tmp_path / "ride.gpx", ("morning", "bike", times)))
    assert {name: (trace.mode, trace.time_s[0] - NOON_S) for name, trace in traces.items()} == {
        "ride-1": ("bike", 0),
        "ride-2": ("bike", 2),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_a_gpx_file_is_read_in_the_encoding_that_it_declares_and_packed(tmp_path: Path, encoding: str) -> None:
    text = gpx(tmp_path / "a.gpx", ("a", "Straße", [["2008-10-27T12:00:00Z", "2008-10-27T12:00:01Z"]])).read_text()
    (tmp_path / "a.gpx").unlink()
    declared = encoding.removesuffix("-sig")
    for name, pack in (("ride.gpx", bytes), ("ride.gpx.gz", gzip.compress), ("RIDE.GPX.XZ", lzma.compress)):
        path = tmp_path / name
        path.write_bytes(pack(f'<?xml version="1.0" encoding="{declared}"?>{text}'.encode(encoding)))
        assert {each: trace.mode for each, trace in read(path)[0].items()} == {name.partition(".")[0]: "Straße"}


def test_tracks_of_a_gpx_file_are_called_by_file_and_track_each_once(tmp_path: Path) -> None:
    segments = [["2008-10-27T12:00:00", "2008-10-27T12:00:01"]]
    path = gpx(tmp_path / "day.gpx", ("run", "", segments), ("\n  run\n", "", segments))
    traces, _ = read(path, time_zone="Asia/Shanghai")
    assert set(traces) == {"day-run", "day-run-2"}
    assert traces["day-run"].time_s[0] == NOON_S - 8 * 3600


def test_tracks_of_nobody_are_left_out_and_counted_where_users_are_asked_for(tmp_path: Path) -> None:
    gpx(tmp_path / "ride.gpx", ("", "", [["2008-10-27T12:00:00Z", "2008-10-27T12:00:01Z"]]))
    rows = [f"{user},{NOON_S + i},39.9,116.3,{user}" for i in range(2) for user in ("eve", "bob")]
    table(tmp_path / "a.csv", *rows, header="id,t,lat,lon,user")
    traces, omissions = read(tmp_path, Selection(users=("eve",)))
    assert set(traces) == {"eve"}
    assert omissions.points == {"other_users": 4}
    assert omissions.points_kept == 2
    assert set(read(tmp_path, Selection(users=("",)))[0]) == {"ride"}
    assert "these traces name no users" in refusal(tmp_path / "ride.gpx", Selection(users=("eve",)))


def test_a_wrong_gpx_file_is_one_sentence(tmp_path: Path) -> None:
    assert "holds no track" in refusal(gpx(tmp_path / "a.gpx"))
    (tmp_path / "a.gpx").write_text("<gpx><trk>")
    assert "is damaged, truncated or no XML" in refusal(tmp_path)
    (tmp_path / "a.gpx").write_text("<kml/>")
    assert "holds no track" in refusal(tmp_path)


# -------------------------------------------------------------------------------------------------------------------------- folders


def test_a_path_without_traces_is_one_sentence(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none")
    assert "the folder holds no GPS traces" in refusal(tmp_path)
    (tmp_path / "photo.jpg").write_text("x")
    assert "is of no known format" in refusal(tmp_path / "photo.jpg")


def test_files_that_systems_put_beside_are_passed_over(tmp_path: Path) -> None:
    """Names that begin with a dot: those of macOS begin so, beside each file and in each folder."""
    table(tmp_path / "base.csv", f"one,{NOON_S},39.9,116.3", f"one,{NOON_S + 1},39.9,116.3")
    (tmp_path / ".Trash").mkdir()
    for name in ("._base.csv", ".DS_Store", ".Trash/old.csv", "Thumbs.db", "desktop.ini"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7")
    assert set(read(tmp_path)[0]) == {"one"}
    (tmp_path / "base.csv").unlink()
    assert "the folder holds no GPS traces" in refusal(tmp_path)


def test_a_pipe_in_a_folder_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.gpx")
    assert "a.gpx is a pipe or a device" in refusal(tmp_path)


def test_a_trajectory_may_be_packed_or_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = plt(tmp_path, "010", [0, 10])
    content = path.read_text()
    path.write_text(content, encoding="utf-8-sig")
    assert len(read(tmp_path)[0]["010-20081027120000"].time_s) == 2
    path.unlink()
    path.with_suffix(".plt.gz").write_bytes(gzip.compress(content.encode()))
    assert len(read(tmp_path)[0]["010-20081027120000"].time_s) == 2


def test_more_points_than_allowed_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", *(f"x,{i},39.9,116.3" for i in range(11)))
    assert "more than 10 points (mobility.gps.max_points)" in refusal(path, max_points=10)
    assert len(read(path, Selection(begin_s=2, end_s=6), max_points=10)[0]["x"].time_s) == 5


def test_traces_of_another_place_are_left_out_and_swapped_ones_are_told(tmp_path: Path) -> None:
    rows = [f"{name},{i},{lat},{lon}" for name, lat, lon in (("here", 48.1, 11.5), ("there", 52.5, 13.4)) for i in range(2)]
    path = table(tmp_path / "a.csv", *rows)
    traces, omissions = read(path, place=Box(11, 48, 12, 49))
    assert set(traces) == {"here"}
    assert (omissions.traces, omissions.points_of_traces) == ({"other_place": 1}, {"other_place": 2})
    assert "no trace has a point on the map" in refusal(path, place=Box(0, 0, 1, 1))
    assert "latitudes and longitudes look swapped" in refusal(path, place=Box(48, 11, 49, 12))


def test_the_key_of_files_changes_with_content_and_labels_and_not_with_the_place(tmp_path: Path) -> None:
    keys = set()
    for folder in ("one", "two"):
        plt(tmp_path / folder, "010", [0, 10])
        label(tmp_path / folder, "010", (0, 10, "walk"))
        keys.add(files_key(str(tmp_path / folder)))
    assert len(keys) == 1
    label(tmp_path / "one", "010", (0, 10, "bus"))
    plt(tmp_path / "two", "010", [0, 11])
    assert len(keys | {files_key(str(tmp_path / folder)) for folder in ("one", "two")}) == 3


def test_arrays_of_a_trace_are_its_own(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", *(f"x,{i},39.9,116.3" for i in range(3)))
    trace = read(path)[0]["x"]
    assert all(column.base is None and column.dtype == np.float64 for column in (trace.time_s, trace.lon, trace.lat))
