"""Lays the deployment onto the network's plane: the lattice around its centre, or the user's base stations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from msmf_traci.arrays import BoolArray
from msmf_traci.config.deployment_schema import MOST_RINGS, Deployment
from msmf_traci.config.schema import Config
from msmf_traci.config.variants import combinations
from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.lattice import HexCells, rings_to_cover
from msmf_traci.deployment.link_file import read_links
from msmf_traci.deployment.servers import Servers
from msmf_traci.errors import InputError
from msmf_traci.experiment.options import tier_plans
from msmf_traci.files.input_file import input_file
from msmf_traci.roads.projection import projection_of
from msmf_traci.roads.roads import Roads


class Layout:
    """The servers on the cells of a deployment: one set for each choice of tiers and links, laid when it is first asked for.

    Parameters
    ----------
    cells
        The cells.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._laid: dict[tuple[tuple[TierPlan, ...], str | None], Servers] = {}

    def servers(self, config: Config) -> Servers:
        """The servers of a configuration.

        Raises
        ------
        InputError
            If the stations' file or the links do not fit the tiers.
        """
        plans, file = tier_plans(config), config.links.file
        if (plans, file) not in self._laid:
            links = None if file is None else read_links(input_file(file, "links.file"))
            self._laid[plans, file] = lay_servers(self._cells, plans, links)
        return self._laid[plans, file]


def lay_cells(config: Config, roads: Roads, net_file: Path) -> Cells:
    """The deployment on the network's plane.

    Raises
    ------
    InputError
        If the network has no passenger roads, no projection where one is needed, or does not overlap the deployment; or if the user's
        base stations cannot be read.
    """
    if not len(roads):
        raise InputError(f"network {net_file} has no road open to passenger cars; choose another network")
    deployment = config.deployment
    if deployment.kind == "sites":
        from msmf_traci.experiment.site_laying import lay_sites  # it loads libraries that a lattice does not need

        columns = dict.fromkeys(plan.column for each in combinations(config) for plan in tier_plans(each.config) if plan.area == "column")
        cells: Cells = lay_sites(deployment, tuple(str(column) for column in columns), roads, net_file)
        where, check = "", "check positions in deployment.file (are longitude and latitude swapped?), or the map and scenario.bbox"
    else:
        lattice = _lay_lattice(deployment, roads, net_file)
        where, check = " around x={:.0f} m, y={:.0f} m".format(*lattice.center_m), "check deployment.center, or the map and scenario.bbox"
        cells = lattice
    if not inside(cells, roads).any():
        raise InputError(f"network {net_file} does not overlap the deployment{where}; {check}")
    return cells


def inside(cells: Cells, roads: Roads) -> BoolArray:
    """Whether the middle of each edge lies in the deployment."""
    return ~cells.cell_of(*roads.middles)[1]


def _lay_lattice(deployment: Deployment, roads: Roads, net_file: Path) -> HexCells:
    left, bottom, right, top = roads.boundary_m
    center_m = (left + right) / 2, (bottom + top) / 2
    if deployment.center is not None and "lon" in deployment.center:
        projection = projection_of(roads)
        if projection is None:
            raise InputError(f"deployment.center has lon and lat, but network {net_file} has no projection; give x and y in metres")
        x_m, y_m = projection.to_x_y(np.array([deployment.center["lon"]]), np.array([deployment.center["lat"]]))
        center_m = float(x_m[0]), float(y_m[0])
    elif deployment.center is not None:
        center_m = deployment.center["x"], deployment.center["y"]
    rings = deployment.rings
    if rings is None:
        width_m = 2 * max(right - center_m[0], center_m[0] - left)
        height_m = 2 * max(top - center_m[1], center_m[1] - bottom)
        rings = rings_to_cover(width_m, height_m, deployment.spacing_m, deployment.orientation)
        if rings > MOST_RINGS:
            raise InputError(
                f"a deployment around x={center_m[0]:.0f} m, y={center_m[1]:.0f} m that covers network {net_file} needs {rings} rings, "
                f"more than {MOST_RINGS}; set deployment.rings, deployment.spacing_m or deployment.center"
            )
    return HexCells(rings, deployment.spacing_m, deployment.orientation, center_m)


def sites_words(cells: Cells) -> list[str]:
    """What was read of a file of base stations, and what was left out, in one line; none for a lattice."""
    counts = cells.facts.get("sites")
    if counts is None:
        return []
    said = [f"{many} {reason.replace('_', ' ')}" for reason, many in counts.items() if reason != "rows" and many]
    entries = 0 if cells.stations is None else len(cells.stations.station)
    own = f"; {entries} rows say what a server can hold or send" if entries else ""
    return [f"base stations: {len(cells)} of {counts['rows']} rows{' (' + ', '.join(said) + ')' if said else ''}{own}"]
