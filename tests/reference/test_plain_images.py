"""Closed-form tests of images ahead in plain_model: copies, sources, kept images, just in time; worked out on paper.

The vehicle drives as in test_plain_model.py: north at 10 m/s from y = 5, seen in A = (0, 1) from t = 25 on, in B = (0, 2) from t = 75 on,
in C = (0, 3) from t = 125 on. It starts on H = (0, 0). A link of 100 Mb/s sends 12.5 MB a second. Memory gets dirty at 1 % a second.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.reference.plain_model import (
    STRATEGIES,
    Edge,
    Frame,
    Known,
    Lattice,
    Network,
    Now,
    Options,
    Recomputed,
    RoadMap,
    Server,
    Strategist,
    known_at,
)
from tests.reference.plain_model.container import Load
from tests.reference.plain_model.links import Flow, Sharing
from tests.reference.plain_model.options import Ahead
from tests.reference.test_plain_model import AREAS, MB, NO_PROCESSING, SLOW, config, north, run
from tests.reference.test_plain_worlds import convoy

H, A, B, C, D = (Server("local", (0, r)) for r in range(5))
CLOUD = {"source": "cloud"}
JUST_IN_TIME = {"prefetch": 1, "memory": "just_in_time"}
# north until y = 305, then south: in A from 25 to 35, in H again from 36 on
BACK = [(0.0, 5.0 + 10 * t) for t in range(31)] + [(0.0, 305.0 - 10 * t) for t in range(1, 21)]


def start_s(image_mb: float) -> float:
    """From 200 ms at 100 MB to 1000 ms at 2000 MB."""
    return 0.2 + 0.8 * (image_mb - 100) / 1900


def pm(n: int, **more: Any) -> dict[str, Any]:
    return {"prefetch": n, **more}


def copies(result: Recomputed, vehicle: str = "v") -> list[tuple[Any, ...]]:
    """Server, begin, completion, end, outcome and MB of a vehicle's copies, in the order of their numbers."""
    rows = [row for row in result.copies if row["vehicle"] == vehicle]
    assert [row["copy"] for row in rows] == list(range(len(rows)))
    times = ("t_start_s", "t_complete_s", "t_end_s")
    names = {server.name: letter for server, letter in zip((H, A, B, C, D), "HABCD", strict=True)}
    return [(names[row["server"]], *(about(row[time]) for time in times), row["outcome"], about(row["image_bytes"] / MB)) for row in rows]


def about(value: float | None) -> float | None:
    """Rounded, so that rows can be compared as a whole."""
    return None if value is None else round(value, 6)


def sent(row: dict[str, Any]) -> tuple[float | None, ...]:
    """MB of a transfer: image, memory, dirty, final; then of its image from the host and from the cloud."""
    kinds = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes", "host_bytes", "cloud_bytes")
    return tuple(about(row[kind] / MB) for kind in kinds)


def listed(result: Recomputed, strategy: str, t_s: float) -> tuple[str, str]:
    """Target and prefetch list of a decision."""
    (row,) = (row for row in result.decisions if row["strategy"] == strategy and row["t_s"] == t_s)
    return row["target"], row["prefetch"]


def test_as_ever_by_default(tmp_path: Path) -> None:
    result = north(tmp_path, 500, 100)
    assert result.copies == [] and {row["prefetch"] for row in result.decisions} == {""}
    assert sent(result.migrations[0]) == (312.5, 0, 0, 287.5, 500, 0)  # 187.5 MB of what FINAL sends are the image's
    vehicle = result.vehicles["pm", "v"]
    assert vehicle["copies"] == vehicle["copy_bytes"] == vehicle["copy_wasted_bytes"] == vehicle["cloud_bytes"] == 0
    assert vehicle["relayed_byte_hops"] == 0


def test_one_copy_just_in_time(tmp_path: Path) -> None:
    # near: within 1.3 x ((4 + 2 x 5) / 12.5 + 0.2 + 2) = 4.316 s, so 43.16 m: at 21, when A is 35 m away
    result = north(tmp_path, 100, 4, strategy__pm=JUST_IN_TIME)
    assert [listed(result, "pm", t) for t in (0, 20, 21)] == [("NONE", A.name), ("NONE", A.name), (A.name, A.name)]
    first, end = result.migrations[0], 25 + 0.16 / 12.5 + 0.2
    # memory from 21 to 21.32, no image; 4 x 0.04 MB are dirty at 25
    assert sent(first) == (0, 4, 0, 0.16, 0, 0) and (first["t_start_s"], first["lead_s"]) == (21, 4)
    assert first["t_end_s"] == pytest.approx(end)
    # the second copy opens at 25, waits for the 0.16 MB, then goes on for 8 s, from A once the container runs there
    assert copies(result) == [
        ("A", 0, 8, about(end), "used", 100),
        ("B", 25, 33.0128, 60, "unused", 100),
    ]
    rows = result.copies
    assert (rows[0]["tier"], rows[0]["host_bytes"], rows[0]["cloud_bytes"]) == ("local", 100 * MB, 0)
    assert rows[0]["missing_bytes"] == 100 * MB and (rows[0]["x_m"], rows[0]["y_m"], rows[1]["y_m"]) == (0, 255, 605)
    vehicle = result.vehicles["pm", "v"]
    assert (vehicle["copies"], vehicle["copy_bytes"], vehicle["copy_wasted_bytes"]) == (2, 200 * MB, 100 * MB)
    assert vehicle["traffic_bytes"] == pytest.approx(204.16 * MB) and vehicle["wasted_bytes"] == 100 * MB
    assert (vehicle["entry_hits"], vehicle["handoff_hits"]) == (1, 1)


def test_answers_come_before_a_copy(tmp_path: Path) -> None:
    result = north(tmp_path, 100, 4, seconds=20, strategy__pm=JUST_IN_TIME, **SLOW)  # 0.1 s of answers, 10 MB a second
    assert copies(result) == [("A", 0, 10.1, 20, "unused", 100)]


def test_the_link_is_free_while_answers_are_awaited(tmp_path: Path) -> None:
    # 0.1 s of answers before every stage and copy. To A: 311.25 MB until 25; FINAL sends from 25.1 on 136.25 of the other 188.75 MB; given
    # up at 36. The copy of the last 52.5 MB sends from 36.1 to 40.3, memory from 40.4 to 48.4, the round of 8.1 MB from 48.5 to 49.148. The
    # copy to B has the link for 0.1 s from 25, 36, 40.3 and 48.4 on, and from 49.148 to 50.
    processing = {"processing": {**NO_PROCESSING, "round_trips": 2}}
    result = run(tmp_path, BACK, ("0,0 0,2500", 2500), 500, 100, strategy__pm=pm(2), migration=processing, links__round_trip_ms=50)
    assert copies(result) == [
        ("B", 0, None, 50, "unfinished", 15.65),
        ("C", 25, None, 36, "unfinished", 0),
        ("A", 36, 40.3, 50, "unused", 52.5),
    ]
    assert sent(result.migrations[1]) == (0, 100, 8.1, 0, 0, 0)


def test_copies_through_a_network_of_links(tmp_path: Path) -> None:
    # A path of 20 ms and 40 Mb/s: 4 round trips take 0.16 s, 100 MB 20 s. Near is reckoned with the servers' 12.5 MB/s, as without a
    # network.
    (tmp_path / "links.csv").write_text('a,b,latency_ms,mbps\n"L:0,0","L:0,1",20,40')
    changes = {"migration": {"processing": {**NO_PROCESSING, "round_trips": 4}}, "links__file": str(tmp_path / "links.csv")}
    result = north(tmp_path, 100, 4, seconds=24, strategy__pm=JUST_IN_TIME, **changes)
    assert copies(result) == [("A", 0, 20.16, 24, "unused", 100)]
    assert result.migrations[0]["t_start_s"] == 21 and sent(result.migrations[0]) == (0, 4, 0, 0, 0, 0)  # until 21.96
    # from the cloud: the same answers, but not the path's bandwidth
    result = north(tmp_path, 100, 4, seconds=24, strategy__pm=JUST_IN_TIME, images=CLOUD, **changes)
    assert copies(result) == [("A", 0, 8.16, 24, "unused", 100)]


def test_a_copy_pauses_while_the_transfer_sends(tmp_path: Path) -> None:
    # To A: image until 8, memory until 16, a round until 16.64, idle until 21, a round until 21.4, idle; 4 MB are dirty at 25.
    # The copy to B sends from 16.64 to 21, 54.5 MB, from 21.4 to 25, 45 MB, and after FINAL, from 25.32 on, the last 0.5 MB.
    # The copy to C opens at 25; it has 0.64 s before the transfer to B starts at 26, with MEMORY: 8 MB. That is through at 34, its round at
    # 34.64; 54.5 MB until it goes on from 39 to 39.4; the last 37.5 MB take 3 s.
    result = north(tmp_path, 100, 100, strategy__pm=pm(2))
    assert copies(result) == [
        ("B", 0, 25.36, 60, "unused", 100),
        ("C", 25, 42.4, 60, "unused", 100),
    ]
    assert sent(result.migrations[0]) == (100, 100, 13, 4, 100, 0)
    assert result.migrations[1]["t_start_s"] == 26 and result.migrations[1]["image_bytes"] == 0
    assert result.migrations[1]["memory_bytes"] == 100 * MB and result.migrations[1]["outcome"] == "unfinished"


def test_copies_in_order(tmp_path: Path) -> None:
    # one after another; the third one is stopped at 21 for 0.32 s by the memory for A, and is short of 37.5 MB then
    result = north(tmp_path, 100, 4, seconds=24, strategy__pm=pm(3, memory="just_in_time"))
    assert listed(result, "pm", 0) == ("NONE", " ".join(server.name for server in (A, B, C)))
    assert [row[:4] for row in copies(result)] == [("A", 0, 8, 24), ("B", 0, 16, 24), ("C", 0, None, 24)]
    assert copies(result)[2][4:] == ("unfinished", 96)
    assert result.copies[2]["missing_bytes"] == 100 * MB and result.vehicles["pm", "v"]["copy_wasted_bytes"] == pytest.approx(296 * MB)


def test_given_up_and_going_on(tmp_path: Path) -> None:
    # To A: 312.5 MB until the stop at 25, 137.5 MB of the rest until the user is back at 36; A is named again then: a copy of the last 50
    # MB. The copy to C, wanted while the user was in A, is given up. A new transfer waits from 37 for the copy, until 40; memory until 48,
    # a round of 8 MB until 48.64. Only then the copy to B has the link.
    result = run(tmp_path, BACK, ("0,0 0,2500", 2500), 500, 100, strategy__pm=pm(2))
    assert copies(result) == [
        ("B", 0, None, 50, "unfinished", 17),
        ("C", 25, None, 36, "unfinished", 0),
        ("A", 36, 40, 50, "unused", 50),
    ]
    assert [row["missing_bytes"] / MB for row in result.copies] == [500, 500, 50]
    before, after = result.migrations
    assert (before["outcome"], before["t_end_s"], sent(before)) == ("user_left", 36, (312.5, 0, 0, 137.5, 450, 0))
    assert (after["outcome"], after["t_start_s"], sent(after)) == ("unfinished", 37, (0, 100, 8, 0, 0, 0))
    vehicle = result.vehicles["pm", "v"]
    assert vehicle["traffic_bytes"] == vehicle["wasted_bytes"] == pytest.approx((450 + 108 + 67) * MB)
    assert vehicle["copy_bytes"] == vehicle["copy_wasted_bytes"] == pytest.approx(67 * MB)


@pytest.mark.parametrize(("n", "image_mb", "memory_mb"), [(2, 0, 162.5), (1, 100, 62.5)])
def test_given_up_with_the_image_there(n: int, image_mb: float, memory_mb: float, tmp_path: Path) -> None:
    # Image until 8, memory until the stop at 25; given up at 36 in FINAL. Where A is named, its image stays, without a row: memory from 37
    # to 50. Otherwise it is deleted: image from 37 to 45, memory from 45 to 50.
    result = run(tmp_path, BACK, ("0,0 0,2500", 2500), 100, 400, strategy__pm=pm(n))
    assert result.migrations[0]["outcome"] == "user_left" and result.migrations[0]["image_bytes"] == 100 * MB
    assert sent(result.migrations[1]) == (image_mb, memory_mb, 0, 0, image_mb, 0)
    assert "A" not in [row[0] for row in copies(result)]


@pytest.mark.parametrize(("checkpoint_s", "flow_s"), [(0, 40), (10, 40), (20, 45)])
def test_a_stop_waits_for_a_copy(checkpoint_s: float, flow_s: float, tmp_path: Path) -> None:
    # Near is within 1.3 x (14 / 12.5 + 0.368 + 2) = 4.53 s: at 20. The copy to A takes until 40. The container stops at 25, and its 4 MB
    # flow when both the copy is complete and the snapshot is there. The copy to B has the link from 40 on but for 0.32 s.
    processing = {"processing": {**NO_PROCESSING, "checkpoint_s": checkpoint_s}}
    result = north(tmp_path, 500, 4, strategy__pm=JUST_IN_TIME, migration=processing)
    row, end = result.migrations[0], flow_s + 0.32 + start_s(500)
    assert (row["t_start_s"], row["t_stop_s"], row["outcome"]) == (20, 25, "completed")
    assert row["t_end_s"] == pytest.approx(end) and sent(row) == (0, 0, 0, 4, 0, 0)
    assert copies(result) == [("A", 0, 40, about(end), "used", 500), ("B", 25, None, 60, "unfinished", 246)]


def test_given_up_while_it_waits(tmp_path: Path) -> None:
    # stopped at 25, back in H at 36 before anything was sent; the copy to A goes on, and the next transfer waits for it from 37 to 40
    result = run(tmp_path, BACK, ("0,0 0,2500", 2500), 500, 4, strategy__pm=JUST_IN_TIME)
    before, after = result.migrations
    assert (before["outcome"], before["t_start_s"], before["t_end_s"], sent(before)) == ("user_left", 20, 36, (0,) * 6)
    assert (after["outcome"], after["t_start_s"], sent(after)) == ("unfinished", 37, (0, 4, 0, 0, 0, 0))
    assert copies(result) == [("A", 0, 40, 50, "unused", 500), ("B", 25, None, 36, "unfinished", 0)]


def test_a_handoff_waits_for_a_copy(tmp_path: Path) -> None:
    # relay: memory begins at the instant at which the copy is complete, 40, and is through at 40.32; 0.32 x 0.04 MB are dirty
    result = north(tmp_path, 500, 4, strategy__pm=JUST_IN_TIME, handoff__unsynced="relay", workload__request_mbps=2)
    row, final_mb = result.migrations[0], 0.32 * 0.04
    assert row["t_stop_s"] == pytest.approx(40.32) and sent(row) == (0, 4, 0, about(final_mb), 0, 0)
    assert row["t_end_s"] == pytest.approx(40.32 + final_mb / 12.5 + start_s(500))
    vehicle = result.vehicles["pm", "v"]
    assert vehicle["relayed_s"] == pytest.approx(15.32) and vehicle["relayed_byte_hops"] == pytest.approx(2 * 125_000 * 15.32)


def test_relayed_bytes_times_hops(tmp_path: Path) -> None:
    # never: one hop from 25 to 75, two hops from 75 to 80
    result = north(tmp_path, 100, 4, seconds=80, strategies=["never"], workload__request_mbps=3)
    assert result.vehicles["never", "v"]["relayed_byte_hops"] == 3 * 125_000 * 60 and result.copies == []


def test_a_stop_in_image_from_the_cloud(tmp_path: Path) -> None:
    # 5 MB a second: 125 MB at 25, the other 75 MB until 40; then the memory from H, 8 s
    images = {**CLOUD, "cloud_uplink_mbps": 40}
    result = north(tmp_path, 200, 100, images=images)
    row = result.migrations[0]
    assert sent(row) == (125, 0, 0, 175, 0, 200) and row["t_end_s"] == pytest.approx(48 + start_s(200))
    assert result.vehicles["pm", "v"]["cloud_bytes"] == pytest.approx(255 * MB)  # the next one from 49 on
    # unlimited: A's own 12.5 MB a second
    assert sent(north(tmp_path, 500, 100, images=CLOUD).migrations[0]) == (312.5, 0, 0, 287.5, 0, 500)
    # with an efficiency of 0.8 and a snapshot of 2 s: 100 MB at 25, the others from 27 to 52; given up at 36, when 36 MB of them were there
    processing = {"processing": {**NO_PROCESSING, "checkpoint_s": 2, "transport_efficiency": 0.8}}
    given_up = run(tmp_path, BACK, ("0,0 0,2500", 2500), 200, 100, images=images, migration=processing).migrations[0]
    assert sent(given_up) == (100, 0, 0, 36, 0, 136)


def test_a_memory_follows_a_cloud_image_on_shared_links(tmp_path: Path) -> None:
    # 5 MB a second: 125 MB at 25, the other 73 MB until 39.6. One flow more from H to A at 39: the cloud's flow keeps 5 of A's 12.5 MB/s,
    # and 7.5 are left: 3 MB until 40. The other 97 MB at 12.5 MB/s.
    result = north(tmp_path, 198, 100, images={**CLOUD, "cloud_uplink_mbps": 40}, links__mode="shared")
    row = result.migrations[0]
    assert sent(row) == (125, 0, 0, 173, 0, 198) and row["t_end_s"] == pytest.approx(40 + 97 / 12.5 + start_s(198))
    # without a stop: 98 MB until 19.6; memory from 19.6 at 7.5 MB/s, 3 MB, the rest from 20 on: 62.5 MB until the stop at 25
    row = north(tmp_path, 98, 100, images={**CLOUD, "cloud_uplink_mbps": 40}, links__mode="shared").migrations[0]
    assert sent(row)[:2] == (98, 65.5) and row["final_bytes"] == pytest.approx((34.5 + 5.4 * 0.655) * MB)


def test_copies_from_the_cloud_do_not_pause(tmp_path: Path) -> None:
    for mbps, complete_s in ((40, 20), (None, 8)):
        result = north(tmp_path, 100, 100, seconds=24, strategy__pm=pm(2), images={**CLOUD, "cloud_uplink_mbps": mbps})
        assert copies(result) == [("B", 0, complete_s, 24, "unused", 100)]
        assert result.copies[0]["cloud_bytes"] == 100 * MB and result.copies[0]["host_bytes"] == 0
        assert result.migrations[0]["cloud_bytes"] == 100 * MB and result.vehicles["pm", "v"]["cloud_bytes"] == 200 * MB


def test_a_stopped_container_waits_for_a_copy(tmp_path: Path) -> None:
    # 1000 MB at 12.5 MB/s from the cloud, to A and to B: at 75 the user leaves A, 5 s before both are there. B's 4 MB follow at 80.
    result = north(tmp_path, 1000, 4, seconds=90, strategy__pm=pm(2), images=CLOUD)
    before, after = result.migrations[:2]
    assert (before["outcome"], sent(before)) == ("user_left", (312.5, 0, 0, 625, 0, 937.5))
    assert (after["t_handoff_s"], after["t_stop_s"], after["outcome"], sent(after)) == (75, 75, "completed", (0, 0, 0, 4, 0, 0))
    end = 80.32 + start_s(1000)
    assert after["t_end_s"] == pytest.approx(end)
    assert copies(result)[:3] == [
        ("B", 0, 80, about(end), "used", 1000),
        ("C", 25, None, 90, "unfinished", 812.5),
        ("D", 75, None, 90, "unfinished", 187.5),
    ]


@pytest.mark.parametrize(
    ("retain_s", "final_mb", "image_mb"),
    [(0, 104, 100), (30, 104, 100), (31, 4, 0), (None, 4, 0)],
)
def test_kept_images(retain_s: float | None, final_mb: float, image_mb: float, tmp_path: Path) -> None:
    # The container leaves H at 25 + 0.68 / 12.5 + 0.2 = 25.25. The user is back in H at 56, 30.75 s later. What was copied to B is kept
    # too. At 57 (65 where the image had to be sent, for 8 s) the container is on H, and A is its next home, left at 56.52 (64.52).
    points = [(0.0, 5.0 + 10 * t) for t in range(41)] + [(0.0, 405.0 - 10 * t) for t in range(1, 31)]
    result = run(tmp_path, points, ("0,0 0,2500", 2500), 100, 4, images={"retain_s": retain_s})
    there, wrong, back, again = result.migrations
    assert there["t_end_s"] == pytest.approx(25.2544) and (wrong["target"], wrong["outcome"]) == (B.name, "mispredicted")
    assert (back["target"], back["t_start_s"], back["t_stop_s"]) == (H.name, 56, 56)
    assert sent(back) == (0, 0, 0, final_mb, image_mb, 0) and back["t_end_s"] == pytest.approx(56 + final_mb / 12.5 + 0.2)
    assert (again["target"], again["t_start_s"]) == (A.name, 57 if final_mb == 4 else 65)
    assert again["image_bytes"] == (min(100, 5 * 12.5) * MB if retain_s == 0 else 0)
    assert result.copies == []


@pytest.mark.parametrize(("when", "complete_s"), [("always", 16), ("idle", 17)])
def test_copies_on_shared_links(when: str, complete_s: float, tmp_path: Path) -> None:
    # always: 6.25 MB/s each until 16. idle: the transfer sends until 8.32, so the copy has the link from the frame at 9 on.
    result = north(tmp_path, 100, 4, seconds=24, strategy__pm=pm(2), links__mode="shared", images={"prefetch_when": when})
    assert copies(result) == [("B", 0, complete_s, 24, "unused", 100)]
    assert sent(result.migrations[0]) == (100, 4, 0, 0, 100, 0)


def test_a_copy_gets_another_source_on_shared_links(tmp_path: Path) -> None:
    # At 25 FINAL and the copy to C get 6.25 MB/s each. 9 x 0.04 MB are through at 25.0576, the container runs on A at 25.2576. One flow
    # more from A to C would have got 6.25 MB/s at 25: 6.25 MB at 26. Memory for B shares A's uplink until 26.64, so 12.5 MB at 27; 7 s
    # more.
    result = north(tmp_path, 100, 4, strategy__pm=pm(2), links__mode="shared")
    assert result.migrations[0]["t_end_s"] == pytest.approx(25.2576)
    assert copies(result) == [("B", 0, 16, 60, "unused", 100), ("C", 25, 34, 60, "unused", 100)]


def test_a_transfer_waits_on_shared_links(tmp_path: Path) -> None:
    # Two vehicles share H's uplink and A's downlink: 6.25 MB/s each, copies until 24 (150 MB). The transfers wait from 21 on: near is
    # within 1.3 x (14 / 12.5 + 0.22 + 2) = 4.34 s. Memory from the frame at 24 on, 6.25 MB/s each, until 24.64; 1 x 0.04 MB are dirty at
    # 25.
    result = convoy(tmp_path, {"v": 0, "w": 0}, 60, 150, 4, 30, strategy__pm=JUST_IN_TIME, links__mode="shared")
    assert copies(result, "v")[0][:3] == copies(result, "w")[0][:3] == ("A", 0, 24)
    for row in (row for row in result.migrations if row["transfer"] == 0):
        assert row["t_start_s"] == 21 and sent(row) == (0, 4, 0, 0.04, 0, 0)
    # One alone, near at 20: its copy of 303.125 MB is through at 24.25. One flow more from H to A beside it at 24 is half the link: 4.6875
    # MB of the memory's 9 MB until 25. 4.3125 MB are left, and of 0.75 x 0.09 MB dirty 4.6875/9 are among the rest.
    result = north(tmp_path, 303.125, 9, strategy__pm=JUST_IN_TIME, links__mode="shared")
    row = result.migrations[0]
    assert row["t_start_s"] == 20 and copies(result)[0][2] == 24.25 and sent(row) == (0, 4.6875, 0, 4.347656, 0, 0)


def test_shared_rates_of_transfers_and_copies() -> None:
    transfers: dict[Hashable, Flow] = {"t": ("u1", "d1")}
    flows: dict[Hashable, Flow] = {"c": ("u1", "d2"), "k": ("cloud", "d1")}
    always = Sharing(transfers, flows, lambda link: 3 if link == "cloud" else 12, copies_last=False)
    assert always.rates == {"t": 6, "c": 6, "k": 3}
    assert always.one_more(("u1", "d3"), copy=False) == always.one_more(("u1", "d3"), copy=True) == 4
    idle = Sharing(transfers, flows, lambda link: 3 if link == "cloud" else 12, copies_last=True)
    assert idle.rates == {"t": 12, "c": 0, "k": 0}
    assert idle.one_more(("u1", "d3"), copy=False) == 6 and idle.one_more(("u1", "d3"), copy=True) == 0
    assert idle.one_more(("u2", "d2"), copy=True) == 12  # c takes nothing of it
    transfers, flows = {"t": ("cloud", "d1")}, {"c": ("u1", "d1"), "k": ("cloud", "d2")}
    slow = Sharing(transfers, flows, lambda link: 3 if link == "cloud" else 12, copies_last=True)
    assert slow.rates == {"t": 3, "c": 9, "k": 0} and slow.one_more(("u2", "d1"), copy=True) == 4.5


def test_next_homes_and_short_ones(tmp_path: Path) -> None:
    # along y = 245 from x = 295: (1, 0) until 718.8, (2, -1) until 1013.2, (3, -1) until 1584.8, then (4, -2) as far as the road goes
    strategy = {"nearest": {"trigger_m": 50}, "pm": pm(3), "pm_op": {"min_m": 350, "min_dwell_s": 0, "prefetch": None, "memory": None}}
    points = [(300.0 + 10 * t, 245.0) for t in range(101)]
    result = run(tmp_path, points, ("295,245 1795,245", 1500), 100, 10, strategy=strategy, strategies=["pm", "pm_op", "nearest"])
    assert listed(result, "pm", 0) == ("L:2,-1", "L:2,-1 L:3,-1 L:4,-2")
    assert listed(result, "pm_op", 0) == ("L:3,-1", "L:3,-1 L:4,-2")  # (2, -1) is short, (4, -2) is the last one seen
    assert listed(result, "pm_op", 50) == ("L:3,-1", "L:3,-1 L:4,-2")  # KEEP: in (2, -1), served from (1, 0)
    assert listed(result, "nearest", 40)[1] == ""
    assert {row["server"] for row in result.copies if row["strategy"] == "pm_op"} == {"L:4,-2"}


def test_options_are_inherited() -> None:
    def read(**strategies: dict[str, Any]) -> dict[str, Ahead]:
        return Options.read(config(strategy={"nearest": {"trigger_m": 50}, "pm_op": {"min_m": 1, "min_dwell_s": 0}, **strategies})).ahead

    kin = ("pm", "pm_tier", "pm_op", "oracle", "oracle_tier", "pm_op_tier")
    assert read() == dict.fromkeys(kin, Ahead(1, False, 1.3))
    ahead = read(
        pm={"prefetch": 3, "memory": "just_in_time", "margin": 2},
        oracle={"prefetch": 5, "memory": None, "margin": None},
        pm_tier={"prefetch": None, "memory": "at_once", "margin": None},
    )
    assert ahead["pm"] == ahead["pm_op"] == ahead["pm_op_tier"] == Ahead(3, True, 2)
    assert ahead["oracle"] == ahead["oracle_tier"] == Ahead(5, True, 2) and ahead["pm_tier"] == Ahead(3, False, 2)
    with pytest.raises(ValueError, match="memory"):
        read(pm={"memory": "never"})
    with pytest.raises(ValueError, match="images"):
        Options.read(config(images={"source": "moon"}))


def test_mean_speed_of_the_last_minute() -> None:
    frames = [Frame(float(t), (0.0, 0.0), float(t), "road", 0.0, (0, 0), False) for t in range(100)]
    known = known_at(frames, ["road"], Options.read(config()))
    assert [known[t].mean_mps for t in (0, 1, 59, 60, 99)] == [0, 0.5, 29.5, 30.5, 69.5]  # at 60: of 1 to 60; at 99: of 40 to 99
    rare = known_at(frames, ["road"], Options.read(config(reports={"distance_m": 0, "heading_deg": 0, "speed_mps": 9, "bytes": 200})))
    assert rare[19].mean_mps == 5  # 0 for ten frames, then 10


@pytest.mark.parametrize(
    ("mean_mps", "position_m", "bandwidth_mbps", "near"),
    [
        (10, 207.0, None, True),  # 43 m, of 43.16
        (10, 206.0, None, False),
        (0.1, 245.7, None, True),  # at least 1 m/s: 4.316 m
        (0.1, 245.0, None, False),
        (10, 260.0, None, True),  # its stretch has begun
        (10, 193.0, 50, True),  # 1.3 x (14 / 6.25 + 2.2) = 5.772 s
        (10, 192.0, 50, False),
    ],
)
def test_near(mean_mps: float, position_m: float, bandwidth_mbps: float | None, near: bool) -> None:
    options = Options.read(config(tiers__local__bandwidth_mbps=bandwidth_mbps, links__mode="shared"))
    lattice = Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS)
    roads = RoadMap({"road": Edge("road", "", "", 2500, [(0, 0), (0, 2500)], [True])}, lattice, 1500)
    load = Load(100 * MB, 4 * MB, Fraction(30))
    strategist = Strategist(STRATEGIES["pm"], options, roads, Network(options, lattice), [], load, Ahead(2, True, 1.3))
    known = Known((0, 0), (0.0, position_m), 7.0, "road", position_m, None, None, 1, mean_mps)
    assert strategist.decide(known, Now(0.0, H, None, 0.0)) == (H, A if near else None, (A, B))
