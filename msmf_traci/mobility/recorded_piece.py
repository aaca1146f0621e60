"""One piece of a recording: consecutive frames to columns of small integers and back.

Samples are ordered by vehicle, in *spans*: a vehicle in consecutive frames. A column keeps each span's first value and, for every
sample, the difference from the one before (0 at a span's first).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.files.columns_file import MOST_VALUES, ColumnsFile, ColumnsWriter
from msmf_traci.mobility.frame import DECIMALS, NO_EDGE, Frames

UNITS = 10**DECIMALS
MOST_UNITS = 2**53  # up to here a float holds every integer
_MEASURED = ("x_m", "y_m", "speed_mps", "position_m")
_NUMBERED = ("edge", "route", "route_index")


def pack_piece(writer: ColumnsWriter, piece: int, batches: Sequence[Frames], edge_numbers: Callable[[IntArray], IntArray]) -> None:
    """Add the columns of consecutive frames.

    Parameters
    ----------
    writer
        Takes the columns.
    piece
        Number of the piece.
    batches
        The frames.
    edge_numbers
        From numbers of road edges to those of the recording.
    """
    vehicle = _joined(batches, "vehicle")
    sizes = np.concatenate([np.diff(batch.start) for batch in batches])
    frame = np.repeat(np.arange(len(sizes)), sizes)
    order = np.argsort(vehicle, kind="stable")
    vehicle, frame = vehicle[order], frame[order]
    begins = np.ones(len(vehicle), dtype=bool)
    begins[1:] = (np.diff(vehicle) != 0) | (np.diff(frame) != 1)
    begin = np.flatnonzero(begins)
    end = np.append(begin[1:], len(vehicle))[: len(begin)]
    writer.add(f"{piece}/times", np.diff(_units(_joined(batches, "times_s")), prepend=0))
    writer.add(f"{piece}/span/vehicle", vehicle[begin])
    writer.add(f"{piece}/span/frame", frame[begin])
    writer.add(f"{piece}/span/frames", end - begin)
    writer.add(f"{piece}/span/first", _joined(batches, "first")[order][begin].astype(np.int64))
    writer.add(f"{piece}/span/last", _joined(batches, "last")[order][end - 1].astype(np.int64))
    for name in (*_MEASURED, *_NUMBERED):
        values = _joined(batches, name)[order]
        numbers = _units(values) if name in _MEASURED else edge_numbers(values) if name == "edge" else values
        steps = np.diff(numbers, prepend=0)
        steps[begin] = 0
        writer.add(f"{piece}/{name}/begin", numbers[begin])
        writer.add(f"{piece}/{name}/steps", steps)


def unpack_piece(file: ColumnsFile, piece: int, edges: IntArray, route_lengths: IntArray, vehicles: int) -> Frames:
    """The frames of a piece, with everything checked that a pass cannot have.

    Parameters
    ----------
    file
        The recording.
    piece
        Number of the piece.
    edges
        From the recording's numbers of edges to those of the road map, NO_EDGE at its end.
    route_lengths
        Edges of each route.
    vehicles
        Number of vehicles.

    Raises
    ------
    InputError
        If a value is impossible.
    """
    times = np.cumsum(file.read(f"{piece}/times"))
    if not all_within(times, 0, MOST_UNITS) or (np.diff(times) <= 0).any():
        file.refuse("its times do not rise")
    spans = _read_spans(file, piece, len(times), vehicles)
    columns = {name: spans.read(file, f"{piece}/{name}") for name in (*_MEASURED, *_NUMBERED)}
    if not all(all_within(columns[name], -MOST_UNITS, MOST_UNITS) for name in _MEASURED):
        file.refuse("it has values that no frame can hold")
    if not all_within(columns["speed_mps"], 0, MOST_UNITS):
        file.refuse("it has negative speeds")
    if not all_within(columns["edge"], NO_EDGE, len(edges) - 1):
        file.refuse("it has edges that it does not name")
    if not all_within(columns["route"], 0, len(route_lengths)):
        file.refuse("it has routes that it does not name")
    if len(times) and ((columns["route_index"] < 0) | (columns["route_index"] >= route_lengths[columns["route"]])).any():
        file.refuse("a vehicle is beyond its route")
    order = spans.order_by_frame
    return Frames(
        times_s=times / UNITS,
        start=spans.start,
        vehicle=np.repeat(spans.vehicle, spans.frames)[order],
        **{name: columns[name][order] / UNITS for name in _MEASURED},
        edge=edges[columns["edge"][order]],
        route=columns["route"][order],
        route_index=columns["route_index"][order],
        first=spans.flagged(spans.first, spans.begin)[order],
        last=spans.flagged(spans.last, spans.end - 1)[order],
    )


@dataclass(frozen=True)
class _Spans:
    """The spans of a piece, arrays of shape (spans,), and how their samples are ordered by frame."""

    vehicle: IntArray
    frames: IntArray
    first: IntArray
    last: IntArray
    begin: IntArray
    end: IntArray
    start: IntArray
    order_by_frame: IntArray

    def read(self, file: ColumnsFile, name: str) -> IntArray:
        """A column of samples."""
        begins, steps = file.read(f"{name}/begin"), file.read(f"{name}/steps")
        samples = int(self.end[-1]) if len(self.end) else 0
        if len(begins) != len(self.begin) or len(steps) != samples:
            file.refuse(f"its column {name} has another length than its vehicles")
        sums = np.cumsum(steps)
        values: IntArray = sums + np.repeat(begins - sums[self.begin], self.frames)
        return values

    def flagged(self, flags: IntArray, where: IntArray) -> BoolArray:
        """A column of samples that is true only at one sample of the spans with that flag."""
        column = np.zeros(int(self.end[-1]) if len(self.end) else 0, dtype=bool)
        column[where] = flags == 1
        return column


def _read_spans(file: ColumnsFile, piece: int, n_frames: int, vehicles: int) -> _Spans:
    vehicle, frame, frames, first, last = (file.read(f"{piece}/span/{name}") for name in ("vehicle", "frame", "frames", "first", "last"))
    if len({len(vehicle), len(frame), len(frames), len(first), len(last)}) != 1:
        file.refuse("its columns of spans differ in length")
    if not (all_within(vehicle, 0, vehicles) and all_within(first, 0, 2) and all_within(last, 0, 2)):
        file.refuse("it has vehicles that it does not name")
    if not (all_within(frame, 0, n_frames) and all_within(frames, 1, n_frames + 1)) or (frame + frames > n_frames).any():
        file.refuse("it has vehicles in frames that it does not have")
    if (np.diff(vehicle) <= 0).any():
        file.refuse("its spans are not in order")
    if not (((frame == 0) | (first == 1)) & ((frame + frames == n_frames) | (last == 1))).all():
        file.refuse("a vehicle is missing in some frames")
    end = np.cumsum(frames)
    begin = end - frames
    total = int(end[-1]) if len(end) else 0
    if total > MOST_VALUES:
        file.refuse("it has more samples than a piece may have")
    at = np.arange(total) - np.repeat(begin - frame, frames)
    # the least type sorts fastest
    order = np.argsort(at.astype(np.uint16) if n_frames <= 1 << 16 else at, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=n_frames))]).astype(np.int64)
    return _Spans(vehicle, frames, first, last, begin, end, start, order)


def _joined(batches: Sequence[Frames], name: str) -> Any:
    """A column of all batches, an array."""
    return np.concatenate([getattr(batch, name) for batch in batches])


def _units(values: FloatArray) -> IntArray:
    """Millionths, as integers: frames hold nothing else."""
    units: IntArray = np.rint(values * UNITS).astype(np.int64)
    return units


def all_within(values: IntArray, low: int, high: int) -> bool:
    """Whether low <= every value < high."""
    return len(values) == 0 or (low <= int(values.min()) and int(values.max()) < high)
