"""What strategies are told beforehand that know whole trips: a pass is looked through once before it is driven."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from msmf_traci.config.schema import Config
from msmf_traci.control.attachment import Attachment
from msmf_traci.control.stays import StayLog, Stays
from msmf_traci.deployment.servers import Servers
from msmf_traci.experiment.mobility_source import open_source
from msmf_traci.experiment.options import request_bytes_per_s
from msmf_traci.experiment.preparation import City, Inputs
from msmf_traci.experiment.variants import Variants
from msmf_traci.migration.workload import draw_uniforms, make_containers
from msmf_traci.mobility.tracks import Follower
from msmf_traci.results.console import ProgressDisplay, quietly
from msmf_traci.scratch import temporary_folder
from msmf_traci.strategies.strategy import Foreknowledge


def foreknowledge(
    config: Config, inputs: Inputs, city: City, trip_file: Path | None, variants: Variants, servers: Sequence[Servers]
) -> dict[int, Foreknowledge]:
    """What variants are told beforehand that know whole trips, by their numbers.

    Where there is such a variant, the pass is driven, or read, once more than otherwise; what SUMO is asked to write goes nowhere.

    Parameters
    ----------
    config, inputs, city, trip_file
        As of `Drive`.
    variants, servers
        The variants, and the servers of each.
    """
    knowing = [v for v, each in enumerate(variants.variants) if each.strategy.predictor == "trip"]
    if not knowing:
        return {}
    hysteresis_m = [each.config.attachment.hysteresis_m for each in variants.variants]
    with temporary_folder() as scratch, quietly():
        stays, vehicles = look_through(config, inputs, city, trip_file, {hysteresis_m[v] for v in knowing}, scratch)
    uniform, policies, plans = draw_uniforms(vehicles, config.seed), variants.policies(), variants.plans()
    tasks = [make_containers(uniform, workload) for workload in variants.workloads]
    found = {}
    for v in knowing:
        variant = variants.variants[v]
        data = request_bytes_per_s(variant.config)
        found[v] = Foreknowledge(stays[hysteresis_m[v]], tasks[variant.workload], policies[v], plans[v], servers[v], data)
    return found


def look_through(
    config: Config, inputs: Inputs, city: City, trip_file: Path | None, hysteresis_m: Iterable[float], scratch: Path
) -> tuple[dict[float, Stays], list[str]]:
    """The stays of a pass, by hysteresis, and the ids of its vehicles.

    Parameters
    ----------
    config, inputs, city, trip_file
        As of `Drive`.
    hysteresis_m
        Of attachment.
    scratch
        Where SUMO writes what it is asked to write.
    """
    logs = {each: StayLog() for each in hysteresis_m}
    attachments = {each: Attachment(city.cells, each) for each in logs}
    follower, admitted = Follower(), 0
    with ProgressDisplay(expected_vehicles(config)) as display:

        def show(time_s: float, on_road: int, expected: int) -> None:
            display(time_s, on_road, expected, source.roster.counts.arrived)

        source = open_source(config, inputs, city, trip_file, show, scratch).source
        with closing(source.frames()) as batches:
            for frames in batches:
                new, admitted = len(source.roster.vehicles) - admitted, len(source.roster.vehicles)
                follower.admit(new)
                for each_m, log in logs.items():
                    log.admit(new)
                    attachments[each_m].admit(new)
                tracks = follower.follow(frames)
                containing, _ = city.cells.cell_of(tracks.x_m, tracks.y_m)
                for each_m, log in logs.items():
                    log.observe(tracks, attachments[each_m].attach(tracks, containing))
    return {each_m: log.stays() for each_m, log in logs.items()}, list(source.roster.vehicles)


def expected_vehicles(config: Config) -> int | None:
    """How many vehicles there will be; None where that is not known."""
    return None if config.scenario.has_own_routes else config.mobility.vehicles
