"""Wherever positions come from, a pass gives the same bytes of every table; and what is wrong with a source is said in one sentence."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

PASS = ["mobility.vehicles=30", "mobility.depart_window_s=30"]
TRACED = ["output.trace=true", "strategies=[pm_op_tier,oracle,nearest]"]


def tables(run: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in run.glob("*.csv")}
    assert {"vehicles.csv", "migrations.csv", "summary.csv"} <= set(found)
    return found


def facts(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())["mobility"]


def run(msmf: Command, folder: Path, name: str, *words: str, **more: str) -> Path:
    result = msmf(folder, f"output.dir={name}", *words, **more)
    assert result.returncode == 0, result.stderr
    return only_run(folder / name)


@pytest.fixture(scope="module")
def live(msmf: Command, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A live pass over TraCI: its run, and its recording."""
    folder = tmp_path_factory.mktemp("live")
    made = run(msmf, folder, "traci", *PASS, *TRACED, "mobility.source=traci")
    assert facts(made)["source"] == "traci"
    return made, Path(facts(made)["recording"]["file"])


@pytest.mark.parametrize("source", ["libsumo", "recording", "auto"])
def test_every_source_gives_the_same_bytes(source: str, live: tuple[Path, Path], msmf: Command, tmp_path: Path) -> None:
    again = run(msmf, tmp_path, "out", *PASS, *TRACED, f"mobility.source={source}")
    assert tables(again) == tables(live[0])
    assert facts(again)["source"] == ("recording" if source == "auto" else source)


def test_a_recording_from_elsewhere_needs_no_sumo(live: tuple[Path, Path], msmf: Command, tmp_path: Path) -> None:
    network = json.loads((live[0] / "run.json").read_text())["network"]["file"]
    shutil.copy(network, tmp_path / "city.net.xml")
    shutil.copy(live[1], tmp_path / "colleague.msmf")
    for name in ("traci", "libsumo"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')\n")
    words = ["scenario=sumo", "scenario.net_file=city.net.xml", "mobility.source=recording", "mobility.recording_file=colleague.msmf"]
    again = run(
        msmf,
        tmp_path,
        "out",
        *words,
        *TRACED,
        "deployment.rings=10",
        "mobility.sumo_home=nowhere",
        PYTHONPATH=str(tmp_path),
        MSMF_CACHE_DIR="no",
    )
    assert tables(again) == tables(live[0])
    assert facts(again)["recorded_with"]["source"] == "traci"
    assert not (tmp_path / "no").exists()


def test_auto_takes_traci_where_libsumo_is_missing(msmf: Command, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find_spec = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'libsumo' else find_spec(name, *more)\n"
    )
    words = ["mobility.vehicles=3", "strategies=[never]", "seed=11"]
    made = run(msmf, tmp_path, "out", *words, PYTHONPATH=str(tmp_path))
    assert facts(made)["source"] == "traci"
    (tmp_path / "libsumo.py").write_text("raise ImportError('libX11.so.6: cannot open shared object file')\n")
    refused = msmf(tmp_path, "output.dir=two", "mobility.source=libsumo", *words, PYTHONPATH=str(tmp_path))
    assert refused.returncode == 2
    assert "libsumo cannot be loaded (libX11.so.6" in refused.stderr.splitlines()[-1]


def test_a_damaged_recording_is_said_and_replaced(msmf: Command, environment: dict[str, str], tmp_path: Path) -> None:
    words = ["mobility.vehicles=3", "strategies=[never]", "seed=12"]
    first = run(msmf, tmp_path, "one", *words)
    path = Path(facts(first)["recording"]["file"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    refused = msmf(tmp_path, "output.dir=two", "mobility.source=recording", *words)
    assert refused.returncode == 2 and str(path) in refused.stderr.splitlines()[-1]
    result = msmf(tmp_path, "output.dir=three", *words)
    assert result.returncode == 0
    assert "is damaged" in result.stderr and "driving SUMO instead" in result.stderr
    assert tables(only_run(tmp_path / "three")) == tables(first)
    assert path.read_bytes() == whole
    assert facts(run(msmf, tmp_path, "four", *words))["source"] == "recording"


def test_a_cache_that_cannot_be_written_loses_no_run(msmf: Command, cache: Path, tmp_path: Path) -> None:
    words = ["mobility.vehicles=3", "strategies=[never]", "seed=13"]
    run(msmf, tmp_path, "one", *words)
    mine = tmp_path / "cache"
    mine.mkdir()
    for kind in ("networks", "routes"):
        (mine / kind).symlink_to(cache / kind)
    (mine / "recordings").write_text("a file where the folder should be")
    result = msmf(tmp_path, "output.dir=two", *words, MSMF_CACHE_DIR=str(mine))
    assert result.returncode == 0, result.stderr
    assert "this pass is not recorded: the cache cannot be written" in result.stderr
    assert tables(only_run(tmp_path / "two")) == tables(only_run(tmp_path / "one"))
    assert "cannot be written" in facts(only_run(tmp_path / "two"))["not_recorded"]


def test_two_at_once_record_the_same_pass(environment: dict[str, str], tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "msmf-traci"), "mobility.vehicles=3", "strategies=[never]", "seed=14", "output.dir=out"]
    both = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=120) and process.returncode for process in both] == [0, 0]
    recordings = {json.loads(path.read_text())["mobility"]["recording"]["file"] for path in (tmp_path / "out").glob("*/run.json")}
    assert len(recordings) == 1
    folder = Path(recordings.pop()).parent
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(f".{folder.name}")] == []


def test_what_sumo_itself_is_to_write_is_written_each_time(msmf: Command, tmp_path: Path) -> None:
    words = ["mobility.vehicles=3", "strategies=[never]", "seed=12", "mobility.sumo_args=[--tripinfo-output,trips.xml]"]
    for name in ("one", "two"):
        assert facts(run(msmf, tmp_path, name, *words))["source"] == "libsumo"
        assert (tmp_path / "trips.xml").stat().st_size > 500
        (tmp_path / "trips.xml").unlink()


def test_a_failure_inside_the_library_is_one_sentence(msmf: Command, tmp_path: Path) -> None:
    """A route that SUMO reads only after a while: it fails in mid-run, in this process."""
    live_words = ["mobility.vehicles=3", "strategies=[never]", "seed=12"]
    network = json.loads((run(msmf, tmp_path, "one", *live_words) / "run.json").read_text())
    edges = Path(network["routes"][0]["file"]).read_text().split('edges="')[1].split('"')[0]
    trips = "".join(f'<vehicle id="v{depart}" depart="{depart}"><route edges="{edges}"/></vehicle>' for depart in (0, 300, 600))
    (tmp_path / "r.rou.xml").write_text(f'<routes>{trips}<vehicle id="x" depart="900"><route edges="nowhere"/></vehicle></routes>')
    words = ["scenario=sumo", f"scenario.net_file={network['network']['file']}", "scenario.route_file=r.rou.xml", "strategies=[never]"]
    result = msmf(tmp_path, *words, "mobility.source=libsumo", "output.dir=two")
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if "s simulated" not in line]
    assert line.startswith("msmf-traci: SUMO stopped at") and "'nowhere'" in line
    assert not (tmp_path / "two").exists()


@pytest.mark.skipif("MSMF_DATA_DIR" not in os.environ, reason="needs the real map of Beijing")
def test_every_source_gives_the_same_bytes_on_beijing(msmf: Command, data_dir: Path, tmp_path: Path) -> None:
    words = ["scenario=beijing", "mobility.vehicles=20", "strategies=[oracle_tier]"]
    made = [
        run(msmf, tmp_path, source, *words, f"mobility.source={source}", MSMF_DATA_DIR=str(data_dir))
        for source in ("libsumo", "traci", "recording")
    ]
    assert tables(made[0]) == tables(made[1]) == tables(made[2])
