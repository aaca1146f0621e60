"""What a strategy may know of each vehicle at a frame. Model, section 6.

The route is not part of it, except through the oracle's predictor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, read_only
from msmf_traci.control.prediction import Ahead, Predictor
from msmf_traci.control.reports import Knowledge
from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.servers import Servers


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


@dataclass(frozen=True)
class Scene:
    """One frame as the control plane sees it, arrays of shape (n,).

    Attributes
    ----------
    time_s
        Simulated time.
    vehicle, first
        Number of each vehicle; whether this is its first frame.
    known
        What its last report said.
    cell
        Attached cell.
    level_ms
        Latency level of its task.
    servers, tier_choice, predictor
        What covers the cells, which tier serves a task, what lies ahead.
    horizon_m, slack_m
        How far ahead is seen, and how far ahead the own stretch may begin.
    """

    time_s: float
    vehicle: IntArray
    first: BoolArray
    known: Knowledge
    cell: IntArray
    level_ms: FloatArray
    servers: Servers
    tier_choice: TierChoice
    predictor: Predictor
    horizon_m: float
    slack_m: float

    def __post_init__(self) -> None:
        # a strategy must not change what others see
        read_only(self.vehicle, self.first, self.cell, self.level_ms, *self.known.columns())

    def __len__(self) -> int:
        return len(self.vehicle)

    @cached_property
    def tier(self) -> IntArray:
        """Tier of each task."""
        return self.tier_choice.choose(self.level_ms, self.known.speed_mps, self.cell)

    @cached_property
    def home(self) -> IntArray:
        """The server of that tier that covers the attached cell."""
        return self.servers.server_of[self.tier, self.cell]

    @cached_property
    def ahead(self) -> Ahead:
        """The stretches of road ahead, merged by home."""
        return self.predictor.ahead(self.known, self.home, self.tier, self.horizon_m, self.slack_m)


class Situation:
    """One frame as one strategy sees it: arrays over the vehicles on the road, shape (n,).

    Speed, edge and positions are those of each vehicle's last report; by default there is one in every frame.
    """

    def __init__(self, scene: Scene, host: IntArray) -> None:
        self._scene = scene
        self.host: IntArray = host
        """Server that each container runs on, or stopped on."""

    def __len__(self) -> int:
        return len(self._scene)

    @property
    def time_s(self) -> float:
        """Simulated time."""
        return self._scene.time_s

    @property
    def vehicle(self) -> IntArray:
        """Number of each vehicle, the same in every frame."""
        return self._scene.vehicle

    @property
    def first(self) -> BoolArray:
        """Whether this is the vehicle's first frame."""
        return self._scene.first

    @property
    def x_m(self) -> FloatArray:
        """Position east."""
        return self._scene.known.x_m

    @property
    def y_m(self) -> FloatArray:
        """Position north."""
        return self._scene.known.y_m

    @property
    def dx_m(self) -> FloatArray:
        """Displacement east from its report before to its last one; NaN at the first."""
        return self._scene.known.dx_m

    @property
    def dy_m(self) -> FloatArray:
        """Displacement north from its report before to its last one; NaN at the first."""
        return self._scene.known.dy_m

    @property
    def speed_mps(self) -> FloatArray:
        """Speed."""
        return self._scene.known.speed_mps

    @property
    def edge(self) -> IntArray:
        """Number of the road edge; -1 where there is none."""
        return self._scene.known.edge

    @property
    def position_m(self) -> FloatArray:
        """Position on the edge."""
        return self._scene.known.position_m

    @property
    def cell(self) -> IntArray:
        """Attached cell."""
        return self._scene.cell

    @property
    def cells(self) -> Cells:
        """The deployment."""
        return self._scene.servers.cells

    @property
    def servers(self) -> Servers:
        """The servers of all tiers."""
        return self._scene.servers

    @property
    def latency_level_ms(self) -> FloatArray:
        """Latency level of each task."""
        return self._scene.level_ms

    @property
    def home(self) -> IntArray:
        """The attached home: the server of the task's tier that covers the attached cell."""
        return self._scene.home

    @cached_property
    def hops(self) -> IntArray:
        """Hops that requests are relayed between the attached cell and the host."""
        return self.servers.hops(self.host, self.cell)

    def latency_ms(self, server: IntArray) -> FloatArray:
        """Latency of a request that a server answers, from the attached cell of each vehicle, computing included."""
        return self.servers.latency_ms(server, self.cell, self._scene.tier_choice.latency)

    @property
    def ahead(self) -> Ahead:
        """The stretches of road ahead, merged by home."""
        return self._scene.ahead

    def next_home(self, skipped: BoolArray | None = None) -> IntArray:
        """The next home on the road ahead, or NO_SERVER."""
        return self.ahead.next_home(self.host, skipped)

    def everywhere(self, server: int) -> IntArray:
        """The same answer for every vehicle."""
        return np.full(len(self), server, dtype=np.int64)
