"""Lays the user's base stations onto the network's plane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from msmf_traci.config.deployment_schema import Deployment
from msmf_traci.deployment.site_file import SiteChoice, merged, read_outline, read_sites
from msmf_traci.deployment.sites import Outline, SiteCells
from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file
from msmf_traci.roads.projection import Projection, projection_of
from msmf_traci.roads.roads import Roads

MOST_SITES = 200_000  # their Voronoi diagram takes a gigabyte


def lay_sites(deployment: Deployment, areas: tuple[str, ...], roads: Roads, net_file: Path) -> SiteCells:
    """The user's base stations; those whose cells lie outside the outline serve nobody and are left out.

    Parameters
    ----------
    deployment
        Its options.
    areas
        Columns of the file that say areas of tiers.
    roads, net_file
        The network.

    Raises
    ------
    InputError
        If they cannot be read, are too many, or serve no place of the network.
    """
    file = f"deployment.file={deployment.file}"
    sites = read_sites(Path(str(deployment.file)), _choice(deployment, areas))
    projection = projection_of(roads)
    if sites.is_lon_lat:
        if projection is None:
            raise InputError(f"{file} has lon and lat, but network {net_file} has no projection; give x and y in metres")
        x_m, y_m = projection.to_x_y(sites.x, sites.y)
        sites = replace(sites, is_lon_lat=False, x=x_m, y=y_m)
    sites = merged(sites, deployment.merge_m)
    x_m, y_m = sites.x, sites.y
    if len(sites) > MOST_SITES:
        raise InputError(f"{file} has {len(sites)} base stations, more than {MOST_SITES}; choose some with deployment.bbox")
    radius_m = np.inf if deployment.max_radius_m is None else deployment.max_radius_m
    outline = Outline(_outline(deployment, roads, projection), radius_m)
    cells = SiteCells(x_m, y_m, sites.names, outline, roads.boundary_m, sites.stations)
    serves = ~shapely.is_empty(cells.polygons)
    if not serves.any():
        raise InputError(f"{file}: no base station serves a place inside the outline; check its positions, and the outline")
    left, bottom, right, top = roads.boundary_m
    in_network = (x_m >= left) & (x_m <= right) & (y_m >= bottom) & (y_m <= top)
    if not in_network.any():
        raise InputError(
            f"{file}: none of its {len(sites)} base stations lies in the rectangle around network {net_file}; check their positions "
            "(are longitude and latitude swapped?), or the map and scenario.bbox"
        )
    if not serves.all():
        kept = [name for name, is_kept in zip(sites.names, serves, strict=True) if is_kept]
        cells = SiteCells(x_m[serves], y_m[serves], kept, outline, roads.boundary_m, sites.stations.of(serves))
    cells.counts = {**sites.counts, "outside_outline": int((~serves).sum())}
    return cells


def _choice(deployment: Deployment, areas: tuple[str, ...]) -> SiteChoice:
    """Which rows of a file are base stations."""
    box = deployment.bbox
    bbox = None if box is None else (box[0], box[1], box[2], box[3])
    columns = {kind: column for kind, column in deployment.columns if column is not None}
    return SiteChoice(columns, bbox, deployment.radio, deployment.operator, deployment.min_samples, areas)


def _outline(deployment: Deployment, roads: Roads, projection: Projection | None) -> shapely.Polygon | shapely.MultiPolygon | None:
    """The polygon at which the deployment ends: the user's, or the network's rectangle where no radius is asked for."""
    if deployment.outline_file is None:
        return None if deployment.max_radius_m is not None else shapely.box(*roads.boundary_m)
    polygon = read_outline(input_file(deployment.outline_file, "deployment.outline_file"))
    if projection is None:
        raise InputError("deployment.outline_file has lon and lat, but the network has no projection; leave it out")
    return shapely.transform(polygon, lambda points: np.column_stack(projection.to_x_y(points[:, 0], points[:, 1])))
