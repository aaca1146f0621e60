"""A Beijing-like city (grid, ring roads, radial avenues) from a few parameters; not a copy of any real place."""

import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from msmf_traci.scenario.city_plan import (
    AVENUE,
    RESIDENTIAL,
    RING,
    SECONDARY,
    CityParameters,
    CityPlan,
    Node,
    Street,
    plan_city,
)
from msmf_traci.scenario.sumo_tools import Sumo, run_tool

__all__ = ["CITY_SEED", "NETCONVERT_OPTIONS", "CityFiles", "CityParameters", "build_network", "write_city"]

CITY_SEED = 0  # the synthetic city is one city; what varies with a run's seed are its trips

NETCONVERT_OPTIONS: tuple[str, ...] = (
    # The city's centre stays at (0, 0), where the deployment of base stations is centred.
    "--offset.disable-normalization=true",
    "--output.street-names=true",
    # Cars turn round only where a street ends; elsewhere U-turns block the crossing for everybody.
    "--no-turnarounds.except-deadend=true",
    "--keep-edges.components=1",
    # Left turns from a ring road may also go between oncoming cars; without this each such light is a warning.
    "--tls.minor-left.max-speed=25",
    "--tls.left-green.time=8",
    "--xml-validation=never",
)

_PRIORITY = {RING: 12, AVENUE: 10, SECONDARY: 8, RESIDENTIAL: 4}


@dataclass(frozen=True)
class CityFiles:
    """The files that netconvert reads: ``-n nodes -e edges -t types``."""

    nodes: Path
    edges: Path
    types: Path


def build_network(sumo: Sumo, parameters: CityParameters, net_file: Path) -> None:
    """Make the city's network of SUMO."""
    folder = net_file.parent
    city = write_city(parameters, CITY_SEED, folder)
    inputs = ["--node-files", str(city.nodes), "--edge-files", str(city.edges), "--type-files", str(city.types)]
    command = [sumo.program("netconvert"), *inputs, "--output-file", str(net_file), *NETCONVERT_OPTIONS]
    run_tool(sumo, command, folder=folder, makes=net_file)
    for made in (city.nodes, city.edges, city.types):
        made.unlink()


def write_city(parameters: CityParameters, seed: int, folder: Path) -> CityFiles:
    """Write the city as SUMO plain XML; equal arguments give equal bytes.

    Parameters
    ----------
    parameters
        The city's measures.
    seed
        Decides the jitter of the crossings, the streets left out and the one-way streets.
    folder
        Where the files go; made if missing.

    Returns
    -------
    The three files written; their x points east and y north, in metres from the city's centre.

    Raises
    ------
    OSError
        If the files cannot be written.
    """
    plan = plan_city(parameters, seed)
    files = CityFiles(folder / "city.nod.xml", folder / "city.edg.xml", folder / "city.typ.xml")
    folder.mkdir(parents=True, exist_ok=True)
    _write_xml(_nodes_xml(plan, parameters.traffic_light_type), files.nodes)
    _write_xml(_edges_xml(plan.streets), files.edges)
    _write_xml(_types_xml(parameters), files.types)
    return files


def _node_id(node: Node) -> str:
    east, north = node
    return f"{'W' if east < 0 else 'E'}{abs(east)}{'S' if north < 0 else 'N'}{abs(north)}"


def _nodes_xml(plan: CityPlan, light_type: str) -> ET.Element:
    """Crossings; those where two major roads meet have traffic lights."""
    majors: defaultdict[Node, set[str]] = defaultdict(set)
    for street in plan.streets:
        if street.kind != RESIDENTIAL:
            majors[street.start].add(street.name)
            majors[street.end].add(street.name)
    root = ET.Element("nodes")
    for node, (x_m, y_m) in plan.positions_m.items():
        element = ET.SubElement(root, "node", id=_node_id(node), x=f"{x_m:.2f}", y=f"{y_m:.2f}", type="priority")
        if len(majors[node]) > 1:
            element.attrib.update(type="traffic_light", tlType=light_type)
            if abs(node[0]) == abs(node[1]):
                # On a diagonal, up to six roads meet: opposite ones cannot share a green as on a square crossing.
                element.set("tlLayout", "incoming")
    return root


def _edges_xml(streets: list[Street]) -> ET.Element:
    root = ET.Element("edges")
    for street in streets:
        for start, end in street.arcs():
            ends = {"from": _node_id(start), "to": _node_id(end)}
            edge_id = f"{ends['from']}_{ends['to']}"
            ET.SubElement(root, "edge", {"id": edge_id, **ends, "type": street.kind, "name": street.name})
    return root


def _types_xml(parameters: CityParameters) -> ET.Element:
    root = ET.Element("types")
    for kind, speed_kmh, lanes in (
        (RING, parameters.ring_speed_kmh, parameters.ring_lanes),
        (AVENUE, parameters.avenue_speed_kmh, parameters.avenue_lanes),
        (SECONDARY, parameters.secondary_speed_kmh, parameters.secondary_lanes),
        (RESIDENTIAL, parameters.residential_speed_kmh, parameters.residential_lanes),
    ):
        speed_mps = f"{speed_kmh / 3.6:.2f}"
        ET.SubElement(root, "type", id=kind, priority=str(_PRIORITY[kind]), numLanes=str(lanes), speed=speed_mps)
    return root


def _write_xml(root: ET.Element, path: Path) -> None:
    ET.indent(root)
    path.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
