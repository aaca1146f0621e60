"""Where the values of an option stand on an axis, and what they are called there."""

from __future__ import annotations

import json
from dataclasses import dataclass

import altair as alt
import numpy as np

from msmf_traci.reporting.options import Option, Value, words

_MARGIN = 0.2  # of an axis's length: what stands apart is so far beside the numbers


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of an option.

    Attributes
    ----------
    option
        Whose values it has.
    positions
        Of the values, in the option's order; numbers stand where they are, text beside them.
    is_log
        Whether steps are even in proportion rather than in size.
    """

    option: Option
    positions: dict[Value, float]
    is_log: bool

    @property
    def labels(self) -> list[str]:
        """Words of the values, in order."""
        return [words(self.option.name, value) for value in self.option.values]

    def encoding(self) -> alt.X:
        """Numbers along a scale, with a tick at each value."""
        places = list(self.positions.values())
        # "drawn" and its range stand on two lines: they have little room
        names = json.dumps([name.split(" ") if name.startswith("drawn ") else name for name in self.labels], ensure_ascii=False)
        at = json.dumps(places)
        low, high = min(places), max(places)
        margin = 0.03 * (high - low)
        right = 2.0 if len(places) > sum(isinstance(value, float) for value in self.option.values) else 1.0
        domain = [low / 1.08, high * 1.08**right] if self.is_log else [low - margin, high + margin * right]
        scale = alt.Scale(type="log" if self.is_log else "linear", domain=domain, nice=False, zero=False)
        axis = alt.Axis(
            values=places,
            labelExpr=f"{names}[indexof({at}, datum.value)]",
            labelOverlap="greedy",
            labelSeparation=3,
            grid=False,
        )
        return alt.X("x:Q", title=self.option.label, scale=scale, axis=axis)


def axis_of(option: Option) -> Axis:
    """Axis of an option whose values are numbers, or numbers and ranges."""
    numbers = [value for value in option.values if isinstance(value, float)]
    others = [value for value in option.values if isinstance(value, str)]
    is_log = _is_even_in_proportion(numbers)
    low, high = numbers[0], numbers[-1]
    positions: dict[Value, float] = {value: value for value in numbers}
    for place, value in enumerate(others, 1):
        positions[value] = high * (high / low) ** (_MARGIN * place) if is_log else high + (high - low) * _MARGIN * place
    return Axis(option, positions, is_log)


def _is_even_in_proportion(numbers: list[float]) -> bool:
    """Whether the steps between numbers differ less in proportion than in size."""
    if len(numbers) < 3 or numbers[0] <= 0.0:
        return False
    steps, ratios = np.diff(numbers), np.diff(np.log(numbers))
    return bool(ratios.std() / ratios.mean() < steps.std() / steps.mean())
