"""Containers that meet, against paper (model, section 8): two and three vehicles on shared links, and on servers that are full.

S = 100 MB, M = 20 MB, W = 10 MB/s, 1 MB/s gets dirty, M_d = 5 MB, start time 0.2 s. A, B, C, D stand in a row, a cell each.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pytest
from pytest import approx

from msmf_traci.errors import InputError
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.policy import NO_PROCESSING, HandoffPolicy, LinkOptions, Processing
from msmf_traci.migration.workload import private_containers
from msmf_traci.results.tables import migrations_table, stages_table
from msmf_traci.sentinels import KEEP, NO_SERVER
from tests.courses import SERVERS, names_of, policies, row_of_cells, tell, told_engine

MB = 1e6
A, B, C, D = range(4)
Says = tuple[int, int]


class Meeting:
    """Some vehicles under one strategy; each is told (home, target) at its frames, and is deployed at its first."""

    def __init__(
        self,
        vehicles: int,
        *,
        shared: bool = True,
        room: int | None = None,
        finish: bool = False,
        processing: Processing = NO_PROCESSING,
    ) -> None:
        self.ledger = Ledger(keep_stages=True)
        links = LinkOptions(10 * MB, 5 * MB, 0.0, is_shared=shared, room_by_tier=(room or 0,))
        self.engine = told_engine(policies(links, HandoffPolicy(False, finish), processing=processing), row_of_cells(), self.ledger)
        each = np.ones(vehicles)
        self.engine.admit([private_containers(100 * MB * each, 20 * MB * each, 80 * each, 0.2 * each, 0.05 * each)])
        self._seen: set[int] = set()
        self._names = [f"v{i}" for i in range(vehicles)]

    def frame(self, t_s: float, says: dict[int, Says], *, last: Collection[int] = ()) -> None:
        """One frame of the vehicles named, attached to the cells of their homes (of A, where it is KEEP)."""
        vehicles = sorted(says)
        home = [says[v][0] for v in vehicles]
        tell(
            self.engine,
            t_s,
            vehicles,
            home=home,
            target=[says[v][1] for v in vehicles],
            cell=[max(h, A) for h in home],
            first=[v not in self._seen for v in vehicles],
            last=[v in last for v in vehicles],
        )
        self._seen |= set(vehicles)

    def transfers(self) -> list[Any]:
        """Rows of the table of transfers."""
        return list(migrations_table(self.ledger.transfers(), names_of(self._names, ["s"])).itertuples())

    def stages(self, vehicle: int) -> list[tuple[str, float, float]]:
        """Stages of a vehicle's transfers: name, begin, end."""
        table = stages_table(self.ledger.stages(), names_of(self._names, ["s"]))
        own = table[table["vehicle"] == f"v{vehicle}"]
        return list(own[["stage", "t_begin_s", "t_end_s"]].itertuples(index=False, name=None))

    def hosts(self) -> list[str]:
        """Host of each container."""
        return [SERVERS[host] if host >= 0 else "-" for host in self.engine.containers["host"][:, 0]]


def test_two_images_from_one_server_take_twice_as_long() -> None:
    """5 MB/s each: images from 0 to 20 s, memories from 20 to 24 s, told at every second."""
    meeting = Meeting(2)
    for t_s in range(29):
        meeting.frame(t_s, {0: (A, B), 1: (A, C)})
    for vehicle in (0, 1):
        assert meeting.stages(vehicle)[:2] == [("IMAGE", 0, approx(20)), ("MEMORY", approx(20), approx(24))]


def test_what_one_gives_up_the_other_has_from_that_frame_on() -> None:
    """Both from A at 5 MB/s; at 10 s vehicle 1 arrives: vehicle 0 has 50 MB to go at 10 MB/s, and is through at 15 s."""
    meeting = Meeting(2)
    meeting.frame(0, {0: (A, B), 1: (A, C)})
    meeting.frame(10, {0: (A, B), 1: (A, C)}, last={1})
    meeting.frame(20, {0: (A, B)})
    assert meeting.stages(0)[0] == ("IMAGE", 0, approx(15))


def test_rates_hold_until_the_next_frame_whatever_happens_between() -> None:
    """Frames at 0 and 30 s only: vehicle 1, arriving at 30 s, keeps its half all the way, and so does vehicle 0 into MEMORY."""
    meeting = Meeting(2)
    meeting.frame(0, {0: (A, B), 1: (A, C)})
    meeting.frame(30, {0: (A, B), 1: (A, C)})
    # image 20 s at 5 MB/s, memory 4 s; 4 MB dirty at 24 s: IDLE until 5 MB at 25 s, ROUND 1 s at 5 MB/s, 1 MB dirty, IDLE until 30 s
    assert meeting.stages(0) == [
        ("IMAGE", 0, approx(20)),
        ("MEMORY", approx(20), approx(24)),
        ("IDLE", approx(24), approx(25)),
        ("ROUND", approx(25), approx(26)),
        ("IDLE", approx(26), approx(30)),
    ]


def test_an_idle_transfer_that_wakes_gets_what_one_flow_more_would() -> None:
    """Vehicle 0 alone: IDLE from 12 to 15 s (2 MB dirty at 12 s). At 13 s vehicle 1 starts from A: it has 10 MB/s, since an idle
    transfer takes nothing; vehicle 0, waking at 15 s, has 5 MB/s until the frame at 20 s: its round lasts 1 s.
    """
    meeting = Meeting(2)
    meeting.frame(0, {0: (A, B), 1: (A, NO_SERVER)})
    meeting.frame(13, {0: (A, B), 1: (A, C)})
    meeting.frame(20, {0: (A, B), 1: (A, C)})
    meeting.frame(40, {0: (A, B), 1: (A, C)})
    assert meeting.stages(0)[2:4] == [("IDLE", approx(12), approx(15)), ("ROUND", approx(15), approx(16))]
    # until 20 s vehicle 1 keeps 10 MB/s: 70 MB; then vehicle 0 is in its next round (20 s: 5 MB dirty) and takes half of the link
    round_begin = meeting.stages(0)[5]
    assert round_begin == ("ROUND", approx(20), approx(21))
    assert meeting.stages(1)[0] == ("IMAGE", 13, approx(26))


def test_the_final_stage_shares_too() -> None:
    """Both stop at 0 s: 120 MB each at 5 MB/s, 24 s, and 0.2 s to start."""
    meeting = Meeting(2)
    meeting.frame(0, {0: (A, NO_SERVER), 1: (A, NO_SERVER)})
    meeting.frame(1, {0: (B, NO_SERVER), 1: (C, NO_SERVER)})
    meeting.frame(40, {0: (B, NO_SERVER), 1: (C, NO_SERVER)})
    assert [(row.outcome, row.t_end_s) for row in meeting.transfers()] == [("completed", approx(25.2))] * 2
    assert meeting.hosts() == ["B", "C"]


def test_both_ends_of_a_transfer_count() -> None:
    """Three transfers into D from A, B and C: a third each; 100 MB take 30 s."""
    meeting = Meeting(3)
    for t_s in (0, 40):
        meeting.frame(t_s, {0: (A, D), 1: (B, D), 2: (C, D)})
    assert [meeting.stages(v)[0][2] for v in range(3)] == approx([30, 30, 30])


SNAPSHOTS = Processing(checkpoint_s=4)


def test_a_transfer_in_processing_takes_nothing_and_begins_to_send_as_one_flow_more() -> None:
    """Vehicle 0 takes its snapshot from 10 to 14 s. Vehicle 1 starts from A at 12 s: it has 10 MB/s until the frame at 16 s, though vehicle
    0 sends from 14 s on, at the 5 MB/s that it was given at 12 s. From 16 s each has 5 MB/s: vehicle 0's other 10 MB take until 18 s.

    8 MB are dirty by then: a round, in processing until 22 s. At 20 s it takes nothing: vehicle 1 has its last 40 MB through at 24 s.
    """
    meeting = Meeting(2, processing=SNAPSHOTS)
    for t_s in (0, 12, 16, 20, 30):
        meeting.frame(t_s, {0: (A, B), 1: (A, C if t_s >= 12 else NO_SERVER)})
    assert meeting.stages(0)[:3] == [("IMAGE", 0, approx(10)), ("MEMORY", approx(10), approx(18)), ("ROUND", approx(18), approx(23.6))]
    assert meeting.stages(1)[0] == ("IMAGE", 12, approx(24))


def test_who_has_begun_to_send_counts_from_the_next_frame_on_though_nothing_else_is_new() -> None:
    """As above, told every second: both have 5 MB/s from 14 to 18 s, and from 22 s, when the round's 8 MB flow, to 23.6 s."""
    meeting = Meeting(2, processing=SNAPSHOTS)
    for t_s in range(31):
        meeting.frame(t_s, {0: (A, B), 1: (A, C if t_s >= 12 else NO_SERVER)})
    assert meeting.stages(0)[1:3] == [("MEMORY", approx(10), approx(18)), ("ROUND", approx(18), approx(23.6))]
    # 20 MB by 14 s, 40 by 18 s, 80 by 22 s, 90 by the frame at 24 s, at which vehicle 0 is in processing again
    assert meeting.stages(1)[0] == ("IMAGE", 12, approx(25))


def test_both_in_processing_are_each_one_flow_more() -> None:
    """Stopped at 1 s, 4 s of processing each: from 5 s both send 120 MB, at 10 MB/s until the frame at 9 s, then at 5 MB/s."""
    meeting = Meeting(2, processing=SNAPSHOTS)
    meeting.frame(0, {0: (A, NO_SERVER), 1: (A, NO_SERVER)})
    for t_s in (1, 9, 40):
        meeting.frame(t_s, {0: (B, NO_SERVER), 1: (C, NO_SERVER)})
    assert [(row.outcome, row.t_end_s) for row in meeting.transfers()] == [("completed", approx(9 + 16 + 0.2))] * 2


# ------------------------------------------------------------------------------------------------------------------------ capacities


def test_a_full_server_refuses_once_and_the_target_is_dropped() -> None:
    """Room for one on each server: vehicle 1 may not copy to B while vehicle 0's container is there."""
    meeting = Meeting(2, shared=False, room=1)
    for t_s in range(3):
        meeting.frame(t_s, {0: (B, NO_SERVER), 1: (A, B)})
    (row,) = meeting.transfers()
    assert (row.vehicle, row.outcome, row.source, row.target) == ("v1", "refused", "A", "B")
    assert (row.t_start_s, row.t_end_s, row.image_bytes + row.final_bytes) == (0, 0, 0)
    assert np.isnan(row.t_handoff_s)


def test_room_is_taken_by_who_departed_first_also_while_a_container_is_on_its_way() -> None:
    meeting = Meeting(3, shared=False, room=1)
    for t_s in range(3):
        meeting.frame(t_s, {0: (A, D), 1: (B, D), 2: (C, D)})
    assert [(row.vehicle, row.outcome) for row in meeting.transfers()] == [("v1", "refused"), ("v2", "refused")]
    assert int(meeting.engine.containers["target"][0, 0]) == D


def test_a_refused_handoff_is_relayed_until_there_is_room() -> None:
    """At 2 s vehicle 1 is in B's cell, but B is full: its container stays on A. Vehicle 0 arrives at 5 s and makes room."""
    meeting = Meeting(2, shared=False, room=1)
    meeting.frame(0, {0: (B, NO_SERVER), 1: (A, NO_SERVER)})
    for t_s in range(1, 5):
        meeting.frame(t_s, {0: (B, NO_SERVER), 1: (B if t_s > 1 else A, NO_SERVER)})
    meeting.frame(5, {0: (B, NO_SERVER), 1: (B, NO_SERVER)}, last={0})
    meeting.frame(30, {1: (B, NO_SERVER)})
    refused, moved = meeting.transfers()
    assert (refused.outcome, refused.t_start_s) == ("refused", 2)
    assert (moved.outcome, moved.t_handoff_s, moved.t_end_s) == ("completed", 5, approx(5 + 12 + 0.2))
    assert int(meeting.engine.containers["handoffs"][1, 0]) == 1


def test_a_new_request_is_refused_anew() -> None:
    """B, then C, then B again, all full: three refusals."""
    meeting = Meeting(3, shared=False, room=1)
    for t_s, target in enumerate((B, C, C, B)):
        meeting.frame(t_s, {0: (B, NO_SERVER), 1: (C, NO_SERVER), 2: (A, target)})
    assert [(row.t_start_s, row.target) for row in meeting.transfers()] == [(0, "B"), (1, "C"), (3, "B")]


def test_a_refused_transfer_leaves_the_number_of_the_open_one_alone() -> None:
    """While vehicle 1 copies to C, B is refused: transfers 0 (to C) and 1 (refused), and the next one, to D, is 2."""
    meeting = Meeting(2, shared=False, room=1)
    meeting.frame(0, {0: (B, NO_SERVER), 1: (A, C)})
    meeting.frame(1, {0: (B, NO_SERVER), 1: (A, B)})
    meeting.frame(2, {0: (B, NO_SERVER), 1: (A, D)})
    meeting.frame(3, {0: (B, NO_SERVER), 1: (A, D)}, last={1})
    assert [(row.transfer, row.target, row.outcome) for row in meeting.transfers()] == [
        (0, "C", "mispredicted"),
        (1, "B", "refused"),
        (2, "D", "unfinished"),
    ]


def test_a_stopped_container_that_cannot_be_sent_elsewhere_asks_for_nothing() -> None:
    """Under `finish`, stopped on its way to C, its user is in B's cell, which is full: nothing is asked, nothing refused."""
    meeting = Meeting(2, shared=False, room=1, finish=True)
    meeting.frame(0, {0: (B, NO_SERVER), 1: (A, NO_SERVER)})
    meeting.frame(1, {0: (B, NO_SERVER), 1: (C, NO_SERVER)})
    for t_s in range(2, 8):
        meeting.frame(t_s, {0: (B, NO_SERVER), 1: (B, NO_SERVER)})
    meeting.frame(8, {0: (B, NO_SERVER), 1: (B, NO_SERVER)}, last={1})
    assert [(row.target, row.outcome) for row in meeting.transfers()] == [("C", "unfinished")]


def test_the_host_and_the_target_of_the_open_transfer_are_never_refused() -> None:
    meeting = Meeting(2, shared=False, room=1)
    meeting.frame(0, {0: (A, B), 1: (D, NO_SERVER)})
    meeting.frame(1, {0: (KEEP, B), 1: (D, NO_SERVER)})
    meeting.frame(2, {0: (B, NO_SERVER), 1: (D, NO_SERVER)})
    meeting.frame(30, {0: (B, NO_SERVER), 1: (D, NO_SERVER)})
    assert [row.outcome for row in meeting.transfers()] == ["completed"]


def test_a_first_deployment_goes_to_the_nearest_server_with_room() -> None:
    """Both begin in A's cell: the second one is deployed on B, a hop away; from its second frame on it wants to A, which is full."""
    meeting = Meeting(2, shared=False, room=1)
    meeting.frame(0, {0: (A, NO_SERVER), 1: (A, NO_SERVER)})
    assert meeting.hosts() == ["A", "B"]
    assert meeting.transfers() == []
    meeting.frame(1, {0: (A, NO_SERVER), 1: (A, NO_SERVER)})
    assert [(row.vehicle, row.outcome, row.target) for row in meeting.transfers()] == [("v1", "refused", "A")]
    assert meeting.engine.containers["hops"][1, 0] > 0


def test_nowhere_to_deploy_is_said() -> None:
    meeting = Meeting(5, shared=False, room=1)
    with pytest.raises(InputError, match=r"raise tiers.NAME.capacity"):
        meeting.frame(0, dict.fromkeys(range(5), (A, NO_SERVER)))


def test_what_has_left_gives_its_room_back() -> None:
    """Vehicle 0's container completes on C at 12.2 s: A is free again for vehicle 1 at the frame after."""
    meeting = Meeting(2, shared=False, room=1)
    meeting.frame(0, {0: (A, NO_SERVER), 1: (D, NO_SERVER)})
    meeting.frame(1, {0: (C, NO_SERVER), 1: (D, A)})
    meeting.frame(13, {0: (C, NO_SERVER), 1: (D, A)})
    assert int(meeting.engine.containers["target"][1, 0]) == NO_SERVER  # 1 + 12 + 0.2 s: not yet
    meeting.frame(14, {0: (C, NO_SERVER), 1: (D, A)})
    assert int(meeting.engine.containers["target"][1, 0]) == A
