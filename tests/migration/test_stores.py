"""Layers that containers have in common, and servers that can hold few of them (model, section 7), worked out on paper.

W = 10 MB/s; images of 50 MB: a base of 30 MB that all have, and a layer of 20 MB; memories of 30 MB that do not change; 1 s to start.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from msmf_traci.errors import InputError
from msmf_traci.migration.catalogue import catalogue_of
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.policy import HandoffPolicy, ImageOptions, LinkOptions, Source
from msmf_traci.migration.store import held_over_time
from msmf_traci.migration.workload import Containers
from msmf_traci.results.tables import copies_table, migrations_table
from msmf_traci.sentinels import KEEP, NO_SERVER
from tests.courses import names_of, policies, row_of_cells, tell, told_engine

MB = 1e6
A, B, C, D = range(4)
IMAGES = ({"base": 30 * MB, "a": 20 * MB}, {"base": 30 * MB, "b": 20 * MB})


class City:
    """Vehicles whose containers have these images, or private ones of 50 MB; told frame by frame what is decided, on a row of servers."""

    def __init__(self, images: list[int], **options: Any) -> None:
        shared = any(image >= 0 for image in images)
        rules = policies(LinkOptions(10 * MB, 5 * MB, 0.0), HandoffPolicy(False, False), images=ImageOptions(are_shared=shared, **options))
        self._ledger, n = Ledger(keep_stages=True), len(images)
        self.engine = told_engine(rules, row_of_cells(), self._ledger, catalogue_of(IMAGES))
        self._names = names_of([f"v{v}" for v in range(n)], ["told"])
        one = np.ones(n)
        sizes = 50 * MB * one, 30 * MB * one, 80 * one, one, 0 * one
        self.engine.admit([Containers(*sizes, np.array(images), np.zeros(n, dtype=np.int64))])
        self._seen: set[int] = set()

    def at(self, t_s: float, says: Mapping[int, tuple[int, ...]], *, last: tuple[int, ...] = ()) -> None:
        """One frame: (home, target, servers ahead...) of each vehicle."""
        for v, (home, target, *ahead) in sorted(says.items()):
            assert len(says) == 1 or not ahead, "one list holds for all vehicles of a frame"
            del v, home, target
        vehicles = sorted(says)
        tell(
            self.engine,
            t_s,
            vehicles,
            home=[says[v][0] for v in vehicles],
            target=[says[v][1] for v in vehicles],
            prefetch=next(iter(says.values()))[2:],
            first=[v not in self._seen for v in vehicles],
            last=[v in last for v in vehicles],
        )
        self._seen |= set(vehicles)

    def copies(self) -> list[tuple[Any, ...]]:
        """Vehicle, server, begin, complete, end, outcome, MB sent and MB missing at the begin."""
        table = copies_table(self._ledger.copies(), self._names)
        times = zip(table["t_start_s"], table["t_complete_s"], table["t_end_s"], strict=True)
        sizes = zip(table["image_bytes"] / MB, table["missing_bytes"] / MB, strict=True)
        rows = zip(table["vehicle"], table["server"], times, table["outcome"], sizes, strict=True)
        return [(vehicle, server, *when, outcome, *size) for vehicle, server, when, outcome, size in rows]

    def transfers(self) -> Any:
        return migrations_table(self._ledger.transfers(), self._names)

    @property
    def store(self) -> Any:
        return self.engine.scene(0).state.images.store

    def free_mb(self) -> list[float]:
        return (self.engine.scene(0).state.free.image_bytes[:4] / MB).tolist()

    def held_mb(self) -> list[float]:
        return (self.store.held[:4] / MB).tolist()


def approx(row: tuple[Any, ...]) -> Any:
    return pytest.approx(row, nan_ok=True)


def numbers(row: tuple[Any, ...]) -> tuple[float, ...]:
    return tuple(value for value in row if not isinstance(value, str))


def test_what_two_images_have_in_common_is_on_a_server_once() -> None:
    city = City([0, 1])
    city.at(0, {0: (A, NO_SERVER)})
    city.at(0, {1: (A, NO_SERVER)})
    assert city.held_mb() == [70, 0, 0, 0]  # 30 + 20 + 20
    assert list(city.engine.containers["deployed_bytes"][:, 0] / MB) == [50, 20]
    city.at(1, {0: (KEEP, NO_SERVER)}, last=(0,))
    assert city.held_mb() == [50, 0, 0, 0]  # its own layer goes with it


def test_free_is_what_layers_that_somebody_uses_leave_of_a_store() -> None:
    """Room for 100 MB. v0 and v1 need 30 + 20 + 20 MB on A; what v0 leaves there is kept, and takes no room."""
    city = City([0, 1], store_by_tier=(100 * MB,), retain_s=math.inf)
    city.at(0, {0: (A, NO_SERVER)})
    assert city.free_mb() == [100, 100, 100, 100]  # as the frame began
    city.at(0, {1: (A, NO_SERVER)})
    assert city.free_mb() == [50, 100, 100, 100]
    city.at(1, {0: (KEEP, NO_SERVER)}, last=(0,))
    assert city.free_mb() == [30, 100, 100, 100]
    city.at(2, {1: (KEEP, NO_SERVER)})
    assert city.free_mb() == [50, 100, 100, 100]
    assert city.held_mb() == [70, 0, 0, 0]


def test_a_layer_that_is_under_way_is_waited_for_and_sent_once() -> None:
    """v0 copies to B from 0 on: base until 3 s, its own until 5 s. v1 begins at 1 s: its own until 3 s; the base has come by then."""
    city = City([0, 1])
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(0, {1: (A, NO_SERVER)})
    city.at(1, {1: (A, NO_SERVER, B)})
    city.at(9, {0: (A, NO_SERVER)})
    city.at(9, {1: (A, NO_SERVER)})
    one, other = city.copies()
    assert numbers(one) == approx((0, 5, 9, 50, 50)) and numbers(other) == approx((1, 3, 9, 20, 50))
    assert city.held_mb() == [70, 0, 0, 0]


def test_who_waits_goes_on_where_the_first_gives_up() -> None:
    """v1, of the same image, waits from 1 s on; v0 gives up at 2 s, with 20 MB there: v1 sends 10 + 20 MB from then on, until 5 s."""
    city = City([0, 0])
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(0, {1: (A, NO_SERVER)})
    city.at(1, {1: (A, NO_SERVER, B)})
    city.at(2, {0: (A, NO_SERVER)})
    city.at(9, {1: (A, NO_SERVER)})
    one, other = city.copies()
    assert numbers(one) == approx((0, math.nan, 2, 20, 50)) and numbers(other) == approx((1, 5, 9, 30, 50))


def test_of_several_layers_that_are_handed_over_the_first_of_the_image_goes_first() -> None:
    """v0 gives up at 2 s, with 20 MB of the base there. v1, of the same image, sends the base until 3 s, and its own layer until 5 s.

    v2, of the other image, has sent its own layer by 3 s, and waits for the base alone: it is complete then.
    """
    city = City([0, 0, 1])
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(0, {1: (A, NO_SERVER), 2: (A, NO_SERVER)})
    city.at(1, {1: (A, NO_SERVER, B)})
    city.at(1, {2: (A, NO_SERVER, B)})
    city.at(2, {0: (A, NO_SERVER)})
    city.at(9, {1: (A, NO_SERVER), 2: (A, NO_SERVER)})
    _, one, other = city.copies()
    assert numbers(one)[:2] == approx((1, 5)) and numbers(other)[:2] == approx((1, 3))


def test_a_layer_under_way_goes_on_where_the_container_stops() -> None:
    """v0 moves to B: 20 MB of the base are sent by 2 s, when it stops. What is on its way counts as missing for v1, whose copy waits.

    The base is there at 3 s, v0's own layer at 5 s; v1 sends its own from 2 to 4 s.
    """
    city = City([0, 1])
    city.at(0, {0: (A, B)})
    city.at(0, {1: (A, NO_SERVER)})
    city.at(2, {0: (B, NO_SERVER)})
    city.at(2, {1: (A, NO_SERVER, B)})
    city.at(20, {0: (B, NO_SERVER)})
    city.at(20, {1: (A, NO_SERVER)})
    (copy,) = city.copies()
    assert numbers(copy) == approx((2, 4, 20, 20, 50))
    (transfer,) = city.transfers().to_dict("records")
    assert (transfer["image_bytes"] / MB, transfer["final_bytes"] / MB, transfer["host_bytes"] / MB) == approx((20, 60, 50))
    assert transfer["t_end_s"] == approx(2 + 1 + 2 + 3 + 1)


def test_a_transfer_waits_for_the_layers_that_others_bring() -> None:
    """v0 copies to B until 5 s; the transfer of v1, of the same image, waits in IMAGE, and its memory takes 3 s from then on."""
    city = City([0, 0])
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(0, {1: (A, B)})
    city.at(20, {1: (B, NO_SERVER)})
    city.at(30, {1: (B, NO_SERVER)})
    row = city.transfers().iloc[0]
    assert (row["image_bytes"], row["memory_bytes"] / MB, row["outcome"]) == (0, 30, "completed")
    assert (row["t_stop_s"], row["t_end_s"]) == (20, 21)


def test_a_stopped_container_waits_for_the_layers_that_others_bring_and_sends_its_memory_then() -> None:
    """v1 is stopped at 1 s; v0 has brought the image at 5 s; memory 3 s, start 1 s."""
    city = City([0, 0])
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(0, {1: (A, NO_SERVER)})
    city.at(1, {1: (B, NO_SERVER)})
    city.at(30, {1: (B, NO_SERVER)})
    row = city.transfers().iloc[0]
    assert (row["final_bytes"] / MB, row["t_stop_s"], row["t_end_s"], row["host_bytes"]) == (30, 1, approx(9), 0)


def test_a_first_deployment_completes_a_layer_and_who_was_sending_it_goes_on_with_the_next() -> None:
    """v0 has sent 10 MB of the base to B when v1 is deployed there at 1 s with an image that has it: its own layer until 3 s."""
    city = City([0, 1])
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(1, {1: (B, NO_SERVER)})
    city.at(9, {0: (A, NO_SERVER)})
    assert numbers(city.copies()[0]) == approx((0, 3, 9, 30, 50))
    assert city.engine.containers["deployed_bytes"][1, 0] == 50 * MB


def test_a_store_without_room_refuses_once_and_takes_the_copy_when_there_is_room() -> None:
    """Private images; B has room for one: v1's copy opens when v0 gives its own up at 3 s."""
    city = City([-1, -1], store_by_tier=(50 * MB,))
    city.at(0, {0: (A, NO_SERVER, B)})
    city.at(0, {1: (C, NO_SERVER)})
    for t_s in (1, 2):
        city.at(t_s, {1: (C, NO_SERVER, B)})
    city.at(3, {0: (A, NO_SERVER)})
    for t_s in (3, 4):
        city.at(t_s, {1: (C, NO_SERVER, B)})
    city.at(9, {1: (C, NO_SERVER)})
    refused, given_up, copied = city.copies()[1], city.copies()[0], city.copies()[2]
    assert (refused[0], refused[5]) == ("v1", "refused") and numbers(refused) == approx((1, math.nan, 1, 0, 50))
    assert numbers(given_up) == approx((0, math.nan, 3, 30, 50)) and numbers(copied) == approx((3, 8, 9, 50, 50))


def test_a_store_without_room_refuses_a_home_as_a_full_server_does() -> None:
    """A holds v0's image and has no room for v1's: v1 is deployed on the nearest server with room."""
    city = City([-1, -1], store_by_tier=(60 * MB,))
    city.at(0, {0: (A, NO_SERVER)})
    city.at(0, {1: (A, NO_SERVER)})
    assert city.engine.containers["host"][:, 0].tolist() == [A, B]
    city.at(1, {1: (A, NO_SERVER)})
    assert city.transfers()["outcome"].tolist() == ["refused"]


def test_what_nobody_uses_goes_for_what_is_wanted_the_least_recently_used_first() -> None:
    """B, with room for two images of 50 MB, keeps those of v0 (unused since 6 s) and v1 (since 7 s); that of v2 takes v0's place."""
    city = City([-1, -1, -1], store_by_tier=(100 * MB,), retain_s=math.inf)
    for v, begin_s, end_s in ((0, 0, 6), (1, 0, 7)):
        city.at(begin_s, {v: (A if v == 0 else C, NO_SERVER, B)})
        del end_s
    city.at(6, {0: (A, NO_SERVER)})
    city.at(7, {1: (C, NO_SERVER)})
    city.at(7, {2: (D, NO_SERVER)})
    assert city.held_mb() == [50, 100, 50, 50]
    city.at(8, {2: (D, NO_SERVER, B)})
    assert city.held_mb() == [50, 100, 50, 50] and city.engine.evicted(0) == 1
    city.at(9, {1: (C, NO_SERVER, B)})
    city.at(10, {0: (A, NO_SERVER, B)})
    assert city.engine.containers["found_bytes"][:, 0].tolist() == [0, 50 * MB, 0]  # v1's was still there, v0's was not
    assert [row[5] for row in city.copies()] == ["unused", "refused", "unused"]


def test_an_image_is_kept_for_its_time_and_gone_at_its_end() -> None:
    for back_s, found in ((15.9, 50 * MB), (16.0, 0)):
        city = City([-1], retain_s=10.0)
        city.at(0, {0: (A, NO_SERVER, B)})
        city.at(6, {0: (A, NO_SERVER)})
        city.at(back_s, {0: (A, NO_SERVER, B)})
        assert city.engine.containers["found_bytes"][0, 0] == found


def test_the_nearest_server_that_has_a_layer_sends_it_and_keeps_it_meanwhile() -> None:
    """v0 on A; its image was on C until 6 s and is kept there for 2 s. A copy to D that begins at 7 s comes from C, and C keeps it."""
    city = City([-1], retain_s=2.0, source=Source.NEAREST)
    city.at(0, {0: (A, NO_SERVER, C)})
    city.at(6, {0: (A, NO_SERVER, D)})
    assert city.held_mb() == [50, 0, 50, 50]
    city.at(20, {0: (A, NO_SERVER)})
    first, second = city.copies()
    assert numbers(first) == approx((0, 5, 6, 50, 50)) and numbers(second) == approx((6, 11, 20, 50, 50))
    table = copies_table(city._ledger.copies(), city._names)
    assert (table["host_bytes"] / MB).tolist() == [50, 0] and (table["other_bytes"] / MB).tolist() == [0, 50]
    city.at(21, {0: (A, NO_SERVER)}, last=(0,))
    assert city.held_mb()[2] == 50  # used until 11 s as a source, and not looked at since


def test_bytes_held_over_time_on_paper() -> None:
    """50 MB on A from 0 to 10 s, on B from 2 s (the whole copy counts at its begin) to 10 s: 900 MB s over five servers and 10 s."""
    city = City([-1])
    city.at(0, {0: (A, NO_SERVER)})
    city.at(2, {0: (A, NO_SERVER, B)})
    city.at(10, {0: (A, NO_SERVER)}, last=(0,))
    assert held_over_time(city.store, 0.0, 10.0) == (pytest.approx(900 / 5 / 10 * MB), 50 * MB)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_stores_are_never_overfull_and_hold_what_runs_there(storing_drives, book, data):
    drive = data.draw(storing_drives)
    room = drive.images.store_by_tier[0] or math.inf

    def look(booked: Any) -> None:
        for v in range(drive.strategies):
            store = booked.engine.scene(v).state.images.store
            rows = [store.rows[number // 256][number % 256] for number in store.place.values()]
            for server in range(len(store.held)):
                there = [row for row in rows if row["server"] == server]
                assert store.held[server] == sum(round(float(row["bytes"])) for row in there) <= room + 0.5
                assert store.in_use[server] == sum(round(float(row["bytes"])) for row in there if row["users"])
                assert len({int(row["layer"]) for row in there}) == len(there)
            users = {(int(row["server"]), int(row["layer"])): int(row["users"]) for row in rows}
            assert all(row["users"] > 0 or row["is_complete"] for row in rows)
            assert not len(store.changed)
            for vehicle in range(drive.vehicles):
                c = booked.engine.containers[vehicle, v]
                if c["host"] >= 0:
                    layers = [
                        row
                        for row in rows
                        if row["server"] == c["host"] and row["is_complete"] and users[int(row["server"]), int(row["layer"])]
                    ]
                    needed = (
                        {
                            int(drive.catalogue.layer[k])
                            for k in range(drive.catalogue.start[c["image"]], drive.catalogue.start[c["image"] + 1])
                        }
                        if drive.catalogue is not None
                        else {vehicle}
                    )
                    assert needed <= {int(row["layer"]) for row in layers}

    try:
        booked = book(drive, look=look)
    except InputError:  # no server has room for a container
        reject()
    transfers, copies = booked.transfers(), booked.copies()
    for table in (transfers, copies):
        assert (table[["host_bytes", "cloud_bytes", "other_bytes"]] >= 0).all(axis=None)
    complete = copies[copies["outcome"].isin(["used", "unused"])]
    assert (complete["image_bytes"] <= complete["missing_bytes"] * (1 + 1e-9)).all()
    if drive.catalogue is None:
        assert complete["image_bytes"].to_numpy() == pytest.approx(complete["missing_bytes"].to_numpy())
    for v in range(drive.strategies):
        store = booked.engine.scene(v).state.images.store
        rows = [store.rows[number // 256][number % 256] for number in store.place.values()]
        if (drive.last == len(drive.times_s) - 1).all() or len(drive.last):
            assert all(row["users"] == 0 for row in rows if drive.images.retain_s > 0)
            assert drive.images.retain_s > 0 or not rows
