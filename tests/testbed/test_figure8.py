"""Which handoffs of the simulated experiment the testbed carries out, and how they are drawn beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from msmf_traci.reporting.handoff_chart import write_handoffs
from msmf_traci.reporting.style import KINDS
from scripts.measure_figure8 import APPLICATIONS, LONGEST_LEAD_S, MODES, STRATEGIES, draw


def simulated(modes: Sequence[str] = MODES) -> pd.DataFrame:
    """Five transfers of every application, strategy and mode; the last of each has a lead of 300 s."""
    return pd.DataFrame(
        [
            {
                "application": application, "strategy": strategy, "mode": mode, "lead_s": 300.0 if number == 4 else 20.0 + number,
                "source": "L:0,0", "target": "R:0,1" if strategy.endswith("tier") else "L:0,1",
            }
            for application in APPLICATIONS for strategy in STRATEGIES for mode in modes for number in range(5)
        ]
    )  # fmt: skip


def test_every_application_and_every_strategy_on_every_means_of_transport_is_drawn() -> None:
    drawn = draw(simulated(), 2)
    applications, cells = drawn[drawn["figure"] == "8b"], drawn[drawn["figure"] == "8c"]
    assert applications.groupby("application").size().to_dict() == dict.fromkeys(APPLICATIONS, 2)
    assert set(applications["strategy"]) == {"pm_op_tier"} and set(applications["target_tier"]) == {"regional"}
    assert (cells.groupby(["strategy", "mode"]).size() == 2).all() and len(cells) == 2 * len(STRATEGIES) * len(MODES)
    assert set(cells["application"]) == {"ram"}


def test_a_cell_with_fewer_transfers_gives_what_it_has() -> None:
    drawn = draw(simulated(["car"]), 10)
    assert drawn.groupby(["figure", "application", "strategy"]).size().unique().tolist() == [5]


def test_leads_are_cut_and_sessions_of_the_same_words_numbered() -> None:
    drawn = draw(simulated(["car"]), 5)
    assert drawn["simulated_lead_s"].max() == 300.0
    assert drawn.groupby("application")["lead_s"].max().to_dict() == LONGEST_LEAD_S
    words = drawn[["application", "source_tier", "target_tier", "lead_s", "number"]]
    assert not words.duplicated().any() and set(words["number"]) > {1}


@pytest.mark.parametrize("with_model", [True, False])
def test_the_picture_has_all_kinds_strategies_and_means_of_transport(tmp_path: Path, with_model: bool) -> None:
    table = draw(simulated(), 1)
    sources = ["simulated", "equation_1", "measured", *(["fitted"] if with_model else [])]
    for number, source in enumerate(sources, 1):
        table[f"{source}_downtime_s"] = 5.0 + number
        for kind in KINDS:
            table[f"{source}_{kind}_bytes"] = number * 1e8
    write_handoffs(table, tmp_path / "figure8")
    drawing = (tmp_path / "figure8.svg").read_text(encoding="utf-8")
    for word in (*APPLICATIONS, *STRATEGIES, *MODES, *KINDS, "simulated", "equation (1)", "measured"):
        assert f">{word}<" in drawing
    assert (">fitted model<" in drawing) == with_model
    assert drawing.count('aria-roledescription="point"') == (3 if with_model else 2) * len(STRATEGIES) * len(MODES)
    assert (tmp_path / "figure8.png").stat().st_size > 10_000
