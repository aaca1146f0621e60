"""Images ahead: the copies of one container, and the servers on which its image is wanted (section 7: images ahead of a transfer)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .frames import Row
from .lattice import Server
from .layers import Fetch, Layer
from .options import SOURCES
from .stores import Stores

MOST_NAMED = 8  # servers of a prefetch list


@dataclass(kw_only=True)
class Copy:
    """A copy brings the container's image to a server that is not the host; `missing` is what is missing there at its start."""

    number: int
    t_start: float
    missing: float
    fetch: Fetch
    t_complete: float | None = None

    @property
    def server(self) -> Server:
        """Where it goes."""
        return self.fetch.server


class Images:
    """Where a container's image is wanted, and the copies that bring it there; `new_fetch`: begins to bring it to a server."""

    def __init__(self, stores: Stores, layers: Sequence[Layer], new_fetch: Callable[[Server, float], Fetch]) -> None:
        self.stores, self.layers, self.new_fetch = stores, layers, new_fetch
        self.prefetch: list[Server] = []  # as of the last frame
        self.copies: list[Copy] = []  # those that are open
        self.left: list[Fetch] = []  # what transfers given up at this frame were bringing
        self.refused: set[Server] = set()  # named, asked for and refused
        self.wanted: set[Server] = set()  # where it is there or comes
        self.opened = 0
        self.needed = self.found = 0.0  # bytes of images where they came to be wanted, and what of them was there
        self.rows: list[Row] = []

    # -- what is where

    def copy_to(self, server: Server) -> Copy | None:
        """The open copy to a server."""
        return next((copy for copy in self.copies if copy.server == server), None)

    def is_there(self, server: Server) -> bool:
        """Whether a server has the whole image: "an image is there if all its layers are"."""
        return not self.stores.missing(server, self.layers)

    def unfinished(self, first: Server | None) -> list[Copy]:
        """The unfinished copies, in the order "the transfer's server, then the prefetch list"; each is in one of them."""
        servers = dict.fromkeys([*([] if first is None else [first]), *self.prefetch])
        copies = [self.copy_to(server) for server in servers]
        return [copy for copy in copies if copy is not None and copy.t_complete is None]

    # -- what happens

    def want(self, server: Server) -> None:
        """The image comes to be wanted on a server, or is wanted there already."""
        if server not in self.wanted:
            self.wanted.add(server)
            whole = math.fsum(layer.bytes for layer in self.layers)
            self.needed += whole
            self.found += whole - self.stores.missing_bytes(server, self.layers)

    def obey(self, t_s: float, named: Sequence[Server], host: Server, target: Server | None) -> None:
        """Obey a prefetch list at a frame, after the rules."""
        # "A server named twice counts once; the host counts as not named."
        self.prefetch = [server for server in dict.fromkeys(named) if server != host][:MOST_NAMED]
        wanted = {*self.prefetch, *([] if target is None else [target])}
        for copy in [copy for copy in self.copies if copy.server not in wanted]:
            self.end(copy, t_s)
        left = {fetch.server: fetch for fetch in self.left}
        self.left = []
        for server, fetch in left.items():
            if server not in self.prefetch:
                self.stores.close(fetch, t_s)
        self.refused &= wanted
        self.wanted &= wanted
        for server in self.prefetch:
            if server == target or self.copy_to(server) is not None or self.is_there(server):
                self.want(server)
            else:
                self.ask(server, left.get(server), t_s)

    def ask(self, server: Server, left: Fetch | None, t_s: float) -> None:
        """A copy opens, or goes on with what a transfer has left; or it is refused, and "booked once as long as it is wanted".

        A reading: where it is refused, what is there of the image is not in use for it, and it does not count as an image needed.
        """
        missing = self.stores.missing_bytes(server, self.layers)
        if left is None and not self.stores.has_room(server, self.layers):
            if server not in self.refused:
                self.refused.add(server)
                self.write(self.opened, server, t_s, None, t_s, "refused", None, missing)
                self.opened += 1
            return
        self.refused.discard(server)
        self.want(server)
        fetch = self.new_fetch(server, t_s)
        if left is None:
            self.stores.open(fetch, self.layers, t_s)
        else:
            self.stores.go_on(left, fetch, t_s)
        self.copies.append(Copy(number=self.opened, t_start=t_s, missing=missing, fetch=fetch))
        self.opened += 1

    def move(self, t_s: float, new: Server) -> None:
        """The container comes to run on another server: its copy ends as used."""
        copy = self.copy_to(new)
        if copy is not None:
            self.end(copy, t_s, used=True)
        self.wanted.discard(new)

    def arrive(self, t_s: float) -> None:
        """The vehicle arrives: all ends."""
        for fetch in self.left:
            self.stores.close(fetch, t_s)
        for copy in list(self.copies):
            self.end(copy, t_s)
        self.prefetch, self.left = [], []

    def end(self, copy: Copy, t_s: float, *, used: bool = False) -> None:
        """A copy ends and is booked."""
        complete = copy.t_complete is not None
        assert complete or not used
        self.copies.remove(copy)
        if not complete:
            self.stores.close(copy.fetch, t_s)
        outcome = "used" if used else "unused" if complete else "unfinished"
        self.write(copy.number, copy.server, copy.t_start, copy.t_complete, t_s, outcome, copy.fetch, copy.missing)

    def write(
        self,
        number: int,
        server: Server,
        t_start: float,
        t_complete: float | None,
        t_end: float,
        outcome: str,
        fetch: Fetch | None,
        missing: float,
    ) -> None:
        """A copy's row of the table of copies (section 9); without a fetch nothing was sent for it."""
        self.rows.append(
            {
                "copy": number,
                "tier": server.tier,
                "server": server.name,
                "t_start_s": t_start,
                "t_complete_s": t_complete,
                "t_end_s": t_end,
                "outcome": outcome,
                "image_bytes": 0.0 if fetch is None else fetch.total(t_end),
                **sent_by(fetch),
                "missing_bytes": missing,
            }
        )


def sent_by(fetch: Fetch | None) -> Row:
    """Columns of the bytes of an image by their source; without a fetch there are none."""
    by_source = dict.fromkeys(SOURCES, 0.0) if fetch is None else fetch.by_source
    return {f"{source}_bytes": sent for source, sent in by_source.items()}
