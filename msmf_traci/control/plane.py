"""The cloud centre: turns each batch of frames into decisions, for every strategy and every combination of its options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.control.asking import ask
from msmf_traci.control.attachment import Attachment
from msmf_traci.control.decisions import Changes, Decisions, none_of
from msmf_traci.control.options import ControlOptions
from msmf_traci.control.planning import PLANS, Planner
from msmf_traci.control.prediction import MapPredictor, Predictor, RoutePredictor
from msmf_traci.control.reports import Knowledge, ReportOptions, Reports
from msmf_traci.control.situation import Scene
from msmf_traci.control.strategies import Strategy
from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.cells import Cells
from msmf_traci.deployment.servers import Servers
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.roads.coverage import EdgeCoverage
from msmf_traci.roads.roads import Roads


@dataclass(frozen=True)
class Ruling:
    """One variant as the control plane sees it: a strategy, its options and servers, and whose latency levels its tasks have (a number)."""

    strategy: type[Strategy]
    options: ControlOptions
    servers: Servers
    levels: int

    @property
    def tier_choice(self) -> TierChoice:
        """Which tier serves a task."""
        return TierChoice(self.options.latency, self.options.min_speed_mps, self.strategy.tiers, self.servers.up_ms)


@dataclass
class Council:
    """Variants for which the same is decided.

    Attributes
    ----------
    ruling
        What they have in common.
    variants
        Their numbers; one only where the strategy is asked frame by frame.
    planner
        Decides for whole batches; None where the strategy is asked.
    strategy
        The strategy to ask; None where a planner decides.
    changes
        What was decided last.
    """

    ruling: Ruling
    variants: IntArray
    planner: Planner | None
    strategy: Strategy | None
    changes: Changes = field(default_factory=Changes)


class ControlPlane:
    """All strategies of one pass with all their options.

    Parameters
    ----------
    rulings
        One a variant, in the order of their numbers.
    roads, cells, coverage
        The city.
    routes
        Routes by number, for the oracles; the list may grow.
    """

    def __init__(self, rulings: Sequence[Ruling], roads: Roads, cells: Cells, coverage: EdgeCoverage, routes: Sequence[IntArray]) -> None:
        self.rulings = rulings
        self._map = cache(lambda servers, horizon_m: MapPredictor(roads, coverage, servers.layers, horizon_m))
        self._route = cache(lambda servers, horizon_m: RoutePredictor(routes, roads, coverage, servers.layers, horizon_m))
        self._attachments = {o.hysteresis_m: Attachment(cells, o.hysteresis_m) for o in (r.options for r in rulings)}
        self.reports = {r.options.reports: Reports(r.options.reports) for r in rulings}
        self._levels_ms: list[FloatArray] = []
        self.councils = _councils(rulings)
        for ruling in rulings:
            self._predictor(ruling, ruling.strategy.predictor)  # the map is looked through before anything drives

    def admit(self, levels_ms: Sequence[FloatArray]) -> None:
        """Add vehicles; their latency levels in each workload, shape (workloads, vehicles)."""
        n = len(levels_ms[0])
        before = self._levels_ms or [np.zeros(0) for _ in levels_ms]
        self._levels_ms = [np.concatenate([old, new]) for old, new in zip(before, levels_ms, strict=True)]
        for attachment in self._attachments.values():
            attachment.admit(n)
        for reports in self.reports.values():
            reports.admit(n)
        for council in self.councils:
            council.changes.admit(n)
            if council.planner is not None:
                council.planner.admit(n)

    def look(self, tracks: Tracks, containing: IntArray) -> View:
        """A batch as it is seen under every hysteresis and report threshold."""
        return View(
            tracks,
            {hysteresis_m: attachment.attach(tracks, containing) for hysteresis_m, attachment in self._attachments.items()},
            {options: reports.read(tracks) for options, reports in self.reports.items()},
        )

    def plan(self, council: Council, view: View) -> Decisions:
        """Decisions of a council that has a planner."""
        assert council.planner is not None
        o = council.ruling.options
        cell, known = view.cell[o.hysteresis_m], view.known[o.reports]
        tier = self._tier(council, view.tracks, known, cell)
        predictor = self._predictor(council.ruling, council.ruling.strategy.predictor)
        return council.planner.decide(view.tracks, known, cell, tier, council.ruling.servers, predictor)

    def ask(self, council: Council, view: View, samples: IntArray, host: IntArray) -> Decisions:
        """Decisions of a council that is asked, for the samples of one frame.

        Parameters
        ----------
        council
            Whom to ask.
        view
            The batch.
        samples
            The frame's samples.
        host
            Server that each container is on when the frame begins; NO_SERVER at a vehicle's first frame.
        """
        assert council.strategy is not None
        o, tracks = council.ruling.options, view.tracks
        cell, first = view.cell[o.hysteresis_m][samples], tracks.first[samples]
        levels_ms = self._level_of(council, tracks)[samples]
        scene = Scene(
            time_s=float(tracks.time_s[samples[0]]),
            vehicle=tracks.vehicle[tracks.track[samples]],
            first=first,
            known=view.known[o.reports].of(samples),
            cell=cell,
            level_ms=levels_ms,
            servers=council.ruling.servers,
            tier_choice=council.ruling.tier_choice,
            predictor=self._predictor(council.ruling, council.strategy.predictor),
            horizon_m=o.horizon_m,
            slack_m=o.slack_m,
        )
        home, target = ask(council.strategy, scene, host)
        none = none_of(len(samples))
        return Decisions(cell, home, target, none, none, none)

    def _tier(self, council: Council, tracks: Tracks, known: Knowledge, cell: IntArray) -> IntArray:
        """Tier of the task of each sample's vehicle; by vehicle, where it does not change on the way."""
        choice = council.ruling.tier_choice
        if choice.depends_on_place:
            return choice.choose(self._level_of(council, tracks), known.speed_mps, cell)
        return choice.choose(self._levels_ms[council.ruling.levels][tracks.vehicle])[tracks.track]

    def _level_of(self, council: Council, tracks: Tracks) -> FloatArray:
        """Latency level of the task of each sample's vehicle."""
        return self._levels_ms[council.ruling.levels][tracks.vehicle[tracks.track]]

    def _predictor(self, ruling: Ruling, kind: str) -> Predictor:
        make: Callable[[Servers, float], Predictor] = self._map if kind == "map" else self._route
        return make(ruling.servers, ruling.options.horizon_m)


@dataclass(frozen=True)
class View:
    """A batch as the control plane knows it.

    Attributes
    ----------
    tracks
        The batch.
    cell
        Attached cell of each sample, by hysteresis.
    known
        What the last reports said at each sample, by their thresholds.
    """

    tracks: Tracks
    cell: dict[float, IntArray]
    known: dict[ReportOptions, Knowledge]


def _councils(rulings: Sequence[Ruling]) -> list[Council]:
    """Variants for which the same is decided, together; a strategy that knows the host, and may remember it, is asked for each alone."""
    councils: list[Council] = []
    together: dict[Ruling, list[int]] = {}
    for variant, ruling in enumerate(rulings):
        if ruling.strategy in PLANS:
            together.setdefault(ruling, []).append(variant)
        else:
            councils.append(Council(ruling, np.array([variant]), None, ruling.strategy(ruling.options.strategy)))
    planned = [
        Council(ruling, np.array(variants), Planner(PLANS[ruling.strategy], ruling.options), None) for ruling, variants in together.items()
    ]
    return planned + councils
