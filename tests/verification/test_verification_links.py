"""Shared links against paper (model, section 8): max-min fair rates of flows on uplinks and downlinks, W = 10 MB/s."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from msmf_traci.migration.links import flows_by_link, level_for_one_more, max_min_rates

W = 10.0
SERVERS = 6
Flow = tuple[int, int]


def rates(flows: Sequence[Flow], bandwidth: float = W) -> np.ndarray:
    """Rates of flows (source, target) between six servers."""
    begin, way = ways(flows)
    start, flow = flows_by_link(begin, way, 2 * SERVERS)
    return max_min_rates(begin, way, start, flow, np.full(2 * SERVERS, bandwidth))


def ways(flows: Sequence[Flow]) -> tuple[np.ndarray, np.ndarray]:
    """The uplink and the downlink of each flow."""
    way = np.array([link for source, target in flows for link in (source, SERVERS + target)], dtype=np.int64)
    return np.arange(0, len(way) + 1, 2), way


def rate_of_one_more(flows: Sequence[Flow], more: Flow) -> float:
    """What a further flow would get, without solving anew."""
    begin, way = ways(flows)
    start, flow = flows_by_link(begin, way, 2 * SERVERS)
    given = max_min_rates(begin, way, start, flow, np.full(2 * SERVERS, W))
    return min(level_for_one_more(link, start, flow, given, W) for link in (more[0], SERVERS + more[1]))


def test_one_flow_has_the_whole_link() -> None:
    assert rates([(0, 1)]) == approx([10])


def test_two_flows_share_an_uplink_or_a_downlink() -> None:
    assert rates([(0, 1), (0, 2)]) == approx([5, 5])
    assert rates([(1, 0), (2, 0)]) == approx([5, 5])


def test_two_flows_on_the_same_two_links_share_them_once() -> None:
    assert rates([(0, 1), (0, 1)]) == approx([5, 5])


def test_flows_that_meet_nowhere_do_not_share() -> None:
    assert rates([(0, 1), (1, 0), (2, 3)]) == approx([10, 10, 10])


def test_parking_lot() -> None:
    """Three flows into server 5 get a third each; what the one from server 0 leaves of its uplink, the other from there takes."""
    assert rates([(0, 5), (1, 5), (2, 5), (0, 1)]) == approx([10 / 3, 10 / 3, 10 / 3, 20 / 3])


def test_parking_lot_of_two_bottlenecks() -> None:
    """Down 5: four flows, 2.5 each. Up 0 then has 7.5 for two more, 3.75 each; up 1 has 7.5 for one."""
    flows = [(0, 5), (1, 5), (2, 5), (3, 5), (0, 1), (0, 2), (1, 3)]
    assert rates(flows) == approx([2.5, 2.5, 2.5, 2.5, 3.75, 3.75, 7.5])


def test_no_flow() -> None:
    assert len(rates([])) == 0


@pytest.mark.parametrize(
    ("flows", "more", "expected"), [([], (0, 1), 10), ([(0, 1)], (0, 2), 5), ([(1, 5), (2, 5), (0, 5)], (0, 1), 20 / 3)]
)
def test_one_flow_more(flows: list[Flow], more: Flow, expected: float) -> None:
    assert rate_of_one_more(flows, more) == approx(expected)


FLOWS = st.lists(st.tuples(st.integers(0, SERVERS - 1), st.integers(0, SERVERS - 1)), max_size=14)


@settings(max_examples=200, deadline=None)
@given(FLOWS)
def test_no_link_is_overfull_and_every_flow_has_a_bottleneck(flows: list[Flow]) -> None:
    """What defines max-min fairness: each flow crosses a full link on which none is faster (Bertsekas and Gallager, 6.5.2)."""
    given = rates(flows)
    on_link = [[i for i, flow in enumerate(flows) if flow[end] == server] for end in (0, 1) for server in range(SERVERS)]
    loads = [sum(given[i] for i in some) for some in on_link]
    assert all(load <= W * (1 + 1e-12) for load in loads)
    for i, rate in enumerate(given):
        assert rate > 0
        assert any(
            i in some and load == approx(W) and all(given[j] <= rate * (1 + 1e-12) for j in some)
            for some, load in zip(on_link, loads, strict=True)
        )


@settings(max_examples=200, deadline=None)
@given(FLOWS, st.tuples(st.integers(0, SERVERS - 1), st.integers(0, SERVERS - 1)))
def test_one_flow_more_gets_what_filling_up_with_it_gives(flows: list[Flow], more: Flow) -> None:
    assert rate_of_one_more(flows, more) == approx(rates([*flows, more])[-1], rel=1e-12)
