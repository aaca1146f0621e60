"""Asks a strategy of anybody's for one frame, and checks what it answers."""

from __future__ import annotations

import traceback

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.control.situation import Decision, Scene, Situation
from msmf_traci.control.strategies import Strategy
from msmf_traci.errors import InputError
from msmf_traci.sentinels import KEEP, NO_SERVER


def ask(strategy: Strategy, scene: Scene, host: IntArray) -> tuple[IntArray, IntArray]:
    """Homes and targets of a frame's vehicles, shape (n,).

    Parameters
    ----------
    strategy
        Whom to ask.
    scene
        The frame.
    host
        Server of each container; NO_SERVER at a vehicle's first frame.

    Returns
    -------
    home
        Server or KEEP; at a vehicle's first frame always a server.
    target
        Server or NO_SERVER; never the host.

    Raises
    ------
    InputError
        If the strategy fails, or answers what is no server.
    """
    at = np.where(scene.first, scene.home, host)
    decision = _answer(strategy, Situation(scene, at))
    if not isinstance(decision, Decision):
        raise InputError(f"strategy {strategy.name}: decide must return a Decision, not {type(decision).__name__}")
    home = _checked(strategy, scene, "home", decision.home, KEEP)
    target = _checked(strategy, scene, "target", decision.target, NO_SERVER)
    home = np.where(scene.first & (home == KEEP), scene.home, home)
    deployed_on = np.where(scene.first, home, at)
    return home, np.where(target == deployed_on, NO_SERVER, target)


def _answer(strategy: Strategy, situation: Situation) -> Decision:
    """A strategy's decision; what it raises is said with the place in its code."""
    try:
        return strategy.decide(situation)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise InputError(
            f"strategy {strategy.name} failed at {situation.time_s:g} s of simulated time: {type(error).__name__}: {error} "
            f"({place.filename}, line {place.lineno}); correct it there"
        ) from error


def _checked(strategy: Strategy, scene: Scene, what: str, answer: IntArray, none: int) -> IntArray:
    """One of the two answers of a strategy, which may be anybody's code."""
    answer = np.asarray(answer)
    n, name = len(scene), "KEEP" if none == KEEP else "NO_SERVER"
    highest = len(scene.servers) - 1
    asked = f"strategy {strategy.name}: decide must return a {what} for each of {n} vehicles, a server (0 to {highest}) or {name}"
    if answer.shape != (n,) or not np.issubdtype(answer.dtype, np.integer):
        raise InputError(f"{asked}; it returned {answer.dtype} of shape {answer.shape}")
    wrong = answer[(answer != none) & ((answer < 0) | (answer > highest))]
    if len(wrong):
        raise InputError(f"{asked}; it returned {wrong[0]}")
    return answer.astype(np.int64)
