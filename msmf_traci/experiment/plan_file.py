"""What a migration does, from a file: YAML with a line for each step. Model, section 7.

image: {send: image}
memory: {send: memory}
round: {send: dirty, until: {rounds: 3}}
ready: {until: handoff}
final: {container: stopped, send: rest}
start: {container: stopped}
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import yaml

from msmf_traci.errors import InputError
from msmf_traci.files.input_file import input_file
from msmf_traci.migration.plan import Plan, PlanStep, Sends, Service, Until, plan_of

_BUILT_IN = files("msmf_traci.experiment").joinpath("plans")
NAMES = tuple(sorted(Path(each.name).stem for each in _BUILT_IN.iterdir() if each.name.endswith(".yaml")))
_SENDS = {each.name.lower(): each for each in Sends if each != Sends.NOTHING}
_SERVICES = {"runs": Service.RUNS, "stopped": Service.STOPPED, "degraded": Service.DEGRADED}
_WORDS = {"sent": Until.SENT, "threshold": Until.THRESHOLD, "handoff": Until.HANDOFF}
_NUMBERS = {"rounds": Until.ROUNDS, "downtime_s": Until.DOWNTIME, "time_s": Until.TIME}
_KEYS = ("send", "container", "until", "then")
_AFTER_STOP = (
    [(Service.STOPPED, Sends.REST), (Service.STOPPED, Sends.NOTHING)],
    [(Service.STOPPED, Sends.STATE), (Service.STOPPED, Sends.NOTHING), (Service.DEGRADED, Sends.REST)],
    [(Service.STOPPED, Sends.SNAPSHOT), (Service.STOPPED, Sends.NOTHING), (Service.DEGRADED, Sends.LOG)],
)
_WHILE_IT_RUNS = {Sends.NOTHING, Sends.IMAGE, Sends.MEMORY, Sends.DIRTY}
_MOST_STEPS = 100


def read_plan(name: str) -> Plan:
    """A plan of ours by its name, or one from a file.

    Raises
    ------
    InputError
        If there is no such plan, it cannot be read, or its steps do not make a migration.
    """
    if name in NAMES:
        with as_file(_BUILT_IN.joinpath(f"{name}.yaml")) as path:
            return _read(path, 0)
    if not name.endswith((".yaml", ".yml")):
        raise InputError(f"handoff.plan={name} is no plan; choose from {', '.join(NAMES)}, or name a file FILE.yaml")
    path = input_file(name, "handoff.plan")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(path: Path, _changed_ns: int) -> Plan:
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"handoff.plan={path} cannot be read: {' '.join(str(error).split())}; write it as YAML") from None
    if not isinstance(table, dict) or not table or len(table) > _MOST_STEPS:
        raise InputError(f"handoff.plan={path} is no table of steps; write a line for each, such as image: {{send: image}}")
    names = [str(name) for name in table]
    steps = [_step(path, names, number, line) for number, line in enumerate(table.values())]
    _judge(path, names, steps)
    return plan_of(steps)


def _step(path: Path, names: list[str], number: int, line: Any) -> PlanStep:
    where = f"handoff.plan={path}, step {names[number]}"
    if not isinstance(line, dict):
        raise InputError(f"{where}: write what it does in braces, such as {{send: memory}}")
    unknown = next((key for key in line if key not in _KEYS), None)
    if unknown is not None:
        raise InputError(f"{where} has {unknown}; a step has {', '.join(_KEYS)}")
    sends = Sends.NOTHING if "send" not in line else _choice(where, "send", line["send"], _SENDS)
    service = _choice(where, "container", line.get("container", "runs"), _SERVICES)
    waits = service == Service.RUNS and sends == Sends.NOTHING
    until, value = _until(where, line.get("until", "handoff" if waits else "sent"))
    is_allowed = until in ((Until.HANDOFF, Until.THRESHOLD, Until.TIME) if waits else (Until.SENT,)) or (
        sends == Sends.DIRTY and until in (Until.ROUNDS, Until.DOWNTIME)
    )
    if not is_allowed:
        what = "waits until: handoff, threshold or {time_s: SECONDS}" if waits else "ends with until: sent"
        more = ", {rounds: NUMBER} or {downtime_s: SECONDS}" if sends == Sends.DIRTY else ""
        raise InputError(f"{where} cannot end like this; it {what}{more}")
    if "then" in line and str(line["then"]) not in names:
        raise InputError(f"{where} is followed by {line['then']}, which is no step; choose from {', '.join(names)}")
    then = names.index(str(line["then"])) if "then" in line else number + 1 if number + 1 < len(names) else -1
    return PlanStep(sends, service, until, then, value)


def _choice(where: str, key: str, word: Any, choices: Mapping[str, Any]) -> Any:
    if not isinstance(word, str) or word not in choices:
        raise InputError(f"{where}: {key} is {word}; choose from {', '.join(choices)}")
    return choices[word]


def _until(where: str, said: Any) -> tuple[Until, float]:
    if isinstance(said, str) and said in _WORDS:
        return _WORDS[said], 0.0
    if isinstance(said, dict) and len(said) == 1:
        ((word, value),) = said.items()
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if word in _NUMBERS and is_number and (value in range(1, _MOST_STEPS + 1) if word == "rounds" else 1e-3 <= value < float("inf")):
            return _NUMBERS[word], float(value)
    choices = [*_WORDS, *(f"{{{word}: NUMBER}}" for word in _NUMBERS)]
    raise InputError(f"{where}: until is {said}; choose from {', '.join(choices)}")


def _judge(path: Path, names: list[str], steps: list[PlanStep]) -> None:
    """Refuse steps that do not make a migration."""
    running = [step for step in steps if step.service == Service.RUNS]
    n = len(running)
    if [(step.service, step.sends) for step in steps[n:]] not in _AFTER_STOP or steps[:n] != running:
        raise InputError(
            f"handoff.plan={path}: behind the steps of the running container come one that is stopped and sends, and one that is stopped "
            "and sends nothing. The first sends the rest; or the state, and one that is degraded and sends the rest follows; or the "
            "snapshot, and one that is degraded and sends the log follows"
        )
    for number, step in enumerate(steps[n:], n):
        if step.then != (number + 1 if number + 1 < len(steps) else -1):
            raise InputError(f"handoff.plan={path}, step {names[number]}: what follows the stop is the next line; leave out then")
    sent = [step.sends for step in running]
    of_memory = sent.index(Sends.MEMORY) if Sends.MEMORY in sent else n
    if sent[:1] != [Sends.IMAGE] or sent.count(Sends.IMAGE) > 1 or sent.count(Sends.MEMORY) > 1 or not set(sent) <= _WHILE_IT_RUNS:
        raise InputError(
            f"handoff.plan={path}: while the container runs, the image is sent first, then the memory at most once, then what is dirty"
        )
    for number, step in enumerate(running):
        where = f"handoff.plan={path}, step {names[number]}"
        if step.sends == Sends.DIRTY and number < of_memory:
            raise InputError(f"{where} sends what is dirty, but no step before it sends the memory; add one")
        if step.until == Until.HANDOFF:
            continue
        if number < of_memory < n and not number < step.then <= of_memory:
            raise InputError(f"{where} has to lead to the memory, or to a step before it")
        if not 0 < step.then < n or (step.then <= of_memory < n and step.then <= number):
            raise InputError(
                f"{where} has to lead to a step of the running container that sends or waits; end with one that has until: handoff"
            )
        if step.until == Until.THRESHOLD and number < of_memory:
            raise InputError(f"{where} waits for dirty memory, but no step before it sends the memory; let it wait with time_s")
        if step.until == Until.THRESHOLD and sent[step.then] != Sends.DIRTY:
            raise InputError(f"{where} waits for the threshold, so a step that sends what is dirty has to follow")
        if _returns_at_once(running, number):
            raise InputError(f"{where} leads back to itself without a wait; put a step that has until: threshold between")


def _returns_at_once(running: list[PlanStep], number: int) -> bool:
    """Whether a step comes again without one between that waits."""
    step = number
    for _ in running:
        if step >= len(running) or running[step].sends == Sends.NOTHING:
            return False
        step = running[step].then
        if step == number:
            return True
    return False
