"""Options that would have no effect with what else was chosen: said, since whoever set them meant something."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msmf_traci.config.defaults import default_options
from msmf_traci.config.deployment_schema import OF_HEXAGON
from msmf_traci.config.mobility_schema import Matching
from msmf_traci.config.schema import Config
from msmf_traci.config.strategy_schema import BUILT_IN, taken_from
from msmf_traci.errors import InputError

_OF_AREAS = ("rings", "clusters", "column")
_OF_SUMO = ("vehicles", "depart_window_s", "speed_kmh", "speed_mode", "min_trip_m", "routing", "sumo_args")


def refuse_idle(config: Config) -> None:
    """Refuse options of SUMO's vehicles with GPS traces, of matching without them, of routing where no trips are drawn.

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


def refuse_idle_of_servers(config: Config, varied: Sequence[Config]) -> None:
    """Refuse options of areas, links and images that have no effect in any of the combinations that one pass serves.

    Parameters
    ----------
    config
        As configured.
    varied
        Its combinations.

    Raises
    ------
    ValueError
        One sentence on the first such option.
    """
    defaults = default_options("tiers")
    for name in config.tiers.order:
        tiers = [each.tiers.in_use[name] for each in varied]
        areas = {tier.area for tier in tiers}
        for option in _OF_AREAS:
            values = [getattr(tier, option) for tier in tiers]
            is_set = any(value not in (None, defaults.get(name, {}).get(option)) for value in values) or len({*values}) > 1
            if is_set and option not in areas:
                value = values[0] if len({*values}) == 1 else f"[{', '.join(map(str, dict.fromkeys(values)))}]"
                raise ValueError(
                    f"tiers.{name}.{option}={value} is for area={option}, but tiers.{name}.area={tiers[0].area}: leave out one"
                )
        if config.deployment.kind == "sites" and "rings" in areas:
            raise ValueError(f"tiers.{name}.area=rings is for a lattice, but base stations of your own have none: set area=clusters")
        if config.deployment.kind == "hexagon" and "column" in areas:
            raise ValueError(f"tiers.{name}.area=column is for base stations of your own: add deployment=sites, or set area=clusters")
    _refuse_idle_of_links(config, varied)
    _refuse_idle_of_images(varied)


def _refuse_idle_of_links(config: Config, varied: Sequence[Config]) -> None:
    linked = [each for each in varied if each.links.file is not None]
    if (both := next((each for each in linked if each.links.round_trip_ms), None)) is not None:
        raise ValueError(
            f"links.round_trip_ms={both.links.round_trip_ms:g} conflicts with links.file, from which round trips follow: leave it out"
        )
    if len(linked) < len(varied):
        return
    hops_ms = {each.links.hop_latency_ms for each in varied}
    if hops_ms != {default_options("links")["hop_latency_ms"]}:
        raise ValueError("links.hop_latency_ms conflicts with links.file, by which requests take paths and no hops: leave it out")
    for name in config.tiers.order[1:]:
        if len({each.tiers.in_use[name].latency_ms for each in varied}) > 1:
            raise ValueError(
                f"variants.tiers.{name}.latency_ms conflicts with links.file, in which the path says the latency: leave it out"
            )


def _refuse_idle_of_images(varied: Sequence[Config]) -> None:
    if any(each.images.prefetch_when == "idle" and each.links.mode == "dedicated" for each in varied):
        raise ValueError("images.prefetch_when=idle is for shared links, but links.mode=dedicated: set links.mode=shared, or leave it out")
    if any(each.images.shared for each in varied) and not any(each.workload.mix for each in varied):
        raise ValueError("images.shared=true is for applications, but workload.application names none: add one, or leave it out")
    uplink = next((each.images.cloud_uplink_mbps for each in varied if each.images.cloud_uplink_mbps is not None), None)
    if uplink is not None and all(each.images.source != "cloud" for each in varied):
        raise ValueError(
            f"images.cloud_uplink_mbps={uplink:g} is for images from the cloud, but images.source is another: set images.source=cloud"
        )


def _is_idle(owner: str, strategies: Sequence[str]) -> bool:
    """Whether no strategy in use has the options of one of ours; what the user's own are called in tables is not known here."""
    return not any(owner in taken_from(name) or name not in BUILT_IN for name in strategies)


def refuse_typed(configs: Sequence[Config], typed: Collection[str]) -> None:
    """Refuse options that were typed and have no effect in any point; what a scenario sets for a lattice is not the user's.

    Raises
    ------
    InputError
        One sentence on the first such option.
    """
    for option in typed:
        section, _, rest = option.removeprefix("variants.").partition(".")
        if section == "deployment" and rest in OF_HEXAGON and all(config.deployment.kind == "sites" for config in configs):
            raise InputError(f"{option} is for the lattice, but deployment=sites takes base stations of your own: leave it out")
        name = rest.partition(".")[0]
        if section == "strategy" and all(_is_idle(name, config.strategies) for config in configs):
            raise InputError(f"{option} is for a strategy that is not in use: strategies names {', '.join(configs[0].strategies)}")
        if section == "tiers" and all(name not in ("", "order", *config.tiers.order) for config in configs):
            in_use = ", ".join(configs[0].tiers.order)
            raise InputError(f"{option} is for a tier that is not in use: tiers.order names {in_use}")
