"""Strategies of one's own in a whole run: in Python, compiled, and from outside. What decides alike gives the same rows, whatever it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import msmf_traci as msmf
from msmf_traci.arrays import extended
from msmf_traci.migration.ledger import OUTCOME_NAMES, Stage
from msmf_traci.strategies.nearest import Nearest
from msmf_traci.strategies.never import Never
from msmf_traci.strategies.pm import Oracle, OracleTier, Pm, PmTier
from msmf_traci.strategies.pm_op import PmOp, PmOpTier
from tests.control import readable

FEW = {"mobility.vehicles": 12, "mobility.max_duration_s": 400, "deployment.rings": 4, "mobility.min_trip_m": 1000, "output.trace": True}
CROWD = {**FEW, "mobility.vehicles": 20, "links.mode": "shared", "tiers.local.capacity": 2, "tiers.regional.capacity": 3}
SMALL = {**FEW, "workload.image_mb": [20, 200]}
OTHER = {
    **SMALL,
    **{"handoff.unsynced": "relay", "reports.distance_m": 60, "tier_choice.min_speed_kmh": 20},
    **{f"strategy.{name}.min_m": 300 for name in ("pm_op", "pm_op_readable", "pm_op_tier_readable")},
    **{f"strategy.{name}.min_dwell_s": 30 for name in ("pm_op", "pm_op_readable", "pm_op_tier_readable")},
    **{f"strategy.{name}.trigger_m": 150 for name in ("nearest", "nearest_readable")},
}
WORDS = {"defaults": FEW, "shared links and full servers": CROWD, "relay, rare reports and options": OTHER}
BRIEF = {
    "mobility.vehicles": 3,
    "mobility.max_duration_s": 40,
    "mobility.depart_window_s": 10,
    "deployment.rings": 4,
    "mobility.min_trip_m": 1000,
}
OURS = (Nearest, Pm, PmOp, PmTier, PmOpTier, Never, Oracle, OracleTier)
READABLE = [getattr(readable, kind.__name__) for kind in OURS]
BANDWIDTH = 12.5e6  # bytes per second: 100 Mb/s
NTH = 20


class Told(readable.Pm):
    """As pm; remembers what it is told, in its order."""

    name = "told"
    begun: ClassVar[list[Any]] = []  # objects of this class that were told of the begin of a run

    def begin(self) -> None:
        self.heard: list[tuple[str, Any]] = [("begin", None)]
        self.begun.append(self)

    def end(self) -> None:
        self.heard.append(("end", None))

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        self.heard.append(("decide", (now.time_s, now.vehicle)))
        return super().decide(now)

    def arrived(self, vehicle: np.ndarray) -> None:
        self.heard.append(("arrived", vehicle))

    def transferred(self, transfers: Any) -> None:
        self.heard.append(("transferred", pd.DataFrame(dict(transfers))))

    def all_of(self, what: str) -> list[Any]:
        """What came with each call of one kind."""
        return [which for kind, which in self.heard if kind == what]


class Late(msmf.Strategy):
    """Follow the user; copy ahead as pm from each vehicle's 20th frame on."""

    name = "late"

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._frames = np.zeros(0, dtype=np.int64)

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        more = int(now.vehicle.max()) + 1 - len(self._frames)
        self._frames = extended(self._frames, max(more, 0), 0)
        self._frames[now.vehicle] += 1
        return msmf.Decision(now.home, np.where(self._frames[now.vehicle] < NTH, msmf.NO_SERVER, now.next_home()))


class Follow(readable.Never):
    """pm's kernel once more; it decides in the place of what the class derives from."""

    name = "follow"
    told: ClassVar[list[str]] = []

    def begin(self) -> None:
        self.told.append("begin")

    def end(self) -> None:
        self.told.append("end")

    def arrived(self, vehicle: np.ndarray) -> None:
        self.told.append("arrived")

    def transferred(self, transfers: Any) -> None:
        self.told.append("transferred")

    @staticmethod
    def kernel(now: msmf.Now) -> tuple[int, int]:
        for k in range(now.look.ahead, now.look.end):
            server = now.road.server[k]
            if server != now.look.home and server != now.container.host:
                return now.look.home, server
        return now.look.home, msmf.NO_SERVER


@dataclass(frozen=True)
class Waiting:
    nth: int = NTH


class Frames:
    frames: int


WAITING, FRAMES = msmf.dtype_of(Waiting), msmf.dtype_of(Frames)


class LateKernel(msmf.Strategy):
    """`Late` with a kernel, its frames counted in its memory."""

    name = "late_kernel"
    Options = Waiting
    Memory = Frames

    @staticmethod
    def kernel(now: msmf.Now) -> tuple[int, int]:
        count = now.memory.view(FRAMES)[0]
        count.frames += 1
        if count.frames >= now.options.view(WAITING)[0].nth:
            for k in range(now.look.ahead, now.look.end):
                server = now.road.server[k]
                if server != now.look.home and server != now.container.host:
                    return now.look.home, server
        return now.look.home, msmf.NO_SERVER


class Raising(msmf.Strategy):
    name = "raising"

    @staticmethod
    def kernel(now: msmf.Now) -> tuple[int, int]:
        if now.look.time_s >= 20:
            raise ValueError("no more")
        return now.look.home, msmf.NO_SERVER


class Uncompilable(msmf.Strategy):
    name = "uncompilable"

    @staticmethod
    def kernel(now: msmf.Now) -> tuple[int, int]:
        return now.look.no_such_field, msmf.NO_SERVER


class Neither(msmf.Strategy):
    name = "neither"


class Dice(msmf.Strategy):
    """Leaves to chance whom it follows."""

    name = "dice"
    drawn: ClassVar[list[list[float]]] = []  # of each run

    def begin(self) -> None:
        self.drawn.append([])

    def decide(self, now: msmf.Situation) -> msmf.Decision:
        number = self.random.random(len(now))
        self.drawn[-1].extend(number.tolist())
        return msmf.Decision(np.where(number < 0.5, msmf.KEEP, now.home), now.everywhere(msmf.NO_SERVER))


class OtherDice(Dice):
    name = "other_dice"
    drawn: ClassVar[list[list[float]]] = []


@pytest.fixture(scope="module", autouse=True)
def place(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder to work in, with the session's cache."""
    folder = tmp_path_factory.mktemp("own_strategies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MSMF_CACHE_DIR", str(cache))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module", params=WORDS)
def run(request: pytest.FixtureRequest, place: Path) -> tuple[msmf.Run, Told]:
    """One pass of all strategies, and the one that remembers what it was told."""
    words = WORDS[request.param]
    made = msmf.run(words, strategies=[*(kind.name for kind in OURS), *READABLE, Told, Late, Follow, LateKernel])
    return made, Told.begun[-1]


def tables_of(run: msmf.Run) -> dict[str, pd.DataFrame]:
    names = ("summary", "vehicles", "migrations", "summary_by_band", "stages", "decisions")
    return {name: getattr(run, name) for name in names}


def rows_of(table: pd.DataFrame, strategy: str) -> pd.DataFrame:
    return table[table["strategy"] == strategy].drop(columns="strategy").reset_index(drop=True)


def assert_alike(tables: dict[str, pd.DataFrame], one: str, other: str) -> None:
    for name, table in tables.items():
        if name == "bounds":  # of no strategy
            continue
        rows = rows_of(table, one)
        assert len(rows) or name == "copies" or (one == "never" and name in ("migrations", "stages"))
        assert_frame_equal(rows, rows_of(table, other), check_exact=True)


@pytest.mark.parametrize("name", [kind.name for kind in OURS])
def test_ours_in_python_give_the_same_rows(run: tuple[msmf.Run, Told], name: str) -> None:
    assert_alike(tables_of(run[0]), name, f"{name}_readable")


def test_a_kernel_of_ones_own_gives_the_rows_of_ours(run: tuple[msmf.Run, Told]) -> None:
    assert_alike(tables_of(run[0]), "pm", "follow")


def test_what_a_kernel_remembers_is_what_an_object_remembers(run: tuple[msmf.Run, Told]) -> None:
    tables = tables_of(run[0])
    assert_alike(tables, "late", "late_kernel")
    targets = rows_of(tables["decisions"], "late")
    begin = targets.groupby("vehicle")["t_s"].transform("min")
    assert (targets["target"][targets["t_s"] - begin < NTH - 1] == "NONE").all()
    assert (targets["target"][targets["t_s"] - begin == NTH - 1] != "NONE").any()


def test_full_servers_refuse_in_the_crowd(run: tuple[msmf.Run, Told]) -> None:
    made, _ = run
    assert (made.migrations["outcome"] == "refused").any() == (made.options["tiers.local.capacity"] is not None)


# hooks


def test_a_run_begins_once_before_it_is_decided_and_ends_once_after(run: tuple[msmf.Run, Told]) -> None:
    kinds = [kind for kind, _ in run[1].heard]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert kinds.count("begin") == kinds.count("end") == 1
    assert kinds.count("decide") > 100


def test_each_vehicle_arrives_once_at_its_last_frame(run: tuple[msmf.Run, Told]) -> None:
    made, told = run
    last: dict[int, int] = {}  # number of the last call of decide that each vehicle was part of
    arrived: dict[int, list[int]] = {}
    calls = 0
    for kind, which in told.heard:
        if kind == "decide":
            calls += 1
            last |= dict.fromkeys(which[1].tolist(), calls)
        elif kind == "arrived":
            for vehicle in which.tolist():
                arrived.setdefault(vehicle, []).append(calls)
    assert len(last) == len(rows_of(made.vehicles, "told"))
    assert arrived == {vehicle: [call] for vehicle, call in last.items()}


def test_each_transfer_is_told_once_before_the_next_frame(run: tuple[msmf.Run, Told]) -> None:
    made, told = run
    booked = rows_of(made.migrations, "told")
    heard = pd.concat(told.all_of("transferred"))
    assert heard["outcome"].map(OUTCOME_NAMES.__getitem__).value_counts().to_dict() == booked["outcome"].value_counts().to_dict()
    for column in ("t_start_s", "t_stop_s", "t_end_s", "image_bytes", "final_bytes", "x_m"):
        assert sorted(heard[column].dropna()) == sorted(booked[column].dropna())
    now_s = -np.inf
    ended: list[float] = []
    for kind, which in told.heard:
        if kind == "decide":
            before_s, now_s = now_s, which[0]
            assert all(before_s <= t_s <= now_s for t_s in ended)
            ended = []
        elif kind == "transferred":
            ended = which["t_end_s"].tolist()
            assert ended


def test_a_kernel_is_told_of_begin_and_end_alone(run: tuple[msmf.Run, Told]) -> None:
    assert Follow.told[-2:] == ["begin", "end"]
    assert set(Follow.told) == {"begin", "end"}


def test_random_numbers_follow_from_the_seed_and_the_name(place: Path) -> None:
    same, again, other = (msmf.run(BRIEF, strategies=[Dice, OtherDice], seed=seed) for seed in (5, 5, 6))
    assert Dice.drawn[0] == Dice.drawn[1] and len(Dice.drawn[0]) > 50
    assert_frame_equal(same.vehicles, again.vehicles)
    for one, different in ((Dice.drawn[0], Dice.drawn[2]), (Dice.drawn[0], OtherDice.drawn[0])):
        assert not set(one) & set(different)
    assert len(other.summary) == 2


# kernels


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Raising, "strategy raising failed in its kernel: ValueError: no more; correct it there"),
        (Uncompilable, "strategy uncompilable: its kernel cannot be compiled"),
        (Neither, "has neither decide nor kernel"),
    ],
)
def test_a_kernel_that_fails_ends_the_run_in_one_sentence(kind: type[msmf.Strategy], sentence: str) -> None:
    with pytest.raises(msmf.InputError) as error:
        msmf.run(BRIEF, strategies=["pm", kind])
    assert sentence in str(error.value)


# from outside


@dataclass(frozen=True)
class Driven:
    """What was seen at each frame of a pass that was advanced from outside, the pass's tables, and whether servers have limited room."""

    seen: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    is_limited: bool


@pytest.fixture(scope="module", params=[SMALL, CROWD], ids=["small images", "shared links and full servers"])
def driven(request: pytest.FixtureRequest, place: Path) -> Driven:
    """A pass that is driven as pm drives, beside pm, pm in Python and one that remembers."""
    with msmf.open_pass(request.param, strategies=["pm", readable.Pm, LateKernel, Late]) as driving:
        seen = []
        now = driving.begin()
        while now is not None:
            seen.append(what_is_seen(now))
            now = driving.step(msmf.Decision(home=now.home, target=now.next_home()))
        with pytest.raises(msmf.InputError, match=r"step: the pass has not begun or is over; call begin\(\) first"):
            driving.step(msmf.Decision(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
        return Driven(pd.concat(seen, ignore_index=True), driving.tables(), request.param is CROWD)


def what_is_seen(now: msmf.Situation) -> pd.DataFrame:
    """One row a vehicle."""
    names = (
        "vehicle",
        "first",
        "speed_mps",
        "mean_speed_mps",
        "host",
        "home",
        "image_bytes",
        "memory_bytes",
        "running",
        "copying_to",
        "stage",
        "copying_s",
    )
    columns = {name: getattr(now, name) for name in (*names, "sent_bytes", "missing_bytes", "rate_bytes_per_s", "start_s")}
    return pd.DataFrame(
        {"time_s": now.time_s, **columns, "bandwidth": now.bandwidth_bytes_per_s(now.home), "room": now.room(now.host)},
    )


def test_a_pass_that_is_driven_as_pm_drives_gives_its_rows(driven: Driven) -> None:
    tables = driven.tables
    assert set(tables) == {"vehicles", "summary", "summary_by_band", "bounds", "migrations", "copies", "stages"}
    assert_alike(tables, "pm", "outside")
    assert_alike(tables, "pm", "pm_readable")
    assert_alike(tables, "late", "late_kernel")


def test_where_nothing_is_copied_nothing_is_sent_or_missing(driven: Driven) -> None:
    still = driven.seen[driven.seen["stage"] == Stage.NONE]
    assert len(still)
    assert not still[["sent_bytes", "missing_bytes", "rate_bytes_per_s"]].any(axis=None)
    assert still["copying_s"].isna().all() and (still["copying_to"] == msmf.NO_SERVER).all()


def test_during_the_image_what_is_sent_and_missing_are_image_and_memory(driven: Driven) -> None:
    image = driven.seen[driven.seen["stage"] == Stage.IMAGE]
    assert len(image)
    np.testing.assert_allclose(image["sent_bytes"] + image["missing_bytes"], image["image_bytes"] + image["memory_bytes"], rtol=1e-12)


def test_what_is_sent_grows_with_the_rate(driven: Driven) -> None:
    """From one frame of a transfer to the next one, a second later: never less, and in the image by the rate given at the first."""
    seen = driven.seen.sort_values(["vehicle", "time_s"])
    before = seen.groupby("vehicle").shift()
    goes_on = (before["copying_s"] + 1 == seen["copying_s"]) & (before["copying_to"] == seen["copying_to"])
    grown = seen["sent_bytes"] - before["sent_bytes"]
    assert (grown[goes_on] >= -1e-6).all()
    in_image = goes_on & (seen["stage"] == Stage.IMAGE)
    assert in_image.sum() > 100
    np.testing.assert_allclose(grown[in_image], seen["rate_bytes_per_s"][in_image], atol=1)


def test_a_transfer_of_its_own_link_sends_no_more_than_that_carries(driven: Driven) -> None:
    seen = driven.seen[driven.seen["stage"] > 0]
    assert (seen["rate_bytes_per_s"] <= BANDWIDTH).all() and (seen["copying_s"] >= 0).all()
    assert (seen["sent_bytes"] <= BANDWIDTH * seen["copying_s"] + 1).all()
    assert set(seen["stage"]) == set(Stage) - {Stage.NONE, Stage.PULL, Stage.REPLAY}  # this plan pulls and replays nothing


def test_the_link_to_another_server_has_its_bandwidth_and_none_is_needed_to_the_host(driven: Driven) -> None:
    away = driven.seen["home"] != driven.seen["host"]
    assert away.any() and not away[driven.seen["first"]].any()
    assert (driven.seen["bandwidth"] == np.where(away, BANDWIDTH, np.inf)).all()


def test_no_server_holds_more_than_it_has_room_for(driven: Driven) -> None:
    room = driven.seen["room"]
    assert (room >= 0).all()
    assert set(room) == ({0, 1, 2} if driven.is_limited else {np.inf})


def test_the_mean_speed_is_that_of_the_last_minute(driven: Driven) -> None:
    for _, seen in driven.seen.groupby("vehicle"):
        by_time = seen.set_index(pd.to_datetime(seen["time_s"], unit="s"))
        np.testing.assert_allclose(by_time["mean_speed_mps"], by_time["speed_mps"].rolling("60s").mean(), atol=1e-9)
    assert (driven.seen["mean_speed_mps"] != driven.seen["speed_mps"]).any()


def test_a_caller_who_lists_the_next_homes_copies_their_images_as_pm_does() -> None:
    """The next three homes on the road, from the second stretch ahead on; the images are on their way, or there, where they are listed."""
    words = {**FEW, "strategy.pm.prefetch": 3, "workload.image_mb": [50, 300], "images.retain_s": 20}
    with msmf.open_pass(words, strategies=["pm"], name="mine") as driving:
        now, missing = driving.begin(), 0
        while now is not None:
            lists = np.full((len(now), 3), msmf.NO_SERVER)
            for i, (servers, begin, n) in enumerate(zip(now.ahead.server, now.ahead.beyond, now.ahead.exists.sum(axis=1), strict=True)):
                ahead = [server for server in dict.fromkeys(servers[begin:n].tolist()) if server not in (now.home[i], now.host[i])][:3]
                lists[i, : len(ahead)] = ahead
            for i, wanted in enumerate(now.image_wanted_at):
                at = wanted[wanted != msmf.NO_SERVER]
                left = [now.image_missing_bytes(now.everywhere(server))[i] for server in at]
                assert all(0 <= each <= now.image_bytes[i] for each in left)
                missing += sum(each > 0 for each in left)
            now = driving.step(msmf.Decision(now.home, now.next_home(), prefetch=lists))
        tables = driving.tables()
    assert missing > 100 and len(rows_of(tables["copies"], "mine")) > 50
    assert_alike(tables, "pm", "mine")


@pytest.mark.parametrize(("kin", "words"), [("pm_tier", {"tiers": None}), ("oracle", {"predictor": "route"})])
def test_a_caller_chooses_tiers_and_predictor(kin: str, words: dict[str, Any]) -> None:
    with msmf.open_pass(SMALL, strategies=[kin], name="mine", **words) as driving:
        now = driving.begin()
        while now is not None:
            now = driving.step(msmf.Decision(home=now.home, target=now.next_home()))
        assert_alike(driving.tables(), kin, "mine")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda now: msmf.Decision(now.home[:-1], now.next_home()), "must return a home for each of"),
        (lambda now: msmf.Decision(now.home, now.next_home()[:, None]), "must return a target for each of"),
        (lambda now: msmf.Decision(now.home.astype(float), now.next_home()), "it returned float64 of shape"),
        (lambda now: msmf.Decision(now.home, now.everywhere(len(now.servers))), "it returned"),
        (lambda now: msmf.Decision(now.everywhere(-3), now.next_home()), "it returned -3"),
        (lambda now: msmf.Decision(now.everywhere(msmf.NO_SERVER), now.next_home()), "it returned -1"),
        (lambda now: msmf.Decision(now.home, now.home, now.home), "prefetch as numbers of a server (0 to"),
        (lambda now: msmf.Decision(now.home, now.home, np.zeros((len(now), 9), dtype=int)), "9)"),
        (lambda now: msmf.Decision(now.home, now.home, np.full((len(now), 2), -2)), "it returned -2"),
    ],
    ids=[
        "too few",
        "shape",
        "float",
        "beyond the last server",
        "before the first",
        "no home",
        "no lists",
        "long lists",
        "no server in a list",
    ],
)
def test_a_wrong_answer_from_outside_is_refused(answer: Any, sentence: str) -> None:
    with msmf.open_pass(BRIEF) as driving:
        now = driving.begin()
        with pytest.raises(msmf.InputError) as error:
            driving.step(answer(now))
    assert "a server (0 to" in str(error.value) and sentence in str(error.value)


def test_a_pass_is_not_advanced_before_it_has_begun() -> None:
    none = np.zeros(0, dtype=np.int64)
    with msmf.open_pass(BRIEF) as driving, pytest.raises(msmf.InputError, match=r"the pass has not begun or is over; call begin\(\) first"):
        driving.step(msmf.Decision(none, none))


def test_a_pass_from_outside_has_no_variants() -> None:
    with (
        pytest.raises(msmf.InputError, match="has one variant of its own, not 2: leave out variants"),
        msmf.open_pass(BRIEF, {"variants.links.bandwidth_mbps": [50, 100]}),
    ):
        pass
