"""Options that would have no effect with what else was chosen: said, since whoever set them meant something."""

from __future__ import annotations

from collections.abc import Collection

from msmf_traci.config.defaults import default_options
from msmf_traci.config.deployment_schema import OF_HEXAGON
from msmf_traci.config.mobility_schema import Matching
from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError

_OF_AREAS = ("rings", "clusters", "column")
_OF_SUMO = ("vehicles", "depart_window_s", "speed_kmh", "speed_mode", "min_trip_m", "routing", "sumo_args")


def refuse_idle(config: Config) -> None:
    """Refuse options of SUMO's vehicles with GPS traces, of matching without them, of routing where no trips are drawn, of other areas.

    Raises
    ------
    ValueError
        One sentence on the first option that is at another value than its default, which says that somebody set it.
    """
    _refuse_idle_of_areas(config)
    if config.mobility.source == "gps":
        defaults = default_options("mobility")
        for option in _OF_SUMO:
            value = getattr(config.mobility, option)
            if value is not None and value != defaults[option]:
                raise ValueError(
                    f"mobility.{option}={value} is for vehicles that SUMO drives, but mobility.source=gps drives GPS traces: "
                    "leave it out (docs/gps.md has the options for GPS traces)"
                )
        return
    routing = config.mobility.routing
    if (config.scenario.has_own_routes or config.mobility.is_from_file) and routing != default_options("mobility")["routing"]:
        raise ValueError(
            f"mobility.routing={routing} is for random trips, but here "
            f"{'the routes are your own' if config.scenario.has_own_routes else 'positions come from a file'}: leave it out"
        )
    defaults = default_options("matching")
    for option in Matching.model_fields:
        value = getattr(config.matching, option)
        if value != defaults[option]:
            raise ValueError(
                f"matching.{option}={value} is for GPS traces, but mobility.source={config.mobility.source} has none: "
                "leave it out, or set mobility.source=gps"
            )


def _refuse_idle_of_areas(config: Config) -> None:
    defaults = default_options("tiers")
    for name, tier in config.tiers.in_use.items():
        for option in _OF_AREAS:
            value = getattr(tier, option)
            if option != tier.area and value not in (None, defaults.get(name, {}).get(option)):
                raise ValueError(f"tiers.{name}.{option}={value} is for area={option}, but tiers.{name}.area={tier.area}: leave out one")
        if config.deployment.kind == "sites" and tier.area == "rings":
            raise ValueError(f"tiers.{name}.area=rings is for a lattice, but base stations of your own have none: set area=clusters")
        if config.deployment.kind == "hexagon" and tier.area == "column":
            raise ValueError(f"tiers.{name}.area=column is for base stations of your own: add deployment=sites, or set area=clusters")
    if config.links.file is not None and config.links.round_trip_ms:
        raise ValueError(
            f"links.round_trip_ms={config.links.round_trip_ms:g} conflicts with links.file, from which round trips follow: leave it out"
        )


def refuse_typed(config: Config, typed: Collection[str]) -> None:
    """Refuse options that were typed and have no effect; what a scenario sets for a lattice is not the user's.

    Raises
    ------
    InputError
        One sentence on the first such option.
    """
    for option in (f"deployment.{name}" for name in OF_HEXAGON if config.deployment.kind == "sites"):
        if option in typed:
            raise InputError(f"{option} is for the lattice, but deployment=sites takes base stations of your own: leave it out")
    for option in typed:
        section, _, rest = option.removeprefix("variants.").partition(".")
        tier = rest.partition(".")[0]
        if section == "tiers" and tier not in ("", "order", *config.tiers.order):
            raise InputError(f"{option} is for a tier that is not in use: tiers.order names {', '.join(config.tiers.order)}")
