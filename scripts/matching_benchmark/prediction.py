"""What predictions lose when roads are known by matching: hit rates of PM with true and with matched roads, in the same pass.

A place that is decided with a lag is old. Prediction carries it on at its speed; held as it is, it shows what that is good for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray
from msmf_traci.config.compose import read_request
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.preparation import draw_trips
from msmf_traci.mobility.frame import DECIMALS, NO_EDGE, AsMatched, Frames, MobilitySource
from msmf_traci.mobility.matching.road_index import RoadIndex

from .matchers import Ours
from .measuring import Receiver
from .truth import Journey, Pass

RECEIVER, LAG_S = Receiver(5.0, 1.0), 5.0
KINDS = ("entry", "handoff")

Known = tuple[IntArray, FloatArray, FloatArray, FloatArray]


class MatchedSource:
    """A pass whose edges and positions are those that matching has decided by then, held until newer ones; the rest is as it was.

    Parameters
    ----------
    recorded
        The pass.
    known
        Edge, position and speed known at each of its samples, and the way since then, in the order of its batches.
    """

    def __init__(self, recorded: Pass, known: Known) -> None:
        self.roster = recorded.source.roster
        self._batches, self._known = recorded.batches, known

    def frames(self) -> Generator[Frames, None, None]:
        """Batch by batch."""
        begin = 0
        for batch in self._batches:
            end = begin + len(batch.vehicle)
            edge, position_m, known_mps, since_m = (column[begin:end].copy() for column in self._known)
            matched = AsMatched(known_mps, since_m, batch.position_m)
            yield dataclasses.replace(batch, edge=edge, position_m=position_m, as_matched=matched)
            begin = end


class _TrueSource:
    """The pass as it was."""

    def __init__(self, recorded: Pass) -> None:
        self.roster, self._batches = recorded.source.roster, recorded.batches

    def frames(self) -> Generator[Frames, None, None]:
        """Batch by batch."""
        yield from self._batches


def known_by_then(journey: Journey, matcher: Ours, generator: np.random.Generator, *, moves_ahead: bool) -> Known:
    """What is known at each sample of a journey: edge, position and speed of the newest place that has been decided, the way since then."""
    measured = RECEIVER.measure(journey, generator)
    decided = matcher.match(measured).decided
    newest = np.searchsorted(measured.truth.time_s + LAG_S, journey.time_s, side="right") - 1
    is_known = newest >= 0
    edge = np.where(is_known, decided.edge[newest], NO_EDGE)
    position_m, speed_mps = (np.nan_to_num(np.where(is_known, values[newest], 0.0)) for values in (decided.position_m, decided.speed_mps))
    since_m = np.where(is_known & moves_ahead, np.maximum(speed_mps, 0.0) * (journey.time_s - measured.truth.time_s[newest]), 0.0)
    return edge, np.round(position_m, DECIMALS), np.round(speed_mps, DECIMALS), np.round(since_m, DECIMALS)


def hit_rates(recorded: Pass, seeds: Sequence[int]) -> Iterator[str]:
    """A Markdown table."""
    vehicle = np.concatenate([batch.vehicle for batch in recorded.batches])
    order = np.argsort(vehicle, kind="stable")
    roads = recorded.city.roads
    matcher = Ours(roads, RoadIndex(roads), RECEIVER.sigma_m, LAG_S)
    truth = _hits(recorded, _TrueSource(recorded))
    yield f"| roads known | {' | '.join(f'{kind} hits' for kind in KINDS)} |\n| --- | --- | --- |"
    yield "| as they are | " + " | ".join(f"{truth[kind]:.2%}" for kind in KINDS) + " |"
    for moves_ahead in (False, True):
        for seed in seeds:
            generators = [np.random.default_rng((seed, number)) for number in range(len(recorded.journeys))]
            parts = [
                known_by_then(journey, matcher, generator, moves_ahead=moves_ahead)
                for journey, generator in zip(recorded.journeys, generators, strict=True)
            ]
            known = [np.concatenate(columns)[np.argsort(order)] for columns in zip(*parts, strict=True)]
            matched = _hits(recorded, MatchedSource(recorded, (known[0], known[1], known[2], known[3])))
            told = " | ".join(f"{matched[kind]:.2%} ({100 * (matched[kind] - truth[kind]):+.2f} points)" for kind in KINDS)
            yield f"| matched, 5 m, 1 s, lag 5 s, {'carried on' if moves_ahead else 'held'}, seed {seed} | {told} |"


def _hits(recorded: Pass, source: MobilitySource) -> dict[str, float]:
    """Drive a pass with PM; returns its hit rates."""
    config = read_request(["scenario=beijing", "strategies=[pm]"]).points[0].config
    trips = draw_trips(config, recorded.inputs, recorded.city)
    strategies = [each for each in recorded.inputs.strategies if each.name == "pm"]
    drive = Drive(config, dataclasses.replace(recorded.inputs, strategies=strategies), recorded.city, trips, Path())
    drive.source, drive.roster = source, source.roster
    drive.through()
    booked = drive.world.engine.containers
    hits = {kind: (booked[f"{kind}_hits"].sum(), booked[f"{kind}_misses"].sum()) for kind in KINDS}
    return {kind: float(right / (right + wrong)) for kind, (right, wrong) in hits.items()}
