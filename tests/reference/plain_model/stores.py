"""What servers hold (section 7, reading 48): layers in use and kept, room, one layer for several containers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .lattice import Server
from .layers import Fetch, Layer, Order, Receiver
from .options import Options

Use = tuple[Server, Layer]


@dataclass
class Store:
    """The layers of one server."""

    room: float
    t_s: float  # begin of what is held now
    unused: dict[Layer, float] = field(default_factory=dict)  # complete ones: since when each is unused, if it has no users
    users: dict[Layer, set[Order]] = field(default_factory=dict)  # the vehicles that use it, or will once it is complete
    brought: dict[Layer, Fetch] = field(default_factory=dict)  # incomplete ones, and who sends them
    fetches: list[Fetch] = field(default_factory=list)  # all that something is missing for, in the order of vehicles
    held: int = 0
    peak: int = 0
    byte_s: float = 0.0

    def hold(self, t_s: float, more: int) -> None:
        """So much more is held from t on."""
        self.byte_s += self.held * (t_s - self.t_s)
        self.t_s, self.held = t_s, self.held + more
        self.peak = max(self.peak, self.held)

    def remove(self, layer: Layer, t_s: float) -> None:
        """A complete layer is deleted."""
        del self.unused[layer]
        self.hold(t_s, -layer.room)

    def in_use(self, layer: Layer) -> bool:
        """Whether a container uses it."""
        return bool(self.users.get(layer))


class Stores:
    """The stores of all servers of one world."""

    def __init__(self, options: Options, t_s: float) -> None:
        self.options, self.t_begin, self.t_end = options, t_s, t_s
        self.stores: dict[Server, Store] = {}
        self.uses: dict[Order, set[Use]] = {}
        self.stirred: dict[Order, Receiver] = {}  # containers for which others have changed something
        self.evictions = 0

    def at(self, server: Server) -> Store:
        """The store of a server."""
        if server not in self.stores:
            self.stores[server] = Store(self.options.tiers[server.tier].store_bytes, self.t_begin)
        return self.stores[server]

    # -- what is where

    def missing(self, server: Server, image: Iterable[Layer]) -> list[Layer]:
        """The layers of an image that are not complete on a server."""
        return [layer for layer in image if layer not in self.at(server).unused]

    def missing_bytes(self, server: Server, image: Iterable[Layer]) -> float:
        """What is missing of an image: of a layer that another container is sending, also what it has sent so far (reading 48).

        A reading: what came before, from a sender that has given it up, is there.
        """
        brought, missing = self.at(server).brought, self.missing(server, image)
        there = [brought[layer].arrived.get(layer, 0.0) for layer in missing if layer in brought]
        return math.fsum(layer.bytes for layer in missing) - math.fsum(there)

    def with_layer(self, layer: Layer) -> list[Server]:
        """The servers on which a layer is complete."""
        return [server for server, store in self.stores.items() if layer in store.unused]

    # -- room

    def to_give_up(self, server: Server, image: Sequence[Layer]) -> list[Layer] | None:
        """What has to go so that an image has room; None: it has none ("none goes if even that would not help")."""
        store = self.at(server)
        need = sum(layer.room for layer in self.missing(server, image) if layer not in store.brought)
        free, going = store.room - store.held, list[Layer]()
        # "the least recently used one, then the larger, then by name; as few go as make room"
        for layer in sorted(store.unused, key=lambda layer: (store.unused[layer], -layer.bytes, layer.by_name)):
            if free >= need:
                break
            if not store.in_use(layer) and layer not in image:
                going.append(layer)
                free += layer.room
        return going if free >= need else None

    def has_room(self, server: Server, image: Sequence[Layer]) -> bool:
        """Whether what is missing of an image has room."""
        return self.to_give_up(server, image) is not None

    def make_room(self, server: Server, image: Sequence[Layer], t_s: float) -> None:
        """Unused layers go."""
        going = self.to_give_up(server, image)
        assert going is not None
        for layer in going:
            self.at(server).remove(layer, t_s)
            self.evictions += 1

    # -- what comes

    def open(self, fetch: Fetch, image: Sequence[Layer], t_s: float) -> None:
        """What is missing of an image is to come: what is under way already is waited for, the rest takes its room."""
        self.make_room(fetch.server, image, t_s)
        store = self.at(fetch.server)
        for layer in self.missing(fetch.server, image):
            if layer in store.brought:
                fetch.waits.append(layer)
            else:
                fetch.own.append(layer)
                store.brought[layer] = fetch
                store.hold(t_s, layer.room)
        store.fetches = sorted([*store.fetches, fetch], key=lambda fetch: fetch.receiver.order)
        fetch.begin(t_s)

    def go_on(self, old: Fetch, new: Fetch, t_s: float) -> None:
        """What is missing comes by another way for the same container, the incomplete layer from the bytes on that are there."""
        old.book(t_s)
        store = self.at(old.server)
        new.own, new.waits, new.arrived = old.own, old.waits, old.arrived
        store.fetches[store.fetches.index(old)] = new
        store.brought.update(dict.fromkeys(new.own, new))
        new.begin(t_s)

    def close(self, fetch: Fetch, t_s: float) -> None:
        """It is given up: the first that waits for a layer goes on with it; what nobody waits for is dropped.

        A reading: the layer under way is not interrupted, and the others that a container sends itself go in the order of its image.
        """
        fetch.book(t_s)
        store = self.at(fetch.server)
        store.fetches.remove(fetch)
        left = dict.fromkeys(fetch.own)
        for other in store.fetches:
            taken = [layer for layer in other.waits if layer in left]
            if not taken:
                continue
            idle = not other.own
            other.take(taken, fetch.arrived)
            store.brought.update(dict.fromkeys(taken, other))
            for layer in taken:
                del left[layer]
            self.stirred[other.receiver.order] = other.receiver
            if idle:
                other.begin(t_s)
        for layer in left:
            del store.brought[layer]
            store.hold(t_s, -layer.room)

    def complete(self, server: Server, layer: Layer, t_s: float) -> None:
        """A layer under way is there: whoever sent it goes on with the next, whoever waited for it waits no longer."""
        store = self.at(server)
        del store.brought[layer]
        store.unused[layer] = t_s
        for fetch in list(store.fetches):
            if layer in fetch.own or layer in fetch.waits:
                fetch.drop(layer, t_s)
                self.stirred[fetch.receiver.order] = fetch.receiver
                if fetch.done:
                    store.fetches.remove(fetch)
                    fetch.receiver.received(fetch, t_s)

    def deploy(self, server: Server, image: Sequence[Layer], t_s: float) -> float:
        """A first deployment, which is there at once; returns the bytes that were missing."""
        missing = self.missing_bytes(server, image)
        self.make_room(server, image, t_s)
        store = self.at(server)
        for layer in self.missing(server, image):
            if layer in store.brought:
                self.complete(server, layer, t_s)
            else:
                store.unused[layer] = t_s
                store.hold(t_s, layer.room)
        return missing

    # -- what is in use, and what is kept

    def settle(self, used: dict[Order, set[Use]], t_s: float) -> None:
        """From t on vehicles use these layers and no others; what nobody uses any more is kept for a while."""
        before = {order: self.uses.get(order, set()) for order in used}
        self.uses.update(used)
        for order, uses in used.items():
            for server, layer in uses - before[order]:
                self.at(server).users.setdefault(layer, set()).add(order)
        for order, uses in used.items():
            for server, layer in before[order] - uses:
                store = self.at(server)
                store.users[layer].discard(order)
                if not store.in_use(layer) and layer in store.unused:
                    store.unused[layer] = t_s
                    if self.options.retain_s == 0:  # "it is deleted at once"
                        store.remove(layer, t_s)

    def expire(self, t_s: float) -> None:
        """At a frame: layers whose time has run out are there no longer; they are not held from that instant on."""
        retain_s = self.options.retain_s
        for store in self.stores.values():
            old = [layer for layer, since in store.unused.items() if t_s - since >= retain_s and not store.in_use(layer)]
            for layer in sorted(old, key=lambda layer: store.unused[layer]):
                store.remove(layer, min(t_s, store.unused[layer] + retain_s))

    def end(self, t_s: float) -> None:
        """The last frame."""
        self.t_end = t_s
        for store in self.stores.values():
            store.hold(t_s, 0)

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return self.t_end - self.t_begin

    @property
    def byte_s(self) -> float:
        """Bytes times seconds held by all servers together."""
        return sum(store.byte_s for store in self.stores.values())

    @property
    def peak(self) -> int:
        """The most that one server held."""
        return max((store.peak for store in self.stores.values()), default=0)
