"""Random trips: SUMO's randomTrips.py and duarouter make routes that begin and end where base stations are."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from msmf_traci.code_version import code_hash
from msmf_traci.errors import InputError, ToolError
from msmf_traci.scenario.content_cache import build_once, content_key
from msmf_traci.scenario.sumo_tools import Sumo, run_tool

VEHICLE_TYPE = "msmf"
ROUTES = "routes"
ROUTE_FILE = "trips.rou.xml"
ATTEMPTS = 4
SPARE = 1.2  # asked for beyond what is needed, because some trips cannot be routed


@dataclass(frozen=True)
class TripOptions:
    """How many trips, over which time, at least how long by beeline, and with which of duarouter's algorithms they are routed."""

    vehicles: int
    depart_window_s: float
    min_trip_m: float
    seed: int
    routing: str


def routes_key(sumo: Sumo, net_key: str, edges: Sequence[str], options: TripOptions) -> str:
    """Key of these trips in the cache."""
    return content_key(
        network=net_key,
        edges=content_key(edges=list(edges)),
        sumo=sumo.version,
        vehicles=options.vehicles,
        window_s=options.depart_window_s,
        min_trip_m=options.min_trip_m,
        seed=options.seed,
        routing=options.routing,
        code=code_hash("trips"),
    )


def make_routes(sumo: Sumo, net_file: Path, net_key: str, edges: Sequence[str], lengths_m: Sequence[float], options: TripOptions) -> Path:
    """Route file of random trips between edges, drawn by length; from the cache if it was made before.

    Parameters
    ----------
    sumo
        The installation.
    net_file, net_key
        The network and the hash of its content.
    edges, lengths_m
        Where trips may begin and end.
    options
        How many and how long.

    Raises
    ------
    InputError
        If so many trips cannot be made.
    """
    if not edges:
        raise InputError("trips cannot be made: no road lies in the deployment; check deployment.center and deployment.rings")
    key = routes_key(sumo, net_key, edges, options)
    return build_once(ROUTES, key, lambda folder: _build(sumo, net_file, edges, lengths_m, options, folder)) / ROUTE_FILE


def _build(sumo: Sumo, net_file: Path, edges: Sequence[str], lengths_m: Sequence[float], options: TripOptions, folder: Path) -> None:
    for suffix in ("src", "dst"):
        _write_weights(folder / f"weights.{suffix}.xml", edges, lengths_m)
    wanted, routes = options.vehicles, list[str]()
    for _ in range(ATTEMPTS):
        wanted = int(wanted * SPARE) + 5
        routes = _draw(sumo, net_file, wanted, options, folder)
        if len(routes) >= options.vehicles:
            break
        wanted *= 2
    if len(routes) < options.vehicles:
        raise InputError(
            f"trips cannot be made: {options.vehicles} are needed, but of {wanted // 2} drawn only {len(routes)} can be driven and "
            f"have a beeline of at least {options.min_trip_m:g} m; lower mobility.min_trip_m or mobility.vehicles, or use a larger network"
        )
    _write_routes(folder / ROUTE_FILE, routes[: options.vehicles], options.depart_window_s)
    for path in folder.iterdir():
        if path.name != ROUTE_FILE:
            path.unlink()


def _draw(sumo: Sumo, net_file: Path, wanted: int, options: TripOptions, folder: Path) -> list[str]:
    """Edges of the routes of up to `wanted` random trips, in the order drawn."""
    trips, routed = folder / "drawn.trips.xml", folder / "drawn.rou.xml"
    draw = [
        *sumo.tool("randomTrips.py"),
        *("--net-file", str(net_file.resolve())),
        *("--output-trip-file", str(trips)),
        *("--seed", str(options.seed)),
        *("--begin", "0", "--end", str(wanted), "--period", "1"),
        *("--min-distance", f"{options.min_trip_m:.3f}"),
        *("--weights-prefix", str(folder / "weights")),
        *("--vehicle-class", "passenger"),
        "--no-validate",
    ]
    try:
        run_tool(sumo, draw, folder=folder, makes=trips)
    except ToolError as error:
        if "couldn't be generated" in str(error):
            return []
        raise
    # not through randomTrips.py, which does not look at what became of duarouter
    route = [
        sumo.program("duarouter"),
        *("--net-file", str(net_file.resolve())),
        *("--route-files", str(trips)),
        *("--output-file", str(routed), "--alternatives-output", "NUL"),
        *("--routing-algorithm", options.routing),
        *("--routing-threads", str(_processors())),
        *("--ignore-errors", "--no-warnings", "--no-step-log"),
    ]
    run_tool(sumo, route, folder=folder, makes=routed)
    found = {
        str(vehicle.get("id")): route.get("edges", "") for vehicle in ET.parse(routed).iter("vehicle") for route in vehicle.iter("route")
    }
    return [found[name] for name in sorted(found, key=int)]


def _processors() -> int:
    """How many threads can run at once; the routes do not depend on it."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _write_weights(path: Path, edges: Sequence[str], lengths_m: Sequence[float]) -> None:
    rows = "".join(
        f"    <edge id={quoteattr(edge)} value={quoteattr(repr(float(length)))}/>\n" for edge, length in zip(edges, lengths_m, strict=True)
    )
    path.write_text(f'<edgedata>\n  <interval begin="0" end="1">\n{rows}  </interval>\n</edgedata>\n', encoding="utf-8")


def _write_routes(path: Path, routes: Sequence[str], window_s: float) -> None:
    digits = len(str(len(routes) - 1))
    rows = [
        f'    <vehicle id="v{i:0{digits}d}" type="{VEHICLE_TYPE}" depart="{i * window_s / len(routes):.2f}" departLane="best">\n'
        f"        <route edges={quoteattr(edges)}/>\n    </vehicle>\n"
        for i, edges in enumerate(routes)
    ]
    path.write_text("<routes>\n" + "".join(rows) + "</routes>\n", encoding="utf-8")
