"""The cloud centre's knowledge: turns each batch of frames into looks, for every combination of what knowledge depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.control.attachment import Attachment
from msmf_traci.control.look import Look, Outlook, Rows, look_ahead
from msmf_traci.control.mean_speed import MeanSpeeds
from msmf_traci.control.options import ControlOptions
from msmf_traci.control.prediction import MapPredictor, Predictor, RoutePredictor
from msmf_traci.control.reports import Knowledge, Reports
from msmf_traci.control.stays import StayLog
from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.servers import Servers
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.records import new_records
from msmf_traci.references import by_reference
from msmf_traci.roads.coverage import EdgeCoverage
from msmf_traci.roads.roads import Roads

_OF_LOOKS = 7  # columns of what is remembered of a look


@dataclass(frozen=True)
class Viewpoint:
    """What the knowledge of a variant depends on; variants of one viewpoint share their looks.

    Attributes
    ----------
    predictor, tiers
        Of its strategy.
    options, servers
        Its options, and its servers.
    levels
        Whose latency levels its tasks have: a number.
    """

    predictor: str
    tiers: int | None
    options: ControlOptions
    servers: Servers
    levels: int

    @property
    def tier_choice(self) -> TierChoice:
        """Which tier serves a task."""
        return TierChoice(self.options.latency, self.options.min_speed_mps, self.tiers, self.servers.up_ms)


class Observer:
    """What is known of all vehicles, from every viewpoint.

    Parameters
    ----------
    viewpoints
        From where.
    roads, cells, coverage
        The city.
    routes
        Routes by number, for the oracles; the list may grow.
    """

    def __init__(
        self, viewpoints: Iterable[Viewpoint], roads: Roads, cells: Cells, coverage: EdgeCoverage, routes: Sequence[IntArray]
    ) -> None:
        self._before: dict[Viewpoint, IntArray] = {each: np.zeros((0, _OF_LOOKS), dtype=np.int64) for each in viewpoints}
        self._map = cache(lambda servers, horizon_m: MapPredictor(roads, coverage, servers.layers, horizon_m))
        self._route = cache(lambda servers, horizon_m: RoutePredictor(routes, roads, coverage, servers.layers, horizon_m))
        options = [each.options for each in self._before]
        self._attachments = {each.hysteresis_m: Attachment(cells, each.hysteresis_m) for each in options}
        self.stays = {hysteresis_m: StayLog() for hysteresis_m in self._attachments}
        """Which cells vehicles were attached to, by hysteresis."""
        self.reports = {each.reports: Reports(each.reports) for each in options}
        self._mean_speeds = {each.reports: MeanSpeeds() for each in options}
        self._levels_ms: list[FloatArray] = []
        for viewpoint in self._before:
            self._predictor(viewpoint)  # the map is looked through before anything drives

    def admit(self, levels_ms: Sequence[FloatArray]) -> None:
        """Add vehicles; their latency levels in each workload, shape (workloads, vehicles)."""
        n = len(levels_ms[0])
        before = self._levels_ms or [np.zeros(0) for _ in levels_ms]
        self._levels_ms = [np.concatenate([old, new]) for old, new in zip(before, levels_ms, strict=True)]
        for attachment in self._attachments.values():
            attachment.admit(n)
        for log in self.stays.values():
            log.admit(n)
        for reports in self.reports.values():
            reports.admit(n)
        for mean_speeds in self._mean_speeds.values():
            mean_speeds.admit(n)
        for viewpoint, looks in self._before.items():
            self._before[viewpoint] = np.concatenate([looks, np.full((n, _OF_LOOKS), -1)])

    def observe(self, tracks: Tracks, containing: IntArray) -> dict[Viewpoint, Outlook]:
        """A batch from every viewpoint, given the cell that contains each sample."""
        cell = {hysteresis_m: attachment.attach(tracks, containing) for hysteresis_m, attachment in self._attachments.items()}
        for hysteresis_m, log in self.stays.items():
            log.observe(tracks, cell[hysteresis_m])
        known = {options: reports.read(tracks) for options, reports in self.reports.items()}
        mean_mps = {options: speeds.mean(tracks, known[options].speed_mps) for options, speeds in self._mean_speeds.items()}
        found = {}
        for viewpoint in self._before:
            reports = viewpoint.options.reports
            found[viewpoint] = self._look(viewpoint, tracks, known[reports], mean_mps[reports], cell[viewpoint.options.hysteresis_m])
        return found

    def _look(self, viewpoint: Viewpoint, tracks: Tracks, known: Knowledge, mean_mps: FloatArray, cell: IntArray) -> Outlook:
        predictor, options, servers = self._predictor(viewpoint), viewpoint.options, viewpoint.servers
        of_sample, per_layer = predictor.row(known)
        table = predictor.table
        looks = new_records(Look, len(tracks))
        for name in ("x_m", "y_m", "dx_m", "dy_m", "speed_mps", "edge"):
            looks[name] = getattr(known, name)
        looks["time_s"], looks["mean_speed_mps"], looks["position_m"] = tracks.time_s, mean_mps, predictor.position_m(known)
        looks["cell"], looks["tier"] = cell, self._tier(viewpoint, tracks, known, cell)
        looks["home"] = servers.server_of[looks["tier"], cell]
        looks["first"], looks["last"] = tracks.first, tracks.last
        rows, road, before = (
            Rows(table.start, table.count, of_sample, per_layer, servers.cell_layer),
            predictor.road,
            self._before[viewpoint],
        )
        is_new = look_ahead(tracks.start, tracks.vehicle, rows, road, options.horizon_m, options.slack_m, before, looks)
        return by_reference(Outlook(looks, is_new, road))

    def _tier(self, viewpoint: Viewpoint, tracks: Tracks, known: Knowledge, cell: IntArray) -> IntArray:
        """Tier of the task of each sample's vehicle; by vehicle, where it does not change on the way."""
        choice, level_ms = viewpoint.tier_choice, self._levels_ms[viewpoint.levels][tracks.vehicle]
        if choice.depends_on_place:
            return choice.choose(level_ms[tracks.track], known.speed_mps, cell)
        return choice.choose(level_ms)[tracks.track]

    def _predictor(self, viewpoint: Viewpoint) -> Predictor:
        make: Callable[[Servers, float], Predictor] = self._route if viewpoint.predictor == "route" else self._map
        return make(viewpoint.servers, viewpoint.options.horizon_m)
