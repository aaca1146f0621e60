"""Judges the words of a command line before Hydra composes anything: which options and groups exist, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from msmf_traci.config.launchers import IN_PROCESS, LAUNCHER_GROUP, check_launcher, is_hydras
from msmf_traci.config.migration_schema import Application
from msmf_traci.config.schema import APPLICATIONS, option_fields
from msmf_traci.errors import InputError

GROUPS = ("scenario", "migration", "experiment")
# values that are text, not numbers or lists: paths above all, and times
_TEXT_OPTIONS = (
    *("scenario.parameters_file", "scenario.map_file", "scenario.net_file", "scenario.route_file", "scenario.sumocfg_file"),
    *("mobility.sumo_home", "mobility.gps.path", "mobility.gps.begin", "mobility.gps.end", "output.dir"),
)
# what the command sets itself
_HYDRA_OURS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.output_subdir", "hydra.job.chdir")


def parse_overrides(words: Sequence[str], config_dir: str | None = None) -> list[Override]:
    """Parse and judge the overrides of a command line.

    Parameters
    ----------
    words
        `name=value` words as typed.
    config_dir
        A folder of the user's own configuration, whose experiments are known too.

    Raises
    ------
    InputError
        At the first word that is no override, or names an option or group that does not exist.
    """
    overrides = [_parse(word) for word in words]
    for override in overrides:
        _judge(override, config_dir)
    return overrides


def _parse(word: str) -> Override:
    """Parse one word; a text that needs quotes, such as a path with spaces, gets them."""
    name, equals, value = word.partition("=")
    attempts = [word] if name not in _TEXT_OPTIONS else [word, name + equals + '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"']
    for attempt in attempts:
        try:
            return OverridesParser.create().parse_override(attempt)
        except HydraException:
            continue
    if not equals:
        raise InputError(
            f"{word}: write name=value; {_meant(word)}" if word.isidentifier() else f"{word}: write name=value; see msmf-traci --help"
        )
    raise InputError(f"{word}: cannot be read; write name=value, lists in brackets, and text with special characters as '{name}=\"...\"'")


def group_choices(group: str, config_dir: str | None = None) -> list[str]:
    """Names that a configuration group offers, the user's own included."""
    names = {Path(entry.name).stem for entry in files("msmf_traci.conf").joinpath(group).iterdir() if entry.name.endswith(".yaml")}
    if config_dir is not None:
        names |= {path.stem for path in (Path(config_dir) / group).glob("*.yaml")}
    return sorted(names)


def nearest_name(name: str, names: Sequence[str]) -> str:
    """A half-sentence that names what was probably meant, or everything there is."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        last = name.rsplit(".", 1)[-1]
        close = [option for option in names if option.rsplit(".", 1)[-1] == last][:1]
    return f"did you mean {close[0]}?" if close else f"choose from {', '.join(names)}" if len(names) <= 12 else "see msmf-traci --help"


def _judge(override: Override, config_dir: str | None) -> None:
    name = override.key_or_group
    if name in _HYDRA_OURS:
        raise InputError(f"{override.input_line}: {name} is set by msmf-traci; to choose where results go, use output.dir=FOLDER")
    if name == LAUNCHER_GROUP:
        choices = sorted({IN_PROCESS, *group_choices(LAUNCHER_GROUP, config_dir)})
        check_launcher(override, choices, nearest_name)
    if name == "hydra" or is_hydras(name):
        if override.is_sweep_override():
            raise InputError(f"{override.input_line}: {name} is about the sweep itself and takes one value")
        return
    if name.startswith(f"{APPLICATIONS}.") and not override.is_delete():
        _judge_application(override)
        return
    if override.is_add() or override.is_force_add():
        known = name in option_fields() or name in GROUPS
        instead = f"write {name}=VALUE" if known else f"there is no option {name}; {_meant(name)}"
        raise InputError(f"{override.input_line}: options cannot be added; {instead}")
    if override.is_delete():
        raise InputError(f"{override.input_line}: options cannot be deleted; to change {name}, write {name}=VALUE")
    if name in GROUPS:
        _judge_choice(override, config_dir)
    elif name not in option_fields():
        raise InputError(f"{override.input_line}: there is no option {name}; {_meant(name)}")


def _judge_application(override: Override) -> None:
    """Check an application, or one of its fields: users may add some, so which ones there are is known only when all is composed."""
    _, name, *field = override.key_or_group.split(".")
    fields = list(Application.model_fields)
    if not name or len(field) > 1 or (field and field[0] not in fields):
        raise InputError(
            f"{override.input_line}: write {APPLICATIONS}.NAME={{{', '.join(f'{each}: ...' for each in fields)}}}, "
            f"or one of these alone as {APPLICATIONS}.NAME.{fields[0]}=..."
        )


def _meant(name: str) -> str:
    options = option_fields()
    inside = [option for option in options if option.startswith(f"{name}.")]
    if inside:
        return f"{name} holds several options, name one of them: {', '.join(inside)}"
    return nearest_name(name, [*options, *GROUPS])


def _judge_choice(override: Override, config_dir: str | None) -> None:
    group = override.key_or_group
    choices = group_choices(group, config_dir)
    values = list(override.sweep_string_iterator()) if override.is_sweep_override() else [str(override.get_value_element_as_str())]
    for value in values:
        if value == "null" and group == "experiment" and not override.is_sweep_override():
            continue
        if value not in choices:
            raise InputError(f"{override.input_line}: there is no {group} {value!r}; {nearest_name(value, choices)}")
