"""What section 1 of the model promises of cells: how many, where, whose point is whose, hops, borders, and lines cut at the borders."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from msmf_traci.deployment.lattice import NEIGHBOUR_STEPS, HexCells, hex_distance, rings_to_cover

D = 500.0
SQRT3 = math.sqrt(3)
ORIENTATIONS = ("flat", "pointy")
CENTER_M = (1000.0, -700.0)
DEPLOYMENTS = {orientation: HexCells(3, D, orientation, CENTER_M) for orientation in ORIENTATIONS}  # 37 cells, some 3.6 km across
WIDER = {orientation: HexCells(8, D, orientation, CENTER_M) for orientation in ORIENTATIONS}
AROUND = st.floats(-3000, 3000)
SHORTEST_M = 1e-6  # the middle of a shorter piece may lie on either side of a border


def brute_distances(cells: HexCells, x: float, y: float) -> np.ndarray:
    return np.hypot(cells.x_m - x, cells.y_m - y)


def cell_at(cells: HexCells, x: float, y: float) -> tuple[int, bool]:
    cell, outside = cells.cell_of(np.array([x]), np.array([y]))
    return int(cell[0]), bool(outside[0])


def number_of(cells: HexCells, q: int, r: int) -> int:
    return int(np.flatnonzero((cells.axial == [q, r]).all(axis=1))[0])


@pytest.mark.parametrize("rings", [1, 2, 3, 7, 25])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_deployment_of_r_rings_has_3r_r_plus_1_plus_1_cells(rings: int, orientation: str) -> None:
    cells = HexCells(rings, D, orientation)
    assert len(cells) == 3 * rings * (rings + 1) + 1
    assert len({tuple(axial) for axial in cells.axial.tolist()}) == len(cells)
    assert int(hex_distance(cells.axial[:, 0], cells.axial[:, 1]).max()) == rings


def test_25_rings_are_the_papers_1951_cells_and_422_km2() -> None:
    cells = HexCells(25, D)
    assert len(cells) == 1951
    # one cell: sqrt(3)/2 x 0.25 km2 = 0.21651 km2
    assert cells.area_m2 / len(cells) / 1e6 == pytest.approx(0.21651, abs=5e-6)
    assert cells.area_m2 / 1e6 == pytest.approx(422.4, abs=0.05)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_25_rings_are_25_km_along_and_21_65_km_across(orientation: str) -> None:
    cells = HexCells(25, D, orientation)
    east_west, north_south = np.ptp(cells.x_m), np.ptp(cells.y_m)
    across, along = (east_west, north_south) if orientation == "flat" else (north_south, east_west)
    assert along == pytest.approx(25_000)  # 2 R D
    assert across == pytest.approx(25 * D * SQRT3) == pytest.approx(21_650, abs=1)
    # with the cells themselves: D more along (two in-radii), 2 D / sqrt(3) more across (two circumradii)
    with_cells = (across + 2 * D / SQRT3, along + D)
    assert cells.extent_m == pytest.approx(with_cells if orientation == "flat" else with_cells[::-1])


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_centres_follow_the_axial_formulas(orientation: str) -> None:
    cells = DEPLOYMENTS[orientation]
    for (q, r), x, y in zip(cells.axial.tolist(), cells.x_m, cells.y_m, strict=True):
        expected = (SQRT3 / 2 * D * q, D * (r + q / 2)) if orientation == "flat" else (D * (q + r / 2), SQRT3 / 2 * D * r)
        assert (x - CENTER_M[0], y - CENTER_M[1]) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(st.sampled_from(ORIENTATIONS), AROUND, AROUND)
@example("flat", 0.0, 0.0)
@example("pointy", D / 2, 0.0)  # on a border
def test_the_cell_of_a_point_is_the_deployed_one_with_the_nearest_centre(orientation: str, dx: float, dy: float) -> None:
    cells = DEPLOYMENTS[orientation]
    x, y = CENTER_M[0] + dx, CENTER_M[1] + dy
    cell, outside = cell_at(cells, x, y)
    distances = brute_distances(cells, x, y)
    assert distances[cell] <= distances.min() + 1e-9
    # A point is outside where a lattice point that is not deployed is nearer: eight rings hold all that matter here.
    undeployed = hex_distance(WIDER[orientation].axial[:, 0], WIDER[orientation].axial[:, 1]) > cells.rings
    ahead_m = brute_distances(WIDER[orientation], x, y)[undeployed].min() - distances.min()
    if abs(ahead_m) > 1e-9:
        assert outside == (ahead_m < 0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_centre_and_everything_within_the_in_radius_belongs_to_its_own_cell(orientation: str) -> None:
    cells = DEPLOYMENTS[orientation]
    for bearing in np.linspace(0, 2 * math.pi, 25):
        x = cells.x_m + 0.499 * D * math.cos(bearing)
        y = cells.y_m + 0.499 * D * math.sin(bearing)
        found, outside = cells.cell_of(x, y)
        assert found.tolist() == list(range(len(cells)))
        assert not outside.any()


def test_a_point_far_outside_is_flagged_and_belongs_to_the_nearest_border_cell() -> None:
    cells = HexCells(2, D, "flat")
    assert cell_at(cells, 10.0, 50_000.0) == (number_of(cells, 0, 2), True)  # flat cells: the northern corner is (0, R)
    assert cell_at(cells, 0.0, 2 * D + 249.9) == (number_of(cells, 0, 2), False)
    assert cell_at(cells, 0.0, 2 * D + 250.1) == (number_of(cells, 0, 2), True)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_neighbours_are_the_adjacent_cells_and_know_each_other(orientation: str) -> None:
    cells = DEPLOYMENTS[orientation]
    for cell in range(len(cells)):
        neighbours = [int(other) for other in cells.neighbours[cell] if other >= 0]
        apart = brute_distances(cells, cells.x_m[cell], cells.y_m[cell])
        assert sorted(neighbours) == np.flatnonzero(np.abs(apart - D) < 1e-6).tolist()
        assert all(cell in cells.neighbours[other] for other in neighbours)
        for (step_q, step_r), other in zip(NEIGHBOUR_STEPS, cells.neighbours[cell], strict=True):
            if other >= 0:
                assert (cells.axial[other] - cells.axial[cell]).tolist() == [step_q, step_r]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_border_distance_is_the_in_radius_less_the_way_towards_the_neighbour(orientation: str) -> None:
    # A point t metres from the own centre towards the neighbour and w metres aside: |u-c2|^2 - |u-c1|^2 = D^2 - 2 D t, so D/2 - t.
    cells = DEPLOYMENTS[orientation]
    own = number_of(cells, 0, 0)
    for other in cells.neighbours[own].tolist():
        along = np.array([cells.x_m[other] - cells.x_m[own], cells.y_m[other] - cells.y_m[own]]) / D
        for t, w in ((0.0, 0.0), (200.0, 0.0), (200.0, 90.0), (249.0, -130.0), (-100.0, 30.0), (260.0, 5.0)):
            x = cells.x_m[own] + t * along[0] - w * along[1]
            y = cells.y_m[own] + t * along[1] + w * along[0]
            found = cells.border_distance_m(np.array([x]), np.array([y]), np.array([own]), np.array([other]))
            assert found[0] == pytest.approx(D / 2 - t, abs=1e-9)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_straight_line_is_cut_where_the_bisectors_are(orientation: str) -> None:
    # From centre (0, 0) through (0, 1) to the centre of (0, 2), 2 D away: borders at D/2 and 3D/2, a quarter and three quarters.
    cells = DEPLOYMENTS[orientation]
    first, second, third = (number_of(cells, 0, r) for r in (0, 1, 2))
    x, y = cells.x_m, cells.y_m
    cuts = cells.cut(*(np.array([value]) for value in (x[first], y[first], x[third], y[third])))
    assert cuts.cell.tolist() == [first, second, third]
    assert cuts.begin == pytest.approx([0, 0.25, 0.75])
    assert cuts.end == pytest.approx([0.25, 0.75, 1])


def test_no_lines_give_no_pieces_and_a_point_gives_one() -> None:
    cells = DEPLOYMENTS["flat"]
    nothing = np.zeros(0)
    assert len(cells.cut(nothing, nothing, nothing, nothing).cell) == 0
    x, y = cells.x_m[5:6], cells.y_m[5:6]
    cuts = cells.cut(x, y, x, y)
    assert (cuts.cell.tolist(), cuts.begin.tolist(), cuts.end.tolist()) == ([5], [0.0], [1.0])


@settings(deadline=None)
@given(st.sampled_from(ORIENTATIONS), st.lists(st.tuples(AROUND, AROUND, AROUND, AROUND), min_size=1, max_size=8))
@example("flat", [(0.0, 0.0, 3000.0, 0.0)])  # runs through corners and along borders
@example("pointy", [(0.0, 0.0, 0.0, 3000.0)])
@example("flat", [(-3000.0, 2900.0, 3000.0, 2900.0)])  # outside all the way
@example("flat", [(0.0, 250.0, 700.0, 250.0), (0.0, 250.0, -700.0, 250.0)])  # begins on a border and runs along it
def test_pieces_of_a_line_touch_cover_it_and_lie_in_their_cells(orientation: str, lines: list[tuple[float, ...]]) -> None:
    cells = DEPLOYMENTS[orientation]
    x0, y0, x1, y1 = np.array(lines).T + np.array([*CENTER_M, *CENTER_M])[:, None]
    cuts = cells.cut(x0, y0, x1, y1)
    assert sorted(set(cuts.line.tolist())) == list(range(len(lines)))
    for i in range(len(lines)):
        mine = np.flatnonzero(cuts.line == i)
        assert cuts.begin[mine[0]] == 0.0
        assert cuts.end[mine[-1]] == 1.0
        assert all(cuts.end[a] == cuts.begin[b] for a, b in pairwise(mine))
        assert all(cuts.cell[a] != cuts.cell[b] for a, b in pairwise(mine))
        length = math.hypot(x1[i] - x0[i], y1[i] - y0[i])
        for piece in mine:
            if (cuts.end[piece] - cuts.begin[piece]) * length > SHORTEST_M:
                middle = (cuts.begin[piece] + cuts.end[piece]) / 2
                distances = brute_distances(cells, x0[i] + middle * (x1[i] - x0[i]), y0[i] + middle * (y1[i] - y0[i]))
                assert distances[cuts.cell[piece]] <= distances.min() + 1e-6


def test_cells_are_named_by_their_axial_coordinates() -> None:
    cells = HexCells(2, D)
    assert cells.name(number_of(cells, 0, 0)) == "0,0"
    assert cells.name(number_of(cells, -2, 1)) == "-2,1"
    assert len({cells.name(cell) for cell in range(len(cells))}) == len(cells)


@settings(deadline=None)
@given(st.sampled_from(ORIENTATIONS), st.floats(1, 9000), st.floats(1, 9000))
def test_rings_to_cover_hold_the_rectangle_and_are_at_most_one_more_than_needed(orientation: str, width: float, height: float) -> None:
    rings = rings_to_cover(width, height, D, orientation)
    along = np.linspace(-0.5, 0.5, 401)
    side = np.full(along.shape, 0.5)
    x = np.concatenate([along, along, side, -side]) * width
    y = np.concatenate([side, -side, along, along]) * height
    assert not HexCells(rings, D, orientation).cell_of(x, y)[1].any()
    assert rings <= 2 or HexCells(rings - 2, D, orientation).cell_of(x, y)[1].any()


def test_rings_to_cover_cover_the_whole_rectangle() -> None:
    # Flat cells: the corners (700, +-250) lie in (1, 0) and (1, -1), whose eastern corners reach x = 433.0 + 288.7 = 721.7 m. Between
    # them the border recedes to x = 577.4 m at y = 0, so that (700, 0) belongs to (2, -1) of the second ring.
    cells = HexCells(rings_to_cover(1400.0, 500.0, D, "flat"), D, "flat")
    assert not cells.cell_of(np.array([700.0]), np.array([0.0]))[1][0]
