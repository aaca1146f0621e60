"""The command: what it writes, what it replaces, and one sentence for whatever is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.commands.entry import report
from msmf_traci.reporting.command import write_report
from msmf_traci.reporting.reading import read_results
from msmf_traci.reporting.style import looks
from msmf_traci.results.newest import newest_results, newest_run
from msmf_traci.results.sweep_records import Planned, Records
from tests.reporting.made_results import write_run, write_sweep

FILLED = {"circle", "square", "cross", "diamond", "triangle-up", "triangle-down", "triangle-left", "triangle-right"}


def _refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert report(list(words)) == 2
    said = capsys.readouterr().err
    assert said.startswith("msmf-traci report: ")
    assert said.count("\n") == 1
    return said


def test_a_sweep_and_a_study_beside_it_become_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = write_sweep(tmp_path / "figure7", seeds=[0, 1])
    study = write_sweep(tmp_path / "study", seeds=[0, 1], varied={"tiers.regional.rings": [1.0, 2.0]}, transfers=0)
    # settings that both have must be the same
    for folder in (path.parent for path in study.glob("*/run.json")):
        table, ours = pd.read_csv(folder / "summary.csv"), pd.read_csv(sweep / folder.name / "summary.csv")
        reference = table["rings"] == 2.0
        table.loc[reference, ours.columns] = ours.to_numpy()
        table.to_csv(folder / "summary.csv", index=False)
    assert report([str(sweep), str(study)]) == 0
    page = sweep / "report" / "index.html"
    assert capsys.readouterr().out == f"Report: {page}\n"
    assert {"traffic_by_speed.svg", "traffic_by_tiers_regional_rings.png", "bytes.csv"} <= {
        p.name for p in (page.parent / "figures").iterdir()
    }
    # the report is no run, and the next one takes its place
    assert len(read_results([sweep]).runs) == 4
    (page.parent / "old").touch()
    assert report([str(sweep)]) == 0
    assert not (page.parent / "old").exists()
    assert [path.name for path in sweep.iterdir() if path.name.startswith(".")] == []


def test_one_seed_gives_a_page_that_says_why_there_are_no_intervals(tmp_path: Path) -> None:
    assert report([str(write_run(tmp_path / "run", transfers=0)), "--out", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "No intervals: one seed alone" in text
    assert "1 of 1 runs have no table of transfers" in text


def test_claims_are_judged_for_the_papers_experiments_or_where_they_are_asked_for(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", transfers=0)
    page, table = tmp_path / "out" / "index.html", tmp_path / "out" / "claims.csv"
    assert report([str(run), "--out", str(page.parent)]) == 0
    assert not table.exists() and 'id="claims"' not in page.read_text(encoding="utf-8")
    assert report([str(run), "--out", str(page.parent), "--claims"]) == 0
    assert table.exists() and 'id="claims"' in page.read_text(encoding="utf-8")
    facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
    facts["config"]["experiment"] = "figure7_synthetic"
    (run / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    assert report([str(run), "--out", str(page.parent)]) == 0
    assert table.exists() and "Without data: " in page.read_text(encoding="utf-8")


def test_another_folder_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine", encoding="utf-8")
    assert "is not an earlier report" in _refused(capsys, str(run), "--out", str(tmp_path / "mine"))
    assert "is not an earlier report" in _refused(capsys, str(run), "--out", str(run))
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no finished run" in _refused(capsys, str(tmp_path / "empty"))
    assert "is not a folder" in _refused(capsys, str(tmp_path / "nowhere"))
    assert "unrecognized arguments: --fast" in _refused(capsys, str(tmp_path / "empty"), "--fast")

    half = write_run(tmp_path / "half" / "a")
    (half / "run.json").unlink()
    assert "has no run.json" in _refused(capsys, str(tmp_path / "half"))

    write_run(tmp_path / "mixed" / "a")
    write_run(tmp_path / "mixed" / "b", seed=1, version="0.2.0")
    assert "0.1.0" in _refused(capsys, str(tmp_path / "mixed"))

    short = write_run(tmp_path / "short")
    pd.read_csv(short / "summary.csv").drop(columns="mean_outage_s").to_csv(short / "summary.csv", index=False)
    assert "no column mean_outage_s" in _refused(capsys, str(short))

    (write_run(tmp_path / "without") / "migrations.csv").unlink()
    assert "has no table migrations" in _refused(capsys, str(tmp_path / "without"))

    cut = write_run(tmp_path / "cut")
    pd.read_csv(cut / "migrations.csv").drop(columns="lead_s").to_csv(cut / "migrations.csv", index=False)
    assert "table migrations cannot be read" in _refused(capsys, str(cut))
    assert not (cut / "report").exists()


@pytest.mark.parametrize("table", ["summary", "migrations", "vehicles"])
def test_table_cut_off_in_the_middle_of_a_row_is_refused(table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    path = run / f"{table}.csv"
    path.write_bytes(path.read_bytes()[:-3])
    said = _refused(capsys, str(run))
    assert f"{table}.csv is cut off in the middle of its last row" in said or "table migrations does not fit the table vehicles" in said
    assert not (run / "report").exists()


def test_a_replay_needs_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run")
    assert "no run has a trace to replay" in _refused(capsys, str(run), "--replay")
    assert not (run / "report").exists()


def test_help_and_refusals_load_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys, json; from msmf_traci.commands.entry import report\n"
        "try: code = report(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = [name for name in ('altair', 'vl_convert', 'scipy', 'numba') if name in sys.modules]\n"
        "print(json.dumps([code, heavy]))"
    )
    for words, code in ((["--help"], 0), ([], 2), ([str(tmp_path / "nowhere")], 2)):
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout.splitlines()[-1]) == [code, []]


def test_without_a_folder_it_is_the_newest_run_or_sweep_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no finished run in the folder results here" in _refused(capsys)
    old = write_run(tmp_path / "results" / "city" / "old")
    write_sweep(tmp_path / "results" / "sweep", seeds=[0, 1])
    pd.DataFrame({"strategy": ["pm"]}).to_csv(tmp_path / "results" / "sweep" / "summary.csv")
    os.utime(old / "run.json", (1, 1))
    assert newest_results() == Path("results/sweep")
    assert newest_run().parent == Path("results/sweep")
    (tmp_path / "results" / "sweep" / "summary.csv").unlink()
    os.utime(old / "run.json")
    assert newest_results() == newest_run() == Path("results/city/old")
    assert "the newest results here: results/city/old" in capsys.readouterr().err


def test_of_a_shared_folder_the_newest_sweep_counts_and_the_rest_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # pinned: three runs that had been tried before were pooled with the sweep of eight, without a word
    folder = write_sweep(tmp_path / "shared", speeds=(20.0, 50.0), seeds=[0, 1])
    swept = sorted(path.parent.name for path in folder.glob("*/run.json"))
    Records(folder).write_plan([Planned(name, "x") for name in swept])
    write_run(folder / "tried", speed=80.0, seed=7)
    page = write_report([folder], tmp_path / "page").read_text(encoding="utf-8")
    assert "the report is on the newest sweep (4 runs), 1 other run there left out" in capsys.readouterr().err
    assert "tried" not in page and all(name in page for name in swept)
    both = write_report([folder, folder / "tried"], tmp_path / "both").read_text(encoding="utf-8")
    assert "tried" in both


def test_every_strategy_has_a_mark_that_is_filled() -> None:
    # pinned: vega draws "stroke" as a line, which a filled mark does not show
    names = ["nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "oracle", "oracle_tier", *(f"own{n}" for n in range(8))]
    assert {look.shape for look in looks(names) if not look.shape.endswith("Z")} <= FILLED  # or a closed path
