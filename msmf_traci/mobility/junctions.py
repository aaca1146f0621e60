"""Inside junctions: to which edge of the road map each internal edge of a network leads."""

from __future__ import annotations

import zlib
from pathlib import Path
from xml.parsers import expat

from msmf_traci.errors import InputError
from msmf_traci.mobility.following import INTERNAL
from msmf_traci.scenario.sumo_files import opened


def edges_after_junctions(net_file: Path) -> dict[str, str]:
    """Id of the edge that follows each internal edge.

    Raises
    ------
    InputError
        If the network is damaged.
    """
    after: dict[str, str] = {}

    def begin(tag: str, said: dict[str, str]) -> None:
        # a connection runs over its `via`, whether it comes from an edge or from the first half of a turn
        if tag == "connection" and "via" in said and not said["to"].startswith(INTERNAL):
            after[said["via"].rpartition("_")[0]] = said["to"]

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    try:
        with opened(net_file) as file:
            parser.ParseFile(file)
    except (expat.ExpatError, KeyError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"network {net_file} is damaged ({error}); make it again") from None
    return after
