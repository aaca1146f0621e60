"""What a strategy may know of each vehicle at a frame. Model, section 6.

The route is not part of it, except through the oracle's predictor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, read_only
from msmf_traci.control.prediction import Ahead, Predictor
from msmf_traci.control.tiers import TierChoice
from msmf_traci.mobility.frame import Frame
from msmf_traci.world.cells import HexCells
from msmf_traci.world.servers import Servers


@dataclass(frozen=True)
class Decision:
    """A strategy's two answers for each vehicle, arrays of shape (n,).

    Attributes
    ----------
    home
        Server that must host the container now, or KEEP.
    target
        Server to pre-copy to ahead of time, or NO_SERVER.
    """

    home: IntArray
    target: IntArray


class Scene:
    """One frame as the control plane sees it, shared by all strategies, so that nothing is looked up twice.

    Parameters
    ----------
    frame
        The vehicles.
    cell
        Attached cell of each vehicle.
    dx_m, dy_m
        Displacement since the vehicle's last frame; NaN at the first.
    level_ms
        Latency level of each vehicle's task.
    servers
        The servers and their cells.
    predictors
        By name: `map` and `route`.
    tier_choices
        By number of tiers a strategy may use.
    """

    def __init__(
        self,
        frame: Frame,
        cell: IntArray,
        dx_m: FloatArray,
        dy_m: FloatArray,
        level_ms: FloatArray,
        servers: Servers,
        predictors: Mapping[str, Predictor],
        tier_choices: Mapping[int, TierChoice],
    ) -> None:
        self.frame = frame
        self.cell = cell
        self.dx_m = dx_m
        self.dy_m = dy_m
        self.level_ms = level_ms
        self.servers = servers
        self._predictors = predictors
        self._tier_choices = tier_choices
        read_only(cell, dx_m, dy_m, level_ms)
        self._homes: dict[int, tuple[IntArray, IntArray]] = {}
        self._aheads: dict[tuple[str, int], Ahead] = {}

    def tier_and_home(self, tiers: int) -> tuple[IntArray, IntArray]:
        """Tier of each task and the server of that tier that covers the attached cell."""
        if tiers not in self._homes:
            tier = self._tier_choices[tiers].choose(self.level_ms, self.frame.speed_mps)
            home = self.servers.server_of[tier, self.cell]
            read_only(tier, home)
            self._homes[tiers] = tier, home
        return self._homes[tiers]

    def ahead(self, predictor: str, tiers: int) -> Ahead:
        """What lies ahead by the map's chain (`map`) or by the vehicle's route (`route`)."""
        key = predictor, tiers
        if key not in self._aheads:
            tier, home = self.tier_and_home(tiers)
            self._aheads[key] = self._predictors[predictor].ahead(self.frame, home, tier)
        return self._aheads[key]


class Situation:
    """One frame as one strategy sees it: arrays over the vehicles on the road, shape (n,)."""

    def __init__(self, scene: Scene, host: IntArray, tiers: int, predictor: str) -> None:
        self._scene = scene
        self._predictor = predictor
        self._tiers = tiers
        self.host: IntArray = host
        """Server that each container runs on, or stopped on."""

    def __len__(self) -> int:
        return len(self._scene.frame)

    @property
    def time_s(self) -> float:
        """Simulated time."""
        return self._scene.frame.time_s

    @property
    def vehicle(self) -> IntArray:
        """Number of each vehicle, the same in every frame."""
        return self._scene.frame.vehicle

    @property
    def first(self) -> BoolArray:
        """Whether this is the vehicle's first frame."""
        return self._scene.frame.first

    @property
    def x_m(self) -> FloatArray:
        """Position east."""
        return self._scene.frame.x_m

    @property
    def y_m(self) -> FloatArray:
        """Position north."""
        return self._scene.frame.y_m

    @property
    def dx_m(self) -> FloatArray:
        """Displacement east since the vehicle's last frame; NaN at the first."""
        return self._scene.dx_m

    @property
    def dy_m(self) -> FloatArray:
        """Displacement north since the vehicle's last frame; NaN at the first."""
        return self._scene.dy_m

    @property
    def speed_mps(self) -> FloatArray:
        """Speed."""
        return self._scene.frame.speed_mps

    @property
    def edge(self) -> IntArray:
        """Number of the road edge; -1 where there is none."""
        return self._scene.frame.edge

    @property
    def position_m(self) -> FloatArray:
        """Position on the edge."""
        return self._scene.frame.position_m

    @property
    def cell(self) -> IntArray:
        """Attached cell."""
        return self._scene.cell

    @property
    def cells(self) -> HexCells:
        """The deployment."""
        return self._scene.servers.cells

    @property
    def servers(self) -> Servers:
        """The servers of both tiers."""
        return self._scene.servers

    @property
    def latency_level_ms(self) -> FloatArray:
        """Latency level of each task."""
        return self._scene.level_ms

    @property
    def home(self) -> IntArray:
        """The attached home: the server of the task's tier that covers the attached cell."""
        return self._scene.tier_and_home(self._tiers)[1]

    @cached_property
    def hops(self) -> IntArray:
        """Hops that requests are relayed between the attached cell and the host."""
        return self.servers.hops(self.host, self.cell)

    @property
    def ahead(self) -> Ahead:
        """The stretches of road ahead, merged by home."""
        return self._scene.ahead(self._predictor, self._tiers)

    def next_home(self, passed_over: BoolArray | None = None) -> IntArray:
        """The next home on the road ahead, or NO_SERVER."""
        return self.ahead.next_home(self.host, passed_over)

    def everywhere(self, server: int) -> IntArray:
        """The same answer for every vehicle."""
        return np.full(len(self), server, dtype=np.int64)
