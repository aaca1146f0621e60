"""One run: by itself, or of a sweep."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from msmf_traci.config.compose import Point
from msmf_traci.errors import sentence_of
from msmf_traci.experiment import judge_files, run_experiment
from msmf_traci.experiment.experiment import Result
from msmf_traci.launch.naming import numbered, swept_folder, timed_folder
from msmf_traci.launch.sweep import is_done
from msmf_traci.results.console import say
from msmf_traci.results.store import refuse_taken
from msmf_traci.results.sweep_records import Records


def run_alone(point: Point) -> Result:
    """Carry out the one run of a command."""
    inputs = judge_files(point.config)
    return run_experiment(point.config, inputs, timed_folder(point.config), point.overrides, numbered)


def carry_out(point: Point, *, wait: bool, plan: Sequence[str] = (), is_lost: Callable[[], bool] | None = None) -> str | None:
    """Make a run of a sweep, unless it lies complete or another process is making it.

    Parameters
    ----------
    point
        The run.
    wait
        Whether to wait for another process that is making the same run.
    plan
        Names of all runs of the sweep, for saying which one begins; empty where nothing is to be said.
    is_lost
        Asked when the run is interrupted: whether its worker was killed, which is recorded, or the sweep was called off.

    Returns
    -------
    Why it failed, which is recorded too; None where it did not.
    """
    folder = swept_folder(point)
    records = Records(folder.parent)
    claim = records.claim(folder.name, wait=wait)
    if claim is None:
        return None
    try:
        if wait and (failure := records.failure(folder.name)) is not None:
            return failure.reason  # whoever was waited for has failed
        try:
            _make(point, folder, plan)
        except KeyboardInterrupt:
            # said while the run is still claimed, so that nobody begins it before they can know
            if is_lost is not None and is_lost():
                records.note_lost(folder.name, "its worker was killed")
            raise
        except Exception as error:
            reason = sentence_of(error)
            if reason is None:
                traceback.print_exc()
                reason = f"{type(error).__name__}: {error}"
            records.note_failure(folder.name, reason)
            return reason
        records.forget_failure(folder.name)
        return None
    finally:
        claim.release()


def _make(point: Point, folder: Path, plan: Sequence[str]) -> None:
    """Run the experiment into `folder`, unless another process has done so since the sweep began."""
    inputs = judge_files(point.config)
    fingerprint = inputs.fingerprint()
    if is_done(folder, point.config, fingerprint):
        return
    if plan:
        say(f"run {plan.index(folder.name) + 1} of {len(plan)}: {folder.name}")

    def theirs_if_equal(taken: Path) -> Path | None:
        """Where there are no locks another sweep may finish the same run first: then its run serves."""
        return None if is_done(taken, point.config, fingerprint) else refuse_taken(taken)

    run_experiment(point.config, inputs, folder, point.overrides, theirs_if_equal)
