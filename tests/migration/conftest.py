"""Vehicles under random decisions: homes, targets, KEEP and NONE at random frames, whatever a strategy could answer.

Sizes, rates and frame intervals are such that a decision may fall into any stage: W = 10 MB/s, images up to 8 s, memory up to 4 s,
dirty memory from none to twice the bandwidth.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from msmf_traci.control.look import Look, Outlook, Road
from msmf_traci.experiment.plan_file import NAMES, read_plan
from msmf_traci.migration.catalogue import Catalogue, catalogue_of
from msmf_traci.migration.engine import Decider, Engine, batch_of, no_decisions, room_to_see
from msmf_traci.migration.kernel import Now
from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.policy import (
    AS_IN_THE_PAPER,
    NO_PROCESSING,
    HandoffPolicy,
    ImageOptions,
    LinkOptions,
    PostCopy,
    Processing,
    Replay,
    Source,
)
from msmf_traci.migration.workload import Containers, private_containers
from msmf_traci.mobility.frame import Frames
from msmf_traci.mobility.tracks import Follower, Tracks
from msmf_traci.records import new_records
from msmf_traci.results.latencies import latencies_of
from msmf_traci.results.tables import copies_table, migrations_table, stages_table, vehicles_table
from msmf_traci.sentinels import KEEP, NO_SERVER
from tests.courses import REGION, SERVERS, names_of, policies, row_of_cells

MB = 1e6
BYTES_PER_S = 10 * MB
CLOCKS = ("outages", "outage_s", "longest_outage_s", "censored", "relayed_s", "late_s", "degraded_s", "satisfied_s")
LAYERS = ({"base": 30 * MB, "a": 5 * MB}, {"base": 30 * MB, "b": 20 * MB}, {"b": 20 * MB, "c": 1 * MB, "base": 30 * MB})
STATE = (*CLOCKS, "running", "hops", "late")


@dataclass(frozen=True)
class Drive:
    """What is decided for vehicles v under strategies s in frames f; a vehicle is on the road from frame first[v] to frame last[v].

    home, target, entry: shape (f, v, s); prefetch: (f, v, s, 8); cell: (f, v); the others one a vehicle or one a frame. tiers: those of
    the strategies.
    """

    times_s: np.ndarray
    first: np.ndarray
    last: np.ndarray
    home: np.ndarray
    target: np.ndarray
    entry: np.ndarray
    cell: np.ndarray
    containers: Containers
    links: LinkOptions
    policy: HandoffPolicy
    processing: Processing = NO_PROCESSING
    tiers: int = 1
    prefetch: np.ndarray | None = None
    images: ImageOptions = AS_IN_THE_PAPER
    catalogue: Catalogue | None = None
    plan: str = "precopy"

    @property
    def vehicles(self) -> int:
        """How many vehicles."""
        return self.home.shape[1]

    @property
    def strategies(self) -> int:
        """How many strategies."""
        return self.home.shape[2]

    def road_s(self) -> np.ndarray:
        """Seconds on the road by vehicle."""
        return self.times_s[self.last] - self.times_s[self.first]


def told(now: Now) -> tuple[int, int]:
    """The decision that lies where other strategies find the displacement, and a list of servers in place of the speed, a digit each."""
    code, n = int(now.look.speed_mps), 0
    while code > 0:
        now.prefetch[n], now.prefetch[n + 1] = code % 10 - 1, NO_SERVER
        code, n = code // 10, n + 1
    return int(now.look.dx_m), int(now.look.dy_m)


ROAD = Road(np.array([2, 3]), np.zeros(2), np.ones(2))  # cells where the road may enter the region


class Booked:
    """A drive taken through the engine and booked.

    Parameters
    ----------
    drive
        The drive.
    cuts
        Frames before which batches are cut; in a batch the engine looks only where something is new. None: frame by frame, everything
        anew.
    given
        Whether decisions are given frame by frame, instead of by a kernel.
    traced
        Whether a trace reads along.
    look
        Called after each batch, with `now_s` the time of its last frame.
    """

    def __init__(
        self,
        drive: Drive,
        cuts: Sequence[int] | None = None,
        look: Callable[["Booked"], None] | None = None,
        *,
        given: bool = False,
        traced: bool = False,
    ) -> None:
        self.drive = drive
        self.ledger = Ledger(keep_stages=True)
        catching_up = {"postcopy": PostCopy(2 * MB, 0.1 / MB, 0.5), "replay": Replay(0.5, 4.0, 12.0, 6.0)}
        rules = policies(drive.links, drive.policy, drive.strategies, drive.processing, drive.images, tiers=drive.tiers, **catching_up)
        plans = [read_plan(drive.plan)] * drive.strategies
        catalogues = None if drive.catalogue is None else [drive.catalogue] * drive.strategies
        decider = Decider() if given else Decider("told", told, each_frame=cuts is None)
        self.engine = Engine(rules, [decider] * drive.strategies, row_of_cells(policies=drive.strategies), self.ledger, catalogues, plans)
        self.engine.admit([drive.containers] * drive.strategies)
        self.now_s = -np.inf
        self.state_at_arrival: dict[int, dict[str, np.ndarray]] = {}
        self._given, self._traced = given, traced
        self.last_host = np.full((drive.vehicles, drive.strategies), NO_SERVER)  # where a trace reads along
        self._follower = Follower()
        self._follower.admit(drive.vehicles)
        ends = range(1, len(drive.times_s) + 1) if cuts is None else sorted({*cuts, len(drive.times_s)})
        for begin, end in pairwise([0, *ends]):
            self._batch(begin, end)
            self.now_s = drive.times_s[end - 1]
            if look is not None:
                look(self)
            for vehicle in np.flatnonzero((drive.last >= begin) & (drive.last < end)):
                self.state_at_arrival[int(vehicle)] = self.state(vehicle)

    def _batch(self, begin: int, end: int) -> None:
        """Frames begin to end - 1."""
        drive = self.drive
        on_road = [np.flatnonzero((drive.first <= f) & (f <= drive.last)) for f in range(begin, end)]
        vehicle = np.concatenate(on_road)
        f = np.repeat(np.arange(begin, end), [len(some) for some in on_road])
        number, place = np.zeros(len(f), dtype=np.int64), np.zeros(len(f))
        x_m = drive.times_s[f]
        columns = {"vehicle": vehicle, "x_m": x_m, "y_m": place, "speed_mps": place, "edge": number, "position_m": place}
        columns |= {"route": number, "route_index": number, "first": drive.first[vehicle] == f, "last": drive.last[vehicle] == f}
        start = np.cumsum([0, *(len(some) for some in on_road)])
        tracks = self._follower.follow(Frames(drive.times_s[begin:end], start, **columns))
        if not len(tracks):
            return
        batch, f, vehicle = batch_of(tracks), f[tracks.order], vehicle[tracks.order]
        for strategy in range(drive.strategies):
            outlook = self._outlook(f, vehicle, strategy, tracks)
            seen = room_to_see(len(f) if self._traced else 0, drive.strategies)
            if not self._given:
                self.engine.run(strategy, batch, outlook, seen)
            for k in range(len(batch.frame_start) - 1) if self._given else ():
                moved = self.engine.begin_frame(strategy, k, batch)
                decisions = no_decisions(len(f))._replace(home=drive.home[f, vehicle, strategy], target=drive.target[f, vehicle, strategy])
                if drive.prefetch is not None:
                    decisions = decisions._replace(prefetch=drive.prefetch[f, vehicle, strategy])
                self.engine.finish_frame(strategy, k, batch, outlook, decisions, seen, moved=moved)
            if self._traced:
                self.last_host[vehicle, strategy] = seen.host[:, strategy]

    def _outlook(self, f: np.ndarray, vehicle: np.ndarray, strategy: int, tracks: Tracks) -> Outlook:
        """What is known at each sample, and whether it is new: differs from the vehicle's frame before, or follows its first one."""
        drive, before = self.drive, np.maximum(f - 1, 0)
        looks = new_records(Look, len(f))
        looks["cell"] = looks["home"] = drive.cell[f, vehicle]
        looks["dx_m"], looks["dy_m"] = drive.home[f, vehicle, strategy], drive.target[f, vehicle, strategy]
        entry = drive.entry[f, vehicle, strategy]
        looks["cells_begin"], looks["cells_end"] = np.maximum(entry - 2, 0), np.maximum(entry - 1, 0)
        looks["first"], looks["last"] = tracks.first, tracks.last
        codes = np.zeros(drive.home.shape)
        if drive.prefetch is not None:
            codes = ((drive.prefetch + 1) * 10 ** np.arange(8)).sum(axis=3)
            looks["speed_mps"] = codes[f, vehicle, strategy]
        is_new = tracks.first.copy()
        for told in (drive.home[:, :, strategy], drive.target[:, :, strategy], codes[:, :, strategy], drive.cell):
            is_new |= told[f, vehicle] != told[before, vehicle]
        return Outlook(looks, is_new, ROAD)

    def state(self, vehicle: int) -> dict[str, np.ndarray]:
        """Clocks and flags of a vehicle's containers."""
        return {name: self.engine.containers[name][vehicle].copy() for name in STATE}

    def service(self) -> dict[str, np.ndarray]:
        """Clocks and counts of all containers."""
        return {name: self.engine.containers[name] for name in CLOCKS}

    def transfers(self) -> pd.DataFrame:
        """The table of transfers."""
        return migrations_table(self.ledger.transfers(), self._names())

    def copies(self) -> pd.DataFrame:
        """The table of copies."""
        return copies_table(self.ledger.copies(), self._names())

    def stages(self) -> pd.DataFrame:
        """The table of stages."""
        return stages_table(self.ledger.stages(), self._names())

    def vehicle_rows(self) -> pd.DataFrame:
        """The table of vehicles and strategies."""
        drive, records = self.drive, self.engine.containers
        trips = {
            **dict.fromkeys(("commanded_kmh", "outside_s", "unmatched_s"), np.zeros(drive.vehicles)),
            **dict.fromkeys(("road_s", "distance_m"), drive.road_s()),
        }
        shape = drive.vehicles, drive.strategies
        columns = {
            **{name: records[name] for name in (*CLOCKS, "handoffs")},
            **{name: np.zeros(shape, dtype=np.int64) for name in ("reports", "report_bytes", "level_met")},
            **{name: np.zeros(shape) for name in ("image_needed_bytes", "image_found_bytes", "relayed_byte_hops")},
            **{f"{kind}_{result}": np.zeros(shape) for kind in ("entry", "handoff") for result in ("hits", "misses")},
            "tier": np.full(shape, "local", dtype=object),
            "image": np.full(shape, None),
            "image_bytes": records["image_bytes"],
            "deployment_bytes": records["deployed_bytes"],
            "memory_capacity_bytes": records["memory_bytes"],
            "latency_level_ms": records["latency_level_ms"],
        }
        transfers, copies = self.ledger.transfers(), self.ledger.copies()
        latencies = latencies_of(self.ledger.running(), self._names())
        return vehicles_table(self._names(), transfers, copies, latencies, trips, columns)

    def _names(self) -> Any:
        drive = self.drive
        return names_of([f"v{v}" for v in range(drive.vehicles)], [f"s{s}" for s in range(drive.strategies)])


def _numbers(low: float, high: float, n: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.floats(low, high), min_size=n, max_size=n).map(np.array)


def _processing() -> st.SearchStrategy[Processing]:
    """None, or up to some seconds before each stage, so that frames fall into it."""
    constant, own = st.sampled_from([0.0, 0.3, 2.0]), st.sampled_from([math.nan, 0.0, 1.0])
    per_byte, own_per_byte = st.sampled_from([0.0, 0.05 / MB]), st.sampled_from([math.nan, 0.0, 0.03 / MB])
    kinds = {"later_s_per_changed_byte": per_byte, "round_trips": st.just(0.0)}
    for each in fields(Processing):
        is_own, is_per_byte = each.name.startswith(("later", "final")), each.name.endswith("per_byte")
        values = (own_per_byte if is_per_byte else own) if is_own else per_byte if is_per_byte else constant
        kinds.setdefault(each.name, own_per_byte if each.name == "final_s_per_changed_byte" else values)
    return st.just(NO_PROCESSING) | st.builds(Processing, **kinds)


def _answers(shape: tuple[int, ...], tiers: int, busy: int | None) -> st.SearchStrategy[np.ndarray]:
    """Servers, KEEP (-2) or NONE (-1), any of them; or mostly one busy server that many containers want."""
    anything = st.integers(KEEP, len(SERVERS) - 1 if tiers == 1 else REGION)
    elements = anything if busy is None else st.one_of(*[st.just(busy)] * 3, anything)
    return arrays.arrays(np.int64, shape, elements=elements, fill=st.nothing())


@st.composite
def _lists(draw: st.DrawFn, shape: tuple[int, ...], tiers: int) -> np.ndarray:
    """Lists of up to four servers, which stay the same for some frames, shape (frames, ..., 8)."""
    server = st.integers(0, len(SERVERS) - 1 if tiers == 1 else REGION)
    lists = np.full((*shape, 8), NO_SERVER)
    for place in np.ndindex(*shape):
        if place[0] > 0 and draw(st.integers(0, 2)):
            lists[place] = lists[(place[0] - 1, *place[1:])]
        else:
            named = draw(st.lists(server, max_size=4))
            lists[place][: len(named)] = named
    return lists


def _images(is_shared: bool) -> st.SearchStrategy[ImageOptions]:
    """From the host or the cloud, kept or not; copies that wait for idle links only where links are shared."""
    kept_s, cloud = st.sampled_from([0.0, 7.0, math.inf]), st.sampled_from([math.inf, 4 * MB])
    return st.builds(ImageOptions, st.sampled_from(Source), kept_s, cloud, st.booleans() if is_shared else st.just(False))


@st.composite
def random_drives(draw: st.DrawFn, *, crowded: bool = False, copying: bool = False, storing: bool = False) -> Drive:
    """Drives of up to three vehicles, two strategies and fourteen frames, both policies each way.

    Crowded: on shared links, or servers with room for one or two containers, or both; half of these want mostly one server. Copying: images
    are wanted on servers ahead of time. Storing: images have layers in common, servers have little room for them, or both; with any plan
    of ours, and dirty memory up to a cap.
    """
    v, s, f = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(2, 14))
    # mostly the whole time, so that there is something to book
    first = np.array(draw(st.lists(st.integers(0, f - 1) | st.just(0), min_size=v, max_size=v)))
    last = np.array([draw(st.just(f - 1) | st.integers(low, f - 1)) for low in first])
    tiers = draw(st.integers(1, 2)) if crowded else 1
    busy = draw(st.sampled_from([None, 0, len(SERVERS) - 1 if tiers == 1 else REGION])) if crowded else None
    home, target = draw(_answers((f, v, s), tiers, busy)), draw(_answers((f, v, s), tiers, busy))
    entered = draw(arrays.arrays(np.int64, (f, v, s), elements=st.sampled_from([NO_SERVER, 2, 3])))
    image, memory = draw(_numbers(1, 80, v)) * MB, draw(_numbers(1, 40, v)) * MB
    levels = draw(st.lists(st.sampled_from([10.0, 30.0, 80.0, 150.0]), min_size=v, max_size=v))
    is_shared, dirty = crowded and draw(st.booleans()), draw(st.sampled_from([0.0, 0.01, 0.1, 0.5, 2.0]))
    containers = private_containers(image, memory, np.array(levels), draw(_numbers(0.1, 5, v)), dirty * np.ones(v))
    images, catalogue = draw(_images(is_shared)) if copying else AS_IN_THE_PAPER, None
    if storing:
        if draw(st.booleans()):
            catalogue = catalogue_of(LAYERS)
            which = np.array(draw(st.lists(st.integers(0, len(LAYERS) - 1), min_size=v, max_size=v)))
            containers = replace(containers, image=which, image_bytes=np.array([sum(layers.values()) for layers in LAYERS])[which])
        room = containers.image_bytes.max() * draw(st.sampled_from([0.0, 1.0, 1.5, 2.5]))
        images = replace(images, are_shared=catalogue is not None, store_by_tier=(room, room))
    return Drive(
        times_s=np.cumsum(draw(_numbers(0.05, 15, f))),
        first=first,
        last=last,
        home=np.where(home == -1, KEEP, home),
        target=np.where(target == KEEP, -1, target),
        entry=np.where(target == REGION, entered, NO_SERVER),
        cell=draw(arrays.arrays(np.int64, (f, v), elements=st.integers(0, len(SERVERS) - 1))),
        containers=containers,
        links=LinkOptions(
            BYTES_PER_S,
            5 * MB,
            draw(st.sampled_from([0.0, 0.5])),
            is_shared=is_shared,
            dirty_cap_share=draw(st.sampled_from([1.0, 0.3])) if storing else 1.0,
            # so that there is room for every first deployment
            room_by_tier=(
                draw(st.sampled_from([0, 1 if v <= 2 else 2])) if crowded else 0,
                draw(st.sampled_from([0, 1, 2])) if tiers == 2 else 0,
            ),
        ),
        policy=HandoffPolicy(draw(st.booleans()), draw(st.booleans())),
        processing=draw(_processing()),
        tiers=tiers,
        prefetch=draw(_lists((f, v, s), tiers)) if copying else None,
        images=images,
        catalogue=catalogue,
        plan=draw(st.sampled_from(NAMES)) if storing else "precopy",
    )


@pytest.fixture(scope="session")
def drives() -> st.SearchStrategy[Drive]:
    """Random drives."""
    return random_drives()


@pytest.fixture(scope="session")
def crowded_drives() -> st.SearchStrategy[Drive]:
    """Random drives of containers that meet."""
    return random_drives(crowded=True)


@pytest.fixture(scope="session")
def copying_drives() -> st.SearchStrategy[Drive]:
    """Random drives of containers that meet or do not, whose images are copied ahead."""
    return st.booleans().flatmap(lambda crowded: random_drives(crowded=crowded, copying=True))


@pytest.fixture(scope="session")
def storing_drives() -> st.SearchStrategy[Drive]:
    """The same, of containers whose images have layers in common, or meet in small stores."""
    return st.booleans().flatmap(lambda crowded: random_drives(crowded=crowded, copying=True, storing=True))


@pytest.fixture(scope="session")
def book() -> type[Booked]:
    """Takes a drive through the engine."""
    return Booked


@pytest.fixture(scope="session")
def same_container_drive() -> Callable[[np.ndarray], Drive]:
    """A drive from home[frame, vehicle] alone: frames every 2 s, default policy; 10 s of image, 2 s of memory, 0.5 s to start."""

    def drive(home: np.ndarray) -> Drive:
        frames, vehicles = home.shape
        every = np.ones(vehicles)
        return Drive(
            times_s=2.0 * np.arange(frames),
            first=np.zeros(vehicles, dtype=np.int64),
            last=np.full(vehicles, frames - 1),
            home=home[:, :, None],
            target=np.full((frames, vehicles, 1), NO_SERVER),
            entry=np.full((frames, vehicles, 1), NO_SERVER),
            cell=np.zeros((frames, vehicles), dtype=np.int64),
            containers=private_containers(100 * MB * every, 20 * MB * every, 80 * every, 0.5 * every, 0.05 * every),
            links=LinkOptions(BYTES_PER_S, 5 * MB, 0.0),
            policy=HandoffPolicy(False, False),
        )

    return drive


@pytest.fixture(scope="session")
def crowd() -> Callable[..., Drive]:
    """A drive from home[frame][vehicle]: frames every second from 1 s on; 0.1 s of image, 0.1 s of memory, 1 s to start."""

    def drive(
        home: list[list[int]],
        *,
        target: int | list[list[int]] = NO_SERVER,
        last: list[int] | None = None,
        level_ms: list[float] | None = None,
        local_room: int | None = None,
        regional_room: int | None = None,
        tiers: int = 1,
    ) -> Drive:
        frames, vehicles = len(home), len(home[0])
        every = np.ones(vehicles)
        return Drive(
            times_s=np.arange(1.0, frames + 1),
            first=np.zeros(vehicles, dtype=np.int64),
            last=np.array(last or [frames - 1] * vehicles),
            home=np.array(home)[:, :, None],
            target=np.broadcast_to(target, (frames, vehicles))[:, :, None],
            entry=np.full((frames, vehicles, 1), NO_SERVER),
            cell=np.zeros((frames, vehicles), dtype=np.int64),
            containers=private_containers(MB * every, MB * every, np.array(level_ms or 80 * every), every, 0 * every),
            links=LinkOptions(BYTES_PER_S, 5 * MB, 0.0, room_by_tier=(local_room or 0, regional_room or 0)),
            policy=HandoffPolicy(False, False),
            tiers=tiers,
        )

    return drive
