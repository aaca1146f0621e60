"""Vehicles under random decisions: homes, targets, KEEP and NONE at random frames, whatever a strategy could answer.

Sizes, rates and frame intervals are such that a decision may fall into any stage: W = 10 MB/s, images up to 8 s, memory up to 4 s,
dirty memory from none to twice the bandwidth.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from msmf_traci.migration.ledger import Ledger
from msmf_traci.migration.precopy import HandoffPolicy, Precopy
from msmf_traci.migration.transfers import LinkOptions
from msmf_traci.migration.workload import Containers
from msmf_traci.results.tables import Names, migrations_table, stages_table, vehicles_table
from msmf_traci.sentinels import KEEP

SERVERS = ("A", "B", "C", "D")
MB = 1e6
BYTES_PER_S = 10 * MB
CLOCKS = ("outages", "outage_s", "longest_outage_s", "censored", "relayed_s", "late_s", "satisfied_s")
STATE = (*CLOCKS, "running", "relayed", "late")


def latency_of(server: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Server n stands in cell n of a row of cells: 15 ms, and 40 ms more for each hop."""
    hops = np.abs(server - cell)
    return 15.0 + 40.0 * hops, hops


@dataclass(frozen=True)
class Drive:
    """What is decided for vehicles v under strategies s in frames f; a vehicle is on the road from frame first[v] to frame last[v].

    home, target: shape (f, v, s); cell: (f, v); the others one a vehicle or one a frame.
    """

    times_s: np.ndarray
    first: np.ndarray
    last: np.ndarray
    home: np.ndarray
    target: np.ndarray
    cell: np.ndarray
    containers: Containers
    links: LinkOptions
    policy: HandoffPolicy

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


Decide = Callable[["Booked", np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Booked:
    """A drive taken through the engine and booked.

    Parameters
    ----------
    drive
        The drive.
    slices
        Instants between frames at which transfers are brought up to date, nothing else.
    repeats
        Instants between frames at which the last decisions are said again.
    decide
        What the decisions of a frame become, given the engine's state.
    """

    def __init__(self, drive: Drive, slices: tuple[float, ...] = (), repeats: tuple[float, ...] = (), decide: Decide | None = None) -> None:
        self.drive = drive
        self.ledger = Ledger(keep_stages=True)
        self.engine = Precopy(drive.strategies, drive.links, drive.policy, latency_of, self.ledger)
        self.engine.admit(drive.containers)
        self.state_at_arrival: dict[int, dict[str, np.ndarray]] = {}
        self._said: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None
        extra = sorted([(t_s, True) for t_s in repeats] + [(t_s, False) for t_s in slices])
        for f, t_s in enumerate(drive.times_s):
            self._frame(f, float(t_s), decide)
            until_s = drive.times_s[f + 1] if f + 1 < len(drive.times_s) else np.inf
            for extra_s, says in extra:
                if t_s < extra_s < until_s:
                    self._between(extra_s, says)

    def _frame(self, f: int, t_s: float, decide: Decide | None) -> None:
        drive, engine = self.drive, self.engine
        on_road = np.flatnonzero((drive.first <= f) & (f <= drive.last))
        goes_on, cell = drive.last[on_road] > f, drive.cell[f, on_road]
        engine.advance(t_s, on_road, np.full(len(on_road), t_s), np.zeros(len(on_road)))
        home, target = drive.home[f, on_road], drive.target[f, on_road]
        is_first = drive.first[on_road] == f
        home = np.where(is_first[:, None] & (home == KEEP), cell[:, None], home)
        engine.deploy(t_s, on_road[is_first], home[is_first])
        engine.attach(t_s, on_road, cell)
        if decide is not None:
            home, target = decide(self, on_road, home, target)
        engine.apply(t_s, on_road[goes_on], home[goes_on], target[goes_on])
        engine.arrive(t_s, on_road[~goes_on])
        for vehicle in on_road[~goes_on]:
            self.state_at_arrival[int(vehicle)] = self.state(vehicle)
        self._said = on_road[goes_on], home[goes_on], target[goes_on], cell[goes_on]

    def _between(self, t_s: float, says: bool) -> None:
        assert self._said is not None
        vehicle, home, target, cell = self._said
        self.engine.advance(t_s, vehicle, np.full(len(vehicle), t_s), np.zeros(len(vehicle)))
        if says:
            self.engine.attach(t_s, vehicle, cell)
            self.engine.apply(t_s, vehicle, home, target)

    def state(self, vehicle: int) -> dict[str, np.ndarray]:
        """Clocks and flags of a vehicle's containers."""
        i = np.arange(vehicle * self.drive.strategies, (vehicle + 1) * self.drive.strategies)
        return {name: getattr(self.engine.service, name)[i].copy() for name in STATE}

    def service(self) -> dict[str, np.ndarray]:
        """Clocks and counts of all containers."""
        return {name: getattr(self.engine.service, name) for name in CLOCKS}

    def transfers(self) -> pd.DataFrame:
        """The table of transfers."""
        return migrations_table(self.ledger, self._names())

    def stages(self) -> pd.DataFrame:
        """The table of stages."""
        return stages_table(self.ledger, self._names())

    def vehicle_rows(self) -> pd.DataFrame:
        """The table of vehicles and strategies."""
        drive, containers = self.drive, self.drive.containers
        zeros, n = np.zeros(drive.vehicles), drive.vehicles * drive.strategies
        trips = {
            "commanded_kmh": zeros,
            "road_s": drive.road_s(),
            "distance_m": drive.road_s(),
            "image_bytes": containers.image_bytes,
            "memory_capacity_bytes": containers.memory_bytes,
            "latency_level_ms": containers.latency_level_ms,
            "outside_s": zeros,
            "unmatched_s": zeros,
            "frames": drive.last - drive.first + 1,
        }
        counts = {name: np.zeros(n, dtype=np.int64) for name in ("entry_hits", "entry_misses", "handoff_hits", "handoff_misses")}
        columns = {"tier": np.full(n, "local", dtype=object), "level_met": np.ones(n), "handoffs": self.engine.handoffs}
        return vehicles_table(self._names(), self.transfers(), trips, {**columns, **counts, **self.service()})

    def _names(self) -> Names:
        drive = self.drive
        return Names(
            [f"s{s}" for s in range(drive.strategies)],
            [f"v{v}" for v in range(drive.vehicles)],
            np.array(SERVERS, dtype=object),
            np.array(["local"] * len(SERVERS), dtype=object),
            None,
        )


def _numbers(low: float, high: float, n: int) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.floats(low, high), min_size=n, max_size=n).map(np.array)


@st.composite
def random_drives(draw: st.DrawFn) -> Drive:
    """Drives of up to three vehicles, two strategies and fourteen frames, both policies each way."""
    v, s, f = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(2, 14))
    # mostly the whole time, so that there is something to book
    first = np.array(draw(st.lists(st.integers(0, f - 1) | st.just(0), min_size=v, max_size=v)))
    last = np.array([draw(st.just(f - 1) | st.integers(low, f - 1)) for low in first])
    answers = arrays.arrays(np.int64, (f, v, s), elements=st.integers(KEEP, len(SERVERS) - 1), fill=st.nothing())
    home, target = draw(answers), draw(answers)
    image, memory = draw(_numbers(1, 80, v)) * MB, draw(_numbers(1, 40, v)) * MB
    levels = draw(st.lists(st.sampled_from([10.0, 30.0, 80.0, 150.0]), min_size=v, max_size=v))
    return Drive(
        times_s=np.cumsum(draw(_numbers(0.05, 15, f))),
        first=first,
        last=last,
        home=np.where(home == -1, KEEP, home),
        target=np.where(target == KEEP, -1, target),
        cell=draw(arrays.arrays(np.int64, (f, v), elements=st.integers(0, len(SERVERS) - 1))),
        containers=Containers(image, memory, np.array(levels), draw(_numbers(0.1, 5, v))),
        links=LinkOptions(BYTES_PER_S, draw(st.sampled_from([0.0, 0.01, 0.1, 0.5, 2.0])), 5 * MB, draw(st.sampled_from([0.0, 0.5]))),
        policy=HandoffPolicy(draw(st.booleans()), draw(st.booleans())),
    )


@pytest.fixture(scope="session")
def drives() -> st.SearchStrategy[Drive]:
    """Random drives."""
    return random_drives()


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
            target=np.full((frames, vehicles, 1), -1),
            cell=np.zeros((frames, vehicles), dtype=np.int64),
            containers=Containers(100 * MB * every, 20 * MB * every, 80 * every, 0.5 * every),
            links=LinkOptions(BYTES_PER_S, 0.05, 5 * MB, 0.0),
            policy=HandoffPolicy(False, False),
        )

    return drive
