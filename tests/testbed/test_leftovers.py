"""What a killed testbed leaves is found by its name, and nothing else is touched."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from msmf_traci.errors import MsmfError
from msmf_traci.testbed import leftovers
from msmf_traci.testbed.programs import MARK

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(leftovers, "RECORDS", tmp_path / "records")
    return tmp_path / "records"


def start(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(SLEEP, env={**os.environ, MARK: mark})


def test_a_session_takes_everything_of_its_own_down(tmp_path: Path, records: Path) -> None:
    stranger = start("msmf-another")
    try:
        with leftovers.recorded(tmp_path / "place") as (name, folder):
            ours = start(name)
            (folder / "disk").mkdir()
            assert (records / name / "testbed.json").is_file()
        assert ours.wait(5) == -9
        assert not (tmp_path / "place").exists() and not records.exists()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_a_killed_process_left_is_removed(tmp_path: Path, records: Path) -> None:
    program = f"""
import os, subprocess, sys
from pathlib import Path
from msmf_traci.testbed import leftovers
leftovers.RECORDS = Path({str(records)!r})
results = Path({str(tmp_path / "results" / "testbed")!r})
with leftovers.recorded(Path({str(tmp_path / "place")!r}), results) as (name, folder):
    results.mkdir(parents=True)
    left = subprocess.Popen({SLEEP!r}, env={{**os.environ, {MARK!r}: name}}, stdout=-3, stderr=-3)
    (folder / "pages-1.img").write_bytes(b"memory")
    print(name, left.pid, flush=True)
    os.kill(os.getpid(), 9)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    name, left = said.stdout.split()
    assert (tmp_path / "place" / name).is_dir()
    assert leftovers.clean() == ([f"{name}: removed 1 program, folder {tmp_path / 'place' / name}"], [])
    assert not Path(f"/proc/{left}/cmdline").exists() or Path(f"/proc/{left}/cmdline").read_bytes() == b""
    assert not (tmp_path / "place").exists() and not records.exists()
    assert not (tmp_path / "results").exists()  # which was made for what was to be written
    assert leftovers.clean() == ([], [])


def test_a_living_session_is_left_alone(tmp_path: Path) -> None:
    with leftovers.recorded(tmp_path / "place") as (name, folder):
        assert leftovers.clean() == ([f"{name}: in use, left alone"], [])
        assert folder.is_dir()


def test_a_folder_that_does_not_bear_the_name_is_not_removed(tmp_path: Path, records: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (records / "msmf-abc").mkdir(parents=True)
    (records / "msmf-abc" / "testbed.json").write_text(f'{{"folder": "{precious}"}}')
    (records / "msmf-abc" / "owner.lock").write_text(f'{{"host": "{os.uname().nodename}", "pid": 1}}')
    leftovers.clean()
    assert precious.is_dir() and not records.exists()


def test_what_cannot_be_removed_keeps_its_record_and_holds_nobody_up(
    tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("msmf-aaa", "msmf-bbb"):
        (records / name).mkdir(parents=True)
        (records / name / "owner.lock").write_text(f'{{"host": "{os.uname().nodename}", "pid": 1}}')
        (records / name / "testbed.json").write_text(json.dumps({"folder": str(tmp_path / name)}))
        (tmp_path / name).mkdir()
    remove = leftovers.shutil.rmtree
    monkeypatch.setattr(leftovers.shutil, "rmtree", lambda path, **_: None if path.name == "msmf-aaa" else remove(path))
    (done,), (failure,) = leftovers.clean()
    assert failure.startswith("testbed msmf-aaa: ") and "could not be removed" in failure
    assert done.startswith("msmf-bbb: removed folder")
    assert [path.name for path in records.iterdir()] == ["msmf-aaa"]


def test_what_cannot_be_removed_does_not_hide_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leftovers.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(MsmfError, match="criu failed"), leftovers.recorded(tmp_path):
        raise MsmfError("criu failed")
    assert "could not be removed" in capsys.readouterr().err
    with pytest.raises(MsmfError, match="could not be removed"), leftovers.recorded(tmp_path):
        pass


def test_only_what_the_folder_is_to_blame_for_is_said_of_it(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), leftovers.recorded(tmp_path):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
    with pytest.raises(MsmfError, match="No space left on device; free some space"), leftovers.recorded(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_request_to_end_waits_until_everything_is_removed(tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = leftovers.shutil.rmtree

    def interrupted(path: Path, **how: bool) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)  # long enough for Python to notice
        remove(path, **how)

    monkeypatch.setattr(leftovers.shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), leftovers.recorded(tmp_path / "place"):
        pass
    assert not (tmp_path / "place").exists() and not records.exists()
