"""Stays in cells: from one attachment to the next, whatever the batches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from msmf_traci.control.stays import StayLog
from msmf_traci.mobility.frame import Frames
from msmf_traci.mobility.tracks import Follower


def log_of(cells: list[list[int]], cuts: list[int]) -> StayLog:
    """Vehicle v is in cell cells[v][f] at frame f, a frame a second; -1: it is not on the road."""
    log, follower, frames = StayLog(), Follower(), len(cells[0])
    for each in (log, follower):
        each.admit(len(cells))
    for begin, end in zip([0, *cuts], [*cuts, frames], strict=True):
        on_road = [[v for v in range(len(cells)) if cells[v][f] >= 0] for f in range(begin, end)]
        vehicle = np.array([v for some in on_road for v in some], dtype=np.int64)
        n = len(vehicle)
        columns = {name: np.zeros(n) for name in ("x_m", "y_m", "speed_mps", "position_m")}
        columns |= {name: np.zeros(n, dtype=np.int64) for name in ("edge", "route", "route_index")}
        columns |= {name: np.zeros(n, dtype=bool) for name in ("first", "last")}
        start = np.cumsum([0, *map(len, on_road)])
        tracks = follower.follow(Frames(np.arange(begin, end, dtype=float), start, vehicle=vehicle, **columns))
        if len(tracks):
            log.observe(tracks, np.array([cells[v][int(t)] for v, t in zip(tracks.vehicle[tracks.track], tracks.time_s, strict=True)]))
    return log


def test_a_stay_lasts_from_an_attachment_to_the_next_and_the_last_to_the_last_frame():
    stays = log_of([[3, 3, 5, 5, 5, 3], [-1, 7, 7, -1, -1, -1]], [2]).stays()
    assert stays.start.tolist() == [0, 3, 4]
    assert stays.cell.tolist() == [3, 5, 3, 7]
    assert stays.begin_s.tolist() == [0, 2, 5, 1]
    assert stays.end_s.tolist() == [2, 5, 5, 2]
    assert stays.lasted_s.tolist() == [2, 3, 0, 1]


def test_without_vehicles_there_are_none():
    assert StayLog().stays().start.tolist() == [0]


@given(st.lists(st.lists(st.integers(0, 2), min_size=8, max_size=8), min_size=1, max_size=3), st.sets(st.integers(1, 7)))
def test_stays_do_not_depend_on_batches(cells: list[list[int]], cuts: set[int]) -> None:
    one, other = log_of(cells, []).stays(), log_of(cells, sorted(cuts)).stays()
    for name in ("start", "cell", "begin_s", "end_s"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
