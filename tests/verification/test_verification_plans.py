"""What a migration does as a table of steps, against paper (model, section 7).

Default container: S = 100 MB, M = 20 MB, W = 10 MB/s, dirty 1 MB/s, M_d = 5 MB, start time 0.2 s.
"""

from pathlib import Path
from typing import Any

import pytest
from pytest import approx

from msmf_traci.errors import InputError
from msmf_traci.experiment.plan_file import NAMES, read_plan
from msmf_traci.migration.plan import PRECOPY
from msmf_traci.migration.policy import ImageOptions, PostCopy, Processing, Replay, Source
from msmf_traci.sentinels import KEEP

A, B, C = 0, 1, 2
MB = 1e6
STATE = PostCopy(state_bytes=1 * MB)


def stages(one: Any) -> list[tuple[Any, ...]]:
    table = one.stages()
    return [(row.stage, approx(row.t_begin_s), approx(row.t_end_s), approx(row.bytes / MB)) for row in table.itertuples()]


def test_the_plan_of_the_model_is_pre_copy() -> None:
    plan = read_plan("precopy")
    assert (plan.steps == PRECOPY.steps).all() and plan.stops_at == PRECOPY.stops_at
    assert set(NAMES) == {"precopy", "cold", "postcopy", "hybrid", "replay"}


def test_cold_sends_the_image_ahead_and_the_memory_once_it_is_stopped(bench: Any) -> None:
    """20 MB take 2 s, and it takes 0.2 s to start."""
    one = bench(plan="cold")
    one.frame(0, A, B)
    one.frame(30, B)
    one.arrive(50)
    assert stages(one) == [("IMAGE", 0, 10, 100), ("IDLE", 10, 30, 0), ("FINAL", 30, 32, 20), ("RESTORE", 32, 32.2, 0)]
    row = one.transfer()
    assert (row.final_mb, row.memory_mb, row.downtime_s, row.t_run_s, row.t_end_s) == approx((20, 0, 2.2, 32.2, 32.2))


def test_post_copy_stops_for_the_state_and_pulls_the_memory(bench: Any) -> None:
    """1 MB of state takes 0.1 s, and 0.2 s to start; then 20 MB take 2 s, in which the container runs degraded."""
    one = bench(plan="postcopy", postcopy=STATE)
    one.frame(0, A, B)
    one.frame(30, B, cell=1)
    assert one.held() == [1, 1, 0, 0]
    one.frame(31, B, cell=1)
    assert (one.host, one.running, one.held()) == ("B", True, [1, 1, 0, 0])  # the old host keeps its place
    one.frame(33, B, cell=1)
    assert one.held() == [0, 1, 0, 0]
    one.arrive(50, cell=1)
    assert stages(one) == [
        ("IMAGE", 0, 10, 100),
        ("IDLE", 10, 30, 0),
        ("FINAL", 30, 30.1, 1),
        ("RESTORE", 30.1, 30.3, 0),
        ("PULL", 30.3, 32.3, 20),
    ]
    row = one.transfer()
    assert (row.outcome, row.source, row.target) == ("completed", "A", "B")
    assert (row.final_mb, row.downtime_s, row.t_run_s, row.t_end_s) == approx((21, 0.3, 30.3, 32.3))
    assert one.booked("degraded_s") == approx(2) and one.booked("late_s") == approx(2)
    assert one.booked("satisfied_s") == approx(50 - 0.3 - 2)


def test_each_miss_waits_for_a_round_trip_before_the_rest_is_pushed(bench: Any) -> None:
    """7 misses a MB x 20 MB x 10 ms are 1.4 s."""
    one = bench(plan="postcopy", postcopy=PostCopy(1 * MB, 7 / MB, 0.01))
    one.frame(0, A, B)
    one.frame(30, B)
    one.arrive(50)
    assert stages(one)[-1] == ("PULL", 30.3, 33.7, 20)
    assert one.booked("degraded_s") == approx(3.4)


@pytest.mark.parametrize(
    ("stop_s", "memory_mb", "pulled_mb"),
    [
        (13, 20, 3),  # MEMORY from 10 to 12 s; dirty since it began
        (25, 20, 15),
        (60, 20, 20),  # all of it
        (11, 10, 10.5),  # within MEMORY: 10 MB unsent; half of 1 MB dirty is among them
    ],
)
def test_hybrid_pulls_what_has_changed_since_its_round(bench: Any, stop_s: float, memory_mb: float, pulled_mb: float) -> None:
    one = bench(plan="hybrid", postcopy=STATE)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(100)
    row = one.transfer()
    assert (row.memory_mb, row.dirty_mb, row.final_mb) == approx((memory_mb, 0, 1 + pulled_mb))
    assert (row.downtime_s, one.booked("degraded_s")) == approx((0.3, pulled_mb / 10))


@pytest.mark.parametrize(("plan", "stopped_s"), [("precopy", 6 + 2), ("cold", 6 + 2), ("postcopy", 6 + 0.1), ("hybrid", 6 + 0.1)])
def test_stopped_within_the_image_the_rest_of_it_comes_first(bench: Any, plan: str, stopped_s: float) -> None:
    """At 4 s, 60 MB are missing; then the memory, or the state."""
    one = bench(plan=plan, postcopy=STATE)
    one.frame(0, A, B)
    one.frame(4, B)
    one.arrive(50)
    assert one.transfer().downtime_s == approx(stopped_s + 0.2)


@pytest.mark.parametrize(("plan", "stop_s"), [("precopy", 12), ("cold", 10), ("postcopy", 10), ("hybrid", 12)])
def test_relay_waits_for_what_the_plan_sends_while_the_container_runs(bench: Any, plan: str, stop_s: float) -> None:
    one = bench(plan=plan, postcopy=STATE, relay=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.arrive(50)
    assert one.transfer().t_stop_s == approx(stop_s)


def test_while_memory_is_pulled_another_home_waits(bench: Any) -> None:
    """The pull lasts from 30.3 to 32.3 s. At 31 s the user is in C's area: the container moves on from 33 s."""
    one = bench(plan="postcopy", postcopy=STATE)
    one.frame(0, A, B)
    one.frame(30, B)
    one.frame(31, C, C)
    assert len(one.transfers()) == 0
    one.frame(33, C)
    one.arrive(60)
    first, second = one.transfers()
    assert (first.outcome, first.target, first.t_end_s) == ("completed", "B", approx(32.3))
    assert (second.source, second.target, second.t_start_s) == ("B", "C", 33)


def test_an_arrival_within_the_pull_ends_the_transfer_unfinished(bench: Any) -> None:
    one = bench(plan="postcopy", postcopy=STATE)
    one.frame(0, A, B)
    one.frame(30, B)
    one.arrive(31.3)
    row = one.transfer()
    assert (row.outcome, row.source, row.t_run_s, row.t_end_s, row.final_mb) == ("unfinished", "A", approx(30.3), 31.3, approx(11))
    assert (one.booked("degraded_s"), row.downtime_s) == approx((1, 0.3))
    assert one.held() == [0, 0, 0, 0]


def test_processing_counts_for_the_first_snapshot_where_none_was_taken_before(bench: Any) -> None:
    """A snapshot takes 1 s and .1 s for each MB, a comparison 0.5 s, restoring .05 s for each MB, answers .3 s.

    The snapshot of a state of execution has no memory in it, and restoring it neither. hybrid: 19.3 MB get dirty from 10.3 s on.
    """
    costs = Processing(0.0, 1.0, 0.1 / MB, comparison_s=0.5, restore_s_per_byte=0.05 / MB, answers_s=0.3)
    for plan, final_s, pull_s in (
        ("cold", 1 + 2 + 0.3 + 2 + 1, 0),
        ("postcopy", 1 + 0.3 + 0.1, 2.3),
        ("hybrid", 1 + 0.3 + 0.1, 1.93 + 0.3),
    ):
        one = bench(plan=plan, postcopy=STATE, processing=costs)
        one.frame(0, A, B)
        one.frame(29.6 if plan == "hybrid" else 30, B)
        one.arrive(60)
        row = one.transfer()
        assert (row.downtime_s, row.t_end_s - row.t_run_s) == approx((final_s + 0.2, pull_s))


@pytest.mark.parametrize(("plan", "lasts_s"), [("cold", [2]), ("postcopy", [0.1, 2]), ("hybrid", [0.1, 2]), ("precopy", [0.2])])
def test_state_and_memory_come_from_the_host_wherever_the_image_came_from(bench: Any, plan: str, lasts_s: list[float]) -> None:
    """The cloud's link carries 2 MB/s, so that the image is there at 50 s; the host's 10 MB/s carry the rest."""
    one = bench(plan=plan, postcopy=STATE, images=ImageOptions(source=Source.CLOUD, cloud_bytes_per_s=2 * MB))
    one.frame(0, A, B)
    one.frame(77, B)
    one.arrive(100)
    sent = [stage for stage in one.stages().itertuples() if stage.stage in ("FINAL", "PULL")]
    assert [stage.t_end_s - stage.t_begin_s for stage in sent] == approx(lasts_s)


# messages are replayed

LOGGED = Replay(base_s=1, arriving_per_s=10, served_per_s=80, limit_s=20)


def test_replay_starts_from_the_snapshot_and_works_off_what_has_come_since(bench: Any) -> None:
    """The snapshot is of 10 s, and the container starts in 0.2 + 1 s, until 31.2 s: 212 messages, of which 70 a second are caught up."""
    one = bench(plan="replay", replay=LOGGED)
    one.frame(0, A, B)
    one.frame(30, B, cell=1)
    one.frame(32, B, cell=1)
    assert (one.host, one.running, one.held()) == ("B", True, [1, 1, 0, 0])
    one.arrive(50, cell=1)
    assert stages(one) == [
        ("IMAGE", 0, 10, 100),
        ("MEMORY", 10, 12, 20),
        ("IDLE", 12, 30, 0),
        ("FINAL", 30, 30, 0),
        ("RESTORE", 30, 31.2, 0),
        ("REPLAY", 31.2, 31.2 + 212 / 70, 0),
    ]
    row = one.transfer()
    assert (row.outcome, row.source, row.final_mb) == ("completed", "A", 0)
    assert (row.downtime_s, row.t_run_s, row.t_end_s) == approx((1.2, 31.2, 31.2 + 212 / 70))
    assert one.booked("degraded_s") == one.booked("late_s") == approx(212 / 70)


@pytest.mark.parametrize(
    ("stop_s", "snapshot_s", "final_mb", "runs_s"),
    [
        (4, 4, 80, 4 + 8 + 1.2),  # IMAGE: 60 MB and the memory as it is then
        (11, 10, 10, 12 + 1.2),  # MEMORY: what is left of it
        (10, 10, 20, 12 + 1.2),
    ],
)
def test_the_snapshot_under_way_is_sent_first(bench: Any, stop_s: float, snapshot_s: float, final_mb: float, runs_s: float) -> None:
    one = bench(plan="replay", replay=LOGGED)
    one.frame(0, A, B)
    one.frame(stop_s, B)
    one.arrive(90)
    row = one.transfer()
    assert (row.final_mb, row.t_run_s) == approx((final_mb, runs_s))
    assert row.t_end_s - row.t_run_s == approx(10 * (runs_s - snapshot_s) / 70)


@pytest.mark.parametrize(
    ("replay", "lasts_s"),
    [
        (Replay(0, 10, 10, 5), 5),  # as many arrive as are served
        (Replay(0, 90, 80, 5), 5),
        (Replay(0, 10, 80, 2), 2),  # 202 / 70 s would be needed
        (Replay(0, 0, 80, 5), 0),
        (Replay(0, 0, 0, 5), 0),
    ],
)
def test_replaying_is_cut_off_where_it_takes_too_long_or_for_ever(bench: Any, replay: Replay, lasts_s: float) -> None:
    one = bench(plan="replay", replay=replay)
    one.frame(0, A, B)
    one.frame(30, B)
    one.arrive(50)
    row = one.transfer()
    assert (row.outcome, row.t_end_s - row.t_run_s) == ("completed", approx(lasts_s))


def test_a_stopped_container_that_goes_elsewhere_replays_from_its_stop_on(bench: Any) -> None:
    """Stopped at 11 s; at 11.5 s the user is elsewhere, and 120 MB take until 23.5 s. It runs at 24.7 s: 137 messages."""
    one = bench(plan="replay", replay=LOGGED)
    one.frame(0, A, B)
    one.frame(11, B)
    one.frame(11.5, C)
    one.arrive(60)
    second = one.transfers()[1]
    assert (second.target, second.final_mb, second.t_run_s, second.t_end_s) == ("C", 120, approx(24.7), approx(24.7 + 137 / 70))


def test_the_processing_of_the_snapshot_under_way_goes_on_after_the_stop(bench: Any) -> None:
    """A snapshot takes 1 s, from 10 s on; stopped at 10.5 s, its 20 MB flow from 11 s to 13 s."""
    one = bench(plan="replay", replay=LOGGED, processing=Processing(checkpoint_s=1, answers_s=0))
    one.frame(0, A, B)
    one.frame(10.5, B)
    one.arrive(60)
    assert one.transfer().t_run_s == approx(13 + 0.2 + 1)


# plans of one's own

ROUNDS = """
image: {send: image}
memory: {send: memory}
round: {send: dirty, until: %s}
ready: {until: handoff}
final: {container: stopped, send: rest}
start: {container: stopped}
"""


@pytest.mark.parametrize(
    ("until", "rounds", "sent_mb", "ready_s"),
    [
        ("sent", 1, 2, 12.2),  # MEMORY takes 2 s: 2 MB are dirty, and take 0.2 s
        ("{rounds: 3}", 3, 2.22, 12.222),  # 2, 0.2 and 0.02 MB
        ("{downtime_s: 0.01}", 1, 0, 12),  # the handoff does not wait for them: 2 MB go after the stop
    ],
)
def test_rounds_end_after_a_number_of_them_or_once_the_rest_takes_little(
    bench: Any, tmp_path: Path, until: str, rounds: int, sent_mb: float, ready_s: float
) -> None:
    (tmp_path / "own.yaml").write_text(ROUNDS % until)
    one = bench(plan=str(tmp_path / "own.yaml"), relay=True)
    one.frame(0, A, B)
    one.frame(4, B)
    one.arrive(50)
    row = one.transfer()
    assert (row.rounds, row.dirty_mb, row.t_stop_s) == (rounds, approx(sent_mb), approx(ready_s))


def test_a_plan_may_wait_between_rounds(bench: Any, tmp_path: Path) -> None:
    """A round every 4 s after the one before has ended: from 16 s and, 0.6 s later, from 20.6 s."""
    (tmp_path / "own.yaml").write_text(
        "image: {send: image}\nmemory: {send: memory}\npause: {until: {time_s: 4}}\nround: {send: dirty, then: pause}\n"
        "final: {container: stopped, send: rest}\nstart: {container: stopped}\n"
    )
    one = bench(plan=str(tmp_path / "own.yaml"))
    one.frame(0, A, B)
    one.frame(22, KEEP, B)
    one.arrive(30)
    rounds = [stage for stage in one.stages().itertuples() if stage.stage == "ROUND"]
    assert [(row.t_begin_s, row.bytes / MB) for row in rounds[:2]] == [approx((16, 6)), approx((20.6, 4.6))]


def test_a_handoff_does_not_wait_for_rounds_that_may_never_end(bench: Any, tmp_path: Path) -> None:
    """More gets dirty than the link carries: rounds of all 20 MB, one after another. The handoff at 35 s need not wait for the last."""
    (tmp_path / "own.yaml").write_text(ROUNDS % "{downtime_s: 0.01}")
    one = bench(plan=str(tmp_path / "own.yaml"), relay=True, dirty_mb_per_s=12)
    one.frame(0, A, B)
    one.frame(35, B)
    one.arrive(60)
    assert one.transfer().t_stop_s == 35


# the dirty set saturates


def test_no_more_is_dirty_than_the_cap(bench: Any) -> None:
    """A cap of 20 %: 4 MB, less than the threshold, so that no round begins; they are all that is missing at 60 s."""
    one = bench(cap=0.2)
    one.frame(0, A, B)
    one.frame(60, B)
    one.arrive(100)
    row = one.transfer()
    assert (row.rounds, row.final_mb) == (0, approx(4))


WRONG = {
    "image: {send: image}\nfinal: {container: stopped, send: rest}": "one that is stopped and sends nothing",
    "memory: {send: memory}\nfinal: {container: stopped, send: rest}\nstart: {container: stopped}": "the image is sent first",
    ROUNDS % "{rounds: -1}": "until is",
    ROUNDS % "handoff": "cannot end like this",
    ROUNDS.replace("memory: {send: memory}\n", "") % "sent": "no step before it sends the memory",
    ROUNDS.replace("ready: {until: handoff}\n", "") % "sent": "has to lead to a step of the running container",
    ROUNDS.replace("until: %s", "then: round"): "leads back to itself without a wait",
    ROUNDS.replace("until: %s", "then: nowhere"): "which is no step",
    ROUNDS.replace("until: %s", "when: later"): "has when",
    ROUNDS.replace("ready: {until: handoff}", "ready: {until: threshold, then: ready}") % "sent": "waits for the threshold",
    ROUNDS.replace("{send: image}", "{send: image, then: round}") % "sent": "has to lead to the memory",
    ROUNDS.replace("memory:", "wait: {until: threshold}\nmemory:") % "sent": "waits for dirty memory",
    ROUNDS.replace("{container: stopped}", "{container: stopped, then: image}") % "sent": "what follows the stop is the next line",
    ROUNDS % "{rounds: 2.5}": "until is",
    ROUNDS.replace("send: memory", "send: [memory]") % "sent": "choose from",
    "final: {container: stopped, send: rest}\nstart: {container: stopped}": "the image is sent first",
    ROUNDS.replace("send: rest", "send: snapshot") % "sent": "and one that is degraded and sends the log follows",
    ROUNDS.replace("send: dirty", "send: log") % "sent": "cannot end like this|the image is sent first",
    "- image": "no table of steps",
    "image: [": "write it as YAML",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_what_makes_no_migration_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_plan(str(tmp_path / "own.yaml"))


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no plan; choose from cold, hybrid, postcopy, precopy"):
        read_plan("warm")
    with pytest.raises(InputError, match=r"handoff.plan"):
        read_plan(str(tmp_path / "none.yaml"))


def test_rounds_go_on_until_the_rest_takes_little(bench: Any, tmp_path: Path) -> None:
    """2, 0.2 and 0.02 MB: after two rounds the rest would take 2 ms."""
    (tmp_path / "own.yaml").write_text(ROUNDS % "{downtime_s: 0.01}")
    one = bench(plan=str(tmp_path / "own.yaml"))
    one.frame(0, A, B)
    one.frame(20, B)
    one.arrive(50)
    row = one.transfer()
    assert (row.rounds, row.dirty_mb) == (2, approx(2.2))
