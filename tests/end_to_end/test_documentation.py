"""What the documentation shows works as shown: the strategies of docs/strategies.md, by following the page alone."""

import functools
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.config.testbed_request import read_testbed_request
from msmf_traci.errors import InputError
from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
OTHER_COMMANDS = ("report", "bound", "benchmark", "status", "fetch", "overlay", "completion")


def test_own_strategy_of_the_documentation_runs_and_is_booked(called: Command, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    ((name, code),) = re.findall(r"Write it to `(\w+\.py)`:\n\n```python\n(.*?)```", page, re.DOTALL)
    (line,) = re.findall(r"^msmf-traci (.*strategies=.*lazy.*)$", page, re.MULTILINE)
    (tmp_path / name).write_text(code, encoding="utf-8")
    result = called(tmp_path, *shlex.split(line), "mobility.vehicles=20")
    assert result.returncode == 0, result.stderr
    vehicles = pd.read_csv(only_run(tmp_path / "results" / "synthetic") / "vehicles.csv")
    handoffs = vehicles.groupby("strategy")["handoffs"].sum()
    relayed = vehicles.groupby("strategy")["relayed_s"].sum()
    assert 0 < handoffs["lazy"] < handoffs["pm"]
    assert relayed["lazy"] > 0
    assert any(row.startswith("lazy ") for row in result.stdout.splitlines())


def test_further_strategies_of_the_documentation_run_beside_each_other(called: Command, tmp_path: Path) -> None:
    page, files = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8"), files_of("docs/strategies.md")
    assert set(files) == {"lazy.py", "just_in_time.py", "patient.py"}
    for name, code in files.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    (line,) = re.findall(r"^msmf-traci (.*strategies=.*patient.*)$", page, re.MULTILINE)
    result = called(tmp_path, *shlex.split(line), "mobility.vehicles=20")
    assert result.returncode == 0, result.stderr
    (varied,) = re.findall(r"^msmf-traci (.*variants.strategy.just_in_time.*)$", page, re.MULTILINE)
    result = called(tmp_path, *shlex.split(varied), "mobility.vehicles=3", "output.dir=varied")
    assert result.returncode == 0, result.stderr
    rows = pd.read_csv(only_run(tmp_path / "varied") / "summary.csv")
    assert rows[["strategy", "margin"]].fillna(0).values.tolist() == [
        ["just_in_time", 1],
        ["just_in_time", 1.5],
        ["just_in_time", 3],
        ["pm", 0],
    ]
    vehicles = pd.read_csv(only_run(tmp_path / "results" / "synthetic") / "vehicles.csv").groupby("strategy")
    handoffs, outage_s = vehicles["handoffs"].sum(), vehicles["outage_s"].sum()
    assert (handoffs[["just_in_time", "patient"]] > 0).all()
    assert handoffs["patient"] <= handoffs["pm"]  # it does not follow into areas that are soon left
    assert outage_s["just_in_time"] < outage_s["pm"]  # at the border it waits until its copy is there


def test_deciding_from_outside_as_the_documentation_does(environment: dict[str, str], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    (code,) = (code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "msmf.open_pass(" in code)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=580
    )
    assert result.returncode == 0, result.stderr
    assert re.search(r"^satisfied seconds, about: [1-9]\d*$", result.stdout, re.MULTILINE)
    assert re.search(r"\bmine +0\.\d+", result.stdout)


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def files_of(page: str) -> dict[str, str]:
    """The files that a page has the reader write, by their names."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return dict(re.findall(r"(?:In a file|Write it to)\s`(\w+\.py)`:\n\n```python\n(.*?)```", text, re.DOTALL))


def commands_of(page: str) -> Iterator[list[str]]:
    """The words of every `msmf-traci` command in the code blocks of a page, continued lines joined; comments left out."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for block in re.findall(r"^```(?:text)?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^(?:sudo )?(?:\.venv/bin/)?msmf-traci(?: .*)?$", block, re.MULTILINE):
            words = shlex.split(line.removeprefix("sudo "), comments=True)
            yield words[1:]


@functools.cache
def judge(words: tuple[str, ...]) -> None:
    """Judge the words of a command as the command itself does before it starts anything; files need not be there."""
    words = words[1:] if words[:1] == ("run",) else words
    if "--help" in words or "--version" in words or (words and words[0] in OTHER_COMMANDS):
        return
    if words[:2] == ("testbed", "run"):
        read_testbed_request([word for word in words[2:] if word != "-m"], multirun="-m" in words)
    elif not words or words[0] != "testbed":
        read_request([word for word in words if word != "-m"], multirun="-m" in words)


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_name_options_that_exist(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name, code in files_of("docs/strategies.md").items():
        (tmp_path / name).write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    for words in commands_of(page):
        if "-cd" in words or "NAME" in " ".join(words):
            continue  # needs a folder that the page has the reader make
        try:
            judge(tuple(words))
        except InputError as error:
            pytest.fail(f"{shlex.join(words)}: {error}")


def test_a_command_with_an_option_that_does_not_exist_would_be_seen() -> None:
    with pytest.raises(InputError):
        judge(("mobility.spede_kmh=20",))
    assert sum(1 for page in PAGES for _ in commands_of(page)) > 80


def test_the_four_things_to_try_can_be_tried(called: Command, tmp_path: Path) -> None:
    commands = [words for words in commands_of("README.md") if words]
    assert len(commands) == 4
    for words in commands:
        is_benchmark = words[0] == "benchmark"
        result = called(tmp_path, *words, "mobility.vehicles=2") if is_benchmark else called(tmp_path, "dry_run=true", *words)
        assert result.returncode == 0, (words, result.stderr)
