"""Sweeps: what runs are called, which are done already, and their stacked summary (docs/tables.md)."""

import json
import re
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.config.compose import Request, read_request
from msmf_traci.errors import InputError
from msmf_traci.files.exact_csv import EXACT
from msmf_traci.launch import naming
from msmf_traci.launch.naming import LONGEST_NAME, name_by, results_folder, swept_folder, timed_folder
from msmf_traci.launch.sweep import check_one_folder, is_done, stack_summaries
from msmf_traci.results.option_columns import column_names
from msmf_traci.results.store import RUN_FILE, write_json, write_table

FINGERPRINT = {"network": "n", "routes": [], "strategies": {"pm": "p"}, "versions": {"sumo": "1.28.0"}}


def request_of(folder: Path, *words: str) -> Request:
    return read_request([*words, f"output.dir={folder}"], multirun=True)


def stacked(request: Request) -> pd.DataFrame:
    """The stacked summary, read back."""
    stack_summaries(request)
    return pd.read_csv(results_folder(request.points[0].config) / "summary.csv", **EXACT)


def stacked_bytes(request: Request) -> bytes:
    stack_summaries(request)
    return (results_folder(request.points[0].config) / "summary.csv").read_bytes()


def config_of(*words: str):
    return read_request(list(words)).points[0].config


def finish(request: Request, format: str = "csv") -> None:
    """Leave behind what runs would: a row of a summary each, the vehicles' numbers counting up from 1, and run.json."""
    for number, point in enumerate(request.points, 1):
        folder = swept_folder(point)
        folder.mkdir(parents=True)
        config = point.config
        keys = {"strategy": "pm", "image_mb": None, "commanded_kmh": config.mobility.speed_kmh, "seed": config.seed}
        values = {"vehicles": number, "user_left_per_trip": 0.5, "mean_lead_s": number / 7}
        write_table(folder, "summary", pd.DataFrame([{**keys, **values}]), format)
        write_table(folder, "summary_by_band", pd.DataFrame([{**keys, "band": "<10", **values}]), format)
        write_json(folder / RUN_FILE, {"config": config.model_dump(), "fingerprint": FINGERPRINT, "key_columns": ["strategy", "image_mb"]})


def test_runs_of_an_experiment_lie_in_its_folder(tmp_path):
    assert results_folder(config_of()) == Path("results/synthetic")
    assert results_folder(config_of("experiment=quick")) == Path("results/quick")
    assert results_folder(config_of(f"output.dir={tmp_path}")) == tmp_path
    assert results_folder(config_of('output.dir="~/runs"')) == Path.home() / "runs"


def test_no_experiment_can_be_asked_for_by_its_default():
    """Model, section 12: experiment, default null."""
    assert config_of("experiment=null") == config_of()


def test_single_run_is_called_by_its_time_and_numbered_on_where_that_is_taken(tmp_path, monkeypatch):
    class Noon(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2024, 2, 29, 12, 0, 5)

    monkeypatch.setattr(naming, "datetime", Noon)
    config = config_of(f"output.dir={tmp_path}")
    names = []
    for _ in range(3):
        folder = timed_folder(config)
        folder.mkdir()
        names.append(folder.name)
    assert names == ["2024-02-29T12-00-05", "2024-02-29T12-00-05-2", "2024-02-29T12-00-05-3"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["mobility.speed_kmh=5,20"], "speed_kmh=5"),
        (["seed=1,2", "mobility.speed_kmh=5,20"], "speed_kmh=5_seed=1"),
        (["mobility.speed_kmh=5,20", "seed=1,2"], "speed_kmh=5_seed=1"),
        (["strategy.pm_op.min_m=100,150", "workload.image_mb=100,200"], "min_m=100_image_mb=100"),
        (["seed=1,2", "dry_run=false", "hydra.verbose=true"], "seed=1"),
        ([], "defaults"),
    ],
)
def test_runs_of_a_sweep_are_called_by_what_is_varied(tmp_path, words, name):
    assert swept_folder(request_of(tmp_path, *words).points[0]) == tmp_path / name


def test_what_a_sweep_fixes_is_in_the_name_as_a_hash(tmp_path):
    names = [
        swept_folder(request_of(tmp_path, "seed=0,1", *more).points[0]).name
        for more in ([], ["mobility.vehicles=30"], ["mobility.vehicles=40"], ["mobility.vehicles=30", "strategy.nearest.trigger_m=60"])
    ]
    assert names[0] == "seed=0"
    assert all(re.fullmatch(r"seed=0-[0-9a-f]{8}", name) for name in names[1:])
    assert len(set(names)) == len(names)
    again = swept_folder(request_of(tmp_path, "strategy.nearest.trigger_m=60", "mobility.vehicles=30", "seed=0,1").points[0]).name
    assert again == names[3]


@pytest.mark.parametrize("words", [["scenario=synthetic", "seed=0,1"], ["experiment=quick", "seed=0,1"]])
def test_what_names_the_folder_is_not_in_the_names_of_its_runs(words):
    point = read_request(words, multirun=True).points[0]
    assert swept_folder(point) == Path("results") / words[0].partition("=")[2] / "seed=0"


@pytest.mark.parametrize(
    "word",
    [
        "workload.image_mb=[100,500]",
        "scenario.net_file=/maps/my city/../net.xml",
        "scenario.net_file=" + "long/" * 80 + "net.xml",
        "scenario.map_file=北京.osm.pbf",
        "strategies=[" + ",".join(f"package.module:Class{n}" for n in range(20)) + "]",
    ],
)
def test_long_and_odd_values_make_a_name_that_any_disk_and_shell_takes(tmp_path, word):
    name = name_by([word, *(f"section.option_{n}=1" for n in range(9))])
    assert len(name) <= LONGEST_NAME + 9
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.=+-")
    (tmp_path / name).mkdir()


def test_odd_values_that_look_alike_are_called_differently():
    words = ["a=[1,5]", "a=(1,5)", "a=_1,5_", "a=" + "x" * 200 + "1", "a=" + "x" * 200 + "2", "a=1_5"]
    assert len({name_by([word]) for word in words}) == len(words)


def test_values_given_twice_are_refused(tmp_path):
    check_one_folder(request_of(tmp_path, "seed=0,1"))
    with pytest.raises(InputError, match="same run twice"):
        check_one_folder(request_of(tmp_path, "seed=1,1"))


def test_sweep_over_experiments_needs_one_folder(tmp_path):
    with pytest.raises(InputError, match=r"output\.dir=FOLDER"):
        check_one_folder(read_request(["experiment=quick,paper_table2"], multirun=True))


def test_sweep_over_experiments_goes_into_the_folder_that_the_refusal_asks_for(tmp_path):
    request = request_of(tmp_path, "experiment=quick,paper_table2")
    assert len(request.points) == 2
    check_one_folder(request)


def test_run_that_lies_complete_is_done(tmp_path):
    request = request_of(tmp_path, "seed=0,1")
    folders = [swept_folder(point) for point in request.points]
    assert not any(is_done(folder, point.config, FINGERPRINT) for folder, point in zip(folders, request.points, strict=True))
    finish(request)
    assert all(is_done(folder, point.config, FINGERPRINT) for folder, point in zip(folders, request.points, strict=True))


@pytest.mark.parametrize("word", ["dry_run=true", "output.dir=elsewhere"])
def test_run_is_the_same_wherever_it_lies_and_however_it_was_asked_for(tmp_path, word):
    request = request_of(tmp_path, "seed=0")
    finish(request)
    folder = swept_folder(request.points[0])
    assert is_done(folder, read_request([word]).points[0].config, FINGERPRINT)


@pytest.mark.parametrize("word", ["mobility.vehicles=99", "links.bandwidth_mbps=50", "strategies=[pm]", "output.format=parquet"])
def test_another_run_in_the_same_place_is_refused(tmp_path, word):
    request = request_of(tmp_path, "seed=0")
    finish(request)
    folder = swept_folder(request.points[0])
    with pytest.raises(InputError, match=r"another run.*never overwritten"):
        is_done(folder, config_of(word), FINGERPRINT)


@pytest.mark.parametrize("content", [None, "{", "{}"])
def test_folder_that_is_no_run_is_refused(tmp_path, content):
    folder = tmp_path / "run"
    folder.mkdir()
    if content is not None:
        (folder / RUN_FILE).write_text(content)
    with pytest.raises(InputError, match="never overwritten"):
        is_done(folder, config_of(), FINGERPRINT)


def test_done_survives_the_numbers_of_json(tmp_path):
    """A configuration with integers, floats, nulls and lists compares equal after it went through a file."""
    config = config_of("mobility.speed_kmh=50", "workload.image_mb=[100,500.5]", "deployment.center={x: 1, y: 2.5}")
    (tmp_path / RUN_FILE).write_text(
        json.dumps({"config": config.model_dump(), "fingerprint": FINGERPRINT, "key_columns": ["strategy", "image_mb"]})
    )
    assert is_done(tmp_path, config, FINGERPRINT)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_summaries_are_stacked_with_a_column_for_each_swept_option(tmp_path, format):
    request = request_of(tmp_path, "links.bandwidth_mbps=50,100", "handoff.unsynced=stop,relay")
    finish(request, format)
    table = stacked(request)
    assert stack_summaries(request).settings == ("bandwidth_mbps", "unsynced", "image_mb", "commanded_kmh")
    by_band = pd.read_csv(tmp_path / "summary_by_band.csv", **EXACT)
    assert list(by_band.columns[:6]) == ["strategy", "bandwidth_mbps", "unsynced", "image_mb", "commanded_kmh", "seed"]
    assert list(by_band["band"]) == ["<10"] * 4 and list(by_band["vehicles"]) == [1, 2, 3, 4]
    assert list(table.columns[:6]) == ["strategy", "bandwidth_mbps", "unsynced", "image_mb", "commanded_kmh", "seed"]
    swept = list(table[["bandwidth_mbps", "unsynced", "vehicles"]].itertuples(index=False, name=None))
    assert swept == [(50, "stop", 1), (50, "relay", 2), (100, "stop", 3), (100, "relay", 4)]
    assert list(table["mean_lead_s"]) == [number / 7 for number in (1, 2, 3, 4)]


def test_key_columns_are_not_doubled(tmp_path):
    request = request_of(tmp_path, "mobility.speed_kmh=5,20", "seed=0,1")
    finish(request)
    table = stacked(request)
    assert list(table.columns) == ["strategy", "image_mb", "commanded_kmh", "seed", "vehicles", "user_left_per_trip", "mean_lead_s"]
    assert list(table[["commanded_kmh", "seed"]].itertuples(index=False, name=None)) == [(5, 0), (5, 1), (20, 0), (20, 1)]


def test_options_of_the_same_last_name_are_called_by_their_paths(tmp_path):
    request = request_of(tmp_path, "strategy.pm_op.min_m=100,150", "tiers.regional.latency_ms=40", "strategy.nearest.trigger_m=50,60")
    assert request.points[0].swept == ("strategy.pm_op.min_m", "strategy.nearest.trigger_m")
    same = ("links.x", "handoff.x", "tiers.y")
    assert column_names(same, ["y"]) == {name: name for name in same}
    finish(request)
    assert {"min_m", "trigger_m"} <= set(stacked(request).columns)


def test_lists_and_nulls_are_told_as_text_and_as_empty(tmp_path):
    request = request_of(tmp_path, "strategies=[pm],[pm,never]", "deployment.rings=null,3")
    finish(request)
    table = stacked(request)
    assert list(table["strategies"]) == ["['pm']"] * 2 + ["['pm', 'never']"] * 2
    assert list(table["rings"].isna()) == [True, False, True, False]


@pytest.mark.parametrize("words", ["mobility.vehicles=50,100", "handoff.user_left=abandon,finish"])
def test_options_called_like_a_column_of_the_summary_can_be_swept(tmp_path, words):
    request = request_of(tmp_path, words)
    finish(request)
    assert len(stacked(request)) == 2


def test_presets_of_what_a_migration_costs_are_told_by_their_names(tmp_path):
    (tmp_path / "migration").mkdir()
    (tmp_path / "migration" / "slow.yaml").write_text("processing:\n  checkpoint_s: 3\n")
    request = read_request(
        ["migration=paper,slow", "links.round_trip_ms=1,2", f"output.dir={tmp_path}"], multirun=True, config_dir=str(tmp_path)
    )
    finish(request)
    table = stacked(request)
    assert list(table[["migration", "round_trip_ms"]].itertuples(index=False, name=None)) == [
        ("paper", 1),
        ("paper", 2),
        ("slow", 1),
        ("slow", 2),
    ]


def test_summary_of_an_earlier_sweep_is_kept(tmp_path):
    sweeps = [request_of(tmp_path, f"seed={seeds}") for seeds in ("0,1", "2,3", "4,5")]
    written = []
    for request in sweeps:
        finish(request)
        written.append(stacked_bytes(request))
    kept = {path.name: path.read_bytes() for path in tmp_path.glob("summary*") if "band" not in path.name}
    assert kept == {"summary.csv": written[2], "summary-1.csv": written[0], "summary-2.csv": written[1]}


def test_stacking_again_leaves_the_same_one_file(tmp_path):
    request = request_of(tmp_path, "seed=0,1")
    finish(request)
    first = stacked_bytes(request)
    assert stacked_bytes(request) == first
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["summary.csv", "summary_by_band.csv"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("network", "m", "network"),
        ("routes", ["r"], "routes"),
        ("strategies", {"pm": "q"}, "code of the strategy pm"),
        ("strategies", {"pm": "q", "mine": "r"}, "code of the strategies mine, pm"),
        ("versions", {"sumo": "1.29.0"}, "versions"),
    ],
)
def test_run_with_other_inputs_or_versions_is_not_done(tmp_path, name, value, said):
    config = config_of()
    (tmp_path / RUN_FILE).write_text(
        json.dumps({"config": config.model_dump(), "fingerprint": FINGERPRINT, "key_columns": ["strategy", "image_mb"]})
    )
    with pytest.raises(InputError, match=f"with other {said};"):
        is_done(tmp_path, config, FINGERPRINT | {name: value})
