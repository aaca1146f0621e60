"""The text of `msmf-traci --help`: groups, strategies and every option with its default, read from where they are defined."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any

import yaml

from msmf_traci.config.launchers import IN_PROCESS, LAUNCHER_GROUP
from msmf_traci.config.overrides import GROUPS, group_choices
from msmf_traci.config.schema import APPLICATIONS, option_fields

_HEAD = """\
msmf-traci: measure container-migration strategies for mobile edge computing on SUMO traffic.

  msmf-traci                                                the synthetic city, 100 vehicles, 8 strategies
  msmf-traci mobility.speed_kmh=20 workload.image_mb=500    other values, for this run
  msmf-traci workload.application=game                      containers of one of the applications below
  msmf-traci scenario=beijing                               central Beijing from OpenStreetMap (msmf-traci-fetch)
  msmf-traci -m mobility.speed_kmh=5,20,50,80 seed=0,1      a sweep: every combination
  msmf-traci -m seed=0,1,2,3 hydra/launcher=joblib          a sweep on all cores; the same command again does what is missing
  msmf-traci dry_run=true                                   say what would be done
  msmf-traci-status results                                 what is done, running, failed or missing; the size of the cache

Flags: -m, --multirun (sweep)   -cd, --config-dir FOLDER (experiments of your own)   -h, --help   --version
Tables go to results/<experiment, else scenario>/<run>/; output.dir=FOLDER names another folder for the runs.
"""


def help_text() -> str:
    """Everything a user can ask for."""
    lines = [_HEAD, "Groups"]
    lines += [f"  {group:<15} {', '.join(group_choices(group))}" for group in GROUPS]
    launchers = ", ".join([IN_PROCESS, *group_choices(LAUNCHER_GROUP)])
    lines.append(f"  {LAUNCHER_GROUP:<15} {launchers}: what carries out the runs of a sweep (docs/launchers)")
    strategies = sorted(entry_points(group="msmf_traci.strategies").names)
    lines += [
        "",
        "Strategies",
        f"  {', '.join(strategies)}",
        "  or one of your own: strategies=[pm,package.module:Class] (docs/strategies.md)",
        "",
    ]
    defaults = yaml.safe_load(files("msmf_traci.conf").joinpath("config.yaml").read_text(encoding="utf-8"))
    lines += [*_application_lines(defaults[APPLICATIONS]), "", "Options and defaults"]
    width = max(len(_with_default(name, defaults)) for name in option_fields() if len(_with_default(name, defaults)) < 52)
    for name, (description, _) in option_fields().items():
        if name in ("scenario.name", "scenario.kind"):
            continue
        shown = _with_default(name, defaults)
        lines.append(f"  {shown:<{width}}  {description}" if len(shown) <= width else f"  {shown}\n  {'':<{width}}  {description}")
    return "\n".join(lines)


def _application_lines(applications: dict[str, dict[str, float]]) -> list[str]:
    shown = [f"  {name:<15} {', '.join(f'{field}={value:g}' for field, value in fields.items())}" for name, fields in applications.items()]
    return ["Applications (workload.application=NAME)", *shown, "  or one of your own: '+applications.NAME={...}' (docs/experiments.md)"]


def _with_default(name: str, defaults: dict[str, Any]) -> str:
    value: Any = defaults
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, list):
        return f"{name}=[{','.join(str(item) for item in value)}]"
    text = (
        {None: "null", True: "true", False: "false"}.get(value, value)
        if not isinstance(value, int | float) or isinstance(value, bool)
        else value
    )
    return f"{name}={text}"
