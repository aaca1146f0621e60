"""`never`: the container stays where it was first deployed."""

from __future__ import annotations

from msmf_traci.migration.kernel import keep
from msmf_traci.strategies.strategy import Strategy


class Never(Strategy):
    """The container stays where it was first deployed."""

    name = "never"
    each_frame = False
    kernel = staticmethod(keep)
