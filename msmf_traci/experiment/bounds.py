"""The bound on the cost of every trip of a pass: of one that is being driven, and of one that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from msmf_traci.config.schema import Config
from msmf_traci.control.stays import Stays
from msmf_traci.deployment.servers import Servers
from msmf_traci.errors import InputError
from msmf_traci.experiment.foreknowledge import look_through
from msmf_traci.experiment.options import request_bytes_per_s
from msmf_traci.experiment.preparation import draw_trips, judge_files, read_city
from msmf_traci.experiment.variants import Variants, make_variants
from msmf_traci.migration.bound import bound, least_move
from msmf_traci.migration.workload import Containers, draw_uniforms, make_containers
from msmf_traci.results.cost import BOUNDS, WEIGHTS, has_weights, read_bounds
from msmf_traci.results.keys import Names
from msmf_traci.results.run_facts import read_facts
from msmf_traci.results.store import rewrite_table
from msmf_traci.scenario.content_cache import used_until_the_end
from msmf_traci.scratch import temporary_folder
from msmf_traci.weights import Weights

_OF_PROGRAM = ("strategies", "versions")  # of a fingerprint: what bounds do not depend on


def bounds_table(
    variants: Variants,
    servers: Sequence[Servers],
    stays: Mapping[float, Stays],
    tasks: Sequence[Containers],
    names: Names,
    weights: Sequence[Weights],
) -> pd.DataFrame:
    """One row a vehicle, combination of varied options (but for those of strategies), and weights.

    Parameters
    ----------
    variants, servers
        The variants of a pass, and the servers of each.
    stays
        The trips, by hysteresis.
    tasks
        The containers of each workload.
    names
        Names of vehicles and variants.
    weights
        At which costs are bounded.
    """
    policies, plans = variants.policies(), variants.plans()
    keys = [name for name in names.columns if name not in variants.of_strategies]
    first: dict[str, int] = {}
    for v in np.argsort(names.rank).tolist():
        first.setdefault(repr([variants.variants[v].keys[name] for name in keys]), v)
    vehicles = np.array(names.vehicles, dtype=object)
    order, parts = np.argsort(vehicles, kind="stable"), []
    for v in first.values():
        variant, containers = variants.variants[v], tasks[variants.variants[v].workload]
        trips, move = stays[variant.config.attachment.hysteresis_m], least_move(containers, policies[v], plans[v])
        of_variant, data = names.variant_keys(np.full(len(vehicles), v)), request_bytes_per_s(variant.config)
        for each in weights:
            found = bound(trips, containers.latency_level_ms, move, servers[v], policies[v].latency, data, each)
            columns = {
                **{name: of_variant[name] for name in keys},
                "vehicle": vehicles[order],
                **{name: np.full(len(vehicles), getattr(each, name)) for name in WEIGHTS},
                "bound": found.cost[order],
                "moves": found.moves[order],
                "traffic_bytes": found.traffic_bytes[order],
            }
            parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    return table.astype({name: "string" for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])})


@used_until_the_end()
def add_bounds(folder: Path, weights: Sequence[Weights]) -> pd.DataFrame:
    """The bounds of a finished run; those at weights that it lacks are added to its table.

    Parameters
    ----------
    folder
        Of the run. Its trips are read again: from the recording, or else SUMO drives them once more.
    weights
        At which costs are bounded.

    Raises
    ------
    InputError
        If it is no run, or what it stands on is not the same any more.
    """
    facts, bounds = read_facts(folder), read_bounds(folder)
    missing = [each for each in weights if bounds is None or not has_weights(bounds, each).any()]
    if bounds is not None and not missing:
        return bounds
    config = Config.model_validate(facts["config"])
    inputs = judge_files(config)
    now, then = (
        {name: value for name, value in each.items() if name not in _OF_PROGRAM} for each in (inputs.fingerprint(), facts["fingerprint"])
    )
    if now != then:
        changed = ", ".join(sorted(name for name in {*now, *then} if now.get(name) != then.get(name)))
        raise InputError(f"{folder}: what the run stands on is not the same any more ({changed}); make the run again")
    city, variants = read_city(config, inputs.network.ensure()), make_variants(config, inputs.strategies)
    trips = draw_trips(config, inputs, city) if not config.scenario.has_own_routes and not config.mobility.is_from_file else None
    servers = [city.layout.servers(each.config) for each in variants.variants]
    with temporary_folder() as scratch:
        hysteresis_m = {each.config.attachment.hysteresis_m for each in variants.variants}
        stays, vehicles = look_through(config, inputs, city, trips, hysteresis_m, scratch)
    uniform = draw_uniforms(vehicles, config.seed)
    tasks = [make_containers(uniform, workload) for workload in variants.workloads]
    keys, server_names = [each.keys for each in variants.variants], [(each.names, each.tier_names) for each in servers]
    added = bounds_table(variants, servers, stays, tasks, Names(vehicles, keys, server_names), missing)
    bounds = added if bounds is None else pd.concat([bounds.astype(added.dtypes.to_dict()), added], ignore_index=True)
    rewrite_table(folder, BOUNDS, bounds, config.output.format)
    return bounds
