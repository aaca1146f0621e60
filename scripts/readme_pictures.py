"""Makes the two pictures of the README from the default run, traced: `python scripts/readme_pictures.py RUN`. Needs Chromium."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import altair as alt
import pandas as pd
from playwright.sync_api import sync_playwright

from msmf_traci.reporting.replay import write_replay

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WHEN_S, SIZE = 420.0, {"width": 1040, "height": 572}
# where each label stands beside its point: across, down, which end
LABELS = {
    "nearest": (-9, 3, "right"),
    "pm": (9, 2, "left"),
    "pm_op": (9, -8, "left"),
    "pm_tier": (9, 4, "left"),
    "pm_op_tier": (9, -4, "left"),
    "never": (9, 0, "left"),
    "oracle": (-9, -6, "right"),
    "oracle_tier": (-9, 0, "right"),
}


def main() -> None:
    """Make both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run with output.trace=true")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="path of Chromium")
    words = parser.parse_args()
    summary = pd.read_csv(words.run / "summary.csv")
    draw_satisfaction(summary, IMAGES / "satisfied_by_traffic.png")
    photograph_replay(words.run, IMAGES / "replay.png", words.chromium)


def draw_satisfaction(summary: pd.DataFrame, path: Path) -> None:
    """Each strategy's satisfied share against its traffic."""
    points = pd.DataFrame(
        {
            "strategy": summary["strategy"],
            "gigabytes": summary["traffic_per_trip_bytes"] / 1e9,
            "satisfied": summary["satisfied_share"] * 100,
        }
    )
    base = alt.Chart(points).encode(
        x=alt.X("gigabytes:Q", title="migration traffic of a trip, GB", scale=alt.Scale(domain=[0, 10])),
        y=alt.Y("satisfied:Q", title="satisfied, % of the trip", scale=alt.Scale(domain=[0, 100])),
    )
    chart = base.mark_circle(size=90, color="#455a64")
    for strategy, (across, down, side) in LABELS.items():
        text = base.transform_filter(alt.datum.strategy == strategy).mark_text(dx=across, dy=down, align=side, fontSize=12)
        chart = chart + text.encode(text="strategy")
    chart.properties(width=520, height=260).configure_view(stroke="#ccc").save(path, ppi=100)


def photograph_replay(run: Path, path: Path, chromium: str) -> None:
    """The replay of the run in the middle, two strategies side by side."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = write_replay(run, Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.goto(page_file.as_uri())
        page.wait_for_function("window.replay !== undefined")
        page.evaluate(f"replay.choose('right', 'never'); replay.choose('left', 'pm_op_tier'); replay.seek({WHEN_S})")
        page.wait_for_timeout(1000)
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()
