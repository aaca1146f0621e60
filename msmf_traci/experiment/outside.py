"""A pass that is advanced from outside, frame by frame: for a caller who holds the loop, such as a learning environment."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

import pandas as pd

from msmf_traci.config.schema import Config
from msmf_traci.errors import InputError
from msmf_traci.experiment.bookkeeping import tables_of
from msmf_traci.experiment.drive import Drive
from msmf_traci.experiment.preparation import draw_trips, judge_files, read_city
from msmf_traci.experiment.world import Situations
from msmf_traci.scenario.content_cache import used_until_the_end
from msmf_traci.scratch import temporary_folder
from msmf_traci.strategies.asking import ask, checked
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Strategy


class Outside(Strategy):
    """What a caller decides who holds the loop."""

    name = "outside"

    def decide(self, now: Situation) -> Decision:
        """Not asked: the caller decides."""
        raise NotImplementedError


class OpenPass:
    """A mobility pass under one strategy that decides from outside, beside any others.

    Use it in a `with` statement: SUMO, or the recording, is closed at its end.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._situations: Situations = {}
        self._is_begun: bool | None = None  # None: it is not open

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(used_until_the_end())
            scratch = stack.enter_context(temporary_folder())
            config, inputs = self._config, judge_files(self._config)
            city = read_city(config, inputs.network.ensure())
            trips = draw_trips(config, inputs, city) if not config.scenario.has_own_routes and not config.mobility.is_from_file else None
            self._drive = Drive(config, inputs, city, trips, scratch)
            own = [v for v, each in enumerate(self._drive.world.strategies) if isinstance(each, Outside)]
            if len(own) != 1:
                raise InputError(f"a pass that is advanced from outside has one variant of its own, not {len(own)}: leave out variants")
            (self._own,) = own
            self._batches = self._drive.batches()
            stack.callback(self._batches.close)
            self._stack, self._is_begun = stack.pop_all(), False
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def begin(self) -> Situation | None:
        """What is seen at the first frame; None if there is none.

        Raises
        ------
        MsmfError
            If SUMO fails, or the pass is not open, or has begun.
        """
        if self._is_begun is not False:
            raise InputError("begin: open the pass in a with statement, and begin it once")
        self._is_begun = True
        self._situations = self._drive.world.begin(self._batches)
        return self._situations.get(self._own)

    def step(self, decision: Decision) -> Situation | None:
        """Carry out a decision, and go on to the next frame.

        Parameters
        ----------
        decision
            Home and target of each vehicle of the present frame.

        Returns
        -------
        What is seen at the next frame; None when the pass is over.

        Raises
        ------
        InputError
            If the decision is no server for each vehicle, or the pass has not begun or is over.
        MsmfError
            If SUMO fails.
        """
        if not self._situations:
            raise InputError("step: the pass has not begun or is over; call begin() first, and stop when step() gives None")
        world = self._drive.world
        decision = checked("step", decision, self._situations[self._own])
        others = {v: ask(world.strategies[v], now) for v, now in self._situations.items() if v != self._own}
        self._situations = {}  # what fails from here on ends the pass
        self._situations = world.step({**others, self._own: decision})
        return self._situations.get(self._own)

    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables of the pass, by their names, such as `summary`; complete once `step` has given None.

        Raises
        ------
        InputError
            If the pass has not begun.
        """
        if not self._is_begun:
            raise InputError("tables: the pass has not begun; call begin() first")
        return tables_of(self._drive)
