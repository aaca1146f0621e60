"""Results on disk: whole or not at all, never overwritten, and read back as they were written."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msmf_traci.errors import InputError, MsmfError
from msmf_traci.launch.naming import numbered
from msmf_traci.results.store import (
    TableWriter,
    check_writable,
    folder_in_one_piece,
    read_run,
    read_table,
    share_taken,
    write_json,
    write_table,
)

FORMATS = pytest.mark.parametrize("format", ["csv", "parquet"])


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_folder_appears_complete_at_the_end(tmp_path):
    target = tmp_path / "results" / "city" / "run"
    with folder_in_one_piece(target) as piece:
        (piece.scratch / "table.csv").write_text("a\n1\n")
        assert not target.exists()
        assert piece.scratch.is_relative_to(target.parent)  # one file system: the renaming is one step
        assert piece.scratch.parent.name.startswith(".")
    assert everything_in(tmp_path) == ["results", "results/city", "results/city/run", "results/city/run/table.csv"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_nothing_not_even_parents(tmp_path, failure):
    with pytest.raises(failure), folder_in_one_piece(tmp_path / "results" / "city" / "run") as piece:
        (piece.scratch / "inner").mkdir()
        (piece.scratch / "inner" / "table.csv").write_text("a\n1\n")
        raise failure
    assert everything_in(tmp_path) == []


def test_failure_keeps_what_was_there_before(tmp_path):
    (tmp_path / "results" / "earlier").mkdir(parents=True)
    (tmp_path / "results" / "earlier" / "run.json").write_text("{}")
    with pytest.raises(RuntimeError), folder_in_one_piece(tmp_path / "results" / "city" / "run"):
        raise RuntimeError
    assert everything_in(tmp_path) == ["results", "results/earlier", "results/earlier/run.json"]


def test_failure_keeps_a_parent_that_somebody_else_uses_meanwhile(tmp_path):
    with pytest.raises(RuntimeError), folder_in_one_piece(tmp_path / "results" / "run"):
        (tmp_path / "results" / "other").mkdir()
        raise RuntimeError
    assert everything_in(tmp_path) == ["results", "results/other"]


def test_existing_results_are_never_overwritten(tmp_path):
    target = tmp_path / "run"
    target.mkdir()
    (target / "run.json").write_text("old")
    with pytest.raises(InputError, match=r"exists already.*output\.dir"), folder_in_one_piece(target) as piece:
        (piece.scratch / "run.json").write_text("new")
    assert everything_in(tmp_path) == ["run", "run/run.json"]
    assert (target / "run.json").read_text() == "old"


def test_folder_that_appears_meanwhile_is_not_overwritten_either(tmp_path):
    target = tmp_path / "run"
    with pytest.raises(InputError, match="exists already"), folder_in_one_piece(target):
        target.mkdir()
        (target / "run.json").write_text("theirs")
    assert everything_in(tmp_path) == ["run", "run/run.json"]


def test_shared_folder_made_by_another_run_meanwhile_serves(tmp_path):
    target = tmp_path / "map-0123"
    with folder_in_one_piece(target, share_taken) as piece:
        (piece.scratch / "cells.csv").write_text("ours")
        target.mkdir()
        (target / "cells.csv").write_text("theirs")
    assert everything_in(tmp_path) == ["map-0123", "map-0123/cells.csv"]
    assert (target / "cells.csv").read_text() == "theirs"


def test_shared_folder_made_at_the_last_instant_serves(tmp_path, monkeypatch):
    """Two runs of a parallel sweep finish the same map: both look, both see none, one renames first."""
    target, rename = tmp_path / "map-0123", Path.rename

    def other_was_faster(path: Path, to: Path) -> Path:
        target.mkdir()
        (target / "cells.csv").write_text("theirs")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", other_was_faster)
    with folder_in_one_piece(target, share_taken) as piece:
        (piece.scratch / "cells.csv").write_text("ours")
    assert everything_in(tmp_path) == ["map-0123", "map-0123/cells.csv"]


def test_a_run_whose_name_is_taken_meanwhile_gets_another_one(tmp_path):
    target = tmp_path / "2024-02-29T12-00-05"
    with folder_in_one_piece(target, numbered) as piece:
        (piece.scratch / "run.json").write_text("ours")
        for name in (target.name, f"{target.name}-2"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "run.json").write_text("theirs")
    assert piece.target == tmp_path / f"{target.name}-3"
    assert (piece.target / "run.json").read_text() == "ours"
    assert (target / "run.json").read_text() == "theirs"


def test_failing_disk_is_said_in_a_sentence(tmp_path):
    said = pytest.raises(MsmfError, match=r"vehicles\.csv cannot be written \(No space left on device\).*output\.dir")
    with said, folder_in_one_piece(tmp_path / "run"):
        raise OSError(28, os.strerror(28), "vehicles.csv")
    assert everything_in(tmp_path) == []


def test_file_in_place_of_a_folder_is_said_in_a_sentence(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(MsmfError, match="cannot be written"), folder_in_one_piece(tmp_path / "results" / "run"):
        pytest.fail("no folder can be made there")
    with pytest.raises(InputError, match=r"results is a file; set output\.dir"):
        check_writable(tmp_path / "results" / "run")
    assert (tmp_path / "results").read_text() == "a file"


def test_checking_a_folder_leaves_nothing_behind(tmp_path):
    check_writable(tmp_path / "not" / "there" / "yet")
    check_writable(tmp_path)
    assert everything_in(tmp_path) == []


def test_read_only_folder_is_refused(tmp_path, monkeypatch):
    def refuse(path: Path, *args, **kwargs) -> None:
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"results cannot be written \(Permission denied\); set output\.dir"):
        check_writable(tmp_path / "results")


@FORMATS
def test_tables_read_back_equal(tmp_path, format):
    table = pd.DataFrame(
        {
            "strategy": ["nearest", "pm"],
            "target": ["L:-1,2", "R:0,0"],
            "transfer": [0, 12],
            "t_handoff_s": [np.nan, 0.1 + 0.2],
            "image_bytes": [1e9 / 3, 0.0],
            "image_mb": [np.nan, np.nan],
        }
    )
    write_table(tmp_path, "migrations", table, format)
    pd.testing.assert_frame_equal(read_table(tmp_path, "migrations"), table, check_exact=True, check_dtype=False)
    assert everything_in(tmp_path) == [f"migrations.{format}"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
@FORMATS
def test_floats_read_back_to_the_last_bit(tmp_path, format, values):
    for path in tmp_path.iterdir():
        path.unlink()
    write_table(tmp_path, "t", pd.DataFrame({"x_m": values}), format)
    assert list(read_table(tmp_path, "t")["x_m"].astype(float)) == values


@FORMATS
def test_names_that_look_like_numbers_or_like_nothing_read_back_as_text(tmp_path, format):
    table = pd.DataFrame({"vehicle": ["007", "1e5", "NA"], "mode": ["1", "2", "10"]})
    write_table(tmp_path, "vehicles", table, format)
    read = read_table(tmp_path, "vehicles")
    assert [read[name].tolist() for name in table] == [table[name].tolist() for name in table]


@FORMATS
def test_pieces_make_the_same_table_as_a_whole(tmp_path, format):
    vehicles = [f"v{n}" for n in range(10)]
    table = pd.DataFrame({"t_s": np.arange(10.0), "image_mb": np.nan, "vehicle": vehicles, "running": np.arange(10) % 2})
    writer = TableWriter(tmp_path, "pieces", format)
    for begin, end in ((0, 3), (3, 4), (4, 10)):
        writer.write(table.iloc[begin:end])
    writer.close()
    write_table(tmp_path, "whole", table, format)
    pd.testing.assert_frame_equal(read_table(tmp_path, "pieces"), read_table(tmp_path, "whole"))
    assert len(read_table(tmp_path, "pieces")) == 10
    if format == "csv":
        assert (tmp_path / "pieces.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_csv_has_unix_lines_and_empty_fields(tmp_path):
    write_table(tmp_path, "t", pd.DataFrame({"a": [1.5, np.nan], "b": ["x", "L:0,0"]}), "csv")
    assert (tmp_path / "t.csv").read_bytes() == b'a,b\n1.5,x\n,"L:0,0"\n'


def test_json_reads_back_and_keeps_its_order(tmp_path):
    content = {"seed": 3, "config": {"z": None, "a": [0.1, 1e300]}, "name": "Peking \u5317\u4eac"}
    write_json(tmp_path / "run.json", content)
    assert read_run(tmp_path) == content
    assert list(json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))) == ["seed", "config", "name"]


def test_json_refuses_what_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "run.json", {"outside_share": float("nan")})


@pytest.mark.parametrize("content", [None, "", "{", "[1, 2]", "\u0000"])
def test_run_that_is_not_finished_has_nothing_to_say(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    assert read_run(tmp_path) is None
