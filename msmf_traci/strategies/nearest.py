"""`nearest`: follow the user; copy to the neighbour whose border is near and towards which the user moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.migration.kernel import Now
from msmf_traci.records import dtype_of
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.strategy import Strategy


@dataclass(frozen=True)
class NearestOptions:
    """How near a border must be."""

    trigger_m: float = 50.0


_OPTIONS = dtype_of(NearestOptions)


class Nearest(Strategy):
    """Follow the user; copy to the neighbour whose border is near and towards which the user moves."""

    name = "nearest"
    Options = NearestOptions

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home: the attached home; target: that of the neighbour with the nearest border within the trigger."""
        look, own, server_of = now.look, now.look.cell, now.server_map.server_of[0]
        x_m, y_m = now.server_map.cell_x_m, now.server_map.cell_y_m
        target, nearest_m = NO_SERVER, now.options.view(_OPTIONS)[0].trigger_m
        for other in now.server_map.neighbours[own]:
            if other < 0 or server_of[other] == server_of[own]:
                continue
            to_x, to_y = x_m[other] - x_m[own], y_m[other] - y_m[own]
            if not look.dx_m * to_x + look.dy_m * to_y > 0:
                continue
            to_other = (look.x_m - x_m[other]) ** 2 + (look.y_m - y_m[other]) ** 2
            to_own = (look.x_m - x_m[own]) ** 2 + (look.y_m - y_m[own]) ** 2
            border_m = (to_other - to_own) / (2 * np.hypot(to_x, to_y))
            if border_m < nearest_m:
                nearest_m = border_m
                target = server_of[other]
        return look.home, target
