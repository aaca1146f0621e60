"""Cells of trajectories: each vehicle whose source tells means of transport is a replicate of its own. Figure 8 of the paper.

Trajectories do not meet, so vehicles are taken as independent here, unlike those that SUMO drives through one city; that some are of one
person, or pieces of one recording, is not taken into account.
A trajectory that several seeds have drawn is one trajectory: its values are averaged over them first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msmf_traci.reporting.finished_run import FinishedRun, option_values
from msmf_traci.reporting.measures import DOWNTIME, KINDS, REPLICATE, TRAFFIC, Measure
from msmf_traci.reporting.options import APPLICATION, Option, Value, find_options
from msmf_traci.reporting.reading import Results
from msmf_traci.reporting.statistics import TRAJECTORIES
from msmf_traci.results.keys import ALL, MODE

_OF_COMPLETED = "of completed transfers, divided by their number"
MIGRATION = Measure("migration_bytes", "data of a migration", "MB", 1e6, f"bytes {_OF_COMPLETED}")
MEMORY_DATA = Measure("memory_data_bytes", "memory data of a migration", "MB", 1e6, f"bytes {_OF_COMPLETED}, less the container's image")
MEMORY_SHARE = Measure(
    "memory_data_share",
    "memory data",
    "% of a migration's data",
    0.01,
    f"bytes {_OF_COMPLETED}, less the container's image, as a share of all their bytes",
)
MIGRATION_KINDS = {kind: f"migration_{kind}_bytes" for kind in KINDS}
_SHARED = (*(measure.column for measure in (*TRAFFIC, *DOWNTIME)), "realised_kmh")
_ONLY_HERE = (MIGRATION.column, MEMORY_DATA.column, MEMORY_SHARE.column, *MIGRATION_KINDS.values())
_SIZES = ("image_bytes", "memory_capacity_bytes")
_VEHICLES = (
    *("vehicle", MODE, "commanded_kmh", "realised_kmh", "road_s", "distance_m", *_SIZES, "handoffs"),
    *("completed", "mispredicted", "user_left", "unfinished", "traffic_bytes", "outages", "outage_s"),
)


@dataclass(frozen=True)
class Trajectories:
    """Results whose replicates are trajectories.

    Attributes
    ----------
    results
        With the option `mode`: `all`, and each means of transport, the slowest first. One row a strategy, combination of options, mode and
        trajectory: columns of `measures` as far as a trajectory has them, and those of a migration's bytes.
    """

    results: Results

    @property
    def modes(self) -> list[Value]:
        """Means of transport, the slowest first."""
        return [mode for mode in self.results.options[MODE].values if mode != ALL]

    @property
    def by_mode(self) -> Results:
        """Trajectories of each mode."""
        options = dict(self.results.options) | {MODE: Option(MODE, tuple(self.modes), self.modes[0])}
        return replace(self.results, rows=self.results.rows[self.results.rows[MODE] != ALL], options=options)

    @property
    def of_all_modes(self) -> Results:
        """All trajectories together."""
        options = {name: option for name, option in self.results.options.items() if name != MODE}
        return replace(self.results, rows=self.results.rows[self.results.rows[MODE] == ALL], options=options)

    def applications_by(self, size: str) -> list[Value]:
        """Applications, the smallest first by a size of their containers (`image_bytes`, `memory_capacity_bytes`)."""
        if APPLICATION not in self.results.options:
            return []
        sizes = self.results.rows.groupby(APPLICATION)[size].mean()
        return [name for name in sizes.sort_values(kind="stable").index if name in self.results.options[APPLICATION].values]


def read_trajectories(results: Results) -> Trajectories | None:
    """The trajectories of all runs whose source tells means of transport; None where none does, or none is known."""
    numbers = [number for number, run in enumerate(results.runs) if MODE in run.table("summary")]
    if not numbers:
        return None
    runs = [results.runs[number] for number in numbers]
    tables = [_of_run(run) for run in runs]
    ours = sum(number < results.main for number in numbers) or len(runs)
    seeded = [table.assign(**{REPLICATE: run.seed}) for table, run in zip(tables, runs, strict=True)]
    options = dict(find_options([run.facts["config"] for run in runs], seeded, ours))
    keys = ["strategy", *options, "vehicle", MODE]
    measured = [*_SHARED, *_ONLY_HERE, *_SIZES]
    each = pd.concat([table[[*keys, *measured]] for table in tables], ignore_index=True)
    each = each.groupby(keys, sort=False, dropna=False)[measured].mean().reset_index()
    speeds = each[each[MODE] != ""].groupby(MODE)["realised_kmh"].mean()
    modes = speeds.sort_values(kind="stable").index.tolist()
    if not modes:
        return None
    rows = pd.concat([_numbered(each).assign(**{MODE: ALL}), *(_numbered(each[each[MODE] == mode]) for mode in modes)], ignore_index=True)
    options |= {MODE: Option(MODE, (ALL, *modes), ALL)}
    return Trajectories(replace(results, rows=rows, options=options, units=TRAJECTORIES))


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the number of their trajectory among those that there are, in an order that is as good as random and always the same.

    Across modes the trajectories of one number have nothing in common but that: differences are those of independent samples. Where a mode
    has more trajectories than another these are of as many as the other has: chosen by chance, not by names, which begin with the user.
    """
    names = rows["vehicle"].unique().tolist()
    number = {name: i for i, name in enumerate(sorted(names, key=lambda name: hashlib.sha256(str(name).encode()).digest()))}
    return rows.assign(**{REPLICATE: rows["vehicle"].map(number)})


def _of_run(run: FinishedRun) -> pd.DataFrame:
    """One row a vehicle and variant of a run: its options, its mode (empty where unknown) and what is measured."""
    vehicles = run.table("vehicles", [*run.key_columns, *_VEHICLES])
    rows = pd.DataFrame({"strategy": vehicles["strategy"], **option_values(run, vehicles), "vehicle": vehicles["vehicle"]})
    rows[MODE] = vehicles[MODE].fillna("").astype(object)
    traffic, transfers = vehicles["traffic_bytes"], vehicles[["completed", "mispredicted", "user_left", "unfinished"]].sum(axis=1)
    stopped_s, migrated = _of_transfers(run, vehicles)
    rows = rows.assign(
        traffic_per_trip_bytes=traffic.astype(float),
        traffic_per_transfer_bytes=_over(traffic, transfers),
        traffic_per_km_bytes=_over(traffic * 1000.0, vehicles["distance_m"]),
        traffic_per_vehicle_hour_bytes=_over(traffic * 3600.0, vehicles["road_s"]),
        downtime_per_handoff_s=_over(stopped_s, vehicles["handoffs"]),
        mean_outage_s=_over(vehicles["outage_s"], vehicles["outages"]),
        unavailability=_over(vehicles["outage_s"], vehicles["road_s"]),
        **{name: vehicles[name] for name in ("realised_kmh", *_SIZES)},
        **{MIGRATION_KINDS[kind]: _over(migrated[kind], vehicles["completed"]) for kind in KINDS},
    )
    total = rows[list(MIGRATION_KINDS.values())].sum(axis=1, skipna=False)
    memory = total - rows["image_bytes"]
    return rows.assign(migration_bytes=total, memory_data_bytes=memory, memory_data_share=_over(memory, total))


def _of_transfers(run: FinishedRun, vehicles: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Seconds stopped in all transfers, and bytes of completed ones by kind, in the rows of a run's vehicles; NaN without that table."""
    if not run.has("migrations"):
        return pd.Series(np.nan, index=vehicles.index), pd.DataFrame(np.nan, index=vehicles.index, columns=list(KINDS))
    keys = [*run.key_columns, "vehicle"]
    moved = run.table("migrations", [*keys, "outcome", "downtime_s", *(f"{kind}_bytes" for kind in KINDS)])
    counted = moved.assign(**{kind: moved[f"{kind}_bytes"].where(moved["outcome"] == "completed", 0.0) for kind in KINDS})
    sums = counted.groupby(keys, dropna=False)[["downtime_s", *KINDS]].sum().reset_index()
    found = (
        vehicles[keys].merge(sums, on=keys, how="left").set_index(vehicles.index).fillna({"downtime_s": 0.0, **dict.fromkeys(KINDS, 0.0)})
    )
    return found["downtime_s"], found[list(KINDS)]


def _over(total: pd.Series, of: pd.Series) -> pd.Series:
    """A rate of each row; NaN where there is nothing to divide by."""
    return total.astype(float) / of.astype(float).where(of > 0)
