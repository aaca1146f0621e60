"""From the words of a command line to judged configurations, one for each run, before anything is started."""

from __future__ import annotations

import copy
import difflib
import functools
import itertools
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import yaml
from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from msmf_traci.config.applications import refuse_doubles
from msmf_traci.config.deployment_schema import Tier, Tiers
from msmf_traci.config.earlier_names import new_name
from msmf_traci.config.habits import as_meant
from msmf_traci.config.idle import refuse_idle, refuse_idle_of_servers, refuse_typed
from msmf_traci.config.launchers import IN_PROCESS, LAUNCHER_GROUP, accept_schemas_of_plugins, check_installed, is_hydras, usable_cores
from msmf_traci.config.migration_schema import Application
from msmf_traci.config.overrides import GROUPS, MOST_RUNS, nearest_name, parse_overrides, with_typed_params
from msmf_traci.config.own_options import with_own_options
from msmf_traci.config.rounds import refuse_rounds_without_number
from msmf_traci.config.schema import APPLICATIONS, Config, option_fields
from msmf_traci.config.variants import combinations
from msmf_traci.errors import InputError

CONFIG_MODULE = "msmf_traci.conf"
accept_schemas_of_plugins()  # on import, which comes before a worker composes the run that it is handed


@dataclass(frozen=True)
class Point:
    """One run of a command: its configuration and the words that made it."""

    config: Config
    overrides: tuple[str, ...]
    swept: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    """What a command line asks for: one run, or the points of a sweep.

    Attributes
    ----------
    points
        The runs.
    is_sweep
        Whether they are a sweep.
    launcher
        Which of Hydra's launchers carries a sweep out.
    hydra_words
        Overrides about Hydra itself, for composing a point of the sweep in a worker.
    """

    points: list[Point]
    is_sweep: bool
    launcher: str = IN_PROCESS
    hydra_words: tuple[str, ...] = ()


@contextmanager
def our_hydra() -> Iterator[None]:
    """Hydra on our configuration, whatever Hydra the calling program has open meanwhile."""
    theirs = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module(CONFIG_MODULE, version_base="1.3", job_name="msmf-traci"):
            yield
    finally:
        GlobalHydra.instance().hydra = theirs


def register_resolvers() -> None:
    """Make `${unless_given:FILE,...,VALUE}` (VALUE, or null where a FILE is given) and `${usable_cores:}` known to the files."""
    OmegaConf.register_new_resolver("usable_cores", usable_cores, replace=True)
    OmegaConf.register_new_resolver(
        "unless_given", lambda *words: None if any(word is not None for word in words[:-1]) else words[-1], replace=True
    )


def read_request(words: Sequence[str], *, multirun: bool = False, config_dir: str | None = None) -> Request:
    """Compose and judge every run that a command line asks for.

    Parameters
    ----------
    words
        Overrides as typed.
    multirun
        Whether `-m` was typed; an experiment may ask for a sweep too.
    config_dir
        A folder of the user's own configuration, searched first.

    Raises
    ------
    InputError
        One sentence on the first thing that is wrong in any of the runs.
    """
    register_resolvers()
    overrides = [override for override in parse_overrides(with_typed_params(words), config_dir) if not _is_no_experiment(override)]
    names = {override.key_or_group for override in overrides}
    search = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir is not None else []
    with our_hydra():
        first = _compose([*search, *(_first_value(override) for override in overrides)])
        is_sweep = multirun or first.hydra.mode == RunMode.MULTIRUN
        if not is_sweep:
            _refuse_sweep_values(overrides)
            _refuse_launcher(overrides)
            typed = tuple(override.input_line for override in overrides if override.input_line is not None)
            point = Point(_judge(first), typed, ())
            refuse_typed([point.config], names)
            return Request([point], is_sweep=False)
        launcher = str(first.hydra.runtime.choices["hydra/launcher"])
        check_installed(launcher)
        overrides = _with_sweep_of_experiment(first, overrides, config_dir)
        points = _points(overrides, search)
        refuse_typed([point.config for point in points], names)
    hydra_words = (*search, *(_first_value(override) for override in overrides if is_hydras(override.key_or_group)))
    return Request(points, True, launcher, hydra_words)


def _points(overrides: Sequence[Override], search: list[str]) -> list[Point]:
    """The points of a sweep, judged.

    Composing takes tens of milliseconds. So what is swept over plain options alone is composed once and given each point's values
    just as Hydra gives them.
    """
    swept = tuple(dict.fromkeys(override.key_or_group for override in overrides if override.is_sweep_override()))
    for override in overrides:
        if override.is_sweep_override() and override.key_or_group.startswith("variants."):
            name, _, typed = str(override.input_line).partition("=")
            raise InputError(
                f"{override.input_line}: values under variants share one mobility pass; write them as a list, '{name}=[{typed}]'"
            )
    is_late = [override.is_sweep_override() and _comes_late(override, overrides) for override in overrides]
    values = [values_of(override) for override in overrides]
    if (runs := math.prod(map(len, values))) > MOST_RUNS:
        raise InputError(f"the sweep asks for {runs} runs, more than {MOST_RUNS}: give fewer values, or let values share a pass (variants)")
    bases: dict[tuple[str, ...], tuple[DictConfig, str | None]] = {}
    points = []
    for combination in itertools.product(*values):
        early = tuple(word for word, is_one in zip(combination, is_late, strict=True) if not is_one)
        if early not in bases:
            whole = _compose([*search, *early])
            options = OmegaConf.masked_copy(whole, [str(key) for key in whole if key != "hydra"])
            bases[early] = options, whole.hydra.runtime.choices.get("experiment")
        options, experiment = bases[early]
        late = [word for word, is_one in zip(combination, is_late, strict=True) if is_one]
        points.append(Point(judge_composed(_with_values(options, late), experiment), combination, swept))
    return points


def _comes_late(override: Override, overrides: Sequence[Override]) -> bool:
    """Whether an override may be applied after all the others: it sets an option, and no other touches that."""
    name = override.key_or_group
    others = [other.key_or_group for other in overrides if other is not override]
    return (
        name in option_fields()
        and name not in GROUPS
        and not any(other == name or other.startswith(f"{name}.") or name.startswith(f"{other}.") for other in others)
    )


def _with_values(composed: DictConfig, words: Sequence[str]) -> DictConfig:
    """A composed configuration with other values of some options, set as Hydra sets overrides."""
    changed = copy.deepcopy(composed)
    for word in words:
        override = _parsed(word)
        OmegaConf.update(changed, override.key_or_group, override.value(), merge=True)
    return changed


@functools.lru_cache(maxsize=10_000)
def _parsed(word: str) -> Override:
    return OverridesParser.create().parse_override(word)


def _judge(composed: DictConfig) -> Config:
    return judge_composed(composed, composed.hydra.runtime.choices.get("experiment"))


def _is_no_experiment(override: Override) -> bool:
    """Whether an override says `experiment=null`, the default, which Hydra cannot compose."""
    return override.key_or_group == "experiment" and not override.is_sweep_override() and override.value() is None


def _with_sweep_of_experiment(first: DictConfig, overrides: list[Override], config_dir: str | None) -> list[Override]:
    """The overrides, with those that an experiment sweeps before them, unless they were typed."""
    typed = {override.key_or_group for override in overrides}
    params = {key: value for key, value in (first.hydra.sweeper.params or {}).items() if key not in typed}
    return parse_overrides([f"{key}={value}" for key, value in params.items()], config_dir) + overrides


def values_of(override: Override) -> list[str]:
    """The words of one override in the points of a sweep, spelt as Hydra's sweeper spells them."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _first_value(override: Override) -> str:
    return values_of(override)[0]


def _refuse_sweep_values(overrides: Sequence[Override]) -> None:
    for override in overrides:
        if override.is_sweep_override():
            raise InputError(
                f"{override.input_line}: several values make a sweep; add -m (in Python: call sweep), or write a list in brackets"
            )


def _refuse_launcher(overrides: Sequence[Override]) -> None:
    for override in overrides:
        if override.key_or_group.startswith((LAUNCHER_GROUP, "hydra.launcher.")):
            raise InputError(f"{override.input_line}: a launcher carries out a sweep, but this is a single run; add -m, or leave it out")


def _compose(words: list[str]) -> DictConfig:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="provider=hydra.searchpath")  # a folder that is not there
            return compose("config", overrides=words, return_hydra_config=True)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{mark.name}, line {mark.line + 1}" if mark is not None else "a configuration file"
        raise InputError(f"{where}: this is not valid YAML ({getattr(error, 'problem', None) or error}); correct the file") from None
    except (OSError, MemoryError):  # a working folder that is gone, say
        raise
    except Exception as error:  # of words about Hydra itself it raises what its code happens upon, such as AssertionError
        text = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
        raise InputError(f"the configuration cannot be composed: {text}; see msmf-traci --help") from None


def judge_composed(composed: DictConfig, experiment: str | None) -> Config:
    """Judge a configuration that Hydra has composed, with the name of the experiment chosen.

    Raises
    ------
    InputError
        One sentence on the first thing that is wrong.
    """
    try:
        plain = {
            str(key): OmegaConf.to_container(composed[key], resolve=True) if OmegaConf.is_config(composed[key]) else composed[key]
            for key in composed
            if key != "hydra"
        }
    except OmegaConfBaseException as error:
        text = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
        raise InputError(f"the configuration cannot be resolved: {text}; see msmf-traci --help") from None
    if isinstance(plain.get("experiment"), dict):
        raise InputError(
            f"experiment {experiment}: its file must begin with the line '# @package _global_', so that it is read as options; "
            "see docs/experiments.md"
        )
    plain["experiment"] = plain.get("experiment") or experiment
    plain = with_own_options(as_meant(plain))
    try:
        config = Config.model_validate(plain)
        refuse_idle(config)
        varied = [each.config for each in combinations(config)]
        refuse_doubles(varied)
        refuse_idle_of_servers(config, varied)
        refuse_rounds_without_number(varied)
    except ValidationError as error:
        raise InputError(_sentence(error, plain)) from None
    except ValueError as error:
        raise InputError(str(error)) from None
    return config


def _sentence(error: ValidationError, plain: dict[str, Any]) -> str:
    first = error.errors()[0]
    parts = [str(part) for part in first["loc"]]
    if parts[:1] == [APPLICATIONS]:
        return f"{'.'.join(parts)}: {reason_of(first['msg'])}; an application has {', '.join(Application.model_fields)}"
    options = option_fields()
    for name in _named(parts, first.get("input")):
        if (today := new_name(name)) is not None:
            return f"a configuration file names {name}, which is called {today} today: write that"
    if parts[:1] == ["tiers"] and len(parts) > 1 and parts[1] not in Tiers.model_fields:
        if first["type"] == "missing" and (close := difflib.get_close_matches(parts[1], set(plain["tiers"]["order"]) - {parts[1]}, n=1)):
            return f"there is no tier {parts[1]}; did you mean {close[0]}?"
        return f"{'.'.join(parts)}: {reason_of(first['msg'])}; a tier has {', '.join(Tier.model_fields)}"
    is_section = any(option.startswith(f"{'.'.join(parts)}.") for option in options)
    if ".".join(parts) not in options and (len(parts) < 2 or is_section) and first["type"] == "value_error":
        return reason_of(first["msg"])  # a check across options names them itself
    depth = next((n for n in (4, 3, 2) if ".".join(parts[:n]) in options), 1)
    name = ".".join(parts[:depth])
    if first["type"] == "extra_forbidden":
        name = ".".join(parts)
        return f"a configuration file names an option that does not exist, {name}; {nearest_name(name, list(options))}"
    reasons = dict.fromkeys(
        reason_of(detail["msg"])
        for detail in error.errors()
        if [str(part) for part in detail["loc"]][: name.count(".") + 1] == name.split(".")
    )
    value: Any = plain
    for part in name.split("."):
        with suppress(KeyError, TypeError):
            value = value[part]
    text = f"{name}={value}: {' or '.join(reasons)}"
    return f"{text}; {options[name][0]}" if name in options else text


def _named(parts: Sequence[str], value: Any) -> list[str]:
    """Options that a place in a configuration may name: itself, or those of the section that it is."""
    name = ".".join(parts)
    return [name, *(f"{name}.{inner}" for inner in value)] if isinstance(value, dict) else [name]


def reason_of(message: str) -> str:
    """What pydantic says, as half a sentence."""
    message = message.removeprefix("Value error, ").replace("List should have", "must have").replace("String should have", "must have")
    message = re.sub(r" (item|character)(s?) after validation, not \d+", r" value\2", message).replace(
        "at least 1 characters", "at least one character"
    )
    return message.replace("Input should be", "must be").replace("a valid integer", "an integer").replace("a valid", "a")
