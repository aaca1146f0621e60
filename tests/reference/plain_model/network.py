"""The ways between users and servers and between two servers, without and with a file of links (sections 2 and 8, reading 46)."""

from __future__ import annotations

import csv
import heapq
import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from .lattice import Cell, Lattice, Server
from .layers import Source
from .options import Options, bytes_per_s

NS = 10**6  # nanoseconds of a millisecond
CLOUD = "cloud"  # the cloud's link


class Link(NamedTuple):
    """One direction of a row of the file."""

    row: int
    end: str
    latency_ns: int
    bytes_per_s: float


class Shortest(NamedTuple):
    """A path, comparable: "the shortest path by latency; of paths equally short, the one with the fewest links, then the one whose servers
    and switches come first by name, from the sender on"; of links side by side that are alike in latency, the widest.
    """

    latency_ns: int
    count: int
    names: tuple[str, ...]
    narrowness: tuple[float, ...]  # of each link, less where it is wider
    rows: tuple[int, ...]


class Network:
    """Latencies, and which links with which bandwidths a transfer passes."""

    def __init__(self, options: Options, lattice: Lattice) -> None:
        self.options, self.lattice = options, lattice
        self.links: dict[str, list[Link]] | None = None if options.links_file is None else read_links(Path(options.links_file), options)
        self.widths: dict[int, float] = {link.row: link.bytes_per_s for links in (self.links or {}).values() for link in links}
        self._paths: dict[str, dict[str, Shortest]] = {}

    # -- paths

    def path(self, source: Server, target: Server) -> Shortest:
        """The path of a transfer from one server to another."""
        if source.name not in self._paths:
            self._paths[source.name] = self.paths_from(source.name)
        return self._paths[source.name][target.name]

    def paths_from(self, sender: str) -> dict[str, Shortest]:
        """The best path to every server and switch, found in the order of how good they are (Dijkstra)."""
        assert self.links is not None
        best: dict[str, Shortest] = {}
        found = [Shortest(0, 0, (sender,), (), ())]
        while found:
            path = heapq.heappop(found)
            at = path.names[-1]
            if at in best:
                continue
            best[at] = path
            for link in self.links[at]:
                names, narrowness = (*path.names, link.end), (*path.narrowness, -link.bytes_per_s)
                longer = Shortest(path.latency_ns + link.latency_ns, path.count + 1, names, narrowness, (*path.rows, link.row))
                heapq.heappush(found, longer)
        return best

    # -- requests

    def way_ms(self, cell: Cell, server: Server) -> Fraction:
        """What the way of a request from an attached cell to a server takes: the latency without the computing time."""
        if self.links is None:
            return self.options.tiers[server.tier].latency_ms + self.options.hop_latency_ms * self.lattice.hops(cell, server)
        access = self.options.tiers[self.options.lowest].latency_ms
        return access + Fraction(self.path(self.lattice.server(self.options.lowest, cell), server).latency_ns, NS)

    def meets(self, tier: str, cell: Cell, level_ms: Fraction) -> bool:
        """Whether a tier is eligible at an attached cell (section 2): d_tier + d_p <= L, d_tier by the path to the tier's server there."""
        return self.way_ms(cell, self.lattice.server(tier, cell)) + self.options.tiers[tier].compute_ms <= level_ms

    def tier(self, tiers: Sequence[str], cell: Cell, level_ms: Fraction, speed_mps: float) -> str:
        """Tier choice (section 2): the highest tier that meets the level, the lowest of these below min_speed, else the lowest of all."""
        eligible = [tier for tier in tiers if self.meets(tier, cell, level_ms)]
        if not eligible:
            return tiers[0]
        return eligible[0] if speed_mps < self.options.min_speed_mps else eligible[-1]

    def lower(self, full: str, cell: Cell, level_ms: Fraction) -> Iterator[str]:
        """The tiers below that of a full server that meet the level at the attached cell, downwards (section 8, reading 23)."""
        tiers = list(self.options.tiers)
        for tier in reversed(tiers[: tiers.index(full)]):
            if self.meets(tier, cell, level_ms):
                yield tier

    # -- transfers

    def way(self, source: Server, target: Server) -> list[Hashable]:
        """All that a transfer passes: "the uplink of the one, the path, and the downlink of the other", each direction by itself."""
        links: list[Hashable] = []
        if self.links is not None:
            path = self.path(source, target)
            links = [(row, begin) for row, begin in zip(path.rows, path.names, strict=False)]
        return [("up", source), *links, ("down", target)]

    def way_of_image(self, source: Source, target: Server) -> list[Hashable]:
        """All that an image passes: the way from a server, or "from the cloud's link (if it is limited) to its server's downlink"."""
        if source is not None:
            return self.way(source, target)
        return [("down", target)] if math.isinf(self.options.cloud_bytes_per_s) else [CLOUD, ("down", target)]

    def nearest(self, receiver: Server, holders: Sequence[Server], host: Server) -> Server:
        """The nearest of the servers that hold a layer (section 7: sources): "of equally near ones the host, or else the first by name"."""

        def far(server: Server) -> int:
            if self.links is not None:
                return self.path(receiver, server).latency_ns
            return self.lattice.hops_between(receiver, server)

        return min(holders, key=lambda server: (far(server), server != host, server.name))

    def width(self, link: Hashable) -> float:
        """The bandwidth of a link that a way passes."""
        if link == CLOUD:
            return self.options.cloud_bytes_per_s
        assert isinstance(link, tuple)
        if isinstance(link[1], Server):
            return self.options.tiers[link[1].tier].bytes_per_s
        return self.widths[link[0]]

    def dedicated_rate(self, source: Server, target: Server) -> float:
        """The narrowest bandwidth on the way, that of the two servers included (section 8)."""
        return self.narrowest(self.way(source, target))

    def narrowest(self, way: Sequence[Hashable]) -> float:
        """The narrowest bandwidth on a way."""
        return min(self.width(link) for link in way)

    def round_trip_s(self, source: Server, target: Server) -> float:
        """A round trip between two servers: with links, "twice the latency of the path" (section 8)."""
        if self.links is None:
            return self.options.round_trip_s
        return 2 * self.path(source, target).latency_ns / 1e9


def read_links(path: Path, options: Options) -> dict[str, list[Link]]:
    """The links that begin at each server or switch: every row is one in both directions (section 8)."""
    links: dict[str, list[Link]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            latency_ns = round(Fraction(row["latency_ms"]) * NS)  # "latencies are rounded to whole nanoseconds"
            for begin, end in ((row["a"], row["b"]), (row["b"], row["a"])):
                links[begin].append(Link(number, end, latency_ns, bytes_per_s(float(row["mbps"]), options.efficiency)))
    return links
