"""What the model expects of one migration: the harness's own engine, given sizes, rates, delays and the rule for the handoff."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from msmf_traci.config.compose import read_request
from msmf_traci.control.look import Look, Outlook, Road
from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.server_map import RequestLatency
from msmf_traci.deployment.servers import Servers
from msmf_traci.experiment.options import link_options, postcopy_options, processing_options, replay_options, sent_shares
from msmf_traci.migration.course import Batch
from msmf_traci.migration.engine import Decider, Engine, no_decisions, room_to_see
from msmf_traci.migration.ledger import BYTE_KINDS, Ledger, Outcome, Stage
from msmf_traci.migration.plan import PRECOPY, Plan
from msmf_traci.migration.policy import NO_POSTCOPY, HandoffPolicy, LinkOptions, Policy, PostCopy, Processing, Replay
from msmf_traci.migration.workload import private_containers, start_time_s
from msmf_traci.records import new_records
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.units import S_PER_MS

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
    plan
        What it does.
    dirty_cap_share
        Most of the memory that can be dirty at once.
    arriving_per_s
        Messages that arrive, for a plan that replays them.
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
    plan: Plan = PRECOPY
    dirty_cap_share: float = 1.0
    arriving_per_s: float = 0.0


INSTANT_REPLAY = Replay(served_per_s=math.inf, limit_s=math.inf)


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
    sent_shares
        Shares of images and of memories that are left once they are compressed; `processing` is in seconds per byte of what is left.
    postcopy, replay
        What plans of that kind take; the round trip and the messages are the migration's.
    """

    processing: Processing
    round_trips: float
    efficiency: float
    start_s: tuple[float, float]
    sent_shares: tuple[float, float] = (1.0, 1.0)
    postcopy: PostCopy = NO_POSTCOPY
    replay: Replay = INSTANT_REPLAY


def costs_of(words: Sequence[str], config_dir: str | None = None) -> Costs:
    """The costs of a simulation with these options, such as `migration=runc_rsync`.

    Raises
    ------
    InputError
        If one of them is wrong.
    """
    config = read_request(words, config_dir=config_dir).points[0].config
    start_s = config.workload.start_ms[0] * S_PER_MS, config.workload.start_ms[1] * S_PER_MS
    return Costs(
        replace(processing_options(config), answers_s=0.0),
        config.migration.processing.round_trips,
        link_options(config).efficiency,
        start_s,
        sent_shares(config),
        postcopy_options(config),
        replay_options(config),
    )


@dataclass(frozen=True)
class Expected:
    """What is expected: bytes by kind, and times.

    Attributes
    ----------
    total_s
        From the start of the transfer to its end.
    downtime_s
        From the stop of the container until it runs on the target.
    after_stop_s
        From the stop to the end of the transfer.
    sent_bytes
        By kind.
    """

    total_s: float
    downtime_s: float
    after_stop_s: float
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
    stop_s, run_s = float(transfers["t_stop_s"][one]), float(transfers["t_run_s"][one])
    return Expected(end_s - float(transfers["t_start_s"][one]), run_s - stop_s, end_s - stop_s, sent_bytes)


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
    engine = Engine([_rules(migration, costs)], [Decider()], [_neighbours()], ledger, plans=[migration.plan])
    sizes = migration.image_bytes, migration.memory_bytes, 1e9, migration.dirty_share_per_s
    image, memory, level, dirty = (np.array([value]) for value in sizes)
    shares, start_s = costs.sent_shares, start_time_s(image, costs.start_s)
    engine.admit([private_containers(image * shares[0], memory * shares[1], level, start_s, dirty)])
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
        dirty_threshold_bytes=migration.threshold_bytes * costs.sent_shares[1],
        switch_s=0.0,
        dirty_cap_share=migration.dirty_cap_share,
    )
    handoff = HandoffPolicy(relay_unsynced=migration.relay_unsynced, finish_user_left=False)
    postcopy = replace(costs.postcopy, round_trip_s=migration.round_trip_s)
    replay = replace(costs.replay, arriving_per_s=migration.arriving_per_s)
    return Policy(links, handoff, RequestLatency((0.0,)), tiers=1, processing=processing, postcopy=postcopy, replay=replay)


def _neighbours() -> Servers:
    """Local servers of cells beside each other; the first two are used."""
    return lay_servers(HexCells(1, 1.0), [TierPlan("local", "cell")])
