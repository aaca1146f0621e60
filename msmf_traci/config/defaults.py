"""The defaults as `conf/` has them: an option at another value has been set by somebody."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml


@cache
def defaults() -> Mapping[str, Any]:
    """All that the files say, section by section; read once, since every point of a sweep is held against it."""
    found: dict[str, Any] = _read("config.yaml")
    tiers = {**_read("tiers/two.yaml"), **found["tiers"]}
    return MappingProxyType({**found, "tiers": tiers, "deployment": _read("deployment/hexagon.yaml")["deployment"]})


def _read(name: str) -> Any:
    return yaml.safe_load(files("msmf_traci.conf").joinpath(name).read_text(encoding="utf-8"))


def default_options(section: str) -> Mapping[str, Any]:
    """Options of a section with their defaults."""
    return MappingProxyType(defaults()[section])
