"""What SUMO's netconvert makes of an OpenStreetMap file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msmf_traci.errors import InputError, ToolError
from msmf_traci.scenario.sumo_tools import Sumo, run_tool

NETCONVERT_OPTIONS = (
    "--geometry.remove",
    "--junctions.join",
    "--tls.guess-signals",
    "--tls.discard-simple",
    "--tls.join",
    *("--tls.default-type", "actuated"),
    "--roundabouts.guess",
    "--ramps.guess",
    *("--keep-edges.by-vclass", "passenger"),
    *("--keep-edges.components", "1"),
    "--output.street-names",
)


def build_network(sumo: Sumo, map_file: Path, bbox: Sequence[float] | None, net_file: Path, *, left_hand: bool) -> None:
    """Make a network of SUMO from a map.

    Raises
    ------
    InputError
        If nothing of the map lies in the box or no road is left.
    """
    source, folder = map_file, net_file.parent
    if map_file.name.lower().endswith(".pbf"):
        source = folder / "map.osm"
        _convert_pbf(map_file, source)
    side = ["--lefthand"] if left_hand else []
    cut = ["--keep-edges.in-geo-boundary", ",".join(repr(value) for value in bbox)] if bbox is not None else []
    command = [
        sumo.program("netconvert"),
        "--osm-files",
        str(source.resolve()),
        "--output-file",
        str(net_file),
        *NETCONVERT_OPTIONS,
        *side,
        *cut,
    ]
    try:
        run_tool(sumo, command, folder=folder, makes=net_file)
    except ToolError as error:
        if "No nodes loaded" in str(error) or "no edges" in str(error).lower():
            where = f" within scenario.bbox={list(bbox)}" if bbox is not None else ""
            raise InputError(f"map file {map_file} has no road for passenger cars{where}; check the map and the box") from None
        raise
    if source != map_file:
        source.unlink()


def _convert_pbf(path: Path, xml: Path) -> None:
    import osmium

    with osmium.SimpleWriter(str(xml)) as writer:
        for item in osmium.FileProcessor(str(path)):
            writer.add(item)
