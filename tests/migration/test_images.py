"""Images ahead of a transfer (model, section 7): copies, what transfers find and leave, sources and rates, worked out on paper.

One vehicle, whose container begins on A; W = 10 MB/s, an image of 50 MB (5 s), a memory of 30 MB (3 s) that does not change, 1 s to start.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.policy import HandoffPolicy, ImageOptions, LinkOptions, Processing, Source
from msmf_traci.migration.workload import private_containers
from msmf_traci.results.tables import copies_table, migrations_table, stages_table
from msmf_traci.sentinels import KEEP, NO_SERVER
from tests.courses import names_of, policies, row_of_cells, tell, told_engine

MB = 1e6
A, B, C, D = range(4)


class Course:
    """One vehicle under one variant, told frame by frame what is decided."""

    def __init__(self, images: ImageOptions | None = None, *, shared: bool = False, relay: bool = False, **processing: float) -> None:
        links = LinkOptions(10 * MB, 5 * MB, 0.0, is_shared=shared)
        rules = policies(links, HandoffPolicy(relay, False), 1, Processing(**processing), images or ImageOptions())
        self._ledger = Ledger(keep_stages=True)
        self.engine = told_engine(rules, row_of_cells(), self._ledger)
        self.engine.admit([private_containers(*(np.array([value]) for value in (50 * MB, 30 * MB, 80.0, 1.0, 0.0)))])
        self._is_first = True

    def at(self, t_s: float, home: int = KEEP, *, target: int = NO_SERVER, ahead: tuple[int, ...] = (), **more: Any) -> None:
        """One frame."""
        first, self._is_first = self._is_first, False
        tell(self.engine, t_s, [0], home=A if first else home, target=target, prefetch=ahead, first=first, **more)

    def copies(self) -> list[tuple[str, float, float, float, str, float]]:
        """Server, begin, completion, end, outcome and MB of each copy."""
        table = copies_table(self._ledger.copies(), self._names).fillna({"t_complete_s": -1.0})
        columns = ("server", "t_start_s", "t_complete_s", "t_end_s", "outcome")
        return [
            (*row, mb)
            for *row, mb in zip(*(table[name] for name in columns), table["image_bytes"] / MB, strict=True)  # type: ignore[misc]
        ]

    def transfers(self) -> pd.DataFrame:
        """The table of transfers."""
        return migrations_table(self._ledger.transfers(), self._names)

    def stages(self) -> list[tuple[str, float, float, float]]:
        """Stage, begin, end and MB."""
        table = stages_table(self._ledger.stages(), self._names)
        return list(zip(table["stage"], table["t_begin_s"], table["t_end_s"], table["bytes"] / MB, strict=True))

    @property
    def _names(self) -> Any:
        return names_of(["v0"], ["s0"])


CLOUD = ImageOptions(source=Source.CLOUD)


def test_a_copy_brings_the_image_and_ends_with_the_trip() -> None:
    course = Course()
    course.at(0, ahead=(B,))
    course.at(7, last=True)
    assert course.copies() == [("B", 0, 5, 7, "unused", 50)]


def test_a_copy_that_is_no_longer_wanted_is_given_up() -> None:
    """20 MB by 2 s; the last one, which is wanted from 2 s on, has all the link."""
    course = Course()
    course.at(0, ahead=(B, B, A))
    course.at(2, ahead=(C,))
    course.at(8, last=True)
    assert course.copies() == [("B", 0, -1, 2, "unfinished", 20), ("C", 2, 7, 8, "unused", 50)]


def test_copies_from_the_host_wait_for_the_transfer_and_for_each_other() -> None:
    """The transfer to B sends until 8 s. Then C, 8 to 13 s, then D."""
    course = Course()
    course.at(0, target=B, ahead=(C, D))
    course.at(15, last=True)
    assert course.stages()[:2] == [("IMAGE", 0, 5, 50), ("MEMORY", 5, 8, 30)]
    assert course.copies() == [("C", 0, 13, 15, "unused", 50), ("D", 0, -1, 15, "unfinished", 20)]


def test_the_order_of_copies_is_that_of_the_last_list() -> None:
    """C from 0 to 2 s: 20 MB. Then D is the first, until 7 s; then the rest of C, until 10 s."""
    course = Course()
    course.at(0, ahead=(C, D))
    course.at(2, ahead=(D, C))
    course.at(11, last=True)
    assert course.copies() == [("C", 0, 10, 11, "unused", 50), ("D", 0, 7, 11, "unused", 50)]


def test_copies_from_the_cloud_wait_for_nothing() -> None:
    """W each; with a link of 5 MB/s, 10 s each."""
    for options, done_s in ((CLOUD, 5), (ImageOptions(source=Source.CLOUD, cloud_bytes_per_s=5 * MB), 10)):
        course = Course(options)
        course.at(0, target=B, ahead=(C, D))
        course.at(11, last=True)
        assert course.copies() == [("C", 0, done_s, 11, "unused", 50), ("D", 0, done_s, 11, "unused", 50)]
        assert course.stages()[0] == ("IMAGE", 0, done_s, 50)
        (transfer,) = course.transfers().to_dict("records")
        assert (transfer["host_bytes"], transfer["cloud_bytes"]) == (0, 50 * MB)


def test_a_transfer_waits_for_the_copy_and_sends_no_image() -> None:
    """The copy comes first although a transfer is open; memory from 5 to 8 s; at the handoff nothing is missing."""
    course = Course()
    course.at(0, ahead=(B,))
    course.at(2, target=B, ahead=(C, B))
    course.at(9, home=B, ahead=(C,))
    course.at(11, last=True)
    assert course.stages() == [("IMAGE", 2, 5, 0), ("MEMORY", 5, 8, 30), ("IDLE", 8, 9, 0), ("FINAL", 9, 9, 0), ("RESTORE", 9, 10, 0)]
    # C has the link from 8 s on, from A until 10 s, then from B: 20 + 10 MB
    assert course.copies() == [("B", 0, 5, 10, "used", 50), ("C", 2, -1, 11, "unfinished", 30)]
    assert course.transfers()["image_bytes"].tolist() == [0]


def test_a_transfer_to_where_the_image_is_begins_with_the_memory() -> None:
    course = Course()
    course.at(0, ahead=(B,))
    course.at(6, target=B, ahead=(B,))
    course.at(8, last=True)
    assert course.stages() == [("MEMORY", 6, 8, 20)]


def test_a_container_that_is_stopped_while_it_waits_sends_its_memory_once_the_copy_is_complete() -> None:
    course = Course()
    course.at(0, ahead=(B,))
    course.at(2, home=B)
    course.at(10, last=True)
    assert course.stages() == [("IMAGE", 2, 2, 0), ("FINAL", 2, 8, 30), ("RESTORE", 8, 9, 0)]
    assert course.copies() == [("B", 0, 5, 9, "used", 50)]


def test_what_a_stop_leaves_of_an_image_comes_from_the_cloud_and_then_the_memory_from_the_host() -> None:
    """20 MB at 5 MB/s by 4 s; the rest takes 6 s, the memory 3 s."""
    course = Course(ImageOptions(source=Source.CLOUD, cloud_bytes_per_s=5 * MB))
    course.at(0, target=B)
    course.at(4, home=B)
    course.at(20, last=True)
    assert course.stages() == [("IMAGE", 0, 4, 20), ("FINAL", 4, 13, 60), ("RESTORE", 13, 14, 0)]
    (transfer,) = course.transfers().to_dict("records")
    assert (transfer["final_bytes"], transfer["cloud_bytes"]) == (60 * MB, 50 * MB)


@pytest.mark.parametrize(
    ("ahead", "copies", "next_stage"),
    [
        ((B,), [("B", 2, 5, 8, "unused", 30)], ("MEMORY", 6, 8, 20)),  # the copy goes on from the bytes there
        ((), [], ("IMAGE", 6, 8, 20)),  # what has come is dropped
    ],
)
def test_what_a_transfer_leaves_of_an_image(ahead: tuple[int, ...], copies: list[Any], next_stage: tuple[Any, ...]) -> None:
    """20 MB by 2 s, when the target is D for a while; the copy to B comes after the image to D, unless that comes from the cloud."""
    course = Course(CLOUD)
    course.at(0, target=B)
    course.at(2, target=D, ahead=ahead)
    course.at(6, target=B, ahead=ahead)
    course.at(8, last=True)
    assert course.copies() == copies
    assert course.stages()[-1] == next_stage


@pytest.mark.parametrize(
    ("retain_s", "back_s", "first"), [(0, 10, "IMAGE"), (5, 13.9, "MEMORY"), (5, 14, "IMAGE"), (math.inf, 99, "MEMORY")]
)
def test_the_old_host_keeps_the_image_for_a_while(retain_s: float, back_s: float, first: str) -> None:
    """At 0 s the container stops to go to B, where it runs from 9 s on: A keeps its image from then on."""
    course = Course(ImageOptions(retain_s=retain_s))
    course.at(0)
    course.at(0.0, home=B)
    course.at(back_s, home=B, target=A)
    course.at(back_s + 1, last=True)
    assert course.transfers()["t_end_s"][0] == 9
    assert course.stages()[-1][0] == first


def test_a_kept_image_that_is_wanted_is_in_use_without_a_row() -> None:
    """Complete at 5 s, given up at 6 s, wanted again at 9 s and until 30 s: there all the time, as it was kept for 4 s."""
    course = Course(ImageOptions(retain_s=4))
    course.at(0, ahead=(B,))
    course.at(6)
    course.at(9, ahead=(B,))
    course.at(30, target=B)
    course.at(33, last=True)
    assert course.copies() == [("B", 0, 5, 6, "unused", 50)]
    assert course.stages()[0] == ("MEMORY", 30, 33, 30)
    c = course.engine.containers[0, 0]
    assert (c["needed_bytes"], c["found_bytes"]) == (100 * MB, 50 * MB)  # it came to be wanted at 0 and 9 s, and was there at 9 s


def test_a_copy_in_processing_leaves_the_link_to_the_next_one() -> None:
    """Answers of 2 s: C flows from 2 to 7 s, D from 7 s on."""
    course = Course(answers_s=2.0)
    course.at(0, ahead=(C, D))
    course.at(10, last=True)
    assert course.copies() == [("C", 0, 7, 10, "unused", 50), ("D", 0, -1, 10, "unfinished", 30)]


def test_on_shared_links_every_copy_is_a_flow() -> None:
    """Two copies share A's uplink: 5 MB/s each. B's is complete at 10 s, and so is C's."""
    course = Course(shared=True)
    course.at(0, ahead=(B, C))
    course.at(10, ahead=(B, C))
    course.at(11, last=True)
    assert course.copies() == [("B", 0, 10, 11, "unused", 50), ("C", 0, 10, 11, "unused", 50)]


def test_with_idle_links_only_copies_get_what_transfers_leave() -> None:
    """The transfer has all of A's uplink until 8 s, the copy from 8 s on."""
    course = Course(ImageOptions(only_idle=True), shared=True)
    for t_s in range(14):
        course.at(t_s, target=B, ahead=(C,), last=t_s == 13)
    assert course.stages()[:2] == [("IMAGE", 0, 5, 50), ("MEMORY", 5, 8, 30)]
    assert course.copies() == [("C", 0, 13, 13, "unused", 50)]


def test_relayed_seconds_count_by_hops() -> None:
    """Two hops from 1 to 4 s, one hop until 6 s: 8 s x hops."""
    course = Course()
    course.at(0)
    course.at(1, cell=2)
    course.at(4, cell=1)
    course.at(6, last=True, cell=1)
    assert course.engine.containers[0, 0]["relayed_hops_s"] == 8
