"""TraCI, libsumo and FCD files give the same frames: loops, junctions, teleports, ids used twice, vehicles rerouted or taken away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from msmf_traci.mobility.frame import Roster
from msmf_traci.mobility.libsumo_reader import running_libsumo
from msmf_traci.mobility.sumo import Running
from msmf_traci.mobility.traci_reader import running_traci
from tests.mobility.small_town import Town, build_town, same_frames, vehicle

LOOP = "ab bc cd da ab bc cd da ab bc ce ef"
# d blocks ab, a long one fills bc: x, behind d, is teleported after 20 s and is nowhere until bc has room
FULL = '<vType id="long" length="182"/>' + vehicle(
    "q", "bc cd", 0, 'type="long" departPos="186"', '<stop edge="bc" endPos="188" duration="150"/>'
)
BLOCKED = vehicle("d", "da ab bc", 0, inner='<stop edge="ab" endPos="150" duration="300"/>') + vehicle("x", "da ab bc cd", 20)
TELEPORT = ("--time-to-teleport", "20")
CASES = {
    "loops and a short street": (vehicle("v", LOOP) + vehicle("w", "cd da ab", 3) + vehicle("u", "ba ad dc cb ba", 3), ()),
    "teleports": (FULL + BLOCKED, TELEPORT),
    "an id used twice": (
        vehicle("a", "ab bc") + "".join(vehicle(f"n{i}", "cd da", 100 * i) for i in range(1, 6)) + vehicle("a", "cd da ab", 600),
        (),
    ),
}


def alike(one: Roster, other: Roster) -> bool:
    routes = [[route.tolist() for route in roster.routes] for roster in (one, other)]
    return one.vehicles == other.vehicles and one.counts == other.counts and routes[0] == routes[1]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sumo_home: Path, libsumo: None) -> Town:
    return build_town(tmp_path_factory.mktemp("town"), sumo_home)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ending", ["csv", "xml.gz"])
def test_an_fcd_file_with_routes_gives_the_frames_of_the_live_run(case: str, ending: str, town: Town, tmp_path: Path) -> None:
    routes, extra = CASES[case]
    fcd = tmp_path / "sumo" / f"trace.{ending}"
    live, roster = town.drive(routes, tmp_path, "--fcd-output", fcd.name, "--precision", "6", *extra)
    source = town.trace(fcd, tmp_path / "routes.rou.xml")
    assert same_frames(live, list(source.frames())) == []
    assert source.roster.vehicles == roster.vehicles
    assert source.roster.counts == roster.counts
    assert source.off_route == 0 and source.decimals == 6
    if case == "teleports":
        assert roster.counts.teleports > 0
    if case == "an id used twice":
        assert "a#2" in roster.vehicles


@pytest.mark.parametrize("case", ["teleports", "loops and a short street"])
def test_traci_reads_what_libsumo_reads(case: str, town: Town, tmp_path: Path) -> None:
    routes, extra = CASES[case]
    over_traci, roster = town.drive(routes, tmp_path, *extra, running=running_traci)
    in_process, other = town.drive(routes, tmp_path, *extra)
    assert same_frames(over_traci, in_process) == [] and alike(roster, other)


def test_vehicles_that_are_rerouted_or_taken_away_are_read_alike(town: Town, tmp_path: Path) -> None:
    """A rerouter sends x round the block, a vaporizer takes w away."""
    (tmp_path / "more.add.xml").write_text(
        '<additional><rerouter id="r" edges="bc"><interval begin="0" end="99"><destProbReroute id="da" probability="1"/></interval>'
        '</rerouter><vaporizer id="da" begin="0" end="1000"/></additional>'
    )
    routes = vehicle("x", "ab bc ce ef") + vehicle("w", "cd da ab", 5)
    extra = ("--additional-files", str(tmp_path / "more.add.xml"))
    over_traci, roster = town.drive(routes, tmp_path, *extra, running=running_traci)
    in_process, other = town.drive(routes, tmp_path, *extra)
    assert same_frames(over_traci, in_process) == [] and alike(roster, other)
    assert len(roster.routes) > 2


def test_steps_of_half_a_second_shift_by_half_a_second(town: Town, tmp_path: Path) -> None:
    fcd = tmp_path / "sumo" / "trace.csv"
    live, _ = town.drive(vehicle("v", LOOP), tmp_path, "--fcd-output", fcd.name, "--precision", "6", step_s=0.5)
    assert same_frames(live, list(town.trace(fcd, tmp_path / "routes.rou.xml", step_s=0.5).frames())) == []
    assert same_frames(live, list(town.trace(fcd, tmp_path / "routes.rou.xml", step_s=None).frames())) == []


def test_without_routes_a_route_is_what_is_seen(town: Town, tmp_path: Path) -> None:
    fcd = tmp_path / "sumo" / "trace.csv"
    live, _ = town.drive(vehicle("v", LOOP), tmp_path, "--fcd-output", fcd.name, "--precision", "6")
    source = town.trace(fcd)
    seen = list(source.frames())
    assert set(same_frames(live, seen)) <= {"route_index"}
    (route,) = source.roster.routes
    edges = np.concatenate([batch.edge for batch in seen])
    assert list(route) == [edge for i, edge in enumerate(edges) if i == 0 or edge != edges[i - 1]]


def test_several_passes_in_one_process_are_the_same(town: Town, tmp_path: Path) -> None:
    routes, extra = CASES["teleports"]
    first, second = (town.drive(routes, tmp_path, *extra)[0] for _ in range(2))
    assert same_frames(first, second) == []


BOTH_WAYS = pytest.mark.parametrize("running", [running_traci, running_libsumo], ids=["traci", "libsumo"])


@BOTH_WAYS
def test_routes_that_are_not_in_the_order_of_departure_lose_no_vehicle(running: Running, town: Town, tmp_path: Path) -> None:
    """SUMO alone inserts only the first of these."""
    routes = "".join(vehicle(f"v{depart_s}", "ab bc cd", depart_s) for depart_s in (40, 20, 0))
    _, roster = town.drive(routes, tmp_path, running=running)
    assert roster.vehicles == ["v0", "v20", "v40"]
    assert roster.counts.not_inserted == 0 and town.warned == []


@BOTH_WAYS
def test_what_sumo_throws_away_is_counted_and_its_warnings_are_kept(running: Running, town: Town, tmp_path: Path) -> None:
    routes = vehicle("v", "ab bc") + "".join(vehicle(f"lost{number}", "ab ef", 5) for number in range(3))
    _, roster = town.drive(routes, tmp_path, "--ignore-route-errors", "--default.departlane", "5", running=running)
    assert roster.counts.inserted + roster.counts.not_inserted == 4
    assert roster.counts.not_inserted > 0
    assert sum(each.number for each in town.warned) > 0
