"""A small town for tests of positions: a ring of four streets and one that leads out, passes over it driven by SUMO in this process."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from msmf_traci.mobility.fcd import FcdSource, TraceMap
from msmf_traci.mobility.frame import Frames, Roster
from msmf_traci.mobility.junctions import edges_after_junctions
from msmf_traci.mobility.libsumo_reader import running_libsumo
from msmf_traci.mobility.route_file import read_routes
from msmf_traci.mobility.sumo import Running, SumoSource
from msmf_traci.mobility.sumo_command import Command, Load
from msmf_traci.roads.roads import Roads, read_roads
from msmf_traci.scenario.build import own_network
from msmf_traci.scenario.sumo_options import options_of_words
from msmf_traci.scenario.sumo_tools import Warned, find_sumo
from tests.mobility.passes import joined

NODES = """<nodes><node id="a" x="0" y="0"/><node id="b" x="200" y="0"/><node id="c" x="200" y="200"/><node id="d" x="0" y="200"/>
<node id="e" x="203" y="203"/><node id="f" x="600" y="203"/></nodes>"""
STREETS = ("ab", "bc", "cd", "da", "ba", "cb", "dc", "ad", "ce", "ef")


@dataclass
class Town:
    """The network, and what passes over it need."""

    net_file: Path
    roads: Roads
    edges: dict[str, int] = field(init=False)
    warned: list[Warned] = field(default_factory=list)  # in the newest pass

    def __post_init__(self) -> None:
        self.edges = {name: number for number, name in enumerate(self.roads.ids)}

    def drive(
        self, routes: str, folder: Path, *extra: str, step_s: float = 1.0, running: Running = running_libsumo, **more: str
    ) -> tuple[list[Frames], Roster]:
        """A live pass with routes of one's own; what SUMO writes goes to the folder `sumo`; `more` are options by name."""
        (folder / "routes.rou.xml").write_text(f"<routes>{routes}</routes>")
        load = Load(own_network(str(self.net_file), str(folder / "routes.rou.xml")), None)
        sumo = find_sumo()
        command = Command(None, "free", step_s, 2000.0, 0, extra=options_of_words(sumo, extra) | more)
        self.warned.clear()
        length_m, outputs = self.roads.length_m, folder / "sumo"
        source = SumoSource(running, sumo, load, command, self.edges, length_m, lambda *_: None, outputs, self.warned.extend)
        return list(source.frames()), source.roster

    def trace(self, fcd_file: Path, *route_files: Path, step_s: float | None = 1.0, max_duration_s: float = 2000.0) -> FcdSource:
        """The pass of an FCD file."""
        after = edges_after_junctions(self.net_file)
        trace_map = TraceMap(self.edges, self.roads.length_m, after, self.roads.boundary_m, str(self.net_file))
        departures = read_routes(route_files, self.edges) if route_files else None
        return FcdSource(fcd_file, trace_map, departures, step_s, max_duration_s)


def build_town(folder: Path, sumo_home: Path) -> Town:
    """Let netconvert make the network."""
    (folder / "n.nod.xml").write_text(NODES)
    edges = "".join(f'<edge id="{name}" from="{name[0]}" to="{name[1]}" numLanes="1" speed="13.9"/>' for name in STREETS)
    (folder / "e.edg.xml").write_text(f"<edges>{edges}</edges>")
    words = ["-n", "n.nod.xml", "-e", "e.edg.xml", "-o", "town.net.xml", "--offset.disable-normalization"]
    subprocess.run([str(sumo_home / "bin" / "netconvert"), *words], cwd=folder, check=True, capture_output=True)
    return Town(folder / "town.net.xml", read_roads(folder / "town.net.xml"))


def same_frames(live: list[Frames], other: list[Frames]) -> list[str]:
    """Columns in which two passes differ; numbers of routes aside, which are names only."""
    ours, theirs = joined(live), joined(other)
    return [name for name in ours if name != "route" and ours[name] != theirs[name]]


def vehicle(name: str, edges: str, depart_s: float = 0, more: str = "", inner: str = "") -> str:
    """A vehicle of a route file."""
    return f'<vehicle id="{name}" depart="{depart_s}" {more}><route edges="{edges}"/>{inner}</vehicle>'
