"""Passes made up for tests: a source that yields given batches, and how to draw one."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence

import numpy as np
from hypothesis import strategies as st

from msmf_traci.mobility.frame import NO_EDGE, SAMPLE_COLUMNS, Frames, Roster, TrafficCounts

EDGE_IDS = [f"e{number}" for number in range(9)]


class MadeUpSource:
    """Yields batches that a test made."""

    def __init__(self, batches: Sequence[Frames], roster: Roster) -> None:
        self.roster = roster
        self.batches = list(batches)

    def frames(self) -> Generator[Frames, None, None]:
        yield from self.batches


def joined(batches: Sequence[Frames]) -> dict[str, bytes]:
    """Every column of consecutive frames, as bytes."""
    sizes = np.concatenate([np.diff(batch.start) for batch in batches]) if batches else np.zeros(0, dtype=np.int64)
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in (*SAMPLE_COLUMNS, "times_s")}
    return {"sizes": sizes.tobytes(), **{name: column.tobytes() for name, column in columns.items()}}


@st.composite
def passes(draw: st.DrawFn) -> MadeUpSource:
    """A pass of some vehicles, with values of every size, cut into batches anywhere."""
    n_frames = draw(st.integers(1, 12))
    steps = draw(st.lists(st.integers(1, 60_000_000), min_size=n_frames, max_size=n_frames))
    begins = sorted(draw(st.lists(st.integers(0, n_frames - 1), max_size=6)))
    ends = [draw(st.integers(begin, n_frames - 1)) for begin in begins]
    routes = [
        np.array(draw(st.lists(st.integers(NO_EDGE, len(EDGE_IDS) - 1), min_size=1, max_size=5)), dtype=np.int64)
        for _ in range(draw(st.integers(1, 3)) if begins else 0)
    ]
    units = st.integers(-(10**12), 10**12) | st.integers(-(10**4), 10**4)
    rows: list[list[tuple[float, ...]]] = []
    for frame in range(n_frames):
        rows.append([])
        for vehicle, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            if begin <= frame <= end:
                route = draw(st.integers(0, len(routes) - 1))
                rows[-1].append(
                    (
                        vehicle,
                        *(draw(units) / 1e6 for _ in range(2)),
                        abs(draw(units)) / 1e6,
                        draw(st.integers(NO_EDGE, len(EDGE_IDS) - 1)),
                        draw(units) / 1e6,
                        route,
                        draw(st.integers(0, len(routes[route]) - 1)),
                        frame == begin,
                        frame == end,
                    )
                )
    times_s = np.cumsum(steps) / 1e6
    cuts = sorted({0, n_frames, *draw(st.lists(st.integers(0, n_frames), max_size=4))})
    batches = [batch(times_s[low:high], rows[low:high]) for low, high in itertools.pairwise(cuts)]
    arrived, others = draw(st.integers(0, len(begins))), draw(st.tuples(*[st.integers(0, 1000)] * 4))
    counts = TrafficCounts(len(begins), arrived, *others, end_s=float(times_s[-1]))
    begin_s = draw(st.integers(0, steps[0])) / 1e6
    return MadeUpSource(batches, Roster([f"v{number}" for number in range(len(begins))], routes=routes, counts=counts, begin_s=begin_s))


def batch(times_s: np.ndarray, rows: Sequence[Sequence[tuple[float, ...]]]) -> Frames:
    """Frames of the rows of each."""
    kinds = {"vehicle": np.int64, "edge": np.int64, "route": np.int64, "route_index": np.int64, "first": bool, "last": bool}
    samples = [row for frame in rows for row in frame]
    columns = zip(*samples, strict=True) if samples else [()] * len(SAMPLE_COLUMNS)
    return Frames(
        times_s=np.array(times_s, dtype=np.float64),
        start=np.cumsum([0, *(len(frame) for frame in rows)]).astype(np.int64),
        **{name: np.array(column, dtype=kinds.get(name, np.float64)) for name, column in zip(SAMPLE_COLUMNS, columns, strict=True)},
    )
