"""A traced run of a few vehicles on the synthetic city, and how to change a copy of it."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

WORDS = ("mobility.vehicles=8", "strategies=[nearest,pm_op_tier]", "output.trace=true", "output.dir=runs")


@pytest.fixture(scope="session")
def traced_run(msmf: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traced")
    result = msmf(folder, *WORDS)
    assert result.returncode == 0, result.stderr
    (run,) = (path.parent for path in folder.glob("runs/*/run.json"))
    return run


@pytest.fixture
def copied_run(traced_run: Path, tmp_path: Path) -> Path:
    """A copy of the run and its map, to be changed."""
    shutil.copytree(traced_run.parent, tmp_path / "runs")
    return tmp_path / "runs" / traced_run.name


@pytest.fixture
def copied_map(copied_run: Path) -> Path:
    return copied_run.parent / json.loads((copied_run / "run.json").read_text())["map_folder"]


def change_table(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a table, keeping the text of all that is left alone."""
    change(pd.read_csv(path, dtype=str, keep_default_na=False)).to_csv(path, index=False, lineterminator="\n")


def rename_vehicle(run: Path, old: str, new: str) -> None:
    """Give a vehicle another id in every table."""
    for name in ("frames", "decisions", "stages", "migrations", "copies", "vehicles"):
        change_table(run / f"{name}.csv", lambda table: table.assign(vehicle=table["vehicle"].replace(old, new)))
