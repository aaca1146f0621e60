"""The entry points of the command line, nothing else."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msmf_traci.errors import MsmfError, sentence_of
from msmf_traci.signals import SIGNALLED, end_cleanly_on_signals
from msmf_traci.terminal import Output

if TYPE_CHECKING:
    from msmf_traci.config.compose import Request

WRONG = 2
LONGEST_LINE = 4000


def main(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci`: run one experiment, or a sweep with -m.

    Returns
    -------
    0, 2 where input is wrong, SUMO fails or memory is short (one sentence on stderr), 130 on Ctrl-C (128 plus the signal's number).
    """
    return _command("msmf-traci", _run, argv, interrupted="interrupted; the run in progress left nothing behind")


def fetch(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-fetch`: download a map."""

    def work(words: list[str]) -> int:
        from msmf_traci.scenario.fetch import main as fetch_main

        return fetch_main(words)

    return _command("msmf-traci-fetch", work, argv)


def status(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-status`: what lies in a folder of results, and how large the cache is."""

    def work(words: list[str]) -> None:
        from msmf_traci.status import main as status_main

        status_main(words)

    return _command("msmf-traci-status", work, argv)


def overlay(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-overlay`: a run drawn over a map, for sumo-gui and as GeoJSON."""

    def work(words: list[str]) -> None:
        from msmf_traci.report.overlay import main as overlay_main

        overlay_main(words)

    return _command("msmf-traci-overlay", work, argv)


def report(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-report`: a page with figures, claims and sensitivity about finished runs."""

    def work(words: list[str]) -> None:
        from msmf_traci.report.command import main as report_main

        report_main(words)

    return _command("msmf-traci-report", work, argv)


def testbed(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-testbed`: real migrations of real containers on this machine."""

    def work(words: list[str]) -> None:
        from msmf_traci.testbed_command import main as testbed_main

        testbed_main(words)

    return _command("msmf-traci-testbed", work, argv)


def _command(name: str, work: Callable[[list[str]], int | None], argv: Sequence[str] | None, *, interrupted: str = "interrupted") -> int:
    """Do what a command does, with its code; what it prints may be lost, and its work is done all the same."""
    output = Output()
    with output.in_use():
        code = _code_of(name, work, list(sys.argv[1:] if argv is None else argv), interrupted)
        sys.stdout.flush()
        if output.refusal is not None:
            print(
                f"{name}: stdout cannot be written ({output.refusal}), so that not all is shown; everything else is done", file=sys.stderr
            )
            code = code or WRONG
    return code


def _code_of(name: str, work: Callable[[list[str]], int | None], words: list[str], interrupted: str) -> int:
    """The code of a command: 0, 2 and one sentence where something is wrong, 130 on Ctrl-C."""
    end_cleanly_on_signals()
    try:
        return work(words) or 0
    except SystemExit as ended:  # argparse's, after it has shown a command's help
        return int(ended.code or 0)
    except KeyboardInterrupt as interrupt:
        print(f"{name}: {interrupted}", file=sys.stderr)
        return SIGNALLED + (interrupt.args[0] if interrupt.args else signal.SIGINT)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        print(f"{name}: {_one_line(sentence)}", file=sys.stderr)
        return WRONG


def _one_line(sentence: str) -> str:
    """A sentence as one line that can be read: what was typed and is quoted in it may hold the end of a line, or a megabyte."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda found: found.group().encode("unicode_escape").decode(), sentence)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 2 :]}"


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

    request = read_request(arguments.overrides, multirun=arguments.multirun, config_dir=arguments.config_dir)
    # what is heavy is loaded only once the words are known to be right
    from msmf_traci.job import run_alone
    from msmf_traci.results.store import check_writable
    from msmf_traci.run import judge_files, preview
    from msmf_traci.sweep import results_folder

    if request.points[0].config.dry_run:
        print("\n".join(preview([point.config for point in request.points])))
        return 0
    results = results_folder(request.points[0].config)
    if request.is_sweep:
        _sweep(request, results)
        return 0
    judge_files(request.points[0].config)
    check_writable(results)
    _remove_traces_of_the_dead(results)
    run_alone(request.points[0])
    return 0


def _sweep(request: Request, results: Path) -> None:
    """Make what is missing of a sweep, and stack the summaries once it is complete."""
    from msmf_traci.launch.planning import judge_points
    from msmf_traci.launch.rounds import make_missing
    from msmf_traci.results.console import counted
    from msmf_traci.results.store import check_writable
    from msmf_traci.sweep import check_one_folder, stack_summaries

    check_one_folder(request)
    check_writable(results)
    missing = judge_points(request)
    _remove_traces_of_the_dead(results)
    total, todo = len(request.points), len(missing)
    if todo < total:
        print(f"{total - todo} of {counted(total, 'run')} {'is' if total - todo == 1 else 'are'} done already, {todo} to do", flush=True)
    failed = make_missing(request, missing)
    if failed:
        name, reason = next(iter(failed.items()))
        first = "" if len(failed) == 1 else " the first"
        raise MsmfError(
            f"{len(failed)} of {counted(total, 'run')} failed,{first} {name}: {reason}; the same command does only what is missing"
        )
    path, kept = stack_summaries(request)
    print(f"\nStacked summary of {counted(total, 'run')}: {path}" + (f" (an earlier sweep's is kept as {kept.name})" if kept else ""))


def _remove_traces_of_the_dead(results: Path) -> None:
    """Remove what killed runs have left among results, in the cache and among the system's temporary files."""
    from msmf_traci.launch.records import Records
    from msmf_traci.launch.slurm_jobs import cancel_jobs_of_the_dead
    from msmf_traci.scenario.content_cache import remove_unfinished
    from msmf_traci.scratch import remove_temporary_folders_of_the_dead, remove_traces_of_the_dead

    records = Records(results).folder
    cancel_jobs_of_the_dead(records)
    for folder in (results, records):
        remove_traces_of_the_dead(folder)
    remove_unfinished()
    remove_temporary_folders_of_the_dead()
