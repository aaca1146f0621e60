"""A run of a sweep as Hydra's launchers call it, in the command's own process or in a worker on any machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from msmf_traci.config.compose import Point, judge_composed, register_resolvers
from msmf_traci.launch.apart import run_apart
from msmf_traci.launch.naming import swept_folder
from msmf_traci.results.sweep_records import Records
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder

_PASSED_ON = (CACHE_VARIABLE, "MSMF_DATA_DIR")


@dataclass(frozen=True)
class Workplace:
    """Where a command was typed: workers resolve relative paths there, and share its cache.

    Attributes
    ----------
    folder
        The folder it was typed in.
    variables
        Environment variables that decide what a run finds.
    """

    folder: str
    variables: tuple[tuple[str, str], ...]

    @classmethod
    def here(cls) -> Workplace:
        """That of this process."""
        found = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {CACHE_VARIABLE: str(cache_folder())}
        return cls(str(Path.cwd()), tuple(sorted(found.items())))

    def enter(self) -> None:
        """Work there."""
        os.chdir(self.folder)
        os.environ.update(self.variables)


@dataclass(frozen=True)
class SweptRun:
    """What a launcher is to call for each run; what comes of it is on disk, since a killed worker cannot answer.

    Attributes
    ----------
    swept
        The options that the sweep varies.
    workplace
        Where the command was typed; None for a run in the command's own process.
    under_way
        A file that exists until the sweep is called off: a run that ends after that is not lost.
    wait
        Whether to wait for another process that is making the same run, or to leave it to that one.
    plan
        Names of all runs of the sweep, for saying which one begins; empty where workers share a terminal.
    """

    swept: tuple[str, ...]
    workplace: Workplace | None
    under_way: Path
    wait: bool
    plan: tuple[str, ...] = ()

    def __call__(self, composed: DictConfig) -> None:
        """Carry out the run that Hydra has composed."""
        register_resolvers()
        hydra = HydraConfig.get()
        config = judge_composed(composed, hydra.runtime.choices.get("experiment"))
        point = Point(config, tuple(str(word) for word in hydra.overrides.task), self.swept)
        if self.workplace is None:
            from msmf_traci.launch.job import carry_out  # heavy, and a worker needs none of it

            carry_out(point, wait=self.wait, plan=self.plan)
            return
        self.workplace.enter()
        reason = run_apart(point, wait=self.wait, under_way=self.under_way)
        if reason is not None:
            folder = swept_folder(point)
            Records(folder.parent).note_lost(folder.name, reason)
