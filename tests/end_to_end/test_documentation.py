"""What the documentation shows works as shown: the strategy of docs/strategies.md, by following the page alone."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).parents[2]


def test_own_strategy_of_the_documentation_runs_and_is_booked(msmf: Command, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (name,) = re.findall(r"Write it to `(\w+\.py)`", page)
    (line,) = re.findall(r"^msmf-traci (strategies=.*lazy.*)$", page, re.MULTILINE)
    (tmp_path / name).write_text(code, encoding="utf-8")
    result = msmf(tmp_path, *shlex.split(line), "mobility.vehicles=20")
    assert result.returncode == 0, result.stderr
    vehicles = pd.read_csv(only_run(tmp_path / "results" / "synthetic") / "vehicles.csv")
    handoffs = vehicles.groupby("strategy")["handoffs"].sum()
    relayed = vehicles.groupby("strategy")["relayed_s"].sum()
    assert 0 < handoffs["lazy"] < handoffs["pm"]
    assert relayed["lazy"] > 0
    assert any(row.startswith("lazy ") for row in result.stdout.splitlines())


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))))
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_commands_of_the_readme_name_options_that_exist(msmf: Command, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    fenced = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    commands = [shlex.split(line, comments=True)[1:] for line in re.findall(r"^msmf-traci .*$", fenced, re.MULTILINE)]
    assert len(commands) >= 7
    needs_map = {"scenario=beijing", *(f"experiment={name}" for name in ("paper_table2", "figure7", "figure8", "sensitivity"))}
    for words in commands:
        if "--help" in words or needs_map & set(words):
            continue
        result = msmf(tmp_path, "dry_run=true", *[word for word in words if not word.startswith("dry_run")])
        assert result.returncode == 0, (words, result.stderr)
