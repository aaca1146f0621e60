"""Roads kept in the cache are the roads that were read; damaged ones are made anew from the network."""

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from msmf_traci.experiment.road_store import FILE, KIND, roads_of
from msmf_traci.roads.roads import Roads, read_roads


@pytest.fixture
def net_file(sumo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small real network, and an empty cache."""
    monkeypatch.setenv("MSMF_CACHE_DIR", str(tmp_path / "cache"))
    return Path(shutil.copy(sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml", tmp_path))


def assert_same(one: Roads, other: Roads) -> None:
    for field in fields(Roads):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


def test_kept_roads_are_those_that_were_read(net_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again = roads_of(net_file), roads_of(net_file)
    assert_same(first, read_roads(net_file))
    assert_same(again, first)
    assert len(list((tmp_path / "cache" / KIND).glob(f"*/{FILE}"))) == 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("where", [5, 0.3, 0.97, -3])
def test_a_flipped_byte_is_found_said_and_mended(net_file: Path, tmp_path: Path, where: float, capsys: pytest.CaptureFixture[str]) -> None:
    first = roads_of(net_file)
    (path,) = (tmp_path / "cache" / KIND).glob(f"*/{FILE}")
    content = bytearray(path.read_bytes())
    content[int(where * len(content)) if isinstance(where, float) else where] ^= 0xFF
    path.write_bytes(content)
    assert_same(roads_of(net_file), first)
    assert "has changed since it was built (roads.msmf has another hash)" in capsys.readouterr().err
    assert_same(roads_of(net_file), first)
    assert capsys.readouterr().err == ""


def test_another_file_is_read_anew(net_file: Path, tmp_path: Path) -> None:
    before = roads_of(net_file)
    net_file.write_text(net_file.read_text().replace("</net>", "<!-- another -->\n</net>"))
    assert_same(roads_of(net_file), before)
    assert len(list((tmp_path / "cache" / KIND).glob(f"*/{FILE}"))) == 2
