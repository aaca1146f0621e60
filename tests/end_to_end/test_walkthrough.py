"""The walkthrough through the synthetic city tells what its command makes, number by number (docs/walkthrough-synthetic.md)."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

PAGE = (Path(__file__).parents[2] / "docs" / "walkthrough-synthetic.md").read_text(encoding="utf-8")
STORIES = dict(zip(*[iter(re.split(r"^## (v\d+): .*$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))


@pytest.fixture(scope="module")
def run(called: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that the page's command makes."""
    (line,) = re.findall(r"^msmf-traci (.*output\.trace=true)$", PAGE, re.MULTILINE)
    folder = tmp_path_factory.mktemp("walkthrough")
    result = called(folder, *shlex.split(line))
    assert result.returncode == 0, result.stderr
    return only_run(folder / "results" / "synthetic")


def of(table: pd.DataFrame, vehicle: str) -> pd.DataFrame:
    return table[table["vehicle"] == vehicle].reset_index(drop=True)


def said(story: str, pattern: str) -> list[float]:
    """The numbers that a story has in this place."""
    (match,) = re.finditer(pattern, re.sub(r"\s+", " ", story))
    return [float(number) for number in match.groups()]


def test_containers_are_as_large_as_told(run: Path) -> None:
    vehicles = pd.read_csv(run / "vehicles.csv")
    for vehicle, story in STORIES.items():
        row = of(vehicles, vehicle).iloc[0]
        sizes = said(story, r"S = ([\d.]+) MB(?: and a memory of|,| and) M = ([\d.]+) MB")
        assert sizes == [round(row["image_bytes"] / 1e6, 3), round(row["memory_capacity_bytes"] / 1e6, 3)]


def test_stages_of_the_transfer_in_time_are_those_told(run: Path) -> None:
    stages = of(pd.read_csv(run / "stages.csv"), "v22")
    first = stages[stages["transfer"] == 0]
    told = re.findall(r"^\| ([A-Z]+) \| ([\d.]+) \| ([\d.]+) \| ([\d,]+) \|$", STORIES["v22"], re.MULTILINE)
    made = [
        (row.stage, round(row.t_begin_s, 3), round(row.t_end_s, 3), round(row.bytes))
        for row in first[["stage", "t_begin_s", "t_end_s", "bytes"]].itertuples(index=False)
    ]
    assert [(stage, float(begin), float(end), int(sent.replace(",", ""))) for stage, begin, end, sent in told] == made


def test_outcomes_leads_and_downtimes_are_those_told(run: Path) -> None:
    migrations = pd.read_csv(run / "migrations.csv")
    in_time = of(migrations, "v22").iloc[0]
    assert in_time["outcome"] == "completed"
    assert said(STORIES["v22"], r"lead_s = ([\d.]+), downtime_s = ([\d.]+), rounds = (\d+)") == [
        in_time["lead_s"],
        round(in_time["downtime_s"], 3),
        in_time["rounds"],
    ]
    wrong, right = of(migrations, "v34").iloc[0], of(migrations, "v34").iloc[1]
    assert (wrong["outcome"], right["outcome"]) == ("mispredicted", "completed")
    wasted = wrong[["image_bytes", "memory_bytes", "dirty_bytes", "final_bytes"]].sum() / 1e6
    assert said(STORIES["v34"], r"a round: ([\d.]+) MB wasted") == [round(wasted, 1)]
    assert said(STORIES["v34"], r"So downtime_s = ([\d.]+)") == [round(right["downtime_s"], 3)]
    assert said(STORIES["v34"], r"= ([\d.]+) MB, which takes") == [round(right["final_bytes"] / 1e6, 3)]
    left = of(migrations, "v01").iloc[:2]
    assert list(left["outcome"]) == ["user_left", "user_left"]
    assert said(STORIES["v01"], r"downtime_s = (\d+) and (\d+)") == list(left["downtime_s"])
    in_vain = left[["image_bytes", "final_bytes"]].to_numpy().sum() / 1e6
    assert said(STORIES["v01"], r"([\d.]+) MB were sent in vain") == [in_vain]


def test_events_of_the_stories_come_at_the_frames_told(run: Path) -> None:
    """Of every row of a story that names a place, the vehicle is in that cell at that frame."""
    frames = pd.read_csv(run / "frames.csv", dtype={"cell": str})
    compared = 0
    for vehicle, story in STORIES.items():
        cells = of(frames, vehicle).set_index("t_s")["cell"]
        for time, cell in re.findall(r"^\| (\d+) \| [^|]*\bcell (-?\d+,-?\d+)", story, re.MULTILINE):
            assert cells[float(time)] == cell, (vehicle, time)
            compared += 1
    assert compared == 8


def test_hits_and_misses_are_those_told(run: Path) -> None:
    row = of(pd.read_csv(run / "vehicles.csv"), "v34").iloc[0]
    assert said(STORIES["v34"], r"entry_misses = (\d+) and entry_hits = (\d+)") == [row["entry_misses"], row["entry_hits"]]
    assert row["handoff_misses"] == 0
