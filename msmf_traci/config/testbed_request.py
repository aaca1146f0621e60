"""From the words of `msmf-traci testbed run` to judged configurations, one for each session."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import ValidationError

from msmf_traci.config.compose import CONFIG_MODULE, reason_of, values_of
from msmf_traci.config.defaults import default_options
from msmf_traci.config.overrides import list_values, nearest_name
from msmf_traci.config.schema import APPLICATIONS, options_of
from msmf_traci.config.testbed_schema import SessionConfig
from msmf_traci.errors import InputError

_SIZES = ("image_mb", "memory_mb", "dirty_percent_per_s")
_OF_ONE_TRANSFER = ("source", "target", "handoff.after_s", "handoff.lead_s")


@dataclass(frozen=True)
class SessionPoint:
    """One session: its configuration, with the application's sizes filled in, and the words that made it."""

    config: SessionConfig
    overrides: tuple[str, ...]


def read_testbed_request(words: Sequence[str], *, multirun: bool) -> list[SessionPoint]:
    """Compose and judge every session that a command line asks for.

    Raises
    ------
    InputError
        One sentence on the first thing that is wrong in any of them.
    """
    overrides = [_parse(word) for word in words]
    names = [word.partition("=")[0] for word in words]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{name} is given {names.count(name)} times; give it once")
    for override in overrides:
        if override.is_sweep_override() and not multirun:
            raise InputError(f"{override.input_line}: several values make a sweep; add -m")
    with initialize_config_module(CONFIG_MODULE, version_base="1.3", job_name="msmf-traci-testbed"):
        return [_point(combination) for combination in itertools.product(*(values_of(override) for override in overrides))]


@functools.cache
def session_options() -> dict[str, tuple[str, Any]]:
    """Every option by its dotted name: (description, default)."""
    defaults = yaml.safe_load(files(CONFIG_MODULE).joinpath("testbed.yaml").read_text(encoding="utf-8"))
    found = {}
    for name, field in SessionConfig.model_fields.items():
        for option, (description, _) in options_of(name, field).items():
            value = defaults
            for part in option.split("."):
                value = value[part]
            found[option] = description, value
    return found


def _parse(word: str) -> Override:
    name, equals, _ = word.partition("=")
    if not equals:
        raise InputError(f"{word}: write name=value; see msmf-traci testbed run --help")
    options = session_options()
    if name not in options:
        raise InputError(f"{word}: there is no option {name}; {nearest_name(name, list(options))}")
    try:
        return list_values(OverridesParser.create().parse_override(word))
    except (HydraException, RecursionError):
        raise InputError(f"{word}: cannot be read; write name=value, and text with special characters as '{name}=\"...\"'") from None


def _point(words: tuple[str, ...]) -> SessionPoint:
    try:
        plain: Any = OmegaConf.to_container(compose("testbed", overrides=list(words)), resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        text = re.sub(r"\s+", " ", str(error)).strip().rstrip(".")
        raise InputError(f"the configuration cannot be composed: {text}; see msmf-traci testbed run --help") from None
    preset = default_options(APPLICATIONS).get(plain["application"], {})
    for name in _SIZES:
        if plain[name] is None:
            plain[name] = preset.get(name)
    try:
        config = SessionConfig.model_validate(plain)
    except ValidationError as error:
        raise InputError(_sentence(error, plain)) from None
    _refuse_without_effect(words, config)
    return SessionPoint(config, words)


def _refuse_without_effect(words: Sequence[str], config: SessionConfig) -> None:
    has_drive = config.drive.run is not None
    for word in words:
        name = word.partition("=")[0]
        if name == "handoff.after_s" and config.handoff.lead_s is not None:
            raise InputError(f"{word}: handoff.lead_s already says when the user hands off; leave one of the two out")
        if has_drive and name in _OF_ONE_TRANSFER:
            raise InputError(f"{word}: drive.run already says from where to where the container goes, and when; leave one of the two out")
        if not has_drive and name.startswith("drive.") and name != "drive.run":
            raise InputError(f"{word}: needs drive.run=FOLDER, a run with output.trace=true")


def _sentence(error: ValidationError, plain: dict[str, Any]) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return reason_of(first["msg"])
    name = ".".join(str(part) for part in first["loc"])
    options = session_options()
    option = next((each for each in options if name == each or name.startswith(f"{each}.")), name)
    value: Any = plain
    for part in option.split("."):
        value = value[part]
    return f"{option}={value}: {reason_of(first['msg'])}; {options[option][0]}"
