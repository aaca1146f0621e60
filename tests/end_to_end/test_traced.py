"""A trace only looks: with it and without it the same run writes the same tables, also where containers meet."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd

Command = Callable[..., subprocess.CompletedProcess[str]]

# few servers with little room, so that many containers are deployed away from their homes and ask for them later
CROWD = [
    *("mobility.vehicles=40", "deployment.rings=4", "mobility.depart_window_s=120", "mobility.max_duration_s=500"),
    *("mobility.speed_kmh=20", "seed=3", "strategies=[pm_tier,pm_op_tier]"),
]
TABLES = ("summary.csv", "vehicles.csv", "migrations.csv")


def test_a_trace_changes_no_table_where_containers_meet(msmf: Command, tmp_path: Path) -> None:
    """Every option that lets containers meet, and every way to hand them over, in one pass."""
    every = [
        "variants.tiers.local.capacity=[1,null]",
        "variants.tiers.regional.capacity=[2,null]",
        "variants.tiers.local.compute_ms_per_container=[0,40]",
        "variants.links.mode=[dedicated,shared]",
        "variants.handoff.unsynced=[stop,relay]",
        "variants.handoff.user_left=[abandon,finish]",
    ]
    tables = []
    for trace, folder in (("false", "untraced"), ("true", "traced")):
        result = msmf(tmp_path, *CROWD, *every, f"output.trace={trace}", f"output.dir={folder}")
        assert result.returncode == 0, result.stderr
        (run,) = (path.parent for path in (tmp_path / folder).glob("*/run.json"))
        assert json.loads((run / "run.json").read_text())["config"]["output"]["trace"] == (trace == "true")
        tables.append([(run / name).read_bytes() for name in TABLES])
    assert tables[0] == tables[1]
    summary = pd.read_csv(run / "summary.csv")
    overall = summary[(summary.strategy == "pm_tier") & (summary["links.mode"] == "dedicated")]
    overall = overall[overall.compute_ms_per_container == 0]
    plain = overall[(overall.unsynced == "stop") & (overall["handoff.user_left"] == "abandon")]
    found = plain[(plain["tiers.local.capacity"] == 1) & (plain["tiers.regional.capacity"] == 2)]
    assert found.refused_per_trip.item() > 1
    # containers that were deployed away from their homes come home: without that 19.2 % of the time was lost
    assert found.unavailability.item() < 0.12
