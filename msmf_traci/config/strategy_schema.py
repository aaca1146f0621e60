"""Options of strategies: those of ours, and room for those of a strategy of the user's own, which its class declares."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from msmf_traci.config.fields import LARGEST, Count, NotNegative, Positive, Section
from msmf_traci.sentinels import MOST_PREFETCHED

Weight = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]


class Nearest(Section):
    """`nearest`."""

    trigger_m: Positive = Field(description="distance to a border at which nearest pre-copies")


_PREFETCH = "images of so many next homes on the road are copied ahead; 1: that of the target alone"
_MEMORY = "when the first next home gets the memory too; at_once: always; just_in_time: once it is near"
_MARGIN = "just_in_time: a home is near if it is reached in less than this times what memory and start take"
_NULL = "as of pm; null: as pm, pm_op_tier as pm_op, and oracle_tier as oracle"
Homes = Annotated[int, Field(ge=1, le=MOST_PREFETCHED)]
When = Literal["at_once", "just_in_time"]


class Pm(Section):
    """`pm`, and its kin where they have no values of their own."""

    prefetch: Homes = Field(description=_PREFETCH)
    memory: When = Field(description=_MEMORY)
    margin: Positive = Field(description=_MARGIN)


class LikePm(Section):
    """`pm_tier` and the oracles; `pm_op` and `pm_op_tier` have more. From which strategy each takes its options: `taken_from`."""

    prefetch: Homes | None = Field(description=_NULL)
    memory: When | None = Field(description=_NULL)
    margin: Positive | None = Field(description=_NULL)


class PmOp(LikePm):
    """`pm_op`, and `pm_op_tier` where it has no values of its own: the filter for short cells, OP."""

    min_m: NotNegative = Field(description="a cell that covers less of the road ahead than this is passed over")
    min_dwell_s: NotNegative = Field(description="a cell crossed in less than this is passed over")


class PmOpTier(LikePm):
    """`pm_op_tier`."""

    min_m: NotNegative | None = Field(description="as of pm_op; null: what pm_op has")
    min_dwell_s: NotNegative | None = Field(description="as of pm_op; null: what pm_op has")


class Lead(Section):
    """`lead`."""

    horizon_m: Positive = Field(description="how far ahead lead sees the road, in the place of prediction.horizon_m")
    margin: Positive = Field(description="images and memory are sent so many times earlier than what they take")


class Threshold(Section):
    """`threshold`."""

    hops: Count = Field(description="hops between user and container from which threshold moves it")


class Mdp(Section):
    """`mdp`."""

    slot_s: Positive = Field(description="time between decisions of mdp")
    farthest: Annotated[int, Field(ge=2, le=100)] = Field(description="hops of its farthest state, in which the container must move")
    discount: Annotated[float, Field(ge=0, lt=1)] = Field(description="what a cost one slot later counts")
    base: Annotated[float, Field(gt=0, lt=1)] = Field(description="base of the powers of distance")
    migration_constant: Weight = Field(description="moving by x hops costs constant + factor x base^x")
    migration_factor: Weight = Field(description="the factor")
    transmission_constant: Weight = Field(description="y hops apart for a slot cost constant + factor x base^y")
    transmission_factor: Weight = Field(description="the factor")
    leaving: Annotated[float, Field(ge=0, le=2)] = Field(
        description="of two slots before its first, those in which a vehicle left its cell"
    )


class Lyapunov(Section):
    """`lyapunov`."""

    slot_s: Positive = Field(description="time between decisions of lyapunov")
    budget_mb_per_s: NotNegative = Field(description="what its moves may send, in the mean over a trip")
    delay_per_ms: NotNegative = Field(description="weight of a millisecond of latency; higher: more moves")


class Offline(Section):
    """`offline`."""

    unsatisfied_per_s: NotNegative = Field(description="cost of a second in outage, or late, that its plan reckons with")
    traffic_per_gb: NotNegative = Field(description="cost of a GB that is sent, likewise")
    relayed_per_gb_hop: NotNegative = Field(description="cost of a GB that is relayed over one hop, likewise")
    margin: Positive = Field(description="images and memories are sent so many times earlier than what they take")


class Strategies(Section):
    """Options by strategy. Those of a strategy of the user's own are checked by its class (`own_options.py`)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]]

    nearest: Nearest
    pm: Pm
    pm_tier: LikePm
    pm_op: PmOp
    pm_op_tier: PmOpTier
    oracle: LikePm
    oracle_tier: LikePm
    lead: Lead
    threshold: Threshold
    mdp: Mdp
    lyapunov: Lyapunov
    offline: Offline


BUILT_IN = (
    *("nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "lead", "oracle", "oracle_tier"),
    *("follow", "threshold", "sla", "mdp", "lyapunov", "offline"),
)
"""The strategies of ours."""

_TAKEN_FROM = {"pm_tier": "pm", "pm_op": "pm", "oracle": "pm", "pm_op_tier": "pm_op", "oracle_tier": "oracle"}


def taken_from(strategy: str) -> tuple[str, ...]:
    """A strategy, and those whose options it takes where it has none of its own, the nearest first."""
    other = _TAKEN_FROM.get(strategy)
    return (strategy,) if other is None else (strategy, *taken_from(other))
