"""The trace of a run: every frame and every decision, written as the run goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from msmf_traci.results.store import TableWriter
from msmf_traci.results.tables import Names
from msmf_traci.sentinels import KEEP, NO_SERVER

ROWS_AT_ONCE = 200_000
FRAME_COLUMNS = ("t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell")
DECISION_COLUMNS = ("t_s", "strategy", "image_mb", "vehicle", "home", "target", "host", "running")

Columns = dict[str, NDArray[np.generic]]


class Trace:
    """Writes frames.csv and decisions.csv in pieces.

    Parameters
    ----------
    folder, format
        Where and how.
    names
        Names of vehicles (the list may grow), strategies and servers.
    edges, cells
        Names of edges and cells by number.
    """

    def __init__(self, folder: Path, format: str, names: Names, edges: NDArray[np.object_], cells: NDArray[np.object_]) -> None:
        self._frames = TableWriter(folder, "frames", format)
        self._decisions = TableWriter(folder, "decisions", format)
        self._names = names
        self._edges = np.append(edges, "")  # index -1: no road
        self._cells = cells
        # KEEP (-2) and NO_SERVER (-1) index the last two
        self._homes = np.concatenate([names.servers, ["KEEP", ""]])
        self._targets = np.concatenate([names.servers, ["", "NONE"]])
        self._strategy_order = np.argsort(np.array(names.strategies, dtype=object), kind="stable")
        self._waiting: dict[str, list[Columns]] = {"frames": [], "decisions": []}
        self._rows = 0

    def record(
        self, frame: Columns, home: NDArray[np.int64], target: NDArray[np.int64], host: NDArray[np.int64], running: NDArray[np.bool_]
    ) -> None:
        """Add one frame.

        Parameters
        ----------
        frame
            t_s, vehicle, x_m, y_m, speed_mps, edge, position_m, cell: numbers, shape (n,).
        home, target, host, running
            Decisions and the state after them, shape (n, strategies).
        """
        vehicle = np.array(self._names.vehicles, dtype=object)[frame["vehicle"].astype(np.int64)]
        order = np.argsort(vehicle, kind="stable")
        n, every = len(order), len(self._strategy_order)
        self._add("frames", {**{name: values[order] for name, values in frame.items()}, "vehicle": vehicle[order]})

        def flat(values: NDArray[np.generic]) -> NDArray[np.generic]:
            return values[order][:, self._strategy_order].T.ravel()

        self._add(
            "decisions",
            {
                "t_s": np.repeat(frame["t_s"][:1], n * every),
                "strategy": np.repeat(np.array(self._names.strategies, dtype=object)[self._strategy_order], n),
                "vehicle": np.tile(vehicle[order], every),
                "home": flat(home),
                "target": flat(target),
                "host": flat(host),
                "running": flat(running.astype(np.int64)),
            },
        )

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        for writer, columns in ((self._frames, FRAME_COLUMNS), (self._decisions, DECISION_COLUMNS)):
            if not writer.has_begun:
                writer.write(pd.DataFrame(columns=list(columns)))
            writer.close()

    def _add(self, name: str, columns: Columns) -> None:
        self._waiting[name].append(columns)
        self._rows += len(columns["t_s"])
        if self._rows >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        for name, write in (("frames", self._write_frames), ("decisions", self._write_decisions)):
            parts = self._waiting[name]
            if parts:
                write({key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
            self._waiting[name] = []
        self._rows = 0

    def _write_frames(self, column: Columns) -> None:
        table = pd.DataFrame(column)[list(FRAME_COLUMNS)]
        table["edge"] = self._edges[column["edge"].astype(np.int64)]
        table["cell"] = self._cells[column["cell"].astype(np.int64)]
        self._frames.write(table)

    def _write_decisions(self, column: Columns) -> None:
        table = pd.DataFrame(column)
        table.insert(2, "image_mb", np.nan if self._names.image_mb is None else self._names.image_mb)
        table["home"] = self._homes[column["home"].astype(np.int64)]
        table["target"] = self._targets[column["target"].astype(np.int64)]
        table["host"] = self._homes[column["host"].astype(np.int64)]
        self._decisions.write(table)


assert (KEEP, NO_SERVER) == (-2, -1), "the trace names servers by indexing from the end"
