"""Options of strategies: those of ours, and room for those of a strategy of the user's own, which its class declares."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from msmf_traci.config.fields import NotNegative, Positive, Section


class Nearest(Section):
    """`nearest`."""

    trigger_m: Positive = Field(description="distance to a border at which nearest pre-copies")


class PmOp(Section):
    """`pm_op`, and `pm_op_tier` where it has no values of its own: the filter for short cells, OP."""

    min_m: NotNegative = Field(description="a cell that covers less of the road ahead than this is passed over")
    min_dwell_s: NotNegative = Field(description="a cell crossed in less than this is passed over")


class PmOpTier(Section):
    """`pm_op_tier`."""

    min_m: NotNegative | None = Field(description="as of pm_op; null: what pm_op has")
    min_dwell_s: NotNegative | None = Field(description="as of pm_op; null: what pm_op has")


class Strategies(Section):
    """Options by strategy. Those of a strategy of the user's own are checked by its class (`own_options.py`)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]]

    nearest: Nearest
    pm_op: PmOp
    pm_op_tier: PmOpTier


BUILT_IN = ("nearest", "pm", "pm_op", "pm_tier", "pm_op_tier", "never", "oracle", "oracle_tier")
"""The strategies of ours."""

TAKEN_FROM = {"pm_op_tier": "pm_op"}
"""Whose options a strategy of ours takes where it has none of its own."""
