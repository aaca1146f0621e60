"""Names that options had in the first edition: refused where they are typed, translated where runs of that time are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEW_NAMES: Mapping[str, tuple[str, ...]] = {
    "tiers.regional_rings": ("tiers.regional.rings",),
    "tiers.local_latency_ms": ("tiers.local.latency_ms",),
    "tiers.regional_latency_ms": ("tiers.regional.latency_ms",),
    "tiers.compute_ms": ("tiers.local.compute_ms", "tiers.regional.compute_ms"),
    "tiers.hop_latency_ms": ("links.hop_latency_ms",),
    "tiers.min_speed_kmh": ("tier_choice.min_speed_kmh",),
    "nearest.trigger_m": ("strategy.nearest.trigger_m",),
    "coverage_filter.min_m": ("strategy.pm_op.min_m",),
    "coverage_filter.min_dwell_s": ("strategy.pm_op.min_dwell_s",),
    "capacity.local": ("tiers.local.capacity",),
    "capacity.regional": ("tiers.regional.capacity",),
}
_VARIANTS = "variants."
_GONE = ("capacity", "nearest", "coverage_filter")  # sections of the first edition
_TWO_TIERS: Mapping[str, Any] = {"order": ["local", "regional"], "local": {"area": "cell"}, "regional": {"area": "rings"}}


def new_name(name: str) -> str | None:
    """What an option of the first edition is called today, in words; None if the name is none of these."""
    varied = _VARIANTS if name.startswith(_VARIANTS) else ""
    found = NEW_NAMES.get(name.removeprefix(_VARIANTS))
    return None if found is None else " and ".join(f"{varied}{each}" for each in found)


def earlier_name(name: str) -> str:
    """What an option was called in the first edition."""
    return next((old for old, new in NEW_NAMES.items() if name in new), name)


def with_new_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in which options of the first edition have the names of today, values and variants alike."""
    renamed = _renamed(config)
    if is_of_first_edition(config):
        tiers = renamed.get("tiers", {})
        renamed["tiers"] = {**tiers, **_TWO_TIERS} | {name: {**_TWO_TIERS[name], **(tiers.get(name) or {})} for name in _TWO_TIERS["order"]}
    if isinstance(variants := config.get("variants"), Mapping):
        renamed["variants"] = _renamed(variants)
    return renamed


def is_of_first_edition(config: Mapping[str, Any]) -> bool:
    """Whether a run's configuration is of the first edition, which had two tiers without names of their own."""
    return "order" not in config.get("tiers", {})


def _renamed(sections: Mapping[str, Any]) -> dict[str, Any]:
    found = {section: dict(content) if isinstance(content, Mapping) else content for section, content in sections.items()}
    for old, new in NEW_NAMES.items():
        section, name = old.split(".")
        if not isinstance(found.get(section), dict) or name not in found[section]:
            continue
        value = found[section].pop(name)
        for path in new:
            *parents, last = path.split(".")
            at = found
            for parent in parents:
                at = at.setdefault(parent, {})
            at[last] = value
    return {section: content for section, content in found.items() if section not in _GONE}
