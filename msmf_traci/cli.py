"""The entry points of the command line, nothing else."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msmf_traci.errors import InputError, MsmfError

if TYPE_CHECKING:
    from msmf_traci.config.arguments import Arguments
    from msmf_traci.config.compose import Request

SIGNALLED = 128  # plus the signal's number, as shells report it
WRONG = 2


def main(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci`: run one experiment, or a sweep with -m.

    Returns
    -------
    0, 2 where input is wrong or SUMO fails (one sentence on stderr), 130 on Ctrl-C (128 plus the signal's number).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _end_cleanly_on_signals()
    try:
        return _run(words)
    except MsmfError as error:
        print(f"msmf-traci: {error}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt as interrupt:
        print("msmf-traci: interrupted; the run in progress left nothing behind", file=sys.stderr)
        return SIGNALLED + (interrupt.args[0] if interrupt.args else signal.SIGINT)


def _end_cleanly_on_signals() -> None:
    """Let a request to end (a closed terminal, a scheduler's time limit) clean up as Ctrl-C does."""

    def interrupt(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), interrupt)


def fetch() -> int:
    """`msmf-traci-fetch`: download a map."""
    from msmf_traci.scenario.fetch import main as fetch_main

    return fetch_main()


def _run(words: list[str]) -> int:
    from msmf_traci.config.arguments import read_arguments

    arguments = read_arguments(words)
    if arguments.help:
        from msmf_traci.config.help import help_text

        print(help_text())
        return 0
    if arguments.version:
        from msmf_traci import __version__

        print(f"msmf-traci {__version__}")
        return 0
    from msmf_traci.config.compose import read_request
    from msmf_traci.results.store import check_writable
    from msmf_traci.run import judge_files, preview
    from msmf_traci.sweep import check_one_folder, is_done, results_folder, swept_folder

    request = read_request(arguments.overrides, multirun=arguments.multirun, config_dir=arguments.config_dir)
    if request.points[0].config.dry_run:
        print("\n".join(preview([point.config for point in request.points])))
        return 0
    _remove_traces_of_the_dead(results_folder(request.points[0].config))
    if request.is_sweep:
        check_one_folder(request)
    for point in request.points:
        inputs = judge_files(point.config)
        check_writable(results_folder(point.config))
        if request.is_sweep:
            is_done(swept_folder(point.config, point.overrides), point.config, inputs.fingerprint())
    _launch(arguments, request)
    if request.is_sweep:
        from msmf_traci.results.console import counted
        from msmf_traci.sweep import stack_summaries

        path, kept = stack_summaries(request)
        print(
            f"\nStacked summary of {counted(len(request.points), 'run')}: {path}"
            + (f" (an earlier sweep's is kept as {kept.name})" if kept else "")
        )
    return 0


def _remove_traces_of_the_dead(results: Path) -> None:
    """Remove what killed runs have left in the folder of results, in the cache and among the system's temporary files."""
    from msmf_traci.scenario.content_cache import remove_unfinished
    from msmf_traci.scratch import remove_temporary_folders_of_the_dead, remove_traces_of_the_dead

    remove_traces_of_the_dead(results)
    remove_unfinished()
    remove_temporary_folders_of_the_dead()


def _launch(arguments: Arguments, request: Request) -> None:
    """Hand the run or sweep to Hydra, whose launchers carry it out; its own files go to a scratch folder."""
    import hydra
    from hydra.errors import HydraException
    from omegaconf import DictConfig

    from msmf_traci.config.compose import CONFIG_MODULE, register_resolvers
    from msmf_traci.scratch import temporary_folder

    register_resolvers()
    os.environ["HYDRA_FULL_ERROR"] = "1"

    failures: list[MsmfError] = []

    @hydra.main(version_base="1.3", config_path=f"pkg://{CONFIG_MODULE}", config_name="config")
    def job(composed: DictConfig) -> None:
        from msmf_traci.job import run_composed

        try:
            run_composed(composed)
        except MsmfError as error:
            # Hydra adds lines of its own to an exception; and in a sweep the other runs go on
            failures.append(error)
            if request.is_sweep:
                print(f"failed: {error}", file=sys.stderr)

    before = sys.argv
    with temporary_folder() as scratch:
        sys.argv = ["msmf-traci", *arguments.flags(multirun=request.is_sweep), *request.words, f"hydra.sweep.dir={scratch}"]
        try:
            job()
        except HydraException as error:
            raise InputError(f"Hydra cannot carry this out: {' '.join(str(error).split())}; see msmf-traci --help") from None
        finally:
            sys.argv = before
    if len(failures) > 1:
        raise MsmfError(f"{len(failures)} runs failed, the first: {failures[0]}; the same command runs only what is missing")
    if failures:
        raise failures[0]
