"""Asks a strategy in Python for one frame, and checks what it answers."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np

from msmf_traci.arrays import IntArray
from msmf_traci.errors import InputError
from msmf_traci.sentinels import KEEP, MOST_PREFETCHED, NO_SERVER
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Strategy


def ask(strategy: Strategy, now: Situation) -> Decision:
    """A strategy's decision; what it raises is said with the place in its code.

    Raises
    ------
    InputError
        If the strategy fails, or answers what is no server.
    """
    decision = call(strategy, "decide", now, when=f" at {now.time_s:g} s of simulated time")
    return checked(f"strategy {strategy.name}: decide", decision, now)


def call(strategy: Strategy, method: str, *words: Any, when: str = "") -> Any:
    """Call a method of a strategy; what it raises is said with the place in its code.

    Raises
    ------
    InputError
        If it raises anything.
    """
    try:
        return getattr(strategy, method)(*words)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = when or f" in {method}"
        raise InputError(
            f"strategy {strategy.name} failed{where}: {type(error).__name__}: {error} "
            f"({place.filename}, line {place.lineno}); correct it there"
        ) from error


def checked(who: str, decision: object, now: Situation) -> Decision:
    """A decision of anybody's as the engine takes it.

    Raises
    ------
    InputError
        If it is none, or no server for each vehicle.
    """
    if not isinstance(decision, Decision):
        raise InputError(f"{who} must return a Decision, not {type(decision).__name__}")
    home = _checked(who, now, "home", decision.home, KEEP)
    return Decision(home, _checked(who, now, "target", decision.target, NO_SERVER), _checked_lists(who, now, decision.prefetch))


def _checked_lists(who: str, now: Situation, answer: IntArray | None) -> IntArray:
    """Lists of servers, shape (n, 8), those that are named before those that are not."""
    lists = np.full((len(now), MOST_PREFETCHED), NO_SERVER, dtype=np.int64)
    if answer is None:
        return lists
    answer = np.asarray(answer)
    if answer.ndim != 2 or len(answer) != len(now) or answer.shape[1] > MOST_PREFETCHED or not np.issubdtype(answer.dtype, np.integer):
        raise InputError(
            f"{who} must return prefetch as numbers of a server (0 to {len(now.servers) - 1}) or NO_SERVER, of shape ({len(now)}, up to "
            f"{MOST_PREFETCHED}); it returned {answer.dtype} of shape {answer.shape}"
        )
    wrong = answer[(answer != NO_SERVER) & ((answer < 0) | (answer >= len(now.servers)))]
    if len(wrong):
        raise InputError(f"{who} must put a server (0 to {len(now.servers) - 1}) or NO_SERVER into prefetch; it returned {wrong[0]}")
    order = np.argsort(answer == NO_SERVER, axis=1, kind="stable")
    lists[:, : answer.shape[1]] = np.take_along_axis(answer, order, axis=1)
    return lists


def _checked(who: str, now: Situation, what: str, answer: IntArray, none: int) -> IntArray:
    answer = np.asarray(answer)
    n, name = len(now), "KEEP" if none == KEEP else "NO_SERVER"
    highest = len(now.servers) - 1
    asked = f"{who} must return a {what} for each of {n} vehicles, a server (0 to {highest}) or {name}"
    if answer.shape != (n,) or not np.issubdtype(answer.dtype, np.integer):
        raise InputError(f"{asked}; it returned {answer.dtype} of shape {answer.shape}")
    wrong = answer[(answer != none) & ((answer < 0) | (answer > highest))]
    if len(wrong):
        raise InputError(f"{asked}; it returned {wrong[0]}")
    return answer.astype(np.int64)
