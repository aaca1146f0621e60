"""What the model expects of one migration: the harness's own engine, given sizes, rates, delays and the rule for the handoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from msmf_traci.control.look import Look, Outlook, Road
from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.server_map import RequestLatency
from msmf_traci.deployment.servers import Servers
from msmf_traci.migration.course import Batch
from msmf_traci.migration.engine import Decider, Engine, no_decisions, room_to_see
from msmf_traci.migration.ledger import BYTE_KINDS, Ledger, Outcome, Stage
from msmf_traci.migration.policy import HandoffPolicy, LinkOptions, Policy, Processing
from msmf_traci.migration.workload import private_containers, start_time_s
from msmf_traci.records import new_records
from msmf_traci.sentinels import NO_SERVER

_NEVER_S = 1e7  # by then everything is over


@dataclass(frozen=True)
class Migration:
    """One migration as it was set up; nothing of it is measured.

    Attributes
    ----------
    image_bytes, memory_bytes
        What moves.
    dirty_share_per_s
        Share of the memory that changes in a second.
    threshold_bytes
        Changed memory that starts a round.
    bandwidth_bytes_per_s, round_trip_s
        Of the way from source to target.
    relay_unsynced
        Whether the container runs on until the target has a snapshot.
    after_s, lead_s
        The user hands off this long after the target has a snapshot; if `lead_s` is given, this long after the start.
    """

    image_bytes: float
    memory_bytes: float
    dirty_share_per_s: float
    threshold_bytes: float
    bandwidth_bytes_per_s: float
    round_trip_s: float
    relay_unsynced: bool
    after_s: float
    lead_s: float | None


@dataclass(frozen=True)
class Costs:
    """What a model says that a migration costs beside its bytes; without any it is the paper's equation (1).

    Attributes
    ----------
    processing
        Seconds, but for what depends on the round-trip time.
    round_trips
        That each sending waits for.
    efficiency
        Share of the bandwidth that carries content.
    start_s
        Seconds of a container's start at 100 and at 2000 MB of image.
    """

    processing: Processing
    round_trips: float
    efficiency: float
    start_s: tuple[float, float]


@dataclass(frozen=True)
class Expected:
    """What is expected: seconds from the start of the transfer to running on the target, and from stop to running; bytes by kind."""

    total_s: float
    downtime_s: float
    sent_bytes: Mapping[str, float]


def expect(migration: Migration, costs: Costs) -> Expected:
    """Ask the engine about one migration.

    Raises
    ------
    ValueError
        If it would never complete.
    """
    # when the target has a snapshot is known after a first pass without a handoff
    handoff_s = migration.lead_s if migration.lead_s is not None else _synchronised_s(migration, costs) + migration.after_s
    transfers = _run(migration, costs, handoff_s).transfers()
    completed = np.flatnonzero(transfers["outcome"] == Outcome.COMPLETED)
    if len(completed) != 1:
        raise ValueError(f"the model does not complete {migration}")
    (one,) = completed
    end_s = float(transfers["t_end_s"][one])
    sent_bytes = {kind: float(transfers[kind][one]) for kind in BYTE_KINDS}
    return Expected(end_s - float(transfers["t_start_s"][one]), end_s - float(transfers["t_stop_s"][one]), sent_bytes)


def _synchronised_s(migration: Migration, costs: Costs) -> float:
    # memory that does not change, since rounds would go on for ever; when the first snapshot has arrived does not depend on it
    stages = _run(replace(migration, dirty_share_per_s=0.0), costs, None).stages()
    return float(stages["t_end_s"][stages["stage"] == Stage.MEMORY][0])


def _run(migration: Migration, costs: Costs, handoff_s: float | None) -> Ledger:
    """A user between two servers: copy ahead from 0 on, hand off at an instant or never, drive for ever."""
    times = np.array([0.0, *([] if handoff_s is None else [max(handoff_s, 1e-9)]), _NEVER_S])
    n = len(times)
    frame = np.arange(n)
    home, target = np.where((frame > 0) & (handoff_s is not None), 1, 0), np.where(frame == 0, 1, NO_SERVER)
    given = no_decisions(n)._replace(home=home, target=target)
    ledger = Ledger(keep_stages=True)
    engine = Engine([_rules(migration, costs)], [Decider()], [_neighbours()], ledger)
    sizes = migration.image_bytes, migration.memory_bytes, 1e9, migration.dirty_share_per_s
    image, memory, level, dirty = (np.array([value]) for value in sizes)
    engine.admit([private_containers(image, memory, level, start_time_s(image, costs.start_s), dirty)])
    looks = new_records(Look, n)
    looks["first"], looks["last"] = frame == 0, frame == n - 1
    still, zero = np.zeros(n), np.zeros(n, dtype=np.int64)
    batch = Batch(np.array([0, n]), np.array([0]), times, still, still, zero, np.arange(n + 1), frame)
    nowhere = Road(zero[:0], still[:0], still[:0])
    for f in range(n):
        moved = engine.begin_frame(0, f, batch)
        engine.finish_frame(0, f, batch, Outlook(looks, np.zeros(n, dtype=bool), nowhere), given, room_to_see(0, 1), moved=moved)
    return ledger


def _rules(migration: Migration, costs: Costs) -> Policy:
    processing = replace(costs.processing, answers_s=costs.processing.answers_s + costs.round_trips * migration.round_trip_s)
    links = LinkOptions(
        bandwidth_bytes_per_s=migration.bandwidth_bytes_per_s * costs.efficiency,
        dirty_threshold_bytes=migration.threshold_bytes,
        switch_s=0.0,
    )
    handoff = HandoffPolicy(relay_unsynced=migration.relay_unsynced, finish_user_left=False)
    return Policy(links, handoff, RequestLatency((0.0,)), tiers=1, processing=processing)


def _neighbours() -> Servers:
    """Local servers of cells beside each other; the first two are used."""
    return lay_servers(HexCells(1, 1.0), [TierPlan("local", "cell")])
