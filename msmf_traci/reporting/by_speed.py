"""The commanded speed in figures that show one setting: those at the reference, for any speed."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from msmf_traci.reporting.curves import elsewhere
from msmf_traci.reporting.figure import choice
from msmf_traci.reporting.options import SPEED, words
from msmf_traci.reporting.reading import Results


def speeds_of(results: Results, points: pd.DataFrame) -> list[str]:
    """Words of the speeds that there are points of, in order."""
    here = set(points["speed"])
    return [name for value in results.options[SPEED].values if (name := words(SPEED, value)) in here] if SPEED in results.options else [""]


def speed_words(speed: str) -> str:
    """Words of a speed with its unit."""
    return f"{speed} km/h" if speed else "all trips"


def reference_speed(results: Results, speeds: Sequence[str]) -> str:
    """The speed that is shown first: the reference, or the first there is."""
    wanted = words(SPEED, results.options[SPEED].reference) if SPEED in results.options else ""
    return wanted if wanted in speeds else next(iter(speeds), "")


def speed_choice(results: Results, speeds: list[str]) -> list[alt.Parameter]:
    """A list to choose from; none of one speed."""
    return [choice("speed", "commanded speed (km/h)", speeds, reference_speed(results, speeds))] if len(speeds) > 1 else []


def at_words(results: Results) -> str:
    """Which runs a figure shows, and at which values of the other options."""
    return f"The runs are those of {results.folders[0].resolve().name}. {elsewhere(results, [SPEED])}"
