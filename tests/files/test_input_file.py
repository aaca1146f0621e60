"""A path that the user names is judged before it is opened: whatever is wrong with it is one sentence, and nothing waits."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file, input_folder, is_input_folder, is_there


def test_a_file_and_a_folder_that_can_be_read_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.xml").write_text("<a/>")
    assert input_file("~/a.xml", "option") == tmp_path / "a.xml"
    assert input_folder("~", "option") == tmp_path
    assert is_there("~/a.xml", "option") and not is_there("~/a.xml/b", "option") and not is_there("~/b.xml", "option")
    assert is_input_folder("~", "option") and not is_input_folder("~/a.xml", "option") and not is_input_folder("~/none", "option")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        ("none", ": there is no such file; check the path"),
        ("empty/inner", ": there is no such file; check the path"),
        ("zero\0byte", ": there is no such file; check the path"),
        (".", " is a folder; give a file"),
        ("pipe", " is a pipe or a device; write its content to a file, and give that"),
        ("empty", " is empty; give another file"),
        ("loop", " cannot be read (Too many levels of symbolic links); check the path"),
        ("n" * 300, " cannot be read (File name too long); check the path"),
    ):
        path = f"{tmp_path}/{name}"
        with pytest.raises(InputError, match=re.escape(f"mobility.fcd_file={path}{said}")):
            input_file(path, "mobility.fcd_file")
    with pytest.raises(InputError, match="a device"):
        input_file("/dev/zero", "option")
    with pytest.raises(InputError, match="no such home folder"):
        input_file("~nobody_of_this_name/a.xml", "option")


def test_a_folder_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, said in (("none", ": there is no such folder"), ("file", " is not a folder; give a folder")):
        with pytest.raises(InputError, match=f"output.dir={tmp_path}/{name}{said}"):
            input_folder(f"{tmp_path}/{name}", "output.dir")


def test_a_path_below_a_folder_that_may_not_be_entered_is_one_sentence(shut: Path) -> None:
    said = r"scenario.net_file=.*net.xml cannot be read \(Permission denied\); check its permissions, and those of the folders above it"
    for judge in (input_file, input_folder, is_input_folder, is_there):
        with pytest.raises(InputError, match=said):
            judge(shut / "net.xml", "scenario.net_file")


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xml").write_text("<a/>")

    def refusing(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refusing)
    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        input_file(tmp_path / "a.xml", "option")
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        input_folder(tmp_path, "option")
