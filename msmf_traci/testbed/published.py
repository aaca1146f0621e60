"""Measured migrations from a CSV file, one a row: what was published, or what one measured oneself. docs/validation.md has the columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.config.fields import LARGEST
from msmf_traci.errors import InputError
from msmf_traci.experiment.plan_file import read_plan
from msmf_traci.migration.plan import Plan, PlanStep, Sends, Service, Until, plan_of
from msmf_traci.testbed.expectation import Migration
from msmf_traci.units import BYTES_PER_MB, BYTES_PER_MBIT, S_PER_MS

MODES = ("cold", "precopy", "postcopy", "replay", "local")
_NUMBERS = ("rounds", "image_mb", "memory_mb", "dirty_mb_per_s", "dirty_set_mb", "bandwidth_mbps", "rtt_ms", "downtime_s", "total_s")
_COLUMNS = ("row", "app", "mode", *_NUMBERS, "note")
_OPTIONAL = ("preset", "fit")
_INSTANT_SHARE_PER_S = 1e9  # the set that changes is dirty at once
_UNLIMITED_BYTES_PER_S = 1e15
_MOST_ROUNDS = 100
_SENT_BEFORE = "beforehand"


@dataclass(frozen=True)
class Published:
    """A measured migration.

    Attributes
    ----------
    name
        Its set (the file's name), row and application.
    migration
        As it was set up.
    counts_from_stop
        Whether the total time leaves out what was sent while the container ran: it had been sent before the request.
    total_s, downtime_s
        As measured; NaN: not.
    preset
        The preset that the file names; empty: none.
    is_fitted_on
        What the file says, or None.
    """

    name: Mapping[str, Any]
    migration: Migration
    counts_from_stop: bool
    total_s: float
    downtime_s: float
    preset: str
    is_fitted_on: bool | None


def read_published(path: Path) -> list[Published]:
    """The rows of a file that can be expected: those that say how large the memory is.

    Raises
    ------
    InputError
        If it cannot be read, or a row is wrong.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, comment="#", skipinitialspace=True, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise InputError(f"{path} has no column {missing[0]}; it needs {', '.join(_COLUMNS)}, and may have {', '.join(_OPTIONAL)}")
    found = [_published(path, row) for row in table.to_dict("records")]
    kept = [each for each in found if each is not None]
    if not kept:
        raise InputError(f"{path} has no row with a measured time and a size of memory; add one")
    return kept


def _published(path: Path, row: Mapping[Any, str]) -> Published | None:
    where = f"{path}, row {row['row']}"
    number = {name: _number(where, name, row[name]) for name in _NUMBERS}
    if math.isnan(number["memory_mb"]) or (math.isnan(number["downtime_s"]) and math.isnan(number["total_s"])):
        return None
    mode = row["mode"]
    if mode not in MODES:
        raise InputError(f"{where}: mode is {mode}; choose from {', '.join(MODES)}")
    is_local = mode == "local"
    for name in () if is_local else ("bandwidth_mbps", "rtt_ms"):
        if math.isnan(number[name]):
            raise InputError(f"{where}: {name} is empty; only the mode local has no link")
    for name in ("memory_mb", "bandwidth_mbps", "downtime_s", "total_s"):
        if number[name] == 0:
            raise InputError(f"{where}: {name} is 0; write a number above 0, or leave a time that was not measured empty")
    memory_bytes = number["memory_mb"] * BYTES_PER_MB
    is_set_known = mode == "precopy" and not math.isnan(number["dirty_set_mb"])
    rate = 0.0 if math.isnan(number["dirty_mb_per_s"]) else number["dirty_mb_per_s"]
    migration = Migration(
        image_bytes=0.0 if math.isnan(number["image_mb"]) else number["image_mb"] * BYTES_PER_MB,
        memory_bytes=memory_bytes,
        dirty_share_per_s=_INSTANT_SHARE_PER_S if is_set_known else rate / number["memory_mb"],
        threshold_bytes=memory_bytes,
        bandwidth_bytes_per_s=_UNLIMITED_BYTES_PER_S if is_local else number["bandwidth_mbps"] * BYTES_PER_MBIT,
        round_trip_s=0.0 if is_local else number["rtt_ms"] * S_PER_MS,
        relay_unsynced=True,
        after_s=0.0,
        lead_s=0.0,
        plan=_plan(where, mode, number["rounds"]),
        dirty_cap_share=min(1.0, number["dirty_set_mb"] / number["memory_mb"]) if is_set_known else 1.0,
        arriving_per_s=_messages_per_s(where, row["note"]) if mode == "replay" else 0.0,
    )
    return Published(
        {"set": path.stem, "row": row["row"], "app": row["app"], "mode": mode},
        migration,
        _SENT_BEFORE in row["note"],
        number["total_s"],
        number["downtime_s"],
        row.get("preset", ""),
        _is_fitted_on(where, row["fit"]) if "fit" in row else None,
    )


def _number(where: str, name: str, text: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LARGEST:
        raise InputError(f"{where}: {name} is {text}; write a number from 0 to {LARGEST:g}, or leave it empty")
    return value


def _is_fitted_on(where: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InputError(f"{where}: fit is {text}; write true or false")
    return text.lower() == "true"


def _messages_per_s(where: str, note: str) -> float:
    found = re.search(r"\brate=(\d+(?:\.\d+)?)\b", note)
    if found is None:
        raise InputError(f"{where}: note does not say how many messages arrive in a second; write rate=NUMBER in it")
    return float(found[1])


def _plan(where: str, mode: str, rounds: float) -> Plan:
    """What the migration did; `rounds` snapshots were sent before the container stopped."""
    if mode == "local":
        return read_plan("cold")
    if mode != "precopy":
        return read_plan(mode)
    if not (rounds == int(rounds if not math.isnan(rounds) else 0) and 1 <= rounds <= _MOST_ROUNDS):
        raise InputError(f"{where}: rounds is {rounds:g}; write how many snapshots were sent before the stop, from 1 to {_MOST_ROUNDS}")
    later = [PlanStep(Sends.DIRTY, Service.RUNS, Until.ROUNDS, then=3, value=rounds - 1)] if rounds > 1 else []
    ready = 2 + len(later)
    return plan_of(
        [
            PlanStep(Sends.IMAGE, Service.RUNS, Until.SENT, then=1),
            PlanStep(Sends.MEMORY, Service.RUNS, Until.SENT, then=2),
            *later,
            PlanStep(Sends.NOTHING, Service.RUNS, Until.HANDOFF, then=-1),
            PlanStep(Sends.REST, Service.STOPPED, Until.SENT, then=ready + 2),
            PlanStep(Sends.NOTHING, Service.STOPPED, Until.SENT, then=-1),
        ]
    )
