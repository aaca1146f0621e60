"""A drive that the harness has traced: a strategy's decisions for one vehicle, to be carried out in real time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.config.earlier_names import with_new_names
from msmf_traci.errors import InputError
from msmf_traci.results.store import has_table, read_run, read_table
from msmf_traci.testbed.course import Decision
from msmf_traci.units import BYTES_PER_MB

# what a drive has to share with its run, for the two to be compared: options of the testbed and of the run
_SHARED = {
    "dirty_threshold_mbit": "workload.dirty_threshold_mbit",
    "handoff.unsynced": "handoff.unsynced",
    "handoff.user_left": "handoff.user_left",
    "links.bandwidth_mbps": "links.bandwidth_mbps",
}
# one container moves at a time: nothing to share links, rooms or layers with; the user is told the new address by a datagram, at once;
# images come from the host, and hosts keep none; memory is copied ahead, and all of it may change
_NEEDED = {
    **{"links.mode": "dedicated", "links.file": None, "handoff.switch_ms": 0},
    **{"images.source": "host", "images.retain_s": 0, "images.shared": False, "workload.catalogue": None},
    **{"handoff.plan": "precopy", "workload.dirty_cap_percent": 100},
}
# what runs did that have no such options
_BEFORE: dict[str, dict[str, Any]] = {
    "images": {"source": "host", "retain_s": 0, "shared": False},
    "handoff": {"plan": "precopy"},
    "workload": {"dirty_cap_percent": 100},
}
_NEEDED_OF_TIERS = ("capacity", "store_gb", "bandwidth_mbps")  # null
_TIERS = {"local", "regional"}
_COLUMNS = ("t_s", "strategy", "vehicle", "home", "target", "host", "running")
_KEEP, _NONE = "KEEP", "NONE"


@dataclass(frozen=True)
class TracedVehicle:
    """A vehicle of a run as one strategy served it.

    Attributes
    ----------
    run, vehicle, strategy
        Which one.
    first_server
        The server that its container is on at the begin.
    decisions
        By time since then.
    options
        What the run did that a testbed has to do likewise: testbed's options with their values.
    computed
        What the harness has computed for this part of the drive.
    """

    run: Path
    vehicle: str
    strategy: str
    first_server: str
    decisions: tuple[Decision, ...]
    options: Mapping[str, Any]
    computed: DriveFigures


@dataclass(frozen=True)
class DriveFigures:
    """A drive in a few figures, computed by the harness or measured.

    Attributes
    ----------
    handoffs, outages
        How many.
    outage_s
        Seconds without a running container.
    transfers
        How many ended, by outcome.
    """

    handoffs: int
    outages: int
    outage_s: float
    transfers: dict[str, int]


def read_drive(run: Path, vehicle: str | None, strategy: str | None, begin_s: float, duration_s: float | None) -> TracedVehicle:
    """Read a drive.

    Parameters
    ----------
    run
        Folder of a run with output.trace=true.
    vehicle, strategy
        Whose decisions; None: the first vehicle that drives long enough, the only strategy.
    begin_s, duration_s
        Which part of the vehicle's drive; None: to its end.

    Raises
    ------
    InputError
        If there is no such drive.
    """
    facts = read_run(run)
    if facts is None:
        raise InputError(f"drive.run={run}: there is no finished run; name a folder with run.json")
    config = with_new_names(facts["config"])
    _refuse_what_no_testbed_does(run, facts, config)
    if not has_table(run, "decisions"):
        raise InputError(f"drive.run={run}: the run has no decisions; make it again with output.trace=true")
    table = read_table(run, "decisions", columns=_COLUMNS)
    strategy = _strategy(table, strategy, run)
    table = table[table["strategy"] == strategy]
    vehicle = vehicle or _first_long_enough(table, begin_s, duration_s, run)
    rows = table[table["vehicle"] == vehicle]
    if rows.empty:
        raise InputError(
            f"drive.vehicle={vehicle}: no such vehicle in {run}; there are {', '.join(sorted(table['vehicle'].unique())[:5])}, ..."
        )
    if rows["t_s"].duplicated().any():
        raise InputError(f"drive.run={run}: its variants decide differently for one vehicle; make a run without variants")
    copies = read_table(run, "copies") if has_table(run, "copies") else pd.DataFrame({"vehicle": [], "strategy": []})
    if ((copies["vehicle"] == vehicle) & (copies["strategy"] == strategy)).any():
        raise InputError(f"drive.run={run}: images are copied ahead for vehicle {vehicle}, which the testbed cannot do; choose another")
    first_s = rows["t_s"].min() + begin_s
    rows = rows[(rows["t_s"] >= first_s) & (rows["t_s"] <= first_s + (duration_s if duration_s is not None else float("inf")))]
    if len(rows) < 2:
        raise InputError(
            f"drive.begin_s={begin_s:g} and drive.duration_s: vehicle {vehicle} has fewer than two frames in that time; "
            "begin earlier, or drive longer"
        )
    if not rows["running"].iloc[0]:
        raise InputError(f"drive.begin_s={begin_s:g}: the container of vehicle {vehicle} is stopped then; begin when it runs")
    decisions = tuple(
        Decision(float(t_s - first_s), None if home == _KEEP else home, None if target == _NONE else target)
        for t_s, home, target in zip(rows["t_s"], rows["home"], rows["target"], strict=True)
    )
    options = {ours: option_of(config, theirs) for ours, theirs in _SHARED.items()} | _sizes(run, vehicle, strategy, config)
    computed = _computed(run, vehicle, strategy, first_s, float(rows["t_s"].iloc[-1]))
    return TracedVehicle(run, vehicle, strategy, str(rows["host"].iloc[0]), decisions, options, computed)


def _computed(run: Path, vehicle: str, strategy: str, begin_s: float, end_s: float) -> DriveFigures:
    """What the harness booked between two instants; at the last nothing is decided any more."""
    transfers = read_table(run, "migrations")
    transfers = transfers[(transfers["vehicle"] == vehicle) & (transfers["strategy"] == strategy)]
    stopped = transfers[transfers["t_stop_s"].notna()]
    stopped = stopped[(stopped["t_stop_s"] < end_s) & (stopped["t_end_s"] > begin_s)]
    # a transfer that starts stopped goes on with the outage of the one abandoned before
    is_new = ~stopped["t_stop_s"].isin(stopped.loc[stopped["outcome"] != "completed", "t_end_s"])
    outage_s = (stopped["t_end_s"].clip(upper=end_s) - stopped["t_stop_s"].clip(lower=begin_s)).sum()
    ended = transfers[(transfers["t_end_s"] > begin_s) & (transfers["t_end_s"] < end_s)]
    # who leaves while stopped, and to whom nothing is sent from then on, has been taken back to the host: a handoff without a transfer
    is_back = ended["t_stop_s"].notna() & (ended["outcome"] == "user_left") & ~ended["t_end_s"].isin(transfers["t_start_s"])
    handoffs = transfers["t_handoff_s"].between(begin_s, end_s, inclusive="left").sum() + is_back.sum()
    outcomes = {str(name): int(number) for name, number in ended["outcome"].value_counts().items()}
    if unfinished := int(((transfers["t_start_s"] < end_s) & (transfers["t_end_s"] >= end_s)).sum()):
        outcomes["unfinished"] = outcomes.get("unfinished", 0) + unfinished  # as the testbed ends it there
    return DriveFigures(int(handoffs), int(is_new.sum()), float(outage_s), outcomes)


def _sizes(run: Path, vehicle: str, strategy: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The vehicle's container, as it was drawn or fixed."""
    vehicles = read_table(run, "vehicles")
    row = vehicles[(vehicles["vehicle"] == vehicle) & (vehicles["strategy"] == strategy)].iloc[0]
    named = config["workload"]["application"]
    name = str(row["image"]) if isinstance(named, Mapping) else named  # of a mix each vehicle has its own
    dirty = (config["applications"][name] if name is not None else config["workload"])["dirty_percent_per_s"]
    sizes = {
        "image_mb": float(row["image_bytes"]) / BYTES_PER_MB,
        "memory_mb": float(row["memory_capacity_bytes"]) / BYTES_PER_MB,
        "dirty_percent_per_s": dirty,
    }
    return sizes if name is None else {"application": name} | sizes


def _refuse_what_no_testbed_does(run: Path, facts: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Refuse a run whose tiers, links or servers a testbed does not have."""
    tiers = config["tiers"]["order"]
    if not _TIERS.issuperset(tiers):
        raise InputError(f"drive.run={run}: the testbed has two tiers, local and regional, but the run has {', '.join(tiers)}")
    if any((facts.get("servers_with_own") or {}).values()):
        raise InputError(f"drive.run={run}: its servers have capacities, stores or bandwidths of their own, which the testbed cannot do")
    config = {**config, **{section: {**before, **config.get(section, {})} for section, before in _BEFORE.items()}}
    needed = _NEEDED | {f"tiers.{tier}.{name}": None for tier in tiers for name in _NEEDED_OF_TIERS}
    for name, only in needed.items():
        if (has := option_of(config, name)) != only:
            raise InputError(
                f"drive.run={run}: the testbed cannot do its {name}={has}; make a run with {name}={'null' if only is None else only}"
            )


def option_of(config: Mapping[str, Any], name: str) -> Any:
    """An option of a configuration by its dotted name; None if an earlier run does not have it."""
    value: Any = config
    for part in name.split("."):
        value = None if value is None else value.get(part)
    return value


def _strategy(table: pd.DataFrame, strategy: str | None, run: Path) -> str:
    there = sorted(table["strategy"].unique())
    if strategy is None and len(there) == 1:
        return str(there[0])
    if strategy is None or strategy not in there:
        raise InputError(f"drive.strategy={'null' if strategy is None else strategy}: {run} has {', '.join(there)}; choose one of them")
    return strategy


def _first_long_enough(table: pd.DataFrame, begin_s: float, duration_s: float | None, run: Path) -> str:
    times = table.groupby("vehicle")["t_s"].agg(["min", "max"])
    long_enough = times[times["max"] - times["min"] >= begin_s + (duration_s or 0.0)]
    if long_enough.empty:
        longest_s = (times["max"] - times["min"]).max()
        raise InputError(f"drive.begin_s and drive.duration_s: the longest drive of {run} takes {longest_s:g} s; choose smaller values")
    return str(long_enough.index[0])
