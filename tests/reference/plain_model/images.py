"""Images ahead: bytes under way, and the copies and kept images of one container (images ahead: copies, sources, transfers)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .frames import Row
from .lattice import Server
from .options import Options

MOST_NAMED = 8  # servers of a prefetch list


@dataclass(kw_only=True)
class Sending:
    """Bytes under way: `amount` of them, from t_flow on, at the rate that was given at t_rate, when `sent_before` had been sent."""

    amount: float
    t_rate: float
    t_flow: float
    rate: float = 0.0
    sent_before: float = 0.0

    def sent(self, t_s: float) -> float:
        """Bytes sent so far."""
        return min(self.amount, self.sent_before + self.rate * max(0.0, t_s - max(self.t_rate, self.t_flow)))

    def reaches(self, amount: float) -> float:
        """When so many bytes will have been sent, at this rate."""
        rest = amount - self.sent_before
        if rest > 0 and self.rate <= 0:
            return float("inf")
        return max(self.t_rate, self.t_flow) + (rest / self.rate if rest > 0 else 0.0)

    def give_rate(self, t_s: float, rate: float) -> None:
        """From t on these bytes are sent at this rate."""
        if rate != self.rate:
            self.sent_before, self.t_rate, self.rate = self.sent(t_s), t_s, rate


@dataclass(kw_only=True)
class Copy(Sending):
    """A copy brings the container's image to a server that is not the host; `amount` is what is missing there at its start."""

    number: int
    server: Server
    t_start: float
    t_complete: float | None = None

    def flows(self, t_s: float) -> bool:
        """Whether its bytes flow, or would at any rate: it is unfinished and its processing is done."""
        return self.t_complete is None and t_s >= self.t_flow


class Images:
    """Where a container's image is or comes to, but for its host and what the transfer itself is bringing."""

    def __init__(self, options: Options, image: float) -> None:
        self.options, self.image = options, image
        self.prefetch: list[Server] = []  # as of the last frame
        self.copies: list[Copy] = []  # those that are open
        self.in_use: set[Server] = set()  # a complete image that no open copy has brought, on a server that is wanted
        self.kept: dict[Server, float] = {}  # a complete image that is not in use, since when
        self.missing: dict[Server, float] = {}  # what transfers given up at this frame have left missing
        self.opened = 0
        self.rows: list[Row] = []

    # -- what is where

    def copy_to(self, server: Server) -> Copy | None:
        """The open copy to a server."""
        return next((copy for copy in self.copies if copy.server == server), None)

    def is_there(self, server: Server, t_s: float) -> bool:
        """Whether a server has the whole image at a frame: by a copy, in use, or "kept: if t - (that moment) < retain_s"."""
        copy = self.copy_to(server)
        if copy is not None:
            return copy.t_complete is not None
        return server in self.in_use or (server in self.kept and t_s - self.kept[server] < self.options.retain_s)

    def use(self, server: Server) -> None:
        """A complete image is in use that a transfer has brought, or that was kept; a copy's is in use as long as the copy is open."""
        if self.copy_to(server) is None:
            self.kept.pop(server, None)
            self.in_use.add(server)

    def unfinished(self, first: Server | None) -> list[Copy]:
        """The unfinished copies, in the order "the transfer's server, then the prefetch list"; each is in one of them."""
        servers = dict.fromkeys([*([] if first is None else [first]), *self.prefetch])
        copies = [self.copy_to(server) for server in servers]
        return [copy for copy in copies if copy is not None and copy.t_complete is None]

    # -- what happens

    def give_up(self, server: Server, missing: float) -> None:
        """A transfer is given up that leaves so many bytes of the image missing; where a copy has brought them, the copy decides."""
        if self.copy_to(server) is not None:
            return
        if missing > 0:
            self.missing[server] = missing
        else:
            self.use(server)  # until it is known whether the server is wanted at this frame

    def obey(self, t_s: float, named: Sequence[Server], host: Server, target: Server | None) -> list[Copy]:
        """Obey a prefetch list at a frame, after the rules; returns the copies that have opened, whose bytes do not flow yet."""
        # "A server named twice counts once; the host counts as not named."
        self.prefetch = [server for server in dict.fromkeys(named) if server != host][:MOST_NAMED]
        wanted = {target, *self.prefetch}
        for copy in [copy for copy in self.copies if copy.server not in wanted]:
            self.end(copy, t_s)
        for server in self.in_use - wanted:
            self.in_use.remove(server)
            self.kept[server] = t_s
        opened: list[Copy] = []
        for server in self.prefetch:
            if self.is_there(server, t_s):
                self.use(server)
            elif server != target and self.copy_to(server) is None:
                missing = self.missing.get(server, self.image)  # "it goes on from the bytes there"
                opened.append(Copy(number=self.opened, server=server, t_start=t_s, amount=missing, t_rate=t_s, t_flow=t_s))
                self.copies.append(opened[-1])
                self.opened += 1
        self.missing.clear()
        return opened

    def move(self, t_s: float, old: Server, new: Server) -> None:
        """The container comes to run on another server: its copy ends as used, the image of the old host is kept."""
        copy = self.copy_to(new)
        if copy is not None:
            self.end(copy, t_s, used=True)
        self.in_use.discard(new)
        self.kept.pop(new, None)
        self.kept[old] = t_s

    def arrive(self, t_s: float) -> None:
        """The vehicle arrives: all copies end."""
        for copy in list(self.copies):
            self.end(copy, t_s)

    def end(self, copy: Copy, t_s: float, *, used: bool = False) -> None:
        """A copy ends and is booked: "if it ends complete and unused, the image is kept from that moment", else what arrived is dropped."""
        complete = copy.t_complete is not None
        assert complete or not used
        self.copies.remove(copy)
        if complete and not used:
            self.kept[copy.server] = t_s
        sent = copy.sent(t_s)
        self.rows.append(
            {
                "copy": copy.number,
                "tier": copy.server.tier,
                "server": copy.server.name,
                "t_start_s": copy.t_start,
                "t_complete_s": copy.t_complete,
                "t_end_s": t_s,
                "outcome": "used" if used else "unused" if complete else "unfinished",
                "image_bytes": sent,
                **self.options.by_source(sent),
                "missing_bytes": copy.amount,
            }
        )
