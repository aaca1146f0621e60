"""A run in a process of its own under a launcher's worker, so that a crash or a kill costs this run and not the worker.

A worker of joblib's that dies takes all the others with it, one of Slurm's or Ray's the answer that is waited for. And a fresh
process says nothing on the terminal that workers share.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from msmf_traci.config.compose import Point
from msmf_traci.config.schema import Config
from msmf_traci.orphans import end_with_parent, parent_has_ended

_LOOK_S = 1.0
_END_S = 10.0
# A killer of the whole worker is given this long, so that the worker does not take its own end for that of its run
_SETTLE_S = 0.5
# A worker that calls its run off waits much longer than this for it
_WORKER_ENDS_S = 3.0
_CODE_WHEN_FAILED = 2
_running: set[subprocess.Popen[str]] = set()


def run_apart(point: Point, *, wait: bool, under_way: Path) -> str | None:
    """Carry out a run of a sweep in a process of its own.

    Parameters
    ----------
    point
        The run.
    wait
        Whether to wait for another process that is making the same run.
    under_way
        A file that exists until the sweep is called off.

    Returns
    -------
    Why the run's process ended before it could say so itself; None where it has recorded what came of it, or was called off.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "msmf_traci.launch.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=end_with_parent(signal.SIGTERM),
    )
    asked = {
        "config": point.config.model_dump(),
        "overrides": point.overrides,
        "swept": point.swept,
        "wait": wait,
        "worker": os.getpid(),
        "under_way": str(under_way),
    }
    _running.add(process)
    _end_with_command()
    try:
        _, said = process.communicate(json.dumps(asked))
    finally:
        _end(process)
        _running.discard(process)
    if process.returncode in (0, _CODE_WHEN_FAILED):
        return None
    time.sleep(_SETTLE_S)
    if not under_way.exists():
        return None
    if process.returncode < 0:
        return f"its process was ended by {signal.Signals(-process.returncode).name}"
    return f"its process ended with code {process.returncode}: {' | '.join(said.splitlines()[-3:]) or 'it said nothing'}"


@functools.cache
def _end_with_command() -> None:
    """End this worker, with the run's process first, when whoever started it ends without a word, as by kill -9.

    A thread, because a worker of joblib's does not look after its parent: it goes on, and then waits for ever to hand over its answer.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        for process in list(_running):
            _end(process)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _end(process: subprocess.Popen[str]) -> None:
    """End the run's process if it still goes, and let it clean up."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> int:
    """The run's process: read what to do, do it, record what came of it."""
    from msmf_traci.launch.job import carry_out
    from msmf_traci.signals import SIGNALLED, ending_cleanly_on_signals

    asked = json.load(sys.stdin)
    point = Point(Config.model_validate(asked["config"]), tuple(asked["overrides"]), tuple(asked["swept"]))

    def is_lost() -> bool:
        return parent_has_ended(asked["worker"], _WORKER_ENDS_S) and Path(asked["under_way"]).exists()

    with ending_cleanly_on_signals(is_whole_process=True):
        try:
            failure = carry_out(point, wait=asked["wait"], is_lost=is_lost)
        except KeyboardInterrupt as interrupt:
            return SIGNALLED + (interrupt.args[0] if interrupt.args else signal.SIGINT)
    return 0 if failure is None else _CODE_WHEN_FAILED


if __name__ == "__main__":
    sys.exit(main())
