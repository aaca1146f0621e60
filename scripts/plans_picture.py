#!/usr/bin/env python3
"""The picture of what plans trade for what: downtime, degraded time, total time and bytes of one migration, against three measures.

    python scripts/plans_picture.py docs/images/plans        writes plans.svg, plans.png and plans.csv

The engine is asked about one container whose image is on the target. Its handoff is wanted at once, and waits for what the plan sends while
the container runs (handoff.unsynced=relay). Costs are those of migration=runc_rsync; each panel varies one measure of BASE.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import altair as alt
import pandas as pd

from msmf_traci.experiment.plan_file import NAMES, read_plan
from msmf_traci.reporting.stills import write_drawing
from msmf_traci.testbed.expectation import Migration, costs_of, expect
from msmf_traci.units import BYTES_PER_MB, S_PER_MS

BASE = Migration(
    image_bytes=0.0,
    memory_bytes=100 * BYTES_PER_MB,
    dirty_share_per_s=0.01,
    threshold_bytes=5 * BYTES_PER_MB,
    bandwidth_bytes_per_s=12.5 * BYTES_PER_MB,
    round_trip_s=20 * S_PER_MS,
    relay_unsynced=True,
    after_s=0.0,
    lead_s=0.0,
    arriving_per_s=10,
)
VARIED = {
    "memory, MB": ("memory_bytes", BYTES_PER_MB, (10, 20, 50, 100, 200, 500, 1000)),
    "changed in a second, % of memory": ("dirty_share_per_s", 0.01, (0.1, 0.2, 0.5, 1, 2, 5, 10)),
    "round trip, ms": ("round_trip_s", S_PER_MS, (1, 2, 5, 10, 20, 50, 100)),
}
QUANTITIES = ("downtime, s", "degraded, s", "total, s", "sent, MB")
ORDER = ("precopy", "cold", "postcopy", "hybrid", "replay")
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7a7a7a")
SIZE = 150


def table() -> pd.DataFrame:
    """One row a plan, measure and quantity."""
    costs, rows = costs_of(["migration=runc_rsync"]), []
    for measure, (name, unit, values) in VARIED.items():
        for value in values:
            for plan in NAMES:
                expected = expect(replace(BASE, plan=read_plan(plan), **{name: value * unit}), costs)
                sent_mb = sum(expected.sent_bytes.values()) / BYTES_PER_MB
                found = expected.downtime_s, expected.after_stop_s - expected.downtime_s, expected.total_s, sent_mb
                rows += [(plan, measure, value, quantity, number) for quantity, number in zip(QUANTITIES, found, strict=True)]
    return pd.DataFrame(rows, columns=["plan", "measure", "value", "quantity", "number"])


def panel(rows: pd.DataFrame, measure: str, quantity: str) -> alt.Chart:
    """One quantity against one measure; the names of measures stand under the lowest panels only."""
    is_lowest = quantity == QUANTITIES[-1]
    number = alt.Y("number:Q", title=quantity if measure == next(iter(VARIED)) else None, axis=alt.Axis(tickCount=4))
    return (
        alt.Chart(rows[(rows["measure"] == measure) & (rows["quantity"] == quantity)])
        .mark_line(point=alt.OverlayMarkDef(size=18))
        .encode(
            x=alt.X("value:Q", scale=alt.Scale(type="log"), title=measure if is_lowest else None, axis=alt.Axis(format="~g", tickCount=4)),
            y=number,
            color=alt.Color(
                "plan:N", scale=alt.Scale(domain=list(ORDER), range=list(COLORS)), legend=alt.Legend(title=None, orient="bottom")
            ),
        )
        .properties(width=SIZE * 1.4, height=SIZE)
    )


def main() -> None:
    """Draw."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path, rows = Path(sys.argv[1]), table()
    rows.to_csv(path.with_suffix(".csv"), index=False, float_format="%.5g")
    lines = [alt.hconcat(*(panel(rows, measure, quantity) for measure in VARIED)) for quantity in QUANTITIES]
    write_drawing(alt.vconcat(*lines).to_dict(), path)


if __name__ == "__main__":
    main()
