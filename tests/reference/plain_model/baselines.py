"""The baselines of section 6: what they decide for a vehicle at each frame (reading 50)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from .frames import Known
from .lattice import Cell, Server
from .options import exact
from .strategies import Decision, Kind, Now, Strategist

ENOUGH = 1e-13  # a change of a value that is none


class Baseline(Strategist):
    """What the baselines have in common: a first frame without a target, and options of their own."""

    own: dict[str, Any]

    def given(self, own: dict[str, Any]) -> Baseline:
        """With its options, as the configuration has them."""
        self.own, self.is_first, self.sent = own, True, None
        return self

    def decide(self, known: Known, now: Now) -> Decision:
        """Both answers at a frame."""
        home = self.home_of(known)
        if self.is_first:
            self.is_first = False
            self.first(known, now)
            return Decision(home, None)
        return self.later(known, now, home)

    def first(self, known: Known, now: Now) -> None:
        """The first frame."""

    def later(self, known: Known, now: Now, home: Server) -> Decision:
        """Any other frame."""
        raise NotImplementedError

    def latency_ms(self, server: Server, known: Known) -> Fraction:
        """Latency of a request that a server answers, without what other containers add."""
        return self.network.way_ms(known.attached, server) + self.options.tiers[server.tier].compute_ms

    def slots_ended(self, now: Now) -> int:
        """How many slots have ended by now; the next one ends at the first multiple of the slot after this frame."""
        ended = int((exact(now.t_s) - self.begin) / exact(self.own["slot_s"]))
        count, self.ended = ended - self.ended, ended
        return count

    def has_ended(self, now: Now) -> bool:
        """Whether a slot has ended since it was asked last."""
        return int((exact(now.t_s) - self.begin) / exact(self.own["slot_s"])) > self.ended

    def begin_slots(self, now: Now) -> None:
        """The first slot begins."""
        self.begin, self.ended = exact(now.t_s), 0

    def repeated(self, now: Now) -> Decision:
        """In between: what was decided last, until the container runs there."""
        if self.sent == now.host:
            self.sent = None
        return Decision(self.sent, None)


class Follow(Baseline):
    """`follow`."""

    def later(self, known: Known, now: Now, home: Server) -> Decision:
        """The attached home."""
        return Decision(home, None)


class Threshold(Baseline):
    """`threshold`."""

    def later(self, known: Known, now: Now, home: Server) -> Decision:
        """The attached home, from so many hops on; the next home as a target from one hop before."""
        hops, most = self.lattice.hops(known.attached, now.host), int(self.own["hops"])
        target = None
        if hops >= most - 1:
            view = self.view(known, home.tier)
            homes = self.next_homes(view, self.own_stretch(view, known, home), known, home, now.host)
            target = next(iter(homes), None)
        return Decision(home if hops >= most else None, target)


class Sla(Baseline):
    """`sla`."""

    def later(self, known: Known, now: Now, home: Server) -> Decision:
        """KEEP while the level is met."""
        if self.latency_ms(now.host, known) + Fraction(str(float(now.others_ms))) <= self.level_ms:
            return Decision(None, None)
        coming = now.receiving
        return Decision(coming if coming is not None and self.latency_ms(coming, known) <= self.level_ms else home, None)


class Mdp(Baseline):
    """`mdp`."""

    def first(self, known: Known, now: Now) -> None:
        """The first slot begins."""
        self.slots = self.left = 0
        self.cell: Cell = known.attached
        self.begin_slots(now)

    def later(self, known: Known, now: Now, home: Server) -> Decision:
        """At the end of a slot: the distance that the process says."""
        again = self.repeated(now)
        if not self.has_ended(now):
            return again
        self.slots_ended(now)
        self.slots += 1  # "if several slots have ended since the frame before, they count as one"
        self.left += int(known.attached != self.cell)
        self.cell = known.attached
        if now.receiving is not None:
            return again
        hops, farthest = self.lattice.hops(known.attached, now.host), int(self.own["farthest"])
        apart = self.best_distance(1 - (self.left + float(self.own["leaving"])) / (self.slots + 2))[min(hops, farthest)]
        self.sent = None if apart >= hops else self.towards(known.attached, now.host, apart)
        return Decision(self.sent, None)

    def towards(self, cell: Cell, host: Server, steps: int) -> Server:
        """So many steps from a cell towards a host."""
        for _ in range(steps):
            nearer = self.lattice.hops(cell, host) - 1
            cell = next(other for other in self.lattice.neighbours(cell) if self.lattice.hops(other, host) == nearer)
        return self.lattice.server(self.options.lowest, cell)

    def best_distance(self, stay: float) -> list[int]:
        """a(d), by value iteration until no value changes any more."""
        n, g, b = int(self.own["farthest"]), float(self.own["discount"]), float(self.own["base"])

        def cost(kind: str) -> list[float]:
            constant, factor = float(self.own[f"{kind}_constant"]), float(self.own[f"{kind}_factor"])
            return [0.0, *(constant + factor * b**x for x in range(1, n + 1))]

        m, t, q = cost("migration"), cost("transmission"), (1 - stay) / 6
        move: Callable[[int], list[tuple[int, float]]] = lambda a: (  # noqa: E731
            [(0, 1 - 6 * q), (1, 6 * q)]
            if a == 0
            else [(n - 1, q), (n, 1 - q)]
            if a == n
            else [(a - 1, 1.5 * q), (a, 1 - 4 * q), (a + 1, 2.5 * q)]
        )
        values = [0.0] * (n + 1)
        while True:
            later = [t[a] + g * sum(share * values[d] for d, share in move(a)) for a in range(n + 1)]
            choices: Sequence[Sequence[float]] = [[m[d - a] + later[a] for a in range(min(d, n - 1) + 1)] for d in range(n + 1)]
            found = [min(each) for each in choices]
            change = max(abs(new - old) for new, old in zip(found, values, strict=True))
            values = found
            if change < ENOUGH:
                return [each.index(min(each)) for each in choices]


class Lyapunov(Baseline):
    """`lyapunov`."""

    def first(self, known: Known, now: Now) -> None:
        """The first slot begins."""
        self.queue = 0.0
        self.begin_slots(now)

    def later(self, known: Known, now: Now, home: Server) -> Decision:
        """At the end of a slot: the server that costs least."""
        again = self.repeated(now)
        if not self.has_ended(now) or now.receiving is not None:
            return again
        allowed = float(self.own["budget_mb_per_s"]) * float(self.own["slot_s"]) / 1e3
        for _ in range(self.slots_ended(now)):
            self.queue = max(0.0, self.queue - allowed)
        size, weight = (self.load.image + self.load.memory) / 1e9, float(self.own["delay_per_ms"])
        best, least = now.host, weight * float(self.latency_ms(now.host, known))
        for cell in (known.attached, *self.lattice.neighbours(known.attached)):
            for tier in self.tiers:
                server = self.lattice.server(tier, cell)
                cost = weight * float(self.latency_ms(server, known)) + self.queue * size
                if server != now.host and cost < least:
                    best, least = server, cost
        self.sent = None
        if best != now.host:
            self.sent, self.queue = best, self.queue + size
        return Decision(self.sent, None)


BASELINES: dict[str, tuple[type[Baseline], Kind]] = {
    "follow": (Follow, Kind(False, "", False, False)),
    "threshold": (Threshold, Kind(False, "chain", False, False)),
    "sla": (Sla, Kind(True, "", False, False)),
    "mdp": (Mdp, Kind(False, "", False, False)),
    "lyapunov": (Lyapunov, Kind(True, "", False, False)),
}
