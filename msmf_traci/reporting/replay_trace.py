"""What moves in a replay, as arrays of whole numbers: vehicles, the changes of what was decided, transfers and their stages, copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.migration.ledger import BYTE_KINDS, COPY_OUTCOME_NAMES, IMAGE_SOURCES, OUTCOME_NAMES
from msmf_traci.reporting.replay_numbers import Numbers, in_ms, new_numbered, numbered, rounded, starts, variant_numbers
from msmf_traci.reporting.run_tables import NUMBER, OPTIONAL_NUMBER, TEXT, Columns, header, read_pieces, read_whole

QUANTUM_M = 0.1
"""Positions are whole multiples of this, so at most half of it off."""

STAGES = ("IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE", "PULL", "REPLAY")
OUTCOMES = OUTCOME_NAMES
COPY_OUTCOMES = COPY_OUTCOME_NAMES
_SERVERS = ("home", "target", "host")
_PREFETCH = "prefetch"  # earlier versions did not write it


@dataclass(frozen=True)
class Trips:
    """Every vehicle's samples, by vehicle and time.

    Attributes
    ----------
    ids
        The vehicles, sorted.
    time_ms
        Times of the frames.
    first
        Samples of vehicle v are `first[v]` to `first[v + 1]`, shape (vehicles + 1,).
    frame, x, y, speed, cell, street
        Of each sample: frame, position in QUANTUM_M, speed in cm/s, cell, and street by number.
    streets
        Names of the streets.
    """

    ids: NDArray[np.object_]
    time_ms: IntArray
    first: IntArray
    frame: IntArray
    x: IntArray
    y: IntArray
    speed: IntArray
    cell: IntArray
    street: IntArray
    streets: list[str]


@dataclass(frozen=True)
class Changes:
    """What was decided for every container and what it did: only the frames at which some of it changed, by variant, vehicle and time.

    Attributes
    ----------
    first
        Changes of vehicle v in variant k are `first[k * vehicles + v]` to the next.
    frame, home, target, host, running
        From which frame on; servers by number (KEEP, NONE), running 0 or 1.
    """

    first: IntArray
    frame: IntArray
    home: IntArray
    target: IntArray
    host: IntArray
    running: IntArray
    prefetch: IntArray


@dataclass(frozen=True)
class _Flows:
    """Transfers or copies: what is sent to servers for containers.

    Attributes
    ----------
    name, table
        Of one of them and of their table; the name is that of the column with its number, and begins the names of the arrays.
    target
        Column of the server that it is sent to.
    outcomes
        In their order.
    sent
        Columns of bytes.
    """

    name: str
    table: str
    target: str
    outcomes: tuple[str, ...]
    sent: tuple[str, ...]


_TRANSFERS = _Flows("transfer", "migrations", "target", OUTCOMES, BYTE_KINDS)
_COPIES = _Flows("copy", "copies", "server", COPY_OUTCOMES, IMAGE_SOURCES)


def read_trips(run: Path, cells: NDArray[np.object_], edges: NDArray[np.object_], streets: NDArray[np.object_]) -> Trips:
    """Read frames.

    Parameters
    ----------
    run
        Folder of the run.
    cells
        Names of the cells by number.
    edges, streets
        Ids of edges and the names of their streets.
    """
    columns = dict.fromkeys(("t_s", "x_m", "y_m", "speed_mps"), NUMBER) | dict.fromkeys(("vehicle", "edge", "cell"), TEXT)
    table = read_whole(run, "frames", columns)
    if not len(table):
        raise InputError(f"{run} has no frames: no vehicle was on the road, so there is nothing to replay; leave out --replay")
    ids, vehicle = np.unique(table["vehicle"].to_numpy(dtype=object).astype(str), return_inverse=True)
    time_ms, frame = np.unique(in_ms(table["t_s"]), return_inverse=True)
    cell_numbers = {name: number for number, name in enumerate(cells)}
    unknown = set(table["cell"]) - set(cell_numbers)
    if unknown:
        raise InputError(f"{run} names a cell {min(unknown)} that its map does not have; copy the run and its map folder again")
    street_numbers = Numbers([""])
    street_of = {edge: street_numbers(name) for edge, name in zip(edges, streets, strict=True)}
    order = np.lexsort((frame, vehicle))
    counts = np.bincount(vehicle, minlength=len(ids))
    return Trips(
        ids=ids.astype(object),
        time_ms=time_ms,
        first=starts(counts),
        frame=frame[order].astype(np.int64),
        x=rounded(table["x_m"], QUANTUM_M)[order],
        y=rounded(table["y_m"], QUANTUM_M)[order],
        speed=rounded(table["speed_mps"], 0.01)[order],
        cell=table["cell"].map(cell_numbers).to_numpy(dtype=np.int64)[order],
        street=table["edge"].map(lambda edge: street_of.get(edge, 0)).to_numpy(dtype=np.int64)[order],
        streets=list(street_numbers.of),
    )


def read_changes(run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], servers: Numbers, lists: Numbers) -> Changes:
    """Read decisions and keep those that differ from the vehicle's one before.

    Parameters
    ----------
    run
        Folder of the run.
    trips
        Its vehicles.
    variants
        Numbers of the variants by the text of their keys, all known.
    key_columns
        What tells variants apart.
    servers
        Numbers of servers by name; those met here are added.
    lists
        Numbers of lists of servers by their text; those met here are added.
    """
    prefetch = (_PREFETCH,) if _PREFETCH in header(run, "decisions") else ()
    columns = {"t_s": NUMBER, **dict.fromkeys((*key_columns, "vehicle", *_SERVERS, *prefetch), TEXT), "running": NUMBER}
    n_vehicles, n_series = len(trips.ids), len(variants.of) * len(trips.ids)
    vehicle_numbers = {name: number for number, name in enumerate(trips.ids)}
    last = np.full((n_series, len(_SERVERS) + 2), -9, dtype=np.int64)
    series_parts, frame_parts, state_parts, rows = [], [], [], 0
    for piece in read_pieces(run, "decisions", columns):
        frame = np.searchsorted(trips.time_ms, in_ms(piece["t_s"]))
        variant = variant_numbers(piece, key_columns, variants, run)
        series = variant * n_vehicles + numbered(piece["vehicle"], vehicle_numbers, run)
        wanted = new_numbered(piece[_PREFETCH], lists) if prefetch else np.zeros(len(piece), dtype=np.int64)
        states = [*(new_numbered(piece[name], servers) for name in _SERVERS), piece["running"].to_numpy(dtype=np.int64), wanted]
        state = np.column_stack(states)
        order = np.lexsort((frame, series))
        series, frame, state = series[order], frame[order], state[order]
        changed = _differs(series, state, last)
        series_parts.append(series[changed])
        frame_parts.append(frame[changed])
        state_parts.append(state[changed])
        rows += len(piece)
    if rows != len(trips.frame) * len(variants.of):
        raise InputError(
            f"{run}: table decisions has {rows} rows, but frames and vehicles need {len(trips.frame) * len(variants.of)}, "
            "so one of these tables is cut off; copy the run again, or run it again"
        )
    series, frame, state = np.concatenate(series_parts), np.concatenate(frame_parts), np.concatenate(state_parts)
    order = np.lexsort((frame, series))
    return Changes(starts(np.bincount(series, minlength=n_series)), frame[order], *state[order].T)


def read_transfers(
    run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], servers: Numbers, booked: int
) -> dict[str, IntArray]:
    """Read transfers and their stages, as arrays by variant and start; stages of a transfer are `stage_first[k]` to the next.

    Parameters
    ----------
    booked
        How many transfers the table of vehicles has booked.
    """
    table = _read_flows(_TRANSFERS, {"source": TEXT, "t_handoff_s": OPTIONAL_NUMBER}, run, trips, variants, key_columns, booked)
    arrays = _flow_arrays(_TRANSFERS, table, variants, servers)
    is_lasting = arrays["transfer_end"] > arrays["transfer_start"]
    return {
        **arrays,
        "transfer_source": new_numbered(table["source"], servers),
        "transfer_handoff": in_ms(table["t_handoff_s"]),
        **_read_stages(run, trips, variants, key_columns, table["key"].to_numpy(), is_lasting),
    }


def read_copies(
    run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], servers: Numbers, booked: int
) -> dict[str, IntArray]:
    """Read copies of images, as arrays by variant and begin; none where no copy is booked.

    Parameters
    ----------
    booked
        How many copies the table of vehicles has booked.
    """
    if not booked:
        return {}
    table = _read_flows(_COPIES, {"t_complete_s": OPTIONAL_NUMBER}, run, trips, variants, key_columns, booked)
    return {
        **_flow_arrays(_COPIES, table, variants, servers),
        "copy_complete": in_ms(table["t_complete_s"]),
        **{f"copy_{source.removesuffix('_bytes')}_kb": rounded(table[source], 1000.0) for source in IMAGE_SOURCES},
    }


def _read_flows(
    flows: _Flows, more: Columns, run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], booked: int
) -> pd.DataFrame:
    """Rows of transfers or copies by variant and begin, with numbers for variant and vehicle, and a key; `more` names further columns."""
    texts = dict.fromkeys((*key_columns, "vehicle", flows.target, "outcome"), TEXT)
    numbers = dict.fromkeys((flows.name, "t_start_s", "t_end_s", *flows.sent), NUMBER)
    table = read_whole(run, flows.table, {**texts, **numbers, **more})
    if len(table) != booked:
        raise InputError(
            f"{run}: table {flows.table} has {len(table)} rows, but table vehicles counts {booked} of them; "
            "copy the run again, or run it again"
        )
    vehicle_numbers = {name: number for number, name in enumerate(trips.ids)}
    outcome_numbers = {name: number for number, name in enumerate(flows.outcomes)}
    number = table[flows.name].to_numpy(dtype=np.int64)
    variant, vehicle = variant_numbers(table, key_columns, variants, run), numbered(table["vehicle"], vehicle_numbers, run)
    outcome = numbered(table["outcome"], outcome_numbers, run)
    # they are numbered by vehicle and variant
    made = table.assign(variant=variant, vehicle=vehicle, outcome=outcome, key=_key(variant, vehicle, number))
    return made.iloc[np.lexsort((number, vehicle, in_ms(table["t_start_s"]), variant))]


def _flow_arrays(flows: _Flows, table: pd.DataFrame, variants: Numbers, servers: Numbers) -> dict[str, IntArray]:
    """What is known of transfers and copies alike."""
    arrays = {
        "first": starts(np.bincount(table["variant"], minlength=len(variants.of))),
        "vehicle": table["vehicle"].to_numpy(dtype=np.int64),
        "number": table[flows.name].to_numpy(dtype=np.int64),
        "target": new_numbered(table[flows.target], servers),
        "start": in_ms(table["t_start_s"]),
        "end": in_ms(table["t_end_s"]),
        "outcome": table["outcome"].to_numpy(dtype=np.int64),
        "kb": rounded(table[list(flows.sent)].sum(axis=1), 1000.0),
    }
    return {f"{flows.name}_{name}": values for name, values in arrays.items()}


def _read_stages(
    run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], transfers: IntArray, is_lasting: BoolArray
) -> dict[str, IntArray]:
    """Stages in the order of their transfers, whose keys are given; transfers that last a while have at least one."""
    numbers = dict.fromkeys(("transfer", "t_begin_s", "t_end_s", "bytes"), NUMBER)
    vehicle_numbers = {name: number for number, name in enumerate(trips.ids)}
    table = read_whole(run, "stages", dict.fromkeys((*key_columns, "vehicle", "stage"), TEXT) | numbers)
    variant, vehicle = variant_numbers(table, key_columns, variants, run), numbered(table["vehicle"], vehicle_numbers, run)
    key = _key(variant, vehicle, table["transfer"].to_numpy(dtype=np.int64))
    by_key = np.argsort(transfers)
    at = np.minimum(np.searchsorted(transfers[by_key], key), max(len(transfers) - 1, 0))
    if len(key) and (not len(transfers) or (transfers[by_key][at] != key).any()):
        raise InputError(f"{run}: table stages names a transfer that table migrations lacks; copy the run again, or run it again")
    if not np.isin(transfers[is_lasting], key).all():
        raise InputError(f"{run}: table stages is cut off: it lacks the stages of some transfers; copy the run again, or run it again")
    transfer = by_key[at] if len(key) else np.zeros(0, dtype=np.int64)
    begin_ms = in_ms(table["t_begin_s"])
    order = np.lexsort((np.arange(len(transfer)), transfer))
    stage_numbers = {name: stage for stage, name in enumerate(STAGES)}
    return {
        "stage_first": starts(np.bincount(transfer, minlength=len(transfers))),
        "stage_kind": numbered(table["stage"], stage_numbers, run)[order],
        "stage_begin": begin_ms[order],
        "stage_end": in_ms(table["t_end_s"])[order],
    }


def _differs(series: IntArray, state: IntArray, last: IntArray) -> BoolArray:
    """Whether rows, sorted by series, differ from the one before of their series; `last` knows those of earlier pieces, and is kept up."""
    if not len(series):
        return np.zeros(0, dtype=np.bool_)
    begins = np.append(True, series[1:] != series[:-1])
    before = np.vstack([state[:1], state[:-1]])
    before[begins] = last[series[begins]]
    ends = np.append(begins[1:], True)
    last[series[ends]] = state[ends]
    return np.asarray((state != before).any(axis=1), dtype=np.bool_)


def _key(variant: IntArray, vehicle: IntArray, number: IntArray) -> IntArray:
    return np.asarray((variant << 44) + (vehicle << 22) + number, dtype=np.int64)
