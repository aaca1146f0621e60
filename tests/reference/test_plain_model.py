"""Closed-form tests of plain_model, worked out on paper.

The road of most tests runs straight north through the centres of the cells (0, 0), (0, 1), ...: borders at y = 250, 750, 1250, ...
The vehicle starts at y = 5 and drives 10 m/s, so it is first seen in (0, 1) at t = 25, in (0, 2) at t = 75, ...
At 100 Mb/s a transfer sends 12.5 MB a second; under pm it starts at t = 0.
"""

from __future__ import annotations

import csv
import functools
import itertools
import json
import math
import operator
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.reference.plain_model import (
    STRATEGIES,
    Edge,
    Known,
    Lattice,
    Network,
    Now,
    Options,
    Recomputed,
    RoadMap,
    Strategist,
    read_network,
    recompute,
    square_distance,
)
from tests.reference.plain_model.container import Load

MB = 1e6
AREAS = {"local": 0, "regional": 2}  # rings
TIER = {"compute_ms": 5, "compute_ms_per_container": 0, "capacity": None, "bandwidth_mbps": None}
NO_PROCESSING = {
    **dict.fromkeys((f"{term}_{unit}" for term in ("checkpoint", "round", "restore") for unit in ("s", "s_per_mb")), 0),
    "round_trips": 0,
    "transport_efficiency": 1,
}


def config(**changes: Any) -> dict[str, Any]:
    """The defaults of section 12; changes as section__option=value."""
    tree: dict[str, Any] = {
        "attachment": {"hysteresis_m": 0},
        "tiers": {
            "order": ["local", "regional"],
            "local": {**TIER, "latency_ms": 10, "area": "cell", "rings": None},
            "regional": {**TIER, "latency_ms": 50, "area": "rings", "rings": 2},
        },
        "tier_choice": {"min_speed_kmh": 0},
        "prediction": {"horizon_m": 1500, "slack_m": 30},
        "strategy": {"nearest": {"trigger_m": 50}, "pm_op": {"min_m": 150, "min_dwell_s": 0}},
        "workload": {"dirty_percent_per_s": 1, "dirty_threshold_mbit": 40, "start_ms": [200, 1000]},
        "handoff": {"unsynced": "stop", "user_left": "abandon", "switch_ms": 0},
        "migration": {"processing": dict(NO_PROCESSING)},
        "links": {"mode": "dedicated", "bandwidth_mbps": 100, "hop_latency_ms": 5, "file": None, "round_trip_ms": 0},
        "reports": {"distance_m": 0, "heading_deg": 0, "speed_mps": 0, "bytes": 200},
        "strategies": ["pm"],
    }
    for name, value in changes.items():
        *sections, option = name.split("__")
        functools.reduce(operator.getitem, sections, tree)[option] = value
    return tree


def edge_xml(name: str, shape: str, length: float, more: str = "") -> str:
    return f'<edge id="{name}" from="a" to="b" {more}><lane id="{name}_0" index="0" speed="14" length="{length}" shape="{shape}"/></edge>'


def run(
    folder: Path,
    points: list[tuple[float, float]],
    edge: tuple[str, float],
    image_mb: float,
    memory_mb: float,
    level_ms: float = 30,
    **changes: Any,
) -> Recomputed:
    """Drive over `points`, one a second, along the one edge (shape, length) that starts at the first point."""
    tree = config(**changes)
    (folder / "net.xml").write_text(f"<net>{edge_xml('road', *edge)}</net>")
    (folder / "rou.xml").write_text('<routes><vehicle depart="0" id="v"><route edges="road"/></vehicle></routes>')
    place = {"rings": 6, "spacing_m": 500.0, "orientation": "flat", "center_xy_m": [0, 0]}
    (folder / "run.json").write_text(json.dumps({"config": tree, "deployment": place}))
    with open(folder / "vehicles.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["strategy", "vehicle", "image_bytes", "memory_capacity_bytes", "latency_level_ms"])
        table.writerows([name, "v", image_mb * MB, memory_mb * MB, level_ms] for name in tree["strategies"])
    lattice = Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS)
    with open(folder / "frames.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["t_s", "vehicle", "x_m", "y_m", "speed_mps", "edge", "position_m", "cell"])
        for t, point in enumerate(points):
            cell = lattice.cell_of(point)
            table.writerow([t, "v", *point, 10, "road", math.dist(point, points[0]) + 5, f"{cell[0]},{cell[1]}"])
    return recompute(folder, folder / "net.xml", folder / "rou.xml")


def north(folder: Path, image_mb: float, memory_mb: float, seconds: int = 60, **changes: Any) -> Recomputed:
    return run(folder, [(0.0, 5.0 + 10 * t) for t in range(seconds + 1)], ("0,0 0,2500", 2500), image_mb, memory_mb, **changes)


def first(result: Recomputed) -> dict[str, Any]:
    row = result.migrations[0]
    assert (row["source"], row["target"], row["tier"]) == ("L:0,0", "L:0,1", "local")
    assert row["outcome"] == "completed" and row["t_start_s"] == 0 and row["t_handoff_s"] == row["lead_s"] == 25
    return row


def test_cell_count_and_rounding() -> None:
    assert len(Lattice(25, 500.0, "flat", (0.0, 0.0), AREAS).cells) == 1951
    draw = random.Random(1)
    for orientation in ("flat", "pointy"):
        lattice = Lattice(4, 500.0, orientation, (100.0, -50.0), AREAS)
        centres = {cell: lattice.centre(cell) for cell in lattice.cells}
        assert len(centres) == 61
        for _ in range(3000):  # inside and outside: always the nearest deployed centre
            point = draw.uniform(-4000, 4000), draw.uniform(-4000, 4000)
            assert lattice.cell_of(point) == min(centres, key=lambda cell: square_distance(point, centres[cell]))


def test_clusters_tile_the_lattice() -> None:
    for k, size in ((1, 7), (2, 19), (3, 37)):
        lattice = Lattice(12, 500.0, "flat", (0.0, 0.0), AREAS)
        sizes = Counter(lattice.region_of(cell, k) for cell in lattice.cells)
        assert sum(sizes.values()) == 469 and max(sizes.values()) == sizes[0, 0] == size
        assert all(sizes[centre] == size for centre in ((2 * k + 1, -k), (k, k + 1), (-2 * k - 1, k), (-k, -k - 1)))


def test_straight_road_is_cut_at_known_borders() -> None:
    lattice = Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS)
    roads = RoadMap({}, lattice, 1500)
    wanted = [((0, 0), 0, 250), ((0, 1), 250, 750), ((0, 2), 750, 1000)]
    assert roads.cut([(0, 0), (0, 400), (0, 1000)], 1000) == wanted
    assert roads.cut([(0, 0), (0, 1000)], 2000) == [(cell, 2 * a, 2 * b) for cell, a, b in wanted]  # scaled to the edge's length
    edge = Edge("road", "", "", 1000, [(0, 1000), (0, 0)], [True])  # the other way round
    backwards = RoadMap({"road": edge}, lattice, 1500)
    chain = backwards.by_home(backwards.chain("road"), "local")
    assert [(home.name, a, b) for home, a, b in chain] == [("L:0,2", 0, 250), ("L:0,1", 250, 750), ("L:0,0", 750, 1000)]
    level = [
        (cell, round(a, 3), round(b, 3)) for cell, a, b in roads.cut([(0, 245), (1500, 245)], 1500)
    ]  # half widths D/sqrt(3) - |y|/sqrt(3)
    assert level == [((0, 0), 0, 147.224), ((1, 0), 147.224, 718.801), ((2, -1), 718.801, 1013.25), ((3, -1), 1013.25, 1500)]


def test_random_lines_agree_with_sampling() -> None:
    draw = random.Random(2)
    for orientation in ("flat", "pointy"):
        lattice = Lattice(3, 500.0, orientation, (0.0, 0.0), AREAS)
        for _ in range(40):
            a, b = [(draw.uniform(-3000, 3000), draw.uniform(-3000, 3000)) for _ in range(2)]
            pieces = RoadMap({}, lattice, 1500).cut([a, b], 1.0)
            assert pieces[0][1] == 0 and pieces[-1][2] == 1 and all(p[2] == q[1] for p, q in itertools.pairwise(pieces))
            for cell, begin, end in pieces:
                for share in (begin + 1e-6 * (end - begin), (begin + end) / 2, end - 1e-6 * (end - begin)):
                    assert lattice.cell_of((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))) == cell


def test_successors(tmp_path: Path) -> None:
    def link(origin: str, to: str, more: str = "") -> str:
        return f'<connection from="{origin}" to="{to}" fromLane="0" toLane="0" {more}/>'

    (tmp_path / "net.xml").write_text(
        "<net>"
        + "".join(
            [
                edge_xml("in", "0,0 0,100", 100, 'name="High Street" type="a"'),
                edge_xml("ahead", "0,100 0,200", 100, 'type="a"'),
                edge_xml("street", "0,100 80,200", 100, 'name="High Street" type="b"'),
                edge_xml("left", "0,200 -100,200", 100, 'type="b"'),
                edge_xml("right", "0,200 100,200", 100, 'type="a"'),
                edge_xml("back", "0,100 0,0", 100, 'type="a"'),
                edge_xml("left2", "0,200 -100,200", 100, 'type="a"'),
                '<edge id="bus" from="a" to="b"><lane id="bus_0" index="0" speed="9" length="100" shape="0,200 0,300" allow="bus"/></edge>',
                link("in", "ahead"),
                link("in", "street"),
                link("in", "back", 'dir="t"'),
                link("ahead", "bus"),
                link("ahead", "left"),
                link("ahead", "right"),
                link("ahead", "left2"),
                link("back", "in", 'dir="t"'),
                link("left", "ahead", 'disallow="passenger"'),
            ]
        )
        + "</net>"
    )
    edges = read_network(tmp_path / "net.xml")
    roads = RoadMap(edges, Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS), 1500)
    assert "bus" not in edges
    assert roads.successor("in") == "street"  # same name, turn 38.7 degrees, although "ahead" is straighter
    assert roads.successor("ahead") == "left2"  # three turns of 90 degrees; two of the same class; the smaller id
    assert roads.successor("back") is None and roads.successor("left") is None


def test_stop_in_image(tmp_path: Path) -> None:
    result = north(tmp_path, 500, 100)  # image until 40; at 25 312.5 MB are sent: 187.5 + 100 MB are missing, 23 s
    row, start = first(result), 0.2 + 0.8 * 400 / 1900
    assert (
        row["image_bytes"] == 312.5 * MB
        and row["final_bytes"] == 287.5 * MB
        and row["memory_bytes"] == row["dirty_bytes"] == row["rounds"] == 0
    )
    assert row["t_stop_s"] == 25 and row["t_end_s"] == pytest.approx(48 + start) and row["downtime_s"] == pytest.approx(23 + start)
    assert (row["x_m"], row["y_m"]) == (0, 485)
    vehicle = result.vehicles["pm", "v"]
    assert vehicle["handoffs"] == vehicle["outages"] == vehicle["completed"] == 1 and vehicle["outage_s"] == pytest.approx(23 + start)
    assert vehicle["outage_s"] + vehicle["satisfied_s"] + vehicle["late_s"] == pytest.approx(vehicle["road_s"]) and vehicle["late_s"] == 0
    assert vehicle["road_s"] == 60 and vehicle["distance_m"] == 600
    assert (vehicle["entry_hits"], vehicle["handoff_hits"], vehicle["entry_misses"], vehicle["handoff_misses"]) == (1, 1, 0, 0)
    rows = {row["t_s"]: row for row in result.decisions}
    assert rows[0]["home"] == "L:0,0" and rows[0]["target"] == "L:0,1" and rows[0]["running"] == 1
    assert rows[25]["home"] == "L:0,1" and rows[25]["target"] == "L:0,2" and rows[25]["host"] == "L:0,0" and rows[25]["running"] == 0
    assert rows[48]["running"] == 0 and rows[49]["running"] == 1 and rows[49]["host"] == "L:0,1"


def test_stop_in_memory(tmp_path: Path) -> None:
    row = first(north(tmp_path, 250, 100))  # image until 20, memory until 28; at 25 37.5 MB of it are missing; 5/8 of 5 MB dirty
    assert row["image_bytes"] == 250 * MB and row["memory_bytes"] == 62.5 * MB and row["final_bytes"] == pytest.approx(40.625 * MB)
    assert row["downtime_s"] == pytest.approx(3.25 + 0.2 + 0.8 * 150 / 1900)


def test_stop_in_round(tmp_path: Path) -> None:
    row = first(north(tmp_path, 100, 200))  # image until 8, memory until 24; a round of 32 MB; at 25 19.5 MB of it are missing, 2 MB dirty
    assert row["memory_bytes"] == 200 * MB and row["dirty_bytes"] == pytest.approx(12.5 * MB) and row["rounds"] == 1
    assert row["final_bytes"] == pytest.approx((19.5 + 2 * 0.9025) * MB) and row["downtime_s"] == pytest.approx(1.7044 + 0.2)


def test_stop_in_idle(tmp_path: Path) -> None:
    row = first(north(tmp_path, 100, 100))  # memory until 16, round of 8 MB until 16.64, idle until 21, round of 5 MB until 21.4, idle
    assert row["dirty_bytes"] == pytest.approx(13 * MB) and row["rounds"] == 2
    assert row["final_bytes"] == pytest.approx(4 * MB) and row["downtime_s"] == pytest.approx(0.32 + 0.2)


def test_memory_below_the_threshold(tmp_path: Path) -> None:
    row = first(north(tmp_path, 100, 4))  # no round ever; at 25 17 s of 0.04 MB/s are dirty
    assert row["rounds"] == row["dirty_bytes"] == 0 and row["final_bytes"] == pytest.approx(0.68 * MB)
    row = first(north(tmp_path, 100, 4, workload__dirty_percent_per_s=100))  # capped at M
    assert row["rounds"] == 0 and row["final_bytes"] == pytest.approx(4 * MB)


def test_zero_dirty_rate(tmp_path: Path) -> None:
    row = first(north(tmp_path, 100, 100, workload__dirty_percent_per_s=0))
    assert row["rounds"] == row["dirty_bytes"] == row["final_bytes"] == 0 and row["downtime_s"] == pytest.approx(0.2)
    row = first(north(tmp_path, 100, 100, workload__dirty_percent_per_s=0, handoff__switch_ms=300))
    assert row["downtime_s"] == pytest.approx(0.5)


def test_relay(tmp_path: Path) -> None:
    result = north(tmp_path, 500, 100, handoff__unsynced="relay")  # image until 40, memory until 48, 8 MB dirty
    row, start = first(result), 0.2 + 0.8 * 400 / 1900
    assert row["t_stop_s"] == 48 and row["rounds"] == 1 and row["dirty_bytes"] == 0 and row["final_bytes"] == pytest.approx(8 * MB)
    assert row["downtime_s"] == pytest.approx(0.64 + start)
    assert result.vehicles["pm", "v"]["relayed_s"] == pytest.approx(23)


# a snapshot takes 1 s of 100 MB, comparing 0.5 s, restoring 0.7 s more, answers 0.1 s; 10 MB a second are sent
PROCESSING = {
    "processing": {
        **{"checkpoint_s": 0.5, "checkpoint_s_per_mb": 0.005, "round_s": 0.2, "round_s_per_mb": 0.003},
        **{"restore_s": 0.3, "restore_s_per_mb": 0.004, "round_trips": 2, "transport_efficiency": 0.8},
    }
}
SLOW = {
    "migration": PROCESSING,
    "links": {"mode": "dedicated", "bandwidth_mbps": 100, "hop_latency_ms": 5, "file": None, "round_trip_ms": 50},
}


@pytest.mark.parametrize(
    ("image_mb", "memory_mb", "sent_mb", "final_s"),
    [
        (500, 100, (249, 0, 0, 351), 1.1),  # image from 0.1 on
        (239, 100, (239, 0, 0, 100), 1.6),  # image until 24; memory from 25.1 on, none of it sent at 25
        (209, 100, (209, 29, 0, 72.16), 1.6),  # image until 21; memory from 22.1 on, 71 MB unsent and 4 MB dirty at 25
        (100, 100, (100, 100, 11.1, 3.8), 1.6),  # image until 10.1, memory from 11.2 to 21.2: 11.1 MB dirty; a round from 22.8 to 23.91
    ],
)
def test_processing(tmp_path: Path, image_mb: float, memory_mb: float, sent_mb: tuple[float, ...], final_s: float) -> None:
    row = first(north(tmp_path, image_mb, memory_mb, seconds=90, **SLOW))
    kinds = ("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes")
    assert tuple(row[kind] / MB for kind in kinds) == pytest.approx(sent_mb)
    start = 0.2 + 0.8 * (image_mb - 100) / 1900
    assert row["downtime_s"] == pytest.approx(final_s + sent_mb[3] / 10 + start + 0.7)


def test_user_left(tmp_path: Path) -> None:
    result = north(tmp_path, 2000, 200, seconds=90)  # 2200 MB are 176 s; stopped at 25 in (0, 1), which is left at 75
    first_row, second = result.migrations
    assert first_row["outcome"] == "user_left" and (first_row["t_stop_s"], first_row["t_end_s"], first_row["downtime_s"]) == (25, 75, 50)
    assert (first_row["image_bytes"], first_row["final_bytes"]) == (312.5 * MB, 625 * MB)
    assert second["outcome"] == "unfinished" and (second["source"], second["target"], second["lead_s"]) == ("L:0,0", "L:0,2", 0)
    assert (second["t_start_s"], second["t_stop_s"], second["t_end_s"], second["final_bytes"]) == (75, 75, 90, 187.5 * MB)
    vehicle = result.vehicles["pm", "v"]
    assert (vehicle["handoffs"], vehicle["outages"], vehicle["outage_s"], vehicle["censored"]) == (2, 1, 65, 1)
    assert vehicle["traffic_bytes"] == vehicle["wasted_bytes"] == 1125 * MB
    result = north(tmp_path, 2000, 200, seconds=90, handoff__user_left="finish")
    assert [row["outcome"] for row in result.migrations] == ["unfinished"] and result.vehicles["pm", "v"]["handoffs"] == 1


def test_short_cells_are_passed_over(tmp_path: Path) -> None:
    points = [(300.0 + 10 * t, 245.0) for t in range(91)]  # (1, 0) to 718.8, (2, -1) to 1013.2, (3, -1)
    result = run(tmp_path, points, ("295,245 1795,245", 1500), 100, 10, strategy__pm_op__min_m=350, strategies=["pm_op", "pm", "never"])
    rows = {(row["strategy"], row["t_s"]): row for row in result.decisions}
    assert rows["pm_op", 0]["home"] == "L:1,0" and rows["pm_op", 0]["target"] == "L:3,-1" and rows["pm", 0]["target"] == "L:2,-1"
    assert rows["pm_op", 42]["home"] == "KEEP" and rows["pm_op", 71]["home"] == "KEEP" and rows["pm_op", 72]["home"] == "L:3,-1"
    assert rows["pm_op", 72]["host"] == "L:1,0" and rows["pm_op", 73]["host"] == "L:3,-1"
    assert result.vehicles["pm_op", "v"]["relayed_s"] == pytest.approx(30) and result.vehicles["pm_op", "v"]["entry_hits"] == 1
    assert result.vehicles["pm", "v"]["handoffs"] == 2 and result.vehicles["pm", "v"]["relayed_s"] == 0
    assert rows["never", 0]["home"] == "L:1,0" and rows["never", 1]["home"] == "KEEP" and not result.vehicles["never", "v"]["handoffs"]


def test_nearest_and_tiers(tmp_path: Path) -> None:
    result = north(tmp_path, 100, 10, strategies=["nearest", "pm_tier"], level_ms=80)
    rows = {(row["strategy"], row["t_s"]): row for row in result.decisions}
    assert rows["nearest", 19]["target"] == "NONE" and rows["nearest", 20]["target"] == "L:0,1"  # y = 205: 45 m from the border
    assert rows["pm_tier", 0]["home"] == "R:0,0" and rows["pm_tier", 0]["target"] == "R:2,3"  # (0, 3) belongs to (2, 3), 1250 m ahead


def test_start_time() -> None:
    options = Options.read(config())
    assert [options.start_s(size * MB) for size in (50, 100, 1050, 2000, 5000)] == pytest.approx([0.2, 0.2, 0.6, 1.0, 1.0])


def test_back_to_the_host(tmp_path: Path) -> None:
    points = [(0.0, 5.0 + 10 * t) for t in range(31)] + [(0.0, 305.0 - 10 * t) for t in range(1, 21)]  # in (0, 1) from 25 to 35
    result = run(tmp_path, points, ("0,0 0,2500", 2500), 500, 100)
    assert [(row["outcome"], row["t_start_s"], row["t_end_s"]) for row in result.migrations] == [
        ("user_left", 0, 36),
        ("unfinished", 37, 50),
    ]
    vehicle = result.vehicles["pm", "v"]
    assert (vehicle["handoffs"], vehicle["outages"], vehicle["outage_s"], vehicle["censored"]) == (2, 1, 11, 0)
    assert (vehicle["entry_hits"], vehicle["entry_misses"], vehicle["handoff_hits"], vehicle["handoff_misses"]) == (1, 0, 1, 0)
    result = run(tmp_path, points, ("0,0 0,2500", 2500), 500, 100, handoff__unsynced="relay")
    (row,) = result.migrations
    assert (row["outcome"], row["t_handoff_s"], row["t_stop_s"], row["t_end_s"]) == ("unfinished", 25, None, 50)
    assert (row["image_bytes"], row["memory_bytes"], row["rounds"]) == (500 * MB, 100 * MB, 1)  # a round at 48, idle from 48.64
    assert result.vehicles["pm", "v"]["relayed_s"] == 11 and result.vehicles["pm", "v"]["outages"] == 0


def test_short_verdict_is_judged_again_on_another_edge() -> None:
    edges = {
        "a": Edge("a", "", "", 500, [(300, 245), (800, 245)], [True], ["b", "c"]),  # (2, -1) from x = 718.8 to 1013.2
        "b": Edge("b", "", "", 1000, [(800, 245), (1800, 245)], [True]),
        "c": Edge("c", "", "", 100, [(800, 245), (800, 145)], [True]),
    }
    options = Options.read(config(strategy__pm_op__min_m=350))
    lattice = Lattice(6, 500.0, "flat", (0.0, 0.0), AREAS)
    strategist = Strategist(
        STRATEGIES["pm_op"], options, RoadMap(edges, lattice, 1500), Network(options, lattice), [], Load(0, 0, Fraction(30))
    )
    host, homes = lattice.server("local", (1, 0)), []
    for t, (x, edge, position) in enumerate([(700, "a", 400), (720, "a", 420), (790, "a", 490), (800, "c", 10), (800, "c", 20)]):
        point = (float(x), 245.0 - (position if edge == "c" else 0))
        homes.append(
            strategist.decide(
                Known(lattice.cell_of(point), point, 10, edge, position, None, None, t + 1), Now(float(t), host, None, 0.0)
            ).home
        )
    assert [home and home.name for home in homes] == ["L:1,0", None, None, "L:2,-1", "L:2,-1"]  # c ends inside: never short
