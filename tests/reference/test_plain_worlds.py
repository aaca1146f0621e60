"""Closed-form tests of what containers share in plain_model: links, servers, and the reports of a vehicle; worked out on paper.

All vehicles drive north along the road of test_plain_model.py at 10 m/s, one a second behind the other where times say so.
"""

from __future__ import annotations

import csv
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.reference.plain_model import (
    Frame,
    Lattice,
    Network,
    NoRoomError,
    Options,
    Recomputed,
    Server,
    Servers,
    fair_rates,
    fill,
    known_at,
    recompute,
)
from tests.reference.plain_model.admission import HOME, TARGET, Admission
from tests.reference.test_plain_model import AREAS, MB, config, edge_xml

LATTICE = Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS)


def convoy(
    folder: Path, departures: dict[str, int], seconds: int, image_mb: float, memory_mb: float, level_ms: float, **changes: Any
) -> Recomputed:
    """Vehicles that start at y = 5 at their departures and drive `seconds` seconds at 10 m/s."""
    tree = config(**changes)
    (folder / "net.xml").write_text(f"<net>{edge_xml('road', '0,0 0,2500', 2500)}</net>")
    place = {"rings": 6, "spacing_m": 500.0, "orientation": "flat", "center_xy_m": [0, 0]}
    (folder / "run.json").write_text(json.dumps({"config": tree, "deployment": place}))
    with open(folder / "vehicles.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["strategy", "vehicle", "image_bytes", "memory_capacity_bytes", "latency_level_ms"])
        table.writerows([name, vehicle, image_mb * MB, memory_mb * MB, level_ms] for name in tree["strategies"] for vehicle in departures)
    with open(folder / "frames.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell"])
        for vehicle, departure in departures.items():
            for t in range(seconds + 1):
                q, r = LATTICE.cell_of((0.0, 5.0 + 10 * t))
                table.writerow([departure + t, vehicle, 0.0, 5.0 + 10 * t, 10, "road", 5.0 + 10 * t, f"{q},{r}"])
    return recompute(folder, folder / "net.xml", None)


def history(result: Recomputed, vehicle: str) -> list[tuple[Any, ...]]:
    """Number, target, begin and outcome of a vehicle's transfers."""
    rows = [row for row in result.migrations if row["vehicle"] == vehicle]
    return [(row["transfer"], row["target"], row["t_start_s"], row["outcome"]) for row in rows]


def test_filling() -> None:
    assert fill({}, lambda _: 12) == {}
    flows = {"a": ("u1", "d1"), "b": ("u1", "d2"), "c": ("u1", "d3"), "d": ("u2", "d3")}
    assert fill(flows, lambda _: 12) == {"a": 4, "b": 4, "c": 4, "d": 8}  # u1 is full first; d takes what c leaves of d3
    flows["e"] = ("u2", "d4")
    assert fill(flows, lambda _: 12) == {"a": 4, "b": 4, "c": 4, "d": 6, "e": 6}  # d3 is not full then, u2 is
    chain = {"a": ("u1", "d1"), "b": ("u1", "d2"), "c": ("u2", "d2"), "d": ("u2", "d3"), "e": ("u2", "d4")}
    assert fill(chain, lambda _: 12) == {"c": 4, "d": 4, "e": 4, "a": 6, "b": 6}


def test_an_idle_transfer_is_one_flow_more() -> None:
    sending = {"a": ("u1", "d1"), "b": ("u1", "d2")}
    rates = fair_rates(sending, {"i": ("u1", "d3"), "j": ("u2", "d2"), "k": ("u2", "d4")}, lambda _: 12)
    assert rates == {"a": 6, "b": 6, "i": 4, "j": 6, "k": 12}  # takes nothing from a and b; i, j and k do not see one another


def test_two_share_both_links(tmp_path: Path) -> None:
    result = convoy(tmp_path, {"v": 0, "w": 0}, 60, 100, 4, 30, links__mode="shared")  # 6.25 MB/s each: image until 16
    for row in (row for row in result.migrations if row["transfer"] == 0):
        assert row["t_handoff_s"] == 25 and row["final_bytes"] == pytest.approx(0.04 * 9 * MB)
        assert row["t_end_s"] == pytest.approx(25 + 0.36 / 6.25 + 0.2)


def test_rates_change_at_frames(tmp_path: Path) -> None:
    result = convoy(tmp_path, {"v": 0, "w": 8}, 60, 100, 4, 30, links__mode="shared")
    v, w = (row for row in result.migrations if row["transfer"] == 0)
    # v alone: image until 8; then half the rate for its 4 MB, until 8.64; w at full rate only from the frame at 9: image until 16.5
    assert v["final_bytes"] == pytest.approx(0.04 * 17 * MB) and v["t_end_s"] == pytest.approx(25 + 0.68 / 12.5 + 0.2)
    assert w["final_bytes"] == pytest.approx(0.04 * 16.5 * MB) and w["t_end_s"] == pytest.approx(33 + 0.66 / 12.5 + 0.2)


def test_one_container_a_local_server(tmp_path: Path) -> None:
    result = convoy(tmp_path, {"v": 0, "w": 0}, 60, 100, 4, 30, tiers__local__capacity=1)
    rows = {(row["vehicle"], row["t_s"]): row for row in result.decisions}
    assert rows["w", 0]["host"] == "L:-1,0" and rows["w", 0]["home"] == "L:0,0"  # the first of six neighbours by name
    assert history(result, "v") == [(0, "L:0,1", 0, "completed"), (1, "L:0,2", 26, "refused")]
    assert history(result, "w") == [
        (0, "L:0,1", 0, "refused"),  # as a target: v is on its way there
        (1, "L:0,0", 1, "refused"),  # as a home
        (2, "L:0,1", 25, "refused"),
        (3, "L:0,2", 25, "unfinished"),  # its home is refused, so its target counts; v, still stopped, asks at 26
    ]
    refused = result.migrations[-4]
    assert refused["t_end_s"] == 0 and refused["t_handoff_s"] is refused["t_stop_s"] is refused["lead_s"] is None
    vehicle = result.vehicles["pm", "w"]
    assert (vehicle["refused"], vehicle["unfinished"], vehicle["handoffs"], vehicle["relayed_s"]) == (3, 1, 0, 60)
    assert (vehicle["entry_hits"], vehicle["entry_misses"]) == (1, 0)  # hits are those of what was decided


def test_second_choices_of_a_full_region(tmp_path: Path) -> None:
    result = convoy(tmp_path, {"v": 0, "w": 0}, 140, 100, 4, 80, tiers__regional__capacity=1, strategies=["pm_tier"])
    assert [row[1:] for row in history(result, "v")][:1] == [("R:2,3", 0, "completed")]
    assert history(result, "w")[:4] == [
        (0, "R:2,3", 0, "refused"),
        (1, "L:0,3", 0, "completed"),  # (0, 3) is the first cell of (2, 3) on the road
        (2, "R:0,0", 1, "refused"),  # instead L:0,0, where it was deployed
        (3, "R:2,3", 125, "refused"),  # instead L:0,3, where it is being copied to
    ]
    (row,) = (row for row in result.migrations if row["vehicle"] == "w" and row["transfer"] == 1)
    assert row["t_handoff_s"] == row["t_stop_s"] == 125
    rows = {(row["vehicle"], row["t_s"]): row for row in result.decisions}
    assert (rows["w", 0]["host"], rows["w", 130]["home"], rows["w", 130]["host"]) == ("L:0,0", "R:2,3", "L:0,3")


def test_local_is_no_second_choice_where_it_misses_the_level(tmp_path: Path) -> None:
    changes = {"tiers__regional__capacity": 1, "strategies": ["pm_tier"], "tiers__local__latency_ms": 80}
    result = convoy(tmp_path, {"v": 0, "w": 0}, 60, 100, 4, 80, **changes)
    assert history(result, "w") == [(0, "R:2,3", 0, "refused"), (1, "R:0,0", 1, "refused")]


def test_what_a_request_remembers() -> None:
    options = Options.read(config(tiers__local__capacity=1, tiers__regional__capacity=1))
    servers, booked = Servers(options, LATTICE), list[str]()
    admission = Admission(servers.has_room)
    a, b, c, host = Server("regional", (0, 0)), Server("local", (0, 0)), Server("local", (0, 1)), Server("local", (3, 0))

    def ask(wanted: Server, second: Server) -> Server | None:
        return admission.ask(HOME, wanted, [host], lambda _: [second], lambda refused: booked.append(refused.name))

    servers.settle("other", [a])
    servers.settle("third", [b])
    assert ask(a, b) is None and ask(a, b) is None and booked == ["R:0,0"]  # booked only the first time
    servers.settle("third", [])
    assert ask(a, b) == b and len(booked) == 1  # asked for again at every frame
    servers.settle("other", [])
    assert ask(a, c) == b and len(booked) == 1  # holds, although there is room and the second choice is another by now
    servers.settle("other", [a])
    servers.settle("third", [b])
    assert ask(a, c) == c and len(booked) == 1  # the second choice is full now: another, and the region is refused as before
    assert ask(c, c) == c and ask(a, c) == c and len(booked) == 2  # something else was asked for meanwhile
    admission.forget(HOME)
    assert ask(a, host) == host and len(booked) == 3
    servers.settle("other", [])
    admission.forget(HOME)
    assert ask(a, c) == a and len(booked) == 3
    servers.settle("other", [a])
    assert ask(a, c) == c and len(booked) == 4  # what was granted before is refused now
    admission.grant(HOME, c)
    assert ask(a, c) == c and len(booked) == 5  # the target of its transfer was asked for meanwhile
    admission.last[TARGET] = a, host
    assert admission.ask(TARGET, a, [host], lambda _: [c], lambda refused: None) == c  # a target that is the host is none: chosen anew


def test_ways_through_a_network(tmp_path: Path) -> None:
    # from L:0,0 to L:0,1 four ways of 4 ms: one by two switches, and three by one; of these, that by node:a, and there not by the slow row
    rows = [
        *("L:0,0,node:b,2,80", "L:0,0,node:a,2,70", "L:0,0,node:c,2,90", "L:0,0,node:a,2.5,99", "node:a,L:0,1,2,75", "node:b,L:0,1,2,60"),
        *("node:c,L:0,1,2,60", "L:0,0,node:0,1,60", "node:0,node:1,1,60", "node:1,L:0,1,2,60", "L:0,1,R:0,0,45.0000004,20"),
    ]
    quoted = [re.sub(r"([LR]:\d,\d)", r'"\1"', row) for row in rows]
    (tmp_path / "links.csv").write_text("\n".join(["a,b,latency_ms,mbps", *quoted]))
    options = Options.read(config(links__file=str(tmp_path / "links.csv"), tiers__local__bandwidth_mbps=72))
    network = Network(options, LATTICE)
    a, b, region = Server("local", (0, 0)), Server("local", (0, 1)), Server("regional", (0, 0))
    assert network.path(a, b).names == ("L:0,0", "node:a", "L:0,1") and network.path(b, a).names == ("L:0,1", "node:a", "L:0,0")
    assert network.way(a, b) == [("up", a), (1, "L:0,0"), (4, "node:a"), ("down", b)]
    assert network.way(b, a) == [("up", b), (4, "L:0,1"), (1, "node:a"), ("down", a)]
    assert network.dedicated_rate(a, b) == 70e6 / 8 and network.dedicated_rate(region, b) == 20e6 / 8
    assert network.round_trip_s(a, b) == 0.008
    assert [network.way_ms((0, 0), server) for server in (a, b, region)] == [10, 14, 59]  # from L:0,0 on; 49 ms, in whole nanoseconds
    assert [network.meets("regional", cell, Fraction(60)) for cell in ((0, 0), (0, 1))] == [False, True]
    assert list(network.lower("regional", (0, 0), Fraction(15))) == ["local"] and not list(network.lower("local", (0, 0), Fraction(99)))


def test_areas_and_names() -> None:
    lattice = Lattice(2, 500.0, "flat", (0.0, 0.0), {"local": 0, "metro": 1, "central": None})
    names = [lattice.server(tier, (0, 1)).name for tier in lattice.areas]
    assert names == ["L:0,1", "metro:0,0", "central:all"]
    assert [lattice.hops((0, 2), lattice.server(tier, (0, 0))) for tier in lattice.areas] == [2, 1, 0]
    with pytest.raises(ValueError, match="area"):
        Options.read(config(tiers__regional__area="clusters"))


def test_first_deployment() -> None:
    servers = Servers(
        Options.read(config(tiers__local__capacity=1, tiers__regional__capacity=1)),
        Lattice(1, 500.0, "flat", (0.0, 0.0), {"local": 0, "regional": 1}),
    )
    home, hosts = Server("local", (1, 0)), []
    for number in range(7):
        hosts.append(servers.first_host(home, (1, 0), ["local"], servers.has_room))
        servers.settle(str(number), [hosts[-1]])
    assert [host.name for host in hosts] == [
        "L:1,0",
        "L:0,0",
        "L:0,1",
        "L:1,-1",
        "L:-1,0",
        "L:-1,1",
        "L:0,-1",
    ]  # 0, 1 and 2 hops, then by name
    with pytest.raises(NoRoomError):
        servers.first_host(home, (1, 0), ["local"], servers.has_room)
    assert servers.first_host(home, (1, 0), ["local", "regional"], servers.has_room).name == "R:0,0"


def reported(steps: list[tuple[float, float, float]], **thresholds: float) -> list[int]:
    """At which frames a vehicle reports that is seen at these x, y and speeds."""
    options = Options.read(config(reports={"distance_m": 0, "heading_deg": 0, "speed_mps": 0, "bytes": 200} | thresholds))
    frames = [Frame(t, (x, y), speed, "road", x, (0, 0), False) for t, (x, y, speed) in enumerate(steps)]
    known = known_at(frames, ["road"], options)
    return [t for t, now in enumerate(known) if t == 0 or now.reports > known[t - 1].reports]


def test_reports() -> None:
    straight = [(10.0 * t, 0.0, 10.0) for t in range(10)]
    assert reported(straight) == reported([(0.0, 0.0, 0.0)] * 10) == list(range(10))  # no criterion: always
    assert reported(straight, distance_m=30) == [0, 4, 8] and reported(straight, distance_m=29.9) == [0, 3, 6, 9]
    assert reported(straight, heading_deg=20) == [0, 1]  # the first step after a report without a heading counts as a turn
    assert reported(straight, speed_mps=4) == [0]
    assert reported([(0, 0, 0), (0, 0, 4), (0, 0, 5), (0, 0, 1), (0, 0, 0.5)], speed_mps=4) == [0, 2, 4]
    bend = [(10 * math.cos(math.radians(15 * t)), 10 * math.sin(math.radians(15 * t)), 1.0) for t in range(7)]
    assert reported(bend, heading_deg=20) == [0, 1, 3, 5]  # 15 degrees a step
    assert reported([*bend[:2], bend[1], bend[1], *bend[2:]], heading_deg=20) == [0, 1, 5, 7]  # standing keeps the heading


def test_what_is_known_between_reports() -> None:
    options = Options.read(config(reports={"distance_m": 15, "heading_deg": 0, "speed_mps": 0, "bytes": 200}))
    frames = [Frame(t, (10.0 * t, 0.0), 10.0 + t, f"e{t // 3}", 10.0 * t, (t, 0), False) for t in range(6)]
    known = known_at(frames, ["e0", "e1"], options)
    assert [now.attached[0] for now in known] == [0, 1, 2, 3, 4, 5]  # the radio network knows it at every frame
    assert [now.position_m for now in known] == [0, 0, 20, 20, 40, 40] and [now.speed_mps for now in known] == [10, 10, 12, 12, 14, 14]
    assert [now.edge for now in known] == ["e0", "e0", "e0", "e0", "e1", "e1"] and [now.place for now in known] == [0, 0, 0, 0, 1, 1]
    assert [now.moved for now in known] == [None, None, (20, 0), (20, 0), (20, 0), (20, 0)]
