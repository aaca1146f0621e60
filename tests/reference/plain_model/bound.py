"""The bound of section 14: what a trip costs at least (reading 49)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from .container import Load
from .frames import Frame
from .lattice import Cell, Server
from .network import Network
from .options import Options
from .plans import SNAPSHOT, STATE


class Weights(NamedTuple):
    """What costs how much."""

    second: float
    gb: float
    gb_hop: float


class Stay(NamedTuple):
    """The time in one cell."""

    cell: Cell
    lasted_s: float


def stays_of(frames: Sequence[Frame]) -> list[Stay]:
    """From one attachment to the next, the last one until the last frame."""
    begins = [k for k, frame in enumerate(frames) if k == 0 or frame.attached != frames[k - 1].attached]
    ends = [*begins[1:], len(frames) - 1]
    return [Stay(frames[begin].attached, frames[end].t_s - frames[begin].t_s) for begin, end in zip(begins, ends, strict=True)]


def bound(frames: Sequence[Frame], load: Load, options: Options, network: Network, weights: Weights) -> float:
    """The cheapest sequence of starts, moves and excursions."""
    stays, most = stays_of(frames), weights.second
    every = {network.lattice.server(tier, cell) for tier in options.tiers for cell in network.lattice.cells}
    price: dict[tuple[int, Server], float] = {}
    for j, stay in enumerate(stays):
        for server in every:
            late = network.way_ms(stay.cell, server) + options.tiers[server.tier].compute_ms > load.level_ms
            relayed = weights.gb_hop * options.request_bytes_per_s / 1e9 * network.lattice.hops(stay.cell, server)
            price[j, server] = min(most, most if late else relayed)
    servers = sorted({server for (_, server), each in price.items() if each < most})
    if not servers:
        return most * math.fsum(stay.lasted_s for stay in stays)
    pulls, private = options.plan.final == STATE, all(layer.of is not None for layer in load.layers)
    sent = weights.gb * (options.state_bytes if pulls else load.memory) / 1e9
    image = weights.gb * load.image / 1e9 if private else 0.0
    replayed_s = options.replay.base_s if options.plan.final == SNAPSHOT else 0.0
    restored = 0.0 if pulls else load.memory / options.memory_share
    down_s = options.start_s(load.image) + options.switch_s + options.processing.restore.lasts(restored) + replayed_s
    first_worth = {server: next(j for j in range(len(stays)) if price[j, server] < most) for server in servers}
    least = [min(price[j, server] for server in servers) * stay.lasted_s for j, stay in enumerate(stays)]

    def downtime(j: int, before: Server, now: Server) -> float:
        if price[j - 1, before] == most:
            return 0.0
        return min(stays[j - 1].lasted_s, stays[j].lasted_s, down_s) * (most - price[j - 1, before] - price[j, now])

    @cache
    def on(j: int, server: Server, owes: bool) -> float:
        """What stay j on this server costs, and all that follows."""
        return price[j, server] * stays[j].lasted_s + after(j, server, owes)

    @cache
    def after(j: int, server: Server, owes: bool) -> float:
        """What follows stay j on this server."""
        if j == len(stays) - 1:
            return math.inf if owes else 0.0
        best = on(j + 1, server, owes)
        if first_worth[server] <= j:
            for other in servers:
                if other != server and price[j + 1, other] < most:
                    best = min(best, sent + image + downtime(j + 1, server, other) + on(j + 1, other, False))
            best = min(best, image + away(j + 1, server, owes), away(j + 1, server, True))
        return best

    @cache
    def away(j: int, server: Server, owes: bool) -> float:
        """What stay j costs that is spent away from this server, and all that follows; the two moves are paid at the end."""
        best = math.inf
        if j < len(stays) - 1:
            best = away(j + 1, server, owes)
            if price[j + 1, server] < most:
                best = min(best, 2 * sent + on(j + 1, server, owes))
        return least[j] + best

    return min(on(0, server, False) for server in servers)
