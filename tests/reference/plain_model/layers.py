"""Layers of images, and bytes under way (sections 5 and 7: images and layers, what servers hold)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .lattice import Server
from .options import SOURCES

Order = tuple[float, str]  # of a vehicle: its first frame, then its id (reading 22)
Source = Server | None  # None: the cloud


@dataclass(frozen=True)
class Layer:
    """A layer: "layers of one name are the same bytes wherever they occur"; `of`: the vehicle whose private image it is."""

    name: str
    bytes: float
    of: Order | None = None

    @property
    def room(self) -> int:
        """What it takes of a store: "room is reckoned in whole bytes, each layer rounded" (reading 48)."""
        return round(self.bytes)

    @property
    def by_name(self) -> tuple[str, Order]:
        """Its place among layers alike: by name, private ones by vehicle."""
        return (self.name, (0.0, "")) if self.of is None else ("", self.of)


@dataclass(kw_only=True, eq=False)
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

    def wait(self, t_s: float, t_flow: float) -> None:
        """What has not been sent at t flows from t_flow on."""
        self.sent_before, self.t_rate, self.t_flow = self.sent(t_s), t_s, t_flow


class Receiver(Protocol):
    """A container, as what brings its image sees it."""

    order: Order
    host: Server

    def source_of(self, server: Server, layer: Layer) -> Source:
        """Where a layer that begins now comes from."""

    def received(self, fetch: Fetch, t_s: float) -> None:
        """All that was missing on a server is there."""


@dataclass(kw_only=True, eq=False)
class Fetch(Sending):
    """What of an image is missing on a server, and comes there for one container: by its transfer, or by a copy.

    It sends the layers of `own` in order; the first is under way, `amount` of it being missing when it began. It waits for those of
    `waits`, which others send.
    """

    receiver: Receiver
    server: Server
    image: Sequence[Layer]
    own: list[Layer] = field(default_factory=list)
    waits: list[Layer] = field(default_factory=list)
    arrived: dict[Layer, float] = field(default_factory=dict)  # of own ones, bytes that were there before what is being sent now
    source: Source = None  # of the layer under way
    by_source: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SOURCES, 0.0))  # of layers that have ended
    rated_way: object = None  # on shared links: the way that the rate was given for; None: for none

    @property
    def done(self) -> bool:
        """Whether nothing is missing."""
        return not self.own and not self.waits

    def flows(self, t_s: float) -> bool:
        """Whether its bytes flow, or would at any rate: there is one to send, and its processing is done."""
        return bool(self.own) and t_s >= self.t_flow

    def total(self, t_s: float) -> float:
        """Bytes sent so far."""
        return sum(self.by_source.values()) + self.sent(t_s)

    def begin(self, t_s: float) -> None:
        """The first layer of its own begins, or goes on."""
        self.amount, self.sent_before, self.t_rate = 0.0, 0.0, t_s
        if self.own:
            self.amount = self.own[0].bytes - self.arrived.get(self.own[0], 0.0)
            self.source = self.receiver.source_of(self.server, self.own[0])

    def book(self, t_s: float) -> None:
        """What was sent of the layer under way is booked "by what its source is then"."""
        sent = self.sent(t_s)
        if self.own:
            self.arrived[self.own[0]] = self.arrived.get(self.own[0], 0.0) + sent
        self.by_source["cloud" if self.source is None else "host" if self.source == self.receiver.host else "other"] += sent
        self.amount, self.sent_before, self.t_rate = self.amount - sent, 0.0, t_s

    def leave(self, old: Server) -> None:
        """The container runs elsewhere: what it was sending from the server that it left goes on from the new host."""
        if self.source == old:
            self.source = self.receiver.host

    def take(self, layers: Sequence[Layer], arrived: Mapping[Layer, float]) -> None:
        """It sends itself, from the bytes on that have arrived, what it has waited for."""
        under_way, others = self.own[:1], self.own[1:]
        self.own = under_way + sorted([*others, *layers], key=list(self.image).index)
        self.waits = [layer for layer in self.waits if layer not in layers]
        self.arrived.update({layer: arrived.get(layer, 0.0) for layer in layers})

    def drop(self, layer: Layer, t_s: float) -> None:
        """A layer is there: by itself, or another has brought it."""
        if layer in self.waits:
            self.waits.remove(layer)
            return
        under_way = layer == self.own[0]
        if under_way:
            self.book(t_s)
        self.own.remove(layer)
        self.arrived.pop(layer, None)
        if under_way:
            self.begin(t_s)
