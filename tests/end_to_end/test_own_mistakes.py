"""What strategies of one's own, and whoever decides from outside, may get wrong: it is said in one sentence, or it does no harm."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import msmf_traci as msmf
from msmf_traci.strategies.nearest import Nearest
from tests.control import readable
from tests.end_to_end.test_own_strategies import BRIEF, FEW, Late, LateKernel, assert_alike, tables_of

FULL = {
    **FEW,
    **{"mobility.vehicles": 30, "mobility.max_duration_s": 200, "mobility.depart_window_s": 5, "workload.image_mb": [20, 200]},
    **{"tiers.local.capacity": 1, "tiers.regional.capacity": 3},
}


@pytest.fixture(scope="module", autouse=True)
def place(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to work in, with the session's cache."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MSMF_CACHE_DIR", str(cache))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def full(place: Path) -> dict[str, pd.DataFrame]:
    """A pass in which a third of the containers find their first server full."""
    return tables_of(msmf.run(FULL, strategies=[Late, LateKernel]))


def test_a_kernel_counts_a_first_frame_once_where_first_servers_are_full(full: dict[str, pd.DataFrame]) -> None:
    assert_alike(full, "late", "late_kernel")


def test_a_wrong_answer_from_outside_can_be_corrected() -> None:
    with msmf.open_pass(BRIEF) as driving:
        now = driving.begin()
        with pytest.raises(msmf.InputError):
            driving.step(msmf.Decision(now.home[:0], now.home))
        assert driving.step(msmf.Decision(now.home, now.next_home())) is not None


def test_a_pass_begins_once() -> None:
    with msmf.open_pass(BRIEF) as driving:
        driving.begin()
        with pytest.raises(msmf.InputError):
            driving.begin()


def test_what_is_no_decision_is_refused_from_outside() -> None:
    with msmf.open_pass(BRIEF) as driving:
        now = driving.begin()
        with pytest.raises(msmf.InputError):
            driving.step((now.home, now.next_home()))  # type: ignore[arg-type]


class Nowhere(msmf.Strategy):
    """Confuses KEEP with NO_SERVER."""

    name = "nowhere"

    @staticmethod
    def kernel(now: msmf.Now) -> tuple[int, int]:
        return msmf.NO_SERVER, msmf.NO_SERVER


def test_a_kernel_that_answers_no_server_is_refused() -> None:
    with pytest.raises(msmf.InputError, match="nowhere"):
        msmf.run(BRIEF, strategies=[Nowhere])


class Halves(msmf.Strategy):
    name = "halves"

    @staticmethod
    def kernel(now: msmf.Now) -> Any:
        return 1.5, msmf.NO_SERVER


def test_a_kernel_that_answers_no_whole_numbers_is_refused() -> None:
    with pytest.raises(msmf.InputError, match="halves"):
        msmf.run(BRIEF, strategies=[Halves])


@dataclass(frozen=True)
class Far:
    far_m: float = 700.0


class FarNearest(Nearest):
    """An heir of ours with options of its own."""

    name = "far_nearest"
    Options = Far

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        assert self.options.far_m == 700
        return msmf.Decision(now.home, now.everywhere(msmf.NO_SERVER))


def test_an_heir_of_ours_gets_the_options_that_it_says() -> None:
    assert len(msmf.run(BRIEF, strategies=[FarNearest]).vehicles) == 3


class Stumbling(readable.Pm):
    name = "stumbling"

    def arrived(self, vehicle: Any) -> None:
        raise KeyError("lost")


def test_a_hook_that_fails_ends_the_run_in_one_sentence() -> None:
    with pytest.raises(msmf.InputError, match="strategy stumbling failed"):
        msmf.run(BRIEF, strategies=[Stumbling])


def test_there_is_no_limit_where_no_server_is_asked_for() -> None:
    with msmf.open_pass(BRIEF, {"tiers.regional.capacity": 3}) as driving:
        now = driving.begin()
        assert (now.room(now.everywhere(msmf.NO_SERVER)) != 3).all()


def test_two_passes_that_are_open_at_once_are_each_their_own() -> None:
    one, other = msmf.open_pass(BRIEF, name="one", tiers=None), msmf.open_pass(BRIEF, name="other")
    for driving, name in ((one, "one"), (other, "other")):
        with driving:
            driving.begin()
            assert list(driving.tables()["summary"]["strategy"]) == [name]
