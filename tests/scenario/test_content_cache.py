"""A product of the cache is taken only as it was built; half a product is never kept, and the next run with room builds it."""

import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from msmf_traci.errors import InputError, ToolError
from msmf_traci.scenario.build import synthetic_network
from msmf_traci.scenario.content_cache import SEAL, build_once, find_built
from msmf_traci.scenario.sumo_tools import Sumo, find_sumo, run_tool

FILES = {"network.net.xml": b"<net>" + b"<edge/>" * 99 + b"</net>", "roads.msmf": bytes(range(256))}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MSMF_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def build(folder: Path) -> None:
    for name, content in FILES.items():
        (folder / name).write_bytes(content)


def unwanted(_: Path) -> None:
    pytest.fail("it is there")


def test_what_is_as_it_was_built_is_taken_and_silent(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_built("things", "key") is None
    folder = build_once("things", "key", build)
    assert folder == cache / "things" / "key" == build_once("things", "key", unwanted) == find_built("things", "key")
    assert {path.name for path in folder.iterdir()} == {*FILES, SEAL} and list(folder.parent.iterdir()) == [folder]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("draw", range(30))
def test_any_changed_byte_is_said_in_one_line_and_built_again(cache: Path, draw: int, capsys: pytest.CaptureFixture[str]) -> None:
    dice = random.Random(draw)
    folder = build_once("things", "key", build)
    path = folder / dice.choice([*FILES, SEAL])
    content = bytearray(path.read_bytes())
    content[dice.randrange(len(content))] ^= dice.randrange(1, 256)
    path.write_bytes(content)
    assert build_once("things", "key", build) == folder
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    said = capsys.readouterr().err.splitlines()
    # a letter of the seal that is white space may be another one
    assert (len(said) == 1 and f"{folder} in the cache has changed since it was built" in said[0]) or (path.name == SEAL and not said)
    assert build_once("things", "key", unwanted) == folder


@pytest.mark.parametrize("name", [*FILES, SEAL])
@pytest.mark.parametrize("size", [None, 0, 9])
def test_a_file_that_is_gone_or_cut_is_built_again(cache: Path, name: str, size: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    path = build_once("things", "key", build) / name
    if size is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:size])
    assert find_built("things", "key") is None
    build_once("things", "key", build)
    assert {name: (path.parent / name).read_bytes() for name in FILES} == FILES
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("printf '<net><edge/></net>' > made.xml", None),
        ("printf '<net><edge/>' > made.xml", "netconvert did not write a whole made.xml: a last word"),
        ("printf '<net><edge/></net' > made.xml", "netconvert did not write a whole made.xml"),
        ("true", "netconvert did not write a whole made.xml"),
        ("printf '<net/>' > made.xml; exit 3", r"netconvert failed \(exit code 3\): a last word"),
        ("kill -9 $$", "netconvert was ended by SIGKILL"),
    ],
)
def test_a_tool_is_judged_by_what_it_leaves(tmp_path: Path, script: str, said: str | None) -> None:
    program = tmp_path / "netconvert"
    program.write_text(f"#!/bin/sh\necho a last word\n{script}\n")
    program.chmod(0o755)
    sumo = Sumo(tmp_path, "")
    if said is None:
        assert run_tool(sumo, [str(program)], folder=tmp_path, makes=tmp_path / "made.xml") == "a last word\n"
        return
    with pytest.raises(ToolError, match=said):
        run_tool(sumo, [str(program)], folder=tmp_path, makes=tmp_path / "made.xml")


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size_bytes", [1_000, 100_000, 1_000_000])
def test_a_network_that_has_no_room_is_one_sentence_and_nothing_is_kept(cache: Path, size_bytes: int) -> None:
    network = synthetic_network(find_sumo(), None)
    with largest_file(size_bytes), pytest.raises(InputError, match=r"the cache cannot be written at .*set MSMF_CACHE_DIR"):
        network.ensure()
    assert not network.is_built and not list((cache / "networks").iterdir())
    if size_bytes == 1_000_000:
        assert network.ensure().is_file()
