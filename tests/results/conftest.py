"""A small run's tables, made by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from msmf_traci.migration.ledger import OUTCOME_NAMES

_VEHICLE = {
    "strategy": "pm",
    "image_mb": np.nan,
    "vehicle": "v0",
    "commanded_kmh": 50.0,
    "realised_kmh": 36.0,
    "road_s": 100.0,
    "distance_m": 1000.0,
    "handoffs": 0,
    **dict.fromkeys(OUTCOME_NAMES, 0),
    "traffic_bytes": 0.0,
    "wasted_bytes": 0.0,
    "outages": 0,
    "outage_s": 0.0,
    "relayed_s": 0.0,
    "late_s": 0.0,
    "degraded_s": 0.0,
    "satisfied_s": 100.0,
    "unsatisfied_s": 0.0,
    "ping_pongs": 0,
    "reports": 101,
    "entry_hits": 0,
    "entry_misses": 0,
    "handoff_hits": 0,
    "handoff_misses": 0,
    **dict.fromkeys(("copies", "copy_bytes", "copy_wasted_bytes", "cloud_bytes", "other_bytes"), 0.0),
    **dict.fromkeys(("image_needed_bytes", "image_found_bytes", "relayed_byte_hops"), 0.0),
}
_TRANSFER = {
    "strategy": "pm",
    "image_mb": np.nan,
    "vehicle": "v0",
    "outcome": "completed",
    "t_start_s": 0.0,
    "t_end_s": 10.0,
    "lead_s": np.nan,
    "downtime_s": 0.0,
}


def _rows(base: dict[str, Any], rows: tuple[dict[str, Any], ...]) -> pd.DataFrame:
    for row in rows:
        assert set(row) <= set(base), f"misspelt: {set(row) - set(base)}"
    return pd.DataFrame([{**base, **row} for row in rows], columns=list(base))


@pytest.fixture(scope="session")
def vehicle_rows() -> Callable[..., pd.DataFrame]:
    """Rows of the table of vehicles: say what differs from a quiet trip of 1 km in 100 s."""
    return lambda *rows: _rows(_VEHICLE, rows)


@pytest.fixture(scope="session")
def transfer_rows() -> Callable[..., pd.DataFrame]:
    """Rows of the table of transfers: say what differs from a completed one of 10 s without a handoff."""
    return lambda *rows: _rows(_TRANSFER, rows)
