"""The service that users get: outages, and how long requests are relayed, late or satisfied. Model, sections 2 and 9."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from msmf_traci.arrays import BoolArray, FloatArray, IntArray, extended

# (server, attached cell) -> (latency in ms, hops), elementwise
Latency = Callable[[IntArray, IntArray], tuple[FloatArray, IntArray]]


class Service:
    """Clocks of every container; nothing is done for a container between two changes of its host, cell or state.

    Parameters
    ----------
    latency
        Latency and hops of requests from a cell to a server.
    """

    def __init__(self, latency: Latency) -> None:
        self._latency = latency
        self.running: BoolArray = np.zeros(0, dtype=bool)
        self.relayed: BoolArray = np.zeros(0, dtype=bool)
        self.late: BoolArray = np.zeros(0, dtype=bool)
        self.level_ms = np.zeros(0)
        self.since_s = np.zeros(0)
        self.outage_begin_s = np.zeros(0)
        self.relayed_s = np.zeros(0)
        self.late_s = np.zeros(0)
        self.satisfied_s = np.zeros(0)
        self.outages: IntArray = np.zeros(0, dtype=np.int64)
        self.outage_s = np.zeros(0)
        self.longest_outage_s = np.zeros(0)
        self.censored: BoolArray = np.zeros(0, dtype=bool)

    def admit(self, level_ms: FloatArray) -> None:
        """Add containers with tasks of these latency levels."""
        n = len(level_ms)
        self.level_ms = np.concatenate([self.level_ms, level_ms])
        for name in ("running", "relayed", "late", "censored"):
            setattr(self, name, extended(getattr(self, name), n, False))
        for name in ("since_s", "relayed_s", "late_s", "satisfied_s", "outage_s", "longest_outage_s"):
            setattr(self, name, extended(getattr(self, name), n, 0.0))
        self.outage_begin_s = extended(self.outage_begin_s, n, np.nan)
        self.outages = extended(self.outages, n, 0)

    def deploy(self, i: IntArray, t_s: float) -> None:
        """Containers i begin to run."""
        self.running[i] = True
        self.since_s[i] = t_s

    def see(self, i: IntArray, t_s: FloatArray | float, host: IntArray, cell: IntArray) -> None:
        """From now on, users of containers i are attached to `cell` and served by `host`."""
        self._settle(i, t_s)
        latency_ms, hops = self._latency(host, cell)
        self.relayed[i] = hops > 0
        self.late[i] = latency_ms > self.level_ms[i]

    def stop(self, i: IntArray, t_s: FloatArray | float) -> None:
        """Running containers i stop: an outage begins."""
        self._settle(i, t_s)
        self.running[i] = False
        self.outage_begin_s[i] = t_s
        self.outages[i] += 1

    def resume(self, i: IntArray, t_s: FloatArray | float) -> None:
        """Stopped containers i run again: the outage ends."""
        self._settle(i, t_s)
        self._end_outage(i, t_s)
        self.running[i] = True

    def close(self, i: IntArray, t_s: float) -> None:
        """Users of containers i leave the road: clocks stop, an outage in progress is censored."""
        self._settle(i, t_s)
        stopped = i[~self.running[i]]
        self.censored[stopped] = True
        self._end_outage(stopped, t_s)

    def _end_outage(self, i: IntArray, t_s: FloatArray | float) -> None:
        lasted_s = t_s - self.outage_begin_s[i]
        self.outage_s[i] += lasted_s
        self.longest_outage_s[i] = np.maximum(self.longest_outage_s[i], lasted_s)
        self.outage_begin_s[i] = np.nan

    def _settle(self, i: IntArray, t_s: FloatArray | float) -> None:
        passed_s = np.where(self.running[i], t_s - self.since_s[i], 0.0)
        self.relayed_s[i] += np.where(self.relayed[i], passed_s, 0.0)
        self.late_s[i] += np.where(self.late[i], passed_s, 0.0)
        self.satisfied_s[i] += np.where(self.late[i], 0.0, passed_s)
        self.since_s[i] = t_s
