"""The words of msmf-traci testbed: what they make, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from msmf_traci.commands.entry import testbed
from msmf_traci.config.testbed_request import read_testbed_request, session_options
from msmf_traci.errors import InputError


def test_sizes_are_the_applications_unless_typed() -> None:
    (game,) = read_testbed_request(["application=game"], multirun=False)
    assert (game.config.image_mb, game.config.memory_mb, game.config.dirty_percent_per_s) == (1400, 160, 1)
    (smaller,) = read_testbed_request(["application=game", "memory_mb=20"], multirun=False)
    assert (smaller.config.image_mb, smaller.config.memory_mb) == (1400, 20)


def test_a_sweep_is_every_combination_in_the_order_of_the_words() -> None:
    points = read_testbed_request(["repetition=1,2", "memory_mb=10,100"], multirun=True)
    assert [(point.config.repetition, point.config.memory_mb) for point in points] == [(1, 10), (1, 100), (2, 10), (2, 100)]
    assert points[1].overrides == ("repetition=1", "memory_mb=100")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["memroy_mb=3"], "there is no option memroy_mb; did you mean memory_mb?"),
        (["memory_mb=-1"], "memory_mb=-1: must be greater than 0"),
        (["memory_mb=1,2"], "memory_mb=1,2: several values make a sweep; add -m"),
        (["application=chess"], "must be 'game', 'face' or 'ram'"),
        (["links.local_ms=slow"], "links.local_ms=slow: must be a number"),
        (["memory_mb=10", "image_mb=30", "memory_mb=20"], "memory_mb is given 2 times"),
        (["handoff.after_s=1", "handoff.lead_s=5"], "handoff.after_s=1: handoff.lead_s already says"),
        (["drive.vehicle=3"], "drive.vehicle=3: needs drive.run"),
        (["drive.duration_s=300"], "drive.duration_s=300: needs drive.run"),
        (["drive.run=somewhere", "source=regional"], "source=regional: drive.run already says"),
        (["memory_mb"], "write name=value"),
        (["memory_mb=[1"], "cannot be read"),
    ],
)
def test_wrong_words(words: list[str], part: str) -> None:
    with pytest.raises(InputError) as said:
        read_testbed_request(words, multirun=False)
    assert part in str(said.value)


def test_every_option_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert testbed(["run", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name}=" in said for name in session_options())


@pytest.mark.parametrize(
    "words", [["dance"], ["check", "please"], ["run", "memory_mb=0"], ["run", "drive.run=nowhere", "folder=/dev/null/x"]]
)
def test_one_sentence_and_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert testbed(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("msmf-traci testbed: ") and said.count("\n") == 1


def test_another_session_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "memory_mb=10"
    folder.mkdir()
    (folder / "run.json").write_text('{"config": {}}')
    assert testbed(["run", "memory_mb=10", f"output.dir={tmp_path}"]) == 2
    assert "holds another session" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["run.json"]
