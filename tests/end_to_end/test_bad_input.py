"""Every wrong input: one sentence, exit code 2, no traceback, nothing left behind, and nothing long started."""

import shlex
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.bad_inputs import CASES, make_files

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    make_files(folder)
    return folder


@pytest.mark.parametrize(("kind", "words", "said"), CASES, ids=[f"{kind}: {words}" for kind, words, _ in CASES])
def test_wrong_input_is_one_sentence_and_exit_code_2(
    kind: str, words: str, said: str, files: Path, msmf: Command, sumo_home: Path, tmp_path: Path
) -> None:
    braunschweig = sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml"
    result = msmf(tmp_path, *shlex.split(words.format(f=files, braunschweig=braunschweig)), PYTHONPATH=str(files))
    lines = result.stderr.splitlines()
    assert result.returncode == 2, result.stderr
    assert [line for line in lines if line.startswith("msmf-traci: ")] == lines[-1:], result.stderr
    assert said in lines[-1]
    assert "Traceback" not in result.stderr
    assert result.stdout.strip() == "" or words.startswith("-m")
    assert not list(tmp_path.iterdir())


def test_every_kind_has_two_cases_at_least() -> None:
    counts = Counter(kind for kind, _, _ in CASES)
    assert {kind for kind, n in counts.items() if n < 2} == set()
    assert len(CASES) >= 40
