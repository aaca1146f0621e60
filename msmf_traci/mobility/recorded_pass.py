"""A recording for those who want to look at the vehicles themselves: frames as a table, without a network at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.files.columns_file import ColumnsFile
from msmf_traci.mobility.recording import RecordedNetwork, RecordingSource


class RecordedPass:
    """The recording of a mobility pass.

    Attributes
    ----------
    path
        Its file.
    made
        How the pass was driven: versions, source, seed, speed, step.
    vehicles
        Id of each vehicle.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with ColumnsFile(path) as file:
            about = file.about
        self._edges = [str(name) for name in about.get("edges", [])]
        # edges are numbered as the recording names them
        network = RecordedNetwork(str(about.get("roads")), {name: number for number, name in enumerate(self._edges)}, "its own network")
        self._source = RecordingSource(path, network)
        self.made: dict[str, Any] = dict(self._source.made)
        self.vehicles: list[str] = list(self._source.roster.vehicles)

    def frames(self) -> pd.DataFrame:
        """Every vehicle at every step, in the order of time.

        Returns
        -------
        Columns t_s, vehicle, x_m, y_m, speed_mps, edge (empty where none is known) and position_m (on the edge).
        """
        batches = list(self._source.frames())
        edges, vehicles = np.array([*self._edges, ""], dtype=object), np.array(self.vehicles, dtype=object)
        columns: dict[str, Any] = {
            "t_s": np.concatenate([np.repeat(each.times_s, np.diff(each.start)) for each in batches] or [np.zeros(0)])
        }
        for name in ("vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m"):
            columns[name] = np.concatenate([getattr(each, name) for each in batches] or [np.zeros(0, dtype=np.int64)])
        return pd.DataFrame({**columns, "vehicle": vehicles[columns["vehicle"]], "edge": edges[columns["edge"]]}).astype(
            {"vehicle": "string", "edge": "string"}
        )

    def routes(self) -> dict[str, list[str]]:
        """The edges of each vehicle's route, in order."""
        return {
            vehicle: [self._edges[edge] for edge in route] for vehicle, route in zip(self.vehicles, self._source.roster.routes, strict=True)
        }

    def __repr__(self) -> str:
        return f"RecordedPass({str(self.path)!r}): {len(self.vehicles)} vehicles"
