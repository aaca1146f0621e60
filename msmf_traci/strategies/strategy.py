"""What a strategy is: it answers, for each vehicle at each frame, where the container must be and what is copied ahead. Model, section 6.

A strategy of your own is a class with `decide`, or one with a compiled `kernel`; see docs/strategies.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import ByteArray, IntArray
from msmf_traci.control.stays import Stays
from msmf_traci.deployment.servers import Servers
from msmf_traci.migration.kernel import Now
from msmf_traci.migration.plan import Plan
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.workload import Containers
from msmf_traci.strategies.situation import Situation


@dataclass(frozen=True)
class Nothing:
    """The options, or the memory, of a strategy that has none."""


@dataclass(frozen=True)
class Decision:
    """A strategy's answers for each vehicle, arrays of shape (n,).

    Attributes
    ----------
    home
        Server that must host the container now, or KEEP.
    target
        Server to pre-copy to ahead of time, or NO_SERVER.
    prefetch
        Servers on which the image is wanted, in their order, shape (n, up to 8); NO_SERVER where there are fewer. None: nowhere.
    """

    home: IntArray
    target: IntArray
    prefetch: IntArray | None = None


@dataclass(frozen=True)
class Foreknowledge:
    """What a strategy is told beforehand that knows whole trips.

    Attributes
    ----------
    stays
        The cells that each vehicle will be attached to, and when.
    containers
        Their tasks.
    policy, plan, servers
        The rules, what a migration does, and the servers of all tiers.
    request_bytes_per_s
        The user's data, which is relayed where the user is far from the container.
    """

    stays: Stays
    containers: Containers
    policy: Policy
    plan: Plan
    servers: Servers
    request_bytes_per_s: float


class Strategy:
    """A way to place containers.

    Attributes
    ----------
    name
        Its name in tables.
    tiers
        How many tiers it uses, counted from the lowest; None: all, as far up as the latency level of the task allows.
    predictor
        `map`: predict from the road map; `route`: know the route (perfect prediction); `trip`: know the whole trip, with its times.
    Options
        Its options: a dataclass whose fields have defaults.
    Memory
        What a kernel remembers of each vehicle: a class of fields (`records.py`).
    random
        Random numbers of its own; they follow from the seed of the run and its name.
    """

    name: ClassVar[str]
    tiers: ClassVar[int | None] = 1
    predictor: ClassVar[str] = "map"
    Options: ClassVar[type] = Nothing
    Memory: ClassVar[type] = Nothing
    random: np.random.Generator

    def __init__(self, options: Any) -> None:
        self.options = options

    @property
    def each_frame(self) -> bool:
        """Whether its kernel must be called at each frame, and not only where the look is new or the container has changed."""
        return True

    def is_asked_each_frame(self) -> bool:
        """The same; what is said beside the kernel of a class that this one is derived from does not hold for a kernel of its own."""
        with_kernel = next(each for each in type(self).__mro__ if "kernel" in vars(each))
        beside = type(self).__mro__[: type(self).__mro__.index(with_kernel) + 1]
        return self.each_frame if any("each_frame" in vars(each) for each in beside) else True

    def decide(self, now: Situation) -> Decision:
        """Answer for every vehicle of a frame, in Python."""
        raise NotImplementedError

    def begin(self) -> None:
        """Called before the first frame of a run."""

    def end(self) -> None:
        """Called after the last frame of a run."""

    def arrived(self, vehicle: IntArray) -> None:
        """Called after a frame that was the last one of some vehicles; not for a kernel."""

    def transferred(self, transfers: Mapping[str, NDArray[Any]]) -> None:
        """Called before a frame by which transfers have ended, with their columns in numbers (`Ledger.transfers`); not for a kernel."""

    @staticmethod
    def kernel(now: Now) -> tuple[int, int]:
        """Home and target of one vehicle, compiled; called in the place of `decide` if a class has it."""
        raise NotImplementedError

    def foresee(self, known: Foreknowledge) -> ByteArray:
        """What a kernel remembers of each vehicle, in the place of `Memory`, if the predictor is `trip`; bytes, shape (vehicles, any)."""
        raise NotImplementedError

    @classmethod
    def is_compiled(cls) -> bool:
        """Whether the kernel decides; of a class and those that it is derived from the nearest one that has either counts."""
        own = cls.__mro__[: cls.__mro__.index(Strategy)]
        return next(("kernel" in vars(each) for each in own if "kernel" in vars(each) or "decide" in vars(each)), False)
