"""The engine: all containers of one pass, under every variant, taken through batches of frames by compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from msmf_traci.arrays import ByteArray, FloatArray
from msmf_traci.control.look import Outlook
from msmf_traci.deployment.server_map import ServerMap
from msmf_traci.deployment.servers import Servers
from msmf_traci.errors import InputError
from msmf_traci.migration.catalogue import Catalogue, catalogue_of
from msmf_traci.migration.container import Container
from msmf_traci.migration.copies import new_images
from msmf_traci.migration.course import Batch, Seen, begin_frame, finish_frame, run_alone, run_together
from msmf_traci.migration.kernel import Kernel, Now, failures_raised, keep, pointer_to
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.plan import PRECOPY, Plan
from msmf_traci.migration.policy import Policy
from msmf_traci.migration.scene import Free, Scene, State
from msmf_traci.migration.step import Given, Mind
from msmf_traci.migration.store import close_store, held_over_time
from msmf_traci.migration.workload import Containers
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.records import Records, new_records, record_of
from msmf_traci.references import by_reference
from msmf_traci.sentinels import KEEP, MOST_PREFETCHED, NO_SERVER


def no_decisions(samples: int) -> Given:
    """Room for decisions."""
    prefetch = np.full((samples, MOST_PREFETCHED), NO_SERVER, dtype=np.int64)
    return Given(np.full(samples, KEEP, dtype=np.int64), np.full(samples, NO_SERVER, dtype=np.int64), prefetch)


@dataclass(frozen=True)
class Decider:
    """How one variant decides.

    Attributes
    ----------
    name
        Of its strategy.
    kernel
        The strategy, compiled; None: its decisions are given frame by frame.
    options
        Record of the strategy's options, shape ().
    memory
        What the strategy remembers of each vehicle: a class of fields.
    each_frame
        Whether it decides at each frame, and not only where the look is new or the container has changed.
    known
        What the strategy knows of each vehicle beforehand, in the place of `memory`: bytes, shape (vehicles, any).
    """

    name: str = ""
    kernel: Kernel | None = None
    options: Records = field(default_factory=lambda: np.zeros((), dtype=np.dtype([])))
    memory: type = object
    each_frame: bool = True
    known: ByteArray | None = None

    def memories(self, first: int, n: int) -> ByteArray:
        """What it remembers of n vehicles, the first of them numbered so, before their first frame."""
        if self.known is None:
            return _bytes_of(new_records(self.memory, n))
        found = np.zeros((n, self.known.shape[1]), dtype=np.uint8)
        told = self.known[first : first + n]
        found[: len(told)] = told
        return found


class _Scene(NamedTuple):
    """A scene by reference, and the servers and the state that it was made of."""

    server_map: ServerMap
    state: State
    scene: Scene


class _Mind(NamedTuple):
    """A mind by reference, and the decisions that it was made of."""

    given: Given
    mind: Mind


class Engine:
    """Containers, numbered by vehicle and variant.

    Parameters
    ----------
    policies, deciders, servers
        The rules of each variant, how it decides, and its servers.
    ledger
        Where transfers, copies and stages are booked.
    catalogues
        Images that have layers in common, of each variant; none if not given.
    plans
        What a migration does, of each variant; pre-copy if not given.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        deciders: Sequence[Decider],
        servers: Sequence[Servers],
        ledger: Ledger,
        catalogues: Sequence[Catalogue] | None = None,
        plans: Sequence[Plan] | None = None,
    ) -> None:
        self._policies = np.stack([record_of(policy) for policy in policies])
        self._deciders = list(deciders)
        self._servers = list(servers)
        self._books = ledger.books
        self._records = new_records(Container, (0, len(policies)))
        self._memories = [each.memories(0, 0) for each in deciders]
        self._minds: list[_Mind | None] = [None] * len(deciders)
        self._vehicles = 0
        self._undecided = no_decisions(0)
        catalogues = catalogues or [catalogue_of([])] * len(servers)
        self._plans = list(plans or [PRECOPY] * len(servers))
        self._states = [new_state(*each) for each in zip(servers, catalogues, strict=True)]
        self._scenes: list[_Scene | None] = [None] * len(deciders)
        self._meets = [_meets(policy, each) for policy, each in zip(policies, servers, strict=True)]

    @property
    def containers(self) -> Records:
        """Every container's record, shape (vehicles, variants)."""
        return self._records[: self._vehicles]

    def admit(self, tasks: Sequence[Containers]) -> None:
        """Add vehicles, numbered on from those already here; one `Containers` of all of them for each variant."""
        before, more = self._vehicles, len(tasks[0])
        if before + more > len(self._records):
            self._make_room(max(before + more, 2 * len(self._records)))
        self._vehicles += more
        new = self._records[before : self._vehicles]
        new["vehicle"] = np.arange(before, self._vehicles)[:, None]
        new["variant"] = np.arange(len(tasks))
        for name in ("image", "image_bytes", "memory_bytes", "dirty_share_per_s", "start_s", "latency_level_ms"):
            new[name] = np.column_stack([getattr(task, name) for task in tasks])

    def _make_room(self, room: int) -> None:
        before, more = len(self._records), room - len(self._records)
        self._records = np.concatenate([self._records, new_records(Container, (more, len(self._deciders)))])
        for v, decider in enumerate(self._deciders):
            self._memories[v] = np.concatenate([self._memories[v], decider.memories(before, more)])
            self._minds[v] = None
            longer = np.concatenate([self._states[v].open, np.zeros(more, dtype=np.int64)])
            self._states[v] = self._states[v]._replace(open=longer)

    def scene(self, v: int) -> Scene:
        """What the containers of a variant stand in, as it is now."""
        server_map, state, made = self._servers[v].server_map(), self._states[v], self._scenes[v]
        if made is None or made.server_map is not server_map or made.state is not state:
            scene = by_reference(Scene(self._policies[v], self._plans[v], server_map, state, self._books))
            self._scenes[v] = made = _Scene(server_map, state, scene)
        return made.scene

    def run(self, v: int, batch: Batch, outlook: Outlook, seen: Seen) -> None:
        """Take the containers of a variant that has a kernel through a batch.

        Parameters
        ----------
        v
            The variant.
        batch, outlook
            The batch, and what is known at each of its samples.
        seen
            What a trace reads; of no rows where nothing is traced.

        Raises
        ------
        InputError
            If no server has room for a container's first deployment, or the kernel fails.
        """
        go = run_together if self._meets[v] else run_alone
        outlook, mind = by_reference(outlook), self._mind(v, outlook, self._undecided)
        with failures_raised(self._deciders[v].name):
            go(by_reference(batch), outlook, mind, v, self.containers, self.scene(v), by_reference(seen))
        if mind.wrong[0]:
            _, home, target, listed = mind.wrong
            raise InputError(
                f"strategy {self._deciders[v].name}: its kernel must return a home, a server (0 to {len(self._servers[v]) - 1}) or KEEP, "
                "and a target, a server or NO_SERVER, and put servers into prefetch, with NO_SERVER behind them; it returned "
                f"{home}, {target}" + (f", with {listed} in prefetch" if listed != NO_SERVER else "")
            )
        self._check_rooms(v, float(batch.time_s.max(initial=0)))

    def begin_frame(self, v: int, f: int, batch: Batch) -> bool:
        """What happens by itself to the containers of a variant until a frame; `finish_frame` takes what it returns."""
        return begin_frame(f, by_reference(batch), v, self.containers, self.scene(v))

    def finish_frame(self, v: int, f: int, batch: Batch, outlook: Outlook, given: Given, seen: Seen, *, moved: bool) -> None:
        """What a variant whose decisions are given does at a frame.

        Raises
        ------
        InputError
            If no server has room for a container's first deployment.
        """
        batch, outlook, seen, mind = by_reference(batch), by_reference(outlook), by_reference(seen), self._mind(v, outlook, given)
        finish_frame(f, moved, batch, outlook, mind, v, self.containers, self.scene(v), seen)
        self._check_rooms(v, float(batch.time_s[batch.by_frame[batch.frame_start[f]]]))

    def forget_expired(self, time_s: float) -> None:
        """Take out of memory which images servers have kept for as long as they should, at the end of a batch."""
        for policy, state in zip(self._policies, self._states, strict=True):
            close_store(state.images.store, time_s, policy["images"]["retain_s"])

    def held(self, v: int, begin_s: float, end_s: float) -> tuple[float, float]:
        """Bytes of images that a server of a variant held in the mean from one instant to the last one, and the most that one held."""
        store = self._states[v].images.store
        close_store(store, end_s, self._policies[v]["images"]["retain_s"])
        return held_over_time(store, begin_s, end_s)

    def evicted(self, v: int) -> int:
        """Layers that servers of a variant gave up to make room."""
        return int(self._states[v].images.store.n[2])

    def _mind(self, v: int, outlook: Outlook, given: Given) -> Mind:
        if (made := self._minds[v]) is None or made.given is not given:
            decider, memory = self._deciders[v], self._memories[v]
            options = _bytes_of(decider.options[None])[0]
            server_map, road = self.scene(v).server_map, by_reference(outlook).road
            missing, prefetch = np.zeros(MOST_PREFETCHED + 1), np.full(MOST_PREFETCHED + 1, NO_SERVER, dtype=np.int64)
            looks, container, policy = outlook.looks, self._records[0, 0], self._policies[0]
            example = Now(looks[0], road, server_map, self.scene(v).state.free, container, policy, options, memory[0], prefetch, missing)
            kernel = pointer_to(decider.kernel or keep, example, decider.name)
            wrong = np.zeros(4, dtype=np.int64)
            mind = by_reference(Mind(kernel, options, memory, decider.each_frame, wrong, prefetch, missing, given))
            self._minds[v] = made = _Mind(given, mind)
        return made.mind

    def _check_rooms(self, v: int, time_s: float) -> None:
        if self._states[v].n[1]:
            raise InputError(
                "no server that the strategy may use had room for the container of a vehicle that had departed by "
                f"{time_s:g} s; raise tiers.NAME.capacity or tiers.NAME.store_gb, or drive fewer vehicles"
            )


def batch_of(tracks: Tracks) -> Batch:
    """A batch as the engine takes it."""
    by_frame = np.argsort(tracks.frame, kind="stable")
    frame_start = np.append(np.flatnonzero(np.diff(tracks.frame[by_frame], prepend=-1)), len(by_frame))
    of_vehicle = tracks.vehicle[tracks.track]
    batch = Batch(tracks.start, tracks.vehicle, tracks.time_s, tracks.x_m, tracks.y_m, of_vehicle, frame_start, by_frame)
    return by_reference(batch)


def room_to_see(samples: int, variants: int) -> Seen:
    """Room for what a trace reads of so many samples; none where nothing is traced."""
    home, target, host = (np.zeros((samples, variants), dtype=np.int64) for _ in range(3))
    prefetch = np.zeros((samples, variants, MOST_PREFETCHED), dtype=np.int32)
    return by_reference(Seen(home, target, host, np.zeros((samples, variants), dtype=bool), prefetch))


def _meets(policy: Policy, servers: Servers) -> bool:
    """Whether containers of a variant meet, and have to go through a batch together."""
    server_map, images = servers.server_map(), policy.images
    rooms = (
        any(policy.links.room_by_tier) or any(images.store_by_tier) or bool((server_map.room >= 0).any() or (server_map.store >= 0).any())
    )
    return policy.links.is_shared or rooms or images.are_shared or any(policy.latency.per_container_ms)


def new_state(servers: Servers, catalogue: Catalogue) -> State:
    """What containers share before there are any."""
    links = 2 * len(servers) + len(servers.server_map().backhaul.to) + 1
    none, held, running = (np.zeros(n, dtype=np.int64) for n in (0, len(servers), len(servers)))
    shared_s: FloatArray = np.full(1, -np.inf)
    counts, link, used, level = np.zeros(2, dtype=np.int64), np.full(links, -1), np.zeros(links), np.full((2, links), -1.0)
    free = Free(np.full(len(servers), np.inf), np.full(len(servers), np.inf))
    return State(none, counts, held, running, link, used, level, shared_s, free, new_images(len(servers), catalogue))


def _bytes_of(records: Records) -> ByteArray:
    """The bytes of some records, shape (n, bytes of one)."""
    if not records.dtype.itemsize:
        return np.zeros((len(records), 0), dtype=np.uint8)
    return records.view(np.uint8).reshape(len(records), records.dtype.itemsize)
