"""What is made of a session: the user's own downtime, freezes, continuity, steps. Worked out on paper."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from msmf_traci.migration.ledger import Outcome, Stage
from msmf_traci.testbed.conductor import Outage
from msmf_traci.testbed.drive import DriveFigures
from msmf_traci.testbed.journal import RESUME, Journal, Step
from msmf_traci.testbed.session import Session
from msmf_traci.testbed.tables import continuity, figures, gaps_table, is_whole, outages_table, steps_table, transfers_table

BEGIN_S = 1000.0


def questions(came_s: np.ndarray, **columns: object) -> pd.DataFrame:
    """Each answered at the instant that it was asked."""
    n = len(came_s)
    made = {"seq": np.arange(n) + 1, "asked_s": came_s, "answered_s": came_s, "server": "10.77.0.11", "counter": np.arange(n) + 1}
    return pd.DataFrame({**made, "session": "ab", "dirtied_bytes": 0, "intact": np.nan, **columns})


@pytest.fixture
def session() -> Session:
    """A transfer from 1 to 9.3 s: image 1 to 3, a snapshot that freezes for 0.2 s, stopped from 8 to 9.3 s."""
    host = SimpleNamespace(name="local1")
    transfer = SimpleNamespace(
        number=0, source=host, target=SimpleNamespace(name="regional1"), server="R:0,0", outcome=Outcome.COMPLETED, rounds=1,
        stage=Stage.RESTORE, start_s=1001.0, synchronised_s=1006.0, handoff_s=1007.9, stop_s=1008.0, end_s=1009.3,
    )  # fmt: skip
    steps = [
        Step("s3", 0, "send", 1001.0, 1003.0, None, 30_000_000, 31_000_000),
        Step("s4", 0, "dump", 1003.0, 1003.2, 50_000_000),
        Step("s5", 0, "send", 1003.2, 1006.0, None, 50_000_000, 52_000_000),
        Step("s6", 0, "dump", 1006.0, 1006.2, 50_000_000),
        Step("s6", 0, "send", 1006.2, 1007.0, None, 5_000_000, 5_300_000),
        Step("s6", 0, "send", 1007.2, 1007.9, None, None, 700_000),
        Step("s8", 0, "dump", 1008.0, 1008.3, 50_000_001),
        Step("s9", 0, "send", 1008.3, 1009.0, None, 2_000_000, 2_200_000),
        Step("s10", 0, "", 1009.0, 1009.3),
    ]
    came_s = np.concatenate([np.arange(1000.0, 1003.0, 0.01), np.arange(1003.2, 1008.0, 0.01), np.arange(1009.25, 1011.0, 0.01)])
    outages = [Outage(1008.0, 1009.3, is_censored=False)]
    return Session(BEGIN_S, [transfer], Journal(steps), outages, questions(came_s), {})


def test_a_transfer_in_one_row(session: Session) -> None:
    (row,) = transfers_table(session).to_dict("records")
    assert (row["t_start_s"], row["t_handoff_s"], row["t_stop_s"]) == pytest.approx((1.0, 7.9, 8.0))
    assert (row["image_bytes"], row["memory_bytes"], row["dirty_bytes"], row["final_bytes"]) == (30e6, 50e6, 5e6, 2e6)
    assert row["link_bytes"] == 31e6 + 52e6 + 5.3e6 + 0.7e6 + 2.2e6
    assert row["snapshot_bytes"] == 50_000_001
    assert row["downtime_s"] == pytest.approx(1.3)
    assert row["user_downtime_s"] == pytest.approx(1.26, abs=1e-6)  # from the last answer at 7.99 to the first at 9.25
    assert row["frozen_s"] == pytest.approx(0.21, abs=1e-6)


def test_the_users_gap_is_empty_where_nothing_was_restored(session: Session) -> None:
    session.transfers[0].stage = Stage.FINAL
    assert transfers_table(session)["user_downtime_s"].isna().all()


def test_gaps(session: Session) -> None:
    gaps = gaps_table(session)
    assert gaps["gap_s"].tolist() == pytest.approx([0.21, 1.26], abs=1e-6)
    assert gaps["t_begin_s"].tolist() == pytest.approx([2.99, 7.99], abs=1e-6)


def test_steps_and_outages(session: Session) -> None:
    steps = steps_table(session)
    assert steps["step"].tolist() == ["s3", "s4", "s5", "s6", "s6", "s6", "s8", "s9", "s10"]
    assert steps["payload_bytes"].isna().sum() == 5  # dumps, the restore, and what was broken off
    assert outages_table(session)["outage_s"].tolist() == pytest.approx([1.3])


def test_a_gap_that_nobody_ended_is_open(session: Session) -> None:
    asked = pd.DataFrame({"seq": [10_000], "asked_s": [1012.0]})
    gaps = gaps_table(replace(session, questions=pd.concat([session.questions, asked])))
    assert gaps["t_end_s"].iloc[-1] == pytest.approx(12.0) and pd.isna(gaps["server_after"].iloc[-1])
    facts = continuity(replace(session, questions=pd.concat([session.questions, asked])))
    assert facts["questions"] == facts["answers"] + 1


def test_a_late_answer_ends_the_users_downtime(session: Session) -> None:
    """The first answer comes 5 s after the restore; a freeze of 2 s ends 1 s before the stop, and is none of the downtime."""
    came_s = np.concatenate([np.arange(1000.0, 1005.0, 0.01), np.arange(1007.0, 1008.0, 0.01), np.arange(1014.3, 1016.0, 0.01)])
    (row,) = transfers_table(replace(session, questions=questions(came_s))).to_dict("records")
    assert row["user_downtime_s"] == pytest.approx(1014.3 - 1007.99, abs=1e-6)


def test_without_an_answer_after_the_stop_nobody_knows(session: Session) -> None:
    # the second time, the last answer is under way when the container is stopped
    for until_s in (1007.9, 1008.05):
        (row,) = transfers_table(replace(session, questions=questions(np.arange(1000.0, until_s, 0.01)))).to_dict("records")
        assert pd.isna(row["user_downtime_s"])


def test_figures_count_as_the_harness_does(session: Session) -> None:
    assert figures(session) == DriveFigures(1, 1, pytest.approx(1.3), {"completed": 1})
    session.journal.steps.append(Step("s10", 0, RESUME, 1010.0, 1010.2))
    assert figures(session).handoffs == 2  # taken back to the host


def test_a_session_without_transfers_has_their_columns(session: Session) -> None:
    table = transfers_table(replace(session, transfers=[]))
    assert table.empty and {"outcome", "downtime_s", "user_downtime_s"} <= set(table.columns)


def test_continuity_sees_what_is_lost() -> None:
    def of(**columns: object) -> dict[str, object]:
        return continuity(Session(0.0, [], Journal(), [], questions(np.arange(4) / 100, **columns), {}))

    assert of() == {"answers": 4, "questions": 4, "counter_never_back": True, "services": 1, "state_intact": None}
    assert of(counter=[1, 2, 1, 2])["counter_never_back"] is False
    assert of(counter=[1, 2, 2, 3])["counter_never_back"] is False
    assert of(session=["ab", "ab", "cd", "cd"])["services"] == 2
    assert is_whole(of()) and is_whole(of(intact=[np.nan, True, np.nan, True]))
    for lost in ({"counter": [1, 2, 2, 3]}, {"session": ["ab", "ab", "cd", "cd"]}, {"intact": [np.nan, True, np.nan, False]}):
        assert not is_whole(of(**lost))
    assert of(intact=[np.nan, True, np.nan, True])["state_intact"] is True
    assert of(intact=[np.nan, True, np.nan, False])["state_intact"] is False
