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
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.server_map import ServerMap, hops_between, with_room

LOCAL, REGIONAL = 0, 1
PREFIXES = {"local": "L", "regional": "R"}  # of servers' names; those of other tiers have the tier's name


@dataclass(frozen=True)
class TierLatency:
    """Latencies that decide on tiers, all in milliseconds."""

    local_ms: float
    regional_ms: float
    compute_ms: float
    hop_ms: float

    @property
    def by_tier_ms(self) -> FloatArray:
        """Latency of a request served without relaying, one number a tier."""
        return np.array([self.local_ms, self.regional_ms]) + self.compute_ms


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
    """

    def __init__(self, cells: Cells, tiers: Sequence[Tier]) -> None:
        self.cells = cells
        sizes = [len(tier.labels) for tier in tiers]
        self.first: IntArray = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        # server_of[tier, cell]
        self.server_of: IntArray = np.stack([first + tier.area for first, tier in zip(self.first, tiers, strict=False)])
        self.tiers = tuple(tier.name for tier in tiers)
        labels = [f"{PREFIXES.get(tier.name, tier.name)}:{label}" for tier in tiers for label in tier.labels]
        self.names: NDArray[np.object_] = np.array(labels, dtype=object)
        self._map = self._empty_map()

    def __len__(self) -> int:
        return int(self.first[-1])

    def tier(self, server: IntArray) -> IntArray:
        """Tier of each server, counted from the lowest."""
        return np.asarray(np.searchsorted(self.first, server, side="right") - 1, dtype=np.int64)

    def name(self, server: int) -> str:
        """Name of a server in tables, such as `L:0,0`."""
        return str(self.names[server])

    @cached_property
    def tier_names(self) -> NDArray[np.object_]:
        """Name of the tier of all servers."""
        return np.array(self.tiers, dtype=object)[self.tier(np.arange(len(self)))]

    def hops(self, server: IntArray, cell: IntArray) -> IntArray:
        """Hops from the attached cell to the nearest cell of the server's area, elementwise; 0 inside it."""
        server, cell = np.broadcast_arrays(server, cell)
        found = hops_between(server.ravel().astype(np.int64), cell.ravel().astype(np.int64), self.server_map())
        return found.reshape(server.shape)

    def server_map(self) -> ServerMap:
        """The same as compiled loops read it, with room for the hops of more servers."""
        self._map = with_room(self._map)
        return self._map

    def _empty_map(self) -> ServerMap:
        ranks: IntArray = np.empty(len(self), dtype=np.int64)
        ranks[np.argsort(self.names, kind="stable")] = np.arange(len(self))
        members = [np.argsort(row, kind="stable") for row in self.server_of]
        sizes = np.bincount(self.server_of.ravel(), minlength=len(self))
        return ServerMap(
            tier=self.tier(np.arange(len(self))),
            first=self.first,
            server_of=self.server_of,
            name_rank=ranks,
            neighbours=self.cells.neighbours,
            area_start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            area_cell=np.concatenate(members).astype(np.int64),
            row=np.full(len(self), -1, dtype=np.int64),
            hops=np.empty((0, len(self.cells)), dtype=np.int16),
            made=np.zeros(1, dtype=np.int64),
        )


def local_tier(cells: Cells) -> Tier:
    """One server a cell."""
    return Tier("local", np.arange(len(cells), dtype=np.int64), list(cells.names))


def two_tiers(cells: Cells, regional_rings: int) -> Servers:
    """Local servers, one a cell, and regional servers, one a region."""
    return Servers(cells, [local_tier(cells), Tier("regional", *cells.regions(regional_rings))])
