"""`lead` on real traffic: it keeps the level longer than what follows the user, sends less, and its copies are mostly used."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, called: Command) -> Path:
    """A run of `lead` and two others, with images from the cloud, where requests are relayed until the copy is ready."""
    folder = tmp_path_factory.mktemp("lead")
    words = ["strategies=[lead,pm_op_tier,never]", "mobility.vehicles=40", "mobility.speed_kmh=30", "workload.latency_levels_ms=[30,40,60]"]
    done = called(folder, *words, "images.source=cloud", "handoff.unsynced=relay", "output.trace=true", "output.dir=out")
    assert done.returncode == 0, done.stderr
    (found,) = (path.parent for path in (folder / "out").glob("*/run.json"))
    return found


def test_it_satisfies_more_than_those_that_follow_or_stay_and_sends_less(run: Path) -> None:
    summary = pd.read_csv(run / "summary.csv").set_index("strategy")
    assert summary.satisfied_share["lead"] > 0.97
    assert summary.satisfied_share["lead"] > summary.satisfied_share[["pm_op_tier", "never"]].max()
    assert summary.traffic_per_trip_bytes["lead"] < summary.traffic_per_trip_bytes["pm_op_tier"] / 2


def test_the_container_moves_only_to_servers_to_which_its_memory_was_sent_ahead(run: Path) -> None:
    """It is stopped for the start (1 s at most) and for the rest: what a round has still to send, a third of the largest memory at most."""
    moved = pd.read_csv(run / "migrations.csv").query("strategy == 'lead' and outcome == 'completed'")
    assert len(moved) > 20
    assert (moved.final_bytes <= 66e6).all()
    assert (moved.downtime_s <= 1 + 66e6 / 12.5e6).all()


def test_a_copy_is_not_given_up_and_begun_again_at_once(run: Path) -> None:
    """What is wanted stays wanted while the plan stays the same: no copy to a server begins where one to it ended in the same frame."""
    copies = pd.read_csv(run / "copies.csv").query("strategy == 'lead'")
    ended = copies[["vehicle", "server", "t_end_s"]].rename(columns={"t_end_s": "t_start_s"})
    assert not len(copies.merge(ended, on=["vehicle", "server", "t_start_s"]))
