"""One container on a bench: a test hands it a home and a target at each frame and compares the tables with paper.

By default S = 100 MB, M = 20 MB and W = 10 MB/s, so that IMAGE lasts 10 s and MEMORY 2 s; 1 MB/s gets dirty, M_d = 5 MB, start time 0.2 s.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.precopy import HandoffPolicy, Precopy
from msmf_traci.migration.transfers import LinkOptions
from msmf_traci.migration.workload import Containers
from msmf_traci.results.tables import Names, migrations_table, stages_table
from msmf_traci.sentinels import NO_SERVER

MB = 1e6
SERVERS = ("A", "B", "C", "D")
VEHICLE = np.array([0])
MS_PER_HOP = 40.0


def latency_of(server: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Server n stands in cell n of a row of cells: 15 ms, and 40 ms more for each hop."""
    hops = np.abs(server - cell)
    return 15.0 + MS_PER_HOP * hops, hops


class OneContainer:
    """One vehicle under one strategy; its first frame deploys it. The vehicle drives 1 m/s eastwards, so that x_m is the time."""

    def __init__(
        self,
        *,
        image_mb: float = 100,
        memory_mb: float = 20,
        dirty_mb_per_s: float = 1,
        threshold_mb: float = 5,
        start_s: float = 0.2,
        switch_s: float = 0.0,
        level_ms: float = 80,
        relay: bool = False,
        finish: bool = False,
    ) -> None:
        self.ledger = Ledger(keep_stages=True)
        links = LinkOptions(10 * MB, dirty_mb_per_s / memory_mb, threshold_mb * MB, switch_s)
        self.engine = Precopy(1, links, HandoffPolicy(relay, finish), latency_of, self.ledger)
        self.engine.admit(Containers(np.array([image_mb * MB]), np.array([memory_mb * MB]), np.array([level_ms]), np.array([start_s])))
        self._is_deployed = False

    def frame(self, t_s: float, home: int, target: int = NO_SERVER, cell: int = 0) -> None:
        """One frame, in the order in which a run takes it."""
        self._reach(t_s, home, cell)
        self.engine.apply(t_s, VEHICLE, np.array([[home]]), np.array([[target]]))

    def arrive(self, t_s: float, cell: int = 0) -> None:
        """The vehicle's last frame."""
        self._reach(t_s, NO_SERVER, cell)
        self.engine.arrive(t_s, VEHICLE)

    def _reach(self, t_s: float, home: int, cell: int) -> None:
        self.engine.advance(t_s, VEHICLE, np.array([t_s]), np.array([0.0]))
        if not self._is_deployed:
            self.engine.deploy(t_s, VEHICLE, np.array([[home]]))
            self._is_deployed = True
        self.engine.attach(t_s, VEHICLE, np.array([cell]))

    @property
    def host(self) -> str:
        """Name of the server that it runs or stopped on."""
        return SERVERS[self.engine.host[0]]

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return bool(self.engine.service.running[0])

    @property
    def handoffs(self) -> int:
        """Handoffs so far."""
        return int(self.engine.handoffs[0])

    def booked(self, clock: str) -> float:
        """A clock or a count of its service."""
        return float(getattr(self.engine.service, clock)[0])

    def transfers(self) -> list[Any]:
        """Rows of the table of transfers, megabytes beside the bytes."""
        table = migrations_table(self.ledger, self._names())
        for kind in ("image", "memory", "dirty", "final"):
            table[f"{kind}_mb"] = table[f"{kind}_bytes"].astype(float) / MB
        return list(table.itertuples())

    def transfer(self) -> Any:
        """The only transfer."""
        (row,) = self.transfers()
        return row

    def stages(self) -> pd.DataFrame:
        """The table of stages."""
        return stages_table(self.ledger, self._names())

    @staticmethod
    def _names() -> Names:
        return Names(["s"], ["v"], np.array(SERVERS, dtype=object), np.array(["local"] * len(SERVERS), dtype=object), None)


@pytest.fixture(scope="session")
def bench() -> type[OneContainer]:
    """The bench: call it with what differs from the default container."""
    return OneContainer
