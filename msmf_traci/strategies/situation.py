"""What a strategy in Python may know of each vehicle at a frame. Model, section 6.

The route is not part of it, except through the oracle's predictor.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import BoolArray, FloatArray, IntArray
from msmf_traci.control.look import Road
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.servers import Servers
from msmf_traci.migration.images import copies_of, images_lacking
from msmf_traci.migration.ledger import Stage
from msmf_traci.migration.links import rates_between
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.scene import Free, Scene
from msmf_traci.migration.transfer import sent_in_stages
from msmf_traci.records import Records
from msmf_traci.strategies.ahead import Ahead, ahead_of


class Situation:
    """One frame as one strategy sees it: arrays over the vehicles on the road, shape (n,).

    Speed, edge and positions are those of each vehicle's last status update; by default there is one in every frame. What a strategy
    changes in these arrays changes nothing else.

    Parameters
    ----------
    time_s
        Simulated time.
    looks, road
        What is known of the vehicles, and the stretches of road that it speaks of.
    containers
        Their containers, as they are when the frame begins.
    policy, servers
        The rules, and the servers of all tiers.
    scene
        The same as compiled loops see them, and what containers share, as it is when the frame begins.
    horizon_m
        How far ahead is seen.
    """

    def __init__(
        self,
        time_s: float,
        looks: Records,
        road: Road,
        containers: Records,
        policy: Policy,
        servers: Servers,
        scene: Scene,
        horizon_m: float,
    ) -> None:
        self.time_s = time_s
        self.policy = policy
        self.servers = servers
        self._looks = looks
        self._road = road
        self._containers = containers
        self._scene = scene
        self._free = Free(scene.state.free.containers.copy(), scene.state.free.image_bytes.copy())
        self._horizon_m = horizon_m

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def cells(self) -> Cells:
        """The deployment."""
        return self.servers.cells

    # what is known of the vehicles

    @cached_property
    def vehicle(self) -> IntArray:
        """Number of each vehicle, the same in every frame."""
        return self._of_container("vehicle", np.int64)

    @cached_property
    def first(self) -> BoolArray:
        """Whether this is the vehicle's first frame."""
        return self._of_look("first")

    @cached_property
    def x_m(self) -> FloatArray:
        """Position east."""
        return self._of_look("x_m")

    @cached_property
    def y_m(self) -> FloatArray:
        """Position north."""
        return self._of_look("y_m")

    @cached_property
    def dx_m(self) -> FloatArray:
        """Displacement east from its status update before to its last one; NaN at the first."""
        return self._of_look("dx_m")

    @cached_property
    def dy_m(self) -> FloatArray:
        """Displacement north from its status update before to its last one; NaN at the first."""
        return self._of_look("dy_m")

    @cached_property
    def speed_mps(self) -> FloatArray:
        """Speed."""
        return self._of_look("speed_mps")

    @cached_property
    def mean_speed_mps(self) -> FloatArray:
        """Mean of the speeds that were known at the vehicle's frames of the last 60 s."""
        return self._of_look("mean_speed_mps")

    @cached_property
    def edge(self) -> IntArray:
        """Number of the road edge; -1 where there is none."""
        return self._of_look("edge")

    @cached_property
    def position_m(self) -> FloatArray:
        """Position on the edge, from which what lies ahead is seen."""
        return self._of_look("position_m")

    @cached_property
    def cell(self) -> IntArray:
        """Attached cell."""
        return self._of_look("cell")

    @cached_property
    def home(self) -> IntArray:
        """The attached home: the server of the task's tier that covers the attached cell."""
        return self._of_look("home")

    @cached_property
    def ahead(self) -> Ahead:
        """The stretches of road ahead, merged by home."""
        return ahead_of(self._looks, self._road, self._horizon_m)

    def next_home(self, skipped: BoolArray | None = None) -> IntArray:
        """The next home on the road ahead, or NO_SERVER."""
        return self.ahead.next_home(self.host, skipped)

    # what is known of the containers

    @cached_property
    def host(self) -> IntArray:
        """Server that each container runs on, or stopped on; the attached home at a vehicle's first frame."""
        return np.where(self.first, self.home, self._of_container("host", np.int64))

    @cached_property
    def image_bytes(self) -> FloatArray:
        """Size of each container's image."""
        return self._of_container("image_bytes")

    @cached_property
    def memory_bytes(self) -> FloatArray:
        """Size of each container's memory."""
        return self._of_container("memory_bytes")

    @cached_property
    def dirty_bytes_per_s(self) -> FloatArray:
        """Memory that changes in a second."""
        return np.asarray(self.memory_bytes * self._of_container("dirty_share_per_s"), dtype=np.float64)

    @cached_property
    def start_s(self) -> FloatArray:
        """How long each container takes to start on another server."""
        return self._of_container("start_s")

    @cached_property
    def latency_level_ms(self) -> FloatArray:
        """Latency level of each task."""
        return self._of_container("latency_level_ms")

    @cached_property
    def running(self) -> BoolArray:
        """Whether each container runs; false while it is stopped for a handoff, and at a vehicle's first frame."""
        return self._of_container("running")

    @cached_property
    def copying_to(self) -> IntArray:
        """Server that the open transfer of each container goes to, or NO_SERVER."""
        return self._of_container("target", np.int64)

    @cached_property
    def stage(self) -> IntArray:
        """Stage of the open transfer (`Stage`); 0 where there is none."""
        return self._of_container("stage", np.int64)

    @cached_property
    def copying_s(self) -> FloatArray:
        """How long the open transfer of each container has lasted; NaN where there is none."""
        return np.where(self.stage > 0, self.time_s - self._containers["opened_s"], np.nan)

    @cached_property
    def sent_bytes(self) -> FloatArray:
        """What the open transfer of each container has sent, images, memories and changes of memory; 0 where there is none."""
        kinds = [self._containers[f"{kind}_sent_bytes"] for kind in ("image", "memory", "dirty", "final")]
        return np.where(self.stage > 0, np.sum(kinds, axis=0) + self._in_stage, 0.0)

    @cached_property
    def missing_bytes(self) -> FloatArray:
        """What the present stage of the open transfer has still to send, and during the image the memory too; 0 where there is none."""
        missing = self._containers["to_send_bytes"] - self._in_stage
        return np.where(self.stage > 0, missing + np.where(self.stage == Stage.IMAGE, self.memory_bytes, 0.0), 0.0)

    def image_missing_bytes(self, server: IntArray) -> FloatArray:
        """What of each container's image is missing at a server, shape (n,); NaN for NO_SERVER."""
        return images_lacking(self._containers, np.asarray(server, dtype=np.int64), self.time_s, self._scene)

    @cached_property
    def image_wanted_at(self) -> IntArray:
        """Servers on which each image is, or is coming to, since it is wanted there, shape (n, 9); NO_SERVER behind them."""
        return copies_of(self._containers, self._scene)

    @cached_property
    def _in_stage(self) -> FloatArray:
        return sent_in_stages(self._containers, self.time_s)

    @cached_property
    def rate_bytes_per_s(self) -> FloatArray:
        """Rate that the open transfer was given at the frame before; 0 where there is none."""
        return np.where(self.stage > 0, self._containers["rate_bytes_per_s"], 0.0)

    def bandwidth_bytes_per_s(self, server: IntArray) -> FloatArray:
        """Rate of a transfer from each container's host to a server, shape (n,), that has all links on its way for itself."""
        return rates_between(self.host, np.asarray(server, dtype=np.int64), self._scene.policy, self._scene.server_map)

    def room(self, server: IntArray) -> FloatArray:
        """How many containers more servers can hold; infinite where their number is not limited, NaN for NO_SERVER."""
        return _of_servers(self._free.containers, server)

    def store_room_bytes(self, server: IntArray) -> FloatArray:
        """How many bytes of images more servers can hold, once layers that nobody uses have gone; infinite and NaN as in `room`."""
        return _of_servers(self._free.image_bytes, server)

    @cached_property
    def hops(self) -> IntArray:
        """Hops that requests are relayed between the attached cell and the host."""
        return self.servers.hops(self.host, self.cell)

    def latency_ms(self, server: IntArray) -> FloatArray:
        """Latency of a request that a server answers, from the attached cell of each vehicle, computing included; NaN for NO_SERVER."""
        return self.servers.latency_ms(server, self.cell, self.policy.latency)

    def everywhere(self, server: int) -> IntArray:
        """The same answer for every vehicle."""
        return np.full(len(self), server, dtype=np.int64)

    def _of_look(self, name: str) -> NDArray[Any]:
        return self._looks[name].copy()

    def _of_container(self, name: str, kind: Any = None) -> NDArray[Any]:
        return self._containers[name].astype(kind) if kind else self._containers[name].copy()


def _of_servers(values: FloatArray, server: IntArray) -> FloatArray:
    """Values of servers, by their numbers; NaN for NO_SERVER."""
    numbers = np.asarray(server, dtype=np.int64)
    return np.where(numbers < 0, np.nan, values[np.maximum(numbers, 0)])
