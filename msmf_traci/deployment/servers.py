"""The MEC servers: which server of each tier covers a cell, what servers are called, and how far they are from cells.

Servers are numbered tier by tier, from the lowest. Model, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.backhaul import MS_PER_NS, NO_BACKHAUL, Paths, find_paths
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.link_file import LinkTable
from msmf_traci.deployment.server_map import RequestLatency, ServerMap, hops_between, requests_ms, with_room
from msmf_traci.records import record_of

PREFIXES = {"local": "L", "regional": "R"}  # of servers' names; those of other tiers have the tier's name


@dataclass(frozen=True)
class Tier:
    """One tier: the areas that its servers cover.

    Attributes
    ----------
    name
        Its name.
    area
        Number of the area that each cell lies in, shape (cells,).
    labels
        What its areas are called.
    """

    name: str
    area: IntArray
    labels: Sequence[str]


class Servers:
    """The servers of all tiers.

    Parameters
    ----------
    cells
        The cells of base stations.
    tiers
        The tiers, from the lowest.
    links
        Links between the servers; None: there are none.

    Attributes
    ----------
    room, store, bandwidth
        Containers and bytes of images that each server can hold, and its bytes per second, where these are its own: -1, -1 and 0 where they
        are its tier's.

    Raises
    ------
    InputError
        If the links do not fit the servers.
    """

    def __init__(self, cells: Cells, tiers: Sequence[Tier], links: LinkTable | None = None) -> None:
        self.cells = cells
        sizes = [len(tier.labels) for tier in tiers]
        self.first: IntArray = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        # server_of[tier, cell]
        self.server_of: IntArray = np.stack([first + tier.area for first, tier in zip(self.first, tiers, strict=False)])
        self.tiers = tuple(tier.name for tier in tiers)
        labels = [f"{PREFIXES.get(tier.name, tier.name)}:{label}" for tier in tiers for label in tier.labels]
        self.names: NDArray[np.object_] = np.array(labels, dtype=object)
        self.room: IntArray = np.full(len(self), -1, dtype=np.int64)
        self.store: IntArray = np.full(len(self), -1, dtype=np.int64)
        self.bandwidth: FloatArray = np.zeros(len(self))
        self._backhaul = NO_BACKHAUL if links is None else links.between(self.names)
        self._map = self._empty_map()

    def __len__(self) -> int:
        return int(self.first[-1])

    def tier(self, server: IntArray) -> IntArray:
        """Tier of each server, counted from the lowest."""
        return np.asarray(np.searchsorted(self.first, server, side="right") - 1, dtype=np.int64)

    @cached_property
    def x_m(self) -> FloatArray:
        """Where each server stands, east: the mean of the centres of the cells that it covers."""
        return self._mean_of(self.cells.x_m)

    @cached_property
    def y_m(self) -> FloatArray:
        """The same, north."""
        return self._mean_of(self.cells.y_m)

    def _mean_of(self, of_cell: FloatArray) -> FloatArray:
        covered, sizes = self._map.area_cell, np.diff(self._map.area_start)
        of_server = np.repeat(np.arange(len(self)), sizes)
        return np.asarray(np.bincount(of_server, of_cell[covered], len(self)) / np.maximum(sizes, 1), dtype=np.float64)

    def name(self, server: int) -> str:
        """Name of a server in tables, such as `L:0,0`."""
        return str(self.names[server])

    @cached_property
    def tier_names(self) -> NDArray[np.object_]:
        """Name of the tier of all servers."""
        return np.array(self.tiers, dtype=object)[self.tier(np.arange(len(self)))]

    @cached_property
    def layers(self) -> IntArray:
        """Server of each tier and cell, and behind them the cells themselves, unless those of the lowest tier are numbered like them."""
        cells = np.arange(len(self.cells))
        return self.server_of if (self.server_of[0] == cells).all() else np.concatenate([self.server_of, cells[None]])

    @property
    def cell_layer(self) -> int:
        """Which of the layers has cells for servers."""
        return len(self.layers) - 1 if len(self.layers) > len(self.server_of) else 0

    def hops(self, server: IntArray, cell: IntArray) -> IntArray:
        """Hops from the attached cell to the nearest cell of the server's area, elementwise; 0 inside it."""
        server, cell = np.broadcast_arrays(server, cell)
        found = hops_between(server.ravel().astype(np.int64), cell.ravel().astype(np.int64), self.server_map())
        return found.reshape(server.shape)

    @cached_property
    def up_ms(self) -> FloatArray | None:
        """Latency of the path from each cell to its server of each tier, shape (tiers, cells); None without links."""
        nodes = len(self._backhaul.start) - 1
        if not nodes:
            return None
        found: FloatArray = np.zeros(self.server_of.shape)
        latency_ns, link = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int32)
        begin = self._map.area_start
        for server, tier in enumerate(self._map.tier):
            if tier > 0:
                find_paths(server, self._backhaul, latency_ns, link)
                covered = self._map.area_cell[begin[server] : begin[server + 1]]
                found[tier, covered] = MS_PER_NS * latency_ns[self.server_of[0, covered]]
        return found

    def latency_ms(self, server: IntArray, cell: IntArray, latency: RequestLatency) -> FloatArray:
        """Latency of a request from the attached cell that a server answers, elementwise; what others on it add is not known."""
        server, cell = np.broadcast_arrays(server, cell)
        numbers = server.ravel().astype(np.int64), cell.ravel().astype(np.int64)
        return requests_ms(*numbers, record_of(latency)[None], self.server_map()).reshape(server.shape)

    def server_map(self) -> ServerMap:
        """The same as compiled loops read it, with room for the hops of more servers."""
        self._map = with_room(self._map)
        return self._map

    def _empty_map(self) -> ServerMap:
        nodes = len(self._backhaul.start) - 1
        ranks: IntArray = np.empty(len(self), dtype=np.int64)
        ranks[np.argsort(self.names, kind="stable")] = np.arange(len(self))
        members = [np.argsort(row, kind="stable") for row in self.server_of]
        sizes = np.bincount(self.server_of.ravel(), minlength=len(self))
        return ServerMap(
            tier=self.tier(np.arange(len(self))),
            first=self.first,
            server_of=self.server_of,
            name_rank=ranks,
            cell_x_m=self.cells.x_m,
            cell_y_m=self.cells.y_m,
            neighbours=self.cells.neighbours,
            area_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            area_cell=np.concatenate(members).astype(np.int64),
            room=self.room,
            store=self.store,
            bandwidth=self.bandwidth,
            backhaul=self._backhaul,
            row=np.full(len(self), -1, dtype=np.int64),
            hops=np.empty((1, len(self.cells)), dtype=np.int16),
            paths=Paths(np.empty((min(nodes, 1), nodes), dtype=np.int64), np.empty((min(nodes, 1), nodes), dtype=np.int32)),
            made=np.array([0, -1]),
        )
