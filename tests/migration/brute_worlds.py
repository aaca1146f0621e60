"""Small worlds in which every plan is tried in the engine: what the best of them costs, beside the bound."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from msmf_traci.control.look import Look, Outlook
from msmf_traci.control.stays import Stays
from msmf_traci.deployment.backhaul import NO_BACKHAUL, Paths
from msmf_traci.deployment.server_map import RequestLatency, ServerMap, with_room
from msmf_traci.experiment.plan_file import read_plan
from msmf_traci.migration.bound import Bounds, bound, least_move
from msmf_traci.migration.course import Batch
from msmf_traci.migration.engine import Decider, Engine, no_decisions, room_to_see
from msmf_traci.migration.ledger import BYTE_KINDS, IMAGE_SOURCES, Ledger, Outcome
from msmf_traci.migration.policy import HandoffPolicy, ImageOptions, LinkOptions, Policy, PostCopy, Processing, Replay, Source
from msmf_traci.migration.workload import Containers, private_containers
from msmf_traci.records import new_records
from msmf_traci.sentinels import KEEP, NO_CELL, NO_SERVER
from msmf_traci.weights import Weights
from tests.courses import NOWHERE

AT_ONCE = 40_000  # plans that are tried together
PLANS = ("precopy", "precopy", "precopy", "cold", "postcopy", "hybrid", "replay")


class Row:
    """Cells in a row with a server each; with a region, one more server covers all of them."""

    def __init__(self, n: int, *, has_region: bool) -> None:
        cells, servers = np.arange(n), n + int(has_region)
        regional = np.full(n, n if has_region else NO_SERVER)
        self._map = ServerMap(
            tier=np.array([0] * n + [1] * has_region),
            first=np.array([0, n, servers]),
            server_of=np.stack([cells, regional]),
            name_rank=np.arange(servers),
            cell_x_m=np.arange(float(n)),
            cell_y_m=np.zeros(n),
            neighbours=np.column_stack([cells - 1, np.where(cells < n - 1, cells + 1, NO_CELL)]),
            area_start=np.array([*range(n + 1), *([2 * n] if has_region else [])]),
            area_cell=np.array([*range(n), *(range(n) if has_region else [])]),
            room=np.full(servers, -1),
            store=np.full(servers, -1),
            bandwidth=np.zeros(servers),
            backhaul=NO_BACKHAUL,
            row=np.full(servers, -1),
            hops=np.empty((1, n), dtype=np.int16),
            paths=Paths(np.empty((0, 0), dtype=np.int64), np.empty((0, 0), dtype=np.int32)),
            made=np.array([0, -1]),
        )

    def __len__(self) -> int:
        return len(self._map.row)

    def server_map(self) -> ServerMap:
        self._map = with_room(self._map)
        return self._map


@dataclass(frozen=True)
class World:
    """One vehicle's trip, its container, and the rules."""

    times_s: np.ndarray
    cell: np.ndarray
    servers: Row
    container: Containers
    policy: Policy
    plan: str
    request_bytes_per_s: float
    weights: Weights

    def bound(self, *, with_excursions: bool = True) -> Bounds:
        """The bound of the trip."""
        begins = np.flatnonzero(np.diff(self.cell[:-1], prepend=-1))
        begin_s = self.times_s[begins]
        stays = Stays(np.array([0, len(begins)]), self.cell[begins], begin_s, np.append(begin_s[1:], self.times_s[-1]))
        move = least_move(self.container, self.policy, read_plan(self.plan))
        servers: Any = self.servers
        level, latency = self.container.latency_level_ms, self.policy.latency
        return bound(stays, level, move, servers, latency, self.request_bytes_per_s, self.weights, with_excursions=with_excursions)


def draw_world(rng: np.random.Generator, frames: int, servers: int) -> World:
    """A world whose steps and sizes are such that moves are worth it, and two of them can often be completed."""
    has_region = bool(rng.random() < 0.3)
    n = servers - int(has_region)
    walk = np.cumsum([rng.integers(n), *rng.choice([-1, 1, 1], frames - 1)])
    memory, image = float(rng.choice([1e5, 1e6, 5e6])), float(rng.choice([1e5, 2e6, 2e7]))
    seconds = float(rng.choice([0.0, 0.05, 0.5, 3.0]))  # what a GB costs is such that a move costs as much as so many seconds
    weights = Weights(1.0, seconds / (memory + image) * 1e9, 1.0)
    container = private_containers(
        np.array([image]),
        np.array([memory]),
        np.array([rng.choice([15.0, 55.0])]),
        np.array([rng.choice([0.2, 1.0, 3.0])]),
        np.array([0.01]),
    )
    processing = Processing(restore_s=float(rng.choice([0.0, 0.0, 0.5])), checkpoint_s=float(rng.choice([0.0, 0.0, 0.1])))
    policy = Policy(
        LinkOptions(1e7, 5e5, float(rng.choice([0.0, 0.1])), dirty_cap_share=float(rng.choice([0.1, 1.0]))),
        HandoffPolicy(bool(rng.random() < 0.5), bool(rng.random() < 0.5)),
        RequestLatency((15.0, float(rng.choice([15.0, 55.0]))), 40.0),
        2 if has_region else 1,
        processing,
        ImageOptions(rng.choice([Source.HOST, Source.CLOUD]), float(rng.choice([0.0, np.inf]))),
        PostCopy(1e5, 1e-7, 0.1),
        Replay(0.2, 1.0, 10.0, 5.0),
    )
    return World(
        times_s=np.cumsum(rng.choice([2.0, 5.0, 12.0], frames)),
        cell=np.abs(np.mod(walk + n - 1, max(2 * n - 2, 1)) - (n - 1)) if n > 1 else np.zeros(frames, dtype=np.int64),
        servers=Row(n, has_region=has_region),
        container=container,
        policy=policy,
        plan=str(rng.choice(PLANS)),
        request_bytes_per_s=float(rng.choice([0.0, 0.05, 0.3, 1.5])) * 1e9,  # what a second over one hop costs, times 1e9
        weights=weights,
    )


def all_plans(frames: int, servers: int) -> Iterator[np.ndarray]:
    """Every plan: home, target and a server on which the image is wanted, at each frame but the last; shape (plans, frames - 1, 3).

    At the last decision no image is wanted: it would be sent, and could not be used any more.
    """
    everywhere = range(servers)
    nowhere = [NO_SERVER, *everywhere]
    first = [(home, target, wanted) for home in everywhere for target in nowhere if target != home for wanted in nowhere]
    later = [(KEEP, target, wanted) for target in nowhere for wanted in nowhere]
    later += [(home, NO_SERVER, wanted) for home in everywhere for wanted in nowhere]
    some = []
    last = [decision for decision in later if decision[2] == NO_SERVER]
    for plan in product(first, *[later] * (frames - 3), last):
        some.append(plan)
        if len(some) == AT_ONCE:
            yield np.array(some)
            some = []
    if some:
        yield np.array(some)


def costs_of(world: World, plans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What plans cost in the engine, and how many moves each completes, shape (plans,)."""
    n, ledger = len(plans), Ledger()
    servers: Any = world.servers
    engine = Engine([world.policy], [Decider()], [servers], ledger, plans=[read_plan(world.plan)])
    one = [np.repeat(getattr(world.container, name), n) for name in ("image_bytes", "memory_bytes", "latency_level_ms", "start_s")]
    engine.admit([private_containers(*one, np.repeat(world.container.dirty_share_per_s, n))])
    numbers, seen = np.arange(n), room_to_see(0, 1)
    for frame, t_s in enumerate(world.times_s):
        looks = new_records(Look, n)
        looks["time_s"], looks["cell"], looks["home"] = t_s, world.cell[frame], world.cell[frame]
        looks["first"], looks["last"] = frame == 0, frame == len(world.times_s) - 1
        place = np.zeros(n)
        batch = Batch(np.arange(n + 1), numbers, np.full(n, t_s), place, place, numbers, np.array([0, n]), numbers)
        given = no_decisions(n)
        if frame < plans.shape[1]:
            home, target, wanted = plans[:, frame].T
            given = given._replace(home=home.copy(), target=target.copy())
            given.prefetch[:, 0] = wanted
        moved = engine.begin_frame(0, 0, batch)
        engine.finish_frame(0, 0, batch, Outlook(looks, np.zeros(n, dtype=bool), NOWHERE), given, seen, moved=moved)
    containers, transfers, copies = engine.containers[:, 0], ledger.transfers(), ledger.copies()
    sent = np.bincount(transfers["vehicle"], weights=np.sum([transfers[kind] for kind in BYTE_KINDS], axis=0), minlength=n)
    sent += np.bincount(copies["vehicle"], weights=np.sum([copies[source] for source in IMAGE_SOURCES], axis=0), minlength=n)
    hops_bytes = containers["relayed_hops_s"] * world.request_bytes_per_s
    unsatisfied_s = world.times_s[-1] - world.times_s[0] - containers["satisfied_s"]
    weights = world.weights
    cost = weights.unsatisfied_per_s * unsatisfied_s + (weights.traffic_per_gb * sent + weights.relayed_per_gb_hop * hops_bytes) / 1e9
    moves = np.bincount(transfers["vehicle"][transfers["outcome"] == Outcome.COMPLETED], minlength=n)
    return cost, moves


def drawn_plans(world: World, rng: np.random.Generator, number: int) -> Iterator[np.ndarray]:
    """Plans that are drawn, as in `all_plans`: they mostly keep what they have, and mostly choose servers near the user."""
    frames, servers = len(world.times_s), len(world.servers)
    near = np.clip(world.cell[None, :-1] + rng.integers(-1, 3, (number, frames - 1)), 0, servers - 1)
    home = np.where(rng.random((number, frames - 1)) < 0.2, near, KEEP)
    target, wanted = (np.where(rng.random((number, frames - 1)) < 0.5, near, NO_SERVER) for _ in range(2))
    home[:, 0] = near[:, 0]
    plans = np.stack([home, np.where(home == KEEP, target, NO_SERVER), wanted], axis=2)
    for begin in range(0, number, AT_ONCE):
        yield plans[begin : begin + AT_ONCE]


def best_of(world: World, tried: Iterator[np.ndarray] | None = None) -> tuple[float, int]:
    """What the best of some plans costs, of all if none are given, and the most moves that any plan completes."""
    best, most = np.inf, 0
    for plans in tried or all_plans(len(world.times_s), len(world.servers)):
        cost, moves = costs_of(world, plans)
        best, most = min(best, float(cost.min())), max(most, int(moves.max()))
    return best, most
