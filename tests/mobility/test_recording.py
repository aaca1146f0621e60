"""A recording gives back the very frames it was made of; and a damaged or forged one is refused in one sentence, whatever is in it."""

from __future__ import annotations

import hashlib
import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.errors import InputError
from msmf_traci.files.columns_file import MAGIC, ColumnsFile, ColumnsWriter
from msmf_traci.mobility import recording
from msmf_traci.mobility.frame import Roster, TrafficCounts
from msmf_traci.mobility.recording import RecordedNetwork, Recorder, RecordingSource
from tests.mobility.passes import EDGE_IDS, MadeUpSource, batch, joined, passes

NETWORK = RecordedNetwork("digest", {name: number for number, name in enumerate(EDGE_IDS)}, "net.xml")
ABOUT = {"key": "k", "roads": "digest", "made": {"speed_kmh": 50.0, "source": "traci"}}


def record(source: MadeUpSource, path: Path) -> None:
    recorder = Recorder(source, EDGE_IDS, ABOUT, lambda write: write(path))
    assert list(recorder.frames()) == source.batches


def two_vehicles() -> MadeUpSource:
    """Three frames, the second vehicle from the second on."""
    rows = [
        [(0, 1.0, 2.0, 3.5, 4, 10.0, 0, 1, True, False)],
        [(0, 4.5, 2.0, 3.5, 4, 13.5, 0, 1, False, False), (1, 0.0, -1.0, 0.0, 2, 0.25, 1, 0, True, False)],
        [(0, 8.0, 2.0, 3.5, 5, 1.0, 0, 2, False, True), (1, 0.0, -1.0, 0.0, 2, 0.25, 1, 0, False, True)],
    ]
    routes = [np.array([3, 4, 5]), np.array([2])]
    counts = TrafficCounts(inserted=2, arrived=2, end_s=3.0)
    return MadeUpSource([batch(np.array([1.0, 2.0, 3.0]), rows)], Roster(["a", "b"], routes=routes, counts=counts))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    record(two_vehicles(), tmp_path / "pass.msmf")
    return tmp_path / "pass.msmf"


def replayed(path: Path) -> dict[str, bytes]:
    return joined(list(RecordingSource(path, NETWORK).frames()))


@settings(max_examples=60, deadline=None)
@given(source=passes(), piece=st.integers(1, 30))
def test_replay_is_what_was_recorded(source: MadeUpSource, piece: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "SAMPLES_IN_PIECE", piece)
        path = Path(folder) / "pass.msmf"
        record(source, path)
        replay = RecordingSource(path, NETWORK)
        assert joined(list(replay.frames())) == joined(source.batches)
        assert replay.roster.vehicles == source.roster.vehicles
        assert [list(route) for route in replay.roster.routes] == [list(route) for route in source.roster.routes]
        assert asdict(replay.roster.counts) == asdict(source.roster.counts)
        assert replay.roster.begin_s == source.roster.begin_s
        assert replay.commanded_kmh == 50.0


def test_a_pass_that_is_not_driven_to_its_end_is_not_kept(tmp_path: Path) -> None:
    recorder = Recorder(two_vehicles(), EDGE_IDS, ABOUT, lambda write: write(tmp_path / "pass.msmf"))
    frames = recorder.frames()
    next(frames)
    frames.close()
    assert not list(tmp_path.iterdir())


def test_a_recording_of_another_network_is_refused(good: Path) -> None:
    with pytest.raises(InputError, match=r"pass\.msmf was made on another network than other\.net\.xml"):
        RecordingSource(good, RecordedNetwork("other", NETWORK.edges, "other.net.xml"))


@pytest.mark.parametrize("keep", [0, 5, len(MAGIC), 60, -1])
def test_a_truncated_recording_is_refused(good: Path, keep: int) -> None:
    good.write_bytes(good.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"pass\.msmf is damaged"):
        replayed(good)


def test_a_flipped_byte_anywhere_is_found_before_the_first_frame(good: Path) -> None:
    whole = good.read_bytes()
    for place in range(0, len(whole), 7):
        good.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        with pytest.raises(InputError, match=r"pass\.msmf is damaged"):
            RecordingSource(good, NETWORK)


def test_other_files_are_refused(good: Path) -> None:
    for content in (b"", b"<fcd-export/>", b"\x80\x04K\x00." * 30, MAGIC + bytes(200)):
        good.write_bytes(content)
        with pytest.raises(InputError, match="damaged, or is not a recording"):
            replayed(good)


def forge(path: Path, header: Any, blobs: bytes = b"") -> None:
    """A file with that header, hashed rightly."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    end = struct.pack("<QQ32s", len(MAGIC) + len(blobs), len(text), hashlib.sha256(text).digest())
    path.write_bytes(MAGIC + blobs + text + end)


def column(blob: bytes, **changes: Any) -> dict[str, Any]:
    return {"name": "x", "type": "i1", "values": 10, "bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()} | changes


@pytest.mark.parametrize(
    "header",
    [
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"about": ' + b"9" * 5000 + b', "columns": []}',
        [],
        {"about": [], "columns": []},
        {"about": {}, "columns": {}},
        {"about": {}, "columns": [1]},
    ],
    ids=["cut", "deep", "bytes", "digits", "list", "about", "columns", "column"],
)
def test_a_forged_header_is_refused(good: Path, header: Any) -> None:
    forge(good, header)
    with pytest.raises(InputError, match="its header"):
        replayed(good)


@pytest.mark.parametrize(
    "changes",
    [{"values": 1 << 40}, {"values": -1}, {"values": 1.5}, {"bytes": 1 << 50}, {"bytes": 3}, {"type": "O"}, {"type": "f8"}, {"sha256": 5}],
    ids=str,
)
def test_absurd_columns_are_refused_before_anything_is_unpacked(good: Path, changes: dict[str, Any]) -> None:
    blob = zlib.compress(bytes(10))
    forge(good, {"about": {}, "columns": [column(blob, **changes)]}, blob)
    with pytest.raises(InputError, match="header declares"):
        ColumnsFile(good)


@pytest.mark.parametrize(
    "blob", [zlib.compress(bytes(50_000_000)), zlib.compress(bytes(9)), b"no zlib", zlib.compress(bytes(10)) + b"more"]
)
def test_a_column_that_unpacks_to_another_length_is_refused(good: Path, blob: bytes) -> None:
    forge(good, {"about": {}, "columns": [column(blob)]}, blob)
    with ColumnsFile(good) as file, pytest.raises(InputError, match="unpack"):
        file.read("x")


class Forger(ColumnsWriter):
    """Copies a recording with one column or word of its header changed."""

    def __init__(self, path: Path, name: str, change: Callable[[Any], Any]) -> None:
        super().__init__()
        with ColumnsFile(path) as file:
            for each in file._columns:
                values = file.read(each)
                self.add(each, np.asarray(change(values)) if each == name else values)
            about = {word: change(value) if word == name else value for word, value in file.about.items()}
        self.write(path, about)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        # four times 2^62 add up to nothing in 64 bits
        ("route_lengths", lambda lengths: np.full(4, 1 << 62), "more edges than a recording can hold"),
        ("0/times", lambda x: x * [1, 0, 1], "times do not rise"),
        ("0/times", lambda x: -x, "times do not rise"),
        ("0/edge/begin", lambda x: x + 100, "edges that it does not name"),
        ("0/edge/steps", lambda x: x - 2, "edges that it does not name"),
        ("0/route/begin", lambda x: x + 2, "routes that it does not name"),
        ("0/route_index/begin", lambda x: x + 3, "beyond its route"),
        ("0/route_index/begin", lambda x: x - 3, "beyond its route"),
        ("0/x_m/begin", lambda x: x + (1 << 60), "values that no frame can hold"),
        ("0/speed_mps/steps", lambda x: x[:-1], "another length"),
        ("0/speed_mps/begin", lambda x: x[:-1], "another length"),
        ("0/span/vehicle", lambda x: x + 1, "vehicles that it does not name"),
        ("0/span/vehicle", lambda x: x - 1, "vehicles that it does not name"),
        ("0/span/vehicle", lambda x: x * 0, "spans are not in order"),
        ("0/span/vehicle", lambda x: x[::-1], "spans are not in order"),
        ("0/span/frame", lambda x: x + 1, "frames that it does not have"),
        ("0/span/frames", lambda x: x * 1_000_000, "frames that it does not have"),
        ("0/span/frames", lambda x: x * 0, "frames that it does not have"),
        ("0/span/first", lambda x: x * 0, "missing in some frames"),
        ("0/span/last", lambda x: x * 2, "vehicles that it does not name"),
        ("0/span/last", lambda x: x[:1], "differ in length"),
        ("route_lengths", lambda x: x * 0, "a route has no edges"),
        ("route_lengths", lambda x: x + 1, "edges that it does not name"),
        ("route_edges/0", lambda x: x + 50, "edges that it does not name"),
        ("pieces", lambda x: x + 1, "has no column 1/times"),
        ("pieces", lambda x: "many", "how many pieces"),
        ("what", lambda x: "a cake", "does not hold a recording"),
        ("format", lambda x: 99, "of format 99"),
        ("vehicles", lambda x: [1, 2], "list of names"),
        ("vehicles", lambda x: [*x, "c"], "counts more or fewer vehicles"),
        ("vehicles", lambda x: ["a", "a"], "two of its vehicles are called the same"),
        ("vehicles", lambda x: ["a", ""], "id is empty"),
        ("vehicles", lambda x: ["a", "b\n"], "no table holds"),
        ("vehicles", lambda x: ["a", "\ud800"], "no table holds"),
        ("edges", lambda x: [x[0]] * len(x), "two of its edges are called the same"),
        ("0/speed_mps/begin", lambda x: -x - 1, "negative speeds"),
        ("0/times", lambda x: x + 10**6, "do not end at the time that it says"),
        ("begin_s", lambda x: -1.0, "begins at an impossible time"),
        ("begin_s", lambda x: 4.0, "begins at an impossible time"),
        ("begin_s", lambda x: "early", "begins at an impossible time"),
        ("counts", lambda x: {**x, "arrived": 3}, "counts more or fewer vehicles"),
        ("edges", lambda x: [f"{name}x" for name in x], "edges that its network does not have"),
        ("counts", lambda x: {**x, "arrived": -1}, "count arrived"),
        ("counts", lambda x: {**x, "end_s": "late"}, "count end_s"),
        ("counts", lambda x: {"arrived": 1}, "counts are not"),
        ("made", lambda x: {"step_s": "x", "speed_kmh": 1e300}, "how it was made"),
        ("made", lambda x: [], "how it was made"),
        ("made", lambda x: {"speed_kmh": "fast"}, "how it was made"),
    ],
)  # fmt: skip
def test_what_no_pass_can_have_is_refused(good: Path, name: str, change: Callable[[Any], Any], said: str) -> None:
    Forger(good, name, change)
    with pytest.raises(InputError, match=said):
        replayed(good)


@pytest.mark.parametrize(("made", "begin_s"), [({"step_s": 0.5}, 0.5), ({"step_s": None}, 0.0), ({"step_s": 7}, 0.0)])
def test_a_recording_that_does_not_say_its_begin_begins_one_step_before_its_first_frame(
    good: Path, made: dict[str, Any], begin_s: float
) -> None:
    Forger(good, "begin_s", lambda _: None)
    Forger(good, "made", lambda _: made)
    assert RecordingSource(good, NETWORK).roster.begin_s == begin_s
