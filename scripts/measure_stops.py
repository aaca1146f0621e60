#!/usr/bin/env python3
"""Containers that are stopped while memory is on its way: predicted first, then measured by real containers.

    python scripts/measure_stops.py predict PREDICTED.csv            what migration=runc_rsync expects, in seconds of work
    sudo python scripts/measure_stops.py measure [FOLDER]            18 sessions of msmf-traci testbed run, in half an hour
    python scripts/measure_stops.py compare PREDICTED.csv FOLDER OUT.csv

60 and 200 MB of memory, 5 % of which change in a second, are sent over round trips of 50 ms. The container is stopped 5, 15 and 40 s into
the transfer, three times each. Nothing is fitted to these rows: the prediction was committed before the first session.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pandas as pd

from msmf_traci.migration.plan import PRECOPY
from msmf_traci.testbed.comparison import PAPER, read_measurement
from msmf_traci.testbed.expectation import Migration, costs_of, expect
from msmf_traci.units import BYTES_PER_MB, BYTES_PER_MBIT, S_PER_MS

MEMORY_MB, LEADS_S, REPETITIONS = (60, 200), (5, 15, 40), (1, 2, 3)
IMAGE_MB, DIRTY_PERCENT_PER_S, ROUND_TRIP_MS = 30, 5, 50
THRESHOLD_MBIT, BANDWIDTH_MBPS = 40, 100
KEYS = ["memory_mb", "lead_s"]
QUANTITIES = ("total_s", "downtime_s")


def migration(memory_mb: float, lead_s: float) -> Migration:
    """One of the settings, as the model takes it."""
    return Migration(
        image_bytes=IMAGE_MB * BYTES_PER_MB,
        memory_bytes=memory_mb * BYTES_PER_MB,
        dirty_share_per_s=DIRTY_PERCENT_PER_S / 100,
        threshold_bytes=THRESHOLD_MBIT * BYTES_PER_MBIT,
        bandwidth_bytes_per_s=BANDWIDTH_MBPS * BYTES_PER_MBIT,
        round_trip_s=ROUND_TRIP_MS * S_PER_MS,
        relay_unsynced=False,
        after_s=0.0,
        lead_s=lead_s,
        plan=PRECOPY,
    )


def predict(path: Path) -> None:
    """Write what is expected of each setting."""
    rows = []
    models = {"equation_1": PAPER, "predicted": costs_of(["migration=runc_rsync"])}
    for memory_mb, lead_s in itertools.product(MEMORY_MB, LEADS_S):
        row: dict[str, float] = {"memory_mb": memory_mb, "lead_s": lead_s}
        for name, costs in models.items():
            expected = expect(migration(memory_mb, lead_s), costs)
            row |= {f"{name}_total_s": expected.total_s, f"{name}_downtime_s": expected.downtime_s}
        rows.append(row)
    pd.DataFrame(rows).to_csv(path, index=False, float_format="%.4f")


def measure(folder: Path) -> None:
    """Make the sessions that are missing."""
    words = [
        *("source=local", "target=local", f"image_mb={IMAGE_MB}", f"dirty_percent_per_s={DIRTY_PERCENT_PER_S}", "track_changes=false"),
        *(f"memory_mb={_listed(MEMORY_MB)}", f"links.local_ms={ROUND_TRIP_MS / 2:g}", f"handoff.lead_s={_listed(LEADS_S)}"),
        *(f"repetition={_listed(REPETITIONS)}", "handoff.unsynced=stop", f"output.dir={folder}"),
    ]
    sys.exit(subprocess.run([Path(sys.executable).parent / "msmf-traci", "testbed", "run", "-m", *words], check=False).returncode)


def compare(predicted: Path, folder: Path, path: Path) -> None:
    """Write and print measured beside predicted, and the median errors."""
    rows = []
    for session in sorted(each.parent for each in folder.glob("*/run.json")):
        found = read_measurement(session)
        if found is None:
            sys.exit(f"measure_stops.py: {session} has no completed transfer; remove it and measure again")
        rows.append({**{key: found.keys[key] for key in KEYS}, "total_s": found.total_s, "downtime_s": found.downtime_s})
    table = pd.DataFrame(rows).sort_values(KEYS, ignore_index=True).merge(pd.read_csv(predicted), on=KEYS)
    for model, quantity in itertools.product(("equation_1", "predicted"), QUANTITIES):
        table[f"{model}_{quantity[:-2]}_error"] = table[f"{model}_{quantity}"] / table[quantity] - 1
    table.to_csv(path, index=False, float_format="%.4f")
    print(table.groupby(KEYS).mean().round(3).T.to_string())
    errors = [column for column in table if column.endswith("_error")]
    print(f"\n{len(table)} sessions; median absolute error, percent:\n{(100 * table[errors].abs().median()).round(1).to_string()}")


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(map(str, values))


def main() -> None:
    """Do what the first word says."""
    words = sys.argv[1:]
    if words[:1] == ["predict"] and len(words) == 2:
        predict(Path(words[1]))
    elif words[:1] == ["measure"] and len(words) <= 2:
        measure(Path(words[1] if len(words) == 2 else "results/testbed-stops"))
    elif words[:1] == ["compare"] and len(words) == 4:
        compare(*map(Path, words[1:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
