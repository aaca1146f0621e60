"""What a command says of errors that the user or the system has to mend, and that faults of the package stay visible."""

import errno
import os
from pathlib import Path

import pytest

from msmf_traci.commands.entry import LONGEST_LINE, main, report, status
from msmf_traci.errors import MsmfError, sentence_of


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MsmfError("as it is"), "as it is"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/shut/x"),
            "/shut/x: the system refuses this (Permission denied); check its perm",
        ),
        (OSError(errno.EMFILE, "Too many open files"), "the system refuses this (Too many open files); allow more open files (ulimit -n)"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/full/x"),
            "/full/x: the system refuses this (No space left on device); free some",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "No such file or directory: the working folder, or the folder of"),
        (MemoryError("Unable to allocate\n9 TiB"), "there is not enough memory (Unable to allocate 9 TiB); free some"),
        (RuntimeError("Could not determine home directory."), "there is no home folder for ~; write the path in full"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(error: Exception, said: str) -> None:
    assert (sentence_of(error) or "").startswith(said)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), OSError("no number"), AssertionError()])
def test_a_fault_of_the_package_is_not_hidden(error: Exception) -> None:
    assert sentence_of(error) is None


def test_what_was_typed_is_quoted_in_one_line_of_some_length(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["no\nsuch\x1b[31mfolder" + "x" * 1_000_000]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "no\\nsuch\\x1b[31mfolder" in line
    assert len(line) < LONGEST_LINE + 100


@pytest.mark.parametrize(
    "words",
    [
        ["output.dir=SHUT/out"],
        ["-cd", "SHUT/conf", "dry_run=true"],
        ["mobility.sumo_home=SHUT/sumo", "mobility.source=traci", "dry_run=true"],
        ["scenario=osm", "scenario.map_file=SHUT/x.osm", "dry_run=true"],
        ["scenario=sumo", "scenario.net_file=SHUT/net.xml", "dry_run=true"],
        ["scenario.parameters_file=SHUT/x.yaml", "dry_run=true"],
        ["mobility.source=gps", "mobility.gps.path=SHUT/x.csv", "dry_run=true"],
    ],
)
def test_below_a_folder_that_may_not_be_entered_is_one_sentence(
    words: list[str], shut: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shut.parent)
    assert main([word.replace("SHUT", str(shut)) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(shut) in line
    assert "(Permission denied); check its permissions" in line


@pytest.mark.parametrize("command", [status, report])
def test_results_below_a_folder_that_may_not_be_entered_are_one_sentence(command, shut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command([str(shut / "results")]) == 2
    assert "Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["MSMF_CACHE_DIR", "MSMF_DATA_DIR"])
def test_a_variable_that_names_a_place_below_it_is_one_sentence(
    variable: str, shut: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, str(shut / "x"))
    assert main(["dry_run=true", *(["scenario=beijing"] if variable == "MSMF_DATA_DIR" else [])]) == 2
    assert "Permission denied" in capsys.readouterr().err


def test_a_working_folder_that_is_gone_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()  # noqa: PTH109
    assert main(["dry_run=true", "seed=1"]) == 2
    assert "the working folder, or the folder of temporary files, is gone" in capsys.readouterr().err
