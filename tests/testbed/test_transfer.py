"""A transfer's thread, with a container that only notes and programs that sleep in place of rsync."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.testbed import transfer as transferring
from msmf_traci.testbed.journal import Journal
from msmf_traci.testbed.transfer import RoundRule, Transfer

IMAGE_S, SNAPSHOT_S, DUMP_S = 0.4, 0.3, 0.05


@dataclass
class FakeHost:
    name: str
    done: list[str] = field(default_factory=list)

    def clear(self) -> None:
        self.done.append("clear")

    def receive(self) -> None:
        self.done.append("receive")

    def stop_receiving(self) -> None:
        self.done.append("stop receiving")


@dataclass
class FakeContainer:
    done: list[str] = field(default_factory=list)
    fails: bool = False
    tracks_changes: bool = False

    def forget_snapshots(self, host: FakeHost) -> None:
        pass

    def prepare(self, host: FakeHost) -> None:
        pass

    def snapshot(self, host: FakeHost, *, leave_running: bool) -> int:
        time.sleep(DUMP_S)
        self.done.append("snapshot" if leave_running else "stop")
        return 1000

    def restore(self, host: FakeHost) -> None:
        if self.fails:
            raise RuntimeError("no restore")
        self.done.append(f"restore on {host.name}")

    def delete(self, host: FakeHost) -> None:
        self.done.append(f"delete on {host.name}")


class FakeSending:
    def __init__(self, lasts_s: float) -> None:
        self.program = subprocess.Popen([sys.executable, "-S", "-c", f"import time; time.sleep({lasts_s})"])
        self.payload_bytes: int | None = None
        self.link_bytes = 0

    def finish(self) -> None:
        assert self.program.wait() == 0
        self.payload_bytes, self.link_bytes = 1000, 1100

    def break_off(self) -> None:
        self.program.kill()
        self.program.wait()


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(transferring, "send_image", lambda *_: FakeSending(IMAGE_S))
    monkeypatch.setattr(transferring, "send_snapshots", lambda *_, compare: FakeSending(SNAPSHOT_S))

    def made(*, rate: float = 0.0, threshold: float = 1000.0, **more: Any) -> Transfer:
        told: list[str] = []
        rule = RoundRule(threshold_bytes=threshold, memory_bytes=2000.0, dirty_bytes_per_s=rate)
        transfer = Transfer(
            0, more.pop("container", FakeContainer()), FakeHost("here"), FakeHost("there"), "L:1,0", rule, Journal(),
            announce=lambda: told.append("there"), **more,
        )  # fmt: skip
        transfer.told = told  # type: ignore[attr-defined]
        transfer.start()
        return transfer

    return made


def until(condition: Any, within_s: float = 5.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.002)


def steps(transfer: Transfer) -> list[str]:
    return [entry.step for entry in transfer.journal.steps]


def test_waits_in_step_until_handed_off(make) -> None:
    transfer = make()
    until(lambda: transfer.stage == Stage.IDLE)
    assert transfer.synchronised_s == pytest.approx(transfer.start_s + IMAGE_S + DUMP_S + SNAPSHOT_S, abs=0.3)
    assert not transfer.is_stopping
    transfer.hand_off(time.monotonic(), at_once=False)
    assert transfer.is_stopping  # at once, since it is in step
    transfer.wait()
    assert transfer.outcome == Outcome.COMPLETED and transfer.told == ["there"]
    assert steps(transfer) == ["s3", "s4", "s5", "s8", "s9", "s10", "s11"]
    assert transfer.container.done == ["snapshot", "stop", "restore on there", "delete on here"]
    assert transfer.source.done == ["clear"] and transfer.target.done == ["clear", "receive", "stop receiving"]


def test_relay_runs_on_until_the_target_has_a_snapshot(make) -> None:
    transfer = make()
    transfer.hand_off(time.monotonic(), at_once=False)
    until(lambda: transfer.stage == Stage.MEMORY)
    assert not transfer.is_stopping and transfer.stop_s is None
    transfer.wait()
    assert steps(transfer) == ["s3", "s4", "s5", "s8", "s9", "s10", "s11"]
    assert transfer.rounds == 0


def test_stop_in_the_image_lets_it_finish_while_stopped(make) -> None:
    transfer = make()
    until(lambda: transfer.stage == Stage.IMAGE)
    transfer.hand_off(time.monotonic(), at_once=True)
    transfer.wait()
    assert steps(transfer) == ["s8", "s3", "s9", "s10", "s11"]
    assert transfer.container.done[0] == "stop"


def test_stop_in_the_snapshot_breaks_its_sending_off(make) -> None:
    transfer = make()
    until(lambda: transfer.stage == Stage.MEMORY)
    time.sleep(DUMP_S + 0.1)
    transfer.hand_off(time.monotonic(), at_once=True)
    transfer.wait()
    assert steps(transfer) == ["s3", "s4", "s5", "s8", "s9", "s10", "s11"]
    broken = transfer.journal.steps[2]
    assert broken.payload_bytes is None and broken.end_s - broken.begin_s < SNAPSHOT_S
    assert transfer.target.done.count("receive") == 2  # nobody writes there any more when the rest comes


def test_rounds_by_threshold(make) -> None:
    transfer = make(rate=5000.0)
    until(lambda: transfer.rounds >= 3)
    transfer.hand_off(time.monotonic(), at_once=True)
    transfer.wait()
    assert steps(transfer)[:7] == ["s3", "s4", "s5", "s6", "s6", "s6", "s6"]


def test_more_than_there_is_never_changes(make) -> None:
    transfer = make(rate=5000.0, threshold=2001.0)
    until(lambda: transfer.stage == Stage.IDLE)
    time.sleep(0.6)
    assert transfer.rounds == 0
    transfer.give_up(Outcome.MISPREDICTED)


def test_a_user_who_is_back_takes_the_handoff_back(make) -> None:
    transfer = make()
    transfer.hand_off(time.monotonic(), at_once=False)
    transfer.take_back()
    until(lambda: transfer.stage == Stage.IDLE)
    time.sleep(0.1)
    assert transfer.stop_s is None and transfer.handoff_s is not None
    transfer.give_up(Outcome.USER_LEFT)
    assert transfer.is_over and transfer.outcome == Outcome.USER_LEFT and transfer.container.done == ["snapshot"]


@pytest.mark.parametrize("stage", [Stage.IMAGE, Stage.MEMORY, Stage.IDLE])
def test_given_up(make, stage: Stage) -> None:
    transfer = make()
    until(lambda: transfer.stage == stage)
    transfer.give_up(Outcome.MISPREDICTED)
    assert transfer.is_over and transfer.outcome == Outcome.MISPREDICTED and transfer.stop_s is None
    assert transfer.target.done[-1] == "stop receiving"


def test_what_is_stopped_already_is_sent_as_it_is_and_the_user_is_told_at_once(make) -> None:
    transfer = make(is_stopped=True)
    until(lambda: transfer.told == ["there"])
    assert not transfer.is_over
    transfer.wait()
    assert steps(transfer) == ["s3", "s9", "s10", "s11"]
    assert transfer.stop_s == transfer.handoff_s == transfer.start_s


def test_a_failure_is_kept_for_whoever_waits(make) -> None:
    transfer = make(is_stopped=True, container=FakeContainer(fails=True))
    transfer.wait()
    assert transfer.outcome is None and str(transfer.failure) == "no restore"
    transfer.hand_off(time.monotonic(), at_once=True)  # heard by nobody, and no error
