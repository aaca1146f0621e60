"""The trace: every frame and every decision, by name, in the order of the keys (docs/tables.md)."""

import numpy as np
import pandas as pd
import pytest

from msmf_traci.results import trace as trace_module
from msmf_traci.results.keys import Names
from msmf_traci.results.store import read_table
from msmf_traci.results.trace import Trace
from msmf_traci.sentinels import KEEP, NO_SERVER

FRAMES = ["t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell"]
DECISIONS = ["t_s", "strategy", "image_mb", "vehicle", "home", "target", "host", "running", "prefetch"]
FORMATS = pytest.mark.parametrize("format", ["csv", "parquet"])


class Recorder:
    """A trace of the strategies pm and nearest over the servers L0, L1, R0, edges ab and cd, cells c0 and c1."""

    def __init__(self, folder, format="csv", image_mb=None):
        self.folder = folder
        self.vehicles = []
        servers = np.array(["L0", "L1", "R0"], dtype=object), np.array(["local"] * 3, dtype=object)
        names = Names(self.vehicles, [{"strategy": name, "image_mb": image_mb} for name in ("pm", "nearest")], [servers] * 2)
        self.trace = Trace(folder, format, names, np.array(["ab", "cd"], dtype=object), np.array(["c0", "c1"], dtype=object))

    def frame(self, t_s, vehicles, *, home, target, host, running, prefetch=NO_SERVER, edge=0, cell=0):
        n = len(vehicles)
        numbers = np.array(vehicles, dtype=np.int64)
        samples = {"x_m": numbers + 0.5, "y_m": numbers * 1.0, "speed_mps": np.full(n, 2.0), "position_m": np.full(n, 3.0)}
        samples |= {"edge": np.broadcast_to(edge, n), "cell": np.broadcast_to(cell, n)}
        answers = {"home": home, "target": target, "host": host, "running": running}
        answers = {name: np.array(np.broadcast_to(np.array(value), (n, 2))) for name, value in answers.items()}
        answers["prefetch"] = np.array(np.broadcast_to(np.array(prefetch), (n, 2, 8)))
        self.trace.record(np.full(n, float(t_s)), numbers, samples, answers)

    def tables(self):
        self.trace.close()
        return read_table(self.folder, "frames"), read_table(self.folder, "decisions")


@FORMATS
def test_decisions_are_told_by_name(tmp_path, format):
    recorder = Recorder(tmp_path, format, image_mb=500.0)
    recorder.vehicles.append("car")
    lists = [[[2, *[NO_SERVER] * 6, 1], [1, 0, *[NO_SERVER] * 6]]]  # what stands behind NO_SERVER is no part of a list
    answers = {"home": [[0, KEEP]], "target": [[NO_SERVER, 2]], "host": [[0, 1]], "running": [[True, False]], "prefetch": lists}
    recorder.frame(5, [0], **answers, edge=1, cell=1)
    frames, decisions = recorder.tables()
    assert list(frames.columns) == FRAMES
    assert list(decisions.columns) == DECISIONS
    assert list(frames.itertuples(index=False, name=None)) == [(5, "car", 0.5, 0, 2, "cd", 3, "c1")]
    assert list(decisions.itertuples(index=False, name=None)) == [
        (5, "nearest", 500, "car", "KEEP", "R0", "L1", 0, "L1 L0"),
        (5, "pm", 500, "car", "L0", "NONE", "L0", 1, "R0"),
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
    """One batch of 23 frames of one or two vehicles, its decisions written at once or at most seven rows (or one frame) at a time."""
    times_s = np.concatenate([np.full(1 + t % 2, float(t)) for t in range(23)])
    vehicle = np.concatenate([np.arange(1 + t % 2) for t in range(23)])
    home = np.column_stack([np.arange(34) % 3, np.arange(34) % 2])
    samples = {name: np.arange(34.0) for name in ("x_m", "y_m", "speed_mps", "position_m")}
    samples |= {name: np.zeros(34, dtype=np.int64) for name in ("edge", "cell")}
    answers = {"home": home, "target": np.full((34, 2), NO_SERVER), "host": home[:, ::-1], "running": home == 0}
    answers["prefetch"] = np.tile([1, 2, *[NO_SERVER] * 6], (34, 2, 1))
    tables = []
    for name, at_once in (("whole", 10_000), ("pieces", 7)):
        monkeypatch.setattr(trace_module, "ROWS_AT_ONCE", at_once)
        (tmp_path / name).mkdir()
        recorder = Recorder(tmp_path / name, format)
        recorder.vehicles += ["b", "a"]
        recorder.trace.record(times_s, vehicle, samples, answers)
        tables.append(recorder.tables())
    for whole, pieces in zip(*tables, strict=True):
        pd.testing.assert_frame_equal(whole, pieces)
    assert len(tables[0][0]) == 34
    assert len(tables[0][1]) == 68


def test_batches_are_on_disk_before_the_end(tmp_path):
    """Memory does not grow with the run."""
    recorder = Recorder(tmp_path)
    recorder.vehicles.append("car")
    for t_s in range(9):
        recorder.frame(t_s, [0], home=0, target=NO_SERVER, host=0, running=True)
    assert len(read_table(tmp_path, "frames")) == 9
    frames, decisions = recorder.tables()
    assert (len(frames), len(decisions)) == (9, 18)


def test_trace_of_a_run_without_vehicles_has_its_columns(tmp_path):
    frames, decisions = Recorder(tmp_path).tables()
    assert list(frames.columns) == FRAMES
    assert list(decisions.columns) == DECISIONS
