"""Every wrong input: one sentence, exit code 2, no traceback, nothing left behind, and nothing long started."""

import shlex
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from msmf_traci.commands.entry import main
from tests.end_to_end.bad_inputs import CASES, make_files

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    make_files(folder)
    return folder


def ids_of(cases: Sequence[tuple[str, str, str]]) -> list[str]:
    return [f"{kind}: {words}" for kind, words, _ in cases]


def judge(code: int, out: str, err: str, words: str, said: str, place: Path) -> None:
    """One sentence at the end, exit code 2, nothing on stdout, nothing left behind."""
    lines = err.splitlines()
    assert code == 2, err
    assert [line for line in lines if line.startswith("msmf-traci: ")] == lines[-1:], err
    assert said in lines[-1]
    assert "Traceback" not in err
    assert out.strip() == "" or words.startswith("-m")
    assert not list(place.iterdir())


# one of every fifth kind is typed, the others are given to the command in this process, which has loaded everything already
TYPED = list({kind: (kind, words, said) for kind, words, said in CASES}.values())[::5]
CALLED = [case for case in CASES if case not in TYPED]


@pytest.mark.parametrize(("kind", "words", "said"), TYPED, ids=ids_of(TYPED))
def test_wrong_input_that_is_typed_is_one_sentence_and_exit_code_2(
    kind: str, words: str, said: str, files: Path, msmf: Command, sumo_home: Path, tmp_path: Path
) -> None:
    braunschweig = sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml"
    done = msmf(tmp_path, *shlex.split(words.format(f=files, braunschweig=braunschweig)), PYTHONPATH=str(files))
    judge(done.returncode, done.stdout, done.stderr, words, said, tmp_path)


@pytest.mark.parametrize(("kind", "words", "said"), CALLED, ids=ids_of(CALLED))
def test_wrong_input_is_one_sentence_and_exit_code_2(
    kind: str,
    words: str,
    said: str,
    files: Path,
    cache: Path,
    sumo_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(files)
    monkeypatch.setenv("MSMF_CACHE_DIR", str(cache))
    monkeypatch.delenv("MSMF_DATA_DIR", raising=False)
    braunschweig = sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml"
    code = main(shlex.split(words.format(f=files, braunschweig=braunschweig)))
    judge(code, *capfd.readouterr(), words, said, tmp_path)


def test_every_kind_has_two_cases_at_least() -> None:
    counts = Counter(kind for kind, _, _ in CASES)
    assert {kind for kind, n in counts.items() if n < 2} == set()
    assert len(CASES) >= 40
