"""The way into every command: which one is meant, what it may print, and the code that it ends with."""

from __future__ import annotations

import importlib
import re
import signal
import sys
from collections.abc import Callable, Sequence

from msmf_traci.errors import sentence_of
from msmf_traci.signals import SIGNALLED, ending_cleanly_on_signals
from msmf_traci.terminal import Output

PROGRAM = "msmf-traci"
WRONG = 2
LONGEST_LINE = 4000
# the module of each command; its function `main` takes the words that follow the command's name
COMMANDS = {
    "run": "msmf_traci.commands.run",
    "status": "msmf_traci.commands.status",
    "report": "msmf_traci.reporting.command",
    "bound": "msmf_traci.commands.bound",
    "benchmark": "msmf_traci.commands.benchmark",
    "overlay": "msmf_traci.reporting.overlay",
    "fetch": "msmf_traci.scenario.fetch",
    "testbed": "msmf_traci.testbed_command",
    "completion": "msmf_traci.commands.completion",
}


def main(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci [COMMAND] WORDS`: a command, or a run where none is named.

    Returns
    -------
    0, 2 where input is wrong, SUMO fails or memory is short (one sentence on stderr), 130 on Ctrl-C (128 plus the signal's number).
    """
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in COMMANDS and words[0] != "run":
        return _command(words[0], words[1:], f"{PROGRAM} {words[0]}", is_whole_process=argv is None)
    return _command("run", words[1:] if words and words[0] == "run" else words, PROGRAM, is_whole_process=argv is None)


def run_by_name(name: str, argv: Sequence[str] | None = None) -> int:
    """A command by its name alone, as the scripts `msmf-traci-report` and the like call it."""
    return _command(name, sys.argv[1:] if argv is None else argv, f"{PROGRAM} {name}", is_whole_process=argv is None)


def status(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-status`, the same as `msmf-traci status`."""
    return run_by_name("status", argv)


def report(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-report`, the same as `msmf-traci report`."""
    return run_by_name("report", argv)


def overlay(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-overlay`, the same as `msmf-traci overlay`."""
    return run_by_name("overlay", argv)


def fetch(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-fetch`, the same as `msmf-traci fetch`."""
    return run_by_name("fetch", argv)


def testbed(argv: Sequence[str] | None = None) -> int:
    """`msmf-traci-testbed`, the same as `msmf-traci testbed`."""
    return run_by_name("testbed", argv)


def _command(name: str, words: Sequence[str], shown: str, *, is_whole_process: bool) -> int:
    """Do what a command does, with its code; what it prints may be lost, and its work is done all the same."""
    output = Output()
    with output.in_use(), ending_cleanly_on_signals(is_whole_process=is_whole_process):
        code = _code_of(shown, lambda: importlib.import_module(COMMANDS[name]).main(list(words)))
        sys.stdout.flush()
        if output.refusal is not None:
            print(
                f"{shown}: stdout cannot be written ({output.refusal}), so not all of the output is shown; all other work is done",
                file=sys.stderr,
            )
            code = code or WRONG
    return code


def _code_of(shown: str, work: Callable[[], int | None]) -> int:
    """The code of a command: 0, 2 and one sentence where something is wrong, 130 on Ctrl-C."""
    try:
        return work() or 0
    except SystemExit as ended:  # argparse's, after it has shown a command's help
        return int(ended.code or 0)
    except KeyboardInterrupt as interrupt:
        print(f"{shown}: interrupted; nothing half-done is left behind, and finished runs are kept", file=sys.stderr)
        return SIGNALLED + (interrupt.args[0] if interrupt.args else signal.SIGINT)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        print(f"{shown}: {_one_line(sentence)}", file=sys.stderr)
        return WRONG


def _one_line(sentence: str) -> str:
    """A sentence as one line that can be read: what was typed and is quoted in it may hold the end of a line, or a megabyte."""
    line = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda found: found.group().encode("unicode_escape").decode(), sentence)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 2 :]}"
