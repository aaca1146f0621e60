"""Roads as people on foot use them: every street both ways, every corner taken, and what was known of the roads before still true."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.deployment.lattice import HexCells
from msmf_traci.roads.both_ways import AGAINST, open_both_ways
from msmf_traci.roads.coverage import cover_edges
from msmf_traci.roads.roads import Roads, read_roads
from tests.road_lines import Point, make_roads

WEST, MIDDLE, EAST, NORTH = (0.0, 0.0), (400.0, 0.0), (700.0, 0.0), (400.0, 300.0)


def followers(roads: Roads, edge: int) -> dict[str, bool]:
    """Ids of the edges that one leads to, and whether each is a turnaround."""
    here = slice(roads.follower_start[edge], roads.follower_start[edge + 1])
    return {roads.ids[to]: turns for to, turns in zip(roads.follower[here].tolist(), roads.turnaround[here].tolist(), strict=True)}


def line_of(roads: Roads, edge: int) -> list[Point]:
    return list(zip(*(each.tolist() for each in roads.line(edge)), strict=True))


def check(roads: Roads, wide: Roads) -> None:
    """What is promised of any roads."""
    n = len(roads)
    assert wide.ids[:n] == roads.ids
    assert (wide.length_m[:n] == roads.length_m).all()
    assert (wide.successor[:n] == roads.successor).all()
    for edge in range(n):
        assert line_of(wide, edge) == line_of(roads, edge)
    for edge in range(n, len(wide)):
        first = roads.ids.index(wide.ids[edge].removesuffix(AGAINST))
        assert line_of(wide, edge) == line_of(roads, first)[::-1]
        assert wide.length_m[edge] == roads.length_m[first]
        assert (wide.from_node[edge], wide.to_node[edge]) == (roads.to_node[first], roads.from_node[first])
    for edge in range(len(wide)):
        begin_there = {wide.ids[to] for to in np.flatnonzero(wide.from_node == wide.to_node[edge])}
        assert set(followers(wide, edge)) == begin_there
        assert sum(followers(wide, edge).values()) <= 1
        if wide.successor[edge] >= 0:
            assert wide.to_node[edge] == wide.from_node[wide.successor[edge]]
    assert len(set(wide.ids)) == len(wide)


def test_a_one_way_street_leads_back_as_it_came() -> None:
    bent = [(0.0, 0.0), (200.0, 100.0), (400.0, 0.0)]
    roads = make_roads([bent], lengths=[450.0])
    wide = open_both_ways(roads)
    check(roads, wide)
    assert wide.ids == ["e0", "e0 (against)"]
    assert line_of(wide, 1) == bent[::-1]
    assert wide.length_m.tolist() == [450.0, 450.0]
    assert followers(wide, 0) == {"e0 (against)": True} and followers(wide, 1) == {"e0": True}


def test_a_street_that_leads_both_ways_stays_as_it_is() -> None:
    roads = make_roads([[WEST, MIDDLE], [MIDDLE, WEST], [MIDDLE, EAST], [EAST, MIDDLE]])
    wide = open_both_ways(roads)
    check(roads, wide)
    assert wide.ids == roads.ids


def test_at_a_junction_every_street_is_taken_and_only_the_own_one_turns_round() -> None:
    # one way eastward and northward; one may not go on northward by car
    roads = make_roads([[WEST, MIDDLE], [MIDDLE, EAST], [NORTH, MIDDLE]], successor=[1, -1, -1])
    wide = open_both_ways(roads)
    check(roads, wide)
    assert followers(wide, wide.ids.index("e0")) == {"e0 (against)": True, "e1": False, "e2 (against)": False}
    assert followers(wide, wide.ids.index("e1 (against)")) == {"e0 (against)": False, "e1": True, "e2 (against)": False}
    # straight on as before; against the street straight on too
    assert wide.successor[0] == 1
    assert wide.ids[wide.successor[wide.ids.index("e1 (against)")]] == "e0 (against)"


def test_a_way_round_between_the_same_junctions_is_no_other_direction() -> None:
    # from west to the middle straight on; back by a road of more than its length and a fifth
    roads = make_roads([[WEST, MIDDLE], [MIDDLE, (200.0, 200.0), WEST]])
    wide = open_both_ways(roads)
    check(roads, wide)
    assert wide.ids == ["e0", "e1", "e0 (against)", "e1 (against)"]
    assert followers(wide, 0) == {"e1": False, "e0 (against)": True}


def test_two_streets_between_the_same_junctions_turn_round_on_themselves_each() -> None:
    # as long as each other, both with both directions
    above, below = [WEST, (200.0, 100.0), MIDDLE], [WEST, (200.0, -100.0), MIDDLE]
    roads = make_roads([above, below, above[::-1], below[::-1]])
    wide = open_both_ways(roads)
    check(roads, wide)
    assert wide.ids == roads.ids
    assert followers(wide, 0) == {"e2": True, "e3": False}
    assert followers(wide, 1) == {"e2": False, "e3": True}


def test_of_two_streets_between_the_same_junctions_the_one_way_street_gets_its_other_direction() -> None:
    above, below = [WEST, (200.0, 100.0), MIDDLE], [WEST, (200.0, -100.0), MIDDLE]
    roads = make_roads([above, below, above[::-1]])
    wide = open_both_ways(roads)
    check(roads, wide)
    assert wide.ids == ["e0", "e1", "e2", "e1 (against)"]


def test_one_way_streets_around_a_block_are_no_two_directions_of_one_street() -> None:
    above, below = [WEST, (200.0, 100.0), MIDDLE], [MIDDLE, (200.0, -100.0), WEST]
    wide = open_both_ways(make_roads([above, below]))
    assert wide.ids == ["e0", "e1", "e0 (against)", "e1 (against)"]


def test_directions_a_few_metres_apart_are_one_street_however_short() -> None:
    roads = make_roads([[(0.0, 0.0), (3.0, 4.0), (9.0, 0.0)], [(9.0, 0.0), (3.0, -4.0), (0.0, 0.0)]])
    assert open_both_ways(roads).ids == roads.ids


def test_a_way_through_the_same_junction_twice_has_another_direction_too() -> None:
    loop = [WEST, (100.0, 0.0), (100.0, 100.0), WEST]
    wide = open_both_ways(make_roads([loop]))
    assert line_of(wide, 1) == loop[::-1]
    assert followers(wide, 0) == {"e0": False, "e0 (against)": True}


def test_cells_are_laid_along_both_directions() -> None:
    roads = make_roads([[(0.0, -200.0), (0.0, 900.0)]])
    coverage = cover_edges(open_both_ways(roads), HexCells(5, 500.0, "flat"))
    # borders at y = 250 and 750
    assert coverage.exit_m.tolist() == pytest.approx([450, 950, 1100, 150, 650, 1100])
    assert coverage.cell[:3].tolist() == coverage.cell[3:][::-1].tolist()


@st.composite
def some_roads(draw: st.DrawFn) -> Roads:
    """Streets between corners of a lattice, one way or both, no two between the same ones."""
    corners = [(100.0 * i, 100.0 * j) for i in range(3) for j in range(3)]
    pairs = draw(
        st.lists(st.tuples(st.sampled_from(corners), st.sampled_from(corners)).filter(lambda ends: ends[0] < ends[1]), unique=True)
    )
    lines = []
    for begin, end in pairs:
        way = draw(st.sampled_from(["there", "back", "both"]))
        lines += [[begin, end]] if way != "back" else []
        lines += [[end, begin]] if way != "there" else []
    return make_roads(lines or [[corners[0], corners[1]]])


@settings(max_examples=80, deadline=None)
@given(some_roads())
def test_every_street_leads_both_ways_and_every_turnaround_leads_back(roads: Roads) -> None:
    wide = open_both_ways(roads)
    check(roads, wide)
    lines = [line_of(wide, edge) for edge in range(len(wide))]
    assert sorted(lines) == sorted(line[::-1] for line in lines)
    assert len({tuple(line) for line in lines}) == len(lines)
    for edge, line in enumerate(lines):
        (back,) = [name for name, turns in followers(wide, edge).items() if turns]
        assert line_of(wide, wide.ids.index(back)) == line[::-1]


def test_of_a_city_everything_known_stays_true_and_everybody_gets_everywhere(sumo_home: Path) -> None:
    roads = read_roads(sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml")
    wide = open_both_ways(roads)
    check(roads, wide)
    assert len(wide) > len(roads)
    assert all(np.hypot(a[0] - b[0], a[1] - b[1]) > 0 for edge in range(len(roads), len(wide)) for a, b in pairwise(line_of(wide, edge)))
