"""Max-min fair rates on shared links (section 8, reading 21)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

Flow = Sequence[Hashable]  # the links that it goes through
Width = Callable[[Hashable], float]  # the bandwidth of a link
Name = TypeVar("Name", bound=Hashable)


def fill(flows: Mapping[Name, Flow], width: Width) -> dict[Name, float]:
    """Progressive filling: all flows grow alike until a link is full; its flows stop there, the others grow on."""
    rates: dict[Name, float] = {}
    users: dict[Hashable, list[Name]] = defaultdict(list)
    for name, flow in flows.items():
        for link in flow:
            users[link].append(name)
    while len(rates) < len(flows):
        shares: dict[Hashable, float] = {}  # of each link that a growing flow uses: what it has left for each of them
        for link, on_it in users.items():
            growing = [name for name in on_it if name not in rates]
            if growing:
                shares[link] = (width(link) - math.fsum(rates[name] for name in on_it if name in rates)) / len(growing)
        least = min(shares.values())
        full = {link for link, share in shares.items() if share == least}
        rates.update({name: least for name, flow in flows.items() if name not in rates and full.intersection(flow)})
    return rates


def fair_rates(sending: Mapping[Name, Flow], idle: Mapping[Name, Flow], width: Width) -> dict[Name, float]:
    """The rates of all that send, and of each idle transfer, the one it gets if all that send and it are filled up together."""
    rates = fill(sending, width)
    for name, flow in idle.items():
        rates[name] = fill({**sending, name: flow}, width)[name]
    return rates


class Sharing:
    """The flows of all transfers and copies at a frame (images ahead: shared links)."""

    def __init__(self, transfers: Mapping[Hashable, Flow], copies: Mapping[Hashable, Flow], width: Width, copies_last: bool) -> None:
        self.flows = (transfers, copies) if copies_last else ({**transfers, **copies},) * 2  # that a transfer, and a copy, share links with
        first = fill(self.flows[0], width)
        used: dict[Hashable, list[float]] = defaultdict(list)
        for name, flow in transfers.items() if copies_last else ():
            for link in flow:
                used[link].append(first[name])
        # "rates of transfers are found first, without copies; copies share what is left"
        self.widths: tuple[Width, Width] = width, lambda link: max(0.0, width(link) - math.fsum(used.get(link, ())))
        self.rates = {**first, **fill(copies, self.widths[1])} if copies_last else first

    def one_more(self, flow: Flow, *, copy: bool) -> float:
        """What one transfer or copy more would get that takes this way."""
        more = object()
        flows: dict[Hashable, Flow] = {**self.flows[copy], more: flow}
        return fill(flows, self.widths[copy])[more]
