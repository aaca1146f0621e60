"""The engine: all containers of one pass, under every variant, taken through batches of frames by compiled loops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.deployment.servers import Servers
from msmf_traci.errors import InputError
from msmf_traci.migration.container import UNLIMITED, Records, new_containers
from msmf_traci.migration.course import Course, Seen
from msmf_traci.migration.dedicated import hosts_by, run_dedicated
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.shared import Batch, Floor, run_shared
from msmf_traci.migration.workload import Containers


class Engine:
    """Containers, numbered by vehicle and variant.

    Parameters
    ----------
    policies
        One record a variant (`container.policy`), shape (variants,).
    servers
        The servers of each variant.
    ledger
        Where transfers and stages are booked.
    """

    def __init__(self, policies: Records, servers: Sequence[Servers], ledger: Ledger) -> None:
        self._policies = policies
        self._servers = list(servers)
        self._books = (ledger.transfer_book, ledger.stage_book, ledger.keep_stages)
        self._records = new_containers(0, len(policies))
        self._vehicles = 0
        self._meets = policies["shared"] | (policies["room"] < UNLIMITED).any(axis=1) | (policies["per_container_ms"] > 0).any(axis=1)
        self._meets |= np.array([bool((each.room >= 0).any()) for each in servers])
        empty: IntArray = np.zeros(0, dtype=np.int64)
        self._floors = {
            int(v): Floor(
                open=empty,
                again=empty,
                n=np.zeros(3, dtype=np.int64),
                held=np.zeros(len(servers[int(v)]), dtype=np.int64),
                running=np.zeros(len(servers[int(v)]), dtype=np.int64),
                link=np.full(2 * len(servers[int(v)]) + len(servers[int(v)].server_map().backhaul.to), -1, dtype=np.int64),
                shared_s=np.full(1, -np.inf),
            )
            for v in np.flatnonzero(self._meets)
        }

    @property
    def containers(self) -> Records:
        """Every container's record, shape (vehicles, variants)."""
        return self._records[: self._vehicles]

    def admit(self, tasks: Sequence[Containers]) -> None:
        """Add vehicles, numbered on from those already here; one `Containers` of all of them for each variant."""
        before, more = self._vehicles, len(tasks[0])
        if before + more > len(self._records):
            room = max(before + more, 2 * len(self._records))
            self._records = np.concatenate([self.containers, new_containers(room - before, len(self._policies))])
            for v, floor in self._floors.items():
                self._floors[v] = floor._replace(open=_longer(floor.open, room), again=_longer(floor.again, room))
        self._vehicles += more
        new = self._records[before : self._vehicles]
        for v, task in enumerate(tasks):
            new["image"][:, v] = task.image_bytes
            new["memory"][:, v] = task.memory_bytes
            new["start_up"][:, v] = task.start_s
            new["level_ms"][:, v] = task.latency_level_ms

    def hosts(self, vehicle: IntArray, variant: int, t_s: float) -> IntArray:
        """Where containers of some vehicles will be at an instant, if nothing is decided until then; nothing is changed.

        A server, or NO_SERVER for one that is not yet deployed, shape (n,).
        """
        aside = Ledger()
        books = (aside.transfer_book, aside.stage_book, False)
        return hosts_by(t_s, self.containers, vehicle, variant, self._policies[variant], self._servers[variant].server_map(), books)

    def run(self, course: Course, variants: IntArray, *, trace: bool = False) -> Seen:
        """Take the containers of a batch's vehicles under some variants through the batch.

        Parameters
        ----------
        course
            The batch, with the decisions that hold for all these variants; with `trace`, every sample must be among its changes.
        variants
            Which variants.
        trace
            Whether to return what is seen after each sample.

        Raises
        ------
        InputError
            If no server has room for a container's first deployment.
        """
        shape = len(course.time_s) if trace else 0, len(self._policies)
        seen = Seen(np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool))
        apart = variants[~self._meets[variants]]
        for servers in dict.fromkeys(self._servers[v] for v in apart):
            theirs = apart[[self._servers[v] is servers for v in apart]]
            run_dedicated(course, self.containers, theirs, self._policies, servers.server_map(), self._books, seen)
        together = variants[self._meets[variants]]
        if len(together):
            batch = _by_frame(course)
            for v in together:
                floor = self._floors[int(v)]
                server_map = self._servers[v].server_map()
                run_shared(course, batch, self.containers[:, v], v, self._policies[v], server_map, floor, self._books, seen)
                if floor.n[2]:
                    raise InputError(
                        "no server that the strategy may use had room for the container of a vehicle that had departed by "
                        f"{batch.times_s[-1]:g} s; raise the capacity of a tier (tiers.NAME.capacity), or drive fewer vehicles"
                    )
        return seen


def _longer(values: IntArray, room: int) -> IntArray:
    return np.concatenate([values, np.zeros(room - len(values), dtype=np.int64)])


def _by_frame(course: Course) -> Batch:
    """The samples and the changes of a course in the order of frames, within a frame in that of vehicles."""
    frames = int(course.frame.max()) + 1 if len(course.frame) else 0
    times_s = np.zeros(frames)
    times_s[course.frame] = course.time_s
    all_sample = np.argsort(course.frame, kind="stable")
    all_start = np.searchsorted(course.frame[all_sample], np.arange(frames + 1))
    order = np.argsort(course.frame[course.change], kind="stable")
    change = course.change[order]
    start = np.searchsorted(course.frame[change], np.arange(frames + 1))
    return Batch(times_s, start, change, all_start, all_sample)
