"""The radio network's part: to which cell each vehicle is attached, with hysteresis. Model, section 1."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import BoolArray, IntArray, extended
from msmf_traci.mobility.frame import Frame
from msmf_traci.world.cells import HexCells


class Attachment:
    """Remembers the attached cell of every vehicle.

    Parameters
    ----------
    cells
        The deployment.
    hysteresis_m
        A vehicle stays attached until the old centre is farther than the new one by more than this.
    """

    def __init__(self, cells: HexCells, hysteresis_m: float) -> None:
        self._cells = cells
        self._hysteresis_m = hysteresis_m
        self._attached: IntArray = np.zeros(0, dtype=np.int64)

    def attach(self, frame: Frame) -> tuple[IntArray, IntArray, BoolArray]:
        """Cell that each vehicle of a frame is attached to, the cell that contains it, and whether it is outside the deployment."""
        containing, outside = self._cells.cell_of(frame.x_m, frame.y_m)
        if self._hysteresis_m == 0:
            return containing, containing, outside
        if len(frame) and frame.vehicle.max() >= len(self._attached):
            more = int(frame.vehicle.max()) + 1 - len(self._attached)
            self._attached = extended(self._attached, more, -1)
        old = self._attached[frame.vehicle]
        known = np.where(old >= 0, old, containing)
        to_old = np.hypot(frame.x_m - self._cells.x_m[known], frame.y_m - self._cells.y_m[known])
        to_new = np.hypot(frame.x_m - self._cells.x_m[containing], frame.y_m - self._cells.y_m[containing])
        attached = np.where(to_old - to_new > self._hysteresis_m, containing, known)
        self._attached[frame.vehicle] = attached
        return attached, containing, outside
