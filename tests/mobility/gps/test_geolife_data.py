"""Real people's traces: the labelled pieces of GeoLife's trajectories are those of its index, as long and as fast."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msmf_traci.mobility.gps.choosing import Box, Selection
from msmf_traci.mobility.gps.great_circle import distance_m
from msmf_traci.mobility.gps.omissions import Omissions
from msmf_traci.mobility.gps.traces import Cleaning, Trace, read_traces

# the index neither cuts at jumps, nor takes one point a second, nor lets the later of two labels that overlap count
OTHERWISE = {"bus-0125", "taxi-0050", "taxi-0012", "car-0000"}
CENTRAL_BEIJING = Box(116.25, 39.795, 116.50, 40.001)


@pytest.fixture(scope="module")
def geolife(data_dir: Path) -> Path:
    return data_dir / "beijing" / "geolife"


@pytest.fixture(scope="module")
def read(geolife: Path) -> tuple[list[Trace], Omissions]:
    return read_traces(str(geolife), Selection(), Cleaning(min_duration_s=0), 0)


def length_m(trace: Trace) -> float:
    ends = zip(trace.lon, trace.lat, trace.lon[1:], trace.lat[1:], strict=False)
    return sum(distance_m(*end) for end in ends)


def test_every_segment_of_the_index_is_a_piece_of_its_mode_as_long_and_as_fast(geolife: Path, read: tuple[list[Trace], Omissions]) -> None:
    index = pd.read_csv(geolife / "segments_index.csv", dtype={"user": "str"})
    index = index[[(geolife / "plt" / row.user / "Trajectory" / row.file).is_file() for row in index.itertuples()]]
    assert len(index) == 67
    found: Counter[str] = Counter()
    for row in index.itertuples():
        begin_s, end_s = (pd.Timestamp(time, tz="UTC").timestamp() for time in (row.start_utc, row.end_utc))
        name = f"{row.user}-{Path(row.file).stem}"
        pieces = [
            trace
            for trace in read[0]
            if trace.name.startswith(name) and trace.mode == row.mode and begin_s - 1 <= trace.time_s[0] and trace.time_s[-1] <= end_s + 1
        ]
        whole = max(pieces, key=lambda trace: trace.time_s[-1] - trace.time_s[0])
        duration_s = whole.time_s[-1] - whole.time_s[0]
        found[row.mode] += 1
        if row.seg in OTHERWISE:
            assert duration_s <= row.dur_s
            continue
        assert duration_s == pytest.approx(row.dur_s, abs=30), row.seg
        assert 3.6 * length_m(whole) / duration_s == pytest.approx(row.mean_kmh, rel=0.02), row.seg
    assert found == {"bike": 15, "bus": 16, "car": 10, "taxi": 11, "walk": 15}


def test_every_point_of_the_files_is_kept_or_counted(geolife: Path, read: tuple[list[Trace], Omissions]) -> None:
    lines = sum(len(path.read_bytes().splitlines()) - 6 for path in (geolife / "plt").rglob("*.plt"))
    traces, omissions = read
    assert omissions.points_read == lines
    assert omissions.points_kept == sum(len(trace.time_s) for trace in traces)
    assert omissions.traces_kept == len(traces) == len({trace.name for trace in traces})
    assert all((np.diff(trace.time_s) > 0).all() for trace in traces)


def test_so_many_of_each_mode_are_drawn_by_the_seed(geolife: Path) -> None:
    selection = Selection(modes=("walk", "bus", "car"), per_mode=5)
    drawn = [read_traces(str(geolife), selection, Cleaning(), seed, place=CENTRAL_BEIJING)[0] for seed in (0, 0, 1)]
    names = [[trace.name for trace in traces] for traces in drawn]
    assert Counter(trace.mode for trace in drawn[0]) == {"walk": 5, "bus": 5, "car": 5}
    assert names[0] == names[1] != names[2]


def test_the_table_of_segments_is_read_as_it_is(geolife: Path) -> None:
    traces, omissions = read_traces(str(geolife / "segments_points.csv.xz"), Selection(), Cleaning(), 0)
    index = pd.read_csv(geolife / "segments_index.csv")
    whole = {trace.name for trace in traces}
    assert len(set(index.seg) - whole) <= omissions.notes["jumps"]
    assert omissions.points_read == 306_835
