"""Runs that were copied in part or edited: one sentence that names the file, and exit code 2; never a traceback."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from msmf_traci.commands.entry import overlay, report
from msmf_traci.errors import InputError
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.road_lines import read_roads
from msmf_traci.reporting.timeline import timeline_figure
from msmf_traci.results.run_facts import read_facts
from msmf_traci.results.store import read_table
from tests.reporting.made_results import write_run
from tests.reporting.made_runs import make_run, transfer


def refused(capsys: pytest.CaptureFixture[str], run: Path) -> str:
    assert report([str(run)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not (run / "report").exists()
    return said


@pytest.mark.parametrize(
    ("at", "value", "where"),
    [
        (("config",), None, "config"),
        (("config", "variants"), [], "config.variants"),
        (("config", "migration"), "paper", "config.migration"),
        (("config", "mobility"), None, "config.mobility"),
        (("config", "tiers"), "two", "config.tiers"),
        (("config", "tiers", "order"), ["local", "far"], "config.tiers"),
        (("strategies",), [], "strategies"),
        (("strategies",), [None], "strategies.0"),
        (("key_columns",), ["image_mb"], "key_columns"),
        (("seed",), True, "seed"),
        (("versions",), [], "versions"),
        (("map_folder",), "", "map_folder"),
        (("deployment",), {"spacing_m": 0.0, "orientation": "flat"}, "deployment.spacing_m"),
        (("vehicles",), None, "vehicles"),
        (("wall_s",), None, "wall_s"),
        (("wall_s", "simulation"), None, "wall_s.simulation"),
        (("fingerprint",), 3, "fingerprint"),
        (("teleports",), "none", "teleports"),
    ],
)
def test_a_fact_of_the_wrong_kind_is_named(at: tuple[str, ...], value: Any, where: str, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", transfers=1)
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    inner = facts
    for name in at[:-1]:
        inner = inner[name]
    inner[at[-1]] = value
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(InputError, match=rf"run\.json is damaged.*{where}"):
        read_facts(run)


@pytest.mark.parametrize("text", ["", "null", "[]", "3", "{", "[" * 100_000, "\x00"])
def test_a_file_of_facts_that_is_none_is_refused_by_all_commands(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", transfers=1)
    (run / "run.json").write_text(text, encoding="utf-8")
    assert "run.json is damaged: it is not a JSON object" in refused(capsys, run)
    assert overlay([str(run), "--out", str(tmp_path / "overlay")]) == 2
    assert "run.json is damaged: it is not a JSON object" in capsys.readouterr().err


def test_vehicles_may_all_be_cut_and_counts_unknown(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", transfers=1)
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    facts |= {"mean_trip_m": None, "simulated_s": 120.0, "outside_share": None}
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    assert read_facts(run) == facts


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("summary", "traffic_per_trip_bytes", "much"),
        ("summary", "unavailability", np.inf),
        ("summary", "strategy", None),
        ("summary", "strategy", "another"),
        ("summary", "seed", 7),
        ("vehicles", "handoffs", "text"),
        ("vehicles", "vehicle", None),
        ("migrations", "downtime_s", "long"),
        ("migrations", "lead_s", np.inf),
        ("migrations", "outcome", None),
    ],
)
def test_a_value_that_no_run_writes_is_refused(
    table: str, column: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", transfers=3)
    found = pd.read_csv(run / f"{table}.csv").astype({column: object})
    found.loc[1, column] = value
    found.to_csv(run / f"{table}.csv", index=False)
    assert f"table {table} is damaged" in refused(capsys, run)


def test_a_table_of_another_run_is_refused(tmp_path: Path) -> None:
    run, other = write_run(tmp_path / "run"), write_run(tmp_path / "other", seed=1)
    (run / "summary.csv").write_bytes((other / "summary.csv").read_bytes())
    with pytest.raises(InputError, match="it is not that of seed 0"):
        read_results([run])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "has no table t"),
        (b"", "t.csv is empty, without even a header"),
        (b"a,b\n1,2\n3", "t.csv is cut off"),
        (b"a,b\n1,\xff\n", "t.csv: table t cannot be read"),
        (b"a\n1\n", "t.csv: table t cannot be read"),
    ],
)
@pytest.mark.parametrize("as_written", [False, True])
def test_a_table_that_cannot_be_read_is_named(content: bytes | None, said: str, as_written: bool, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_table(tmp_path, "t", as_written=as_written, columns=["a", "b"])


def test_a_table_in_parquet_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="table t cannot be read"):
        read_table(tmp_path, "t")


def test_a_report_that_cannot_be_written_is_one_sentence_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", transfers=1)
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    for out, said in (("file", "is not an earlier report"), ("file/inside", "cannot be written"), ("x" * 300, "cannot be read")):
        assert report([str(run), "--out", str(tmp_path / out)]) == 2
        text = capsys.readouterr().err
        assert said in text and text.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "lines", [[], ["LINESTRING ()"], ["LINESTRING (0 0, 1 inf)"], ["LINESTRING (0 0, 1 nan)"], ["LINESTRING (0 0, 1)"]]
)
def test_roads_that_are_none_are_refused(lines: list[str], tmp_path: Path) -> None:
    rows = [("a", "highway.primary", "Street", line) for line in lines]
    pd.DataFrame(rows, columns=["edge", "class", "name", "line"]).to_csv(tmp_path / "roads.csv", index=False)
    with pytest.raises(InputError, match="copy the map folder again"):
        read_roads(tmp_path)


@pytest.mark.parametrize("empty", ["decisions", "frames"])
def test_a_trace_without_rows_is_refused(empty: str, tmp_path: Path) -> None:
    keys = {"strategy": ["pm"], "image_mb": [None], "vehicle": ["v0"]}
    tables = {
        "frames": pd.DataFrame({"t_s": [0.0], "vehicle": ["v0"], "cell": ["0,0"]}),
        "decisions": pd.DataFrame({"t_s": [0.0], **keys, "host": ["L:0,0"]}),
        "stages": pd.DataFrame({**keys, "transfer": [0], "stage": ["IMAGE"], "t_begin_s": [0.0], "t_end_s": [1.0]}),
    }
    tables[empty] = tables[empty].iloc[:0]
    run = make_run(tmp_path / "run", [transfer("pm", "v0", 0, (0.0, 5.0, 6.0, 7.0), "completed")], tables=tables)
    with pytest.raises(InputError, match=f"table {empty} is damaged"):
        timeline_figure(read_results([run]))
