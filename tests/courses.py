"""Short ways to tell the engine what happens: a row of servers, policies, and one frame at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from msmf_traci.control.look import Look, Outlook, Road
from msmf_traci.deployment.backhaul import NO_BACKHAUL, Paths
from msmf_traci.deployment.server_map import RequestLatency, ServerMap, with_room
from msmf_traci.migration.catalogue import Catalogue
from msmf_traci.migration.course import Batch, Seen
from msmf_traci.migration.engine import Decider, Engine, no_decisions, room_to_see
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.plan import PRECOPY, Plan
from msmf_traci.migration.policy import (
    AS_IN_THE_PAPER,
    NO_POSTCOPY,
    NO_PROCESSING,
    NO_REPLAY,
    HandoffPolicy,
    ImageOptions,
    LinkOptions,
    Policy,
    PostCopy,
    Processing,
    Replay,
)
from msmf_traci.records import new_records
from msmf_traci.results.keys import Names
from msmf_traci.sentinels import NO_CELL, NO_SERVER

SERVERS = ("A", "B", "C", "D")
NOWHERE = Road(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
REGION = len(SERVERS)  # number of the one regional server, R, which serves cells 2 and 3
# server n stands in cell n of a row of cells: 15 ms, and 40 ms more for each hop
ROW_LATENCY = RequestLatency((15.0, 55.0), 40.0)


class RowOfCells:
    """Cells in a row with a server each, and the region."""

    def __init__(self, n: int = len(SERVERS)) -> None:
        cells = np.arange(n)
        self._map = ServerMap(
            tier=np.array([0] * n + [1]),
            first=np.array([0, n, n + 1]),
            server_of=np.stack([cells, np.where(np.isin(cells, (2, 3)), n, NO_SERVER)]),
            name_rank=np.arange(n + 1),
            cell_x_m=np.arange(float(n)),
            cell_y_m=np.zeros(n),
            neighbours=np.column_stack([cells - 1, np.where(cells < n - 1, cells + 1, NO_CELL)]),
            area_start=np.array([*range(n + 1), n + 2]),
            area_cell=np.array([*range(n), 2, 3]),
            room=np.full(n + 1, -1),
            store=np.full(n + 1, -1),
            bandwidth=np.zeros(n + 1),
            backhaul=NO_BACKHAUL,
            row=np.full(n + 1, -1),
            hops=np.empty((1, n), dtype=np.int16),
            paths=Paths(np.empty((0, 0), dtype=np.int64), np.empty((0, 0), dtype=np.int32)),
            made=np.array([0, -1]),
        )

    @property
    def room(self) -> np.ndarray:
        return self._map.room

    def __len__(self) -> int:
        return len(self._map.row)

    def server_map(self) -> ServerMap:
        self._map = with_room(self._map)
        return self._map


def row_of_cells(n: int = len(SERVERS), policies: int = 1) -> list[Any]:
    """The row, for every policy."""
    return [RowOfCells(n)] * policies


def policies(
    links: LinkOptions,
    handoff: HandoffPolicy,
    n: int = 1,
    processing: Processing = NO_PROCESSING,
    images: ImageOptions = AS_IN_THE_PAPER,
    *,
    tiers: int = 1,
    postcopy: PostCopy = NO_POSTCOPY,
    replay: Replay = NO_REPLAY,
) -> list[Policy]:
    """The same rules for n variants."""
    return [Policy(links, handoff, ROW_LATENCY, tiers, processing, images, postcopy, replay)] * n


def told_engine(
    rules: Sequence[Policy], servers: Sequence[Any], ledger: Ledger, catalogue: Catalogue | None = None, plan: Plan = PRECOPY
) -> Engine:
    """An engine whose variants are all told what is decided."""
    n = len(rules)
    return Engine(rules, [Decider()] * n, servers, ledger, None if catalogue is None else [catalogue] * n, [plan] * n)


def tell(
    engine: Engine,
    t_s: float,
    vehicle: Sequence[int] | np.ndarray,
    *,
    home: Any,
    target: Any = NO_SERVER,
    prefetch: Sequence[int] = (),
    cell: Any = 0,
    first: Any = False,
    last: Any = False,
    x_m: Any = 0.0,
) -> Seen:
    """One frame under the only variant, and what a trace sees; numbers hold for all its vehicles, lists for each, `prefetch` for all."""
    n = len(vehicle)
    seen = room_to_see(n, 1)
    if not n:
        return seen

    def each(value: Any, kind: Any) -> np.ndarray:
        return np.array(np.broadcast_to(value, n), dtype=kind)

    looks = new_records(Look, n)
    looks["cell"], looks["home"] = each(cell, np.int64), each(cell, np.int64)
    looks["first"], looks["last"] = each(first, bool), each(last, bool)
    one_each, numbers = np.arange(n), np.asarray(vehicle, dtype=np.int64)
    batch = Batch(
        start=np.arange(n + 1),
        vehicle=numbers,
        time_s=np.full(n, float(t_s)),
        x_m=each(x_m, float),
        y_m=np.zeros(n),
        of_vehicle=numbers,
        frame_start=np.array([0, n]),
        by_frame=one_each,
    )
    moved = engine.begin_frame(0, 0, batch)
    given = no_decisions(n)._replace(home=each(home, np.int64), target=each(target, np.int64))
    given.prefetch[:, : len(prefetch)] = prefetch
    engine.finish_frame(0, 0, batch, Outlook(looks, np.zeros(n, dtype=bool), NOWHERE), given, seen, moved=moved)
    return seen


def names_of(vehicles: Sequence[str], strategies: Sequence[str], image_mb: float | None = None) -> Names:
    """Names in tables; local servers A to D, and the regional server R."""
    servers = np.array([*SERVERS, "R"], dtype=object), np.array([*["local"] * len(SERVERS), "regional"], dtype=object)
    return Names(vehicles, [{"strategy": name, "image_mb": image_mb} for name in strategies], [servers] * len(strategies))
