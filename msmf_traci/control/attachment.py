"""The radio network's part: to which cell each vehicle is attached, with hysteresis. Model, section 1."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray, extended
from msmf_traci.compiled import compiled
from msmf_traci.deployment.cells import Cells
from msmf_traci.mobility.tracks import Tracks


class Attachment:
    """Remembers the attached cell of every vehicle.

    Parameters
    ----------
    cells
        The deployment.
    hysteresis_m
        A vehicle stays attached until the old centre is farther than the new one by more than this.
    """

    def __init__(self, cells: Cells, hysteresis_m: float) -> None:
        self._cells = cells
        self._hysteresis_m = hysteresis_m
        self._attached: IntArray = np.zeros(0, dtype=np.int64)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self._attached = extended(self._attached, n, -1)

    def attach(self, tracks: Tracks, containing: IntArray) -> IntArray:
        """Cell that each sample's vehicle is attached to, given the one that contains it."""
        if self._hysteresis_m == 0:
            return containing
        cell = np.empty_like(containing)
        _attach(
            *(tracks.start, tracks.vehicle, tracks.x_m, tracks.y_m, containing),
            *(self._cells.x_m, self._cells.y_m, self._hysteresis_m, self._attached, cell),
        )
        return cell


@compiled
def _attach(
    start: IntArray,
    vehicle: IntArray,
    x_m: FloatArray,
    y_m: FloatArray,
    containing: IntArray,
    cell_x_m: FloatArray,
    cell_y_m: FloatArray,
    hysteresis_m: float,
    attached: IntArray,
    cell: IntArray,
) -> None:
    for i in range(len(vehicle)):
        old = attached[vehicle[i]]
        for s in range(start[i], start[i + 1]):
            new = containing[s]
            if old < 0:
                old = new
            to_old = np.hypot(x_m[s] - cell_x_m[old], y_m[s] - cell_y_m[old])
            to_new = np.hypot(x_m[s] - cell_x_m[new], y_m[s] - cell_y_m[new])
            if to_old - to_new > hysteresis_m:
                old = new
            cell[s] = old
        attached[vehicle[i]] = old
