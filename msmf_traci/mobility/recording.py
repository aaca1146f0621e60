"""A recorded pass: everything that its frames have, in a small file that gives the same frames again, byte for byte.

Values of frames are multiples of a millionth, so they are kept as integers: each vehicle's first value in a piece and the differences
from one frame to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from msmf_traci.arrays import BoolArray, IntArray
from msmf_traci.errors import InputError
from msmf_traci.files.columns_file import MOST_VALUES, ColumnsFile, ColumnsWriter
from msmf_traci.mobility.frame import DECIMALS, NO_EDGE, Frames, MobilitySource, Roster, TrafficCounts, why_no_name
from msmf_traci.mobility.recorded_piece import UNITS, all_within, pack_piece, unpack_piece

FORMAT = 1
SAMPLES_IN_PIECE = 250_000
MOST_NUMBER = 2**53  # up to here a float holds every integer
MOST_ROUTE_EDGES = 1 << 27
_KIND = "mobility pass"


class Recorder:
    """Takes down a pass, piece by piece, as its frames go by.

    Parameters
    ----------
    source
        The pass.
    edge_ids
        Id of each road edge.
    keep
        Called once when the pass is complete, with a function that writes the recording to a path it is given.
    """

    def __init__(
        self, source: MobilitySource, edge_ids: Sequence[str], about: Mapping[str, Any], keep: Callable[[Callable[[Path], None]], None]
    ) -> None:
        self.roster = source.roster
        self._source = source
        self._edge_ids = edge_ids
        self._about = about
        self._keep = keep
        self._writer = ColumnsWriter()
        self._batches: list[Frames] = []
        self._samples = 0
        self._pieces = 0
        self._edges = _UsedEdges(len(edge_ids))

    def frames(self) -> Generator[Frames, None, None]:
        """The frames of the pass; when they are through, the recording is kept."""
        with closing(self._source.frames()) as frames:
            for batch in frames:
                self._batches.append(batch)
                self._samples += len(batch.vehicle)
                if self._samples >= SAMPLES_IN_PIECE:
                    self._take_down()
                yield batch
        self._take_down()
        routes = self.roster.routes
        self._writer.add("route_lengths", np.array([len(route) for route in routes], dtype=np.int64))
        edges = self._edges.numbers(np.concatenate(routes)) if routes else np.zeros(0, dtype=np.int64)
        for part in range(0, len(edges), MOST_VALUES):
            self._writer.add(f"route_edges/{part // MOST_VALUES}", edges[part : part + MOST_VALUES])
        self._keep(lambda path: self._writer.write(path, self._header()))

    def _take_down(self) -> None:
        if self._batches:
            pack_piece(self._writer, self._pieces, self._batches, self._edges.numbers)
            self._pieces += 1
            self._batches, self._samples = [], 0

    def _header(self) -> dict[str, Any]:
        return {
            "what": _KIND,
            "format": FORMAT,
            **self._about,
            "begin_s": self.roster.begin_s,
            "counts": asdict(self.roster.counts),
            "vehicles": self.roster.vehicles,
            "edges": [self._edge_ids[edge] for edge in self._edges.used],
            "pieces": self._pieces,
        }


class _UsedEdges:
    """Numbers of the edges that a recording speaks of, in the order of their first use."""

    def __init__(self, edges: int) -> None:
        self.used: list[int] = []
        self._number = np.full(edges + 1, NO_EDGE, dtype=np.int64)  # the last place is NO_EDGE's

    def numbers(self, edge: IntArray) -> IntArray:
        for new in np.unique(edge[(self._number[edge] == NO_EDGE) & (edge != NO_EDGE)]):
            self._number[new] = len(self.used)
            self.used.append(int(new))
        return self._number[edge]


@dataclass(frozen=True)
class RecordedNetwork:
    """The network that a recording must belong to.

    Attributes
    ----------
    digest
        Hash of its roads.
    edges
        Number of each road edge by id.
    name
        What to call it.
    """

    digest: str
    edges: Mapping[str, int]
    name: str


class RecordingSource:
    """Frames from a recording, which is checked as far as can be without unpacking it.

    Parameters
    ----------
    path
        The recording.
    network
        The network that it must belong to.

    Raises
    ------
    InputError
        If it is damaged, of another format or of another network.
    """

    def __init__(self, path: Path, network: RecordedNetwork) -> None:
        self._path = path
        with ColumnsFile(path) as file:
            self.about = file.about
            if self.about.get("what") != _KIND:
                file.refuse("it does not hold a recording")
            if self.about.get("format") != FORMAT:
                raise InputError(
                    f"recording {path} is of format {self.about.get('format')} but this msmf-traci reads {FORMAT}; make it again"
                )
            if self.about.get("roads") != network.digest:
                raise InputError(
                    f"recording {path} was made on another network than {network.name}; choose the network that it was made on"
                )
            self.made = _made(file)
            self.commanded_kmh = self.made.get("speed_kmh")
            self.roster = Roster(counts=_counts(file), vehicles=_names(file, "vehicles"))
            self._check_vehicles(file)
            names = _names(file, "edges")
            if not all(name in network.edges for name in names):
                file.refuse("it names edges that its network does not have")
            self._edges = np.array([*(network.edges[name] for name in names), NO_EDGE], dtype=np.int64)  # NO_EDGE finds the last
            pieces = self.about.get("pieces")
            if not isinstance(pieces, int) or pieces < 0:
                file.refuse("it does not say how many pieces it has")
            self._pieces = pieces
            self._read_routes(file)
            self.roster.begin_s = self._begin_s(file)

    def frames(self) -> Generator[Frames, None, None]:
        """The recorded frames, in large batches.

        Raises
        ------
        InputError
            If the recording holds what no pass can have.
        """
        end_s = -np.inf
        vehicles = len(self.roster.vehicles)
        on_road: IntArray = np.zeros(0, dtype=np.int64)  # at the end of the piece before, and not for the last time
        begun, ended = np.zeros(vehicles, dtype=np.int64), np.zeros(vehicles, dtype=np.int64)
        with ColumnsFile(self._path) as file:
            for piece in range(self._pieces):
                batch = unpack_piece(file, piece, self._edges, self._route_lengths, vehicles)
                if len(batch) and batch.times_s[0] <= end_s:
                    file.refuse("its times do not rise")
                end_s = float(batch.times_s[-1]) if len(batch) else end_s
                if len(batch):
                    if not np.array_equal(on_road, _of_frame(batch, 0, ~batch.first)):
                        file.refuse("a vehicle is missing in some frames")
                    on_road = _of_frame(batch, len(batch) - 1, ~batch.last)
                begun += np.bincount(batch.vehicle[batch.first], minlength=vehicles)
                ended += np.bincount(batch.vehicle[batch.last], minlength=vehicles)
                yield batch
            if self._pieces and abs(end_s - self.roster.counts.end_s) > 1e-6:
                file.refuse("its frames do not end at the time that it says")
            if (begun != 1).any() or (ended != 1).any():
                file.refuse("a vehicle does not begin and end once")

    def _check_vehicles(self, file: ColumnsFile) -> None:
        counts, vehicles = self.roster.counts, self.roster.vehicles
        for name in vehicles:
            if (reason := why_no_name(name)) is not None:
                file.refuse(f"it has a vehicle whose id {reason}")
        if counts.inserted != len(vehicles) or counts.arrived > counts.inserted:
            file.refuse("it counts more or fewer vehicles than it names")

    def _begin_s(self, file: ColumnsFile) -> float:
        """When the pass begins; a recording of an earlier version does not say it, and begins one step before its first frame."""
        begin_s = self.about.get("begin_s")
        if begin_s is None:
            times_s = np.cumsum(file.read("0/times")[:2]) / UNITS if self._pieces else np.zeros(0)
            step_s = self.made.get("step_s") or (times_s[1] - times_s[0] if len(times_s) > 1 else 0.0)
            begin_s = max(0.0, float(times_s[0] - step_s)) if len(times_s) and not isinstance(step_s, str) else 0.0
        if isinstance(begin_s, bool) or not isinstance(begin_s, int | float) or not 0 <= begin_s <= self.roster.counts.end_s:
            file.refuse("it begins at an impossible time")
        return round(float(begin_s), DECIMALS)

    def _read_routes(self, file: ColumnsFile) -> None:
        self._route_lengths = file.read("route_lengths")
        is_sane = len(self._route_lengths) <= MOST_ROUTE_EDGES and all_within(self._route_lengths, 1, MOST_ROUTE_EDGES + 1)
        total = int(self._route_lengths.sum()) if is_sane and len(self._route_lengths) else 0
        if not is_sane or total > MOST_ROUTE_EDGES:
            file.refuse("a route has no edges, or its routes have more edges than a recording can hold")
        parts = [file.read(f"route_edges/{part}") for part in range(-(-total // MOST_VALUES))]
        edges = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        if len(edges) != total or not all_within(edges, NO_EDGE, len(self._edges) - 1):
            file.refuse("its routes have edges that it does not name")
        ends = np.cumsum(self._route_lengths)
        numbers = self._edges[edges]
        self.roster.routes = [numbers[end - length : end] for end, length in zip(ends, self._route_lengths, strict=True)]


def _of_frame(batch: Frames, k: int, mask: BoolArray) -> IntArray:
    """Vehicles of a frame for which a mask holds."""
    samples = slice(int(batch.start[k]), int(batch.start[k + 1]))
    return batch.vehicle[samples][mask[samples]]


def _made(file: ColumnsFile) -> dict[str, Any]:
    """How the pass was driven, as it is told in run.json."""
    made = file.about.get("made")
    if not isinstance(made, dict) or not all(value is None or isinstance(value, str | int | float) for value in made.values()):
        file.refuse("it does not say how it was made")
    numbers = [value for value in made.values() if isinstance(value, int | float)]
    speed_kmh = made.get("speed_kmh")
    if not all(abs(number) < MOST_NUMBER for number in numbers) or isinstance(speed_kmh, str | bool):
        file.refuse("it does not say how it was made")
    return made


def _counts(file: ColumnsFile) -> TrafficCounts:
    counts = file.about.get("counts")
    wanted = {field.name: type(field.default) for field in fields(TrafficCounts)}
    if not isinstance(counts, dict) or counts.keys() != wanted.keys():
        file.refuse("its counts are not those of a pass")
    for name, kind in wanted.items():
        value = counts[name]
        if isinstance(value, bool) or not isinstance(value, int | float if kind is float else int) or not 0 <= value < MOST_NUMBER:
            file.refuse(f"its count {name} is not a possible number")
    return TrafficCounts(**counts)


def _names(file: ColumnsFile, what: str) -> list[str]:
    names = file.about.get(what)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        file.refuse(f"its {what} are not a list of names")
    if len(set(names)) < len(names):
        file.refuse(f"two of its {what} are called the same")
    return names
