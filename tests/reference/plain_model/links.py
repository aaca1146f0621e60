"""Max-min fair rates on shared links (section 8, reading 21)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence

Flow = Sequence[Hashable]  # the links that it goes through
Width = Callable[[Hashable], float]  # the bandwidth of a link


def fill(flows: Mapping[str, Flow], width: Width) -> dict[str, float]:
    """Progressive filling: all flows grow alike until a link is full; its flows stop there, the others grow on."""
    rates: dict[str, float] = {}
    while len(rates) < len(flows):
        shares: dict[Hashable, float] = {}  # of each link that a growing flow uses: what it has left for each of them
        for link in {link for name, flow in flows.items() if name not in rates for link in flow}:
            on_it = [name for name, flow in flows.items() if link in flow]
            growing = [name for name in on_it if name not in rates]
            shares[link] = (width(link) - math.fsum(rates[name] for name in on_it if name in rates)) / len(growing)
        least = min(shares.values())
        full = {link for link, share in shares.items() if share == least}
        rates.update({name: least for name, flow in flows.items() if name not in rates and full.intersection(flow)})
    return rates


def fair_rates(sending: Mapping[str, Flow], idle: Mapping[str, Flow], width: Width) -> dict[str, float]:
    """The rates of all that send, and of each idle transfer, the one it gets if all that send and it are filled up together."""
    rates = fill(sending, width)
    for name, flow in idle.items():
        rates[name] = fill({**sending, name: flow}, width)[name]
    return rates
