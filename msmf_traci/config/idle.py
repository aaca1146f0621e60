"""Options that would have no effect with the source of positions or the routes chosen: said, since whoever set them meant something."""

from __future__ import annotations

from collections.abc import Collection

from msmf_traci.config.defaults import default_options
from msmf_traci.config.mobility_schema import Matching
from msmf_traci.config.schema import OF_HEXAGON, Config
from msmf_traci.errors import InputError

_OF_LATTICE = (*(f"deployment.{name}" for name in OF_HEXAGON), "tiers.regional_rings", "variants.tiers.regional_rings")
_OF_SUMO = ("vehicles", "depart_window_s", "speed_kmh", "speed_mode", "min_trip_m", "routing", "sumo_args")


def refuse_idle(config: Config) -> None:
    """Refuse options of SUMO's vehicles with GPS traces, of matching without them, and of routing where no trips are drawn.

    Raises
    ------
    ValueError
        One sentence on the first option that is at another value than its default, which says that somebody set it.
    """
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


def refuse_typed_of_lattice(config: Config, typed: Collection[str]) -> None:
    """Refuse options of the lattice that were typed for base stations of the user's own; what a scenario sets is not the user's.

    Raises
    ------
    InputError
        One sentence on the first such option.
    """
    for option in _OF_LATTICE if config.deployment.kind == "sites" else ():
        if option in typed:
            raise InputError(f"{option} is for the lattice, but deployment=sites takes base stations of your own: leave it out")
