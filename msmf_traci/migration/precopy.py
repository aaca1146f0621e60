"""The migration state machine: what every container does, given its home and target at each frame.

A container is one vehicle's under one strategy; container number = vehicle x strategies + strategy. All advance in continuous time
between frames, and only those that change cost anything. Model, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended
from msmf_traci.migration.ledger import Ledger, Outcome, Stage
from msmf_traci.migration.service import Latency, Service
from msmf_traci.migration.transfers import LinkOptions, Transfers
from msmf_traci.migration.workload import Containers
from msmf_traci.sentinels import KEEP, NO_SERVER


@dataclass(frozen=True)
class HandoffPolicy:
    """What happens to containers that are not synchronised at the handoff, and to users who leave meanwhile."""

    relay_unsynced: bool
    finish_user_left: bool


class Precopy:
    """All containers of one pass.

    Parameters
    ----------
    strategies
        How many strategies run side by side.
    links, policy
        Bandwidth and dirty memory; handoff policy.
    latency
        Latency and hops of requests from a cell to a server.
    ledger
        Where transfers are booked.
    """

    def __init__(self, strategies: int, links: LinkOptions, policy: HandoffPolicy, latency: Latency, ledger: Ledger) -> None:
        self.strategies = strategies
        self._policy = policy
        self._ledger = ledger
        self.transfers = Transfers(links, ledger)
        self.service = Service(latency)
        self.host: IntArray = np.zeros(0, dtype=np.int64)
        self.pending: BoolArray = np.zeros(0, dtype=bool)
        self.handoffs: IntArray = np.zeros(0, dtype=np.int64)
        self._cell: IntArray = np.zeros(0, dtype=np.int64)
        self._x_m = np.zeros(0)
        self._y_m = np.zeros(0)

    def admit(self, containers: Containers) -> None:
        """Add vehicles, numbered on from those already here, with one container a strategy."""
        n, every = len(containers), self.strategies
        self.transfers.admit(
            np.repeat(containers.image_bytes, every), np.repeat(containers.memory_bytes, every), np.repeat(containers.start_s, every)
        )
        self.service.admit(np.repeat(containers.latency_level_ms, every))
        self.host = extended(self.host, n * every, NO_SERVER)
        self.pending = extended(self.pending, n * every, False)
        self.handoffs = extended(self.handoffs, n * every, 0)
        self._cell = extended(self._cell, n, NO_SERVER)
        self._x_m = extended(self._x_m, n, np.nan)
        self._y_m = extended(self._y_m, n, np.nan)

    def containers_of(self, vehicle: IntArray) -> IntArray:
        """Container numbers of vehicles, shape (vehicles, strategies)."""
        return np.asarray(vehicle[:, None] * self.strategies + np.arange(self.strategies), dtype=np.int64)

    def advance(self, t_s: float, vehicle: IntArray, x_m: FloatArray, y_m: FloatArray) -> None:
        """Bring every transfer to instant t_s; `vehicle`, `x_m`, `y_m` say who is where then."""
        now = (np.full(len(self._x_m), np.nan), np.full(len(self._y_m), np.nan))
        now[0][vehicle], now[1][vehicle] = x_m, y_m
        due = np.flatnonzero(self.transfers.next_s <= t_s)
        while len(due):
            at_s = self.transfers.next_s[due]
            synchronised, restored = self.transfers.finish_stage(due)
            waiting = synchronised[self.pending[synchronised]]
            if len(waiting):
                self._stop(waiting, self.transfers.begin_s[waiting])
            if len(restored):
                self._complete(restored, at_s[np.isin(due, restored)], t_s, now)
            due = due[self.transfers.next_s[due] <= t_s]
        self._x_m[vehicle], self._y_m[vehicle] = x_m, y_m

    def deploy(self, t_s: float, vehicle: IntArray, home: IntArray) -> None:
        """Rule 1: the containers of vehicles at their first frame run on their homes, shape (vehicles, strategies)."""
        i = self.containers_of(vehicle).ravel()
        self.host[i] = home.ravel()
        self.service.deploy(i, t_s)

    def attach(self, t_s: float, vehicle: IntArray, cell: IntArray) -> None:
        """The vehicles are attached to these cells from now on; only a change costs anything."""
        changed = self._cell[vehicle] != cell
        vehicle, cell = vehicle[changed], cell[changed]
        if len(vehicle):
            self._cell[vehicle] = cell
            i = self.containers_of(vehicle).ravel()
            self.service.see(i, t_s, self.host[i], np.repeat(cell, self.strategies))

    def apply(self, t_s: float, vehicle: IntArray, home: IntArray, target: IntArray) -> None:
        """Rules 2 to 4 for vehicles that drive on.

        Parameters
        ----------
        t_s
            The frame's time, to which `advance` has brought every transfer.
        vehicle
            Vehicles, shape (n,).
        home, target
            Server, or KEEP (home) and NO_SERVER (target), shape (n, strategies).
        """
        i, home, target = self.containers_of(vehicle).ravel(), home.ravel(), target.ravel()
        running = self.service.running[i]
        stays = (home == KEEP) | (home == self.host[i])
        self._copy_ahead(t_s, *_only(running & stays, i, target))
        self._hand_off(t_s, *_only(running & ~stays, i, home))
        leaves = ~running & (home != KEEP) & (home != self.transfers.target[i]) & (self.transfers.stage[i] != Stage.RESTORE)
        if not self._policy.finish_user_left:
            self._follow_user(t_s, *_only(leaves, i, home))

    def arrive(self, t_s: float, vehicle: IntArray) -> None:
        """Rule 5: vehicles at their last frame; open transfers are booked, outages in progress censored."""
        i = self.containers_of(vehicle).ravel()
        self._end(i[self.transfers.target[i] != NO_SERVER], t_s, Outcome.UNFINISHED)
        self.service.close(i, t_s)

    def _copy_ahead(self, t_s: float, i: IntArray, target: IntArray) -> None:
        """Rule 2: the container is where it should be; pre-copy to the target, if there is one."""
        self.pending[i] = False
        i, target = _only((target != NO_SERVER) & (target != self.host[i]), i, target)
        self._give_up_others(t_s, i, target)
        i, target = _only(self.transfers.target[i] == NO_SERVER, i, target)
        if len(i):
            self.transfers.start(i, t_s, target)

    def _hand_off(self, t_s: float, i: IntArray, home: IntArray) -> None:
        """Rule 3: the container has to go to another server."""
        if not len(i):
            return
        self._give_up_others(t_s, i, home)
        fresh, fresh_home = _only(self.transfers.target[i] == NO_SERVER, i, home)
        if len(fresh):
            self.transfers.start(fresh, t_s, fresh_home)
        signalled = i[np.isnan(self.transfers.handoff_s[i])]
        self.transfers.handoff_s[signalled] = t_s
        self.handoffs[signalled] += 1
        if self._policy.relay_unsynced:
            self.pending[i] = True
            i = i[self.transfers.is_synchronised(i)]
        if len(i):
            self._stop(i, t_s)

    def _follow_user(self, t_s: float, i: IntArray, home: IntArray) -> None:
        """Rule 4: the user has left while the container is stopped; resume on the host, or send everything to the new home."""
        if not len(i):
            return
        self._end(i, t_s, Outcome.USER_LEFT)
        self.handoffs[i] += 1
        back = home == self.host[i]
        self.service.resume(i[back], t_s)
        if not back.all():
            self.transfers.start_stopped(i[~back], t_s, home[~back])

    def _give_up_others(self, t_s: float, i: IntArray, wanted: IntArray) -> None:
        """Abandon transfers that go elsewhere than wanted."""
        other = i[(self.transfers.target[i] != NO_SERVER) & (self.transfers.target[i] != wanted)]
        if len(other):
            self._end(other, t_s, self.transfers.abandoned_outcome(other))

    def _stop(self, i: IntArray, t_s: FloatArray | float) -> None:
        self.pending[i] = False
        self.transfers.finalise(i, t_s)
        self.service.stop(i, t_s)

    def _complete(self, i: IntArray, at_s: FloatArray, frame_s: float, now: tuple[FloatArray, FloatArray]) -> None:
        """The containers run on their targets."""
        target = self.transfers.target[i]
        self._end(i, at_s, Outcome.COMPLETED, seen_now=at_s >= frame_s, now=now)
        self.host[i] = target
        self.service.resume(i, at_s)
        self.service.see(i, at_s, target, self._cell[i // self.strategies])

    def _end(
        self,
        i: IntArray,
        t_s: FloatArray | float,
        outcome: Outcome | IntArray,
        seen_now: BoolArray | None = None,
        now: tuple[FloatArray, FloatArray] | None = None,
    ) -> None:
        """Book transfers i as ended."""
        if not len(i):
            return
        vehicle = i // self.strategies
        x_m, y_m = self._x_m[vehicle], self._y_m[vehicle]
        if seen_now is not None and now is not None:
            x_m, y_m = np.where(seen_now, now[0][vehicle], x_m), np.where(seen_now, now[1][vehicle], y_m)
        source = self.host[i].copy()
        self._ledger.book_transfers(
            container=i,
            source=source,
            **self.transfers.close(i, t_s),
            outcome=np.broadcast_to(outcome, len(i)).astype(np.int64),
            x_m=x_m,
            y_m=y_m,
        )


def _only(mask: BoolArray, *columns: IntArray) -> tuple[IntArray, ...]:
    return tuple(column[mask] for column in columns)
