"""What servers cover: a cell each, rings of a lattice, clusters of stations, one value of a column, or all. Model, section 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.deployment.cells import Cells, StationData
from msmf_traci.deployment.link_file import LinkTable
from msmf_traci.deployment.servers import Servers, Tier
from msmf_traci.errors import InputError
from msmf_traci.units import BYTES_PER_GB, BYTES_PER_MBIT


@dataclass(frozen=True)
class TierPlan:
    """A tier and what its servers cover.

    Attributes
    ----------
    name
        Its name.
    area
        `cell`, `rings`, `clusters`, `column` or `all`.
    rings, clusters, column
        Rings of an area, how many clusters (None: one for every 19 cells), and the column of the stations' file, for the area of that name.
    """

    name: str
    area: str
    rings: int | None = None
    clusters: int | None = None
    column: str | None = None

    @property
    def label(self) -> str:
        """What tells its areas from those of another plan of the tier: `rings=3`."""
        value = {"rings": self.rings, "clusters": self.clusters, "column": self.column}.get(self.area)
        return self.area if value is None else f"{self.area}={value}"

    def column_of_map(self, base: TierPlan) -> str:
        """Column of cells.csv with the servers of this plan, where another one is the run's own: `regional`, `regional:rings=3`."""
        return self.name if self.label == base.label else f"{self.name}:{self.label}"


def lay_servers(cells: Cells, plans: Sequence[TierPlan], links: LinkTable | None = None) -> Servers:
    """The servers of some tiers, the lowest first, over cells.

    Parameters
    ----------
    cells
        The cells.
    plans
        The tiers.
    links
        Links between the servers; None: there are none.

    Raises
    ------
    InputError
        If cells, stations' file or links do not fit the tiers.
    """
    tiers = [Tier(plan.name, *_areas(cells, plan)) for plan in plans]
    servers = Servers(cells, tiers, links)
    if cells.stations is not None:
        _give_own(servers, cells.stations)
    return servers


def _areas(cells: Cells, plan: TierPlan) -> tuple[IntArray, list[str]]:
    """The area of each cell, and what areas are called."""
    if plan.area == "cell":
        return np.arange(len(cells), dtype=np.int64), list(cells.names)
    if plan.area == "all":
        return np.zeros(len(cells), dtype=np.int64), ["all"]
    if plan.area == "rings":
        assert plan.rings is not None
        return cells.regions(plan.rings)
    if plan.area == "column":
        return _areas_of_column(cells, plan)
    if plan.clusters is not None and plan.clusters > len(cells):
        raise InputError(f"tiers.{plan.name}.clusters={plan.clusters}: there are only {len(cells)} cells; ask for fewer clusters")
    from msmf_traci.deployment.clusters import clusters_of  # it loads a library that other areas do not need

    return clusters_of(cells, plan.clusters)


def _areas_of_column(cells: Cells, plan: TierPlan) -> tuple[IntArray, list[str]]:
    option = f"tiers.{plan.name}.column={plan.column}"
    if cells.stations is None or plan.column is None or plan.column not in cells.stations.columns:
        raise InputError(f"{option}: the deployment has no such column; base stations of your own (deployment=sites) can have one")
    values = cells.stations.columns[plan.column]
    if (many := int((values == "").sum())) > 0:
        raise InputError(f"{option}: {many} of {len(cells)} base stations have nothing in it; write the area of every station")
    labels, area = np.unique(values.astype(str), return_inverse=True)
    return area.reshape(-1).astype(np.int64), labels.tolist()


def _give_own(servers: Servers, stations: StationData) -> None:
    """Capacities, stores and bandwidths that servers have of their own; those of several entries of one server add up."""
    number = {name: tier for tier, name in enumerate(servers.tiers)} | {"": 0}
    stranger = next((name for name in stations.tier if name not in number), None)
    if stranger is not None:
        raise InputError(f"deployment.file names a tier {stranger}; tiers.order has {', '.join(servers.tiers)}")
    server = servers.server_of[[number[name] for name in stations.tier], stations.station].astype(np.int64)
    for room, own in ((servers.room, stations.own["capacity"]), (servers.store, stations.own["store_gb"] * BYTES_PER_GB)):
        has_room = np.isfinite(own)
        room[server[has_room]] = 0
        np.add.at(room, server[has_room], np.rint(own[has_room]).astype(np.int64))
    np.add.at(servers.bandwidth, server, BYTES_PER_MBIT * np.nan_to_num(stations.own["bandwidth_mbps"]))
