"""The text of `msmf-traci --help [GROUP]`, read from where options, groups and strategies are defined."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from msmf_traci.config.defaults import default_options, defaults
from msmf_traci.config.fields import choices_of
from msmf_traci.config.launchers import IN_PROCESS, LAUNCHER_GROUP
from msmf_traci.config.overrides import GROUPS, group_choices, nearest_name, parse_overrides
from msmf_traci.config.own_options import options_of_kind, own_kinds
from msmf_traci.config.schema import APPLICATIONS, CHOSEN, Config, option_fields
from msmf_traci.errors import InputError

ALL = "all"
_WIDTH = 60
_SCREEN = 94  # of characters, beside an indent
_WHAT_IT_IS = {
    "general": "seed, strategies, experiment, dry_run",
    "scenario": "which city SUMO drives",
    "deployment": "where the base stations stand",
    "attachment": "when a vehicle changes its base station",
    "tiers": "the tiers of servers: latency, capacity, bandwidth, and what each server covers",
    "tier_choice": "which tier serves a task",
    "prediction": "how far ahead the road is followed",
    "strategy": "options of strategies, those of your own too",
    "mobility": "where positions come from: vehicles, speed, duration, GPS traces",
    "matching": "how GPS traces are matched to roads",
    APPLICATIONS: "containers by name: game, face, ram, or your own",
    "workload": "how large containers are",
    "handoff": "what happens at a handoff",
    "migration": "what a migration costs besides the bytes that it sends",
    "images": "where images come from, and how long servers keep them",
    "links": "bandwidth, latency of a hop, round-trip time, or a file of links",
    "reports": "when vehicles send status updates",
    "cost": "what makes the cost of a trip; it values tables, and changes nothing else",
    "output": "where tables go, and which",
    "vary": "how values under variants are combined",
    "variants": "several values of an option in one pass",
    "hydra": "what carries out the runs of a sweep",
}
_OF_ONES_OWN = {
    "strategy": ("  of a strategy of your own: --help strategy 'strategies=[lazy:Lazy]'",),
    "tiers": ("  one of your own: '+tiers.metro={latency_ms: 70, compute_ms: 5, area: all}' 'tiers.order=[local,regional,metro]'",),
}
_HEAD = """\
msmf-traci measures container-migration strategies for mobile edge computing on SUMO traffic.

  msmf-traci                                          a synthetic city, 100 vehicles, 8 strategies
  msmf-traci mobility.speed_kmh=20 scenario=beijing   other options
  msmf-traci -m mobility.speed_kmh=20,50 seed=0,1,2   a sweep: every combination

Commands   run, report, bound, benchmark, status, overlay, fetch, testbed, completion; COMMAND -h
Flags      -m, --multirun       several values make a sweep
           -cd, --config-dir    a folder with experiments of your own
           --version, -h, --help [GROUP or OPTION]
"""


def help_text(group: str = "", words: Sequence[str] = ()) -> str:
    """The overview, the options of a group, one option, or everything (`all`).

    Parameters
    ----------
    group
        A group, an option, `all`, or nothing.
    words
        What else was typed: of `strategies=[...]` the options are shown too.

    Raises
    ------
    InputError
        If there is no such group, option or strategy.
    """
    if not group:
        more = "msmf-traci --help GROUP shows a group of options, --help OPTION one of them, --help all everything."
        return "\n".join([_HEAD, *_choices(), "", *_groups(), "", more])
    names = list(_WHAT_IT_IS)
    if group == ALL:
        return "\n".join([_HEAD, *_choices(), *(line for name in names for line in ["", *_group_lines(name)])])
    if group in option_fields():
        return "\n".join(_option_lines(group))
    if group not in names:
        raise InputError(f"--help {group}: there is no such group or option; {nearest_name(group, [*names, ALL, *option_fields()])}")
    return "\n".join([*_group_lines(group), *(_own_option_lines(words) if group == "strategy" else ())])


def _own_option_lines(words: Sequence[str]) -> Iterator[str]:
    """Options of the strategies of the user's own that are typed beside `--help strategy`."""
    typed: list[Any] = [each.value() for each in parse_overrides([word for word in words if word.startswith("strategies=")])]
    for kind in own_kinds([str(name) for names in typed for name in names]):
        for option, (default, what) in options_of_kind(kind).items():
            yield f"  {f'strategy.{kind.name}.{option}={default}':<{_WIDTH}}  {what}"


def _choices() -> Iterator[str]:
    """What the configuration groups and the strategies offer."""
    lines = [line for group in GROUPS for line in _listed(f"{group}=", group_choices(group))]
    while lines:
        line = lines.pop(0)
        # two short ones share a line
        if lines and len(line) <= _SCREEN // 2 - 2 and len(lines[0]) <= _SCREEN // 2 and not lines[0].startswith(" "):
            line = f"{line:<{_SCREEN // 2}}{lines.pop(0)}"
        yield line
    yield from _listed("strategies", sorted(entry_points(group="msmf_traci.strategies").names))


def _listed(name: str, choices: Sequence[str]) -> list[str]:
    """What there is to choose from, in lines that fit the screen."""
    return textwrap.wrap(f"{name:<11}{', '.join(choices)}", _SCREEN, subsequent_indent=" " * 11, drop_whitespace=True)


def _groups() -> Iterator[str]:
    width = max(map(len, _WHAT_IT_IS))
    yield "Groups of options"
    yield from (f"  {name:<{width}}  {what}" for name, what in _WHAT_IT_IS.items())


def _group_lines(group: str) -> list[str]:
    """The options of a group with their defaults and meanings."""
    head = f"{group}: {_WHAT_IT_IS[group]}"
    if group == APPLICATIONS:
        return [head, *_application_lines(default_options(APPLICATIONS))]
    if group == "hydra":
        launchers = ", ".join([IN_PROCESS, *group_choices(LAUNCHER_GROUP)])
        return [head, f"  {LAUNCHER_GROUP + '=' + IN_PROCESS:<{_WIDTH}}  {launchers}"]
    lines = [head]
    for name, (description, _) in option_fields().items():
        if name in CHOSEN or _group_of(name) != group:
            continue
        shown = _with_default(name)
        lines.append(f"  {shown:<{_WIDTH}}  {description}" if len(shown) <= _WIDTH else f"  {shown}\n  {'':<{_WIDTH}}  {description}")
    return [*lines, *_OF_ONES_OWN.get(group, ())]


def _option_lines(name: str) -> list[str]:
    """One option: default, meaning, and what it may be where that is one of a few."""
    description, field = option_fields()[name]
    lines = [_with_default(name), f"  {description}"]
    choices = choices_of(field.annotation)
    if name == "strategies":
        kinds = {point.name: point.load() for point in entry_points(group="msmf_traci.strategies")}
        lines += [f"  {each:<12}{(kind.__doc__ or '').splitlines()[0]}" for each, kind in sorted(kinds.items())]
    elif choices:
        lines.append(f"  one of {', '.join(choices)}")
    return [*lines, "", f"msmf-traci --help {_group_of(name)} shows the options beside it."]


def _group_of(option: str) -> str:
    section, dot, _ = option.partition(".")
    return section if dot and section in Config.model_fields else "general"


def _application_lines(applications: Mapping[str, dict[str, float]]) -> list[str]:
    shown = [f"  {name:<6}{', '.join(f'{field}={value:g}' for field, value in fields.items())}" for name, fields in applications.items()]
    return ["  workload.application=NAME chooses one", *shown, "  one of your own: '+applications.NAME={image_mb: 400, ...}'"]


def _with_default(name: str) -> str:
    value: Any = defaults()
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        return f"{name}=[{','.join(str(item) for item in value)}]"
    text = (
        {None: "null", True: "true", False: "false"}.get(value, value)
        if not isinstance(value, int | float) or isinstance(value, bool)
        else value
    )
    return f"{name}={text}"
