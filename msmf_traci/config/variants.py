"""The combinations of varied options that one mobility pass serves. Model, section 11."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from msmf_traci.config.schema import VARIED, Config

MOST_COMBINATIONS = 10_000


@dataclass(frozen=True)
class Combination:
    """One value for each varied option.

    Attributes
    ----------
    values
        Them, by the options' dotted names.
    config
        The configuration with these values.
    """

    values: dict[str, Any]
    config: Config


def varied_options(config: Config) -> dict[str, list[Any]]:
    """Values of every varied option, by its dotted name, in the order of the schema."""
    found: dict[str, list[Any]] = {}
    for section in VARIED:
        mirror = getattr(config.variants, section)
        for name in type(mirror).model_fields:
            values = getattr(mirror, name)
            if values is not None:
                found[f"{section}.{name}"] = values
    return found


def combinations(config: Config) -> list[Combination]:
    """Every combination; the configuration itself where nothing is varied.

    Raises
    ------
    ValueError
        If there are too many, or one of them is no configuration (pydantic's error).
    """
    varied = varied_options(config)
    if not varied:
        return [Combination({}, config)]
    many = math.prod(len(values) for values in varied.values())
    if many > MOST_COMBINATIONS:
        raise ValueError(f"variants asks for {many} combinations in one pass, more than {MOST_COMBINATIONS}: vary fewer options at once")
    plain = config.model_dump()
    found = []
    for values in itertools.product(*varied.values()):
        chosen = dict(zip(varied, values, strict=True))
        tree = {name: dict(section) if isinstance(section, dict) else section for name, section in plain.items()}
        for option, value in chosen.items():
            section, name = option.split(".")
            tree[section][name] = value
        found.append(Combination(chosen, Config.model_validate(tree)))
    return found
