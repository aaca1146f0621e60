"""Cells of sites at any places: nearest station, borders at bisectors, and the same as the lattice where the sites are a lattice."""

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.sites import Outline, SiteCells

BOX = (0.0, 0.0, 1000.0, 1000.0)
NUMBER = st.floats(0.0, 1000.0, allow_nan=False)
# random sites, some of them on one line, some on a grid, where four cells meet in a point
PLACES = st.one_of(
    st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=25),
    st.lists(NUMBER.map(lambda x: (x, 300.0)), min_size=1, max_size=8),
    st.lists(NUMBER.map(lambda x: (x, 1000.0 - x)), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda ij: (200.0 * ij[0] + 100, 200.0 * ij[1] + 100)), min_size=1),
)


def cells_at(places: list[tuple[float, float]], outline: Outline | None = None) -> SiteCells:
    """Sites at different places; such that lie nearer than a centimetre are one."""
    distinct = np.array(sorted({(round(x, 2), round(y, 2)) for x, y in places}))
    return SiteCells(distinct[:, 0], distinct[:, 1], [str(i) for i in range(len(distinct))], outline or Outline(), BOX)


@settings(deadline=None, max_examples=60)
@given(PLACES, st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=20))
def test_every_point_lies_in_the_cell_of_its_nearest_site(places: list[tuple[float, float]], points: list[tuple[float, float]]) -> None:
    cells = cells_at(places)
    x, y = np.array(points).T
    cell, outside = cells.cell_of(x, y)
    away = np.hypot(x[:, None] - cells.x_m, y[:, None] - cells.y_m)
    assert away[np.arange(len(x)), cell] == pytest.approx(away.min(axis=1))
    assert not outside.any()
    near = shapely.distance(cells.polygons[cell], shapely.points(x, y))
    assert (near < 1e-6).all()


@settings(deadline=None, max_examples=60)
@given(PLACES, st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER), min_size=1, max_size=10))
def test_lines_are_cut_at_the_bisectors(places: list[tuple[float, float]], lines: list[tuple[float, float, float, float]]) -> None:
    cells = cells_at(places)
    x0, y0, x1, y1 = np.array(lines).T
    cuts = cells.cut(x0, y0, x1, y1)
    for line in range(len(lines)):
        if (x0[line], y0[line]) == (x1[line], y1[line]):
            continue
        own = np.flatnonzero(cuts.line == line)
        assert cuts.begin[own[0]] == 0 and cuts.end[own[-1]] == 1
        assert (cuts.begin[own[1:]] == cuts.end[own[:-1]]).all()
        at = np.concatenate([(cuts.begin[own] + cuts.end[own]) / 2, cuts.end[own[:-1]]])
        x, y = x0[line] + at * (x1[line] - x0[line]), y0[line] + at * (y1[line] - y0[line])
        away = np.hypot(x[:, None] - cells.x_m, y[:, None] - cells.y_m)
        middles, borders = slice(0, len(own)), slice(len(own), None)
        assert away[middles][np.arange(len(own)), cuts.cell[own]] == pytest.approx(away[middles].min(axis=1), abs=1e-6)
        # where a piece ends, its station and that of the next one are equally near
        assert away[borders][np.arange(len(own) - 1), cuts.cell[own[:-1]]] == pytest.approx(
            away[borders][np.arange(len(own) - 1), cuts.cell[own[1:]]], abs=1e-6
        )


@settings(deadline=None, max_examples=60)
@given(PLACES)
def test_neighbours_are_mutual_and_lead_from_every_cell_to_every_other(places: list[tuple[float, float]]) -> None:
    cells = cells_at(places)
    sets = [{other for other in row if other >= 0} for row in cells.neighbours.tolist()]
    assert all(cell in sets[other] for cell, others in enumerate(sets) for other in others)
    reached, todo = {0}, [0]
    while todo:
        new = sets[todo.pop()] - reached
        reached |= new
        todo += new
    assert len(reached) == len(cells)


@settings(deadline=None, max_examples=40)
@given(PLACES)
def test_cells_tile_the_outline(places: list[tuple[float, float]]) -> None:
    square = shapely.box(100, 200, 900, 950)
    cells = cells_at(places, Outline(square))
    assert cells.area_m2 == pytest.approx(square.area, rel=1e-6)
    assert shapely.union_all(cells.polygons).symmetric_difference(square).area == pytest.approx(0, abs=1e-3)


def test_cells_of_a_grid_have_four_neighbours_and_none_across_corners() -> None:
    cells = cells_at([(200.0 * i, 200.0 * j) for i in range(5) for j in range(5)])
    count = (cells.neighbours >= 0).sum(axis=1)
    assert sorted(count.tolist()) == [2] * 4 + [3] * 12 + [4] * 9


@pytest.mark.parametrize("orientation", ["flat", "pointy"])
def test_sites_on_the_lattice_have_the_cells_of_the_lattice(orientation: str) -> None:
    lattice = HexCells(8, 500.0, orientation, (1234.5, -777.7))
    order = np.random.default_rng(3).permutation(len(lattice))
    x, y = lattice.x_m[order], lattice.y_m[order]
    width, height = lattice.extent_m
    around = (1234.5 - width, -777.7 - height, 1234.5 + width, -777.7 + height)
    sites = SiteCells(x, y, list(lattice.names[order]), Outline(max_radius_m=500 / np.sqrt(3) + 1e-6), around)
    for cell, row in enumerate(sites.neighbours.tolist()):
        assert sorted(order[other] for other in row if other >= 0) == sorted(n for n in lattice.neighbours[order[cell]].tolist() if n >= 0)
    points = np.random.default_rng(4).uniform(-1, 1, (2, 5000)) * np.array([[width], [height]]) + np.array([[1234.5], [-777.7]])
    ours, ours_outside = sites.cell_of(*points)
    theirs, theirs_outside = lattice.cell_of(*points)
    assert (order[ours] == theirs).all()
    # the lattice ends at the hexagons, sites at the radius around them: between the two lie segments of circles
    assert not (ours_outside & ~theirs_outside).any()
    assert 0 < (theirs_outside & ~ours_outside).mean() < 0.02
    lines = np.random.default_rng(5).uniform(-2000, 2000, (4, 200))
    mine, other = sites.cut(*lines), lattice.cut(*lines)
    assert mine.line.tolist() == other.line.tolist()
    assert order[mine.cell].tolist() == other.cell.tolist()
    assert np.abs(mine.end - other.end).max() < 1e-9


def test_radius_ends_cells() -> None:
    cells = cells_at([(500.0, 500.0), (520.0, 500.0)], Outline(max_radius_m=100.0))
    _, outside = cells.cell_of(np.array([500.0, 601.0, 640.0]), np.array([500.0, 500.0, 500.0]))
    assert outside.tolist() == [False, False, True]
    # half the union of two circles whose centres are 20 apart: pi r^2 less half the lens, the circles drawn with 64 corners
    lens = 2 * 100**2 * np.arccos(0.1) - 10 * np.sqrt(4 * 100**2 - 20**2)
    assert cells.area_m2 == pytest.approx(2 * np.pi * 100**2 - lens, rel=2e-3)


@settings(deadline=None, max_examples=30)
@given(PLACES)
def test_identity_tells_deployments_apart(places: list[tuple[float, float]]) -> None:
    cells = cells_at(places)
    assert cells.identity == cells_at(places).identity
    assume(len(cells) > 1)
    assert cells.identity != cells_at(list(zip(cells.x_m[1:], cells.y_m[1:], strict=True))).identity
