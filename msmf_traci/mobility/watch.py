"""Notices a program that waits for something that does not come, so that nobody waits for it for ever."""

from __future__ import annotations

import subprocess
import time

import psutil

from msmf_traci.errors import ToolError

IDLE_S = 60.0
LOOK_S = 1.0


class Watch:
    """A program that is waited for, and how long it has done nothing meanwhile.

    Time is counted in looks, so that it stands still while this process does.

    Parameters
    ----------
    process
        The program.
    idle_s
        How long it may use no processor time while it is waited for.
    """

    def __init__(self, process: subprocess.Popen[bytes], idle_s: float = IDLE_S) -> None:
        self._process = process
        self._idle_s = idle_s
        self._idle_looks = 0
        self._used_s = -1.0
        self._looked_s = -LOOK_S

    def look(self) -> None:
        """Look once a second, at most, whether the program still works.

        Raises
        ------
        ProcessEnded
            If it has ended.
        ToolError
            If it has done nothing for too long.
        """
        if self._process.poll() is not None:
            raise ProcessEnded
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        used_s = self._seconds_used()
        self._idle_looks = 0 if used_s > self._used_s else self._idle_looks + 1
        self._used_s = used_s
        if self._idle_looks * LOOK_S >= self._idle_s:
            raise ToolError(
                f"SUMO has done nothing for {self._idle_s:g} s and does not answer; "
                "check whether its configuration or additional files make it wait for something (no tables were written)"
            )

    def begin(self) -> None:
        """The program is waited for anew."""
        self._idle_looks = 0

    def _seconds_used(self) -> float:
        try:
            used = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            raise ProcessEnded from None
        return float(used.user + used.system)


class ProcessEnded(Exception):  # noqa: N818 - no error by itself: who waits knows what it means
    """The program has ended."""
