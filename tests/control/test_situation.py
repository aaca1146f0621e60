"""What a strategy in Python is told of road, servers and containers, worked out on paper."""

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from msmf_traci.control.look import Look, Road
from msmf_traci.deployment.areas import TierPlan, lay_servers
from msmf_traci.deployment.lattice import HexCells
from msmf_traci.deployment.server_map import RequestLatency
from msmf_traci.migration.catalogue import catalogue_of
from msmf_traci.migration.container import Container
from msmf_traci.migration.engine import new_state
from msmf_traci.migration.ledger import Ledger, Stage
from msmf_traci.migration.plan import PRECOPY
from msmf_traci.migration.policy import HandoffPolicy, ImageOptions, LinkOptions, Policy
from msmf_traci.migration.scene import Scene, note_free
from msmf_traci.records import new_records, record_of
from msmf_traci.references import by_reference
from msmf_traci.sentinels import NO_SERVER
from msmf_traci.strategies.situation import Situation
from tests.deployments import REGIONAL

NOWHERE = Road(np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1))
MB = 1e6


def policy(**links: Any) -> Policy:
    """Links of 10 MB/s."""
    return Policy(LinkOptions(10 * MB, 5 * MB, 0.0, **links), HandoffPolicy(False, False), RequestLatency((15.0, 55.0), 5.0), 2)


def situation(servers: Any, rules: Policy, held: Any = None, time_s: float = 0.0, n: int = 1, **columns: Any) -> Situation:
    """A situation of some vehicles; columns are those of their looks and containers."""
    looks, containers = new_records(Look, n), new_records(Container, n)
    for name, value in columns.items():
        (looks if name in (looks.dtype.names or ()) else containers)[name] = value
    return Situation(time_s, looks, NOWHERE, containers, rules, servers, scene_of(servers, rules, held), 1500.0)


def scene_of(servers: Any, rules: Policy, held: Any = None) -> Scene:
    """What containers stand in, with so many of them on each server."""
    state = new_state(servers, catalogue_of([]))
    state = state if held is None else state._replace(held=held)
    scene = by_reference(Scene(record_of(rules)[()], PRECOPY, servers.server_map(), state, Ledger().books))
    note_free(scene)
    return scene


# the road ahead


def test_it_is_as_far_to_a_stretch_as_to_its_begin_and_nowhere_to_one_that_has_begun(bench: Any) -> None:
    """At 100 m: in the stretch from 0 to 250 m, 150 m before the one from 250 m; at 300 m the other way round."""
    ahead = bench.ahead([[(1, 0, 250), (2, 250, 900)], [(1, 0, 250), (2, 250, 900), (3, 900, 950)]], [100.0, 300.0], [1, 2])
    assert ahead.distance_m[0, :2].tolist() == [0, 150]
    assert ahead.distance_m[1].tolist() == [0, 0, 600]


def test_the_time_to_a_stretch_counts_no_speed_below_one_metre_a_second(bench: Any) -> None:
    """150 m at 10 m/s are 15 s; at 1 m/s, at 0.5 m/s and standing they are 150 s."""
    row = [(1, 0, 250), (2, 250, 900)]
    ahead = bench.ahead([row] * 4, 100.0, 1)
    assert ahead.time_s(np.array([10.0, 1.0, 0.5, 0.0]))[:, 1].tolist() == [15, 150, 150, 150]
    assert ahead.time_s(np.array([10.0, 1.0, 0.5, 0.0]))[:, 0].tolist() == [0] * 4


# servers


def test_a_server_stands_in_the_middle_of_its_area(bench: Any) -> None:
    """Cell (q, r) is at x = 433.01 q, y = 500 (r + q / 2). L:0,1 stands in its cell, R:1,2, whose region is whole, in (1, 2).

    Of R:2,4 the border leaves (1, 4) and (2, 3): at x = 1.5 * 433.01, in the middle between y = 2250 and y = 2000.
    """
    servers, east_m = bench.servers, 250 * np.sqrt(3)

    def place(server: int) -> tuple[float, float]:
        return servers.x_m[server], servers.y_m[server]

    assert place(bench.cell(0, 1)) == pytest.approx((0, 500))
    assert place(bench.region(1, 2)) == pytest.approx((east_m, 1250))
    assert place(bench.region(2, 3)) == pytest.approx((1.5 * east_m, 2125))


# rooms


def test_where_no_number_is_set_there_is_room_for_any(bench: Any) -> None:
    held = np.full(len(bench.servers), 7)
    room = situation(bench.servers, policy(), held).room(np.arange(len(bench.servers)))
    assert np.isinf(room).all()


def test_the_room_is_the_capacity_of_the_tier_less_what_the_server_holds(bench: Any) -> None:
    """Two a local server, no limit above; L:0,0 holds one, L:0,1 two, R:0,0 five."""
    held = np.zeros(len(bench.servers), dtype=np.int64)
    one, two, region = bench.cell(0, 0), bench.cell(0, 1), bench.region(0, 0)
    held[[one, two, region]] = 1, 2, 5
    now = situation(bench.servers, policy(room_by_tier=(2,)), held)
    asked = np.array([[one, two], [bench.cell(1, 0), region]])
    assert now.room(asked).tolist() == [[1, 0], [2, np.inf]]


def test_the_room_of_a_store_is_its_tiers_or_its_own() -> None:
    """A tier with 2 GB a server, a server with 7 bytes, and a tier without a limit."""
    servers = lay_servers(HexCells(1, 500.0, "flat"), [TierPlan("local", "cell"), TierPlan("regional", "all")])
    servers.store[1] = 7
    now = situation(servers, replace(policy(), images=ImageOptions(store_by_tier=(2e9,))))
    room = now.store_room_bytes(np.array([[0, 1], [servers.first[REGIONAL], NO_SERVER]]))
    assert room == pytest.approx(np.array([[2e9, 7], [np.inf, np.nan]]), nan_ok=True)


def test_a_server_with_a_capacity_of_its_own_has_that_of_no_tier() -> None:
    """Four in cell 0 and none in cell 1, where the tier has two and the server above three."""
    cells = HexCells(1, 500.0, "flat")
    servers = lay_servers(cells, [TierPlan("local", "cell"), TierPlan("regional", "all")])
    servers.room[:2] = 4, 0
    held = np.ones(len(servers), dtype=np.int64) - (np.arange(len(servers)) == 1)
    now = situation(servers, policy(room_by_tier=(2, 3)), held)
    assert now.room(np.array([0, 1, 2, servers.first[REGIONAL]])).tolist() == [3, 0, 1, 2]


# containers


def test_at_the_first_frame_the_container_is_where_its_home_is(bench: Any) -> None:
    """Its record does not know a host yet; the other one has stayed behind, one hop away."""
    home = [bench.cell(0, 1), bench.cell(0, 2)]
    now = situation(bench.servers, policy(), n=2, first=[True, False], home=home, cell=home, host=[-1, bench.cell(0, 1)])
    assert now.host.tolist() == [bench.cell(0, 1)] * 2
    assert now.hops.tolist() == [0, 1]
    assert now.bandwidth_bytes_per_s(now.home).tolist() == [np.inf, 10 * MB]


def test_the_bandwidth_is_that_of_the_slower_end(bench: Any) -> None:
    """10 MB/s, but 4 MB/s up the regional servers; to no server there is nothing to send."""
    local, other, region = bench.cell(0, 0), bench.cell(0, 1), bench.region(0, 0)
    rules = policy(bandwidth_by_tier=(0.0, 4 * MB))
    now = situation(bench.servers, rules, n=4, host=[local, local, region, local])
    assert now.bandwidth_bytes_per_s(np.array([other, region, region, -1])).tolist() == [10 * MB, 4 * MB, np.inf, np.inf]


def test_what_an_open_transfer_has_sent_and_what_is_missing() -> None:
    """Of an image of 100 MB and a memory of 20 MB, at 10 MB/s, all begun at 0 s.

    At 4 s in the image: 40 MB are sent, 60 MB and the memory are missing. In the memory since 10 s, at 11 s: 110 MB, 10 MB are missing.
    In a round of 5 MB that began at 16 s after image and memory, at 16.25 s: 122.5 MB, 2.5 MB. Restoring, 125 MB sent: nothing is missing.
    """
    servers = lay_servers(HexCells(1, 500.0, "flat"), [TierPlan("local", "cell")])
    found = []
    for time_s, stage, since_s, to_send_mb, sent in (
        (4.0, Stage.IMAGE, 0.0, 100, {}),
        (11.0, Stage.MEMORY, 10.0, 20, {"image_sent_bytes": 100 * MB}),
        (16.25, Stage.ROUND, 16.0, 5, {"image_sent_bytes": 100 * MB, "memory_sent_bytes": 20 * MB}),
        (18.0, Stage.RESTORE, 17.0, 0, {"image_sent_bytes": 100 * MB, "memory_sent_bytes": 20 * MB, "final_sent_bytes": 5 * MB}),
    ):
        columns = {"image_bytes": 100 * MB, "memory_bytes": 20 * MB, "rate_bytes_per_s": 10 * MB, "opened_s": 0.0, "since_s": since_s}
        now = situation(servers, policy(), time_s=time_s, target=1, stage=stage, to_send_bytes=to_send_mb * MB, **columns, **sent)
        found.append((now.sent_bytes[0] / MB, now.missing_bytes[0] / MB, now.copying_s[0], now.rate_bytes_per_s[0] / MB))
    assert found == [(40, 80, 4, 10), (110, 10, 11, 10), (122.5, 2.5, 16.25, 10), (125, 0, 18, 10)]


def test_memory_gets_dirty_at_the_share_of_the_container(bench: Any) -> None:
    assert situation(bench.servers, policy(), memory_bytes=20 * MB, dirty_share_per_s=0.05).dirty_bytes_per_s.tolist() == [MB]


def test_what_a_strategy_writes_into_its_situation_stays_there(bench: Any) -> None:
    """Every array of its own that can be written to: what the engine goes on with is as before."""
    looks, containers = new_records(Look, 1), new_records(Container, 1)
    before = looks.tobytes(), containers.tobytes()
    now = Situation(0.0, looks, NOWHERE, containers, policy(), bench.servers, scene_of(bench.servers, policy()), 1500.0)
    arrays = [name for name, each in vars(Situation).items() if isinstance(each, cached_property) and name != "ahead"]
    assert len(arrays) > 20
    for name in arrays:
        getattr(now, name)[:] = 1
    assert (looks.tobytes(), containers.tobytes()) == before
