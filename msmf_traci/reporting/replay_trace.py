"""What moves in a replay, as arrays of whole numbers: vehicles, the changes of what was decided, transfers and their stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.reporting.run_tables import NUMBER, OPTIONAL_NUMBER, TEXT, read_pieces, read_whole, variant_labels

QUANTUM_M = 0.1
"""Positions are whole multiples of this, so at most half of it off."""

KEEP, NONE, NEVER = -2, -1, -1
STAGES = ("IMAGE", "MEMORY", "ROUND", "IDLE", "FINAL", "RESTORE")
OUTCOMES = ("completed", "mispredicted", "user_left", "unfinished", "refused")
_BYTES = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes")
_STATE = ("home", "target", "host", "running")


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


class Numbers:
    """Numbers for names, given in the order in which the names are met.

    Parameters
    ----------
    names
        Those that have numbers already.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.of = {name: number for number, name in enumerate(names)}

    def __call__(self, name: str) -> int:
        """Give the number of a name."""
        return self.of.setdefault(name, len(self.of))


def in_ms(seconds: pd.Series) -> IntArray:
    """Whole milliseconds, NEVER where there is none."""
    values = seconds.to_numpy(dtype=np.float64)
    return np.where(np.isnan(values), NEVER, np.rint(np.nan_to_num(values) * 1000.0)).astype(np.int64)


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
        first=_starts(counts),
        frame=frame[order].astype(np.int64),
        x=_rounded(table["x_m"], QUANTUM_M)[order],
        y=_rounded(table["y_m"], QUANTUM_M)[order],
        speed=_rounded(table["speed_mps"], 0.01)[order],
        cell=table["cell"].map(cell_numbers).to_numpy(dtype=np.int64)[order],
        street=table["edge"].map(lambda edge: street_of.get(edge, 0)).to_numpy(dtype=np.int64)[order],
        streets=list(street_numbers.of),
    )


def read_changes(run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], servers: Numbers) -> Changes:
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
    """
    columns = {"t_s": NUMBER, **dict.fromkeys((*key_columns, "vehicle", "home", "target", "host"), TEXT), "running": NUMBER}
    n_vehicles, n_series = len(trips.ids), len(variants.of) * len(trips.ids)
    vehicle_numbers = {name: number for number, name in enumerate(trips.ids)}
    last = np.full((n_series, len(_STATE)), -9, dtype=np.int64)
    series_parts, frame_parts, state_parts, rows = [], [], [], 0
    for piece in read_pieces(run, "decisions", columns):
        frame = np.searchsorted(trips.time_ms, in_ms(piece["t_s"]))
        variant = _numbers_of_rows(piece, key_columns, variants, run)
        series = variant * n_vehicles + _numbered(piece["vehicle"], vehicle_numbers, run)
        state = np.column_stack([_servers(piece[name], servers) for name in _STATE[:3]] + [piece["running"].to_numpy(dtype=np.int64)])
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
    return Changes(_starts(np.bincount(series, minlength=n_series)), frame[order], *state[order].T)


def read_transfers(
    run: Path, trips: Trips, variants: Numbers, key_columns: Sequence[str], servers: Numbers, booked: int
) -> dict[str, IntArray]:
    """Read transfers and their stages, as arrays by variant and start; stages of a transfer are `stage_first[k]` to the next.

    Parameters
    ----------
    booked
        How many transfers the table of vehicles has booked.
    """
    vehicle_numbers = {name: number for number, name in enumerate(trips.ids)}
    times = ("t_start_s", "t_handoff_s", "t_end_s")
    columns = dict.fromkeys((*key_columns, "vehicle", "source", "target", "outcome"), TEXT)
    kinds = {"transfer": NUMBER} | dict.fromkeys(times, OPTIONAL_NUMBER) | dict.fromkeys(_BYTES, NUMBER)
    table = read_whole(run, "migrations", columns | kinds | {"t_start_s": NUMBER, "t_end_s": NUMBER})
    if len(table) != booked:
        raise InputError(
            f"{run}: table migrations has {len(table)} rows, but table vehicles counts {booked} transfers; "
            "copy the run again, or run it again"
        )
    vehicle, variant = _numbered(table["vehicle"], vehicle_numbers, run), _numbers_of_rows(table, key_columns, variants, run)
    start_ms, number = in_ms(table["t_start_s"]), table["transfer"].to_numpy(dtype=np.int64)
    order = np.lexsort((number, vehicle, start_ms, variant))
    # transfers of a vehicle are numbered within a variant
    key = _transfer_key(variant, vehicle, number)
    stages = _read_stages(run, vehicle_numbers, variants, key_columns, key[order], (in_ms(table["t_end_s"]) > start_ms)[order])
    outcome_numbers = {name: outcome for outcome, name in enumerate(OUTCOMES)}
    return {
        "transfer_first": _starts(np.bincount(variant, minlength=len(variants.of))),
        "transfer_vehicle": vehicle[order],
        "transfer_number": number[order],
        "transfer_source": _servers(table["source"], servers)[order],
        "transfer_target": _servers(table["target"], servers)[order],
        "transfer_start": start_ms[order],
        "transfer_handoff": in_ms(table["t_handoff_s"])[order],
        "transfer_end": in_ms(table["t_end_s"])[order],
        "transfer_outcome": _numbered(table["outcome"], outcome_numbers, run)[order],
        "transfer_kb": _rounded(table[list(_BYTES)].sum(axis=1), 1000.0)[order],
        **stages,
    }


def _read_stages(
    run: Path, vehicle_numbers: dict[str, int], variants: Numbers, key_columns: Sequence[str], transfers: IntArray, is_lasting: BoolArray
) -> dict[str, IntArray]:
    """Stages in the order of their transfers, whose keys are given; transfers that last a while have at least one."""
    numbers = dict.fromkeys(("transfer", "t_begin_s", "t_end_s", "bytes"), NUMBER)
    table = read_whole(run, "stages", dict.fromkeys((*key_columns, "vehicle", "stage"), TEXT) | numbers)
    variant, vehicle = _numbers_of_rows(table, key_columns, variants, run), _numbered(table["vehicle"], vehicle_numbers, run)
    key = _transfer_key(variant, vehicle, table["transfer"].to_numpy(dtype=np.int64))
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
        "stage_first": _starts(np.bincount(transfer, minlength=len(transfers))),
        "stage_kind": _numbered(table["stage"], stage_numbers, run)[order],
        "stage_begin": begin_ms[order],
        "stage_end": in_ms(table["t_end_s"])[order],
    }


def _transfer_key(variant: IntArray, vehicle: IntArray, number: IntArray) -> IntArray:
    return np.asarray((variant << 44) + (vehicle << 22) + number, dtype=np.int64)


def _rounded(values: pd.Series, quantum: float) -> IntArray:
    return np.rint(values.to_numpy(dtype=np.float64) / quantum).astype(np.int64)


def _starts(counts: IntArray) -> IntArray:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])


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


def _numbered(column: pd.Series, numbers: dict[str, int], run: Path) -> IntArray:
    """Numbers of the names in a column, all of them known."""
    names = column.astype("category").cat
    unknown = [str(name) for name in names.categories if name not in numbers]
    if unknown:
        raise InputError(f"{run}: {column.name} {unknown[0]} stands in one table and not in another; copy the run again, or run it again")
    return np.array([numbers[name] for name in names.categories], dtype=np.int64)[names.codes.to_numpy()]


def _servers(column: pd.Series, servers: Numbers) -> IntArray:
    """Numbers of servers; names met for the first time get one."""
    names = column.astype("category").cat
    special = {"KEEP": KEEP, "NONE": NONE}
    of = [special[name] if name in special else servers(str(name)) for name in names.categories]
    return np.array(of, dtype=np.int64)[names.codes.to_numpy()]


def _numbers_of_rows(rows: pd.DataFrame, key_columns: Sequence[str], variants: Numbers, run: Path) -> IntArray:
    """Variant of each row; every combination of keys is looked up once."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    combination = np.zeros(len(rows), dtype=np.int64)
    for column in key_columns:
        names = rows[column].astype("category").cat
        combination = combination * len(names.categories) + names.codes.to_numpy()
    _, first, of_row = np.unique(combination, return_index=True, return_inverse=True)
    labels = variant_labels(rows.iloc[first], key_columns)
    unknown = [label for label in labels if label not in variants.of]
    if unknown:
        raise InputError(f"{run}: the table of vehicles lacks {' '.join(unknown[0].split(chr(31)))}; copy the run again, or run it again")
    return np.array([variants.of[label] for label in labels], dtype=np.int64)[of_row]
