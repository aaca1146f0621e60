"""Distances between longitudes and latitudes on a sphere, for speeds and lengths of traces before any map is known."""

from __future__ import annotations

import math

from msmf_traci.arrays import FloatArray
from msmf_traci.compiled import compiled

EARTH_RADIUS_M = 6_371_008.8  # mean radius of WGS 84 (IUGG)


@compiled
def distance_m(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Great-circle distance of two points in degrees (haversine formula)."""
    half_lat, half_lon = math.radians(other_lat - lat) / 2, math.radians(other_lon - lon) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(math.radians(lat)) * math.cos(math.radians(other_lat)) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(chord)))


@compiled
def fill_steps_m(lon: FloatArray, lat: FloatArray, steps_m: FloatArray) -> None:
    """Write the distance of each point from the one before, shape (n,); the first is left as it is."""
    for i in range(1, len(lon)):
        steps_m[i] = distance_m(lon[i - 1], lat[i - 1], lon[i], lat[i])
