"""One run: by itself, and as Hydra's launchers call it for a sweep, in this process or in a worker on any machine."""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from msmf_traci.config.compose import Point, judge_composed, register_resolvers
from msmf_traci.config.schema import Config
from msmf_traci.errors import sentence_of
from msmf_traci.launch.apart import run_apart
from msmf_traci.launch.records import Records
from msmf_traci.orphans import parent_has_ended
from msmf_traci.results.console import result_text, say
from msmf_traci.results.store import refuse_taken
from msmf_traci.run import judge_files, run_experiment
from msmf_traci.run.experiment import Result
from msmf_traci.scenario.cache_folder import CACHE_VARIABLE, cache_folder
from msmf_traci.sweep import is_done, numbered, results_folder, swept_folder, timed_folder

_PASSED_ON = (CACHE_VARIABLE, "MSMF_DATA_DIR")
# A worker that calls its run off waits much longer than this for it
_WORKER_ENDS_S = 3.0


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
    """A run of a sweep as Hydra's launchers call it; what comes of it is on disk, since a killed worker cannot answer.

    Attributes
    ----------
    workplace
        Where the command was typed; None for a run in the command's own process, which shows its table.
    wait
        Whether to wait for another process that is making the same run, or to leave it to that one.
    """

    workplace: Workplace | None
    wait: bool

    def __call__(self, composed: DictConfig) -> None:
        """Carry out the run that Hydra has composed."""
        register_resolvers()
        hydra = HydraConfig.get()
        overrides = [str(word) for word in hydra.overrides.task]
        config = judge_composed(composed, hydra.runtime.choices.get("experiment"))
        if self.workplace is None:
            carry_out(config, overrides, wait=self.wait, show=True)
            return
        self.workplace.enter()
        reason = run_apart(config.model_dump(), overrides, wait=self.wait)
        if reason is not None:
            note_lost(config, overrides, reason)


def run_alone(point: Point) -> None:
    """Carry out the one run of a command and print its result."""
    inputs = judge_files(point.config)
    _show(run_experiment(point.config, inputs, timed_folder(point.config), point.overrides, numbered))


def carry_out(config: Config, overrides: Sequence[str], *, wait: bool, show: bool = False, worker: int | None = None) -> str | None:
    """Make a run of a sweep, unless it lies complete or another process is making it.

    Parameters
    ----------
    config, overrides
        The judged configuration and the words that made it.
    wait
        Whether to wait for another process that is making the same run.
    show
        Whether to print the result.
    worker
        The process that this one works for: if it has gone when the run is interrupted, the run is lost rather than called off.

    Returns
    -------
    Why it failed, which is recorded too; None where it did not.
    """
    folder = swept_folder(config, overrides)
    records = Records(folder.parent)
    claim = records.claim(folder.name, wait=wait)
    if claim is None:
        return None
    try:
        if wait and (failure := records.failure(folder.name)) is not None:
            return failure.reason  # whoever was waited for has failed
        if show:
            print(f"\nRun {folder.name}", flush=True)
        try:
            result = _make(config, overrides, folder)
        except KeyboardInterrupt:
            # said while the run is still claimed, so that nobody begins it before they can know
            if worker is not None and parent_has_ended(worker, _WORKER_ENDS_S):
                note_lost(config, overrides, "its worker was killed")
            raise
        except Exception as error:
            reason = sentence_of(error)
            if reason is None:
                traceback.print_exc()
                reason = f"{type(error).__name__}: {error}"
            records.note_failure(folder.name, reason)
            if show:
                say(f"failed: {reason}")
            return reason
        records.forget_failure(folder.name)
        if show and result is not None:
            _show(result)
        return None
    finally:
        claim.release()


def note_lost(config: Config, overrides: Sequence[str], reason: str) -> None:
    """Record a run whose process could not do so itself."""
    Records(results_folder(config)).note_failure(swept_folder(config, overrides).name, f"{reason}; no tables were written")


def _make(config: Config, overrides: Sequence[str], folder: Path) -> Result | None:
    """Run the experiment into `folder`; None where another process has done so since the sweep began."""
    inputs = judge_files(config)
    fingerprint = inputs.fingerprint()
    if is_done(folder, config, fingerprint):
        return None

    def theirs_if_equal(taken: Path) -> Path | None:
        """Where there are no locks another sweep may finish the same run first: then its run serves."""
        return None if is_done(taken, config, fingerprint) else refuse_taken(taken)

    return run_experiment(config, inputs, folder, overrides, theirs_if_equal)


def _show(result: Result) -> None:
    print(result_text(result.summary, result.facts, result.folder), flush=True)
