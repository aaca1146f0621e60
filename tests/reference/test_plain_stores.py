"""Closed-form tests of what servers hold in plain_model: layers, room, and one layer for several containers; worked out on paper.

Vehicles drive north as in test_plain_model.py at 10 m/s. From y = 5 on they are in A = (0, 1) from 25 s on, and in B = (0, 2) from 75 s on.
A link of 100 Mb/s sends 12.5 MB a second. The image `a` has 50 MB of `base` and 100 MB of `top`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.reference.plain_model import Lattice, Network, Options, Recomputed, Server, Stores, recompute
from tests.reference.plain_model.images import Images
from tests.reference.plain_model.layers import Fetch, Layer, Source
from tests.reference.test_plain_images import about, copies, pm, sent
from tests.reference.test_plain_model import AREAS, MB, config, edge_xml

H, A, B, C, D = (Server("local", (0, r)) for r in range(5))
LATTICE = Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS)
APPLICATIONS = {
    "a": {"layers": {"base": 50, "top": 100}, "image_mb": None, "dirty_percent_per_s": 1},
    "b": {"layers": {"other": 25, "base": 50}, "image_mb": None, "dirty_percent_per_s": 1},
    "c": {"layers": {"base": 50}, "image_mb": None, "dirty_percent_per_s": 1},
    "d": {"layers": None, "image_mb": 100, "dirty_percent_per_s": 2},
}
SIZES = {"a": 150, "b": 75, "c": 50, "d": 100}


def drive(folder: Path, trips: Mapping[str, tuple[int, float, int, str]], **changes: Any) -> Recomputed:
    """Vehicles with memories of 4 MB: each departs at a time from some y, drives so many seconds, and runs an application."""
    tree = config(applications=APPLICATIONS, **changes)
    (folder / "net.xml").write_text(f"<net>{edge_xml('road', '0,0 0,2500', 2500)}</net>")
    place = {"rings": 6, "spacing_m": 500.0, "orientation": "flat", "center_xy_m": [0, 0]}
    (folder / "run.json").write_text(json.dumps({"config": tree, "deployment": place}))
    with open(folder / "vehicles.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["strategy", "vehicle", "image", "image_bytes", "memory_capacity_bytes", "latency_level_ms"])
        for vehicle, (_, _, _, image) in trips.items():
            table.writerows([name, vehicle, image, SIZES[image] * MB, 4 * MB, 30] for name in tree["strategies"])
    with open(folder / "frames.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell"])
        for vehicle, (departure, begin_m, seconds, _) in trips.items():
            for t in range(seconds + 1):
                y_m = begin_m + 10 * t
                q, r = LATTICE.cell_of((0.0, y_m))
                table.writerow([departure + t, vehicle, 0.0, y_m, 10, "road", y_m, f"{q},{r}"])
    return recompute(folder, folder / "net.xml", None)


def transfers(result: Recomputed, vehicle: str) -> list[dict[str, Any]]:
    return [row for row in result.migrations if row["vehicle"] == vehicle]


def test_one_layer_for_two_containers(tmp_path: Path) -> None:
    # v sends base until 4 and top until 12; w sends other until 2, and waits for base until 4. Memory takes 0.32 s, 0.04 MB/s are dirty.
    result = drive(tmp_path, {"v": (0, 5, 30, "a"), "w": (0, 5, 30, "b"), "x": (0, 5, 30, "a")})
    final_mb = {"v": 0.04 * 13, "w": 0.04 * 21, "x": 0.04 * 13}
    for vehicle, image_mb in (("v", 150), ("w", 25), ("x", 0)):
        row = transfers(result, vehicle)[0]
        assert sent(row) == (image_mb, 4, 0, about(final_mb[vehicle]), image_mb, 0) and row["outcome"] == "completed"
    assert [result.vehicles["pm", vehicle]["deployment_bytes"] / MB for vehicle in "vwx"] == [150, 25, 0]  # on H, too, each layer is once


def test_private_images_are_nobody_elses(tmp_path: Path) -> None:
    trips = {"v": (0, 5, 20, "d"), "w": (0, 5, 20, "d")}
    for shared, image_mb in ((False, 100), (True, 0)):
        result = drive(tmp_path, trips, images={"shared": shared})
        assert transfers(result, "w")[0]["image_bytes"] == image_mb * MB
        assert transfers(result, "w")[0]["rounds"] == 0 and result.vehicles["pm", "w"]["deployment_bytes"] == image_mb * MB


@pytest.mark.parametrize(("leaves_s", "sent_mb"), [(5, 62.5), (2, 25)])
def test_a_layer_is_handed_over(leaves_s: int, sent_mb: float, tmp_path: Path) -> None:
    # v arrives and gives up what it sends; w goes on from the bytes there, in the order of its image, so that all is there at 12; x, which
    # comes later, has to wait for w. Base is there at 4 in any case.
    result = drive(tmp_path, {"v": (0, 5, leaves_s, "a"), "w": (0, 5, 20, "a"), "x": (0, 5, 20, "c")})
    assert transfers(result, "v")[0]["outcome"] == "unfinished" and sent(transfers(result, "v")[0]) == (sent_mb, 0, 0, 0, sent_mb, 0)
    assert sent(transfers(result, "w")[0]) == (150 - sent_mb, 4, 0, 0, 150 - sent_mb, 0)
    assert sent(transfers(result, "x")[0]) == (0, 4, 0, 0, 0, 0)
    stops = drive(tmp_path, {"v": (0, 5, leaves_s, "a"), "w": (0, 5, 26, "a"), "x": (0, 5, 26, "c")})
    assert [about(transfers(stops, vehicle)[0]["final_bytes"] / MB) for vehicle in "wx"] == [0.52, 0.84]  # memory from 12 and from 4 on


def test_own_layers_come_before_what_was_taken_over(tmp_path: Path) -> None:
    # At 1 v leaves 12.5 MB of base. w sends other until 2, then the other 37.5 MB of base.
    result = drive(tmp_path, {"v": (0, 5, 1, "c"), "w": (0, 5, 26, "b")})
    row = transfers(result, "w")[0]
    assert sent(row) == (62.5, 4, 0, about(0.04 * 20), 62.5, 0)


def test_a_first_deployment_brings_layers(tmp_path: Path) -> None:
    # base is there at 4; at 5 x is deployed on A, where 12.5 MB of top have come. v sends no more of it, and its memory begins at 5.
    result = drive(tmp_path, {"v": (0, 5, 26, "a"), "x": (5, 405, 10, "a")})
    row = transfers(result, "v")[0]
    assert sent(row) == (62.5, 4, 0, about(0.04 * 20), 62.5, 0)
    assert result.vehicles["pm", "x"]["deployment_bytes"] == 100 * MB  # what was being sent counts


@pytest.mark.parametrize(("links", "takes_s"), [("dedicated", 0.32), ("shared", 0.64)])
def test_a_stopped_container_waits_for_a_layer(links: str, takes_s: float, tmp_path: Path) -> None:
    # w is in A at 1: it stops, and waits until 12 for what v has begun to send at 0. On shared links both memories begin at the frame at 12.
    result = drive(tmp_path, {"v": (0, 5, 30, "a"), "w": (0, 245, 30, "a")}, links__mode=links)
    row = transfers(result, "w")[0]
    assert row["t_stop_s"] == 1 and sent(row) == (0, 0, 0, 4, 0, 0)
    assert row["t_end_s"] == pytest.approx(12 + takes_s + 0.2 + 0.8 * 50 / 1900)


def test_full_stores(tmp_path: Path) -> None:
    # Each store holds one private image of 100 MB. w is deployed beside H. A is reserved for v's transfer, B for v's copy.
    result = drive(
        tmp_path,
        {"v": (0, 5, 20, "d"), "w": (0, 5, 20, "d")},
        tiers__local={**config()["tiers"]["local"], "store_gb": 0.15},
        strategy__pm=pm(3),
    )
    hosts = {row["vehicle"]: row["host"] for row in result.decisions if row["t_s"] == 0}
    assert hosts == {"v": "L:0,0", "w": "L:-1,0"}
    # v's image until 8, memory until 8.32, the copy to B until 16.32; w's home and target are refused, its copies once each
    assert copies(result, "v") == [("B", 0, 16.32, 20, "unused", 100), ("C", 0, None, 20, "unfinished", 46)]
    assert [(row["outcome"], row["target"]) for row in transfers(result, "w")] == [("refused", A.name), ("refused", H.name)]
    assert copies(result, "w") == [(name, 0, None, 0, "refused", 0) for name in "ABC"]
    assert [row["missing_bytes"] for row in result.copies if row["vehicle"] == "w"] == [100 * MB] * 3
    vehicle = result.vehicles["pm", "w"]
    assert (vehicle["copies"], vehicle["copies_refused"], vehicle["refused"], vehicle["image_needed_bytes"]) == (0, 3, 2, 0)
    assert result.stores["pm"].peak == 100 * MB and result.stores["pm"].evictions == 0


def stores(store_gb: float | None = None, retain_s: float | None = None) -> Stores:
    tier = {**config()["tiers"]["local"], "store_gb": store_gb}
    return Stores(Options.read(config(tiers__local=tier, images={"retain_s": retain_s})), 0.0)


def hold(held: Stores, layer: Layer, begin_s: float, end_s: float) -> None:
    """A container uses a layer on H for some time."""
    user = begin_s, layer.name
    held.deploy(H, [layer], begin_s)
    held.settle({user: {(H, layer)}}, begin_s)
    held.settle({user: set()}, end_s)


def test_which_layers_go_first() -> None:
    held = stores(0.5)
    old, large, small = Layer("old", 10 * MB), Layer("large", 90 * MB), Layer("small", 60 * MB)
    first, second = Layer("", 50 * MB, of=(1.0, "z")), Layer("", 50 * MB, of=(2.0, "b"))
    twin_a, twin_b = Layer("a", 40 * MB), Layer("b", 40 * MB)
    for layer, end_s in ((small, 5), (large, 5), (twin_b, 7), (twin_a, 7), (second, 6), (first, 6), (old, 1)):
        hold(held, layer, 0, end_s)

    def gone(need_mb: float) -> list[Layer] | None:
        return held.to_give_up(H, [Layer("new", need_mb * MB)])

    assert held.at(H).held == 340 * MB and gone(160) == []  # there is room
    assert gone(161) == [old] and gone(171) == [old, large]  # as few as make room, the least recently used first
    assert gone(500) == [old, large, small, first, second, twin_a, twin_b] and gone(501) is None
    held.settle({(9.0, "user"): {(H, large)}}, 9)
    assert gone(171) == [old, small] and gone(411) is None  # what is in use does not go
    assert held.to_give_up(H, [Layer("new", 180 * MB), small]) == [old, first]  # nor what the same image needs
    held.make_room(H, [Layer("new", 171 * MB)], 10)
    assert held.evictions == 2 and held.at(H).held == 270 * MB


def test_how_long_layers_are_kept() -> None:
    layer = Layer("layer", 10 * MB)
    for retain_s, mean_s in ((0, 4), (3, 7), (None, 20)):
        held = stores(retain_s=retain_s)
        hold(held, layer, 0, 4)
        for t_s in range(21):
            held.expire(t_s)
            end_s = 4 if retain_s is None else 4 + retain_s
            assert bool(held.missing(H, [layer])) == (retain_s is not None and t_s >= (end_s if retain_s else 0))
        held.end(20)
        assert held.byte_s == 10 * MB * mean_s and held.peak == 10 * MB and held.evictions == 0
    held = stores(retain_s=2.5)
    hold(held, layer, 0, 4)
    held.expire(6)
    assert not held.missing(H, [layer])  # 2 s later
    held.expire(7)
    held.end(7)
    assert held.missing(H, [layer]) and held.byte_s == 10 * MB * 6.5  # held until its time has run out, not until the frame


class Receiver:
    """A container on H that fetches from there."""

    order, host = (0.0, "v"), H

    def __init__(self) -> None:
        self.done: list[float] = []

    def source_of(self, server: Server, layer: Layer) -> Source:
        return H

    def received(self, fetch: Fetch, t_s: float) -> None:
        self.done.append(t_s)


def test_what_is_wanted() -> None:
    layers, held, receiver = [Layer("base", 50 * MB), Layer("top", 100 * MB)], stores(0.15), Receiver()

    def new_fetch(server: Server, t_s: float) -> Fetch:
        return Fetch(receiver=receiver, server=server, image=layers, amount=0.0, t_rate=t_s, t_flow=t_s)

    images = Images(held, layers, new_fetch)

    def obey(t_s: float, *named: Server, target: Server | None = None) -> list[str]:
        before = set(map(id, images.copies))
        images.obey(t_s, named, H, target)
        return [copy.server.name for copy in images.copies if id(copy) not in before]

    assert obey(0, B, H, A, B) == [B.name, A.name]  # named twice counts once, the host not at all
    assert obey(1, A, B) == [] and [copy.server for copy in images.unfinished(None)] == [A, B]
    assert [copy.server for copy in images.unfinished(B)] == [B, A]  # the transfer's server comes first
    for layer in layers:
        held.complete(B, layer, 2)
    images.copies[0].t_complete = 2
    assert receiver.done == [2] and images.is_there(B) and not images.is_there(A)
    assert held.at(A).held == 150 * MB and images.wanted == {A, B} and (images.needed, images.found) == (300 * MB, 0)
    assert obey(3, B) == [] and held.at(A).held == 0 and images.rows[-1]["outcome"] == "unfinished"
    assert obey(4, target=B) == [] and images.wanted == {B}  # the transfer's server is wanted, too
    # a transfer has left 30 MB of base on C: a copy goes on with the rest
    left = new_fetch(C, 5)
    held.open(left, layers, 5)
    left.give_rate(5, 10 * MB)
    left.book(8)
    images.left = [left]
    assert obey(8, B, C) == [C.name] and images.copies[-1].missing == 120 * MB
    assert left.by_source["host"] == 30 * MB and images.found == 30 * MB
    left = new_fetch(D, 8)
    held.open(left, layers, 8)
    images.left = [left]
    assert obey(9, B) == [] and held.at(D).held == held.at(C).held == 0  # dropped, both
    # another image is in the way: refused, booked once as long as it is wanted
    held.deploy(A, [Layer("foreign", 100 * MB)], 9)
    held.settle({(0.0, "w"): {(A, Layer("foreign", 100 * MB))}}, 9)
    assert obey(10, A) == obey(11, A) == obey(12) == obey(13, A) == []
    assert [(row["outcome"], row["t_start_s"]) for row in images.rows[-2:]] == [("refused", 10), ("refused", 13)]
    assert images.wanted == set()
    assert images.rows[-3]["outcome"] == "unused" and images.rows[-3]["server"] == B.name


def test_the_nearest_source() -> None:
    network = Network(Options.read(config()), LATTICE)
    region, far = LATTICE.server("regional", (0, 2)), LATTICE.server("regional", (0, -6))
    assert network.nearest(C, [H, A, region], H) == region  # it covers C
    assert network.nearest(B, [H, A, far], H) == A
    assert network.nearest(A, [H, B], H) == H and network.nearest(A, [H, B], D) == H and network.nearest(A, [H, B], B) == B  # equally near
    assert network.lattice.hops_between(region, far) == min(network.lattice.hops(cell, far) for cell in LATTICE.members[region])
