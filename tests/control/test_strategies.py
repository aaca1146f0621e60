"""Section 6 of the model, the table of strategies: what each answers, asked through the control plane as a run asks it."""

from typing import Any

import pytest

from msmf_traci.sentinels import KEEP, NO_SERVER
from msmf_traci.strategies.nearest import Nearest, NearestOptions
from msmf_traci.strategies.never import Never
from msmf_traci.strategies.pm import Oracle, OracleTier, Pm, PmTier
from msmf_traci.strategies.pm_op import PmOp, PmOpTier, ShortCells
from msmf_traci.strategies.situation import Situation
from msmf_traci.strategies.strategy import Decision, Strategy

# North along x = 260 m: the road cuts the eastern corner of (0, 0) and of (0, 1). Half a flat cell's height there is
# (500 / sqrt(3) - 260) sqrt(3) = 49.67 m, so that it runs through (1, -1) to y = -49.67, (0, 0) to 49.67 (99.3 m: short), (1, 0) to
# 450.33, (0, 1) to 549.67 (short again), then (1, 1). The regions are R:0,0 for all but (1, 1), which is R:1,2's.
CORNERS = [(260.0, -400.0), (260.0, 900.0)]


@pytest.fixture
def corners(bench: Any) -> Any:
    """Answers of strategies to one vehicle on that road."""

    def ask(
        y_m: float, host: str | tuple[int, int], *strategies: Strategy, first: bool = False, level_ms: float = 30.0, plane: Any = None
    ) -> list[tuple[str, str]]:
        plane = plane or bench.plane(bench.roads([CORNERS]), *strategies)
        where = bench.cell(*host) if isinstance(host, tuple) else next(i for i in range(999) if bench.servers.name(i) == host)
        frame = bench.frame(x_m=260.0, y_m=y_m, position_m=y_m + 400.0, first=first)
        return bench.decide(plane, frame, where, level_ms)

    return ask


@pytest.mark.parametrize(
    ("name", "tiers", "predictor"),
    [
        ("nearest", 1, "map"),
        ("pm", 1, "map"),
        ("pm_op", 1, "map"),
        ("pm_tier", None, "map"),
        ("pm_op_tier", None, "map"),
        ("never", 1, "map"),
        ("oracle", 1, "route"),
        ("oracle_tier", None, "route"),
    ],
)
def test_the_table_of_strategies(name: str, tiers: int, predictor: str) -> None:
    found = {cls.name: cls for cls in (Nearest, Pm, PmOp, PmTier, PmOpTier, Never, Oracle, OracleTier)}
    assert (found[name].tiers, found[name].predictor) == (tiers, predictor)


# ------------------------------------------------------------------------------------------------------------------ never, nearest


def test_never_keeps_and_copies_nothing_but_is_deployed_where_it_first_is(bench: Any, corners: Any) -> None:
    never = Never(Never.Options())
    assert corners(-300.0, (0, 0), never, first=True) == [("L:1,-1", "NONE")]
    assert corners(-300.0, (0, 0), never) == [("KEEP", "NONE")]
    assert corners(800.0, (1, -1), never, level_ms=150.0) == [("KEEP", "NONE")]


def nearest_after_a_step(bench: Any, frm: tuple[float, float], to: tuple[float, float], trigger_m: float = 50.0, cell: Any = None) -> tuple:
    plane = bench.plane(bench.roads([CORNERS]), Nearest(NearestOptions(trigger_m)))
    bench.decide(plane, bench.frame(x_m=frm[0], y_m=frm[1], first=True), 99)
    (answer,) = bench.decide(plane, bench.frame(x_m=to[0], y_m=to[1]), bench.cell(-4, 0), cell=cell)
    return answer


def test_nearest_copies_to_the_neighbour_whose_border_is_nearer_than_the_trigger(bench: Any) -> None:
    # north of (0, 0): its border with (0, 1) is y = 250
    assert nearest_after_a_step(bench, (0, 190), (0, 200.1)) == ("L:0,0", "L:0,1")
    assert nearest_after_a_step(bench, (0, 190), (0, 200.0)) == ("L:0,0", "NONE")  # 50 m: not nearer
    assert nearest_after_a_step(bench, (0, 190), (0, 200.0), trigger_m=50.1) == ("L:0,0", "L:0,1")


def test_nearest_needs_to_be_moving_towards_that_neighbour(bench: Any) -> None:
    assert nearest_after_a_step(bench, (0, 240), (0, 230)) == ("L:0,0", "NONE")  # away
    assert nearest_after_a_step(bench, (0, 230), (0, 230)) == ("L:0,0", "NONE")  # standing
    assert nearest_after_a_step(bench, (-10, 230), (0, 230)) == ("L:0,0", "NONE")  # along the border: no component


def test_nearest_has_no_target_at_the_first_frame(bench: Any) -> None:
    plane = bench.plane(bench.roads([CORNERS]), Nearest(Nearest.Options()))
    assert bench.decide(plane, bench.frame(y_m=240.0, first=True)) == [("L:0,0", "NONE")]


def test_of_two_near_borders_nearest_takes_the_nearest_towards_which_it_moves(bench: Any) -> None:
    # Near the corner (144.3, 250) of (0, 0) with (0, 1) and (1, 0). At (130, 235) the border with (0, 1) is 15 m away, that with (1, 0)
    # 250 - (130 sqrt(3)/2 + 235 / 2) = 19.9 m; at (136, 225): 25 m and 250 - (117.8 + 112.5) = 19.7 m.
    assert nearest_after_a_step(bench, (120, 225), (130, 235)) == ("L:0,0", "L:0,1")
    assert nearest_after_a_step(bench, (126, 215), (136, 225)) == ("L:0,0", "L:1,0")
    # at (130, 235), but moving south-east: the nearer border falls behind, and (1, 0) lies ahead
    assert nearest_after_a_step(bench, (120, 236), (130, 235)) == ("L:0,0", "L:1,0")


def test_nearest_looks_at_the_attached_cells_borders_even_beyond_them(bench: Any) -> None:
    # held by hysteresis in (0, 0), 20 m into (0, 1)
    assert nearest_after_a_step(bench, (0, 260), (0, 270), cell=bench.cell(0, 0)) == ("L:0,0", "L:0,1")


def test_nearest_finds_no_neighbour_beyond_the_deployments_border(bench: Any) -> None:
    assert nearest_after_a_step(bench, (0, 2730), (0, 2740)) == ("L:0,5", "NONE")
    x, y = bench.cells.x_m[0], bench.cells.y_m[0]  # the cell whose number stands in for missing neighbours elsewhere
    name = bench.servers.name(0)
    assert nearest_after_a_step(bench, (x - 200, y), (x - 230, y)) == (name, "NONE")


# ----------------------------------------------------------------------------------------------------------------------- pm, pm_op


def test_pm_targets_the_next_home_and_hands_off_to_short_cells(bench: Any, corners: Any) -> None:
    pm = Pm(Pm.Options())
    assert corners(-300.0, (1, -1), pm) == [("L:1,-1", "L:0,0")]
    assert corners(0.0, (1, -1), pm) == [("L:0,0", "L:1,0")]
    assert corners(800.0, (1, 1), pm) == [("L:1,1", "NONE")]


def test_pm_op_passes_over_short_cells_as_targets_and_keeps_inside_them(bench: Any, corners: Any) -> None:
    plane = bench.plane(bench.roads([CORNERS]), PmOp(PmOp.Options()))
    assert corners(-300.0, (1, -1), plane=plane, first=True) == [("L:1,-1", "L:1,0")]
    assert corners(0.0, (1, -1), plane=plane) == [("KEEP", "L:1,0")]
    assert corners(200.0, (1, -1), plane=plane) == [("L:1,0", "L:1,1")]
    assert corners(500.0, (1, 0), plane=plane) == [("KEEP", "L:1,1")]
    assert corners(800.0, (1, 0), plane=plane) == [("L:1,1", "NONE")]


def test_at_a_lower_limit_no_cell_is_short(bench: Any, corners: Any) -> None:
    op = PmOp(ShortCells(min_m=90.0))
    assert corners(-300.0, (1, -1), op) == [("L:1,-1", "L:0,0")]
    assert corners(-45.0, (1, -1), op) == [("L:0,0", "L:1,0")]  # 94.7 m to its end


def test_a_vehicle_that_begins_in_a_short_cell_is_deployed_there(bench: Any, corners: Any) -> None:
    plane = bench.plane(bench.roads([CORNERS]), PmOp(PmOp.Options()))
    assert corners(0.0, (1, -1), plane=plane, first=True) == [("L:0,0", "L:1,0")]
    assert corners(10.0, (0, 0), plane=plane) == [("KEEP", "L:1,0")]


def test_a_short_cell_that_is_the_last_one_seen_is_a_target(bench: Any) -> None:
    plane = bench.plane(bench.roads([[CORNERS[0], (260.0, 520.0)]]), PmOp(PmOp.Options()))  # 69.7 m into (0, 1), a dead end
    answer = bench.decide(plane, bench.frame(x_m=260.0, y_m=200.0, position_m=600.0), bench.cell(1, 0))
    assert answer == [("L:1,0", "L:0,1")]


# ------------------------------------------------------------------------------------------------------------------ tiers, oracles


def test_tasks_that_can_wait_go_to_the_region(bench: Any, corners: Any) -> None:
    both = (Pm(Pm.Options()), PmTier(PmTier.Options()), PmOpTier(PmOpTier.Options()))
    assert corners(-300.0, (1, -1), *both, level_ms=30.0) == [("L:1,-1", "L:0,0"), ("L:1,-1", "L:0,0"), ("L:1,-1", "L:1,0")]
    regional = ("R:0,0", "R:1,2")
    assert corners(-300.0, "R:0,0", *both, level_ms=80.0) == [("L:1,-1", "L:0,0"), regional, regional]
    # inside the corner of (0, 0) nothing changes for the region: 149.7 + 400 m to its end are not short
    assert corners(0.0, "R:0,0", *both, level_ms=80.0)[1:] == [regional, regional]


def test_below_the_least_speed_a_tiered_strategy_stays_local(bench: Any) -> None:
    plane = bench.plane(bench.roads([CORNERS]), PmTier(PmTier.Options()), min_speed_mps=5.0)
    frame = bench.frame(vehicle=[0, 1], x_m=260.0, y_m=-300.0, position_m=100.0, speed_mps=[4.0, 5.0])
    assert bench.decide(plane, frame, bench.cell(1, -1), level_ms=80.0) == [("L:1,-1", "L:0,0"), ("R:0,0", "R:1,2")]


@pytest.fixture
def fork(bench: Any) -> Any:
    """North to (0, 700); straight on to the north, but the vehicle turns east into (1, 1)."""
    roads = bench.roads([[(0, 100), (0, 700)], [(0, 700), (0, 1500)], [(0, 700), (600, 700)]], successor=[1, -1, -1])
    two = (Pm(Pm.Options()), Oracle(Oracle.Options()), PmTier(PmTier.Options()), OracleTier(OracleTier.Options()))
    return bench.plane(roads, *two, routes=[[0, 2]])


def test_the_oracles_see_the_turn_that_the_map_does_not(bench: Any, fork: Any) -> None:
    # (0, 1)'s border with (1, 1) is crossed at x = 173.2, and both (0, 2) and (1, 1) are R:1,2's
    frame = bench.frame(y_m=400.0, position_m=300.0)
    answers = bench.decide(fork, frame, [bench.cell(0, 1)] * 2 + [bench.region(0, 1)] * 2, level_ms=80.0)
    assert answers == [("L:0,1", "L:0,2"), ("L:0,1", "L:1,1"), ("R:0,0", "R:1,2"), ("R:0,0", "R:1,2")]


# --------------------------------------------------------------------------------------------------------------- the control plane


class Fixed(Strategy):
    """Answers what it is told to."""

    name = "fixed"

    def __init__(self, home: int, target: int) -> None:
        self.home, self.target = home, target

    def decide(self, now: Situation) -> Decision:
        return Decision(now.everywhere(self.home), now.everywhere(self.target))


def test_a_target_that_is_the_host_counts_as_none(bench: Any) -> None:
    plane = bench.plane(bench.roads([CORNERS]), Fixed(3, 4), Fixed(3, NO_SERVER), Fixed(3, 5))
    names = [bench.servers.name(number) for number in range(6)]
    assert bench.decide(plane, bench.frame(), 4) == [(names[3], "NONE"), (names[3], "NONE"), (names[3], names[5])]


def test_at_the_first_frame_keep_does_not_apply_and_the_attached_home_is_no_target(bench: Any) -> None:
    own, other = bench.cell(0, 0), bench.cell(0, 1)
    plane = bench.plane(bench.roads([CORNERS]), Fixed(KEEP, own), Fixed(KEEP, other))
    assert bench.decide(plane, bench.frame(first=True), NO_SERVER) == [("L:0,0", "NONE"), ("L:0,0", "L:0,1")]
    assert bench.decide(plane, bench.frame(), other) == [("KEEP", "L:0,0"), ("KEEP", "NONE")]


def test_at_the_first_frame_the_home_that_the_strategy_chose_is_no_target(bench: Any) -> None:
    # Rule 1 of section 7: the container runs on h; with p = host: NONE.
    other = bench.cell(0, 1)
    plane = bench.plane(bench.roads([CORNERS]), Fixed(other, other))
    assert bench.decide(plane, bench.frame(first=True), NO_SERVER) == [("L:0,1", "NONE")]
