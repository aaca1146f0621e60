"""Wherever positions come from, a pass gives the same bytes of every table; and what is wrong with a source is said in one sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.end_to_end.test_main_job import only_run
from tests.mobility.small_town import build_town, vehicle

Command = Callable[..., subprocess.CompletedProcess[str]]

TRACED = ["output.trace=true", "strategies=[pm_op_tier,oracle,nearest]"]


def tables(run: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in run.glob("*.csv")}
    assert {"vehicles.csv", "migrations.csv", "summary.csv"} <= set(found)
    return found


def facts(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())["mobility"]


def run(called: Command, folder: Path, name: str, *words: str, **more: str) -> Path:
    result = called(folder, f"output.dir={name}", *words, **more)
    assert result.returncode == 0, result.stderr
    return only_run(folder / name)


class Passes:
    """A live pass over TraCI, and the same over libsumo, in which SUMO writes an FCD file."""

    def __init__(self, called: Command, folder: Path, rings: int, *words: str) -> None:
        self.words, self.folder, self.rings = words, folder, rings
        self.live = run(called, folder, "traci", *words, *TRACED, "mobility.source=traci")
        self.recording = Path(facts(self.live)["recording"]["file"])
        write = "mobility.sumo_args=[--fcd-output,trace.csv,--precision,6]"
        self.in_process = run(called, folder, "libsumo", *words, *TRACED, "mobility.source=libsumo", write)
        (self.in_process / "sumo" / "trace.csv").rename(folder / "trace.csv")
        about = json.loads((self.live / "run.json").read_text())
        self.network, self.routes = about["network"]["file"], about["routes"][0]["file"]

    def of_file(self, name: str) -> list[str]:
        """Words that run the FCD file of that name."""
        if name.endswith("xml"):
            self._write_xml()
        words = ["scenario=sumo", f"scenario.net_file={self.network}", f"scenario.route_file={self.routes}", "mobility.speed_kmh=50"]
        return [*words, f"deployment.rings={self.rings}", "mobility.source=fcd", f"mobility.fcd_file={self.folder}/{name}"]

    def _write_xml(self) -> None:
        """The CSV file's numbers, digit by digit, in XML as SUMO writes it."""
        table = pd.read_csv(self.folder / "trace.csv", sep=";", dtype=str, keep_default_na=False)
        with (self.folder / "trace.xml").open("w") as file:
            file.write("<fcd-export>\n")
            for time, rows in table.groupby("timestep_time", sort=False):
                file.write(f'<timestep time="{time}">\n')
                for row in rows[rows["vehicle_id"] != ""].to_dict("records"):
                    said = " ".join(
                        f'{name}="{row[f"vehicle_{name}"]}"' for name in ("id", "x", "y", "angle", "type", "speed", "pos", "lane")
                    )
                    file.write(f"<vehicle {said}/>\n")
                file.write("</timestep>\n")
            file.write("</fcd-export>\n")


@pytest.fixture(scope="module")
def on_synthetic(called: Command, tmp_path_factory: pytest.TempPathFactory, libsumo: None) -> Passes:
    return Passes(called, tmp_path_factory.mktemp("synthetic"), 10, "mobility.vehicles=12", "mobility.depart_window_s=30")


@pytest.fixture(scope="module")
def on_beijing(called: Command, data_dir: Path, tmp_path_factory: pytest.TempPathFactory, libsumo: None) -> Passes:
    """A part of Beijing, so that its network is soon made."""
    city = ["scenario=osm", f"scenario.map_file={data_dir}/beijing/beijing_central.osm.gz", "scenario.bbox=[116.36,39.88,116.42,39.93]"]
    return Passes(called, tmp_path_factory.mktemp("beijing"), 5, *city, "mobility.vehicles=12", "deployment.rings=5")


@pytest.mark.parametrize("city", ["on_synthetic", "on_beijing"])
def test_every_source_gives_the_same_bytes(city: str, request: pytest.FixtureRequest, called: Command, tmp_path: Path) -> None:
    passes: Passes = request.getfixturevalue(city)
    wanted = tables(passes.live)
    assert facts(passes.live)["source"] == "traci" and facts(passes.in_process)["source"] == "libsumo"
    assert tables(passes.in_process) == wanted
    again = run(called, tmp_path, "auto", *passes.words, *TRACED)
    assert facts(again)["source"] == "recording"
    assert tables(again) == wanted
    for name in ("trace.csv", "trace.xml"):
        again = run(called, tmp_path, name, *TRACED, *passes.of_file(name))
        assert facts(again)["coarser"] == []
        assert tables(again) == wanted


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sumo_home: Path) -> list[str]:
    """Words of a run in a small town, which is soon over."""
    folder = tmp_path_factory.mktemp("town")
    net_file = build_town(folder, sumo_home).net_file
    (folder / "r.rou.xml").write_text(f"<routes>{vehicle('v', 'ab bc ce ef')}{vehicle('w', 'cd da ab', 9)}</routes>")
    return ["scenario=sumo", f"scenario.net_file={net_file}", f"scenario.route_file={folder}/r.rou.xml", "strategies=[pm]"]


def test_a_recording_from_elsewhere_needs_no_sumo(town: list[str], called: Command, msmf: Command, tmp_path: Path) -> None:
    live = run(called, tmp_path, "live", *town, *TRACED, "seed=17", "mobility.speed_kmh=40")
    shutil.copy(facts(live)["recording"]["file"], tmp_path / "colleague.msmf")
    for name in ("traci", "libsumo"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')\n")
    words = [*town[:2], "mobility.source=recording", "mobility.recording_file=colleague.msmf", "mobility.sumo_home=nowhere", "seed=17"]
    there = {"PYTHONPATH": str(tmp_path), "MSMF_CACHE_DIR": str(tmp_path / "no")}
    again = run(msmf, tmp_path, "out", *words, *TRACED, **there)
    assert tables(again) == tables(live)
    assert facts(again)["recorded_with"]["speed_kmh"] == 40
    assert not (tmp_path / "no" / "recordings").exists()


def test_what_makes_an_fcd_file_coarser_is_said(town: list[str], called: Command, tmp_path: Path) -> None:
    live = run(called, tmp_path, "live", *town, "mobility.sumo_args=[--fcd-output,coarse.csv]")
    coarse = f"mobility.fcd_file={live}/sumo/coarse.csv"
    result = called(tmp_path, *town[:2], "mobility.source=fcd", coarse, "strategies=[never]", "output.dir=out")
    assert result.returncode == 0, result.stderr
    assert "coarse.csv is coarser than a live run: it has 2 decimals" in result.stderr
    made = only_run(tmp_path / "out")
    assert facts(made)["decimals"] == 2 and len(facts(made)["coarser"]) == 2
    assert pd.read_csv(made / "vehicles.csv")["commanded_kmh"].isna().all()


def test_auto_takes_traci_where_libsumo_is_missing(town: list[str], msmf: Command, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.metadata as metadata\n"
        "found = metadata.distributions\n"
        "metadata.distributions = lambda **asked: iter(()) if asked.get('name') == 'libsumo' else found(**asked)\n"
    )
    assert facts(run(msmf, tmp_path, "out", *town, "seed=11", PYTHONPATH=str(tmp_path)))["source"] == "traci"
    refused = msmf(tmp_path, "output.dir=two", "mobility.source=libsumo", *town, PYTHONPATH=str(tmp_path))
    assert refused.returncode == 2
    assert "but it is not installed; run: pip install libsumo==" in refused.stderr.splitlines()[-1]


def test_a_library_that_cannot_be_loaded_is_one_sentence(town: list[str], msmf: Command, tmp_path: Path, libsumo: None) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "made = util.spec_from_file_location\n"
        "def spec(name, *more, **asked):\n"
        "    if name == 'libsumo':\n"
        "        raise ImportError('libX11.so.6: cannot open shared object file')\n"
        "    return made(name, *more, **asked)\n"
        "util.spec_from_file_location = spec\n"
    )
    refused = msmf(tmp_path, "output.dir=two", "mobility.source=libsumo", *town, PYTHONPATH=str(tmp_path))
    assert refused.returncode == 2
    assert "libsumo cannot be loaded (libX11.so.6" in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize("source", ["traci", "libsumo"])
def test_the_installed_packages_of_sumo_are_used_whatever_else_bears_their_names(
    source: str, town: list[str], called: Command, msmf: Command, tmp_path: Path, libsumo: None
) -> None:
    """In the working folder and in PYTHONPATH lie others, as installed of an old release; and a variable asks for another."""
    plain = run(called, tmp_path, "plain", *town, "seed=18", f"mobility.source={source}")
    others = tmp_path / "others"
    for name in ("traci", "sumolib", "libsumo"):
        for folder in (tmp_path / name, others / name):
            folder.mkdir(parents=True)
            (folder / "__init__.py").write_text("raise RuntimeError('this is another one')\n")
        (others / f"{name}-1.20.0.dist-info").mkdir()
        (others / f"{name}-1.20.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.20.0\n")
    (tmp_path / "pyproj.py").write_text("raise RuntimeError('this is another one')\n")
    (tmp_path / "own.py").write_text("from msmf_traci.strategies.never import Never\n\nclass Mine(Never):\n    name = 'mine'\n")
    around = {"PYTHONPATH": str(others), "LIBSUMO_AS_TRACI": "1", "SUMO_HOME": str(others)}
    again = run(msmf, tmp_path, "again", *town, "seed=18", f"mobility.source={source}", "strategies=[pm,own:Mine]", **around)
    of_pm = pd.read_csv(again / "vehicles.csv").query("strategy == 'pm'").reset_index(drop=True)
    pd.testing.assert_frame_equal(of_pm, pd.read_csv(plain / "vehicles.csv"), check_exact=True)


def test_warnings_of_sumo_are_said_and_kept_in_a_replay_too(town: list[str], called: Command, tmp_path: Path) -> None:
    """A vehicle that cannot change to the lane that it needs is teleported, of which SUMO warns."""
    stop = '<stop edge="ab" endPos="150" duration="300"/>'
    (tmp_path / "r.rou.xml").write_text(f"<routes>{vehicle('d', 'da ab bc', 0, inner=stop)}{vehicle('x', 'da ab bc cd', 20)}</routes>")
    words = [*town[:2], "scenario.route_file=r.rou.xml", "strategies=[never]", "mobility.sumo_args=[--time-to-teleport,20]"]
    live, replay = (called(tmp_path, *words, f"output.dir={name}") for name in ("one", "two"))
    assert live.returncode == replay.returncode == 0
    (line,) = [line for line in live.stderr.splitlines() if line.startswith("SUMO gave")]
    assert "Teleporting vehicle 'x'" in line
    assert f"when this pass was recorded, {line}" in replay.stderr
    kinds = facts(only_run(tmp_path / "one"))["sumo_warnings"]
    assert sum(kind["number"] for kind in kinds) == int(line.split()[2])
    assert facts(only_run(tmp_path / "two"))["recorded_with"]["sumo_warnings"] == line


def test_a_damaged_recording_is_said_and_replaced(town: list[str], called: Command, tmp_path: Path, libsumo: None) -> None:
    first = run(called, tmp_path, "one", *town, "seed=12")
    assert facts(first)["source"] == "libsumo"
    path = Path(facts(first)["recording"]["file"])
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    refused = called(tmp_path, "output.dir=two", "mobility.source=recording", *town, "seed=12")
    assert refused.returncode == 2 and "there is no recording of this pass" in refused.stderr.splitlines()[-1]
    result = called(tmp_path, "output.dir=three", *town, "seed=12")
    assert result.returncode == 0
    assert f"{path.parent} in the cache has changed since it was built (pass.msmf has another size)" in refused.stderr
    assert tables(only_run(tmp_path / "three")) == tables(first)
    assert path.read_bytes() == whole
    assert facts(run(called, tmp_path, "four", *town, "seed=12"))["source"] == "recording"


def test_what_moves_vehicles_in_another_way_is_another_pass(town: list[str], called: Command, tmp_path: Path) -> None:
    run(called, tmp_path, "one", *town, "seed=15")
    for words in (["seed=16"], ["seed=15", "mobility.speed_kmh=30"], ["seed=15", "mobility.step_s=0.5"]):
        refused = called(tmp_path, "output.dir=two", *town, *words, "mobility.source=recording")
        assert refused.returncode == 2 and "there is no recording of this pass yet" in refused.stderr.splitlines()[-1]
    assert facts(run(called, tmp_path, "three", *town, "seed=15", "workload.image_mb=100"))["source"] == "recording"


def test_a_cache_that_cannot_be_written_loses_no_run(town: list[str], called: Command, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "recordings").write_text("a file where the folder should be")
    result = called(tmp_path, "output.dir=out", *town, "seed=13", MSMF_CACHE_DIR=str(cache))
    assert result.returncode == 0, result.stderr
    assert "this pass is not recorded: the cache cannot be written" in result.stderr
    assert "cannot be written" in facts(only_run(tmp_path / "out"))["not_recorded"]


def test_two_at_once_record_the_same_pass(town: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "msmf-traci"), *town, "seed=14", "output.dir=out"]
    both = [subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=120) and process.returncode for process in both] == [0, 0]
    recordings = {json.loads(path.read_text())["mobility"]["recording"]["file"] for path in (tmp_path / "out").glob("*/run.json")}
    assert len(recordings) == 1
    folder = Path(recordings.pop()).parent
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(f".{folder.name}")] == []


def test_what_sumo_itself_is_to_write_is_written_each_time(town: list[str], called: Command, tmp_path: Path, libsumo: None) -> None:
    for name in ("one", "two"):
        made = run(called, tmp_path, name, *town, "mobility.sumo_args=[--tripinfo-output,trips.xml]")
        assert facts(made)["source"] == "libsumo"
        assert facts(made)["sumo_outputs"] == {"sumo/trips.xml": f"SUMO's --tripinfo-output {tmp_path}/trips.xml"}
        assert (made / "sumo" / "trips.xml").stat().st_size > 500
        assert not (tmp_path / "trips.xml").exists()


def test_a_sweep_in_which_sumo_writes_has_the_files_in_every_run(town: list[str], called: Command, tmp_path: Path, libsumo: None) -> None:
    """Names of runs in a sweep over two options have commas, at which SUMO would part a path."""
    sweep = ["-m", "seed=1,2", "mobility.max_duration_s=30,40", "mobility.sumo_args=[--tripinfo-output,trips.xml,--save-state.times,5]"]
    result = called(tmp_path, *sweep, *town, "output.dir=out")
    assert result.returncode == 0, result.stderr
    written = [sorted(path.name for path in (run.parent / "sumo").iterdir()) for run in (tmp_path / "out").glob("*/run.json")]
    assert len(written) == 4 and all(names == ["state_5.00.xml.gz", "trips.xml"] for names in written)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_failure_inside_the_library_is_one_sentence(town: list[str], msmf: Command, tmp_path: Path, libsumo: None) -> None:
    """Routes are read ahead of time by some steps only: the last one fails in mid-run, in this process."""
    good = "".join(vehicle(f"v{depart_s}", "ab bc", depart_s) for depart_s in (0, 300, 600))
    (tmp_path / "r.rou.xml").write_text(f"<routes>{good}{vehicle('x', 'nowhere', 900)}</routes>")
    words = [*town[:2], "scenario.route_file=r.rou.xml", "strategies=[never]", "mobility.source=libsumo", "output.dir=out"]
    result = msmf(tmp_path, *words)
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("msmf-traci: SUMO stopped at") and "'nowhere'" in line
    assert not (tmp_path / "out").exists()
