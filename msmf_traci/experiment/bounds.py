"""The bound on the cost of every trip of a pass, at the weights of its run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.options import request_bytes_per_s
from msmf_traci.migration.bound import bound, least_move
from msmf_traci.results.cost import WEIGHTS
from msmf_traci.weights import Weights


def bounds_table(drive: Drive, weights: Sequence[Weights]) -> pd.DataFrame:
    """One row a vehicle, combination of varied options (but for those of strategies), and weights.

    Parameters
    ----------
    drive
        A pass that has been driven.
    weights
        At which costs are bounded.
    """
    variants, policies, plans = drive.variants.variants, drive.variants.policies(), drive.variants.plans()
    keys = [name for name in drive.names.columns if name not in drive.variants.of_strategies]
    first: dict[str, int] = {}
    for v, each in enumerate(variants):
        first.setdefault(repr([each.keys[name] for name in keys]), v)
    parts = []
    vehicles = np.array(drive.roster.vehicles, dtype=object)
    order = np.argsort(vehicles, kind="stable")
    for v in sorted(first.values(), key=lambda v: int(drive.names.rank[v])):
        variant, tasks = variants[v], drive.tasks[variants[v].workload]
        stays, move = drive.world.observer.stays[variant.config.attachment.hysteresis_m].stays(), least_move(tasks, policies[v], plans[v])
        of_variant = drive.names.variant_keys(np.full(len(vehicles), v))
        for each in weights:
            found = bound(
                stays, tasks.latency_level_ms, move, drive.servers[v], policies[v].latency, request_bytes_per_s(variant.config), each
            )
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
