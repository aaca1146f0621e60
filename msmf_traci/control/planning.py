"""Decides for whole batches at once where a strategy is one of ours: which compiled loop each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from msmf_traci.arrays import BoolArray, IntArray, extended
from msmf_traci.control import strategies
from msmf_traci.control.decisions import Decisions, none_of
from msmf_traci.control.options import ControlOptions
from msmf_traci.control.prediction import Predictor
from msmf_traci.control.reports import Knowledge
from msmf_traci.control.road_ahead import RoadTable, Sight, Verdicts, follow_border, follow_road
from msmf_traci.deployment.servers import Servers
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.sentinels import KEEP


@dataclass(frozen=True)
class Plan:
    """How one of our strategies decides.

    Attributes
    ----------
    follows
        `road`: the next home on the road ahead; `border`: the neighbour behind the nearest border; `nothing`: it stays.
    passes_over
        Whether short cells are passed over.
    """

    follows: str
    passes_over: bool = False


PLANS: Mapping[type[strategies.Strategy], Plan] = {
    strategies.Nearest: Plan("border"),
    strategies.Pm: Plan("road"),
    strategies.PmOp: Plan("road", passes_over=True),
    strategies.PmTier: Plan("road"),
    strategies.PmOpTier: Plan("road", passes_over=True),
    strategies.Never: Plan("nothing"),
    strategies.Oracle: Plan("road"),
    strategies.OracleTier: Plan("road"),
}


class Planner:
    """One plan with its options, and what it remembers of every vehicle.

    Parameters
    ----------
    plan, options
        How to decide.
    """

    def __init__(self, plan: Plan, options: ControlOptions) -> None:
        self._plan = plan
        self._trigger_m = options.strategy.nearest_trigger_m
        limits = options.strategy.coverage
        self._sight = Sight(options.horizon_m, options.slack_m, plan.passes_over, limits.min_m, limits.min_dwell_s)
        self._area: IntArray = np.zeros(0, dtype=np.int64)
        self._edge: IntArray = np.zeros(0, dtype=np.int64)
        self._short: BoolArray = np.zeros(0, dtype=bool)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self._area = extended(self._area, n, -1)
        self._edge = extended(self._edge, n, -2)
        self._short = extended(self._short, n, False)

    def decide(self, tracks: Tracks, known: Knowledge, cell: IntArray, tier: IntArray, servers: Servers, predictor: Predictor) -> Decisions:
        """Decisions for every sample of some tracks.

        Parameters
        ----------
        tracks, known
            The batch, and what the reports said.
        cell, tier
            Attached cell and tier of each sample.
        servers, predictor
            What covers the cells, and what lies ahead.
        """
        if self._plan.follows == "nothing":
            none = none_of(len(tracks))
            return Decisions(cell, np.where(tracks.first, servers.server_of[0, cell], KEEP), none, none, none, none)
        answers: IntArray = np.empty((5, len(tracks)), dtype=np.int64)
        if self._plan.follows == "border":
            cells = servers.cells
            follow_border(
                *(known.x_m, known.y_m, known.dx_m, known.dy_m, cell),
                *(cells.x_m, cells.y_m, cells.neighbours),
                servers.server_of[0],
                *(self._trigger_m, answers),
            )
        else:
            row, rows_a_tier = predictor.row(known)
            position_m = predictor.position_m(known)
            table = predictor.table
            follow_road(
                *(tracks.start, tracks.vehicle, tracks.first, known.edge, position_m, known.speed_mps, cell, tier, servers.server_of),
                RoadTable(table.start, table.count, table.server, table.entry_m, table.exit_m, row, rows_a_tier, servers.cell_layer),
                self._sight,
                Verdicts(self._area, self._edge, self._short),
                answers,
            )
        return Decisions(cell, *answers)
