"""What a migration does, as a table of steps (docs/plans.md): the five plans that have names, and those of files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Step:
    """A line of the table. `until` is `sent`, `handoff`, `threshold`, `rounds`, `downtime_s` or `time_s`, the last three with a value."""

    send: str | None
    container: str
    until: str
    value: float
    then: int

    @property
    def waits(self) -> bool:
        """Whether the container runs and nothing is sent."""
        return self.container == "runs" and self.send is None


Plan = list[Step]

IMAGE, MEMORY, READY, START = {"send": "image"}, {"send": "memory"}, {"until": "handoff"}, {"container": "stopped"}
PULLED = [{"container": "stopped", "send": "state"}, START, {"container": "degraded", "send": "rest"}]
NAMED: dict[str, list[dict[str, Any]]] = {
    "precopy": [IMAGE, MEMORY, {"until": "threshold"}, {"send": "dirty", "then": 2}, {"container": "stopped", "send": "rest"}, START],
    "cold": [IMAGE, READY, {"container": "stopped", "send": "rest"}, START],
    "postcopy": [IMAGE, READY, *PULLED],
    "hybrid": [IMAGE, MEMORY, READY, *PULLED],
    "replay": [
        *(IMAGE, MEMORY, READY, {"container": "stopped", "send": "snapshot"}, START),
        {"container": "degraded", "send": "log"},
    ],
}


def read_plan(name: str) -> Plan:
    """A plan by its name, or from a file."""
    if name in NAMED:
        return steps_of({str(place): line for place, line in enumerate(NAMED[name])})
    return steps_of(yaml.safe_load(Path(name).read_text(encoding="utf-8")))


def steps_of(lines: dict[str, dict[str, Any]]) -> Plan:
    """The steps of lines by name; what follows is the next one unless a line says otherwise."""
    names, plan = [str(name) for name in lines], []
    for place, line in enumerate(lines.values()):
        send, container = line.get("send"), line.get("container", "runs")
        until = line.get("until", "handoff" if send is None and container == "runs" else "sent")
        word, value = next(iter(until.items())) if isinstance(until, dict) else (until, 0.0)
        then = names.index(str(line["then"])) if "then" in line else place + 1
        plan.append(Step(send, container, word, float(value), then))
    return plan


def stops_at(plan: Plan) -> int:
    """The step to which a handoff leads: the first one in which the container is stopped."""
    return next(place for place, step in enumerate(plan) if step.container == "stopped")


def may_stop(plan: Plan, place: int) -> bool:
    """Whether a handoff that waits for the plan goes on here (relay).

    "It goes on at a step that waits, or that comes again and again without a number of times."
    """
    step = plan[place]
    if step.waits:
        return True
    seen, after = set(), step.then
    while after < len(plan) and after not in seen:
        seen.add(after)
        after = plan[after].then
    return step.send == "dirty" and (step.until == "downtime_s" or place in seen)
