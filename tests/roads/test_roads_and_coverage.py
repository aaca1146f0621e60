"""What section 3 of the model promises of the MRmap: cells along an edge, straight-on chains, known routes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.arrays import IntArray
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.roads.coverage import EdgeCoverage, Stretches, cover_edges, look_ahead_chains, route_stretches
from msmf_traci.roads.roads import Roads, read_roads
from tests.deployments import LOCAL, REGIONAL, two_tiers
from tests.road_lines import Point, make_roads

sumo = pytest.importorskip("sumo")
CELLS = HexCells(5, 500.0, "flat")
SERVERS = two_tiers(CELLS, 1)


def cell(q: int, r: int) -> int:
    return int(np.flatnonzero((CELLS.axial == [q, r]).all(axis=1))[0])


def northward(*ends_m: float, successor: Sequence[int] | None = None) -> Roads:
    """A road due north along x = 0 from the first of `ends_m`, an edge between each two; cell (0, r) is y = 500 r +- 250 there."""
    return make_roads([[(0.0, a), (0.0, b)] for a, b in pairwise(ends_m)], successor=successor)


def edge_stretches(coverage: EdgeCoverage, edge: int) -> list[tuple[int, float, float]]:
    here = slice(coverage.start[edge], coverage.start[edge + 1])
    return list(zip(coverage.cell[here].tolist(), coverage.entry_m[here].tolist(), coverage.exit_m[here].tolist(), strict=True))


def row_of(table: Stretches, row: int) -> list[tuple[int, float, float]]:
    here = slice(table.start[row], table.start[row] + table.count[row])
    return list(zip(table.server[here].tolist(), table.entry_m[here].tolist(), table.exit_m[here].tolist(), strict=True))


def chain_of(roads: Roads, edge: int, horizon_m: float, tier: int = LOCAL, server_of: IntArray = SERVERS.server_of) -> list:
    table = look_ahead_chains(roads, cover_edges(roads, CELLS), server_of, horizon_m)
    return row_of(table, tier * len(roads) + edge)


def close_to(expected: list[tuple[int, float, float]]) -> list:
    return [(key, pytest.approx(entry, abs=1e-6), pytest.approx(exit_, abs=1e-6)) for key, entry, exit_ in expected]


# ------------------------------------------------------------------------------------------------------------ cells along an edge


def test_a_straight_road_is_cut_at_the_borders_on_paper() -> None:
    # Northward from y = -200 to 900: border of (0, 0) and (0, 1) at y = 250, 450 m on; of (0, 1) and (0, 2) at y = 750, 950 m on.
    # Eastward at y = 125: (0, 0) ends at its bisector with (1, 0), x = 125 sqrt(3); (1, 0) at that with (2, -1), x = 375 sqrt(3).
    roads = make_roads([[(0, -200), (0, 900)], [(0, 125), (1000, 125)]])
    coverage = cover_edges(roads, CELLS)
    assert edge_stretches(coverage, 0) == close_to([(cell(0, 0), 0, 450), (cell(0, 1), 450, 950), (cell(0, 2), 950, 1100)])
    a, b = 125 * math.sqrt(3), 375 * math.sqrt(3)
    assert edge_stretches(coverage, 1) == close_to([(cell(0, 0), 0, a), (cell(1, 0), a, b), (cell(2, -1), b, 1000)])


def test_distances_are_scaled_to_the_edges_length() -> None:
    roads = make_roads([[(0, -200), (0, 300), (0, 900)]], lengths=[2200.0])
    expected = [(cell(0, 0), 0, 900), (cell(0, 1), 900, 1900), (cell(0, 2), 1900, 2200)]
    assert edge_stretches(cover_edges(roads, CELLS), 0) == close_to(expected)


def test_a_cell_may_occur_twice_on_an_edge() -> None:
    # 100 m beyond the border at y = 250 and back
    roads = make_roads([[(0, 0), (0, 350), (10, 350), (10, 0)]])
    expected = [(cell(0, 0), 0, 250), (cell(0, 1), 250, 460), (cell(0, 0), 460, 710)]
    assert edge_stretches(cover_edges(roads, CELLS), 0) == close_to(expected)


# centimetres, as networks have them; the deployment reaches some 2600 m, and a road may leave it
COORDINATE = st.integers(-400_000, 400_000).map(lambda centimetres: centimetres / 100)


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=6), min_size=1, max_size=4), st.floats(0.5, 2.0))
def test_stretches_cover_every_edge_without_gap_or_overlap(lines: list[list[Point]], stretching: float) -> None:
    lines = [line for line in lines if sum(math.dist(a, b) for a, b in pairwise(line)) > 1.0] or [[(0.0, 0.0), (0.0, 10.0)]]
    roads = make_roads(lines)
    roads = replace(roads, length_m=roads.length_m * stretching)
    coverage = cover_edges(roads, CELLS)
    for edge, line in enumerate(lines):
        stretches = edge_stretches(coverage, edge)
        assert stretches[0][1] == 0.0
        assert stretches[-1][2] == roads.length_m[edge]
        assert all(before[2] == after[1] and before[0] != after[0] for before, after in pairwise(stretches))
        corners = np.concatenate([[0.0], np.cumsum([math.dist(a, b) for a, b in pairwise(line)])])
        for owner, entry_m, exit_m in stretches:
            if exit_m - entry_m > 1e-3:  # an interior point lies in its cell
                along = (entry_m + exit_m) / 2 / stretching
                x, y = (np.interp(along, corners, [point[axis] for point in line]) for axis in (0, 1))
                distances = np.hypot(CELLS.x_m - x, CELLS.y_m - y)
                assert distances[owner] <= distances.min() + 1e-6


def test_an_edge_whose_centre_line_is_a_point_is_covered_by_its_cell() -> None:
    roads = make_roads([[(0, 0), (0, 0)], [(0, 0), (0, 100)]], lengths=[5.0, 100.0])
    assert edge_stretches(cover_edges(roads, CELLS), 0) == [(cell(0, 0), 0.0, 5.0)]


# ---------------------------------------------------------------------------------------------------------------- look-ahead chains


def test_a_chain_follows_whole_edges_until_the_horizon_beyond_its_edges_end() -> None:
    # Edges 0..3, each 600 m, from y = 0. Horizon 600: edge 1 covers it to the metre, so edge 2 is not on the chain of edge 0.
    roads = northward(0, 600, 1200, 1800, 2400, successor=[1, 2, 3, -1])
    to_1200 = [(cell(0, 0), 0, 250), (cell(0, 1), 250, 750), (cell(0, 2), 750, 1200)]
    assert chain_of(roads, 0, 600.0) == close_to(to_1200)
    # a metre more and edge 2 is on it, as a whole: to 1800, with borders at 1250 and 1750
    to_1800 = [*to_1200[:2], (cell(0, 2), 750, 1250), (cell(0, 3), 1250, 1750), (cell(0, 4), 1750, 1800)]
    assert chain_of(roads, 0, 601.0) == close_to(to_1800)


def test_a_chain_ends_at_a_dead_end_and_before_an_edge_that_is_on_it() -> None:
    roads = northward(0, 600, 1200, successor=[1, -1])
    assert chain_of(roads, 1, 5000.0) == close_to([(cell(0, 1), 0, 150), (cell(0, 2), 150, 600)])  # from y = 600; border at 750
    # A loop of 0 -> 1 -> 2 -> 1: the chain of 0 holds 0, 1, 2 once, that of 1 holds 1, 2, and that of 2 holds 2, 1.
    there_and_back = make_roads([[(0, -100), (0, 0)], [(0, 0), (0, 400)], [(0, 400), (0, 0)]], successor=[1, 2, 1])
    first, second = cell(0, 0), cell(0, 1)
    assert chain_of(there_and_back, 0, 5000.0) == close_to([(first, 0, 350), (second, 350, 650), (first, 650, 900)])
    assert chain_of(there_and_back, 1, 5000.0) == close_to([(first, 0, 250), (second, 250, 550), (first, 550, 800)])
    assert chain_of(there_and_back, 2, 5000.0) == close_to([(second, 0, 150), (first, 150, 650), (second, 650, 800)])


def test_stretches_of_one_server_are_merged_across_edges_and_within_a_region() -> None:
    roads = northward(0, 100, 200, 900, successor=[1, 2, -1])
    assert chain_of(roads, 0, 2000.0) == close_to([(cell(0, 0), 0, 250), (cell(0, 1), 250, 750), (cell(0, 2), 750, 900)])
    # k = 1: (0, 0) and (0, 1) are one region; (0, 2) is within a step of the centre (1, 2), so it is another's
    inner, outer = SERVERS.server_of[REGIONAL, [cell(0, 0), cell(0, 2)]].tolist()
    assert [SERVERS.name(server) for server in (inner, outer)] == ["R:0,0", "R:1,2"]
    assert chain_of(roads, 0, 2000.0, REGIONAL) == close_to([(inner, 0, 750), (outer, 750, 900)])


# ------------------------------------------------------------------------------------------------------------------------- routes


def routed(roads: Roads, route: Sequence[int], horizon_m: float) -> list[list[tuple[int, float, float]]]:
    table, _ = route_stretches([np.array(route)], roads, cover_edges(roads, CELLS), SERVERS.server_of, horizon_m)
    assert len(table.start) == 2 * len(route)
    return [row_of(table, row) for row in range(2 * len(route))]


def test_a_routes_rows_begin_at_each_of_its_edges_and_reach_to_the_horizon() -> None:
    rows = routed(northward(0, 600, 1200, 1800), [0, 1, 2], 600.0)
    assert rows[0] == close_to([(cell(0, 0), 0, 250), (cell(0, 1), 250, 750), (cell(0, 2), 750, 1200)])  # the third edge begins at it
    assert rows[1] == close_to([(cell(0, 1), 0, 150), (cell(0, 2), 150, 650), (cell(0, 3), 650, 1150), (cell(0, 4), 1150, 1200)])
    assert rows[2] == close_to([(cell(0, 2), 0, 50), (cell(0, 3), 50, 550), (cell(0, 4), 550, 600)])
    inner = int(SERVERS.server_of[REGIONAL, cell(0, 0)])
    assert rows[3][0] == (inner, 0.0, pytest.approx(750))


def test_a_route_is_followed_round_its_loops() -> None:
    roads = make_roads([[(0, 0), (0, 400)], [(0, 400), (0, 0)]], successor=[1, 0])
    a, b = cell(0, 0), cell(0, 1)
    expected = [(a, 0, 250), (b, 250, 550), (a, 550, 1050), (b, 1050, 1350), (a, 1350, 1600)]
    assert routed(roads, [0, 1, 0, 1], 5000.0)[0] == close_to(expected)


def test_an_edge_that_is_no_road_ends_what_is_seen_and_sees_nothing_itself() -> None:
    rows = routed(northward(0, 100, 200), [0, -1, 1, 0], 5000.0)
    assert rows[0] == close_to([(cell(0, 0), 0, 100)])
    assert rows[1] == []
    assert rows[2] == close_to([(cell(0, 0), 0, 200)])


def test_every_edge_of_a_real_network_is_covered() -> None:
    roads = read_roads(Path(sumo.SUMO_HOME) / "tools" / "game" / "bs3d" / "bs.net.xml")
    assert len(roads) > 100
    west, south, east, north = roads.boundary_m
    cells = HexCells(8, 80.0, "flat", ((west + east) / 2, (south + north) / 2))
    coverage = cover_edges(roads, cells)
    for edge in range(len(roads)):
        stretches = edge_stretches(coverage, edge)
        assert (stretches[0][1], stretches[-1][2]) == (0.0, roads.length_m[edge])
        assert all(before[2] == after[1] and before[0] != after[0] and before[2] > before[1] for before, after in pairwise(stretches))
    followed = roads.successor[roads.successor >= 0]
    assert len(followed) > 100
    chains = look_ahead_chains(roads, coverage, two_tiers(cells, 1).server_of, 300.0)
    for edge in range(len(roads)):  # a chain is as long as its edges, and begins as its edge does
        assert row_of(chains, edge)[0][0] == edge_stretches(coverage, edge)[0][0]
        assert row_of(chains, edge)[-1][2] >= roads.length_m[edge] - 1e-6
