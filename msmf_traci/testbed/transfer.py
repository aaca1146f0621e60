"""One transfer of the container to another server, carried out: steps s3 to s11 of the paper's section 3.4, in a thread of its own.

What the transfer is for, and when the container has to stop, is decided in `conductor.py`; stages and outcomes are the model's.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.testbed.container import Container
from msmf_traci.testbed.hosts import Host
from msmf_traci.testbed.journal import Journal, Step
from msmf_traci.testbed.programs import wait_for
from msmf_traci.testbed.sending import Sending, send_image, send_snapshots

_LONGEST_SLEEP_S = 3600.0  # the system refuses centuries
_SYNCHRONISED = (Stage.ROUND, Stage.IDLE)


class _AbandonedError(Exception):
    """The transfer has been given up."""


@dataclass(frozen=True)
class RoundRule:
    """When changed memory is sent while the container runs on.

    Attributes
    ----------
    threshold_bytes
        As soon as this much has changed.
    memory_bytes
        All that can change.
    dirty_bytes_per_s
        How fast it changes, as far as is known beforehand; each round tells better, as the kernel does not.
    """

    threshold_bytes: float
    memory_bytes: float
    dirty_bytes_per_s: float


@dataclass
class Transfer:
    """A transfer that is going on, or is over.

    Attributes
    ----------
    number
        Counted from 0.
    container
        What moves.
    source, target
        From where to where.
    server
        What the strategy calls the target.
    rule
        When rounds are sent.
    journal
        Where the steps are entered.
    announce
        Called as soon as the user has to ask the target: when the container stops, or at once where it is stopped.
    is_stopped
        Whether the container is stopped already when the transfer starts: then everything is sent at once.
    """

    number: int
    container: Container
    source: Host
    target: Host
    server: str
    rule: RoundRule
    journal: Journal
    announce: Callable[[], None]
    is_stopped: bool = False
    stage: Stage = field(default=Stage.NONE, init=False)
    outcome: Outcome | None = field(default=None, init=False)
    rounds: int = field(default=0, init=False)
    start_s: float = field(default=0.0, init=False)
    synchronised_s: float | None = field(default=None, init=False)
    handoff_s: float | None = field(default=None, init=False)
    stop_s: float | None = field(default=None, init=False)
    end_s: float | None = field(default=None, init=False)
    failure: BaseException | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._must_stop = threading.Event()
        self._may_wait = False
        self._given_up = False
        self._dirty_bytes_per_s = self.rule.dirty_bytes_per_s
        self._snapshot_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"transfer {self.number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.start_s = time.monotonic()
        if self.is_stopped:
            self.stop_s = self.handoff_s = self.start_s
        self._thread.start()

    def hand_off(self, at_s: float, *, at_once: bool) -> None:
        """The user needs the container at the target since `at_s`: stop it at once, or as soon as the target has a snapshot."""
        if self.handoff_s is None:
            self.handoff_s = at_s
        self._may_wait = not at_once
        self._must_stop.set()
        self._awake()

    def take_back(self) -> None:
        """The user is back: the container need not stop any more, unless it has."""
        self._must_stop.clear()

    def give_up(self, outcome: Outcome, patience_s: float | None = None) -> None:
        """Abandon the transfer and wait until nothing of it goes on; a container that is being restored is let finish."""
        self._given_up = True
        self._awake()
        self._thread.join(patience_s)
        if self.outcome is None:
            self.outcome = outcome

    @property
    def is_handed_off(self) -> bool:
        """Whether the user needs the container at the target."""
        return self._must_stop.is_set()

    @property
    def is_stopping(self) -> bool:
        """Whether the container is stopped, or is to be as soon as a snapshot that is being taken allows it."""
        return self.stop_s is not None or self._is_due()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it goes on."""
        return not self._thread.is_alive()

    def wait(self) -> None:
        """Wait until it is over."""
        self._thread.join()

    def _awake(self) -> None:
        with suppress(OSError):  # it is over, and hears nothing any more
            self._waker.send(b"!")

    def _quiet(self) -> None:
        """Take note of having been woken."""
        with suppress(BlockingIOError):
            self._wake.recv(4096)

    def _run(self) -> None:
        try:
            self.target.clear()
            self.target.receive()
            self.container.prepare(self.target)
            if not self.is_stopped:
                self.container.forget_snapshots(self.source)
            self._final(None if self.is_stopped else self._ahead())
            self.outcome = Outcome.COMPLETED
        except _AbandonedError:
            pass
        except BaseException as failure:  # the conductor raises it again where it is heard
            self.failure = failure
        finally:
            self.target.stop_receiving()
            if self.end_s is None:
                self.end_s = time.monotonic()
            self._wake.close()
            self._waker.close()

    def _ahead(self) -> tuple[Step, Sending] | None:
        """Copy ahead until the container has to stop; the image, if that is still on its way then."""
        self.stage = Stage.IMAGE
        begin_s, image = time.monotonic(), send_image(self.source, self.target)
        entry = Step("s3", self.number, "send", begin_s)
        if not self._await(image, entry):
            return entry, image
        self._snapshot_and_send(Stage.MEMORY, "s4", "s5")
        while not self._has_to_stop():
            self.stage = Stage.IDLE
            if self.synchronised_s is None:
                self.synchronised_s = time.monotonic()
            if self._stays_idle():
                return None
            self.rounds += 1
            self._snapshot_and_send(Stage.ROUND, "s6", "s6")
        return None

    def _snapshot_and_send(self, stage: Stage, dump: str, send: str) -> None:
        """Send a snapshot of the running container; returns early where the container has to stop."""
        self.stage = stage
        before_s = self._snapshot_s if stage == Stage.ROUND else None
        self._snapshot_s = time.monotonic()
        self._snapshot(dump, leave_running=True)
        if self._has_to_stop():
            return
        entry = Step(send, self.number, "send", time.monotonic())
        sending = self._send_snapshots()
        if not self._await(sending, entry):
            self._break_off(sending, entry)
            self.target.receive()  # what is still in the pipe must not arrive over what is sent next
        elif before_s is not None and sending.payload_bytes:
            self._dirty_bytes_per_s = sending.payload_bytes / (self._snapshot_s - before_s)

    def _stays_idle(self) -> bool:
        """Wait until enough memory has changed; True where the container has to stop before that."""
        while not self._has_to_stop():
            self._check_given_up()
            due_s = self._snapshot_s + self.rule.threshold_bytes / self._dirty_bytes_per_s if self._may_round else None
            left_s = None if due_s is None else due_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                return False
            self._sleep(left_s)
        return True

    @property
    def _may_round(self) -> bool:
        """Whether as much as the threshold can ever change."""
        return self._dirty_bytes_per_s > 0 and self.rule.threshold_bytes <= self.rule.memory_bytes

    def _final(self, image: tuple[Step, Sending] | None) -> None:
        """Stop the container, send what is missing, restore it at the target and delete it here."""
        was_running = self.stop_s is None
        self.stage = Stage.FINAL
        if was_running:
            self.stop_s = time.monotonic()
        self.announce()
        if was_running:
            self._snapshot("s8", leave_running=False)
        else:
            image = Step("s3", self.number, "send", time.monotonic()), send_image(self.source, self.target)
        if image is not None:
            self._await(image[1], image[0])
        entry = Step("s9", self.number, "send", time.monotonic())
        self._await(self._send_snapshots(), entry)
        self.stage = Stage.RESTORE
        with self.journal.timed("s10", self.number):
            self.container.restore(self.target)
        self.end_s = time.monotonic()
        with self.journal.timed("s11", self.number):
            self.container.delete(self.source)
            self.source.clear()

    def _snapshot(self, step: str, *, leave_running: bool) -> None:
        with self.journal.timed(step, self.number, "dump") as entry:
            entry.memory_bytes = self.container.snapshot(self.source, leave_running=leave_running)

    def _send_snapshots(self) -> Sending:
        return send_snapshots(self.source, self.target, compare=not self.container.tracks_changes)

    def _await(self, sending: Sending, entry: Step) -> bool:
        """Wait for a sending; False, and it goes on, where a running container has to stop before it is over."""
        while not wait_for(sending.program, self._wake):
            self._quiet()
            if self._given_up:
                self._break_off(sending, entry)
                raise _AbandonedError
            if self.stage != Stage.FINAL and self._has_to_stop():
                return False
        sending.finish()
        self._enter(entry, sending)
        return True

    def _break_off(self, sending: Sending, entry: Step) -> None:
        sending.break_off()
        self._enter(entry, sending)

    def _enter(self, entry: Step, sending: Sending) -> None:
        entry.payload_bytes, entry.link_bytes = sending.payload_bytes, sending.link_bytes
        self.journal.enter(entry)

    def _sleep(self, for_s: float | None) -> None:
        """Do nothing for a time, or a part of it, or until woken."""
        select.select([self._wake], (), (), None if for_s is None else min(for_s, _LONGEST_SLEEP_S))
        self._quiet()

    def _has_to_stop(self) -> bool:
        self._check_given_up()
        return self._is_due()

    def _is_due(self) -> bool:
        return self._must_stop.is_set() and (not self._may_wait or self.stage in _SYNCHRONISED)

    def _check_given_up(self) -> None:
        if self._given_up:
            raise _AbandonedError
