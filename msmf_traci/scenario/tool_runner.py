"""Runs a Python tool of SUMO so that a signal to end reaches the programs it has started (randomTrips.py starts duarouter)."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path


def _end_group(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Run the tool that the command line names, with the words after it."""
    # only the leader of a process group may end the group: run_tool makes it one
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        signal.signal(signal.SIGTERM, _end_group)
    del sys.argv[0]
    sys.path.insert(0, str(Path(sys.argv[0]).parent))
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
