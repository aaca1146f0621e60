"""Copies of images made by hand, as a run writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

MB = 1e6


def copy(
    strategy: str,
    vehicle: str,
    number: int,
    server: str,
    times: Sequence[float | None],
    outcome: str,
    sent_mb: Sequence[float],
    **other: Any,
) -> dict[str, Any]:
    """A row of copies; times: begin, when the image was there, and end; megabytes: from the host, the cloud, and other servers."""
    start_s, complete_s, end_s = times
    sent = dict(zip(("host_bytes", "cloud_bytes", "other_bytes"), (each * MB for each in sent_mb), strict=True))
    row = {"strategy": strategy, "image_mb": None, "vehicle": vehicle, "copy": number, "tier": "local", "server": server}
    row |= {"t_start_s": start_s, "t_complete_s": complete_s, "t_end_s": end_s, "outcome": outcome, "image_bytes": sum(sent.values())}
    return row | sent | {"missing_bytes": 3e8, "x_m": 0.0, "y_m": 0.0} | other


def give_copies(run: Path, copies: pd.DataFrame) -> Path:
    """Write the copies of a run that has none, and book them in its table of vehicles, all on the first row."""
    copies.to_csv(run / "copies.csv", index=False, lineterminator="\n")
    vehicles = pd.read_csv(run / "vehicles.csv", dtype=str, keep_default_na=False)
    for outcome in ("used", "unused", "unfinished", "refused"):
        counts = ["0"] * len(vehicles)
        counts[0] = str(int((copies["outcome"] == outcome).sum()))
        vehicles[f"copies_{outcome}"] = counts
    vehicles.to_csv(run / "vehicles.csv", index=False, lineterminator="\n")
    return run
