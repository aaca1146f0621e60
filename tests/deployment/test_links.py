"""Links between servers from a file (model, sections 2 and 8): a ring and a tree worked out on paper, and the paths of any graph."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from msmf_traci.control.tiers import TierChoice
from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.backhaul import UNREACHED_NS, Backhaul, find_paths
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.link_file import LinkTable, read_links
from msmf_traci.deployment.server_map import RequestLatency, request_ms
from msmf_traci.deployment.servers import Servers
from msmf_traci.errors import InputError
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.links import links_between, longest_path, rate_between
from msmf_traci.migration.policy import HandoffPolicy, LinkOptions, Policy, Processing
from msmf_traci.migration.workload import private_containers
from msmf_traci.records import record_of
from tests.courses import tell, told_engine

MB = 1e6
LOCAL, TOP = TierPlan("local", "cell"), TierPlan("top", "all")
CELLS = HexCells(1, 500.0)  # seven
L = [f"L:{name}" for name in CELLS.names]
# access takes 10 ms and computing 5 ms, on the top 1 ms
LATENCY = record_of(RequestLatency((15.0, 11.0)))[None]
POLICY = record_of(Policy(LinkOptions(12.5 * MB, MB, 0.0), HandoffPolicy(False, False), RequestLatency((15.0, 11.0)), 2))[None]


def written(folder: Path, rows: list[tuple[str, str, float, float]]) -> Path:
    path = folder / "links.csv"
    path.write_text("\n".join(["a,b,latency_ms,mbps", *(f'"{a}","{b}",{ms},{mbps}' for a, b, ms, mbps in rows)]) + "\n")
    return path


def ring(folder: Path) -> Servers:
    """Seven local servers in a ring, 2 ms a link."""
    rows = [(L[i], L[(i + 1) % 7], 2.0, 100.0) for i in range(7)]
    return lay_servers(CELLS, [LOCAL], read_links(written(folder, rows)))


def tree(folder: Path) -> Servers:
    """A root, the top server, with two switches; three local servers below the first and four below the second.

    3 and 4 ms and 40 Mb/s from the top to the switches, 1 ms and 1000 Mb/s from there to the servers.
    """
    rows = [("node:left", "top:all", 3.0, 40.0), ("top:all", "node:right", 4.0, 40.0)]
    rows += [("node:left" if i < 3 else "node:right", L[i], 1.0, 1000.0) for i in range(7)]
    return lay_servers(CELLS, [LOCAL, TOP], read_links(written(folder, rows)))


def test_latency_on_a_ring_goes_the_shorter_way_round(tmp_path: Path) -> None:
    server_map = ring(tmp_path).server_map()
    # access 10, computing 5, and 2 ms for each link of the shorter way: 0, 1, 2, 3, 3, 2, 1 links
    found = [request_ms(server, 0, LATENCY[0], server_map) for server in range(7)]
    assert found == approx([15, 17, 19, 21, 21, 19, 17])


def test_latency_on_a_tree_leads_over_its_switches(tmp_path: Path) -> None:
    servers = tree(tmp_path)
    server_map = servers.server_map()
    top = 7
    assert request_ms(0, 0, LATENCY[0], server_map) == approx(15)  # its own server
    assert request_ms(1, 0, LATENCY[0], server_map) == approx(15 + 1 + 1)  # below the same switch
    assert request_ms(5, 0, LATENCY[0], server_map) == approx(15 + 1 + 3 + 4 + 1)  # over the root
    assert request_ms(top, 0, LATENCY[0], server_map) == approx(11 + 1 + 3)
    assert request_ms(top, 6, LATENCY[0], server_map) == approx(11 + 1 + 4)


def test_the_tier_of_a_task_depends_on_the_way_up_from_its_cell(tmp_path: Path) -> None:
    servers = tree(tmp_path)
    choice = TierChoice(RequestLatency((15.0, 11.0)), 0.0, None, servers.up_ms)
    # the top takes 15 ms from the left and 16 ms from the right
    assert choice.choose(np.full(7, 15.5), cell=np.arange(7)).tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert choice.eligible(np.full(7, 14.0), np.arange(7)).any() == np.False_


def test_the_narrowest_link_of_the_way_is_what_a_transfer_gets(tmp_path: Path) -> None:
    servers = tree(tmp_path)
    assert rate_between(0, 1, POLICY[0], servers.server_map()) == approx(12.5 * MB)  # the servers' own 100 Mb/s
    assert rate_between(0, 4, POLICY[0], servers.server_map()) == approx(5 * MB)  # 40 Mb/s at the root


def test_of_equally_short_ways_fewer_links_then_names_decide(tmp_path: Path) -> None:
    rows = [(L[0], L[1], 2.0, 1.0), (L[1], L[3], 2.0, 1.0), (L[0], L[2], 2.0, 1.0), (L[2], L[3], 2.0, 1.0), (L[0], "node:x", 1.0, 1.0)]
    rows += [("node:x", "node:y", 1.0, 1.0), ("node:y", L[3], 2.0, 1.0), *((L[0], L[i], 1.0, 1.0) for i in (4, 5, 6))]
    servers = lay_servers(CELLS, [LOCAL], read_links(written(tmp_path, rows)))
    server_map = servers.server_map()
    found = np.empty(longest_path(server_map), dtype=np.int64)
    n = links_between(0, 3, server_map, found)
    on_way = [int(server_map.backhaul.to[link - 2 * len(servers)]) for link in found[1 : n - 1]]
    # three ways of 4 ms: over node:x and node:y with three links, over L[1] and over L[2] with two
    first = min(L[1], L[2])
    assert [servers.name(node) for node in on_way] == [first, L[3]]


def run(servers: Servers, transfers: list[tuple[int, int]], until_s: float, *, shared: bool, round_trips: float = 0.0) -> np.ndarray:
    """Seconds after which the images of 100 MB of some containers are on their targets."""
    links = LinkOptions(12.5 * MB, 1e12, 0.0, is_shared=shared)
    processing = Processing(round_trips=round_trips)
    rules = Policy(links, HandoffPolicy(False, False), RequestLatency((15.0, 11.0)), 2, processing)
    ledger = Ledger(keep_stages=True)
    engine = told_engine([rules], [servers], ledger)
    n = len(transfers)
    each = np.ones(n)
    engine.admit([private_containers(100 * MB * each, MB * each, 80 * each, 0.2 * each, 0 * each)])
    home, target = ([pair[k] for pair in transfers] for k in (0, 1))
    for t_s in (0.0, until_s):
        tell(engine, t_s, range(n), home=home, target=target, cell=home, first=t_s == 0, last=t_s > 0)
    stages = ledger.stages()
    first = stages["stage"] == 1
    return stages["t_end_s"][first][np.argsort(stages["vehicle"][first])]


def test_two_flows_share_an_inner_link_and_a_third_does_not(tmp_path: Path) -> None:
    servers = tree(tmp_path)
    # 0 to 3 and 1 to 4 share the 40 Mb/s of the root, 2.5 MB/s each: 40 s; 2 to 1 has its 100 Mb/s, but for the downlink: 8 s
    assert run(servers, [(0, 3), (1, 4), (2, 1)], 100.0, shared=True) == approx([40, 40, 8])
    # nobody shares: 5 MB/s each over the root
    assert run(servers, [(0, 3), (1, 4), (2, 1)], 100.0, shared=False) == approx([20, 20, 8])


def test_both_directions_of_a_link_carry_its_bandwidth(tmp_path: Path) -> None:
    assert run(tree(tmp_path), [(0, 3), (4, 1)], 100.0, shared=True) == approx([20, 20])


def test_of_links_side_by_side_the_shortest_then_the_widest_is_taken(tmp_path: Path) -> None:
    rows = [(L[i], L[(i + 1) % 7], 2.0, 40.0) for i in range(7)]
    rows += [(L[1], L[0], 2.0, 60.0), (L[0], L[1], 3.0, 90.0)]  # the same way again: wider, and longer
    servers = lay_servers(CELLS, [LOCAL], read_links(written(tmp_path, rows)))
    for source, target in ((0, 1), (1, 0)):
        assert rate_between(source, target, POLICY[0], servers.server_map()) == approx(7.5 * MB)


def test_round_trips_follow_from_the_way(tmp_path: Path) -> None:
    # ten round trips of twice 1 + 3 + 4 + 1 ms before the image of 100 MB at 5 MB/s
    assert run(tree(tmp_path), [(0, 4)], 100.0, shared=False, round_trips=10) == approx([20 + 10 * 2 * 0.009])


NODES = st.integers(1, 12)
LINKS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from([0.1, 0.2, 0.3, 0.4, 1.0])), max_size=40)


@settings(deadline=None)
@given(NODES, LINKS)
def test_ways_are_the_shortest_of_any_graph(nodes: int, links: list[tuple[int, int, float]]) -> None:
    chain = [(i, i + 1, 0.3) for i in range(nodes - 1)]  # so that every server is reached
    all_links = [(a % nodes, b % nodes, ms) for a, b, ms in links if a % nodes != b % nodes] + chain
    names = np.array([f"s{i}" for i in range(nodes)], dtype=object)
    ends = (np.array([names[link[k]] for link in all_links], dtype=object) for k in (0, 1))
    table = LinkTable(Path("links.csv"), range(len(all_links)), *ends, np.array([link[2] for link in all_links]), np.ones(len(all_links)))
    graph = table.between(names)
    source = np.repeat(np.arange(nodes), np.diff(graph.start))
    expected = shortest_ns(graph, source, nodes)
    latency_ns, link = np.empty(nodes, dtype=np.int64), np.empty(nodes, dtype=np.int32)
    for server in range(nodes):
        find_paths(server, graph, latency_ns, link)
        assert latency_ns.tolist() == expected[server].tolist()
        for node in range(nodes):
            at, total_ns = node, 0
            while at != server:
                assert source[link[at]] == at
                total_ns += int(graph.latency_ns[link[at]])
                at = int(graph.to[link[at]])
            assert total_ns == latency_ns[node]


def shortest_ns(graph: Backhaul, source: np.ndarray, nodes: int) -> np.ndarray:
    """Shortest latencies by scipy; of parallel links the shortest counts."""
    least = np.full((nodes, nodes), np.inf)
    np.minimum.at(least, (source, graph.to), graph.latency_ns)
    a, b = np.nonzero(np.isfinite(least))
    found = dijkstra(coo_matrix((least[a, b], (a, b)), shape=(nodes, nodes)).tocsr())
    return np.where(np.isfinite(found), found, UNREACHED_NS).astype(np.int64)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,latency_ms\nL,M,1\n", "has no column mbps; its first line must name a, b, latency_ms, mbps"),
        ('a,b,latency_ms,mbps\n"L:0,0","L:0,1",-1,5\n', "line 2: latency_ms=-1 must be a number, 0 or more"),
        ('a,b,latency_ms,mbps\n"L:0,0","L:0,1",1,0\n', "line 2: mbps=0 must be a number, above 0"),
        ('a,b,latency_ms,mbps\n"L:0,0","L:0,1",soon,5\n', "line 2: latency_ms=soon must be a number"),
        ('a,b,latency_ms,mbps\n"L:0,0","L:0,0",1,5\n', "line 2: the link leads from L:0,0 to itself"),
        ('a,b,latency_ms,mbps\n"L:0,0","L:0,11",1,5\n', "line 2: there is no server L:0,11; did you mean L:0,1?"),
        ('a,b,latency_ms,mbps\n"L:0,0","xyz",1,5\n', "servers are called like L:"),
        ('a,b,latency_ms,mbps\n"L:0,0","L:0,1",1,5\n', "no path leads from server"),
        ("a,b,latency_ms,mbps\nL:0,0,L:0,1,1,5\n", "line 2: 6 fields in place of 4; a name with a comma must stand in quotes"),
        ("", "has no column a"),
        ('a,b,latency_ms,mbps\n\n"L:0,0","L:0,1",1,5\n\n"L:0,0","L:0,1",soon,5\n', "line 5: latency_ms=soon"),
    ],
)
def test_wrong_links_are_said_with_their_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        lay_servers(CELLS, [LOCAL], read_links(path))
    assert said in str(refused.value)
