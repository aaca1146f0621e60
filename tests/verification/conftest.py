"""One container on a bench: a test hands it a home and a target at each frame and compares the tables with paper.

By default S = 100 MB, M = 20 MB and W = 10 MB/s, so that IMAGE lasts 10 s and MEMORY 2 s; 1 MB/s gets dirty, M_d = 5 MB, start time 0.2 s.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from msmf_traci.experiment.plan_file import read_plan
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.policy import (
    AS_IN_THE_PAPER,
    NO_POSTCOPY,
    NO_PROCESSING,
    NO_REPLAY,
    HandoffPolicy,
    ImageOptions,
    LinkOptions,
    PostCopy,
    Processing,
    Replay,
)
from msmf_traci.migration.workload import private_containers
from msmf_traci.results.tables import migrations_table, stages_table
from msmf_traci.sentinels import NO_SERVER
from tests.courses import SERVERS, names_of, policies, row_of_cells, tell, told_engine

MB = 1e6
ONE = np.array([0])


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
        processing: Processing = NO_PROCESSING,
        cap: float = 1.0,
        plan: str = "precopy",
        postcopy: PostCopy = NO_POSTCOPY,
        replay: Replay = NO_REPLAY,
        images: ImageOptions = AS_IN_THE_PAPER,
    ) -> None:
        self.ledger = Ledger(keep_stages=True)
        links = LinkOptions(10 * MB, threshold_mb * MB, switch_s, dirty_cap_share=cap)
        rules = policies(links, HandoffPolicy(relay, finish), processing=processing, images=images, postcopy=postcopy, replay=replay)
        self.engine = told_engine(rules, row_of_cells(), self.ledger, plan=read_plan(plan))
        task = image_mb * MB, memory_mb * MB, level_ms, start_s, dirty_mb_per_s / memory_mb
        self.engine.admit([private_containers(*(np.array([value]) for value in task))])
        self._before_s = np.nan

    def frame(self, t_s: float, home: int, target: int = NO_SERVER, cell: int = 0) -> None:
        """One frame."""
        self._run(t_s, home, target, cell, last=False)

    def arrive(self, t_s: float, cell: int = 0) -> None:
        """The vehicle's last frame."""
        self._run(t_s, NO_SERVER, NO_SERVER, cell, last=True)

    def _run(self, t_s: float, home: int, target: int, cell: int, *, last: bool) -> None:
        is_first = np.isnan(self._before_s)
        seen = tell(self.engine, t_s, [0], home=home, target=target, cell=cell, first=is_first, last=last, x_m=t_s)
        self._before_s, self._host = t_s, int(seen.host[0, 0])

    @property
    def host(self) -> str:
        """Name of the server that it runs or stopped on."""
        return SERVERS[self._host]

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return bool(self.booked("running"))

    @property
    def handoffs(self) -> int:
        """Handoffs so far."""
        return int(self.booked("handoffs"))

    def booked(self, field: str) -> float:
        """A field of its record."""
        return float(self.engine.containers[field][0, 0])

    def held(self) -> list[int]:
        """Containers that A, B, C and D hold."""
        return [int(n) for n in self.engine.scene(0).state.held[:4]]

    def transfers(self) -> list[Any]:
        """Rows of the table of transfers, megabytes beside the bytes."""
        table = migrations_table(self.ledger.transfers(), names_of(["v"], ["s"]))
        for kind in ("image", "memory", "dirty", "final"):
            table[f"{kind}_mb"] = table[f"{kind}_bytes"].astype(float) / MB
        return list(table.itertuples())

    def transfer(self) -> Any:
        """The only transfer."""
        (row,) = self.transfers()
        return row

    def stages(self) -> pd.DataFrame:
        """The table of stages."""
        return stages_table(self.ledger.stages(), names_of(["v"], ["s"]))


@pytest.fixture(scope="session")
def bench() -> type[OneContainer]:
    """The bench: call it with what differs from the default container."""
    return OneContainer
