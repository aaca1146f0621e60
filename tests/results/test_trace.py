"""The trace: every frame and every decision, by name, in the order of the keys (docs/tables.md)."""

import numpy as np
import pandas as pd
import pytest

from msmf_traci.results import trace as trace_module
from msmf_traci.results.store import read_table
from msmf_traci.results.tables import Names
from msmf_traci.results.trace import Trace
from msmf_traci.sentinels import KEEP, NO_SERVER

FRAMES = ["t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell"]
DECISIONS = ["t_s", "strategy", "image_mb", "vehicle", "home", "target", "host", "running"]
FORMATS = pytest.mark.parametrize("format", ["csv", "parquet"])


class Recorder:
    """A trace of the strategies pm and nearest over the servers L0, L1, R0, edges ab and cd, cells c0 and c1."""

    def __init__(self, folder, format="csv", image_mb=None):
        self.folder = folder
        self.vehicles = []
        servers = np.array(["L0", "L1", "R0"], dtype=object)
        names = Names(["pm", "nearest"], self.vehicles, servers, np.array(["local"] * 3, dtype=object), image_mb)
        self.trace = Trace(folder, format, names, np.array(["ab", "cd"], dtype=object), np.array(["c0", "c1"], dtype=object))

    def frame(self, t_s, vehicles, *, home, target, host, running, edge=0, cell=0):
        n = len(vehicles)
        numbers = np.array(vehicles, dtype=np.int64)
        columns = {"t_s": np.full(n, float(t_s)), "vehicle": numbers, "x_m": numbers + 0.5, "y_m": numbers * 1.0}
        columns |= {"speed_mps": np.full(n, 2.0), "position_m": np.full(n, 3.0)}
        columns |= {"edge": np.broadcast_to(edge, n), "cell": np.broadcast_to(cell, n)}
        answers = (np.broadcast_to(np.array(value), (n, 2)) for value in (home, target, host, running))
        self.trace.record(columns, *answers)

    def tables(self):
        self.trace.close()
        return read_table(self.folder, "frames"), read_table(self.folder, "decisions")


@FORMATS
def test_decisions_are_told_by_name(tmp_path, format):
    recorder = Recorder(tmp_path, format, image_mb=500.0)
    recorder.vehicles.append("car")
    recorder.frame(5, [0], home=[[0, KEEP]], target=[[NO_SERVER, 2]], host=[[0, 1]], running=[[True, False]], edge=1, cell=1)
    frames, decisions = recorder.tables()
    assert list(frames.columns) == FRAMES
    assert list(decisions.columns) == DECISIONS
    assert list(frames.itertuples(index=False, name=None)) == [(5, "car", 0.5, 0, 2, "cd", 3, "c1")]
    assert list(decisions.itertuples(index=False, name=None)) == [
        (5, "nearest", 500, "car", "KEEP", "R0", "L1", 0),
        (5, "pm", 500, "car", "L0", "NONE", "L0", 1),
    ]


@FORMATS
def test_rows_are_sorted_by_time_strategy_and_vehicle(tmp_path, format):
    """Vehicle ids in another order than their numbers; each keeps its own answers."""
    recorder = Recorder(tmp_path, format)
    recorder.vehicles += ["c", "a", "b"]
    home = np.array([[0, 1], [1, 2], [2, 0]])  # of c, a, b under pm and nearest
    for t_s in (1, 2):
        recorder.frame(t_s, [0, 1, 2], home=home, target=NO_SERVER, host=home, running=True)
    frames, decisions = recorder.tables()
    assert list(frames["vehicle"]) == ["a", "b", "c"] * 2
    assert list(frames["x_m"]) == [1.5, 2.5, 0.5] * 2
    keys = list(decisions[["t_s", "strategy", "vehicle"]].itertuples(index=False, name=None))
    assert keys == sorted(keys)
    assert len(set(keys)) == 12
    assert list(decisions["home"][:6]) == ["R0", "L0", "L1", "L1", "R0", "L0"]
    assert decisions["image_mb"].isna().all()


def test_vehicle_off_the_map_has_no_edge(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.vehicles.append("car")
    recorder.frame(0, [0], home=0, target=NO_SERVER, host=0, running=True, edge=-1)
    frames, _ = recorder.tables()
    assert frames["edge"].isna().all()


def test_vehicles_may_appear_as_the_run_goes_on(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.vehicles.append("one")
    recorder.frame(0, [0], home=0, target=NO_SERVER, host=0, running=True)
    recorder.vehicles.append("two")
    recorder.frame(1, [1], home=0, target=NO_SERVER, host=0, running=True)
    recorder.frame(2, [], home=0, target=NO_SERVER, host=0, running=True)
    frames, decisions = recorder.tables()
    assert list(frames["vehicle"]) == ["one", "two"]
    assert list(decisions["vehicle"]) == ["one", "one", "two", "two"]


@FORMATS
def test_writing_in_pieces_changes_nothing(tmp_path, monkeypatch, format):
    tables = []
    for name, at_once in (("whole", 10_000), ("pieces", 7)):
        monkeypatch.setattr(trace_module, "ROWS_AT_ONCE", at_once)
        (tmp_path / name).mkdir()
        recorder = Recorder(tmp_path / name, format)
        recorder.vehicles += ["b", "a"]
        for t_s in range(23):
            recorder.frame(t_s, [0, 1][: 1 + t_s % 2], home=t_s % 3, target=NO_SERVER, host=0, running=t_s % 2 == 0)
        tables.append(recorder.tables())
    for whole, pieces in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(whole, pieces)
    assert len(tables[0][0]) == 34
    assert len(tables[0][1]) == 68


def test_pieces_are_on_disk_before_the_end(tmp_path, monkeypatch):
    """Memory does not grow with the run."""
    monkeypatch.setattr(trace_module, "ROWS_AT_ONCE", 4)
    recorder = Recorder(tmp_path)
    recorder.vehicles.append("car")
    for t_s in range(9):
        recorder.frame(t_s, [0], home=0, target=NO_SERVER, host=0, running=True)
    assert 7 <= len(read_table(tmp_path, "frames")) <= 9
    frames, decisions = recorder.tables()
    assert (len(frames), len(decisions)) == (9, 18)


def test_trace_of_a_run_without_vehicles_has_its_columns(tmp_path):
    frames, decisions = Recorder(tmp_path).tables()
    assert list(frames.columns) == FRAMES
    assert list(decisions.columns) == DECISIONS
