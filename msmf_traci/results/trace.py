"""The trace of a run: every frame and every decision, written as the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.results.keys import Names
from msmf_traci.results.store import TableWriter
from msmf_traci.sentinels import KEEP, NO_SERVER

ROWS_AT_ONCE = 200_000
FRAME_COLUMNS = ("t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell")
DECISION_COLUMNS = ("t_s", "home", "target", "host", "running", "prefetch")


class Trace:
    """Writes frames.csv and decisions.csv in pieces.

    Parameters
    ----------
    folder, format
        Where and how.
    names
        Names of vehicles (the list may grow), variants and servers.
    edges, cells
        Names of edges and cells by number.
    """

    def __init__(self, folder: Path, format: str, names: Names, edges: NDArray[np.object_], cells: NDArray[np.object_]) -> None:
        self._frames = TableWriter(folder, "frames", format)
        self._decisions = TableWriter(folder, "decisions", format)
        self._names = names
        self._edges = np.append(edges, "")  # index -1: no road
        self._cells = cells

    def record(
        self,
        time_s: FloatArray,
        vehicle: IntArray,
        samples: Mapping[str, NDArray[Any]],
        decisions: Mapping[str, NDArray[Any]],
    ) -> None:
        """Add the samples of a batch.

        Parameters
        ----------
        time_s, vehicle
            Of each sample, shape (n,).
        samples
            x_m, y_m, speed_mps, edge, position_m, cell: numbers, shape (n,).
        decisions
            home, target, and the host and running after them, shape (n, variants); prefetch, shape (n, variants, 8).
        """
        names = np.array(self._names.vehicles, dtype=object)[vehicle]
        order = np.lexsort((_ranks(names), time_s))
        time_s, names = time_s[order], names[order]
        frames = pd.DataFrame({"t_s": time_s, "vehicle": names, **{name: values[order] for name, values in samples.items()}})
        frames["edge"] = self._edges[samples["edge"][order].astype(np.int64)]
        frames["cell"] = self._cells[samples["cell"][order].astype(np.int64)]
        self._frames.write(frames[list(FRAME_COLUMNS)])
        every = len(self._names.variants)
        at_once = max(1, ROWS_AT_ONCE // every)
        for begin in range(0, len(order), at_once):
            end = _end_of_frame(time_s, begin + at_once)
            begin = _end_of_frame(time_s, begin)
            if end > begin:
                self._write_decisions(time_s[begin:end], names[begin:end], {k: v[order[begin:end]] for k, v in decisions.items()})

    def close(self) -> None:
        """Finish the files."""
        for writer, columns in (
            (self._frames, FRAME_COLUMNS),
            (self._decisions, ("t_s", *self._names.columns, "vehicle", *DECISION_COLUMNS[1:])),
        ):
            if not writer.has_begun:
                writer.write(pd.DataFrame(columns=list(columns)))
            writer.close()

    def _write_decisions(self, time_s: FloatArray, vehicle: NDArray[np.object_], decisions: Mapping[str, NDArray[Any]]) -> None:
        """Rows of whole frames: by time, variant and vehicle."""
        n, every = decisions["home"].shape
        variant, sample = np.tile(np.arange(every), n), np.repeat(np.arange(n), every)
        order = np.lexsort((sample, self._names.rank[variant], time_s[sample]))
        variant, sample = variant[order], sample[order]
        table = pd.DataFrame({"t_s": time_s[sample], **self._names.variant_keys(variant), "vehicle": vehicle[sample]})
        for name, none in (("home", KEEP), ("target", NO_SERVER), ("host", NO_SERVER)):
            server = decisions[name][sample, variant]
            named = self._names.servers(variant, np.maximum(server, 0))
            table[name] = np.where(server >= 0, named, "KEEP" if none == KEEP else "NONE")
        table["running"] = decisions["running"][sample, variant].astype(np.int64)
        table["prefetch"] = self._lists(variant, decisions["prefetch"][sample, variant])
        self._decisions.write(table)

    def _lists(self, variant: IntArray, listed: IntArray) -> NDArray[np.object_]:
        """Names of the servers of each list, with a blank between them, up to NO_SERVER."""
        words = np.full(len(listed), "", dtype=object)
        is_in = np.ones(len(listed), dtype=bool)
        for place, server in enumerate(listed.T):
            is_in = is_in & (server != NO_SERVER)
            if not is_in.any():
                break
            words[is_in] += ("" if place == 0 else " ") + self._names.servers(variant[is_in], server[is_in])
        return words


def _ranks(names: NDArray[np.object_]) -> IntArray:
    """Place of each name in their order, equal ones alike."""
    return np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)


def _end_of_frame(time_s: FloatArray, sample: int) -> int:
    """The first sample of the frame after the one before `sample`, so that frames are not torn."""
    if sample <= 0 or sample >= len(time_s):
        return min(max(sample, 0), len(time_s))
    return int(np.searchsorted(time_s, time_s[sample - 1], side="right"))
