"""Scores predictions: at the end of each stay in a home, was the home entered next the one predicted? Model, section 6."""

from __future__ import annotations

import numpy as np

from msmf_traci.arrays import IntArray, extended
from msmf_traci.sentinels import KEEP, NO_SERVER


class Stays:
    """Running stays of every container (vehicle x strategy) and their hits and misses.

    A stay begins where the decided home differs from the decision before it and is not KEEP.
    """

    def __init__(self) -> None:
        self._decided: IntArray = np.zeros(0, dtype=np.int64)
        self._first_target: IntArray = np.zeros(0, dtype=np.int64)
        self._newest_target: IntArray = np.zeros(0, dtype=np.int64)
        self.entry_hits: IntArray = np.zeros(0, dtype=np.int64)
        self.entry_misses: IntArray = np.zeros(0, dtype=np.int64)
        self.handoff_hits: IntArray = np.zeros(0, dtype=np.int64)
        self.handoff_misses: IntArray = np.zeros(0, dtype=np.int64)

    def admit(self, n: int) -> None:
        """Add n containers."""
        for name in ("_decided", "_first_target", "_newest_target"):
            setattr(self, name, extended(getattr(self, name), n, NO_SERVER))
        for name in ("entry_hits", "entry_misses", "handoff_hits", "handoff_misses"):
            setattr(self, name, extended(getattr(self, name), n, 0))

    def observe(self, container: IntArray, home: IntArray, target: IntArray, host: IntArray) -> None:
        """Take in one frame's decisions for containers that drive on, before they are carried out."""
        begins = (home != KEEP) & (home != self._decided[container])
        self._decided[container] = home
        entered = container[begins]
        counted = (self._first_target[entered] != NO_SERVER) & (home[begins] != host[begins])
        scored, reached = entered[counted], home[begins][counted]
        for kind, predicted in (("entry", self._first_target[scored]), ("handoff", self._newest_target[scored])):
            hit = predicted == reached
            getattr(self, f"{kind}_hits")[scored[hit]] += 1
            getattr(self, f"{kind}_misses")[scored[~hit]] += 1
        self._first_target[entered] = NO_SERVER
        given = target != NO_SERVER
        fresh = given & (self._first_target[container] == NO_SERVER)
        self._first_target[container[fresh]] = target[fresh]
        self._newest_target[container[given]] = target[given]
