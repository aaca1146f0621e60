"""Matching on the real map of Beijing: made-up vehicles on random ways along its roads."""

from pathlib import Path

import numpy as np

from msmf_traci.config.compose import read_request
from msmf_traci.experiment.preparation import judge_files, read_city
from msmf_traci.mobility.matching.matcher import Matcher, MatchingOptions
from msmf_traci.mobility.matching.road_index import RoadIndex
from tests.mobility.matching.grids import drive


def test_nearly_all_positions_are_on_their_road(data_dir: Path) -> None:
    box = "scenario.bbox=[116.36,39.88,116.42,39.93]"
    words = ["scenario=osm", f"scenario.map_file={data_dir}/beijing/beijing_central.osm.gz", box, "deployment.rings=null"]
    config = read_request(words).points[0].config
    roads = read_city(config, judge_files(config).network.ensure()).roads
    matcher = Matcher(roads, RoadIndex(roads), MatchingOptions(4.0, 5.0))
    right, samples, length_m, missed_m = 0, 0, 0.0, 0.0
    for seed in range(6):
        driven = drive(roads, np.random.default_rng(seed), samples=200, sigma_m=4.0)
        matched = matcher.match(driven.time_s, driven.x_m, driven.y_m)
        # near the ends of an edge noise decides
        is_inner = (driven.position_m > 10.0) & (driven.position_m < roads.length_m[driven.edge] - 10.0)
        right, samples = right + int((matched.decided.edge == driven.edge)[is_inner].sum()), samples + int(is_inner.sum())
        length_m += roads.length_m[driven.route].sum()
        missed_m += roads.length_m[np.setxor1d(driven.route, matched.route)].sum()
    assert samples > 500
    assert right / samples > 0.95
    assert missed_m / length_m < 0.05
