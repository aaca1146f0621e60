"""Programs that the testbed starts: each carries the testbed's mark, so that it can be found again, and a session of its own."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from msmf_traci.errors import MsmfError

MARK = "MSMF_TESTBED"  # environment variable that names the testbed


class Programs:
    """Starts programs for one testbed.

    Parameters
    ----------
    testbed
        Its name.
    first_in_path
        Folder that is looked through before PATH; runC finds CRIU there.
    """

    def __init__(self, testbed: str, first_in_path: Path) -> None:
        path = f"{first_in_path}:{os.environ.get('PATH', os.defpath)}"
        self._variables = {**os.environ, "PATH": path, MARK: testbed, "LC_ALL": "C"}

    def start(
        self, command: Sequence[str], *, output: int | None = subprocess.DEVNULL, namespace: str | None = None
    ) -> subprocess.Popen[str]:
        """Start a program, in a network namespace if one is named; what it says on stdout is dropped, or goes to `output`."""
        inside = ["ip", "netns", "exec", namespace, *command] if namespace is not None else list(command)
        return subprocess.Popen(
            inside,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE if output == subprocess.PIPE else subprocess.DEVNULL,
            text=True,
            env=self._variables,
            start_new_session=True,
        )

    def run(self, command: Sequence[str], *, said: str | None = None) -> str:
        """Run a program to its end and return its output.

        Parameters
        ----------
        command
            The program and its words.
        said
            What it reads on stdin.

        Raises
        ------
        MsmfError
            If it fails, with its last line.
        """
        result = subprocess.run(
            command, input=said, stdin=subprocess.DEVNULL if said is None else None, capture_output=True, text=True, env=self._variables,
            start_new_session=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise MsmfError(f"{' '.join(command[:6])} failed: {last_line(result.stderr or result.stdout)}")
        return result.stdout


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def end(program: subprocess.Popen[str]) -> None:
    """Kill a program with all that it started in its session, and wait for it."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def wait_for(program: subprocess.Popen[str], wake: socket.socket) -> bool:
    """Wait until a program has ended, but no longer than until something can be read from `wake`; whether it has ended."""
    descriptor = os.pidfd_open(program.pid)
    try:
        return descriptor in select.select([descriptor, wake.fileno()], (), ())[0]
    finally:
        os.close(descriptor)
