"""The routes of a file of SUMO: of each vehicle id, one after another where an id is used again. Trips and flows are no routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.errors import InputError
from msmf_traci.files.text_file import DamagedFileError
from msmf_traci.files.xml_file import read_xml
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.scenario.sumo_files import seconds_of


class Departure(NamedTuple):
    """When a vehicle departs at the earliest, and its route as numbers of road edges."""

    depart_s: float
    route: IntArray


def read_routes(paths: Sequence[Path], edges: Mapping[str, int]) -> dict[str, list[Departure]]:
    """Departures of each vehicle id, in the order of time.

    Of a vehicle that was rerouted (--vehroute-output) the last route counts.

    Parameters
    ----------
    paths
        Route files.
    edges
        Number of each road edge by id.

    Raises
    ------
    InputError
        If a file is damaged, or there is no vehicle with a route.
    """
    reader = _RouteReader(edges)
    for path in paths:
        try:
            read_xml(path, reader.begin, reader.end)
        except DamagedFileError as error:
            raise InputError(f"route file {path} {error}") from None
    if paths and not reader.departures:
        raise InputError(
            f"route file {paths[0]} holds no vehicles with routes (trips and flows have none); "
            "let SUMO write them with --vehroute-output and give that file, or leave the route file out"
        )
    for departures in reader.departures.values():
        departures.sort(key=lambda departure: departure.depart_s)
    return reader.departures


class _RouteReader:
    def __init__(self, edges: Mapping[str, int]) -> None:
        self.departures: dict[str, list[Departure]] = {}
        self._edges = edges
        self._named: dict[str, IntArray] = {}
        self._vehicle: Mapping[str, str] | None = None
        self._route: IntArray | None = None

    def begin(self, tag: str, said: dict[str, str]) -> None:
        if tag == "vehicle":
            self._vehicle = said
            self._route = self._named.get(said.get("route", ""))
        elif tag == "route" and "edges" in said:
            route = np.array([self._edges.get(edge, NO_EDGE) for edge in said["edges"].split()], dtype=np.int64)
            if self._vehicle is not None:
                self._route = route
            elif "id" in said:
                self._named[said["id"]] = route

    def end(self, tag: str) -> None:
        if tag == "vehicle" and self._vehicle is not None:
            if self._route is not None and len(self._route) and "id" in self._vehicle:
                departure = Departure(seconds_of(self._vehicle.get("depart", "")) or 0.0, self._route)
                self.departures.setdefault(self._vehicle["id"], []).append(departure)
            self._vehicle = None
