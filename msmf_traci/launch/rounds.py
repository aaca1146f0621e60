"""Hands the missing runs of a sweep to a launcher of Hydra, again where a lost worker took others along, until every run is settled.

What came of a run is read from the disk: its folder, or the record of its failure. A launcher's answer is not asked for, since
one lost worker makes every launcher throw away the answers of all.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from hydra import compose
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.types import HydraContext

from msmf_traci.config.compose import Point, Request, our_hydra, register_resolvers
from msmf_traci.config.launchers import IN_PROCESS, is_hydras
from msmf_traci.errors import MsmfError
from msmf_traci.launch.naming import results_folder, swept_folder
from msmf_traci.launch.slurm_jobs import cancel_jobs
from msmf_traci.launch.swept_run import SweptRun, Workplace
from msmf_traci.results.store import RUN_FILE
from msmf_traci.results.sweep_records import Records
from msmf_traci.scratch import owned_scratch, part_of, remove_temporary_folders_of_the_dead, remove_traces_of_the_dead, show_life

LAUNCHER_FILES = "launcher"
_UNDER_WAY = "under-way"
_LOOK_S = 0.5
# A launcher that has not noticed after this long that every run is settled waits for a worker that is no more
_NOTICE_S = 8.0
_LAST_WORDS_S = 1.0
_SHOW_LIFE_S = 600.0
_CLEAR_UP_S = 10.0


@dataclass
class _Tally:
    """How many runs of a sweep are settled, for what is said of each."""

    total: int
    settled: int
    quiet: bool
    failed: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, reason: str | None) -> None:
        """One more is settled."""
        self.settled += 1
        if reason is not None:
            self.failed[name] = reason
        if reason is not None or not self.quiet:
            # on stdout: stderr is kept off the terminal while a launcher is at work
            print(f"{self.settled} of {self.total}: {name} {'done' if reason is None else f'failed: {reason}'}", flush=True)


class _Settled(BaseException):
    """Every run is settled, and the launcher has not noticed."""


def make_missing(request: Request, missing: Mapping[str, Point]) -> dict[str, str]:
    """Make the missing runs of a sweep, by their names, with the launcher it asks for.

    Returns
    -------
    The runs that failed, and why.

    Raises
    ------
    MsmfError
        If the launcher cannot carry it out at all.
    """
    register_resolvers()
    folder = results_folder(request.points[0].config).absolute()
    records = Records(folder)
    todo = dict(missing)
    for name in todo:
        records.forget_failure(name)
    in_process = request.launcher == IN_PROCESS
    plan = tuple(swept_folder(point).name for point in request.points) if in_process else ()
    tally = _Tally(len(request.points), len(request.points) - len(todo), quiet=in_process)
    workplace = None if in_process else Workplace.here()
    wait = False
    # beside the runs: workers on other machines have to reach it
    with owned_scratch(part_of(records.folder / LAUNCHER_FILES)) as scratch:
        under_way = scratch / _UNDER_WAY
        under_way.touch()
        try:
            while todo:
                points = list(todo.values())
                job = SweptRun(points[0].swept, workplace, under_way, wait, plan)
                with _safe_path(), _interruptible(), _Watch(folder, records, todo, tally, scratch) as watch:
                    trouble = _launch(request, points, job, scratch)
                    if trouble is not None and not watch.sees_work():
                        raise MsmfError(f"the launcher {request.launcher} cannot carry this out: {trouble}")
                # what is left is being made by another sweep, or was lost with the worker of another run: wait for it, or redo it
                wait = True
        except BaseException:
            under_way.unlink(missing_ok=True)
            if not in_process:
                _end_workers(scratch)
                _clear_up(folder, records, list(todo))
            raise
        cancel_jobs(scratch)
    remove_traces_of_the_dead(folder)
    return tally.failed


def _launch(request: Request, points: Sequence[Point], job: SweptRun, scratch: Path) -> str | None:
    """Launch runs once; returns what the launcher could not do, if anything."""
    overrides = [[word for word in point.overrides if not is_hydras(word)] for point in points]
    words = [*request.hydra_words, *overrides[0], f'hydra.sweep.dir="{scratch}"', "hydra.job.name=msmf-traci"]
    with our_hydra():
        try:
            config = compose("config", overrides=words, return_hydra_config=True)
            context = HydraContext(GlobalHydra.instance().config_loader(), Callbacks())
            launcher = Plugins.instance().instantiate_launcher(hydra_context=context, task_function=job, config=config)
            with nullcontext() if job.workplace is None else _kept_off_the_terminal(scratch / "launcher.log"):
                answers = launcher.launch(overrides, initial_job_idx=0)
            for answer in answers:
                if answer.status == JobStatus.FAILED:
                    return _one_line(answer._return_value)
        except _Settled:
            pass
        except Exception as error:
            return _one_line(error)
    return None


@contextmanager
def _safe_path() -> Iterator[None]:
    """Let a file in the working folder take the place of no installed package in workers."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextmanager
def _kept_off_the_terminal(log: Path) -> Iterator[None]:
    """Send what launchers and the programs they call say on stderr to a file; what matters of it is in the error that they raise."""
    # submitit warns on stdout too, at every look at a Slurm without accounting
    logging.getLogger("submitit").setLevel(logging.ERROR)
    sys.stderr.flush()
    terminal = os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)


def _hears_signals() -> bool:
    """Whether this thread hears signals: the main one, where the system has them."""
    return hasattr(signal, "SIGUSR1") and threading.current_thread() is threading.main_thread()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the watch end a launcher that waits in vain."""
    if not _hears_signals():
        yield
        return

    def end(*_: object) -> None:
        raise _Settled

    before = signal.signal(signal.SIGUSR1, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def _end_workers(scratch: Path) -> None:
    """End what a launcher has started elsewhere; joblib's own workers have ended with its call."""
    cancel_jobs(scratch)
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()


def _clear_up(folder: Path, records: Records, unsettled: Sequence[str]) -> None:
    """Wait for workers that were told to end, and remove what they have left and what they have recorded of their end."""
    deadline_s = time.monotonic() + _CLEAR_UP_S
    while any(records.is_claimed(name) for name in unsettled) and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
    time.sleep(_LAST_WORDS_S)
    for name in unsettled:
        records.forget_failure(name)
    for place in (folder, records.folder):
        remove_traces_of_the_dead(place)
    remove_temporary_folders_of_the_dead()


def _one_line(error: Any) -> str:
    if isinstance(error, MsmfError):
        return str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' | '.join([*lines[:1], *lines[1:][-2:]])[:500]}"


class _Watch:
    """Sees on disk which runs are settled, says so, and takes them from the list."""

    def __init__(self, folder: Path, records: Records, todo: dict[str, Point], tally: _Tally, scratch: Path) -> None:
        self._scratch = scratch
        self._folder = folder
        self._records = records
        self._todo = todo
        self._tally = tally
        self._begun_with = len(todo)
        self._may_interrupt = _hears_signals()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._look()

    def sees_work(self) -> bool:
        """Whether a run has been settled or is being made, though the launcher has given up; last words take a moment."""
        deadline_s = time.monotonic() + _LAST_WORDS_S
        while time.monotonic() < deadline_s:
            if len(self._todo) < self._begun_with or any(self._records.is_claimed(name) for name in list(self._todo)):
                return True
            time.sleep(_LOOK_S)
        return False

    def _watch(self) -> None:
        settled_s: float | None = None
        shown_s = time.monotonic()
        while not self._end.wait(_LOOK_S):
            self._look()
            if time.monotonic() - shown_s > _SHOW_LIFE_S:
                show_life(self._scratch)
                shown_s = time.monotonic()
            if self._todo:
                continue
            settled_s = settled_s or time.monotonic()
            if time.monotonic() - settled_s > _NOTICE_S:
                if self._may_interrupt:
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
                return

    def _look(self) -> None:
        for name in list(self._todo):
            is_done = (self._folder / name / RUN_FILE).is_file()
            failure = None if is_done else self._records.failure(name)
            if is_done or failure is not None:
                del self._todo[name]
                self._tally.count(name, None if failure is None else failure.reason)
