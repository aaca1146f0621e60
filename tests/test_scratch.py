"""Scratch folders and locks of killed processes are found dead and removed; those of living ones are not touched."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from msmf_traci import locks
from msmf_traci.locks import is_held, owner_of, try_lock
from msmf_traci.scratch import OWNER_FILE, owned_scratch, part_of, parts_in, remove_traces_of_the_dead, settle, target_of

HOLD = """
import sys, time
from pathlib import Path
from msmf_traci.scratch import owned_scratch, part_of
with owned_scratch(part_of(Path(sys.argv[1]))) as content:
    (content / "half.csv").write_text("a")
    print("writing", flush=True)
    time.sleep(60)
"""


def writer(target: Path) -> subprocess.Popen[str]:
    """A process that is writing what will become `target`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(target)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "writing\n"
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_part_of_a_living_process_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    process = writer(tmp_path / "run")
    try:
        remove_traces_of_the_dead(tmp_path)
        (part,) = parts_in(tmp_path)
        assert target_of(part) == "run" and is_held(part / OWNER_FILE)
        assert owner_of(part / OWNER_FILE) == locks.Owner(locks.socket.gethostname(), process.pid)
    finally:
        process.kill()
        process.wait()
    assert not is_held(part / OWNER_FILE)
    remove_traces_of_the_dead(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_young_part_of_another_host_stays_and_an_old_one_goes(tmp_path: Path) -> None:
    part = part_of(tmp_path / "run")
    part.mkdir()
    lock = part / OWNER_FILE
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    remove_traces_of_the_dead(tmp_path)
    assert parts_in(tmp_path) == [part] and is_held(lock)
    old = time.time() - 2 * locks.ELSEWHERE_S
    os.utime(lock, (old, old))
    remove_traces_of_the_dead(tmp_path)
    assert parts_in(tmp_path) == []


def test_part_without_an_owner_is_given_time_to_name_one(tmp_path: Path) -> None:
    part = part_of(tmp_path / "run")
    part.mkdir()
    remove_traces_of_the_dead(tmp_path)
    assert parts_in(tmp_path) == [part]
    old = time.time() - 2 * locks.NAMELESS_S
    os.utime(part, (old, old))
    remove_traces_of_the_dead(tmp_path)
    assert parts_in(tmp_path) == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    part_of(tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    remove_traces_of_the_dead(tmp_path)
    assert (tmp_path / "elsewhere" / "precious").is_file()


def test_settled_folder_holds_the_content_alone(tmp_path: Path) -> None:
    with owned_scratch(part_of(tmp_path / "run")) as content:
        (content / "table.csv").write_text("a\n")
        settle(content, tmp_path / "run")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["run", "run/table.csv"]


def test_lock_is_one_process_s_until_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    lock = try_lock(path)
    assert lock is not None and try_lock(path) is None and is_held(path)
    lock.release()
    assert not path.exists()
    again = try_lock(path)
    assert again is not None
    again.release()


def test_file_that_a_dead_owner_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    path.write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    lock = try_lock(path)
    assert lock is not None
    owner = owner_of(path)
    assert owner is not None and owner.pid == os.getpid()
    lock.release()


def test_file_system_without_locks_grants_and_only_age_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    lock = try_lock(tmp_path / "run.lock")
    assert lock is not None and is_held(tmp_path / "run.lock")
    old = time.time() - 2 * locks.ELSEWHERE_S
    os.utime(tmp_path / "run.lock", (old, old))
    assert not is_held(tmp_path / "run.lock")
    lock.release()
