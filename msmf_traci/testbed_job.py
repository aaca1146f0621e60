"""One session as it was configured: what is built, what is measured, what is said about it."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from msmf_traci.config.testbed_schema import SessionConfig
from msmf_traci.errors import InputError
from msmf_traci.migration.policy import HandoffPolicy
from msmf_traci.results.console import counted
from msmf_traci.testbed.course import SingleTransfer, TracedDrive
from msmf_traci.testbed.drive import DriveFigures, TracedVehicle, option_of, read_drive
from msmf_traci.testbed.images import Images
from msmf_traci.testbed.network import Links
from msmf_traci.testbed.parts import Parts, available_memory_bytes
from msmf_traci.testbed.session import Setting, Task, hold_session
from msmf_traci.testbed.tables import continuity, figures, gaps_table, is_whole, outages_table, steps_table, transfers_table
from msmf_traci.units import BYTES_PER_MB, BYTES_PER_MBIT, S_PER_MS

_SERVERS = {"local": "L:{}", "regional": "R:{}"}


@dataclass(frozen=True)
class Measured:
    """Tables and facts of a session, what a person is told, and whether the service kept its state."""

    tables: Mapping[str, pd.DataFrame]
    facts: Mapping[str, Any]
    text: str
    is_whole: bool


def judge(config: SessionConfig, images: Images) -> None:
    """See that a session can be held: its drive can be read, and its image made.

    Raises
    ------
    InputError
        If not.
    """
    _traced(config)
    free_bytes = available_memory_bytes()
    if config.memory_mb is not None and config.memory_mb * BYTES_PER_MB > free_bytes:
        raise InputError(
            f"memory_mb={config.memory_mb:g}: this machine has {free_bytes / BYTES_PER_MB:.0f} MB of free memory; "
            "choose a smaller memory_mb"
        )
    _, how = images.get(config.application, config.image_mb)
    if config.memory_mb is not None and config.memory_mb * BYTES_PER_MB < how.least_memory_bytes:
        raise InputError(
            f"memory_mb={config.memory_mb:g}: the program {config.application} alone takes "
            f"{how.least_memory_bytes / BYTES_PER_MB:.1f} MB; choose a larger memory_mb"
        )


def measure(config: SessionConfig, images: Images, parts: Parts) -> Measured:
    """Hold a session."""
    image, how = images.get(config.application, config.image_mb)
    memory_mb, dirty_percent = config.memory_mb, config.dirty_percent_per_s
    assert memory_mb is not None and dirty_percent is not None  # where nothing was said, they are the application's
    memory_bytes = memory_mb * BYTES_PER_MB
    task = Task(image, (*how.arguments, str(memory_mb), str(dirty_percent)), memory_bytes, memory_bytes * dirty_percent / 100)
    setting = Setting(
        place=Path(config.folder),
        links=Links(config.links.bandwidth_mbps, parts.has_netem),
        local_rtt_s=config.links.local_ms * S_PER_MS,
        regional_rtt_s=config.links.regional_ms * S_PER_MS,
        threshold_bytes=config.dirty_threshold_mbit * BYTES_PER_MBIT,
        handoff=HandoffPolicy(config.handoff.unsynced == "relay", config.handoff.user_left == "finish"),
        requests_per_s=config.requests_per_s,
        first_in_path=parts.criu_folder,
        tracks_changes=config.track_changes and parts.has_dirty_tracking,
    )
    traced = _traced(config)
    if traced is not None:
        drive = TracedDrive(traced.decisions)
        session = hold_session(task, setting, traced.first_server, drive)
    else:
        course = SingleTransfer(_SERVERS[config.target].format("target"), config.handoff.after_s, config.handoff.lead_s)
        session = hold_session(task, setting, _SERVERS[config.source].format("source"), course)
    transfers = transfers_table(session)
    service = continuity(session)
    facts: dict[str, Any] = {
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "tools": {part.name: part.found for part in parts.parts},
        "delay": "netem" if parts.has_netem else "relay in user space",
        "snapshots": "changed pages" if setting.tracks_changes else "whole",
        "image_bytes": how.bytes,
        "round_trip_s": session.round_trip_s,
        "continuity": service,
    }
    tables = {"steps": steps_table(session), "transfers": transfers, "gaps": gaps_table(session), "outages": outages_table(session)}
    text = _text(transfers, service)
    if traced is not None:
        measured = figures(session)
        facts["drive"] = {"vehicle": traced.vehicle, "computed": asdict(traced.computed), "measured": asdict(measured)}
        facts["drive"]["latest_decision_s"] = drive.latest_s
        text += f"\n  computed: {_drive_text(traced.computed)}\n  measured: {_drive_text(measured)}"
    return Measured(tables, facts, text, is_whole(service))


def _traced(config: SessionConfig) -> TracedVehicle | None:
    """The drive that is to be driven again; None for a single transfer.

    Raises
    ------
    InputError
        If the drive cannot be read, or its run did something that the testbed would do otherwise.
    """
    drive = config.drive
    if drive.run is None:
        return None
    traced = read_drive(Path(drive.run), drive.vehicle, drive.strategy, drive.begin_s, drive.duration_s)
    other = {name: value for name, value in traced.options.items() if not _is_equal(option_of(config.model_dump(), name), value)}
    if other:
        words = " ".join(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in other.items())
        raise InputError(
            f"drive.run={drive.run}: the run served vehicle {traced.vehicle} with other options than this session has; add {words}"
        )
    return traced


def _is_equal(one: Any, other: Any) -> bool:
    return math.isclose(one, other, rel_tol=1e-6) if isinstance(one, float) and isinstance(other, float | int) else bool(one == other)


def _drive_text(drive: DriveFigures) -> str:
    transfers = ", ".join(f"{number} {outcome}" for outcome, number in sorted(drive.transfers.items()))
    return (
        f"{counted(drive.handoffs, 'handoff')}, {counted(drive.outages, 'outage')} of {drive.outage_s:.1f} s in all; transfers: {transfers}"
    )


def _text(transfers: pd.DataFrame, service: Mapping[str, Any]) -> str:
    """What came out, at a glance."""
    lines = []
    for row in transfers.to_dict("records"):
        seen = "" if pd.isna(row["user_downtime_s"]) else f", user without answer for {row['user_downtime_s']:.2f} s"
        lines.append(
            f"  {row['source']} -> {row['target']}: {row['outcome']} in {row['t_end_s'] - row['t_start_s']:.2f} s, "
            f"{row['link_bytes'] / BYTES_PER_MB:.1f} MB, {row['rounds']} rounds, stopped for {row['downtime_s']:.2f} s{seen}"
        )
    checked = "not checked, as it is stopped" if service["state_intact"] is None else "whole" if is_whole(service) else "LOST"
    return "\n".join([*lines, f"  {service['answers']} answers to {service['questions']} questions; state {checked}"])
