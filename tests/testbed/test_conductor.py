"""Rules 1 to 5 as the testbed carries them out, with transfers that only note what they are told."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.migration.policy import HandoffPolicy
from msmf_traci.testbed import conductor as conducting
from msmf_traci.testbed.conductor import Conductor
from msmf_traci.testbed.journal import Journal
from msmf_traci.testbed.transfer import RoundRule

HOME, NEXT, OTHER, REGION = "L:0,0", "L:1,0", "L:2,0", "R:0,0"


@dataclass
class NotedTransfer:
    """Stands in for a transfer: its stage is set by the test."""

    number: int
    container: Any
    source: Any
    target: Any
    server: str
    rule: Any
    journal: Any
    announce: Any
    is_stopped: bool = False
    stage: Stage = Stage.IMAGE
    outcome: Outcome | None = None
    handoff_s: float | None = None
    stop_s: float | None = None
    end_s: float | None = None
    failure: BaseException | None = None
    told: list[str] = field(default_factory=list)
    is_handed_off: bool = False
    is_over: bool = False
    stops_when_given_up: bool = False
    is_due: bool = False

    @property
    def is_stopping(self) -> bool:
        return self.stop_s is not None or self.is_due

    def start(self) -> None:
        if self.is_stopped:
            self.stop_s = self.handoff_s = time.monotonic()

    def hand_off(self, at_s: float, *, at_once: bool) -> None:
        self.told.append("stop at once" if at_once else "stop when synchronised")
        self.handoff_s = self.handoff_s or at_s
        self.is_handed_off = True
        if at_once:
            self.stop()

    def take_back(self) -> None:
        self.told.append("taken back")
        self.is_handed_off = False

    def give_up(self, outcome: Outcome, patience_s: float | None = None) -> None:
        if self.stops_when_given_up:
            self.stop()
        self.is_over, self.end_s = True, time.monotonic()
        self.outcome = self.outcome or outcome

    def stop(self) -> None:
        self.stop_s, self.stage = time.monotonic(), Stage.FINAL

    def complete(self) -> None:
        self.stage, self.outcome, self.is_over, self.end_s = Stage.RESTORE, Outcome.COMPLETED, True, time.monotonic()


class NotedContainer:
    def __init__(self) -> None:
        self.restored: list[str] = []

    def restore(self, host: Any) -> None:
        self.restored.append(host.name)


@pytest.fixture
def conduct(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conducting, "Transfer", NotedTransfer)
    names = ("user", "cloud", "local1", "local2", "regional1", "regional2")
    hosts = {name: SimpleNamespace(name=name, tier=name.rstrip("12"), address=name, folder=Path(name)) for name in names}
    said: list[Any] = []
    courier = SimpleNamespace(carry=lambda *_: None, tell=lambda _from, _to, _port, message: said.append(message["server"]))

    def make(*, relay: bool = False, finish: bool = False) -> Conductor:
        made = Conductor(
            NotedContainer(), hosts, courier, Journal(), RoundRule(5e6, 1e8, 1e6), HandoffPolicy(relay, finish), HOME, hosts["local1"]
        )
        made.said = said
        return made

    return make


def test_copies_ahead_to_the_target_and_hands_off(conduct) -> None:
    made = conduct()
    made.obey(HOME, NEXT)
    (transfer,) = made.transfers
    assert (transfer.source.name, transfer.target.name, transfer.server) == ("local1", "local2", NEXT)
    made.obey(HOME, NEXT)
    assert made.transfers == [transfer]
    made.obey(NEXT, OTHER)
    assert transfer.told == ["taken back", "stop at once"] and not made.is_running
    transfer.complete()
    made.obey(NEXT, None)
    assert made.is_running and made.server == NEXT and made.host.name == "local2"
    assert [(outage.stop_s, outage.end_s, outage.is_censored) for outage in made.outages] == [(transfer.stop_s, transfer.end_s, False)]
    assert made.said[-1] == "local2"


def test_no_target_lets_a_transfer_go_on(conduct) -> None:
    made = conduct()
    made.obey(HOME, NEXT)
    made.obey(None, None)
    assert made.transfers[0].outcome is None and made.open_transfer is made.transfers[0]


def test_another_target_is_a_misprediction(conduct) -> None:
    made = conduct()
    made.obey(HOME, NEXT)
    made.obey(HOME, REGION)
    assert [transfer.outcome for transfer in made.transfers] == [Outcome.MISPREDICTED, None]
    assert made.transfers[1].target.name == "regional1"


def test_a_handoff_elsewhere_abandons_and_starts_anew(conduct) -> None:
    made = conduct()
    made.obey(HOME, NEXT)
    made.obey(OTHER, None)
    assert made.transfers[0].outcome == Outcome.MISPREDICTED
    assert made.transfers[1].server == OTHER and made.transfers[1].told == ["stop at once"]


def test_relay_waits_and_the_user_may_come_back(conduct) -> None:
    made = conduct(relay=True)
    made.obey(NEXT, None)
    made.obey(NEXT, None)
    (transfer,) = made.transfers
    assert transfer.told == ["stop when synchronised"]  # signalled once, not at every frame
    assert made.is_running
    made.obey(HOME, None)
    assert transfer.told[-1] == "taken back" and transfer.handoff_s is not None
    made.obey(HOME, OTHER)
    assert transfer.outcome == Outcome.USER_LEFT


def test_user_who_comes_back_to_the_host_gets_the_container_there(conduct) -> None:
    made = conduct()
    made.obey(NEXT, None)
    made.obey(HOME, None)
    assert made.transfers[0].outcome == Outcome.USER_LEFT
    assert made.container.restored == ["local1"] and made.is_running and made.server == HOME
    assert len(made.outages) == 1 and made.said[-1] == "local1"


def test_user_who_goes_on_has_everything_sent_from_the_stopped_container(conduct) -> None:
    made = conduct()
    made.obey(NEXT, None)
    made.obey(OTHER, None)
    first, second = made.transfers
    assert first.outcome == Outcome.USER_LEFT and second.is_stopped and second.source.name == "local1"
    second.complete()
    made.settle()
    (outage,) = made.outages
    assert outage.stop_s == first.stop_s and outage.end_s == second.end_s  # one outage across both transfers


@pytest.mark.parametrize("stage", [Stage.FINAL, Stage.RESTORE])
def test_finish_and_restore_go_on(conduct, stage: Stage) -> None:
    made = conduct(finish=stage == Stage.FINAL)
    made.obey(NEXT, None)
    made.transfers[0].stage = stage
    made.obey(OTHER, None)
    assert made.open_transfer is made.transfers[0] and made.transfers[0].outcome is None


def test_keep_leaves_a_stopped_container_on_its_way(conduct) -> None:
    made = conduct()
    made.obey(NEXT, None)
    made.obey(None, OTHER)
    assert len(made.transfers) == 1 and made.transfers[0].outcome is None


def test_arrival_leaves_transfer_unfinished_and_outage_censored(conduct) -> None:
    made = conduct()
    made.obey(NEXT, None)
    made.arrive()
    assert made.transfers[0].outcome == Outcome.UNFINISHED
    assert [outage.is_censored for outage in made.outages] == [True]


@pytest.mark.parametrize(("home", "follows"), [(HOME, None), (None, None), (OTHER, OTHER)])
def test_a_container_that_stopped_just_before_its_transfer_was_abandoned_is_not_stranded(conduct, home, follows) -> None:
    """The transfer was synchronised, and stopped the container, while the decision to abandon it was on its way."""
    made = conduct(relay=True)
    made.obey(NEXT, None)
    made.transfers[0].stops_when_given_up = True
    made.obey(home, REGION if home != OTHER else None)
    assert made.transfers[0].outcome == Outcome.USER_LEFT
    if follows is None:
        assert made.container.restored == ["local1"] and made.is_running and len(made.outages) == 1
        made.obey(HOME, REGION)
        assert made.open_transfer.server == REGION
    else:
        assert made.open_transfer.server == OTHER and made.open_transfer.is_stopped


def test_who_leaves_before_a_container_that_was_to_stop_has_stopped_is_followed_at_once(conduct) -> None:
    """The transfer waited for the end of a snapshot; abandoned meanwhile, it never stopped the container."""
    made = conduct()
    made.obey(HOME, NEXT)
    made.transfers[0].is_due = True
    made.obey(OTHER, None)
    first, second = made.transfers
    assert first.outcome == Outcome.USER_LEFT and first.stop_s is None
    assert second.server == OTHER and not second.is_stopped and second.told == ["stop at once"]


def test_a_failure_of_a_transfer_is_heard(conduct) -> None:
    made = conduct()
    made.obey(HOME, NEXT)
    made.transfers[0].failure, made.transfers[0].is_over = RuntimeError("criu"), True
    with pytest.raises(RuntimeError, match="criu"):
        made.obey(HOME, NEXT)
