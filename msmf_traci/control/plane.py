"""The cloud centre: turns each frame into one decision for every vehicle and strategy."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence

import numpy as np

from msmf_traci.arrays import FloatArray, IntArray, extended
from msmf_traci.control.prediction import Predictor
from msmf_traci.control.situation import Decision, Scene, Situation
from msmf_traci.control.strategies import Strategy
from msmf_traci.control.tiers import TierChoice
from msmf_traci.errors import InputError
from msmf_traci.mobility.frame import Frame
from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.world.servers import Servers


class ControlPlane:
    """All strategies of one pass, asked frame by frame.

    Parameters
    ----------
    strategies
        The strategies, in the order of their columns.
    servers, predictors, tier_choices
        What they decide with; see `Scene`.
    """

    def __init__(
        self, strategies: Sequence[Strategy], servers: Servers, predictors: Mapping[str, Predictor], tier_choices: Mapping[int, TierChoice]
    ) -> None:
        self.strategies = strategies
        self._servers = servers
        self._predictors = predictors
        self._tier_choices = tier_choices
        self._x_m = np.zeros(0)
        self._y_m = np.zeros(0)

    def admit(self, n: int) -> None:
        """Add n vehicles."""
        self._x_m = extended(self._x_m, n, np.nan)
        self._y_m = extended(self._y_m, n, np.nan)

    def decide(self, frame: Frame, cell: IntArray, level_ms: FloatArray, host: IntArray) -> tuple[IntArray, IntArray]:
        """Homes and targets of a frame's vehicles, shape (n, strategies).

        Parameters
        ----------
        frame
            The vehicles.
        cell
            Attached cell of each vehicle.
        level_ms
            Latency level of each vehicle's task.
        host
            Server of each container, shape (n, strategies); NO_SERVER at a vehicle's first frame.

        Returns
        -------
        home
            Server or KEEP; at a vehicle's first frame always a server.
        target
            Server or NO_SERVER; never the host.
        """
        v = frame.vehicle
        scene = Scene(
            frame, cell, frame.x_m - self._x_m[v], frame.y_m - self._y_m[v], level_ms, self._servers, self._predictors, self._tier_choices
        )
        self._x_m[v], self._y_m[v] = frame.x_m, frame.y_m
        homes, targets = [], []
        for column, strategy in enumerate(self.strategies):
            attached_home = scene.tier_and_home(strategy.tiers)[1]
            at = np.where(frame.first, attached_home, host[:, column])
            home, target = self._checked(
                strategy, self._ask(strategy, Situation(scene, at, strategy.tiers, strategy.predictor)), len(frame)
            )
            home = np.where(frame.first & (home == KEEP), attached_home, home)
            deployed_on = np.where(frame.first, home, at)
            target = np.where(target == deployed_on, NO_SERVER, target)
            homes.append(home)
            targets.append(target)
        return np.column_stack(homes), np.column_stack(targets)

    def _ask(self, strategy: Strategy, situation: Situation) -> Decision:
        """A strategy's decision; what it raises is said with the place in its code."""
        try:
            return strategy.decide(situation)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise InputError(
                f"strategy {strategy.name} failed at {situation.time_s:g} s of simulated time: {type(error).__name__}: {error} "
                f"({place.filename}, line {place.lineno}); mend it"
            ) from error

    def _checked(self, strategy: Strategy, decision: Decision, n: int) -> tuple[IntArray, IntArray]:
        """The two answers of a strategy, which may be anybody's code."""
        if not isinstance(decision, Decision):
            raise InputError(f"strategy {strategy.name}: decide must return a Decision, not {type(decision).__name__}")
        return (
            self._checked_answer(strategy, "home", decision.home, KEEP, n),
            self._checked_answer(strategy, "target", decision.target, NO_SERVER, n),
        )

    def _checked_answer(self, strategy: Strategy, what: str, answer: IntArray, none: int, n: int) -> IntArray:
        answer = np.asarray(answer)
        name = "KEEP" if none == KEEP else "NO_SERVER"
        highest = len(self._servers) - 1
        asked = f"strategy {strategy.name}: decide must return a {what} for each of {n} vehicles, a server (0 to {highest}) or {name}"
        if answer.shape != (n,) or not np.issubdtype(answer.dtype, np.integer):
            raise InputError(f"{asked}; it returned {answer.dtype} of shape {answer.shape}")
        wrong = answer[(answer != none) & ((answer < 0) | (answer >= len(self._servers)))]
        if len(wrong):
            raise InputError(f"{asked}; it returned {wrong[0]}")
        return answer
