"""Between metres on the network and longitude and latitude, by the network's own projection."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import FloatArray
from msmf_traci.roads.roads import Roads


class Projection:
    """The projection that SUMO's network was made with.

    Parameters
    ----------
    projection
        PROJ string.
    net_offset_m
        SUMO's netOffset, added after projecting.
    """

    def __init__(self, projection: str, net_offset_m: tuple[float, float]) -> None:
        from pyproj import Proj

        self._proj = Proj(projection)
        self._offset_m = net_offset_m

    def to_lon_lat(self, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Longitudes and latitudes in degrees of points on the network."""
        lon, lat = self._proj(np.asarray(x_m) - self._offset_m[0], np.asarray(y_m) - self._offset_m[1], inverse=True)
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)

    def to_x_y(self, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Points on the network of longitudes and latitudes in degrees."""
        x, y = self._proj(lon, lat)
        return np.asarray(x, dtype=np.float64) + self._offset_m[0], np.asarray(y, dtype=np.float64) + self._offset_m[1]


def projection_of(roads: Roads) -> Projection | None:
    """Projection of a network, or None where it has none or one that PROJ does not know (SUMO's simple projection, say)."""
    if roads.projection is None:
        return None
    from pyproj.exceptions import ProjError

    try:
        return Projection(roads.projection, roads.net_offset_m)
    except ProjError:
        return None
