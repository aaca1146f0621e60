"""What people write by habit, taken as it is meant: one value where a list is due (`strategies=pm`), `yes` for `true`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, get_origin

from msmf_traci.config.fields import kinds_of
from msmf_traci.config.schema import option_fields

_YES_AND_NO = {"yes": True, "on": True, "no": False, "off": False}


def as_meant(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration before it is judged, with such values as they are meant; whatever else is wrong remains so.

    Parameters
    ----------
    plain
        Sections by their names, options by theirs.
    """
    return {name: _as_meant(name, value) for name, value in plain.items()}


def _as_meant(option: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _as_meant(f"{option}.{name}", inner) for name, inner in value.items()}
    if isinstance(value, str) and option in _yes_or_no():
        return _YES_AND_NO.get(value.lower(), value)
    return [value] if isinstance(value, str | int | float) and option in _lists() else value


@functools.cache
def _yes_or_no() -> frozenset[str]:
    return frozenset(name for name, (_, field) in option_fields().items() if bool in kinds_of(field.annotation))


@functools.cache
def _lists() -> frozenset[str]:
    """Options that take a list and no single value; those under `variants` too, whose value is a list of values."""
    found = set()
    for name, (_, field) in option_fields().items():
        kinds = [get_origin(kind) or kind for kind in kinds_of(field.annotation)]
        if name.startswith("variants.") or (list in kinds and not {str, int, float, dict} & set(kinds)):
            found.add(name)
    return frozenset(found)
