"""From files of traces to a source of frames on a real network: projected, matched by mode, and no farther than they are driven."""

from pathlib import Path

import numpy as np
import pytest

from msmf_traci.config.compose import read_request
from msmf_traci.errors import InputError
from msmf_traci.experiment.gps_origin import open_traces
from msmf_traci.experiment.preparation import City, read_city
from msmf_traci.mobility.frame import NO_EDGE
from msmf_traci.roads.both_ways import AGAINST
from msmf_traci.roads.roads import read_roads
from tests.gps_walks import along, straight_on, walk, write_csv
from tests.road_lines import make_roads

ONE_WAY = "61734682#1"  # a street of 495 m
STREET = "5229164#1"  # of 702 m, both ways


@pytest.fixture(scope="module")
def net_file(sumo_home: Path) -> Path:
    """Braunschweig, in UTM."""
    return sumo_home / "tools" / "game" / "bs3d" / "bs.net.xml"


def opened(net_file: Path, path: Path, *words: str):
    """Source and facts, and the city."""
    gps = ("scenario=sumo", f"scenario.net_file={net_file}", "mobility.source=gps", f"mobility.gps.path={path}")
    config = read_request([*gps, *words]).points[0].config
    city = read_city(config, net_file)
    return (*open_traces(config, city), city)


def edges_of(source, city: City, name: str) -> set[str]:
    """Ids of the edges on which control sees a vehicle."""
    vehicle = source.roster.vehicles.index(name)
    seen = np.concatenate([frames.edge[frames.vehicle == vehicle] for frames in source.frames()])
    return {city.roads.ids[edge] for edge in seen if edge != NO_EDGE}


def test_a_network_without_a_projection_is_one_sentence(net_file: Path, tmp_path: Path) -> None:
    roads = read_roads(net_file)
    path = write_csv(tmp_path / "a.csv", roads, [walk("a", "car", along(roads, straight_on(roads, STREET, 1)), 8)])
    config = read_request(["mobility.source=gps", f"mobility.gps.path={path}"]).points[0].config
    city = read_city(config, net_file)
    plane = City(city.net_file, make_roads([[(0, 0), (900, 0)]]), city.driven, city.cells, city.coverage, city.layout, projection=None)
    with pytest.raises(InputError, match=r"needs a network with a projection, and .*bs\.net\.xml has none; choose another scenario"):
        open_traces(config, plane)


@pytest.mark.parametrize("sigma_m", [4.0, 9.0])
def test_noise_is_estimated_from_those_who_drive(sigma_m: float, net_file: Path, tmp_path: Path) -> None:
    roads = read_roads(net_file)
    line = along(roads, straight_on(roads, STREET, 12))
    drivers = [walk(f"car {seed}", "car", line, 6, sigma_m=sigma_m, seed=seed) for seed in range(8)]
    # who walks 15 m beside the road says nothing of noise
    beside = walk("walker", "walk", (line[0] + 15, line[1] + 15), 1)
    _, facts, _ = opened(net_file, write_csv(tmp_path / "a.csv", roads, [*drivers, beside]))
    assert facts["matching"]["sigma_m"] == pytest.approx(sigma_m, rel=0.1)


def test_who_walks_may_go_against_a_one_way_street_and_who_drives_may_not(net_file: Path, tmp_path: Path) -> None:
    roads = read_roads(net_file)
    way = [roads.ids.index(ONE_WAY)]
    walks = [walk(mode, mode, along(roads, way, backwards=mode != "bus"), 2.5, sigma_m=2) for mode in ("walk", "car", "bus")]
    source, facts, city = opened(net_file, write_csv(tmp_path / "a.csv", roads, walks), "matching.sigma_m=4")
    assert edges_of(source, city, "walk") == {ONE_WAY + AGAINST}
    assert edges_of(source, city, "bus") == {ONE_WAY}
    assert ONE_WAY + AGAINST not in edges_of(source, city, "car")
    assert facts["matching"]["both_ways"]["traces"] == 1
    assert facts["matching"]["both_ways"]["points_off_road"] == 0
    assert facts["matching"]["both_ways"]["median_distance_m"] == pytest.approx(0.6745 * 2, rel=0.25)
    assert facts["matching"]["driving"]["traces"] == 2
    assert facts["modes"] == {"bus": 1, "car": 1, "walk": 1}


def test_modes_that_go_against_one_way_streets_are_an_option(net_file: Path, tmp_path: Path) -> None:
    roads = read_roads(net_file)
    line = along(roads, [roads.ids.index(ONE_WAY)], backwards=True)
    path = write_csv(tmp_path / "a.csv", roads, [walk("a", "car", line, 5), walk("b", "walk", line, 2)])
    source, facts, city = opened(net_file, path, "matching.against_oneway=[car]", "matching.sigma_m=4")
    assert edges_of(source, city, "a") == {ONE_WAY + AGAINST}
    assert (facts["matching"]["both_ways"]["traces"], facts["matching"]["driving"]["traces"]) == (1, 1)
    _, facts, city = opened(net_file, path, "matching.against_oneway=[]", "matching.sigma_m=4")
    assert "both_ways" not in facts["matching"] and facts["matching"]["driving"]["traces"] == 2
    assert len(city.roads) == len(city.driven)


@pytest.mark.parametrize("clock", ["together", "recorded"])
def test_what_is_never_driven_is_not_matched(clock: str, net_file: Path, tmp_path: Path) -> None:
    roads = read_roads(net_file)
    line = along(roads, straight_on(roads, STREET, 1))
    # 2,800 s; the second begins 900 s later, the third after the end
    walks = [walk(name, "walk", line, 0.25) for name in ("a", "b", "c")]
    path = write_csv(tmp_path / "a.csv", roads, walks, begin_s=[0, 900, 1500])
    words = (f"mobility.gps.clock={clock}", "matching.sigma_m=4")
    source, facts, _ = opened(net_file, path, *words, "mobility.max_duration_s=1000")
    points = facts["matching"]["both_ways"]["points"]
    if clock == "together":
        assert source.roster.vehicles == ["a", "b", "c"] and source.cut == 3
        assert points == 3 * 1601  # 600 s farther than they are driven
    else:
        assert source.roster.vehicles == ["a", "b"] and (source.cut, source.too_late) == (2, 1)
        assert (facts["cut"], facts["too_late"], facts["between_frames"]) == (2, 1, 0)
        assert points == 1601 + 701 + 101
    # the frames are those of the whole traces
    whole, _, _ = opened(net_file, path, *words)
    short = list(source.frames())
    seen = np.concatenate([frames.edge[frames.vehicle == 0] for frames in short])
    expected = np.concatenate([frames.edge[frames.vehicle == 0] for frames in whole.frames()])
    assert (seen == expected[: len(seen)]).all()
    assert len(seen) == 1001
    assert sum(frames.last.sum() for frames in short) == len(source.roster.vehicles)


def test_tenths_of_a_second_meet_the_frames_whatever_the_time_of_day(net_file: Path, tmp_path: Path) -> None:
    roads = read_roads(net_file)
    line = along(roads, straight_on(roads, STREET, 1))
    walks = [walk(name, "car", line, 9, step_s=0.1) for name in ("a", "b")]
    path = write_csv(tmp_path / "a.csv", roads, walks, begin_s=[0.1, 0.8])
    words = ("mobility.step_s=0.1", "mobility.gps.clock=recorded", "matching.sigma_m=4", "matching.lag_s=0.3")
    source, _, _ = opened(net_file, path, *words)
    frames = list(source.frames())
    vehicle, edge = (np.concatenate([getattr(batch, name) for batch in frames]) for name in ("vehicle", "edge"))
    known_mps, since_m = (np.concatenate([getattr(batch.as_matched, name) for batch in frames]) for name in ("known_mps", "since_m"))
    assert np.bincount(vehicle).tolist() == [len(each.time_s) for each in walks]
    for number in range(2):
        of_vehicle = vehicle == number
        assert (edge[of_vehicle][:3] == NO_EDGE).all() and (edge[of_vehicle][3:] != NO_EDGE).all()
        assert since_m[of_vehicle][3:] == pytest.approx(0.3 * known_mps[of_vehicle][3:], abs=1e-5)
