"""Tables of a session: steps, transfers, and what the user saw. Times are seconds since the session's begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from msmf_traci.arrays import FloatArray
from msmf_traci.migration.ledger import Stage
from msmf_traci.testbed.drive import DriveFigures
from msmf_traci.testbed.journal import RESUME, STEPS
from msmf_traci.testbed.session import Session
from msmf_traci.testbed.transfer import Transfer

TRANSFER_COLUMNS = (
    *("transfer", "source", "target", "server", "outcome", "rounds"),
    *("t_start_s", "t_synchronised_s", "t_handoff_s", "t_stop_s", "t_end_s"),
    *("image_bytes", "memory_bytes", "dirty_bytes", "final_bytes", "link_bytes", "snapshot_bytes"),
    *("downtime_s", "user_downtime_s", "frozen_s"),
)
LONG_GAP_S = 0.05  # answers come every 10 ms; what is longer than this is entered as a gap


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
    return pd.DataFrame([_transfer_row(session, transfer) for transfer in session.transfers], columns=list(TRANSFER_COLUMNS))


def gaps_table(session: Session) -> pd.DataFrame:
    """One row for each time that the user got no answer for longer than LONG_GAP_S, on whatever account; the last may be open."""
    answers = _answers(session)
    came_s, server = answers["answered_s"], answers["server"]
    next_s = came_s.shift(-1, fill_value=session.questions["asked_s"].max())
    gaps = pd.DataFrame(
        {
            "t_begin_s": came_s - session.begin_s,
            "t_end_s": next_s - session.begin_s,
            "gap_s": next_s - came_s,
            "server_before": server,
            "server_after": server.shift(-1),
        }
    )
    return gaps[gaps["gap_s"] > LONG_GAP_S].reset_index(drop=True)


def outages_table(session: Session) -> pd.DataFrame:
    """One row for each time without a running container, as the servers saw it."""
    rows = [
        (each.stop_s - session.begin_s, each.end_s - session.begin_s, each.end_s - each.stop_s, each.is_censored)
        for each in session.outages
    ]
    return pd.DataFrame(rows, columns=["t_stop_s", "t_end_s", "outage_s", "is_censored"])


def figures(session: Session) -> DriveFigures:
    """The session in a few figures, as those that the harness computes: a user who is taken back to the host is a handoff, too."""
    outcomes = Counter(transfer.outcome.name.lower() for transfer in session.transfers if transfer.outcome is not None)
    return DriveFigures(
        handoffs=sum(transfer.handoff_s is not None for transfer in session.transfers)
        + sum(step.part == RESUME for step in session.journal.steps),
        outages=len(session.outages),
        outage_s=sum(outage.end_s - outage.stop_s for outage in session.outages),
        transfers=dict(outcomes),
    )


def continuity(session: Session) -> dict[str, Any]:
    """Whether the service has lost anything: its counter rises from answer to answer, it was never started anew, its state is whole."""
    answers = session.questions.dropna(subset=["answered_s"])
    intact = answers["intact"].dropna()
    return {
        "answers": len(answers),
        "questions": len(session.questions),
        "counter_never_back": bool((answers.sort_values("seq")["counter"].diff().dropna() > 0).all()),
        "services": int(answers["session"].nunique()),
        "state_intact": bool(intact.all()) if len(intact) else None,
    }


def is_whole(service: Mapping[str, Any]) -> bool:
    """Whether a service's `continuity` says that nothing was lost, as far as it could be asked."""
    return bool(service["counter_never_back"] and service["services"] == 1 and service["state_intact"] is not False)


def _transfer_row(session: Session, transfer: Transfer) -> dict[str, Any]:
    steps = [step for step in session.journal.steps if step.transfer == transfer.number]

    def total(name: str, *which: str) -> int:
        return sum(getattr(step, name) or 0 for step in steps if step.step in which)

    dumps = [step.memory_bytes for step in steps if step.memory_bytes is not None]
    downtime_s = transfer.end_s - transfer.stop_s if transfer.stop_s is not None and transfer.end_s is not None else 0.0
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
        "downtime_s": downtime_s,
        "user_downtime_s": _user_gap(session, transfer.stop_s, transfer.end_s) if transfer.stage == Stage.RESTORE else None,
        "frozen_s": _frozen(session, transfer),
    }


def _since(session: Session, time_s: float | None) -> float | None:
    return None if time_s is None else time_s - session.begin_s


def _user_gap(session: Session, stop_s: float | None, end_s: float | None) -> float | None:
    """The longest time between two answers that overlaps an outage; None where no answer came after it."""
    if stop_s is None or end_s is None:
        return None
    came_s: FloatArray = _answers(session)["answered_s"].to_numpy()
    begins_s, ends_s = came_s[:-1], came_s[1:]
    overlaps = (begins_s <= end_s) & (ends_s >= stop_s)
    if not overlaps.any() or came_s[-1] < end_s:
        return None
    return float((ends_s - begins_s)[overlaps].max())


def _frozen(session: Session, transfer: Transfer) -> float:
    """Seconds in gaps while the container was running: snapshots freeze it."""
    until_s = transfer.stop_s if transfer.stop_s is not None else transfer.end_s
    came_s: FloatArray = _answers(session)["answered_s"].to_numpy()
    before = came_s[(came_s >= transfer.start_s) & (came_s <= (until_s or 0.0))]
    gaps_s = np.diff(before)
    return float(gaps_s[gaps_s > LONG_GAP_S].sum())


def _answers(session: Session) -> pd.DataFrame:
    """The questions that were answered, in the order of the answers."""
    return session.questions.dropna(subset=["answered_s"]).sort_values("answered_s", ignore_index=True)
