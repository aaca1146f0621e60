"""Has the container follow a strategy's decisions: rules 1 to 5 of the model's section 7, carried out instead of computed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.migration.policy import HandoffPolicy
from msmf_traci.testbed.container import Container
from msmf_traci.testbed.courier import Courier
from msmf_traci.testbed.hosts import CLOUD, LOCAL, REGIONAL, USER, Host
from msmf_traci.testbed.journal import RESUME, Journal
from msmf_traci.testbed.transfer import RoundRule, Transfer
from msmf_traci.testbed.user_equipment import CONTROL_PORT

_PATIENCE_S = 10.0  # a snapshot or a restore takes a second or two


@dataclass(frozen=True)
class Outage:
    """A time without a running container, across the transfers that were abandoned meanwhile.

    Attributes
    ----------
    stop_s, end_s
        Seconds of the monotonic clock.
    is_censored
        Whether the drive ended before the container ran again.
    """

    stop_s: float
    end_s: float
    is_censored: bool


@dataclass
class Conductor:
    """The container, where it is, and its transfers.

    Attributes
    ----------
    container
        What moves.
    hosts
        All hosts by name.
    courier, journal
        How hosts talk, and what is written down.
    rule
        When rounds are sent.
    handoff
        The policy.
    server
        What the strategy calls the server that the container runs on.
    host
        The host that stands for it.
    """

    container: Container
    hosts: Mapping[str, Host]
    courier: Courier
    journal: Journal
    rule: RoundRule
    handoff: HandoffPolicy
    server: str
    host: Host
    transfers: list[Transfer] = field(default_factory=list, init=False)
    outages: list[Outage] = field(default_factory=list, init=False)
    _open: Transfer | None = field(default=None, init=False)
    _stopped_s: float | None = field(default=None, init=False)

    def deploy(self, image_on: Callable[[Host], None]) -> None:
        """Rule 1: the container runs on its first host, where `image_on` has put its image."""
        image_on(self.host)
        self.container.prepare(self.host)
        self.container.start(self.host)
        self._tell_user(self.host)

    @property
    def open_transfer(self) -> Transfer | None:
        """The transfer that is going on."""
        return self._open

    @property
    def is_running(self) -> bool:
        """Whether the container runs and is to run on where it is."""
        return self._stopped_s is None and (self._open is None or not self._open.is_stopping)

    def obey(self, home: str | None, target: str | None) -> None:
        """Carry out a decision: where the container must be (None: where it is), and to which server to copy ahead.

        Raises
        ------
        MsmfError
            If a transfer has failed.
        """
        self.settle()
        if not self.is_running and home is not None and self._may_leave(home):
            self._end(Outcome.USER_LEFT)
        if self.is_running:
            if home is None or home == self.server:
                self._copy_ahead(target if target != self.server else None)
            else:
                self._hand_off(home)
        if self._open is None and self._stopped_s is not None:
            self._go_on(home)

    def settle(self) -> None:
        """Take in what has ended since the last look."""
        ended = self._open
        if ended is None or not ended.is_over:
            return
        self._open = None
        if ended.failure is not None:
            raise ended.failure
        if ended.outcome == Outcome.COMPLETED:
            assert ended.stop_s is not None and ended.end_s is not None
            if self._stopped_s is None:
                self._stopped_s = ended.stop_s
            self._runs_on(ended.target, ended.server, ended.end_s)

    def arrive(self) -> None:
        """Rule 5: whatever is open stays unfinished."""
        self.settle()
        if self._open is not None:
            self._end(Outcome.UNFINISHED)
        if self._stopped_s is not None:
            self.outages.append(Outage(self._stopped_s, time.monotonic(), is_censored=True))

    def break_off(self) -> None:
        """End what is going on, so that nothing starts a program any more; what hangs is left to be killed."""
        if self._open is not None and not self._open.is_over:
            self._open.give_up(Outcome.UNFINISHED, patience_s=_PATIENCE_S)

    def _may_leave(self, home: str) -> bool:
        """Whether a stopped container may be sent elsewhere than it is on its way to."""
        transfer = self._open
        return transfer is not None and home != transfer.server and transfer.stage != Stage.RESTORE and not self.handoff.finish_user_left

    def _copy_ahead(self, target: str | None) -> None:
        """Rule 2: the container is where it should be."""
        if self._open is not None:
            self._open.take_back()
        if target is None:
            return
        if self._open is not None and self._open.server != target:
            self._abandon()
        if self._open is None and self.is_running:
            self._start(target)

    def _hand_off(self, home: str) -> None:
        """Rule 3: the container has to go to another server."""
        if self._open is not None and self._open.server != home:
            self._abandon()
        if not self.is_running or home == self.server:
            return  # the transfer stopped it, or completed, just before it was abandoned
        if self._open is None:
            self._start(home)
        assert self._open is not None
        if self._open.is_handed_off:
            return
        with self.journal.timed("s7", self._open.number) as signal:
            self.courier.carry(USER, CLOUD, {"handoff": home})
            self.courier.carry(CLOUD, self.host.name, {"handoff": home})
        self._open.hand_off(signal.begin_s, at_once=not self.handoff.relay_unsynced)

    def _go_on(self, home: str | None) -> None:
        """Rule 4, for a container that is stopped and on its way nowhere: resume it here, or send everything to where the user is."""
        if home is not None and home != self.server:
            self._start(home)
            return
        with self.journal.timed("s10", self.transfers[-1].number, RESUME):
            self.container.restore(self.host)
        self._runs_on(self.host, self.server, time.monotonic())

    def _abandon(self) -> None:
        assert self._open is not None
        self._end(Outcome.MISPREDICTED if self._open.handoff_s is None else Outcome.USER_LEFT)

    def _end(self, outcome: Outcome) -> None:
        """End the open transfer, unless it has come to its own end meanwhile."""
        ended = self._open
        assert ended is not None
        ended.give_up(outcome)
        if ended.outcome != Outcome.COMPLETED and self._stopped_s is None:
            self._stopped_s = ended.stop_s
        self.settle()

    def _start(self, server: str) -> None:
        number = len(self.transfers)
        target = self._host_for(server)
        with self.journal.timed("s2", number):
            self.courier.carry(CLOUD, self.host.name, {"target": server, "address": target.address})
        transfer = Transfer(
            number,
            self.container,
            self.host,
            target,
            server,
            self.rule,
            self.journal,
            announce=lambda: self._tell_user(target),
            is_stopped=self._stopped_s is not None,
        )
        self.transfers.append(transfer)
        self._open = transfer
        transfer.start()

    def _host_for(self, server: str) -> Host:
        """A host that stands for a server from now on: of its tier, and not the one that the container is on."""
        tier = tier_of(server)
        return next(host for host in self.hosts.values() if host.tier == tier and host is not self.host)

    def _runs_on(self, host: Host, server: str, since_s: float) -> None:
        assert self._stopped_s is not None
        self.outages.append(Outage(self._stopped_s, since_s, is_censored=False))
        self._stopped_s = None
        self.host, self.server = host, server
        self._tell_user(host)

    def _tell_user(self, host: Host) -> None:
        self.courier.tell(CLOUD, USER, CONTROL_PORT, {"server": host.address})


def tier_of(server: str) -> str:
    """Tier of a server by its name in the tables, `L:q,r` or `R:q,r`."""
    return REGIONAL if server.startswith("R:") else LOCAL
