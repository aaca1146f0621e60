"""How numbers are written on the page, in figures and in tables: one rule for what was measured, one for what was set."""

from __future__ import annotations

import math
from decimal import Decimal

MEASURED = ",.3~r"
"""The rule of :func:`measured` for the pictures' library."""
CHANGE = "+,.3~r"
"""The same for changes, with their sign."""

UNKNOWN = "–"


def measured(value: float) -> str:
    """What was measured: three significant digits, no powers of ten (`0.0123`, `250`, `12,300`)."""
    return _text(Decimal(f"{value + 0.0:.3g}")) if math.isfinite(value) else UNKNOWN


def span(low: float, high: float, mean: float) -> str:
    """The interval of a mean, to the mean's last digit: `0.91 to 1.10` for 1.01."""
    last = 2 - math.floor(math.log10(abs(mean))) if mean else 2
    return " to ".join(_text(Decimal(f"{round(each, last) + 0.0:.{max(last, 0)}f}")) for each in (low, high))


def _text(value: Decimal) -> str:
    return f"{value:,f}".replace("-", "−")


def exact(value: float) -> str:
    """What was set: all of its digits, no powers of ten (`0.5`, `250`, `1500000`)."""
    return f"{Decimal(f'{value:.12g}'):f}" if math.isfinite(value) else f"{value:g}"
