"""What a session does: one transfer, or a traced drive in real time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from msmf_traci.testbed.conductor import Conductor
from msmf_traci.testbed.hosts import CLOUD, USER

_LOOK_S = 0.005


@dataclass(frozen=True)
class Decision:
    """What a strategy decided.

    Attributes
    ----------
    t_s
        Seconds since the drive's begin.
    home
        Where the container must be; None: where it is (KEEP).
    target
        Where to copy ahead; None: nowhere.
    """

    t_s: float
    home: str | None
    target: str | None


@dataclass(frozen=True)
class SingleTransfer:
    """The container moves once.

    Attributes
    ----------
    target
        Name of the server.
    after_s
        The user hands off this long after the target has a snapshot of the memory.
    lead_s
        If given: this long after the start, whatever has been sent by then.
    """

    target: str
    after_s: float
    lead_s: float | None

    def __call__(self, conductor: Conductor) -> None:
        """Conduct it."""
        _send_status(conductor, 0)
        conductor.obey(None, self.target)
        transfer = conductor.open_transfer
        assert transfer is not None
        while not transfer.is_over:
            due_s = transfer.start_s + self.lead_s if self.lead_s is not None else _after(transfer.synchronised_s, self.after_s)
            if due_s is not None and time.monotonic() >= due_s:
                break
            time.sleep(_LOOK_S)
        conductor.obey(self.target, None)
        transfer.wait()
        conductor.settle()


@dataclass
class TracedDrive:
    """The container follows the decisions of a traced drive, each at its instant; at the last frame the vehicle has arrived.

    Attributes
    ----------
    decisions
        One a frame, in the order of time.
    latest_s
        How late the latest decision was carried out: another one took its time.
    """

    decisions: Sequence[Decision]
    latest_s: float = 0.0

    def __call__(self, conductor: Conductor) -> None:
        """Conduct it."""
        begin_s = time.monotonic()
        for decision in self.decisions[:-1]:
            self._wait_until(begin_s + decision.t_s)
            transfer = conductor.open_transfer
            _send_status(conductor, transfer.number if transfer is not None else len(conductor.transfers))
            conductor.obey(decision.home, decision.target)
        self._wait_until(begin_s + self.decisions[-1].t_s)

    def _wait_until(self, due_s: float) -> None:
        left_s = due_s - time.monotonic()
        self.latest_s = max(self.latest_s, -left_s)
        time.sleep(max(0.0, left_s))


def _after(time_s: float | None, delay_s: float) -> float | None:
    return None if time_s is None else time_s + delay_s


def _send_status(conductor: Conductor, transfer: int) -> None:
    with conductor.journal.timed("s1", transfer):
        conductor.courier.carry(USER, CLOUD, {"status": True})
