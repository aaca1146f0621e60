"""Requests to end: one ends a command cleanly, another does not interrupt that, and what its starter ignores it ignores too."""

import signal
import subprocess
import sys

import pytest

from msmf_traci.commands import entry, run

# says what it hears; cleaning up takes as long as its starter keeps its stdin open
COMMAND = """
import os
import sys
from msmf_traci.commands import entry, run
def work(words):
    try:
        os.write(1, b"ready\\n")
        sys.stdin.readline()
        print("not interrupted", flush=True)
    finally:
        print("cleaning", flush=True)
        sys.stdin.readline()
        print("clean", flush=True)
run.main = work
sys.argv = ["msmf-traci"]
sys.exit(entry.main())
"""


def started(before: str = "") -> "subprocess.Popen[str]":
    """A command that is at work."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", before + COMMAND], stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_request_does_not_interrupt_the_cleaning_up(number: signal.Signals, code: int) -> None:
    process = started("import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n")
    process.send_signal(number)
    assert process.stdout is not None
    assert process.stdout.readline() == "cleaning\n"
    for again in (signal.SIGINT, signal.SIGTERM):
        process.send_signal(again)
    said, error = process.communicate("\n", timeout=60)
    assert (said, process.returncode) == ("clean\n", code)
    assert error == "msmf-traci: interrupted; nothing half-done is left behind, and finished runs are kept\n"


def test_a_hang_up_that_nohup_ignores_is_ignored() -> None:
    process = started("import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n")
    process.send_signal(signal.SIGHUP)
    said, error = process.communicate("\n\n", timeout=60)
    assert (said, error, process.returncode) == ("not interrupted\ncleaning\nclean\n", "", 0)


def test_a_python_program_that_calls_a_command_hears_signals_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(run, "main", interrupted)
    assert entry.main([]) == 130
    assert {number: signal.getsignal(number) for number in before} == before
