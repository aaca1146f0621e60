"""All containers of one strategy, driven together, and the tables that come of it (sections 7 to 9)."""

from __future__ import annotations

import csv
import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from .admission import HOME, TARGET, Admission
from .baselines import BASELINES
from .bound import Weights, bound
from .container import BYTES, Container, Load
from .frames import Frame, Known, Row, edges_seen, known_at, read_frames
from .lattice import Cell, Lattice, Server
from .layers import Layer, Order
from .links import Flow, Sharing
from .network import Network
from .options import Ahead, Options, exact
from .roads import RoadMap, read_network, read_routes
from .servers import Servers
from .stores import Stores
from .strategies import STRATEGIES, Now, Stays, Strategist


@dataclass
class Recomputed:
    """What this implementation says the tables hold; cell_mismatches: rows of frames.csv whose cell is not ours."""

    decisions: list[Row] = field(default_factory=list)
    migrations: list[Row] = field(default_factory=list)
    copies: list[Row] = field(default_factory=list)
    vehicles: dict[tuple[str, str], Row] = field(default_factory=dict)
    bound_of: dict[str, Callable[[Weights], float]] = field(default_factory=dict)  # by vehicle; it takes seconds
    stores: dict[str, Stores] = field(default_factory=dict)
    cell_mismatches: list[Row] = field(default_factory=list)

    def held(self, strategy: str, servers: int) -> Row:
        """What the summary says of what so many servers held, from the first frame to the last, and of what was found there."""
        stores, rows = self.stores[strategy], [row for (name, _), row in self.vehicles.items() if name == strategy]
        needed, found = (math.fsum(row[f"image_{what}_bytes"] for row in rows) for what in ("needed", "found"))
        return {
            "store_mean_bytes": stores.byte_s / stores.seconds / servers,
            "store_peak_bytes": stores.peak,
            "evictions": stores.evictions,
            "image_found_share": found / needed if needed else None,
        }


def name_of(server: Server | None, otherwise: str) -> str:
    """A server's name, or KEEP or NONE."""
    return otherwise if server is None else server.name


@dataclass
class Vehicle:
    """A vehicle under one strategy: its frames, what is known of it at each, its strategist, and its container once it is deployed."""

    id: str
    frames: Sequence[Frame]
    known: Sequence[Known]
    strategist: Strategist
    load: Load
    stays: Stays = field(default_factory=Stays)
    container: Container | None = None
    at: int = 0  # the frame that comes next

    @property
    def order(self) -> Order:
        """Its place among vehicles: "the order of their first frames, and at the same frame by id (as text)" (reading 22)."""
        return self.frames[0].t_s, self.id

    @property
    def attached(self) -> Cell:
        """Its attached cell since its last frame."""
        return self.frames[self.at - 1].attached

    @property
    def on_road(self) -> bool:
        """Whether its container is deployed and it has not arrived."""
        return 0 < self.at < len(self.frames)


class World:
    """One strategy's containers, links and servers: "every variant is a world of its own" (section 8)."""

    def __init__(self, options: Options, network: Network, vehicles: Sequence[Vehicle]) -> None:
        self.options, self.network, self.servers = options, network, Servers(options, network.lattice)
        self.vehicles = sorted(vehicles, key=lambda vehicle: vehicle.order)
        self.by_order = {vehicle.order: vehicle for vehicle in self.vehicles}
        self.stores = Stores(options, self.vehicles[0].order[0])
        self.decisions: list[Row] = []

    def drive(self) -> None:
        """All vehicles, frame by frame (readings 21 and 22)."""
        for t_s in (times := sorted({frame.t_s for vehicle in self.vehicles for frame in vehicle.frames})):
            self.advance(t_s)  # "transfers of all vehicles are brought to the frame first"
            self.stores.expire(t_s)  # "what is no longer kept goes at a frame, before the vehicles' rules"
            for vehicle in self.vehicles:
                if vehicle.at < len(vehicle.frames) and vehicle.frames[vehicle.at].t_s == t_s:
                    self.frame(vehicle, t_s)
            self.set_rates(t_s)
            self.count_together()
        self.stores.end(times[-1])

    @property
    def on_road(self) -> list[tuple[Vehicle, Container]]:
        """The vehicles on the road, with their containers."""
        return [(vehicle, vehicle.container) for vehicle in self.vehicles if vehicle.on_road and vehicle.container is not None]

    def advance(self, t_s: float) -> None:
        """Let time pass up to t, t included: all changes happen at their exact instants, ties in the order of vehicles."""
        on_road = {vehicle.order: (vehicle, container) for vehicle, container in self.on_road}
        due = {order: container.due() for order, (_, container) in on_road.items()}
        while due and (first := min(due, key=lambda order: (due[order], order))) and due[first] <= t_s:
            now, (vehicle, container) = due[first], on_road[first]
            container.book(now, vehicle.attached)
            container.change(now)
            stirred = {**self.stores.stirred, container.order: container}
            self.stores.stirred.clear()
            self.settle(stirred, now)
            for order in stirred:
                on_road[order][1].follow(now)
                due[order] = on_road[order][1].due()
        for vehicle, container in on_road.values():
            container.book(t_s, vehicle.attached)
            self.servers.settle(vehicle.id, container.servers)

    def settle(self, orders: Iterable[Order], t_s: float) -> None:
        """What these vehicles use of what servers hold."""
        containers = [(order, self.by_order[order].container) for order in orders]
        self.stores.settle({order: container.uses for order, container in containers if container is not None}, t_s)

    def has_room(self, load: Load, server: Server) -> bool:
        """Whether a server has room for a container, and its store for what is missing of the image."""
        return self.servers.has_room(server) and self.stores.has_room(server, load.layers)

    def frame(self, vehicle: Vehicle, t_s: float) -> None:
        """A vehicle at one of its frames: "deployment, rules 2 to 4, or the arrival, each with the room that those before it have left"."""
        known, strategist = vehicle.known[vehicle.at], vehicle.strategist
        first, last = vehicle.at == 0, vehicle.at == len(vehicle.frames) - 1
        if first:
            has_room = partial(self.has_room, vehicle.load)
            home = strategist.home_of(known)
            host = self.servers.first_host(home, known.attached, strategist.tiers, has_room)
            vehicle.container = Container(
                self.options, self.network, self.stores, vehicle.load, host, t_s, Admission(has_room), vehicle.order
            )
            self.servers.settle(vehicle.id, [host])
        container = vehicle.container
        assert container is not None
        receiving = None if container.transfer is None else container.transfer.target
        now = Now(t_s, container.host, receiving, float(container.others_ms))
        decision = strategist.decide(known, now)  # "seeing the host as it is then" (reading 1), wherever it was deployed
        if not last:
            vehicle.stays.frame(decision, container.host)
            second = {
                HOME: lambda home: strategist.instead_of_home(home, known),
                TARGET: lambda target: strategist.instead_of_target(target, known),
            }
            # "Rule 2 follows in the same frame" (rule 1), "no refusal is booked" (reading 24): a first frame is no handoff, a full home neither
            container.rules(t_s, None if first else decision.home, decision.target, second)
            container.obey(t_s, decision.prefetch)
            self.servers.settle(vehicle.id, container.servers)
        self.decisions.append(
            {
                "t_s": t_s,
                "vehicle": vehicle.id,
                "home": name_of(decision.home, "KEEP"),
                "target": name_of(decision.target, "NONE"),
                "prefetch": " ".join(server.name for server in decision.prefetch),
                "host": container.host.name,
                "running": int(container.running),
            }
        )
        if last:  # "at a vehicle's last frame a decision is written, but nothing is done with it except rule 5" (reading 1)
            container.arrive(t_s)
            self.servers.settle(vehicle.id, [])
        vehicle.at += 1
        stirred = dict.fromkeys([*self.stores.stirred, *([] if last else [vehicle.order])])
        self.stores.stirred.clear()
        self.settle(stirred, t_s)
        if last:
            self.stores.settle({vehicle.order: set()}, t_s)

    def count_together(self) -> None:
        """What containers on one server add to one another's computing time: "counted at each frame, after the decisions" (reading 45)."""
        containers = [container for _, container in self.on_road]
        running = Counter(container.host for container in containers if container.running)
        for container in containers:
            others = running[container.host] - int(container.running)
            container.others_ms = self.options.tiers[container.host.tier].compute_ms_per_container * others

    def set_rates(self, t_s: float) -> None:
        """The rates of all transfers and copies (section 8): "set at each frame time, after the rules of all vehicles".

        They hold until the next frame. On dedicated links each container's link is its own, and rates change between frames, too.
        """
        if not self.options.shared:
            for _, container in self.on_road:
                container.share_own_link(t_s)
            return
        transfers: dict[Hashable, Flow] = {}
        copies: dict[Hashable, Flow] = {}
        for vehicle, container in self.on_road:
            transfer = container.transfer
            if transfer is not None and transfer.flows(t_s):
                transfers[vehicle.id] = container.way_of_memory()
            if transfer is not None and transfer.own is not None and transfer.own.flows(t_s):
                transfers[vehicle.id] = container.way_of(transfer.own)
            flowing = [copy for copy in container.unfinished if copy.fetch.flows(t_s)]
            copies.update({(vehicle.id, copy.number): container.way_of(copy.fetch) for copy in flowing})
        sharing = Sharing(transfers, copies, self.network.width, self.options.copies_last)
        for vehicle, container in self.on_road:
            container.sharing = sharing
            names = {copy.fetch: (vehicle.id, copy.number) for copy in container.unfinished}
            for fetch in container.fetches:
                way = container.way_of(fetch) if fetch.own else None
                fetch.rated_way = way
                if fetch.flows(t_s):
                    fetch.give_rate(t_s, sharing.rates[names.get(fetch, vehicle.id)])
                elif way is not None:
                    fetch.give_rate(t_s, sharing.one_more(way, copy=fetch in names))
            transfer = container.transfer
            if transfer is None:
                continue
            transfer.rated_way = way = container.way_of_memory()
            if transfer.flows(t_s):
                transfer.give_rate(t_s, sharing.rates[vehicle.id])
            elif transfer.may_flow:
                transfer.give_rate(t_s, sharing.one_more(way, copy=False))


def vehicle_row(vehicle: Vehicle, options: Options) -> Row:
    """A vehicle's row of the table of vehicles (section 9, readings 6 to 8)."""
    frames, container, stays = vehicle.frames, vehicle.container, vehicle.stays
    assert container is not None
    transfers, copies, steps = container.transfers, container.images.rows, list(pairwise(frames))
    bytes_of = [sum(row[kind] for kind in BYTES) for row in transfers]
    outcomes = [row["outcome"] for row in transfers]
    copied = math.fsum(row["image_bytes"] for row in copies)
    copied_in_vain = math.fsum(row["image_bytes"] for row in copies if row["outcome"] != "used")
    network, level_ms, attached = vehicle.strategist.network, vehicle.load.level_ms, frames[-1].attached
    tier = network.tier(vehicle.strategist.tiers, attached, level_ms, math.inf)  # the one chosen for the task, whatever the speed
    return {
        "tier": tier,  # "with links, at the cell attached last"
        "level_met": int(network.meets(tier, attached, level_ms)),
        "handoffs": container.handoffs,
        **{outcome: outcomes.count(outcome) for outcome in ("completed", "mispredicted", "user_left", "unfinished", "refused")},
        "traffic_bytes": math.fsum([*bytes_of, copied]),
        "wasted_bytes": math.fsum(
            [*(sent for sent, outcome in zip(bytes_of, outcomes, strict=True) if outcome != "completed"), copied_in_vain]
        ),
        "copies": sum(row["outcome"] != "refused" for row in copies),
        **{f"copies_{end}": sum(row["outcome"] == end for row in copies) for end in ("used", "unused", "unfinished", "refused")},
        "copy_bytes": copied,
        "copy_wasted_bytes": copied_in_vain,
        "cloud_bytes": math.fsum(row["cloud_bytes"] for row in (*transfers, *copies)),
        "other_bytes": math.fsum(row["other_bytes"] for row in (*transfers, *copies)),
        "deployment_bytes": container.deployed,
        "image_needed_bytes": container.images.needed,
        "image_found_bytes": container.images.found,
        "relayed_byte_hops": container.relayed_byte_hops,
        "outages": len(container.outages),
        "outage_s": math.fsum(container.outages),
        "longest_outage_s": max(container.outages, default=0.0),
        "censored": container.censored,
        "relayed_s": container.relayed_s,
        "late_s": container.late_s,
        "degraded_s": container.degraded_s,
        "satisfied_s": container.satisfied_s,
        "unsatisfied_s": frames[-1].t_s - frames[0].t_s - container.satisfied_s,
        "request_latency_ms": mean_latency(container.running_s),
        "request_latency_95th_ms": latency_95th(container.running_s),
        "ping_pongs": ping_pongs(transfers),
        "outside_s": math.fsum(after.t_s - before.t_s for before, after in steps if before.outside),
        "reports": vehicle.known[-1].reports,
        "report_bytes": vehicle.known[-1].reports * options.report_bytes,
        **stays.counts,
        "road_s": frames[-1].t_s - frames[0].t_s,
        "distance_m": math.fsum(after.speed_mps * (after.t_s - before.t_s) for before, after in steps),
    }


def mean_latency(running_s: Mapping[float, float]) -> float | None:
    """Mean latency over the seconds that a container ran (section 9)."""
    total_s = math.fsum(running_s.values())
    return math.fsum(ms * s for ms, s in running_s.items()) / total_s if total_s > 0 else None


def latency_95th(running_s: Mapping[float, float]) -> float | None:
    """The least latency that was not exceeded in 95 % of these seconds (section 9)."""
    total_s, passed_s = math.fsum(running_s.values()), 0.0
    for latency_ms in sorted(running_s):
        passed_s += running_s[latency_ms]
        if total_s > 0 and passed_s >= 0.95 * total_s * (1 - 1e-12):
            return latency_ms
    return None


def ping_pongs(transfers: Sequence[Row]) -> int:
    """Completed transfers to a server that the container has left no more than 60 s before (section 9)."""
    moves = [(row["t_run_s"], row["source"], row["target"]) for row in transfers if row["outcome"] == "completed"]
    return sum(any(source == target and 0 < t_s - left_s <= 60 for left_s, source, _ in moves) for t_s, _, target in moves)


def placed(vehicle: Vehicle, ended: Sequence[Row]) -> list[Row]:
    """A vehicle's rows of the table of migrations or copies, with where it was at the last frame not after the end."""
    times = [frame.t_s for frame in vehicle.frames]
    rows = []
    for row in ended:
        x_m, y_m = vehicle.frames[bisect_right(times, row["t_end_s"]) - 1].point
        rows.append({"vehicle": vehicle.id, **row, "x_m": x_m, "y_m": y_m})
    return rows


def read_catalogue(path: Path, image_share: float) -> dict[str, list[Layer]]:
    """The images of a catalogue (section 5): a row for each layer."""
    images: dict[str, list[Layer]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            images.setdefault(row["image"], []).append(Layer(row["layer"], float(row["size_mb"]) * 1e6 * image_share))
    return images


def shared_images(config: dict[str, Any], image_share: float) -> dict[str, list[Layer]]:
    """The images that containers have in common (section 5), by the name of the application or of the image.

    `image_share`: what compression leaves of them (section 7).
    """
    catalogue = config["workload"].get("catalogue")
    if catalogue is not None:
        return read_catalogue(Path(catalogue), image_share)
    images: dict[str, list[Layer]] = {}
    for name, application in config.get("applications", {}).items():
        if application.get("layers") is not None:
            images[name] = [Layer(layer, float(size_mb) * 1e6 * image_share) for layer, size_mb in application["layers"].items()]
        elif config.get("images", {}).get("shared"):
            images[name] = [Layer(name, float(application["image_mb"]) * 1e6 * image_share)]
    return images


def read_loads(path: Path, config: dict[str, Any], orders: dict[str, Order], image_share: float) -> dict[tuple[str, str], Load]:
    """The container and the latency level of each strategy and vehicle, from vehicles.csv: what was drawn is written there."""
    shared, applications = shared_images(config, image_share), config.get("applications", {})
    loads: dict[tuple[str, str], Load] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key, name, image = (row["strategy"], row["vehicle"]), row.get("image", ""), float(row["image_bytes"])
            if key in loads:
                raise ValueError(f"{path}: {key} twice (variants are not supported)")
            # "a layer that an image lists twice counts once"
            layers = list(dict.fromkeys(shared.get(name, [Layer("", image, of=orders[row["vehicle"]])])))
            if not math.isclose(image, math.fsum(layer.bytes for layer in layers)):
                raise ValueError(f"{path}: {key} has an image of {image} bytes, not of {layers}")
            percent = applications.get(name, config["workload"])["dirty_percent_per_s"]
            level_ms = exact(float(row["latency_level_ms"]))
            loads[key] = Load(image, float(row["memory_capacity_bytes"]), level_ms, float(percent) / 100, layers)
    return loads


def recompute(run_dir: str | Path, net_file: str | Path, route_file: str | Path | None) -> Recomputed:
    """Recompute decisions, transfers and vehicle totals of a run from its network, its routes and its trace alone."""
    run_dir = Path(run_dir)
    run = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
    options, place = Options.read(run["config"]), run["deployment"]
    center = float(place["center_xy_m"][0]), float(place["center_xy_m"][1])
    lattice = Lattice(
        int(place["rings"]),
        float(place["spacing_m"]),
        place["orientation"],
        center,
        {name: tier.rings for name, tier in options.tiers.items()},
    )
    network = Network(options, lattice)
    roads = RoadMap(read_network(net_file), lattice, options.horizon_m)
    traces, mismatches = read_frames(run_dir / "frames.csv", lattice, options.hysteresis_m)
    orders = {vehicle: (frames[0].t_s, vehicle) for vehicle, frames in traces.items()}
    loads = read_loads(run_dir / "vehicles.csv", run["config"], orders, options.image_share)
    given = read_routes(route_file) if route_file is not None else {}
    routes = {vehicle: given.get(vehicle) or edges_seen(frames) for vehicle, frames in traces.items()}
    known = {vehicle: known_at(frames, routes[vehicle], options) for vehicle, frames in traces.items()}
    result = Recomputed(cell_mismatches=mismatches)
    for strategy in options.strategies:
        vehicles = []
        for name, frames in traces.items():
            load = loads[strategy, name]
            ahead = options.ahead.get(strategy, Ahead())
            if strategy in BASELINES:
                kind, what = BASELINES[strategy]
                strategist: Strategist = kind(what, options, roads, network, routes[name], load).given(
                    run["config"]["strategy"].get(strategy, {})
                )
            else:
                strategist = Strategist(STRATEGIES[strategy], options, roads, network, routes[name], load, ahead)
            vehicles.append(Vehicle(name, frames, known[name], strategist, load))
        world = World(options, network, vehicles)
        world.drive()
        result.decisions += [{"strategy": strategy, **row} for row in world.decisions]
        result.stores[strategy] = world.stores
        for vehicle in vehicles:
            assert vehicle.container is not None
            result.migrations += [{"strategy": strategy, **row} for row in placed(vehicle, vehicle.container.transfers)]
            result.copies += [{"strategy": strategy, **row} for row in placed(vehicle, vehicle.container.images.rows)]
            result.vehicles[strategy, vehicle.id] = vehicle_row(vehicle, options)
    for name, frames in traces.items():
        result.bound_of[name] = partial(bound, frames, loads[options.strategies[0], name], options, network)
    result.decisions.sort(key=lambda row: (row["t_s"], row["strategy"], row["vehicle"]))
    result.migrations.sort(key=lambda row: (row["strategy"], row["vehicle"], row["transfer"]))
    result.copies.sort(key=lambda row: (row["strategy"], row["vehicle"], row["copy"]))
    return result
