"""Named tuples behind a reference: compiled functions read what Python has, and change arrays in place."""

from typing import Any

import numba
import numpy as np

from msmf_traci.migration.catalogue import catalogue_of
from msmf_traci.migration.engine import new_state
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.plan import PRECOPY
from msmf_traci.migration.policy import HandoffPolicy, LinkOptions
from msmf_traci.migration.scene import Scene
from msmf_traci.records import record_of
from msmf_traci.references import by_reference
from tests.courses import policies, row_of_cells


@numba.njit
def weigh(scene: Any) -> Any:
    """Reads arrays, lists, numbers and a record; counts, and books what it has read."""
    scene.state.held[1] += 1
    rate, stops_at = scene.policy.links.bandwidth_bytes_per_s, scene.plan.stops_at
    read = rate + scene.state.held.sum() + stops_at + scene.books.keep_stages + scene.server_map.tier[-1]
    scene.books.stages.append(((1, 2, 3, len(scene.books.stages)), (0.0, 1.0, float(read))))
    return read


def scene() -> Scene:
    """10 bytes a second; five servers, the last one of tier 1; stages are kept; the plan stops at its fifth step."""
    (servers,) = row_of_cells()
    (rules,) = policies(LinkOptions(10.0, 5.0, 0.0), HandoffPolicy(False, False))
    return Scene(record_of(rules)[()], PRECOPY, servers.server_map(), new_state(servers, catalogue_of([])), Ledger(keep_stages=True).books)


def test_compiled_functions_read_and_change_the_same_by_value_and_by_reference() -> None:
    plain, referred = scene(), by_reference(scene())
    for n in (1, 2, 3):
        assert weigh(referred) == weigh(plain) == 10 + n + 4 + 1 + 1
    assert referred.state.held.tolist() == [0, 3, 0, 0, 0]
    assert [(entry[0][3], entry[1][2]) for entry in referred.books.stages] == [(0, 17), (1, 18), (2, 19)]


def test_a_reference_keeps_what_it_refers_to() -> None:
    """Nothing else holds the arrays, the lists and the record; what is made meanwhile would take their place."""
    referred = [by_reference(scene()) for _ in range(50)]
    waste = [np.full(5, -1) for _ in range(10_000)]
    assert {weigh(each) for each in referred} == {17}
    assert len(waste) == 10_000


def test_a_reference_to_a_reference_is_the_same() -> None:
    referred = by_reference(scene())
    assert by_reference(referred) is referred
    again = by_reference(Scene(referred.policy, referred.plan, referred.server_map, referred.state, Ledger().books))
    assert weigh(again) == 16
