"""What section 2 of the model promises of servers: clusters that tile the lattice, names, hops to a region, and tiers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msmf_traci.deployment import server_map
from msmf_traci.deployment.lattice import HexCells, cluster_centers, hex_distance
from tests.deployments import LOCAL, REGIONAL, two_tiers

RINGS_OF_REGIONS = (1, 2, 3)
CELLS = HexCells(9, 500.0)
SERVERS = {k: two_tiers(CELLS, k) for k in RINGS_OF_REGIONS}
COORDINATE = st.integers(-500, 500)


def centers_of(cells: HexCells, k: int) -> list[list[int]]:
    """Centres of the regions, in the order of their servers."""
    found: list[list[int]] = np.unique(cluster_centers(cells.axial, k), axis=0).tolist()
    return found


def lattice(k: int, a: int, b: int) -> tuple[int, int]:
    """The sublattice of the model: a (2k+1, -k) + b (k, k+1)."""
    return a * (2 * k + 1) + b * k, -a * k + b * (k + 1)


def hexagon(q: int, r: int, k: int) -> set[tuple[int, int]]:
    """All lattice points within k steps, from the definition of the hexagonal distance."""
    steps = range(-k, k + 1)
    return {(q + dq, r + dr) for dq in steps for dr in steps if max(abs(dq), abs(dr), abs(dq + dr)) <= k}


def in_sublattice(q: int, r: int, k: int) -> bool:
    """Solve (q, r) = a (2k+1, -k) + b (k, k+1) by Cramer's rule; the determinant is 3k^2 + 3k + 1."""
    size = 3 * k * k + 3 * k + 1
    return (q * (k + 1) - r * k) % size == 0 and (q * k + r * (2 * k + 1)) % size == 0


@pytest.mark.parametrize("k", RINGS_OF_REGIONS)
def test_hexagons_around_the_sublattice_tile_without_overlap_and_the_code_finds_the_same_ones(k: int) -> None:
    clusters = {lattice(k, a, b): hexagon(*lattice(k, a, b), k) for a in range(-3, 4) for b in range(-3, 4)}
    owner = {cell: center for center, members in clusters.items() for cell in members}
    assert len(owner) == 49 * (3 * k * k + 3 * k + 1)  # no cell twice
    cells = np.array(list(owner))
    assert [tuple(center) for center in cluster_centers(cells, k).tolist()] == list(owner.values())


@settings(deadline=None)
@given(COORDINATE, COORDINATE, st.integers(1, 8))
def test_every_cell_lies_within_k_steps_of_its_centre_which_is_in_the_sublattice(q: int, r: int, k: int) -> None:
    center_q, center_r = (int(value) for value in cluster_centers(np.array([[q, r]]), k)[0])
    assert in_sublattice(center_q, center_r, k)
    assert int(hex_distance(np.array([q - center_q]), np.array([r - center_r]))[0]) <= k


@pytest.mark.parametrize(("k", "size"), [(1, 7), (2, 19), (3, 37)])
def test_whole_regions_have_7_19_37_cells_and_those_cut_by_the_border_fewer(k: int, size: int) -> None:
    regions = SERVERS[k].server_of[REGIONAL] - len(CELLS)
    deployed = {tuple(axial) for axial in CELLS.axial.tolist()}
    whole = 0
    for region, center in enumerate(centers_of(CELLS, k)):
        expected = hexagon(*center, k) & deployed
        assert {tuple(axial) for axial in CELLS.axial[regions == region].tolist()} == expected
        whole += len(expected) == size
    assert whole >= 1
    assert np.bincount(regions).max() == size
    assert np.bincount(regions).sum() == len(CELLS)


def test_a_region_whose_centre_lies_outside_keeps_its_cells_and_its_name() -> None:
    # One ring of cells, k = 1: (0, 0) and its six neighbours are one whole region; two rings: the others belong to centres outside.
    assert two_tiers(HexCells(1, 500.0), 1).names.tolist()[7:] == ["R:0,0"]
    servers = two_tiers(HexCells(2, 500.0), 1)
    cell = np.flatnonzero((HexCells(2, 500.0).axial == [2, 0]).all(axis=1))
    # (2, 0) is one step from the centre (3, -1) = basis vector (2k+1, -k), which is three steps out and not deployed
    assert servers.name(int(servers.server_of[REGIONAL, cell[0]])) == "R:3,-1"


@pytest.mark.parametrize("k", RINGS_OF_REGIONS)
def test_servers_are_called_by_tier_and_axial_coordinates(k: int) -> None:
    servers = SERVERS[k]
    names = [servers.name(server) for server in range(len(servers))]
    assert names[: len(CELLS)] == [f"L:{q},{r}" for q, r in CELLS.axial.tolist()]
    assert names[len(CELLS) :] == [f"R:{q},{r}" for q, r in centers_of(CELLS, k)]
    assert len(set(names)) == len(names)
    assert "R:0,0" in names


@pytest.mark.parametrize("k", RINGS_OF_REGIONS)
def test_each_cell_has_its_own_local_server_and_its_clusters_regional_one(k: int) -> None:
    servers = SERVERS[k]
    everywhere = np.arange(len(CELLS))
    assert servers.server_of[LOCAL].tolist() == everywhere.tolist()
    assert servers.tier(servers.server_of[LOCAL]).tolist() == [LOCAL] * len(CELLS)
    assert servers.tier(servers.server_of[REGIONAL]).tolist() == [REGIONAL] * len(CELLS)
    centers = cluster_centers(CELLS.axial, k).tolist()
    assert [servers.name(int(server)) for server in servers.server_of[REGIONAL]] == [f"R:{q},{r}" for q, r in centers]
    assert len(servers) == len(CELLS) + len({tuple(center) for center in centers})


@pytest.mark.parametrize("k", RINGS_OF_REGIONS)
def test_hops_to_a_region_are_those_to_its_nearest_cell(k: int) -> None:
    servers = SERVERS[k]
    axial = CELLS.axial.tolist()
    attached = list(range(0, len(CELLS), 7))
    for region in range(len(servers) - len(CELLS)):
        members = [axial[cell] for cell in np.flatnonzero(servers.server_of[REGIONAL] == len(CELLS) + region)]
        found = servers.hops(np.full(len(attached), len(CELLS) + region), np.array(attached))
        for cell, hops in zip(attached, found.tolist(), strict=True):
            q, r = axial[cell]
            assert hops == min(max(abs(q - a), abs(r - b), abs(q + r - a - b)) for a, b in members)


@pytest.mark.parametrize("rings", [1, 4])
def test_hops_between_cells_are_the_distance_on_the_lattice(rings: int) -> None:
    cells = HexCells(rings, 500.0)
    servers = two_tiers(cells, 1)
    everywhere = np.arange(len(cells))
    for origin in everywhere:
        apart = cells.axial - cells.axial[origin]
        assert servers.hops(origin, everywhere).tolist() == hex_distance(apart[:, 0], apart[:, 1]).tolist()


def test_hops_of_more_servers_at_once_than_there_is_room_for_are_right() -> None:
    servers, everywhere = two_tiers(CELLS, 2), np.arange(len(CELLS))
    for _ in range(3):  # first without rows, then with some, then with all
        for cell in (0, 100):
            apart = CELLS.axial - CELLS.axial[cell]
            assert servers.hops(everywhere, np.array(cell)).tolist() == hex_distance(apart[:, 0], apart[:, 1]).tolist()


def test_hops_mix_local_and_regional_servers_and_are_none_inside_the_area() -> None:
    servers = SERVERS[2]
    cell = {tuple(axial): number for number, axial in enumerate(CELLS.axial.tolist())}
    origin, far = cell[0, 0], cell[4, 0]
    region = int(servers.server_of[REGIONAL, origin])  # all within two steps of (0, 0)
    hops = servers.hops(np.array([origin, far, region, region]), np.array([origin, origin, origin, far]))
    assert hops.tolist() == [0, 4, 0, 2]


@settings(deadline=None)
@given(st.integers(1, 3), st.floats(0, 2 * math.pi))
def test_leaving_a_region_straight_ahead_adds_one_hop_a_cell(k: int, bearing: float) -> None:
    servers = SERVERS[k]
    origin = int(np.flatnonzero((CELLS.axial == 0).all(axis=1))[0])
    region = int(servers.server_of[REGIONAL, origin])
    step = CELLS.neighbours[origin][int(bearing / (2 * math.pi) * 6) % 6]
    direction = CELLS.axial[step]
    ring = {tuple(axial): number for number, axial in enumerate(CELLS.axial.tolist())}
    line = np.array([ring[tuple((direction * n).tolist())] for n in range(10)])
    assert servers.hops(np.full(10, region), line).tolist() == [max(0, n - k) for n in range(10)]


def test_hops_are_the_same_where_few_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for a server's row, hops are found in a scratch row, which belongs to one server after the other."""
    plenty = two_tiers(CELLS, 2)
    monkeypatch.setattr(server_map, "_ROOM_BYTES", 0)
    monkeypatch.setattr(server_map, "_FEWEST_ROWS", 2)
    few = two_tiers(CELLS, 2)
    rng = np.random.default_rng(5)
    for _ in range(3):
        server, cell = rng.integers(0, len(few), 200), rng.integers(0, len(CELLS), 200)
        assert few.hops(server, cell).tolist() == plenty.hops(server, cell).tolist()
    assert len(few.server_map().hops) < len(few)
