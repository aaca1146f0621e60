"""The combinations of varied options that one mobility pass serves. Model, section 11."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from msmf_traci.config.fields import Section
from msmf_traci.config.schema import Config, varied_fields

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
    found = dict(_varied("", config.variants))
    order = {option: place for place, option in enumerate(varied_fields())}
    return {option: found[option] for option in sorted(found, key=lambda option: order.get(option, len(order)))}


def _varied(section: str, mirror: Any) -> Iterator[tuple[str, list[Any]]]:
    """Options of which a mirror has values, those of tiers of the user's own too."""
    for name, values in mirror:
        if isinstance(values, Section):
            yield from _varied(f"{section}{name}.", values)
        elif isinstance(values, Mapping):
            yield from ((f"{section}{name}.{option}", each) for option, each in values.items())
        elif values is not None:
            yield f"{section}{name}", values


def combinations(config: Config) -> list[Combination]:
    """Every combination; the configuration itself where nothing is varied.

    Raises
    ------
    ValueError
        If there are too many, or one of them is no configuration (pydantic's error).
    """
    varied = varied_options(config)
    for option in varied:
        section, name, *_ = option.split(".")
        if section == "tiers" and name not in config.tiers.order:
            raise ValueError(f"variants.{option} is for a tier that is not in use: tiers.order names {', '.join(config.tiers.order)}")
    for option in sorted({option for group in config.vary.together for option in group} - set(varied)):
        raise ValueError(f"vary.together names {option}, which is not varied: give its values under variants.{option}")
    if config.vary.together and config.vary.design == "product":
        raise ValueError(
            "vary.together needs vary.design=one_at_a_time: a product combines all values already; set it, or leave vary.together out"
        )
    if not varied:
        return [Combination({}, config)]
    many = _how_many(config, varied)
    if many > MOST_COMBINATIONS:
        raise ValueError(f"variants asks for {many} combinations in one pass, more than {MOST_COMBINATIONS}: vary fewer options at once")
    plain = config.model_dump()
    found = []
    for chosen in _designed(config, varied):
        tree = plain
        for option, value in chosen.items():
            tree = _with_value(tree, option.split("."), value)
        found.append(Combination(chosen, Config.model_validate(tree)))
    return found


Values = dict[str, Any]


def _groups(config: Config, varied: Mapping[str, list[Any]]) -> list[Sequence[str]]:
    """Options whose values are combined with each other."""
    return [list(varied)] if config.vary.design == "product" else [*([option] for option in varied), *config.vary.together]


def _how_many(config: Config, varied: Mapping[str, list[Any]]) -> int:
    return sum(math.prod(len(varied[option]) for option in group) for group in _groups(config, varied))


def _designed(config: Config, varied: Mapping[str, list[Any]]) -> Iterator[Values]:
    """One value for every varied option, each combination once; one at a time begins with what is configured."""
    base: Values = {option: _value_of(config, option) for option in varied}
    each = [base] if config.vary.design == "one_at_a_time" else []
    for group in _groups(config, varied):
        each += [base | dict(zip(group, values, strict=True)) for values in itertools.product(*(varied[option] for option in group))]
    yield from {repr(chosen): chosen for chosen in each}.values()


def _value_of(section: Any, option: str) -> Any:
    return reduce(lambda at, name: at[name] if isinstance(at, Mapping) else getattr(at, name), option.split("."), section)


def _with_value(tree: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A configuration's tree with another value at a path; everything beside the path is shared with the old one."""
    name, *rest = path
    return {**tree, name: _with_value(tree[name], rest, value) if rest else value}
