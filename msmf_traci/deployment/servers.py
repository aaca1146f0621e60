"""The MEC servers of both tiers: which server covers a cell, how many hops a relayed request takes, and what servers are called.

Local servers are numbered like their cells; the regional server of region g is number `cells + g`. Model, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.deployment.lattice import HexCells, hex_distance

LOCAL, REGIONAL = 0, 1
TIER_NAMES = ("local", "regional")


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


class Servers:
    """Local servers, one a cell, and regional servers, one a cluster of `regional_rings` rings.

    Parameters
    ----------
    cells
        The deployment.
    regional_rings
        k; a whole region has 3 k^2 + 3 k + 1 cells.
    """

    def __init__(self, cells: HexCells, regional_rings: int) -> None:
        self.cells = cells
        centers = cluster_centers(cells.axial, regional_rings)
        self.region_axial, region = np.unique(centers, axis=0, return_inverse=True)
        self.region: IntArray = region.reshape(-1).astype(np.int64)
        # server_of[tier, cell]
        self.server_of: IntArray = np.stack([np.arange(len(cells), dtype=np.int64), len(cells) + self.region])
        self._members = self._members_of_regions()

    def __len__(self) -> int:
        return len(self.cells) + len(self.region_axial)

    def tier(self, server: IntArray) -> IntArray:
        """Tier of each server: LOCAL or REGIONAL."""
        return (np.asarray(server) >= len(self.cells)).astype(np.int64)

    def name(self, server: int) -> str:
        """Name of a server in tables: `L:q,r` or `R:q,r`."""
        if server < len(self.cells):
            return f"L:{self.cells.name(server)}"
        q, r = self.region_axial[server - len(self.cells)]
        return f"R:{q},{r}"

    @cached_property
    def names(self) -> NDArray[np.object_]:
        """Names of all servers."""
        return np.array([self.name(server) for server in range(len(self))], dtype=object)

    @cached_property
    def tier_names(self) -> NDArray[np.object_]:
        """Name of the tier of all servers."""
        return np.array(TIER_NAMES, dtype=object)[self.tier(np.arange(len(self)))]

    def hops(self, server: IntArray, cell: IntArray) -> IntArray:
        """Hops from the attached cell to the nearest cell of the server's area, elementwise; 0 inside it."""
        is_local = server < len(self.cells)
        local = self.cells.hops(np.where(is_local, server, 0), cell)
        if is_local.all():
            return local
        members = self._members[np.where(is_local, 0, server - len(self.cells))]
        regional = self.cells.hops(members, np.asarray(cell)[..., None]).min(axis=-1)
        return np.where(is_local, local, regional).astype(np.int64)

    def _members_of_regions(self) -> IntArray:
        """Cells of each region, shape (regions, most cells); smaller regions repeat their first cell."""
        order = np.argsort(self.region, kind="stable")
        sizes = np.bincount(self.region)
        begin = np.cumsum(sizes) - sizes
        column = np.arange(sizes.max())
        return np.asarray(order[begin[:, None] + np.where(column < sizes[:, None], column, 0)], dtype=np.int64)


def cluster_centers(axial: IntArray, k: int) -> IntArray:
    """Centre of the k-ring cluster that holds each cell, shape (cells, 2).

    The clusters tile the lattice: their centres are the sublattice with basis (2k+1, -k), (k, k+1) (model, section 2). Each cell lies
    within k steps of exactly one centre, which is near its rounded-down coordinates in that basis.
    """
    basis = np.array([[2 * k + 1, -k], [k, k + 1]])
    size = 3 * k * k + 3 * k + 1
    q, r = axial[:, 0], axial[:, 1]
    along_1 = (q * (k + 1) - r * k) // size
    along_2 = (q * k + r * (2 * k + 1)) // size
    centers: IntArray = np.zeros_like(axial)
    for step_1 in (-1, 0, 1, 2):
        for step_2 in (-1, 0, 1, 2):
            candidate = (along_1 + step_1)[:, None] * basis[0] + (along_2 + step_2)[:, None] * basis[1]
            difference = axial - candidate
            near = hex_distance(difference[:, 0], difference[:, 1]) <= k
            centers[near] = candidate[near]
    return centers
