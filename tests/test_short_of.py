"""What is short, or cannot be written, is named in one sentence: memory, temporary files, the place of machine code."""

import errno
import os
import resource
from pathlib import Path

import pytest

from msmf_traci import compiled
from msmf_traci.commands import entry, run
from msmf_traci.errors import MsmfError
from msmf_traci.scratch import temporary_folder


def test_a_full_place_of_temporary_files_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    said = rf"temporary files cannot be written at {tmp_path} \(No space left on device\).*TMPDIR"
    with pytest.raises(MsmfError, match=said), temporary_folder():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not list(tmp_path.iterdir())


def test_what_goes_wrong_elsewhere_is_not_laid_on_temporary_files(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), temporary_folder():
        raise ConnectionError(errno.ECONNRESET, "SUMO has ended")
    with pytest.raises(OSError, match="results"), temporary_folder():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "results"))


def test_machine_code_that_has_no_room_is_said_and_the_function_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled, "_FOLDER", tmp_path / "compiled")

    def twice(x: int) -> int:
        return 2 * x

    fast = compiled.compiled(twice)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        assert fast(21) == 42
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.rglob("*.nbc"))
    assert "the compiled engine is not kept for the next run" in capsys.readouterr().err


def test_short_memory_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def exhausted(_: object) -> int:
        raise MemoryError

    monkeypatch.setattr(run, "main", exhausted)
    assert entry.main([]) == 2
    assert capsys.readouterr().err.startswith("msmf-traci: there is not enough memory") and not capsys.readouterr().out
