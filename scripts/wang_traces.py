"""The Markov decision process of Wang et al. on their own traces: taxis in San Francisco, a slot a minute, with our solver.

python scripts/wang_traces.py traceRealCellLocations.mat --clouds 209 50

S. Wang, R. Urgaonkar, M. Zafer, T. He, K. Chan, K. K. Leung, "Dynamic service migration in mobile edge computing based on Markov decision
process", IEEE/ACM Transactions on Networking, 2019. The file is that of the authors' repository (service-migration-mdp). Printed is the
mean over slots of the cost of a user and slot. Everything is computed outside the engine of this project, but for the solver.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from msmf_traci.strategies.mdp import solve, walk_on_hexagons

FARTHEST, DISCOUNT, BASE, ROOM = 20, 0.9, 0.8, 1.5
WINDOWS = (2, 3, 5)
_ROUNDING = 1e-8
_OUT_OF_THE_QUESTION = 1e6
NOWHERE = -1

Numbers = NDArray[np.float64]
Cells = NDArray[np.int64]


@dataclass(frozen=True)
class Traces:
    """The traces, slots from the first to the last.

    Attributes
    ----------
    cell
        Cell of each user in each slot, NOWHERE where there is none, shape (slots, users).
    away, hops
        Distance between cells in units of `cellDist`, and rounded up, shape (cells, cells).
    factor
        What costs are multiplied with in each slot: the more users, the dearer.
    stay
        Share of the users of each slot who do not leave their cell in it.
    """

    cell: Cells
    away: Numbers
    hops: Cells
    factor: Numbers
    stay: Numbers


def read_traces(path: Path) -> Traces:
    """Read the authors' file, which has the latest slot first."""
    content = loadmat(path)
    cell = content["cellOfUsers"][::-1].astype(np.int64) - 1
    places, unit = content["coordinatesCells2D"], float(content["cellDist"].item())
    away = np.linalg.norm(places[:, None] - places[None], axis=2) / unit
    hops = np.where(np.abs(away - np.round(away)) < _ROUNDING, np.round(away), np.ceil(away)).astype(np.int64)
    users = content["totalUsers"][::-1, 0].astype(np.float64)
    total = (cell != NOWHERE).sum(axis=1)
    left = np.zeros(len(cell))
    left[:-1] = ((cell[:-1] != NOWHERE) & (cell[1:] != cell[:-1])).sum(axis=1)
    return Traces(cell, away, hops, 1 / (1 - users / (ROOM * users.max())), 1 - left / total)


def clouds_among(cells: int, number: int) -> Cells:
    """Every so many-th cell has a cloud."""
    step = cells / number
    places = np.arange(1, number + 1) * step
    return (np.floor(places[np.floor(places + 0.5) <= cells] + 0.5) - 1).astype(np.int64)


def cost_of_hops(hops: Cells, constant: float, factor: float) -> Numbers:
    """Constant + factor 0.8^hops, and nothing for no hops."""
    return np.where(hops == 0, 0.0, constant + factor * BASE**hops)


def being_there(hops: Cells, factor: float) -> Numbers:
    """What it costs to be so far from the user for a slot; out of the question at the farthest distance, where moving is compulsory."""
    return np.where(hops >= FARTHEST, _OUT_OF_THE_QUESTION, cost_of_hops(hops, factor, -factor))


Policy = Callable[[int, Cells, Cells], Cells]
"""From a slot, the users' cells and where their services are, to where these go; indices among the clouds."""


def mean_cost(traces: Traces, clouds: Cells, policy: Policy) -> float:
    """Mean over slots of the mean cost of the users of a slot; a service begins in the cloud nearest to its user."""
    nearest = nearest_clouds(traces, clouds)
    service: Cells = np.full(traces.cell.shape[1], NOWHERE)
    costs = np.zeros(len(traces.cell))
    for slot, cells in enumerate(traces.cell):
        there = np.flatnonzero(cells != NOWHERE)
        f, before = traces.factor[slot], service[there]
        after = nearest[cells[there]]
        known = before != NOWHERE
        after[known] = policy(slot, cells[there][known], before[known])
        moved = np.where(known, cost_of_hops(traces.hops[clouds[np.where(known, before, after)], clouds[after]], 2 * f, -f), 0.0)
        apart = cost_of_hops(traces.hops[cells[there], clouds[after]], f, -f)
        costs[slot] = (moved + apart).sum() / len(there)
        service[:] = NOWHERE
        service[there] = after
    return float(costs.mean())


def nearest_clouds(traces: Traces, clouds: Cells) -> Cells:
    """The nearest cloud of each cell."""
    return np.asarray(traces.away[:, clouds].argmin(axis=1), dtype=np.int64)


def never(traces: Traces, clouds: Cells) -> Policy:
    """Move only where the user is as far away as the model goes."""
    nearest = nearest_clouds(traces, clouds)
    return lambda _, cells, before: np.where(traces.hops[cells, clouds[before]] >= FARTHEST, nearest[cells], before)


def always(traces: Traces, clouds: Cells) -> Policy:
    """Be in the nearest cloud."""
    nearest = nearest_clouds(traces, clouds)
    return lambda _, cells, __: nearest[cells]


def cheapest(traces: Traces, clouds: Cells, later: Callable[[int], Numbers]) -> Policy:
    """Be where moving there, being there, and what is still to come cost least, nearer than the farthest distance.

    Parameters
    ----------
    traces, clouds
        The traces, and the cells with a cloud.
    later
        What is still to come in a slot, by the distance after the move, shape (FARTHEST + 1,).
    """
    between = traces.hops[np.ix_(clouds, clouds)]

    def decide(slot: int, cells: Cells, before: Cells) -> Cells:
        f, apart = traces.factor[slot], np.minimum(traces.hops[np.ix_(cells, clouds)], FARTHEST)
        cost = cost_of_hops(between[before], 2 * f, -f) + being_there(apart, f) + later(slot)[apart]
        return np.asarray(cost.argmin(axis=1), dtype=np.int64)

    return decide


def myopic(traces: Traces, clouds: Cells) -> Policy:
    """What costs least in this slot."""
    return cheapest(traces, clouds, lambda _: np.zeros(FARTHEST + 1))


def decision_process(traces: Traces, clouds: Cells) -> Policy:
    """What the Markov decision process of the slot says, solved by policy iteration."""

    def later(slot: int) -> Numbers:
        f, transition = traces.factor[slot], walk_on_hexagons(FARTHEST, float(traces.stay[slot]))
        hops = np.arange(FARTHEST + 1)
        _, value = solve(cost_of_hops(hops, 2 * f, -f), cost_of_hops(hops, f, -f), transition, DISCOUNT)
        return DISCOUNT * transition @ value

    return cheapest(traces, clouds, later)


def looking_ahead(traces: Traces, clouds: Cells, window: int) -> Policy:
    """Dynamic programming over the next slots of the users, who are known perfectly; what comes after them costs nothing."""
    between = traces.hops[np.ix_(clouds, clouds)]

    def decide(slot: int, _: Cells, before: Cells) -> Cells:
        was_there = traces.cell[slot - 1] != NOWHERE if slot else np.zeros(traces.cell.shape[1], dtype=bool)
        users = np.flatnonzero(was_there & (traces.cell[slot] != NOWHERE))
        value = np.zeros((len(users), len(clouds)))
        for k in range(min(window, len(traces.cell) - slot) - 1, 0, -1):
            value = _at(traces, clouds, slot + k, users, value)
            # one slot earlier: the least over where the service goes
            move = cost_of_hops(between, 2 * traces.factor[slot + k], -traces.factor[slot + k])
            best = np.min(move[None] + value[:, None, :], axis=2)
            # whoever is not there begins anew
            gone = (traces.cell[slot + k - 1, users] == NOWHERE) | (traces.cell[slot + k, users] == NOWHERE)
            value = np.where(gone[:, None], 0.0, best)
        f = traces.factor[slot]
        total = _at(traces, clouds, slot, users, value) + cost_of_hops(between[before], 2 * f, -f)
        return np.asarray(total.argmin(axis=1), dtype=np.int64)

    return decide


def _at(traces: Traces, clouds: Cells, slot: int, users: Cells, later: Numbers) -> Numbers:
    """What being on each cloud costs in a slot, and later, shape (users, clouds)."""
    cells = np.maximum(traces.cell[slot, users], 0)
    return being_there(traces.hops[np.ix_(cells, clouds)], traces.factor[slot]) + later


def main() -> None:
    """Print a table: a row a policy, a column for each number of clouds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", type=Path, help="the authors' traceRealCellLocations.mat")
    parser.add_argument("--clouds", type=int, nargs="+", default=[209, 50], help="how many cells have a cloud")
    typed = parser.parse_args()
    traces = read_traces(typed.traces)
    for number in typed.clouds:
        clouds = clouds_among(len(traces.hops), number)
        print(f"{len(clouds)} of {len(traces.hops)} cells with a cloud")
        policies = {each.__name__: each(traces, clouds) for each in (never, always, myopic, decision_process)}
        policies |= {f"looking_ahead {window}": looking_ahead(traces, clouds, window) for window in WINDOWS}
        for name, policy in policies.items():
            print(f"  {name:<18} {mean_cost(traces, clouds, policy):.4f}", flush=True)


if __name__ == "__main__":
    main()
