"""Carries out what was asked for, one run or a sweep: for those who type and for those who write Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msmf_traci.config.compose import Request
from msmf_traci.errors import MsmfError
from msmf_traci.experiment import judge_files
from msmf_traci.experiment.experiment import Result
from msmf_traci.launch.job import run_alone
from msmf_traci.launch.naming import results_folder, swept_folder
from msmf_traci.launch.planning import judge_points
from msmf_traci.launch.rounds import make_missing
from msmf_traci.launch.slurm_jobs import cancel_jobs_of_the_dead
from msmf_traci.launch.sweep import check_one_folder, stack_summaries
from msmf_traci.results.console import counted, say
from msmf_traci.results.store import check_writable
from msmf_traci.results.sweep_records import Records
from msmf_traci.scenario.content_cache import remove_unfinished
from msmf_traci.scratch import remove_temporary_folders_of_the_dead, remove_traces_of_the_dead


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep.

    Attributes
    ----------
    folder
        Where its runs and its stacked summaries are.
    runs
        Folders of the runs, in the order of the sweep.
    settings
        Columns of the stacked summaries that tell settings apart.
    kept
        Where a summary of an earlier sweep is kept; None where there was none.
    """

    folder: Path
    runs: tuple[Path, ...]
    settings: tuple[str, ...]
    kept: Path | None


def make_run(request: Request) -> Result:
    """Carry out the one run of a request.

    Raises
    ------
    MsmfError
        If something is wrong or fails.
    """
    (point,) = request.points
    results = results_folder(point.config)
    judge_files(point.config)
    check_writable(results)
    _remove_traces_of_the_dead(results)
    return run_alone(point)


def make_sweep(request: Request) -> SweepResult:
    """Make what is missing of a sweep, and stack the summaries once it is complete.

    Raises
    ------
    MsmfError
        If something is wrong, or a run has failed; the others are made all the same.
    """
    results = results_folder(request.points[0].config)
    check_one_folder(request)
    check_writable(results)
    missing = judge_points(request)
    _remove_traces_of_the_dead(results)
    total, todo = len(request.points), len(missing)
    if todo < total:
        say(f"{total - todo} of {counted(total, 'run')} {'is' if total - todo == 1 else 'are'} done already, {todo} to do")
    failed = make_missing(request, missing)
    if failed:
        name, reason = next(iter(failed.items()))
        first = "" if len(failed) == 1 else " the first"
        raise MsmfError(
            f"{len(failed)} of {counted(total, 'run')} failed,{first} {name}: {reason}; "
            "give the same command again to make only the missing runs"
        )
    stacked = stack_summaries(request)
    return SweepResult(results, tuple(swept_folder(point) for point in request.points), stacked.settings, stacked.kept)


def _remove_traces_of_the_dead(results: Path) -> None:
    """Remove what killed runs have left among results, in the cache and among the system's temporary files."""
    records = Records(results).folder
    cancel_jobs_of_the_dead(records)
    for folder in (results, records):
        remove_traces_of_the_dead(folder)
    remove_unfinished()
    remove_temporary_folders_of_the_dead()
