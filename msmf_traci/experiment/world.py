"""The world of one pass: what is known of its vehicles is looked up, every variant decides, every container is migrated.

`World.step` is the one way in: for a pass that drives to its end, for strategies in Python, and for whoever decides from outside.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msmf_traci.arrays import IntArray
from msmf_traci.control.look import Outlook
from msmf_traci.control.observer import Observer, Viewpoint
from msmf_traci.deployment.servers import Servers
from msmf_traci.experiment.preparation import City
from msmf_traci.experiment.variants import Variants
from msmf_traci.migration.course import Batch, Seen
from msmf_traci.migration.engine import Decider, Engine, batch_of, no_decisions
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.step import Given
from msmf_traci.migration.workload import Containers
from msmf_traci.mobility.tracks import Tracks
from msmf_traci.records import record_of
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.asking import call
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Foreknowledge, Strategy

Situations = Mapping[int, Situation]
Decisions = Mapping[int, Decision]


@dataclass(frozen=True)
class Observed:
    """A batch of frames.

    Attributes
    ----------
    tracks
        The batch, vehicle by vehicle.
    containing
        The cell that contains each sample.
    seen
        Where the world writes down what a trace reads; of no rows where nothing is traced.
    """

    tracks: Tracks
    containing: IntArray
    seen: Seen


class World:
    """All variants of one pass.

    Parameters
    ----------
    variants, servers
        The variants, and the servers of each.
    city
        Roads, cells and which covers which.
    routes
        Routes by number, for the oracles; the list may grow.
    ledger
        Where transfers and stages are booked.
    known
        What those variants are told beforehand that know whole trips, by their numbers.
    """

    def __init__(
        self,
        variants: Variants,
        servers: Sequence[Servers],
        city: City,
        routes: Sequence[IntArray],
        ledger: Ledger,
        known: Mapping[int, Foreknowledge],
    ) -> None:
        self._variants = variants.variants
        self._servers = servers
        self._policies = variants.policies()
        self.strategies = variants.strategies()
        self.viewpoints: list[Viewpoint] = variants.viewpoints(servers)
        self.observer = Observer(self.viewpoints, city.roads, city.cells, city.coverage, routes)
        deciders = deciders_of(self.strategies, known)
        self.engine = Engine(self._policies, deciders, servers, ledger, variants.catalogues(), variants.plans())
        self._asked = [v for v, each in enumerate(deciders) if each.kernel is None]
        self._ledger = ledger
        self._told = 0  # transfers that strategies have been told of
        self._course: Generator[Situations, Decisions, None] | None = None

    def admit(self, drawn: Sequence[Containers]) -> None:
        """Add vehicles; their containers in each workload."""
        self.engine.admit([drawn[each.workload] for each in self._variants])
        self.observer.admit([task.latency_level_ms for task in drawn])

    def begin(self, batches: Iterable[Observed]) -> Situations:
        """Drive up to the first frame at which somebody decides who is no kernel; as `step`."""
        self._course = self._through(batches)
        return next(self._course, {})

    def step(self, decisions: Decisions) -> Situations:
        """Carry out what was decided at this frame, and go on to the next one.

        Parameters
        ----------
        decisions
            Of each variant that has been asked, by its number, as `asking.checked` gives them.

        Returns
        -------
        What each of them sees at the next frame; nothing when the pass is over.
        """
        assert self._course is not None
        try:
            return self._course.send(decisions)
        except StopIteration:
            return {}

    def _through(self, batches: Iterable[Observed]) -> Generator[Situations, Decisions, None]:
        for strategy in self.strategies:
            call(strategy, "begin")
        for observed in batches:
            outlooks = self.observer.observe(observed.tracks, observed.containing)
            batch = batch_of(observed.tracks)
            for v, viewpoint in enumerate(self.viewpoints):
                if v not in self._asked:
                    self.engine.run(v, batch, outlooks[viewpoint], observed.seen)
            given = no_decisions(len(batch.time_s) if self._asked else 0)
            for f in range(len(batch.frame_start) - 1) if self._asked else ():
                yield from self._frame(f, batch, outlooks, given, observed.seen)
            self.engine.forget_expired(float(batch.time_s.max(initial=0)))
        self._tell_of_transfers()
        for strategy in self.strategies:
            call(strategy, "end")

    def _frame(
        self, f: int, batch: Batch, outlooks: Mapping[Viewpoint, Outlook], given: Given, seen: Seen
    ) -> Generator[Situations, Decisions, None]:
        """One frame of those who are asked; what they answer is put into `given`, at the frame's samples."""
        samples = batch.by_frame[batch.frame_start[f] : batch.frame_start[f + 1]]
        moved = {v: self.engine.begin_frame(v, f, batch) for v in self._asked}
        self._tell_of_transfers()
        situations = {v: self._situation(v, samples, batch, outlooks[self.viewpoints[v]]) for v in self._asked}
        decisions = yield situations
        for v in situations:
            answer, outlook = decisions[v], outlooks[self.viewpoints[v]]
            given.home[samples], given.target[samples] = answer.home, answer.target
            given.prefetch[samples] = NO_SERVER if answer.prefetch is None else answer.prefetch
            self.engine.finish_frame(v, f, batch, outlook, given, seen, moved=moved[v])
            if (is_last := outlook.looks["last"][samples]).any():
                call(self.strategies[v], "arrived", batch.of_vehicle[samples][is_last])

    def _tell_of_transfers(self) -> None:
        """Tell strategies in Python of their transfers that have ended since they were told before."""
        if len(self._ledger.books.transfers) == self._told:
            return
        ended = self._ledger.transfers(self._told)
        self._told = len(self._ledger.books.transfers)
        for v in self._asked:
            if (own := ended["variant"] == v).any():
                call(self.strategies[v], "transferred", {name: column[own] for name, column in ended.items()})

    def _situation(self, v: int, samples: IntArray, batch: Batch, outlook: Outlook) -> Situation:
        containers = self.engine.containers[batch.of_vehicle[samples], v]
        time_s, horizon_m = float(batch.time_s[samples[0]]), self.viewpoints[v].options.horizon_m
        looks, policy, servers, scene = outlook.looks[samples], self._policies[v], self._servers[v], self.engine.scene(v)
        return Situation(time_s, looks, outlook.road, containers, policy, servers, scene, horizon_m)


def deciders_of(strategies: Sequence[Strategy], known: Mapping[int, Foreknowledge]) -> list[Decider]:
    """How the engine lets strategies decide: those with a kernel by themselves, the others by what they are asked outside."""
    return [
        Decider(
            each.name,
            type(each).kernel,
            record_of(each.options),
            each.Memory,
            each.is_asked_each_frame(),
            each.foresee(known[v]) if v in known else None,
        )
        if each.is_compiled()
        else Decider(each.name)
        for v, each in enumerate(strategies)
    ]
