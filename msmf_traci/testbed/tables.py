"""Tables of a session: steps, transfers, and what the user saw. Times are seconds since the session's begin."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray
from msmf_traci.migration.ledger import Stage
from msmf_traci.testbed.drive import DriveFigures
from msmf_traci.testbed.journal import STEPS
from msmf_traci.testbed.session import Session
from msmf_traci.testbed.transfer import Transfer

LONG_GAP_S = 0.05  # answers come every 10 ms; what is longer than this is entered as a gap
# How far from the server's own outage the user's may lie: signals and answers travel
_AROUND_S = 1.5


def steps_table(session: Session) -> pd.DataFrame:
    """One row a step of the workflow, or a part of one."""
    rows = [
        {
            "transfer": step.transfer,
            "step": step.step,
            "what": STEPS[step.step],
            "part": step.part,
            "t_begin_s": step.begin_s - session.begin_s,
            "t_end_s": step.end_s - session.begin_s,
            "memory_bytes": step.memory_bytes,
            "payload_bytes": step.payload_bytes,
            "link_bytes": step.link_bytes,
        }
        for step in session.journal.steps
    ]
    table = pd.DataFrame(
        rows, columns=["transfer", "step", "what", "part", "t_begin_s", "t_end_s", "memory_bytes", "payload_bytes", "link_bytes"]
    )
    return table.astype(dict.fromkeys(("memory_bytes", "payload_bytes", "link_bytes"), "Int64")).sort_values(
        ["t_begin_s"], ignore_index=True
    )


def transfers_table(session: Session) -> pd.DataFrame:
    """One row a transfer, with the columns of the harness's migrations.csv where it has the same."""
    return pd.DataFrame([_transfer_row(session, transfer) for transfer in session.transfers])


def gaps_table(session: Session) -> pd.DataFrame:
    """One row for each time that the user got no answer for longer than LONG_GAP_S, on whatever account."""
    came_s = session.answers["answered_s"].to_numpy()
    gaps_s = np.diff(came_s)
    at = np.flatnonzero(gaps_s > LONG_GAP_S)
    return pd.DataFrame(
        {
            "t_begin_s": came_s[at] - session.begin_s,
            "t_end_s": came_s[at + 1] - session.begin_s,
            "gap_s": gaps_s[at],
            "server_before": session.answers["server"].to_numpy()[at],
            "server_after": session.answers["server"].to_numpy()[at + 1],
        }
    )


def outages_table(session: Session) -> pd.DataFrame:
    """One row for each time without a running container, as the servers saw it."""
    rows = [
        (each.stop_s - session.begin_s, each.end_s - session.begin_s, each.end_s - each.stop_s, each.is_censored)
        for each in session.outages
    ]
    return pd.DataFrame(rows, columns=["t_stop_s", "t_end_s", "outage_s", "is_censored"])


def figures(session: Session) -> DriveFigures:
    """The session in a few figures, as those that the harness computes."""
    outcomes = Counter(transfer.outcome.name.lower() for transfer in session.transfers if transfer.outcome is not None)
    return DriveFigures(
        handoffs=sum(transfer.handoff_s is not None for transfer in session.transfers),
        outages=len(session.outages),
        outage_s=sum(outage.end_s - outage.stop_s for outage in session.outages),
        transfers=dict(outcomes),
    )


def continuity(session: Session) -> dict[str, Any]:
    """Whether the service has lost anything: its counter rises from answer to answer, it was never started anew, its state is whole."""
    answers = session.answers
    intact = answers["intact"].dropna()
    return {
        "answers": len(answers),
        "questions": int(answers["seq"].max()) if len(answers) else 0,
        "counter_never_back": bool((answers.sort_values("seq")["counter"].diff().dropna() > 0).all()),
        "services": int(answers["session"].nunique()),
        "state_intact": bool(intact.all()) if len(intact) else None,
    }


def _transfer_row(session: Session, transfer: Transfer) -> dict[str, Any]:
    steps = [step for step in session.journal.steps if step.transfer == transfer.number]

    def total(name: str, *which: str) -> int:
        return sum(getattr(step, name) or 0 for step in steps if step.step in which)

    dumps = [step.memory_bytes for step in steps if step.memory_bytes is not None]
    is_done = transfer.stop_s is not None and transfer.end_s is not None
    return {
        "transfer": transfer.number,
        "source": transfer.source.name,
        "target": transfer.target.name,
        "server": transfer.server,
        "outcome": transfer.outcome.name.lower() if transfer.outcome is not None else None,
        "rounds": transfer.rounds,
        "t_start_s": _since(session, transfer.start_s),
        "t_synchronised_s": _since(session, transfer.synchronised_s),
        "t_handoff_s": _since(session, transfer.handoff_s),
        "t_stop_s": _since(session, transfer.stop_s),
        "t_end_s": _since(session, transfer.end_s),
        "image_bytes": total("payload_bytes", "s3"),
        "memory_bytes": total("payload_bytes", "s5"),
        "dirty_bytes": total("payload_bytes", "s6"),
        "final_bytes": total("payload_bytes", "s9"),
        "link_bytes": total("link_bytes", *STEPS),
        "snapshot_bytes": dumps[-1] if dumps else None,
        "downtime_s": transfer.end_s - transfer.stop_s if is_done and transfer.end_s is not None and transfer.stop_s is not None else 0.0,
        "user_downtime_s": _user_gap(session, transfer.stop_s, transfer.end_s) if transfer.stage == Stage.RESTORE else None,
        "frozen_s": _frozen(session, transfer),
    }


def _since(session: Session, time_s: float | None) -> float | None:
    return None if time_s is None else time_s - session.begin_s


def _user_gap(session: Session, stop_s: float | None, end_s: float | None) -> float | None:
    """The longest time between two answers that overlaps the outage."""
    if stop_s is None or end_s is None:
        return None
    came_s: FloatArray = session.answers["answered_s"].to_numpy()
    around = came_s[(came_s > stop_s - _AROUND_S) & (came_s < end_s + _AROUND_S)]
    return float(np.diff(around).max()) if len(around) > 1 else None


def _frozen(session: Session, transfer: Transfer) -> float:
    """Seconds in gaps while the container was running: snapshots freeze it."""
    until_s = transfer.stop_s if transfer.stop_s is not None else transfer.end_s
    came_s: FloatArray = session.answers["answered_s"].to_numpy()
    before = came_s[(came_s >= transfer.start_s) & (came_s <= (until_s or 0.0))]
    gaps_s = np.diff(before)
    return float(gaps_s[gaps_s > LONG_GAP_S].sum())
