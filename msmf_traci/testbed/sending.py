"""Files on their way from one host to another by rsync."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field

from msmf_traci.errors import MsmfError
from msmf_traci.testbed.hosts import MODULE, Host
from msmf_traci.testbed.network import sent_bytes
from msmf_traci.testbed.programs import end, last_line

_PAGE_BYTES = 4096
_STALLED_S = 60
_ALWAYS = ("--archive", "--inplace", "--stats", f"--timeout={_STALLED_S}")
# Images, and snapshots that hold changes only, go as they are, and never change once sent; of a whole snapshot those pages go that differ
# from the ones that the target holds
_AS_IT_IS = ("--whole-file",)
_DIFFERENCE = ("--no-whole-file", "--ignore-times", "--delete", f"--block-size={_PAGE_BYTES}")


@dataclass
class Sending:
    """One run of rsync.

    Attributes
    ----------
    source
        Who sends.
    program
        The sender.
    link_bytes
        What has left the source's link since it began, headers and acknowledgements included; set when it is over.
    payload_bytes
        Content that rsync had to send; None where it was broken off.
    """

    source: Host
    program: subprocess.Popen[str]
    _sent_before: int
    link_bytes: int = field(default=0, init=False)
    payload_bytes: int | None = field(default=None, init=False)

    def finish(self) -> None:
        """See to it that it has ended well.

        Raises
        ------
        MsmfError
            If it has not.
        """
        said, complaint = self.program.communicate()
        self._count()
        if self.program.returncode != 0:
            raise MsmfError(f"rsync from host {self.source.name} failed: {last_line(complaint)}")
        found = re.search(r"^Literal data: ([\d,]+) bytes", said, re.MULTILINE)
        if found is None:
            raise MsmfError(f"rsync from host {self.source.name} gave no statistics: {last_line(said)}")
        self.payload_bytes = int(found[1].replace(",", ""))

    def break_off(self) -> None:
        """End it before its time."""
        end(self.program)
        self._count()

    def _count(self) -> None:
        self.link_bytes = sent_bytes(self.source.namespace) - self._sent_before


def send_image(source: Host, target: Host) -> Sending:
    """Begin to send the root file system."""
    return _send(source, f"{source.bundle}/rootfs", f"{_url(target)}/bundle/", _AS_IT_IS)


def send_snapshots(source: Host, target: Host, *, compare: bool) -> Sending:
    """Begin to send what the target has not of the snapshots: those that it lacks or, with `compare`, the pages that differ."""
    return _send(source, f"{source.snapshot}/", f"{_url(target)}/snapshot/", _DIFFERENCE if compare else _AS_IT_IS)


def _send(source: Host, what: str, where: str, how: tuple[str, ...]) -> Sending:
    before = sent_bytes(source.namespace)
    program = source.programs.start(["rsync", *_ALWAYS, *how, what, where], output=subprocess.PIPE, namespace=source.namespace)
    return Sending(source, program, before)


def _url(target: Host) -> str:
    return f"rsync://{target.address}/{MODULE}"
