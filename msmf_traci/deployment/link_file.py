"""Links between servers from a file: CSV with the columns a, b, latency_ms and mbps. Model, section 8."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray
from msmf_traci.deployment.backhaul import MS_PER_NS, Backhaul
from msmf_traci.errors import InputError
from msmf_traci.units import BYTES_PER_MBIT

COLUMNS = ("a", "b", "latency_ms", "mbps")
SWITCH = "node:"  # begins the name of what is no server
_LARGEST = 1e9


@dataclass(frozen=True)
class LinkTable:
    """The links of a file, arrays of shape (links,).

    Attributes
    ----------
    path, line
        The file, and the line of it that each link stands in.
    a, b
        Names of the two ends.
    latency_ms, mbps
        Latency, and bandwidth in each direction.
    """

    path: Path
    line: Sequence[int]
    a: NDArray[np.object_]
    b: NDArray[np.object_]
    latency_ms: FloatArray
    mbps: FloatArray

    def between(self, servers: NDArray[np.object_]) -> Backhaul:
        """The graph whose first nodes are servers of these names.

        Raises
        ------
        InputError
            If a link leads to an unknown server, or no path to some server.
        """
        switches = sorted({name for end in (self.a, self.b) for name in end if name.startswith(SWITCH)})
        number = {name: node for node, name in enumerate([*servers, *switches])}
        for line, *pair in zip(self.line, self.a, self.b, strict=True):
            for name in pair:
                if name not in number:
                    raise InputError(f"{_place(self.path, line)}: there is no server {name}; {_meant(name, servers)}")
        ends = np.array([[number[name] for name in end] for end in (self.a, self.b)], dtype=np.int64).reshape(2, -1)
        self._check_reach(ends, servers, len(number))
        source, to = np.concatenate([ends[0], ends[1]]), np.concatenate([ends[1], ends[0]])
        rank = np.empty(len(number), dtype=np.int64)
        rank[np.argsort(np.array(list(number), dtype=object), kind="stable")] = np.arange(len(number))
        latency_ns = np.rint(np.tile(self.latency_ms, 2) / MS_PER_NS).astype(np.int64)
        order = np.lexsort((-np.tile(self.mbps, 2), latency_ns, rank[to], source))
        return Backhaul(
            start=np.searchsorted(source[order], np.arange(len(number) + 1)),
            to=to[order],
            latency_ns=latency_ns[order],
            bandwidth=np.tile(self.mbps, 2)[order] * BYTES_PER_MBIT,
        )

    def _check_reach(self, ends: NDArray[np.int64], servers: NDArray[np.object_], nodes: int) -> None:
        from scipy.sparse import coo_matrix  # a library that runs without links do not need
        from scipy.sparse.csgraph import connected_components

        _, part = connected_components(coo_matrix((np.ones(ends.shape[1]), tuple(ends)), shape=(nodes, nodes)), directed=False)
        apart = np.flatnonzero(part[: len(servers)] != part[0])
        if len(apart):
            raise InputError(
                f"links.file={self.path}: no path leads from server {servers[0]} to {len(apart)} of {len(servers)} servers, such as "
                f"{servers[apart[0]]}; link every server, over switches (node:NAME) if need be"
            )


def read_links(path: Path) -> LinkTable:
    """Read a file of links.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, or a row is no link.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            numbered = [(reader.line_num, row) for row in reader if row]
    except (csv.Error, ValueError, OSError) as error:
        raise InputError(f"links.file={path} cannot be read: {error}; write a table with the columns {', '.join(COLUMNS)}") from None
    columns = [name.strip().lower() for name in numbered[0][1]] if numbered else []
    absent = next((column for column in COLUMNS if column not in columns), None)
    if absent is not None:
        raise InputError(f"links.file={path} has no column {absent}; its first line must name {', '.join(COLUMNS)}")
    lines, rows = [line for line, _ in numbered[1:]], [row for _, row in numbered[1:]]
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(columns):
            raise InputError(
                f"{_place(path, line)}: {len(row)} fields in place of {len(columns)}; a name with a comma must stand in quotes, "
                'such as "L:0,0"'
            )
    a, b, latency_ms, mbps = (np.array([row[columns.index(name)].strip() for row in rows], dtype=object) for name in COLUMNS)
    if len(loops := np.flatnonzero(a == b)):
        raise InputError(f"{_place(path, lines[loops[0]])}: the link leads from {a[loops[0]]} to itself; leave it out")
    checked = (_numbers(path, lines, name, said, lowest) for name, said, lowest in (("latency_ms", latency_ms, 0.0), ("mbps", mbps, 1e-6)))
    return LinkTable(path, lines, a, b, *checked)


def _numbers(path: Path, lines: Sequence[int], column: str, said: NDArray[np.object_], lowest: float) -> FloatArray:
    values = pd.to_numeric(pd.Series(said, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~((values >= lowest) & (values <= _LARGEST)))
    if len(wrong):
        what = "0 or more" if lowest == 0 else "above 0"
        raise InputError(f"{_place(path, lines[wrong[0]])}: {column}={said[wrong[0]]} must be a number, {what} and up to {_LARGEST:g}")
    return values


def _place(path: Path, line: int) -> str:
    return f"links.file={path}, line {line}"


def _meant(name: str, servers: NDArray[np.object_]) -> str:
    close = difflib.get_close_matches(name, [str(each) for each in servers[:5000]], n=1)
    if close:
        return f"did you mean {close[0]}? A switch is called node:NAME"
    return f"servers are called like {servers[0]}, switches node:NAME"
