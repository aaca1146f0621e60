"""Options of strategies of the user's own: their classes declare them, as fields of a dataclass with defaults."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from msmf_traci.config.strategy_schema import BUILT_IN, Strategies
from msmf_traci.errors import InputError


def with_own_options(plain: dict[str, Any]) -> dict[str, Any]:
    """A configuration in which every strategy of the user's own has all its options, checked; those not given at their defaults.

    Raises
    ------
    InputError
        If an option is given that no strategy in use has, or a value is none that its class takes.
    """
    given, varied = _own(plain.get("strategy")), _own((plain.get("variants") or {}).get("strategy"))
    names: Any = plain.get("strategies")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return plain  # refused by the schema
    if not (given or varied or set(names) - set(BUILT_IN)):
        return plain
    kinds = {kind.name: kind for kind in _load(names)}
    for section, prefix in ((given, "strategy"), (varied, "variants.strategy")):
        for name, options in section.items():
            if not isinstance(options, Mapping):
                raise InputError(f"{prefix}.{name}={options}: write an option of it, such as {prefix}.{name}.OPTION=VALUE")
            for option in options:
                _check_known(f"{prefix}.{name}.{option}", name, option, kinds)
    own = {}
    for name in kinds.keys() - {*BUILT_IN}:
        if not is_dataclass(kinds[name].Options):
            raise InputError(f"strategy {name}: its Options is no dataclass; write @dataclass(frozen=True) above the class")
        values = given.get(name) or {}
        own[name] = _checked(name, kinds[name].Options, values)
        for option, each in (varied.get(name) or {}).items():
            checked = [_checked(name, kinds[name].Options, {**values, option: value})[option] for value in _list_of(name, option, each)]
            varied[name][option] = checked
            if any(value in checked[:i] for i, value in enumerate(checked)):
                raise InputError(f"variants.strategy.{name}.{option}={each}: names a value twice: give every value once")
    return {**plain, "strategy": {**plain["strategy"], **{name: own[name] for name in sorted(own)}}}


def own_kinds(names: Sequence[str]) -> list[Any]:
    """Classes of those strategies of some names that are not ours.

    Raises
    ------
    InputError
        If there is no such strategy.
    """
    return [kind for kind in _load(names) if kind.name not in BUILT_IN] if set(names) - set(BUILT_IN) else []


def options_of_kind(kind: Any) -> dict[str, tuple[Any, str]]:
    """Default and type, in words, of each option of a strategy's class."""
    return {each.name: (_default_of(each), getattr(each.type, "__name__", str(each.type))) for each in fields(kind.Options)}


def _load(names: Sequence[str]) -> list[Any]:
    from msmf_traci.strategies.plugins import load_strategies  # with it comes numba, which takes a second

    return list(load_strategies(names))


def _own(section: Any) -> dict[str, Any]:
    """What a section holds of strategies that are not ours."""
    return {name: each for name, each in section.items() if name not in Strategies.model_fields} if isinstance(section, dict) else {}


def _check_known(path: str, name: str, option: str, kinds: Mapping[str, Any]) -> None:
    if name not in kinds:
        close = difflib.get_close_matches(name, [*kinds, *Strategies.model_fields], n=1)
        hint = f"did you mean {close[0]}?" if close else f"strategies has {', '.join(kinds)}"
        raise InputError(f"{path}: no strategy in use is called {name}; {hint}")
    known = [each.name for each in fields(kinds[name].Options)]
    if option not in known:
        close = difflib.get_close_matches(option, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known) or 'none'}"
        raise InputError(f"{path}: strategy {name} has no option {option}; {hint}")


def _checked(name: str, kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return asdict(TypeAdapter(kind).validate_python(dict(values)))
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        said = f"strategy.{name}.{first['loc'][0]}={values.get(str(first['loc'][0]))}" if first["loc"] else f"strategy.{name}"
        raise InputError(f"{said}: {message} (class {kind.__name__})") from None


def _list_of(name: str, option: str, values: Any) -> Sequence[Any]:
    if not isinstance(values, list) or not values:
        raise InputError(f"variants.strategy.{name}.{option}={values}: write a list of values that share the pass, such as [1,2]")
    return values


def _default_of(field: Any) -> Any:
    return field.default if field.default is not MISSING else field.default_factory() if field.default_factory is not MISSING else None
