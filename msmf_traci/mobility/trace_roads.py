"""From the roads on which a trace sees a vehicle to edges and indices of its route, as a live run reads them from SUMO.

A *visit* is a run of rows on one road. Inside a junction a vehicle counts as at the begin of the edge that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.mobility.following import AS_READ
from msmf_traci.mobility.frame import NO_EDGE


class Visit(NamedTuple):
    """One road that a vehicle is on for a while.

    Attributes
    ----------
    edge
        Number of the edge, or of the one that follows the junction; NO_EDGE where it is not known.
    is_inside
        Whether this is inside a junction.
    is_again
        Whether it is the road of the visit before, begun anew.
    """

    edge: int
    is_inside: bool
    is_again: bool = False


class Place(NamedTuple):
    """What frames say of a visit: the edge, its index on the route, and where on it (AS_READ: as the trace says)."""

    edge: int
    route_index: int
    fixed_m: float


def along_route(visits: Sequence[Visit], route: IntArray) -> list[Place] | None:
    """Places of visits on a known route; None where they leave it."""
    edges = route.tolist()
    places: list[Place] = []
    index, was_inside = 0, True
    for visit in visits:
        # the edge after a junction is a later one than the edge before it, even where both are the same
        search = index + (visit.is_again or (visit.is_inside and not was_inside))
        try:
            index = edges.index(visit.edge, search)
        except ValueError:
            if not visit.is_again or index >= len(edges) or edges[index] != visit.edge:
                return None
        places.append(Place(visit.edge, index, 0.0 if visit.is_inside else AS_READ))
        was_inside = visit.is_inside
    return places


def as_seen(visits: Sequence[Visit], length_m: FloatArray) -> tuple[list[Place], IntArray]:
    """Places of visits on the route that they make up, and this route: the edges that the vehicle is seen on, one after another."""
    edges = [visit.edge for visit in visits]
    following = NO_EDGE
    for i in range(len(visits) - 1, -1, -1):
        if visits[i].is_inside and edges[i] == NO_EDGE:
            edges[i] = following
        following = edges[i]
    route: list[int] = []
    places = []
    for visit, edge in zip(visits, edges, strict=True):
        if edge == NO_EDGE and route:
            # inside the last junction that the trace sees: the end of the edge before
            fixed_m = float(length_m[route[-1]]) if route[-1] != NO_EDGE else 0.0
            places.append(Place(route[-1], len(route) - 1, fixed_m))
            continue
        if not route or route[-1] != edge:
            route.append(edge)
        places.append(Place(edge, len(route) - 1, 0.0 if visit.is_inside else AS_READ))
    return places, np.array(route, dtype=np.int64)
