"""What one run's containers did, as bars over time: transfers by stage, outages, hosts, attached cells, and copies of images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from msmf_traci.arrays import IntArray
from msmf_traci.migration.ledger import BYTE_KINDS
from msmf_traci.reporting.finished_run import FinishedRun
from msmf_traci.reporting.options import Value
from msmf_traci.reporting.setting import rows_at

PRE_COPY, DOWNTIME, OUTAGE, HOST, CELL = "pre-copy", "downtime", "outage", "host", "cell"
STAGES = {
    "IMAGE": "image",
    "MEMORY": "memory",
    "ROUND": "dirty round",
    "IDLE": "idle",
    "FINAL": "final",
    "RESTORE": "restore",
    "PULL": "pull",
    "REPLAY": "replay",
}
COPIES = {outcome: f"copy, {outcome}" for outcome in ("used", "unused", "unfinished")}
EVERY = ""
"""Strategy of bars that are the same under every strategy."""

COLUMNS = ["vehicle", "strategy", "kind", "begin_s", "end_s", "name", "transfer", "target", "outcome", "bytes", "lead_s"]
OF_COPIES = ["copy", "lane", "is_there"]
_BYTES = list(BYTE_KINDS)
_SAME_INSTANT_S = 1e-6


def read_bars(run: FinishedRun, setting: Mapping[str, Value]) -> pd.DataFrame:
    """Bars of all vehicles of a run, at one variant a strategy.

    Returns
    -------
    One row a bar: `vehicle`, `strategy` (EVERY for cells), `kind` (a stage, PRE_COPY, DOWNTIME, OUTAGE, HOST, CELL, one of COPIES),
    `begin_s`, `end_s`, `name` (of the host or cell), and of transfers `transfer`, `target`, `outcome`, `bytes` (of the whole transfer),
    `lead_s`. Where there are copies, of these `target`, `outcome`, `bytes`, `copy`, `lane`, `is_there` (else under way).
    """
    keys = [*run.key_columns, "vehicle", "transfer"]
    needed = [*keys, "source", "target", "t_start_s", "t_stop_s", "t_end_s", "downtime_s", "outcome", "lead_s", *_BYTES]
    transfers = rows_at(run, run.table("migrations", columns=needed), setting)
    transfers = transfers[transfers["outcome"] != "refused"].reset_index(drop=True)
    transfers["bytes"] = transfers[_BYTES].sum(axis=1)
    transfers["run_s"] = _running_again_s(transfers)
    if run.is_traced:
        stages = rows_at(run, run.table("stages", columns=[*keys, "stage", "t_begin_s", "t_end_s"]), setting)
        parts = [_stages(stages, transfers), _outages(transfers), _traced_hosts(run, setting), _cells(run)]
    else:
        parts = [*_two_stages(transfers), _outages(transfers), _hosts(transfers)]
    copies = _copies(run, setting)
    columns = COLUMNS
    if len(copies):
        columns, parts = [*COLUMNS, *OF_COPIES], [*parts, copies]
    bars = pd.concat([part.reindex(columns=columns) for part in parts], ignore_index=True)
    texts = dict.fromkeys(("vehicle", "strategy", "kind", "name", "target", "outcome"), object)
    return bars.astype(texts | dict.fromkeys(("begin_s", "end_s"), np.float64))


def _copies(run: FinishedRun, setting: Mapping[str, Value]) -> pd.DataFrame:
    """Two bars a copy: under way, and the image being there; none where the run has no copies."""
    if not run.has("copies"):
        return pd.DataFrame()
    columns = [*run.key_columns, "vehicle", "copy", "server", "t_start_s", "t_complete_s", "t_end_s", "outcome", "image_bytes"]
    copies = rows_at(run, run.table("copies", columns=columns), setting)
    copies = copies[copies["t_end_s"] > copies["t_start_s"]].sort_values(["strategy", "vehicle", "t_start_s", "copy"], kind="stable")
    there_s = copies["t_complete_s"].fillna(copies["t_end_s"])
    copies = copies.assign(kind=copies["outcome"].map(COPIES), lane=_lanes(copies), target=copies["server"], bytes=copies["image_bytes"])
    before = copies.assign(is_there=0, begin_s=copies["t_start_s"], end_s=there_s)
    after = copies.assign(is_there=1, begin_s=there_s, end_s=copies["t_end_s"])
    bars = pd.concat([before, after])
    return bars[bars["end_s"] > bars["begin_s"]]


def _lanes(copies: pd.DataFrame) -> IntArray:
    """The first lane of its row that is free before each copy's begin; copies in that order."""
    free_s: dict[tuple[str, str], list[float]] = defaultdict(list)
    lanes = []
    for strategy, vehicle, begin_s, end_s in copies[["strategy", "vehicle", "t_start_s", "t_end_s"]].itertuples(index=False):
        row = free_s[strategy, vehicle]
        lane = next((k for k, until_s in enumerate(row) if until_s < begin_s), len(row))
        row[lane : lane + 1] = [end_s]
        lanes.append(lane)
    return np.array(lanes, dtype=np.int64)


def _stages(stages: pd.DataFrame, transfers: pd.DataFrame) -> pd.DataFrame:
    own = ["strategy", "vehicle", "transfer"]
    facts = transfers[[*own, "target", "outcome", "bytes", "lead_s"]]
    made = stages[stages["t_end_s"] > stages["t_begin_s"]].merge(facts, on=own)
    return made.assign(kind=made["stage"].map(STAGES)).rename(columns={"t_begin_s": "begin_s", "t_end_s": "end_s"})


def _two_stages(transfers: pd.DataFrame) -> list[pd.DataFrame]:
    """Before the stop and after it."""
    stop_s = transfers["t_stop_s"].fillna(transfers["t_end_s"])
    before = transfers.assign(kind=PRE_COPY, begin_s=transfers["t_start_s"], end_s=stop_s)
    after = transfers.assign(kind=DOWNTIME, begin_s=stop_s, end_s=transfers["run_s"])
    return [part[part["end_s"] > part["begin_s"]] for part in (before, after)]


def _running_again_s(transfers: pd.DataFrame) -> pd.Series:
    """When the container ran on the target: at the end, but for memory that is pulled after that."""
    again_s, end_s = transfers["t_stop_s"] + transfers["downtime_s"], transfers["t_end_s"]
    return again_s.where(end_s - again_s > _SAME_INSTANT_S, end_s)


def _outages(transfers: pd.DataFrame) -> pd.DataFrame:
    """From stop to running again, across transfers that follow each other."""
    stopped = transfers.dropna(subset="t_stop_s").sort_values(["strategy", "vehicle", "t_stop_s", "t_end_s"], kind="stable")
    own = ["strategy", "vehicle"]
    goes_on = (stopped["t_stop_s"] - stopped.groupby(own)["run_s"].shift() < _SAME_INSTANT_S).to_numpy()
    stopped = stopped.assign(outage=np.cumsum(~goes_on))
    found = stopped.groupby("outage").agg(
        strategy=("strategy", "first"), vehicle=("vehicle", "first"), begin_s=("t_stop_s", "min"), end_s=("run_s", "max")
    )
    return found[found["end_s"] > found["begin_s"]].assign(kind=OUTAGE)


def _hosts(transfers: pd.DataFrame) -> pd.DataFrame:
    """Hosts by completed transfers, from the vehicle's first transfer of all to its last, under any strategy."""
    ends = transfers.groupby("vehicle").agg(first_s=("t_start_s", "min"), last_s=("t_end_s", "max"))
    own = ["strategy", "vehicle"]
    ordered = transfers.sort_values([*own, "t_start_s", "transfer"], kind="stable")
    begin = ordered.drop_duplicates(own)[[*own, "source"]].rename(columns={"source": "name"})
    begin = begin.assign(begin_s=begin["vehicle"].map(ends["first_s"]))
    has_run = (ordered["outcome"] == "completed") | (ordered["run_s"] < ordered["t_end_s"])
    moved = ordered[has_run][[*own, "target", "run_s"]]
    moved = moved.rename(columns={"target": "name", "run_s": "begin_s"})
    hosts = pd.concat([begin, moved]).sort_values([*own, "begin_s"], kind="stable")
    following_s = hosts.groupby(own)["begin_s"].shift(-1)
    hosts = hosts.assign(kind=HOST, end_s=following_s.fillna(hosts["vehicle"].map(ends["last_s"])))
    return hosts[hosts["end_s"] > hosts["begin_s"]]


def _traced_hosts(run: FinishedRun, setting: Mapping[str, Value]) -> pd.DataFrame:
    decisions = rows_at(run, run.table("decisions", columns=["t_s", *run.key_columns, "vehicle", "host"]), setting)
    if decisions.empty:
        raise run.damage("decisions", "it has no rows of a variant that the summary has")
    return _spells(decisions, ["strategy", "vehicle"], "host").assign(kind=HOST)


def _cells(run: FinishedRun) -> pd.DataFrame:
    frames = run.table("frames", columns=["t_s", "vehicle", "cell"])
    if frames.empty:
        raise run.damage("frames", "it has no rows")
    return _spells(frames, ["vehicle"], "cell").assign(kind=CELL, strategy=EVERY)


def _spells(frames: pd.DataFrame, own: Sequence[str], state: str) -> pd.DataFrame:
    """Times over which a state of something stays the same, from the first frame with it to the first with the next, or the last of all."""
    numbers = [_numbered(frames[name]) for name in (*own, state)]
    time_s = frames["t_s"].to_numpy(dtype=np.float64)
    order = np.lexsort((time_s, *reversed(numbers[:-1])))
    sorted_own = np.column_stack([each[order] for each in numbers[:-1]])
    is_new = np.append(True, (sorted_own[1:] != sorted_own[:-1]).any(axis=1))
    changes = is_new | np.append(True, np.diff(numbers[-1][order]) != 0)
    begin = np.flatnonzero(changes)
    following = np.append(begin[1:], len(order))
    ends_all = np.append(is_new, True)[following]
    last = np.where(ends_all, following - 1, np.minimum(following, len(order) - 1))
    rows = frames.iloc[order[begin]]
    made = rows[list(own)].assign(name=rows[state], begin_s=time_s[order[begin]], end_s=time_s[order[last]])
    return made[made["end_s"] > made["begin_s"]]


def _numbered(column: pd.Series) -> IntArray:
    return np.asarray(pd.factorize(column)[0], dtype=np.int64)
