"""What makes the cost of a trip. Model, section 14."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Weights:
    """What each unsatisfied second costs, each GB sent, and each GB relayed over one hop."""

    unsatisfied_per_s: float = 1.0
    traffic_per_gb: float = 10.0
    relayed_per_gb_hop: float = 1.0

    def with_traffic(self, factor: float) -> Weights:
        """The same, where traffic weighs more or less by a factor."""
        return replace(self, traffic_per_gb=self.traffic_per_gb * factor)
