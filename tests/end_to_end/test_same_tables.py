"""What is computed does not change by itself: the tables of a few small runs, whose hashes were taken before the engine was rebuilt,
and once more when dirty pages among those not yet sent were no longer sent twice.

Between them they have every strategy, a trace, links that are shared, servers that are full, status updates, hysteresis, processing, tiers
of unlike computing, and applications. SUMO is of one release (pyproject.toml), so that the vehicles are the same.
"""

import csv
import hashlib
import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.test_main_job import only_run

Command = Callable[..., subprocess.CompletedProcess[str]]

FEW = ("mobility.vehicles=12", "mobility.max_duration_s=500", "deployment.rings=6", "output.trace=true", "output.dir=out")
TABLES = ("summary", "summary_by_band", "vehicles", "migrations", "frames", "decisions", "stages")
MEETING = (
    *("links.mode=shared", "tiers.local.capacity=1", "tiers.regional.capacity=2", "handoff.unsynced=relay"),
    *("reports.distance_m=40", "attachment.hysteresis_m=30"),
)
UNLIKE = (
    *("migration.processing.checkpoint_s=0.4", "migration.processing.round_s=0.3", "handoff.user_left=finish"),
    *("tiers=three", "tiers.local.compute_ms_per_container=2", "tier_choice.min_speed_kmh=20"),
    "variants.workload.application=[game,ram]",
)
# columns that tables did not have then, and whose figures and percentiles summaries did not have
LATER = (
    *("host_bytes", "cloud_bytes", "cloud_traffic", "prefetch", "copies", "copy_"),
    *("image_needed_bytes", "image_found_bytes", "image_found_share", "relayed_byte_hops"),
    *("other_bytes", "other_traffic", "store_", "evictions", "t_run_s", "degraded_"),
    *("unsatisfied_", "request_latency_", "ping_pongs", "cost_", "bound_"),
)


@pytest.mark.parametrize(
    ("words", "sha256"),
    [
        pytest.param((), "f2edde31c751abfb707eb8f1dfabce67335c9dfd99a29098993a5055eeaaa292", id="default"),
        pytest.param(MEETING, "b325b2dc58465c03d73a1cedf3dd395b8668a55cc25757efaed8da4a672b158e", id="meeting"),
        pytest.param(UNLIKE, "ba2641b55c93269cc1083a171e75a33fe8509a1450e4956556ab059ab23f0f65", id="unlike"),
    ],
)
def test_tables_are_those_of_before(called: Command, tmp_path: Path, words: tuple[str, ...], sha256: str) -> None:
    result = called(tmp_path, *FEW, *words)
    assert result.returncode == 0, result.stderr
    folder = only_run(tmp_path / "out")
    assert hashlib.sha256("".join(as_it_was(folder / f"{name}.csv") for name in TABLES).encode()).hexdigest() == sha256


def as_it_was(path: Path) -> str:
    """A table without the columns that came later."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    kept = [place for place, name in enumerate(rows[0]) if not name.startswith(LATER) and name != "image"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([row[place] for place in kept] for row in rows)
    return text.getvalue()
