"""Judges the words of a command line before Hydra composes anything: which options and groups exist, and what was probably meant."""

from __future__ import annotations

import difflib
import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, OverrideType, RangeSweep, Sweep, ValueType
from hydra.errors import HydraException

from msmf_traci.config.deployment_schema import Tier, Tiers
from msmf_traci.config.earlier_names import new_name
from msmf_traci.config.launchers import IN_PROCESS, LAUNCHER_GROUP, check_launcher, is_hydras
from msmf_traci.config.migration_schema import Application
from msmf_traci.config.schema import APPLICATIONS, option_fields, text_options
from msmf_traci.config.strategy_schema import Strategies
from msmf_traci.errors import InputError

GROUPS = ("scenario", "tiers", "deployment", "migration", "experiment")
MOST_RUNS = 10_000  # of a sweep: composing and judging them takes minutes and a gigabyte
# what an experiment sweeps; typed, it is the same as typing what it holds
_PARAMS = "hydra.sweeper.params"
_HYDRA_SECTIONS = ("hydra", "hydra.sweeper", "hydra.launcher")
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
    listed = [_into_mirror(list_values(override, config_dir)) for override in overrides]
    for override in listed:
        if override.key_or_group in GROUPS:
            _judge_choice(override, config_dir)
    return listed


def with_typed_params(words: Sequence[str]) -> list[str]:
    """The words of a command line, with `hydra.sweeper.params` written as what it means: options with several values.

    Hydra itself cannot add to these parameters where an experiment has none. An option that is typed by itself takes precedence.

    Raises
    ------
    InputError
        If a parameter is no text or number.
    """
    plain, params = [], dict[str, tuple[str, Any]]()
    for word in words:
        name, _, _ = word.partition("=")
        key, is_one = name.lstrip("+"), name.lstrip("+").startswith(f"{_PARAMS}.")
        if key != _PARAMS and not is_one:
            plain.append(word)
            continue
        value = _parse(word).value()
        if is_one:
            params[key.removeprefix(f"{_PARAMS}.")] = word, value
        elif isinstance(value, dict):
            params |= {str(option): (word, each) for option, each in value.items()}
        else:
            plain.append(word)
    for word, value in params.values():
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise InputError(f'{word}: write the values of a parameter as a text in quotes, such as {_PARAMS}.seed="1,2"')
    typed = {word.partition("=")[0] for word in plain}
    return [*plain, *(f"{option}={value}" for option, (_, value) in params.items() if option not in typed)]


def list_values(override: Override, config_dir: str | None = None) -> Override:
    """An override whose values are a list of their own, where they were a range or a pattern (`range(...)`, `glob(...)`).

    Parameters
    ----------
    override
        As parsed.
    config_dir
        A folder of the user's own configuration, in which patterns are looked for too.

    Raises
    ------
    InputError
        If there are no values, too many, or what is written has none that could be listed.
    """
    if not override.is_sweep_override():
        _refuse_sweep_within(override, override.value())
        return override
    try:
        # a list with all of a long range does not fit into memory
        values = list(itertools.islice(_values(override, config_dir), MOST_RUNS + 1))
    except (HydraException, ArithmeticError, ValueError, TypeError):
        raise InputError(
            f"{override.input_line}: the values cannot be listed; write range(begin,end,step), or the values themselves"
        ) from None
    if not values:
        raise InputError(f"{override.input_line}: this gives no value, so nothing would be run; give at least one value")
    if len(values) > MOST_RUNS:
        raise InputError(f"{override.input_line}: these are more than {MOST_RUNS} values, the most runs that a sweep can have; give fewer")
    _refuse_sweep_within(override, values)
    sweep = override.value()
    if isinstance(sweep, ChoiceSweep | RangeSweep) and sweep.shuffle:
        random.shuffle(values)
    return replace(override, value_type=ValueType.CHOICE_SWEEP, _value=ChoiceSweep(list=values))


def _into_mirror(override: Override) -> Override:
    """An override below `variants`, or of a tier of the user's own, as Hydra has to take it: no file says what stands there."""
    name = override.key_or_group
    is_added = name.startswith("variants.") or ((_is_of_a_tier(name) or _is_of_own_strategy(name)) and not override.is_delete())
    return replace(override, type=OverrideType.FORCE_ADD) if is_added else override


def _refuse_sweep_within(override: Override, value: Any) -> None:
    """Refuse what Hydra's grammar lets through and Hydra cannot spell: a sweep inside a list or a dictionary."""
    if isinstance(value, Sweep | Glob):
        raise InputError(
            f"{override.input_line}: several values stand inside a list or a mapping; "
            f"write each value in full, as in {override.key_or_group}=[1],[2]"
        )
    inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    for each in inner:
        _refuse_sweep_within(override, each)


def _values(override: Override, config_dir: str | None) -> Iterable[Any]:
    """The values of a sweep in their order, as many as there may be."""
    sweep = override.value()
    if isinstance(sweep, RangeSweep):
        return sweep.range()
    if isinstance(sweep, Glob):
        group = override.key_or_group
        if group not in GROUPS:
            raise InputError(f"{override.input_line}: glob() is for {', '.join(GROUPS)} only; write the values themselves")
        return sweep.filter(group_choices(group, config_dir))
    if isinstance(sweep, ChoiceSweep):
        return sweep.list
    raise InputError(f"{override.input_line}: interval() gives no list of values; write range(begin,end,step)")


def _parse(word: str) -> Override:
    """Parse one word; a text that needs quotes, such as a path with spaces, gets them."""
    name, equals, value = word.partition("=")
    is_text = name in text_options() and name not in GROUPS
    attempts = [word] if not is_text else [word, name + equals + '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"']
    for attempt in attempts:
        try:
            override = OverridesParser.create().parse_override(attempt)
        except (HydraException, RecursionError):  # the latter of hundreds of brackets in each other
            continue
        if not (is_text and isinstance(override.value(), int | float)):  # a folder may be called 5, 1e3 or false
            return override
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
    if name in _HYDRA_SECTIONS:
        raise InputError(f"{override.input_line}: {name} holds several options, name one of them, such as hydra.mode")
    if name == LAUNCHER_GROUP:
        choices = sorted({IN_PROCESS, *group_choices(LAUNCHER_GROUP, config_dir)})
        check_launcher(override, choices, nearest_name)
    if is_hydras(name):
        if override.is_sweep_override():
            raise InputError(f"{override.input_line}: {name} is about the sweep itself; give it one value only")
        return
    if name.startswith(f"{APPLICATIONS}.") and not override.is_delete():
        _judge_application(override)
        return
    if (today := new_name(name)) is not None:
        raise InputError(f"{override.input_line}: {name} is called {today} today: write that")
    if _is_of_a_tier(name) and not override.is_delete():
        _judge_tier(override)
        return
    if _is_of_own_strategy(name) and not override.is_delete():
        return
    if override.is_add() or override.is_force_add():
        known = name in option_fields() or name in GROUPS
        instead = f"write {name}=VALUE" if known else f"there is no option {name}; {_meant(name)}"
        raise InputError(f"{override.input_line}: options cannot be added; {instead}")
    if override.is_delete():
        raise InputError(f"{override.input_line}: options cannot be deleted; to change {name}, write {name}=VALUE")
    if name not in option_fields() and name not in GROUPS:
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


def _is_of_a_tier(name: str) -> bool:
    """Whether a name is that of a tier of the user's own, or of an option of one."""
    section, _, rest = name.removeprefix("variants.").partition(".")
    return section == "tiers" and bool(rest) and rest.partition(".")[0] not in Tiers.model_fields


def _is_of_own_strategy(name: str) -> bool:
    """Whether a name is that of an option of a strategy of the user's own; which ones there are its class says."""
    section, *rest = name.removeprefix("variants.").split(".")
    return section == "strategy" and len(rest) == 2 and rest[0] not in Strategies.model_fields and all(rest)


def _judge_tier(override: Override) -> None:
    """Check a tier of the user's own, or one of its options; which ones there are is known only when all is composed."""
    key = override.key_or_group
    _, name, *field = key.removeprefix("variants.").split(".")
    fields = list(Tier.model_fields)
    is_whole = not field and not key.startswith("variants.")
    if not name or not (is_whole or (len(field) == 1 and field[0] in fields)):
        raise InputError(
            f"{override.input_line}: write '+tiers.NAME={{latency_ms: 100, compute_ms: 5, area: all}}' for a tier of your own, "
            f"or an option of a tier, such as tiers.local.latency_ms=20; {_meant(key)}"
        )


def _meant(name: str) -> str:
    options = option_fields()
    varied = name.removeprefix("variants.")
    if varied != name and varied in options:
        if varied == "strategies":
            return "all strategies share the pass already: write 'strategies=[pm,oracle]'"
        return f"one pass cannot have several values of {varied}; make a sweep instead: -m {varied}=VALUE,VALUE"
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
