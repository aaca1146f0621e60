"""The map beside the runs that use it: cells, roads and projection, all that a picture of the city needs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from msmf_traci.deployment.servers import Servers
from msmf_traci.results.store import folder_in_one_piece, share_taken, write_json, write_table
from msmf_traci.roads.projection import Projection
from msmf_traci.roads.roads import Roads


def write_map_once(parent: Path, roads: Roads, servers: Servers, projection: Projection | None) -> Path:
    """Write the map of a network and deployment into `parent`, unless it is there.

    Returns
    -------
    The folder `map-<hash>` with cells.csv, roads.csv and projection.json.
    """
    cells = servers.cells
    deployment = f"{cells.identity} {len(servers)}"
    folder = parent / f"map-{hashlib.sha256((roads.digest() + deployment).encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    with folder_in_one_piece(folder, share_taken) as piece:
        write_table(piece.scratch, "cells", cells_table(servers, projection), "csv")
        write_table(piece.scratch, "roads", roads_table(roads), "csv")
        write_json(
            piece.scratch / "projection.json",
            {"proj": roads.projection, "net_offset_m": list(roads.net_offset_m), "boundary_m": list(roads.boundary_m)},
        )
    return folder


def cells_table(servers: Servers, projection: Projection | None) -> pd.DataFrame:
    """One row a cell: name, region, base station, polygon as WKT in metres; lon and lat are empty without a projection."""
    import shapely

    cells = servers.cells
    unknown = np.full(len(cells), np.nan)
    lon, lat = (unknown, unknown) if projection is None else projection.to_lon_lat(cells.x_m, cells.y_m)
    return pd.DataFrame(
        {
            "cell": list(cells.names),
            "region": list(servers.names[servers.server_of[1]]),
            "x_m": cells.x_m,
            "y_m": cells.y_m,
            "lon": lon,
            "lat": lat,
            "polygon": shapely.to_wkt(cells.polygons, rounding_precision=3),
        }
    )


def roads_table(roads: Roads) -> pd.DataFrame:
    """One row an edge: its class, name and centre line as WKT in metres."""
    lines = []
    for edge in range(len(roads)):
        points = ", ".join(f"{x:.2f} {y:.2f}" for x, y in zip(*roads.line(edge), strict=True))
        lines.append(f"LINESTRING ({points})")
    return pd.DataFrame({"edge": roads.ids, "class": roads.classes, "name": roads.names, "line": lines})
