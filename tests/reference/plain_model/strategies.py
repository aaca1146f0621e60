"""The strategies of section 6: home and target of a vehicle at each frame, and their prediction hits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .container import Load
from .frames import Known
from .lattice import Cell, Server, square_distance
from .network import Network
from .options import Ahead, Options
from .roads import HomeStretch, RoadMap, Stretch, Where


class Kind(NamedTuple):
    """What tells the strategies of section 6 apart."""

    climbs: bool  # all tiers, not only the lowest
    look: str  # "border", "chain", "route", "" (no target)
    passes_short: bool
    keeps: bool


STRATEGIES = {
    "nearest": Kind(False, "border", False, False),
    "pm": Kind(False, "chain", False, False),
    "pm_op": Kind(False, "chain", True, False),
    "pm_tier": Kind(True, "chain", False, False),
    "pm_op_tier": Kind(True, "chain", True, False),
    "never": Kind(False, "", False, True),
    "oracle": Kind(False, "route", False, False),
    "oracle_tier": Kind(True, "route", False, False),
}


class Now(NamedTuple):
    """A frame, and what is known of the container at it: its host, where its open transfer goes to, what others add to its computing."""

    t_s: float
    host: Server
    receiving: Server | None
    others_ms: float


AS_EVER = Ahead()
LEAST_MPS = 1.0  # a vehicle that stands will go on
SPARE_S = 2.0


class Decision(NamedTuple):
    """home (None: KEEP) and target (None: NONE) of section 6, and the servers on which the image is wanted."""

    home: Server | None
    target: Server | None
    prefetch: tuple[Server, ...] = ()


def seen_from(chain: list[tuple[Where, float, float]], position_m: float, horizon_m: float) -> list[tuple[Where, float, float]]:
    """The stretches that end beyond the position and begin less than the horizon ahead, the last one cut there (section 3)."""
    limit = position_m + horizon_m
    return [(where, begin, min(end, limit)) for where, begin, end in chain if end > position_m and begin < limit]


class Strategist:
    """One strategy for one vehicle: home and target at each frame (section 6)."""

    def __init__(
        self, kind: Kind, options: Options, roads: RoadMap, network: Network, route: list[str], load: Load, ahead: Ahead = AS_EVER
    ) -> None:
        self.kind, self.options, self.roads, self.lattice, self.network = kind, options, roads, roads.lattice, network
        self.route, self.load, self.level_ms, self.ahead_options = route, load, load.level_ms, ahead
        self.tiers = list(options.tiers) if kind.climbs else [options.lowest]
        self.route_chains: dict[int, list[Stretch]] = {}
        self.edge_before: str | None = None  # reported, at the frame before; None: this is the first frame
        self.area: Server | None = None
        self.short = False

    def home_of(self, known: Known) -> Server:
        """The attached home: the server of the chosen tier that covers the attached cell (section 2)."""
        return self.lattice.server(self.network.tier(self.tiers, known.attached, self.level_ms, known.speed_mps), known.attached)

    def decide(self, known: Known, now: Now) -> Decision:
        """Both answers at a frame, the host being the one after the advance (section 6, readings 2 and 3)."""
        home, host = self.home_of(known), now.host
        view = self.view(known, home.tier)
        own = self.own_stretch(view, known, home)
        if self.kind.passes_short:
            self.judge(known, home, view, own)
        keep = self.edge_before is not None and (self.kind.keeps or self.short)
        self.edge_before = known.edge
        if self.kind.look == "border":
            target = self.next_border(known)
            return Decision(None if keep else home, None if target == host else target)
        target, prefetch = self.look_ahead(self.next_homes(view, own, known, home, host), known, host)
        return Decision(None if keep else home, target, prefetch)

    def instead_of_home(self, home: Server, known: Known) -> Iterator[Server]:
        """The second choices for a full home: the servers of the tiers below that cover the attached cell (reading 23)."""
        for tier in self.network.lower(home.tier, known.attached, self.level_ms):
            yield self.lattice.server(tier, known.attached)

    def instead_of_target(self, target: Server, known: Known) -> Iterator[Server]:
        """The same for a full target: those that cover the first cell on the chain, beyond the position, that the target covers."""
        seen = seen_from(self.ahead(known), known.position_m, self.options.horizon_m)
        covered = [cell for cell, _, _ in seen if self.lattice.server(target.tier, cell) == target]
        for tier in self.network.lower(target.tier, known.attached, self.level_ms) if covered else ():
            yield self.lattice.server(tier, covered[0])

    def ahead(self, known: Known) -> list[Stretch]:
        """The road ahead: the look-ahead chain, or for the oracles the rest of the route (sections 3, 6)."""
        if self.kind.look not in ("chain", "route") or known.edge not in self.roads.edges:
            return []
        return self.roads.chain(known.edge) if self.kind.look == "chain" else self.route_chain(known.place)

    def view(self, known: Known, tier: str) -> list[HomeStretch]:
        """What the strategy sees of the road ahead, merged by home (section 6)."""
        return seen_from(self.roads.by_home(self.ahead(known), tier), known.position_m, self.options.horizon_m)

    def route_chain(self, place: int | None) -> list[Stretch]:
        """The rest of the vehicle's route as a chain (section 6)."""
        if place is None:
            return []
        if place not in self.route_chains:
            self.route_chains[place] = self.roads.line_up(self.route[i] for i in range(place, len(self.route)))
        return self.route_chains[place]

    def own_stretch(self, view: list[HomeStretch], known: Known, home: Server) -> int | None:
        """Where the vehicle is on the chain: the first stretch of the attached home that begins at most slack_m ahead (section 6)."""
        for index, (where, begin, _) in enumerate(view):
            if where == home and begin <= known.position_m + self.options.slack_m:
                return index
        return None

    def is_short(self, coverage_m: float, speed_mps: float) -> bool:
        """The two thresholds of OP (section 6)."""
        if coverage_m < self.options.min_m:
            return True
        return speed_mps > 0 and coverage_m / speed_mps < self.options.min_dwell_s

    def judge(self, known: Known, home: Server, view: list[HomeStretch], own: int | None) -> None:
        """OP's verdict on the attached home's area: on entering, and while it is short whenever the reported edge changes (section 6)."""
        entered = home != self.area
        turned = self.short and known.edge != self.edge_before
        if entered or turned:
            ends_inside = own is None or own == len(view) - 1
            self.short = not ends_inside and own is not None and self.is_short(view[own][2] - known.position_m, known.speed_mps)
        self.area = home

    def next_homes(self, view: list[HomeStretch], own: int | None, known: Known, home: Server, host: Server) -> dict[Server, float]:
        """The next homes on the chain and where their stretches begin, short ones passed over where the strategy does (section 6)."""
        found: dict[Server, float] = {}
        for index in range(0 if own is None else own + 1, len(view)):
            where, begin, end = view[index]
            if where in (home, host):
                continue
            if self.kind.passes_short and index < len(view) - 1 and self.is_short(end - begin, known.speed_mps):
                continue
            found.setdefault(where, begin)  # "each named once"
        return found

    def look_ahead(self, homes: dict[Server, float], known: Known, host: Server) -> tuple[Server | None, tuple[Server, ...]]:
        """The target and the prefetch list (images ahead: pm and its kin)."""
        options, first = self.ahead_options, next(iter(homes), None)
        if options.prefetch == 1 and not options.just_in_time:
            return first, ()
        target = first if first is not None and (not options.just_in_time or self.is_near(first, homes[first], known, host)) else None
        return target, tuple(homes)[: options.prefetch]

    def is_near(self, server: Server, begin: float, known: Known, host: Server) -> bool:
        """Whether the vehicle gets there before its memory would (images ahead: near)."""
        options, load = self.options, self.load
        distance_m = max(0.0, begin - known.position_m)
        width = min(options.tiers[end.tier].bytes_per_s for end in (host, server))
        takes_s = (load.memory + 2 * options.threshold_bytes) / width + options.start_s(load.image) + SPARE_S
        return distance_m / max(LEAST_MPS, known.mean_mps) < self.ahead_options.margin * takes_s

    def next_border(self, known: Known) -> Server | None:
        """`nearest`: the neighbour with the nearest border within the trigger, towards which the vehicle moves (section 6)."""
        if known.moved is None:
            return None
        dx, dy = known.moved
        own = self.lattice.centre(known.attached)
        found: list[tuple[float, Cell]] = []
        home = self.lattice.server(self.options.lowest, known.attached)
        for cell in self.lattice.neighbours(known.attached):
            if self.lattice.server(self.options.lowest, cell) == home:
                continue
            centre = self.lattice.centre(cell)
            border = (square_distance(known.point, centre) - square_distance(known.point, own)) / (2 * self.lattice.spacing_m)
            if border < self.options.trigger_m and dx * (centre[0] - own[0]) + dy * (centre[1] - own[1]) > 0:
                found.append((border, cell))
        if not found:
            return None
        return self.lattice.server(self.options.lowest, min(found)[1])


class Stays:
    """Prediction hits (section 6, reading 4)."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("entry_hits", "entry_misses", "handoff_hits", "handoff_misses"), 0)
        self.first: Server | None = None
        self.newest: Server | None = None
        self.begun = False
        self.written: Server | None = None

    def frame(self, decision: Decision, host: Server) -> None:
        """A frame other than the vehicle's last, before the rules."""
        home, target = decision.home, decision.target
        if home is not None and (not self.begun or home != self.written):
            if self.begun and home != host:
                self.compare("entry", self.first, home)
                self.compare("handoff", self.newest, home)
            self.begun, self.first, self.newest = True, None, None
        self.written = home
        if target is not None:
            self.first = self.first or target
            self.newest = target

    def compare(self, kind: str, target: Server | None, home: Server) -> None:
        """Count a hit or a miss; a stay without a target counts as neither."""
        if target is not None:
            self.counts[f"{kind}_{'hits' if target == home else 'misses'}"] += 1
