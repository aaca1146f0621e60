"""Plans: what a migration does, step by step (section 7: plans; plans.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

Table = Mapping[str, Mapping[str, Any]]

IMAGE_STEP: Mapping[str, Any] = {"send": "image"}
MEMORY_STEP: Mapping[str, Any] = {"send": "memory"}
READY_STEP: Mapping[str, Any] = {"until": "handoff"}
START_STEP: Mapping[str, Any] = {"container": "stopped"}

BUILT_IN: Mapping[str, Table] = {
    "precopy": {
        "image": IMAGE_STEP,
        "memory": MEMORY_STEP,
        "in_step": {"until": "threshold"},
        "round": {"send": "dirty", "then": "in_step"},
        "final": {"container": "stopped", "send": "rest"},
        "start": START_STEP,
    },
    "cold": {
        "image": IMAGE_STEP,
        "ready": READY_STEP,
        "final": {"container": "stopped", "send": "rest"},
        "start": START_STEP,
    },
    "postcopy": {
        "image": IMAGE_STEP,
        "ready": READY_STEP,
        "final": {"container": "stopped", "send": "state"},
        "start": START_STEP,
        "pull": {"container": "degraded", "send": "rest"},
    },
    "hybrid": {
        "image": IMAGE_STEP,
        "memory": MEMORY_STEP,
        "ready": READY_STEP,
        "final": {"container": "stopped", "send": "state"},
        "start": START_STEP,
        "pull": {"container": "degraded", "send": "rest"},
    },
    "replay": {
        "image": IMAGE_STEP,
        "memory": MEMORY_STEP,
        "ready": READY_STEP,
        "final": {"container": "stopped", "send": "snapshot"},
        "start": START_STEP,
        "replay": {"container": "degraded", "send": "log"},
    },
}

REST, STATE, SNAPSHOT = "rest", "state", "snapshot"
NOTHING = ""

# What follows a handoff, each step as (container, send), by what is sent while the container is stopped
ENDS = {
    REST: [("stopped", REST), ("stopped", NOTHING)],
    STATE: [("stopped", STATE), ("stopped", NOTHING), ("degraded", "rest")],
    SNAPSHOT: [("stopped", SNAPSHOT), ("stopped", NOTHING), ("degraded", "log")],
}

# What may end a step in which the container runs, by what it sends; the first is the default
UNTIL = {
    "image": ["sent"],
    "memory": ["sent"],
    "dirty": ["sent", "rounds", "downtime_s"],
    NOTHING: ["handoff", "threshold", "time_s"],
}


@dataclass(frozen=True)
class Step:
    """A step in which the container runs; `limit`: of rounds or seconds; `then`: what follows, nothing where it waits for the handoff."""

    send: str
    until: str
    limit: float
    then: str | None
    stops: bool = False  # a handoff under relay goes on here


@dataclass(frozen=True)
class Plan:
    """The steps in which the container runs, the first one first, and what is sent once it is stopped: REST, STATE or SNAPSHOT."""

    steps: Mapping[str, Step]
    final: str

    @property
    def first(self) -> Step:
        """The step that sends the image."""
        return next(iter(self.steps.values()))


def read_plan(name: str) -> Plan:
    """The plan of an option: one of those that there are, or a file, "relative to the current folder or absolute"."""
    if name in BUILT_IN:
        return to_plan(BUILT_IN[name])
    import yaml

    return to_plan(yaml.safe_load(Path(name).read_text(encoding="utf-8")))


def to_plan(table: Table) -> Plan:
    """A table of steps as a plan; what breaks a rule of plans.md is refused."""
    for name, row in table.items():
        if set(row) - {"send", "container", "until", "then"}:
            raise ValueError(f"plan: unknown key in step {name}: {dict(row)}")
    names = list(table)
    count = next((at for at, name in enumerate(names) if table[name].get("container", "runs") != "runs"), len(names))
    end = [(table[name].get("container", "runs"), table[name].get("send", NOTHING)) for name in names[count:]]
    final = next((final for final, steps in ENDS.items() if steps == end), None)
    if final is None:
        raise ValueError(f"plan: what follows a handoff is {end}")
    steps = {name: to_step(name, table[name], following) for name, following in pairwise(names[: count + 1])}
    if not steps or next(iter(steps.values())).send != "image":
        raise ValueError("plan: the first step sends the image")
    for name, step in steps.items():
        if step.until != "handoff" and step.then not in steps:
            raise ValueError(f"plan: {step.then} follows {name} without a handoff")
    return Plan(with_stops(steps), final)


def to_step(name: str, row: Mapping[str, Any], following: str) -> Step:
    """A line of the table in which the container runs; by default the next line follows."""
    send = row.get("send", NOTHING)
    if send not in UNTIL:
        raise ValueError(f"plan: {name} sends {send} while the container runs")
    until, limit = row.get("until", UNTIL[send][0]), 0.0
    if isinstance(until, Mapping):
        (until, value), *more = until.items()
        limit = float(value)
        if more or until not in ("rounds", "downtime_s", "time_s") or limit <= 0:
            raise ValueError(f"plan: {name}: until {row['until']}")
    elif until not in ("sent", "handoff", "threshold"):
        raise ValueError(f"plan: {name}: until {until}")
    if until not in UNTIL[send]:
        raise ValueError(f"plan: {name} sends {send or 'nothing'} until {until}")
    return Step(send, until, limit, None if until == "handoff" else row.get("then", following))


def with_stops(steps: Mapping[str, Step]) -> dict[str, Step]:
    """Where a handoff under relay goes on: "at a step that waits, or that comes again and again without a number of times"."""
    walk, again = walk_of(steps)
    sends = [steps[name].send for name in walk]
    if sends.count("image") > 1 or sends.count("memory") > 1 or ("dirty" in sends and "memory" not in sends[: sends.index("dirty")]):
        raise ValueError("plan: the image comes first; the memory follows, once or never, then what is dirty")
    if again and ({steps[name].send for name in again} & {"image", "memory"} or not waits([steps[name] for name in again])):
        raise ValueError(f"plan: {again} lead back to themselves")

    def stops(name: str, step: Step) -> bool:
        return step.send == NOTHING or step.until == "downtime_s" or (name in again and step.until != "rounds")

    return {name: Step(step.send, step.until, step.limit, step.then, stops(name, step)) for name, step in steps.items()}


def walk_of(steps: Mapping[str, Step]) -> tuple[list[str], list[str]]:
    """The steps in the order in which they come without a handoff, and those of them that lead back to themselves."""
    walk: list[str] = []
    name: str | None = next(iter(steps))
    while name is not None and name not in walk:
        walk.append(name)
        name = steps[name].then
    return walk, [] if name is None else walk[walk.index(name) :]


def waits(again: Sequence[Step]) -> bool:
    """Whether steps that lead back to themselves have "one between them that waits", and take time."""
    return any(step.send == NOTHING for step in again) and any(step.until != "threshold" for step in again)
