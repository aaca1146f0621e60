"""What msmf-traci status says of a folder, and what --clear-cache removes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from msmf_traci.commands.entry import status
from msmf_traci.results.sweep_records import Planned, Records
from msmf_traci.scenario.content_cache import build_once, used_until_the_end
from msmf_traci.scenario.fetched import note_fetched, record_of
from msmf_traci.scratch import OWNER_FILE, owned_scratch, part_of

KEY = "0123456789abcdef0123"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MSMF_CACHE_DIR", str(folder))
    return folder


def finished(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")


def test_every_run_of_a_sweep_is_told_by_its_state(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "results" / "city"
    records = Records(place)
    records.write_plan([Planned(f"seed={seed}", "") for seed in range(12)])
    for seed in (0, 1, 10):
        finished(place / f"seed={seed}")
    records.note_failure("seed=2", "SUMO stopped")
    claim = records.claim("seed=3", wait=False)
    killed = part_of(place / "seed=4")
    killed.mkdir()
    (killed / OWNER_FILE).write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    with owned_scratch(part_of(place / "2024-02-29T12-00-05")), owned_scratch(part_of(place / "map-1")):
        assert status([str(tmp_path / "results")]) == 0
    assert claim is not None
    claim.release()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{place}: 3 done, 3 running, 1 failed, 6 missing"
    assert [line.split() for line in said[1:7]] == [
        ["running", "2024-02-29T12-00-05"],
        ["done", "seed=0"],
        ["done", "seed=1"],
        ["failed", "seed=2:", "SUMO", "stopped"],
        ["running", "seed=3"],
        ["running", "seed=4"],  # of another host, and young
    ]
    assert said[-1].startswith(f"cache {cache}: empty")


def test_run_whose_process_was_killed_is_interrupted(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = Records(tmp_path / "results")
    records.write_plan([Planned("seed=0", "")])
    claim = records.claim("seed=0", wait=False)
    assert claim is not None
    claim.close()
    assert status([str(tmp_path / "results")]) == 0
    assert "1 interrupted" in capsys.readouterr().out


def test_folder_that_is_not_there_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status([str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_without_a_folder_it_is_results(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status([]) == 2
    assert "results: there is no such folder" in capsys.readouterr().err
    finished(tmp_path / "results" / "city" / "run")
    assert status([]) == 0
    assert "1 done" in capsys.readouterr().out


def test_folder_without_runs_says_so(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status([str(tmp_path)]) == 0
    assert "no runs" in capsys.readouterr().out


def test_cache_is_measured_and_emptied_but_for_what_is_being_built(tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("networks", "routes"):
        (cache / kind / KEY).mkdir(parents=True)
        (cache / kind / KEY / "file").write_bytes(b"x" * 1_500_000)
    (cache / "maps").mkdir()
    (cache / "maps" / "city.osm.gz").write_bytes(b"x")
    note_fetched(cache / "maps" / "city.osm.gz")
    assert status([str(tmp_path)]) == 0
    assert "networks 1.5 MB, routes 1.5 MB" in capsys.readouterr().out
    with owned_scratch(part_of(cache / "routes" / KEY[::-1])) as building:
        assert status(["--clear-cache"]) == 0
        assert building.is_dir()
    assert "3 removed; kept 1 that a running process is building" in capsys.readouterr().out
    assert [path.name for path in cache.iterdir()] == ["routes"] and not list((cache / "routes").iterdir())


def test_what_a_live_run_uses_stays_until_it_ends(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = (
        "from msmf_traci.scenario.content_cache import build_once\n"
        f"print(build_once('networks', {KEY!r}, lambda folder: (folder / 'net').write_text('net')), flush=True)\n"
        "input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as live:
        assert live.stdout is not None
        assert live.stdout.readline().strip() == str(cache / "networks" / KEY)
        build_once("routes", KEY, lambda folder: (folder / "trips").write_text("trips"))
        with used_until_the_end():
            build_once("roads", KEY, lambda folder: (folder / "roads").write_text("roads"))
        assert status(["--clear-cache"]) == 0
        assert "1 removed; kept 2 that a running process uses" in capsys.readouterr().out  # the other's, and the routes
        assert (cache / "networks" / KEY / "net").is_file() and not (cache / "roads").exists()
        live.communicate("\n")
    assert status(["--clear-cache"]) == 0
    assert "1 removed; kept 1" in capsys.readouterr().out


def test_maps_that_were_not_fetched_stay_and_are_named(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps = cache / "maps"
    maps.mkdir(parents=True)
    for name in ("fetched.osm.gz", "changed.osm", "own.osm.pbf"):
        (maps / name).write_text("a map")
        if name != "own.osm.pbf":
            note_fetched(maps / name)
    (maps / "changed.osm").write_text("mended by hand")
    assert status(["--clear-cache"]) == 0
    assert "1 removed; kept what msmf-traci fetch has not fetched: maps/changed.osm, maps/own.osm.pbf" in capsys.readouterr().out
    assert {path.name for path in maps.iterdir()} == {"changed.osm", record_of(maps / "changed.osm").name, "own.osm.pbf"}


@pytest.mark.parametrize("foreign", ["letters", "networks/letters", "maps/letters"])
def test_folder_that_is_no_cache_of_ours_is_left_alone(
    foreign: str, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (cache / "networks" / KEY).mkdir(parents=True)
    if foreign == "letters":
        (cache / foreign).write_text("dear")
    else:
        (cache / foreign).mkdir(parents=True)
    assert status(["--clear-cache"]) == 2
    assert "does not look like a cache" in capsys.readouterr().err
    assert (cache / "networks" / KEY).is_dir() and (cache / foreign).exists()


def test_links_out_of_the_cache_are_not_followed(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "precious" / KEY).mkdir(parents=True)
    cache.mkdir()
    (cache / "networks").symlink_to(tmp_path / "precious")
    assert status(["--clear-cache"]) == 2
    assert (tmp_path / "precious" / KEY).is_dir()
