"""What a migration does, as a table of steps: what each sends, whether the container runs meanwhile, and what ends it. Model, section 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from msmf_traci.migration.ledger import Stage
from msmf_traci.records import Int8, Records, new_records


class Sends(IntEnum):
    """What a step sends.

    Of the memory all, what has changed since the last snapshot, or what is missing; the state of execution; what is left of the snapshot
    under way; messages that were logged since the snapshot.
    """

    NOTHING = 0
    IMAGE = 1
    MEMORY = 2
    DIRTY = 3
    REST = 4
    STATE = 5
    SNAPSHOT = 6
    LOG = 7


class Service(IntEnum):
    """Whether the container runs during a step: on its host, nowhere, or on the target, without all that it needs."""

    RUNS = 0
    STOPPED = 1
    DEGRADED = 2


class Until(IntEnum):
    """What ends a step of a running container, beside the handoff.

    All is sent; the threshold of dirty memory is reached; so many rounds have been made; the rest would take at most so long; so many
    seconds have passed; nothing.
    """

    SENT = 0
    THRESHOLD = 1
    ROUNDS = 2
    DOWNTIME = 3
    TIME = 4
    HANDOFF = 5


_STAGES = {
    (Service.RUNS, Sends.IMAGE): Stage.IMAGE,
    (Service.RUNS, Sends.MEMORY): Stage.MEMORY,
    (Service.RUNS, Sends.DIRTY): Stage.ROUND,
    (Service.RUNS, Sends.NOTHING): Stage.IDLE,
    (Service.STOPPED, Sends.REST): Stage.FINAL,
    (Service.STOPPED, Sends.STATE): Stage.FINAL,
    (Service.STOPPED, Sends.SNAPSHOT): Stage.FINAL,
    (Service.STOPPED, Sends.NOTHING): Stage.RESTORE,
    (Service.DEGRADED, Sends.REST): Stage.PULL,
    (Service.DEGRADED, Sends.LOG): Stage.REPLAY,
}


@dataclass(frozen=True)
class PlanStep:
    """A step as it is written: `value` is a number of rounds, or seconds; `then` the place of the step that follows, -1: none."""

    sends: Sends
    service: Service
    until: Until
    then: int
    value: float = 0.0


class Step:
    """A step as compiled loops read it.

    `may_stop`: a handoff that waits for the transfer (relay) stops the container here, since the step waits, or comes again and again.
    """

    stage: Int8
    sends: Int8
    until: Int8
    then: Int8
    value: float
    may_stop: bool


class Plan(NamedTuple):
    """The steps as records, and the place of that to which a handoff leads."""

    steps: Records
    stops_at: int


def plan_of(steps: Sequence[PlanStep]) -> Plan:
    """A plan as compiled loops read it.

    Parameters
    ----------
    steps
        The first sends the image. One that stops the container and sends something is there, and is followed by one that starts it.
    """
    found = new_records(Step, len(steps))
    for record, step in zip(found, steps, strict=True):
        record["stage"] = _STAGES[step.service, step.sends]
        record["sends"], record["until"], record["then"], record["value"] = step.sends, step.until, step.then, step.value
        is_endless = step.until == Until.DOWNTIME or _comes_again(steps, step)
        waits = step.sends == Sends.NOTHING or (step.sends == Sends.DIRTY and is_endless)
        record["may_stop"] = step.service == Service.RUNS and waits
    return Plan(found, [step.service for step in steps].index(Service.STOPPED))


def _comes_again(steps: Sequence[PlanStep], step: PlanStep) -> bool:
    """Whether a step leads back to itself."""
    following = step
    for _ in steps:
        if following.then < 0:
            return False
        following = steps[following.then]
        if following is step:
            return True
    return False


PRECOPY = plan_of(
    [
        PlanStep(Sends.IMAGE, Service.RUNS, Until.SENT, then=1),
        PlanStep(Sends.MEMORY, Service.RUNS, Until.SENT, then=2),
        PlanStep(Sends.NOTHING, Service.RUNS, Until.THRESHOLD, then=3),
        PlanStep(Sends.DIRTY, Service.RUNS, Until.SENT, then=2),
        PlanStep(Sends.REST, Service.STOPPED, Until.SENT, then=5),
        PlanStep(Sends.NOTHING, Service.STOPPED, Until.SENT, then=-1),
    ]
)
