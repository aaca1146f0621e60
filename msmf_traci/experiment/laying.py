"""Lays the deployment onto the network's plane: the lattice around its centre, or the user's base stations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from msmf_traci.arrays import BoolArray
from msmf_traci.config.schema import MOST_RINGS, Deployment
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.lattice import HexCells, rings_to_cover
from msmf_traci.deployment.site_file import merged, read_outline, read_sites
from msmf_traci.deployment.sites import Outline, SiteCells
from msmf_traci.errors import InputError
from msmf_traci.experiment.options import site_choice
from msmf_traci.input_file import input_file
from msmf_traci.roads.projection import Projection, projection_of
from msmf_traci.roads.roads import Roads

MOST_SITES = 200_000  # their Voronoi diagram takes a gigabyte


def lay_cells(deployment: Deployment, roads: Roads, net_file: Path) -> Cells:
    """The deployment on the network's plane.

    Raises
    ------
    InputError
        If the network has no passenger roads, no projection where one is needed, or does not overlap the deployment; or if the user's
        base stations cannot be read.
    """
    if not len(roads):
        raise InputError(f"network {net_file} has no road open to passenger cars; choose another network")
    if deployment.kind == "sites":
        cells: Cells = _lay_sites(deployment, roads, net_file)
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


def _lay_sites(deployment: Deployment, roads: Roads, net_file: Path) -> SiteCells:
    """The user's base stations; those whose cells lie outside the outline serve nobody and are left out."""
    file = f"deployment.file={deployment.file}"
    sites = read_sites(Path(str(deployment.file)), site_choice(deployment))
    projection = projection_of(roads)
    x_m, y_m = sites.x, sites.y
    if sites.is_lon_lat:
        if projection is None:
            raise InputError(f"{file} has lon and lat, but network {net_file} has no projection; give x and y in metres")
        x_m, y_m = projection.to_x_y(x_m, y_m)
    x_m, y_m, names, many = merged(x_m, y_m, sites, deployment.merge_m)
    if len(names) > MOST_SITES:
        raise InputError(f"{file} has {len(names)} base stations, more than {MOST_SITES}; choose some with deployment.bbox")
    radius_m = np.inf if deployment.max_radius_m is None else deployment.max_radius_m
    outline = Outline(_outline(deployment, roads, projection), radius_m)
    cells = SiteCells(x_m, y_m, names, outline, roads.boundary_m)
    serves = ~shapely.is_empty(cells.polygons)
    if not serves.any():
        raise InputError(f"{file}: no base station serves a place inside the outline; check its positions, and the outline")
    left, bottom, right, top = roads.boundary_m
    in_network = (x_m >= left) & (x_m <= right) & (y_m >= bottom) & (y_m <= top)
    if not in_network.any():
        raise InputError(
            f"{file}: none of its {len(names)} base stations lies in the rectangle around network {net_file}; check their positions "
            "(are longitude and latitude swapped?), or the map and scenario.bbox"
        )
    counts = {**sites.counts, "merged": many, "outside_outline": int((~serves).sum())}
    kept = [name for name, is_kept in zip(names, serves, strict=True) if is_kept]
    return SiteCells(x_m[serves], y_m[serves], kept, outline, roads.boundary_m, counts)


def sites_words(cells: Cells) -> list[str]:
    """What was read of a file of base stations, and what was left out, in one line; none for a lattice."""
    if not isinstance(cells, SiteCells):
        return []
    said = [f"{many} {reason.replace('_', ' ')}" for reason, many in cells.counts.items() if reason != "rows" and many]
    return [f"base stations: {len(cells)} of {cells.counts['rows']} rows{' (' + ', '.join(said) + ')' if said else ''}"]


def _outline(deployment: Deployment, roads: Roads, projection: Projection | None) -> shapely.Polygon | shapely.MultiPolygon | None:
    """The polygon at which the deployment ends: the user's, or the network's rectangle where no radius is asked for."""
    if deployment.outline_file is None:
        return None if deployment.max_radius_m is not None else shapely.box(*roads.boundary_m)
    polygon = read_outline(input_file(deployment.outline_file, "deployment.outline_file"))
    if projection is None:
        raise InputError("deployment.outline_file has lon and lat, but the network has no projection; leave it out")
    return shapely.transform(polygon, lambda points: np.column_stack(projection.to_x_y(points[:, 0], points[:, 1])))
