"""What servers can hold (section 8, readings 22 to 24)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from .lattice import Cell, Lattice, Server
from .options import Options


class NoRoomError(Exception):
    """No server has room for a first deployment."""


class Servers:
    """Which vehicles' containers count on each server: running there, or being received."""

    def __init__(self, options: Options, lattice: Lattice) -> None:
        self.options, self.lattice = options, lattice
        self.held: dict[Server, set[str]] = defaultdict(set)
        self.servers_of: dict[str, list[Server]] = {}

    def has_room(self, server: Server) -> bool:
        """Whether one container more may come."""
        return len(self.held[server]) < self.options.tiers[server.tier].capacity

    def settle(self, vehicle: str, servers: Iterable[Server]) -> None:
        """A vehicle's container counts on these servers and on no others.

        "A container counts on its host from its deployment to its completion elsewhere or its arrival, and on the target of its transfer
        from start to end."
        """
        for server in self.servers_of.get(vehicle, []):
            self.held[server].discard(vehicle)
        self.servers_of[vehicle] = list(servers)
        for server in self.servers_of[vehicle]:
            self.held[server].add(vehicle)

    def first_host(self, home: Server, cell: Cell, tiers: Iterable[str], has_room: Callable[[Server], bool]) -> Server:
        """Where a container is deployed (reading 24); `has_room` says whether a server has room for it and for its image.

        "Where the home is full: the nearest server with room (in hops, then by name) among the tiers that the strategy may use. If none has
        room, the run ends with a sentence."
        """
        if has_room(home):
            return home
        every = {self.lattice.server(tier, other) for tier in tiers for other in self.lattice.cells}
        free = [(self.lattice.hops(cell, server), server.name, server) for server in every if has_room(server)]
        if not free:
            raise NoRoomError(f"no server has room for a first deployment at cell {cell}")
        return min(free)[2]
