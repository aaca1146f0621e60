"""What the servers of a tier cover, and what they have of their own (model, section 2)."""

import numpy as np
import pytest

from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.cells import StationData
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.sites import Outline, SiteCells
from msmf_traci.errors import InputError
from msmf_traci.units import BYTES_PER_MBIT

NAN = np.nan


def row_of_sites(tier: list[str], capacity: list[float], bandwidth: list[float], **columns: list[str]) -> SiteCells:
    """Four sites in a row, a, b, c and d."""
    said = StationData(
        np.arange(4),
        np.array(tier, dtype=object),
        {"capacity": np.array(capacity), "store_gb": np.full(4, NAN), "bandwidth_mbps": np.array(bandwidth)},
        {name: np.array(values, dtype=object) for name, values in columns.items()},
    )
    x = np.arange(4) * 500.0
    return SiteCells(x, np.zeros(4), list("abcd"), Outline(), (-500.0, -500.0, 2000.0, 500.0), said)


def plain() -> SiteCells:
    return row_of_sites([""] * 4, [NAN] * 4, [NAN] * 4)


def test_three_tiers_are_numbered_and_named_from_the_lowest() -> None:
    servers = lay_servers(
        HexCells(2, 500.0), [TierPlan("local", "cell"), TierPlan("regional", "rings", rings=1), TierPlan("central", "all")]
    )
    regions = len(servers) - 19 - 1
    assert servers.tiers == ("local", "regional", "central")
    assert np.bincount(servers.tier(np.arange(len(servers)))).tolist() == [19, regions, 1]
    assert servers.names[-1] == "central:all" and str(servers.names[0]).startswith("L:") and str(servers.names[19]).startswith("R:")
    assert (servers.server_of[2] == len(servers) - 1).all()
    assert servers.hops(np.full(19, len(servers) - 1), np.arange(19)).tolist() == [0] * 19


def test_a_column_says_the_area_of_each_station() -> None:
    cells = row_of_sites([""] * 4, [NAN] * 4, [NAN] * 4, district=["west", "west", "east", "west"])
    servers = lay_servers(cells, [TierPlan("local", "cell"), TierPlan("edge", "column", column="district")])
    assert servers.names[servers.server_of[1]].tolist() == ["edge:west", "edge:west", "edge:east", "edge:west"]
    with pytest.raises(InputError, match=r"tiers\.edge.column=town: the deployment has no such column"):
        lay_servers(cells, [TierPlan("edge", "column", column="town")])
    with pytest.raises(InputError, match="1 of 4 base stations have nothing in it"):
        lay_servers(row_of_sites([""] * 4, [NAN] * 4, [NAN] * 4, t=["a", "", "b", "c"]), [TierPlan("edge", "column", column="t")])


@pytest.mark.parametrize("many", [1, 2, 3, 4])
def test_clusters_are_as_many_as_asked_for_and_lie_together(many: int) -> None:
    area = lay_servers(plain(), [TierPlan("regional", "clusters", clusters=many)]).server_of[0]
    assert len(set(area.tolist())) == many
    assert all(np.ptp(np.flatnonzero(area == each)) == (area == each).sum() - 1 for each in set(area.tolist()))  # none has a gap


def test_more_clusters_than_cells_are_refused() -> None:
    with pytest.raises(InputError, match=r"tiers\.regional\.clusters=5: there are only 4 cells"):
        lay_servers(plain(), [TierPlan("regional", "clusters", clusters=5)])


def test_clusters_are_made_on_a_lattice_too() -> None:
    servers = lay_servers(HexCells(3, 500.0), [TierPlan("local", "cell"), TierPlan("regional", "clusters")])
    assert len(servers) == 37 + 2  # 37 / 19, rounded up


def test_servers_have_capacities_and_bandwidths_of_their_own() -> None:
    # b and c stand in one region and speak of its server: 3 + 4 containers, 10 Mb/s; a speaks of its own
    cells = row_of_sites(["", "regional", "regional", ""], [2, 3, 4, NAN], [NAN, 10, NAN, 20])
    servers = lay_servers(cells, [TierPlan("local", "cell"), TierPlan("regional", "all")])
    assert servers.room.tolist() == [2, -1, -1, -1, 7]
    assert (servers.bandwidth / BYTES_PER_MBIT).tolist() == [0, 0, 0, 20, 10]


def test_a_tier_that_is_not_there_is_refused() -> None:
    cells = row_of_sites(["", "cloud", "", ""], [NAN, 3, NAN, NAN], [NAN] * 4)
    with pytest.raises(InputError, match=r"names a tier cloud; tiers\.order has local"):
        lay_servers(cells, [TierPlan("local", "cell")])


def test_layers_end_with_the_cells_where_the_lowest_tier_has_larger_areas() -> None:
    two = lay_servers(plain(), [TierPlan("local", "cell"), TierPlan("central", "all")])
    assert (two.cell_layer, len(two.layers)) == (0, 2)
    one = lay_servers(plain(), [TierPlan("central", "all")])
    assert (one.cell_layer, one.layers.tolist()) == (1, [[0, 0, 0, 0], [0, 1, 2, 3]])
